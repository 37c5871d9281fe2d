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


ALL = list(range(LENGTH))
GRADES = {
    "all frames": ("--saturation 0.7 --hue 15", {"saturation": 0.7, "hue": 15.0}, ALL),
    "ranges": (
        "--saturation 3-9:1.3 --saturation 8-20:0.6 --hue 3-9:-20 --hue 8-20:0",
        {"saturation": [1.3, 0.6], "hue": [-20.0, 0.0], "ranges": [3, 9, 8, 20]},
        [3, 4, 5, 6, 7, *range(8, 21)],
    ),
    "one range": ("--saturation 2-2:0.5", {"saturation": 0.5, "ranges": [2, 2]}, [2]),
    "one for all": (
        "--saturation 0.8 --hue 1-3:9 --hue 20-24:-9",
        {"saturation": 0.8, "hue": [9.0, -9.0], "ranges": [1, 3, 20, 24]},
        ALL,
    ),
}
"""Options of the command, arguments of the filter, and the frames that they change."""


@pytest.mark.parametrize("name", GRADES)
def test_grades(name: str, scene: object, toy_bundle: Path, tmp_path: Path) -> None:
    """On keys and on the frames between, to the last code; the last of several ranges counts."""
    options, arguments, touched = GRADES[name]
    case = Case(scene, "YUV420P8", size=32, keys=KEYS, cuts=CUTS)
    command = ["color", str(write_film(tmp_path / "film.mkv", scene)), "--size", "32", "--keys"]
    command += [str(write_keys(tmp_path / "keys", scene, KEYS)), "--codec", "ffv1"]
    command += ["--scenes", str(write_scenes(tmp_path / "cuts.txt", CUTS))]
    command += ["--model", str(toy_bundle), "--provider", "cpu", "-o", str(tmp_path / "out.mkv")]
    assert main([*command, *options.split()]) == 0
    ours = [
        tuple(plane(frame, index).tobytes() for index in range(3))
        for frame in frames(tmp_path / "out.mkv")
    ]
    plain = [planes_of(frame) for frame in case.propagate(toy_bundle).frames()]
    graded = [planes_of(frame) for frame in case.propagate(toy_bundle, **arguments).frames()]
    assert ours == graded
    assert [number for number in ALL if plain[number] != graded[number]] == touched
