"""A cut that is moved: what is coloured again are the frames between the two places of it.

At the side that grows, up to a part more is coloured: what that part begins from is kept, and no
state within it is. At the side that shrinks nothing is. The output always has the bytes of a run
from nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.runtime.film.conftest import short_parts
from tests.support.films import scenes, write_film, write_keys, write_scenes
from vidcolor.cli import main

TOY = Path(__file__).parents[2] / "toy" / "bundle"
pytestmark = pytest.mark.usefixtures("place")
LENGTH, CUT = 40, 20
KEYS = (2, 37)
"""One in each of two shots. Parts begin at 3, 7, 11, 15, 19, and end before 37, 33, 29, 25, 21."""


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film, its keys, and out.mkv, which was coloured with the cut at its first place."""
    folder = tmp_path_factory.mktemp("material")
    scene = scenes([LENGTH])
    write_film(folder / "film.mkv", scene)
    write_keys(folder / "keys", scene, KEYS)
    with short_parts(folder):
        color("out.mkv", CUT)
    return folder


@pytest.fixture(scope="module")
def fresh(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], bytes]:
    """What a run from nothing writes with a cut, made once for each place of it."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.copytree(material, folder, dirs_exist_ok=True)

    @cache
    def made(cut: int) -> bytes:
        with short_parts(folder):
            return color(f"{cut}.mkv", cut, more=("--keep", "0"))

    return made


def color(output: str, *cuts: int, more: Sequence[str] = ()) -> bytes:
    write_scenes(Path("cuts.txt"), (0, *cuts))
    options = ["--keys", "keys", "--scenes", "cuts.txt", "--any-key", "--size", "32", "--quiet"]
    options += ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1", *more]
    assert main(["color", "film.mkv", "-o", output, *options]) == 0
    return Path(output).read_bytes()


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (20, 0),
        # 20, 21, and 19, with which the part begins.
        (22, 3),
        # 19 to 29: the last part begins at 19, and others follow.
        (30, 11),
        # 17 to 19, and 20, with which the part ends.
        (17, 4),
        # 9 to 20.
        (9, 12),
    ],
)
def test_frames_between_the_two_places_are_coloured(
    cut: int, expected: int, jobs: str, steps: list[int], fresh: Callable[[int], bytes]
) -> None:
    moved = color("out.mkv", cut, more=("--jobs", jobs))
    assert len(steps) == expected
    assert moved == fresh(cut)


def test_moved_back_it_costs_nothing(steps: list[int]) -> None:
    first = Path("out.mkv").read_bytes()
    color("out.mkv", 25)
    color("out.mkv", 12)
    steps.clear()
    assert color("out.mkv", CUT) == first
    assert not steps


def test_moved_again_and_again(steps: list[int], fresh: Callable[[int], bytes]) -> None:
    """The state at the last border goes along."""
    cuts = (23, 26, 29, 24, 10)
    for cut in cuts:
        steps.clear()
        color("out.mkv", cut)
    # To 24 nothing, to 10 backward: 10 to 24, of which 21 to 24 were coloured in the beginning.
    assert len(steps) <= 15
    assert Path("out.mkv").read_bytes() == fresh(cuts[-1])


def test_only_a_part_of_a_shot_without_a_key_that_ends_sooner(steps: list[int]) -> None:
    """Its pass begins at its first frame; it is guessed from the same key."""
    Path("keys/000037.png").unlink()
    color("out.mkv", CUT)
    steps.clear()
    # The shot of 20 to 39 ends at 29 now, and that of 30 to 39 begins anew.
    moved = color("out.mkv", CUT, 30)
    assert len(steps) == 10
    assert moved == color("fresh.mkv", CUT, 30)


def test_a_range_takes_what_the_whole_film_has(steps: list[int]) -> None:
    Path("out.mkv").unlink()
    color("out.mkv", CUT, more=("--range", "8-30"))
    assert not steps
    color("fresh.mkv", CUT, more=("--range", "8-30"))
    assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()


@pytest.mark.parametrize("lost", ["0000020-0000020", "0000025-0000028", "0000033-0000036"])
def test_a_lost_part_of_a_backward_pass(lost: str, steps: list[int]) -> None:
    """It is coloured again from where the pass begins, and what lies before it is not."""
    first = Path("out.mkv").read_bytes()
    [path] = Path("out.mkv.vidcolor").glob(f"{lost}.*.nut")
    path.unlink()
    assert color("out.mkv", CUT) == first
    # The state before 21 is kept; from the others the pass leads back to the key.
    start = int(lost[:7])
    assert len(steps) == (1 if start == 20 else 37 - start)
