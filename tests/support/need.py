"""What a test may need that not every machine has: it is there, or the test is skipped with the
reason, or, where the environment says that it must be there, the test fails.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

CLIPS = "VIDCOLOR_CLIPS"
"""Environment variable: a folder of footage, with `dev` and `train` in it."""


def cuda() -> None:
    """A CUDA device that onnxruntime can run on; VIDCOLOR_REQUIRE_CUDA=1 insists."""
    from vidcolor.errors import ProviderError
    from vidcolor.inference.providers import candidates

    try:
        candidates("cuda", 0)
    except ProviderError as error:
        lacking("CUDA", str(error))


def provider(name: str) -> None:
    """Another execution provider, which onnxruntime has; VIDCOLOR_REQUIRE_OPENVINO=1 and so on."""
    from vidcolor.errors import ProviderError
    from vidcolor.inference.providers import candidates

    try:
        candidates(name, 0)
    except ProviderError as error:
        lacking(name.upper(), str(error))


def vapoursynth() -> None:
    """VapourSynth with the vidcolor plugin's toolchain; VIDCOLOR_REQUIRE_VAPOURSYNTH=1 insists."""
    if importlib.util.find_spec("vapoursynth") is None:
        lacking("VAPOURSYNTH", "the vapoursynth package is not installed")


def browser() -> str:
    """Chromium's path, and playwright to drive it; VIDCOLOR_REQUIRE_BROWSER=1 insists."""
    if importlib.util.find_spec("playwright") is None:
        lacking("BROWSER", "the playwright package is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = [path for path in map(shutil.which, names) if path]
    if not found:
        lacking("BROWSER", "there is no Chromium on the PATH")
    return found[0]


def ffmpeg() -> None:
    """FFmpeg's program, with the filter zscale; VIDCOLOR_REQUIRE_FFMPEG=1 insists."""
    program = shutil.which("ffmpeg")
    if program is None:
        lacking("FFMPEG", "there is no ffmpeg program on the PATH")
    filters = subprocess.run([program, "-filters"], capture_output=True, text=True, check=False)
    if " zscale " not in filters.stdout:
        lacking("FFMPEG", "the ffmpeg program on the PATH is built without zscale")


def scipy() -> None:
    """SciPy, of the extra 'key', which spreads colours; VIDCOLOR_REQUIRE_SCIPY=1 insists."""
    if importlib.util.find_spec("scipy") is None:
        lacking("SCIPY", "the scipy package is not installed")


def ray() -> None:
    """Ray, of the extra 'cluster'; VIDCOLOR_REQUIRE_RAY=1 insists."""
    if importlib.util.find_spec("ray") is None:
        lacking("RAY", "the ray package is not installed")


def clips(part: str = "dev") -> list[Path]:
    """Footage to try things on, `part` 'dev' or 'train'; VIDCOLOR_REQUIRE_CLIPS=1 insists."""
    root = os.environ.get(CLIPS)
    if not root:
        lacking("CLIPS", f"the environment variable {CLIPS} names no folder of footage")
    found = sorted((Path(root) / part).rglob("*.mp4"))
    if not found:
        lacking("CLIPS", f"there are no clips in {Path(root) / part}")
    return found


def is_required(what: str) -> bool:
    """Whether VIDCOLOR_REQUIRE_<what>=1 says that it must be there."""
    return os.environ.get(f"VIDCOLOR_REQUIRE_{what}") == "1"


def lacking(what: str, reason: str) -> NoReturn:
    """Skip the test, or fail where VIDCOLOR_REQUIRE_<what>=1 says that it must run."""
    if is_required(what):
        pytest.fail(f"{reason}, and VIDCOLOR_REQUIRE_{what}=1 asks for it")
    pytest.skip(reason, allow_module_level=True)
