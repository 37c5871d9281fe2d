"""`--help` answers at once: it loads nothing that only the work needs, and it shows examples."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import tyro

from export.options import Export
from vidcolor.cli import COMMANDS as COMMANDS_OF_VIDCOLOR
from vidcolor.cli import parse

ROOT = Path(__file__).parents[1]
HEAVY = (
    "av", "cv2", "lightning_fabric", "matplotlib", "onnx", "onnxruntime", "ray", "scenedetect",
    "scipy", "skimage", "torch",
)  # fmt: skip
COMMANDS = {
    "vidcolor": ("vidcolor", "--help"),
    **{f"vidcolor {name}": ("vidcolor", name, "--help") for name in COMMANDS_OF_VIDCOLOR},
    "vidcolor clean": ("vidcolor", "clean", "--help"),
    "python -m export": ("export", "--help"),
}
LISTING = """
import atexit, runpy, sys
heavy = {heavy}
atexit.register(lambda: print("\\nLOADED", *sorted(heavy & sys.modules.keys())))
sys.argv = {words}
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_nothing_heavy_and_shows_examples(command: str) -> None:
    """Counted, because a busy machine tells nothing of a second."""
    module, *words = COMMANDS[command]
    code = LISTING.format(heavy=set(HEAVY), words=[module, *words], module=module)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said, _, loaded = done.stdout.rpartition("LOADED")
    assert loaded.split() == []
    shown = re.findall(rf"^[ │]* {re.escape(command)} (.+?)[ │]*$", said, re.MULTILINE)
    assert shown or command == "vidcolor", said
    if module == "export":
        assert all(tyro.cli(Export, args=shlex.split(line)) for line in shown)


def test_the_examples_of_vidcolor_are_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("job.toml").write_text('films = "film.mkv"\noutput = "out.mkv"\n')
    for name, listed in COMMANDS_OF_VIDCOLOR.items():
        lines = re.findall(rf"^ +vidcolor ({name} .+)$", listed.load().__doc__, re.MULTILINE)
        assert lines
        for line in lines:
            assert isinstance(parse(shlex.split(line)), listed.load())
