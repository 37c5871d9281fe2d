"""``vidcolor color`` and the filter give the same bytes for the same film, keys and cuts."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.films import TAGS, luma_codes, write_film, write_keys, write_scenes
from tests.support.scenes import render
from tests.support.videos import frames, plane
from tests.vapoursynth_plugin.reference import Case, planes_of
from vidcolor.cli import main

LENGTH, CUTS, KEYS = 25, (6, 13, 19), (2, 4, 15)


@pytest.fixture(scope="module")
def scene():
    return render(LENGTH, 48, 64)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
def test_keys_anywhere(
    direction: str, jobs: int, scene: object, toy_bundle: Path, tmp_path: Path
) -> None:
    """With keys on both sides, on one, and shots without any."""
    case = Case(scene, "YUV420P8", size=32, keys=KEYS, direction=direction, cuts=CUTS)
    film = write_film(tmp_path / "film.mkv", scene)
    np.testing.assert_array_equal(luma_codes(scene), case.luma_codes)
    command = ["color", str(film), "--keys", str(write_keys(tmp_path / "keys", scene, KEYS))]
    command += ["--scenes", str(write_scenes(tmp_path / "cuts.txt", CUTS)), "--size", "32"]
    command += ["--direction", direction, "--model", str(toy_bundle), "--provider", "cpu"]
    command += ["--jobs", str(jobs), "--codec", "ffv1", "-o", str(tmp_path / "out.mkv")]
    assert main(command) == 0
    assert case.props == {"_Matrix": TAGS[0], "_Range": 0}
    ours = [
        tuple(plane(frame, index).tobytes() for index in range(3))
        for frame in frames(tmp_path / "out.mkv")
    ]
    assert ours == [planes_of(frame) for frame in case.propagate(toy_bundle).frames()]
