"""A key with a range holds for exactly these frames, and the other keys for all others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vidcolor
from tests.support.films import scenes, write_film, write_keys
from tests.support.videos import frames, plane
from vidcolor.film.plan import Plan
from vidcolor.film.report import Report
from vidcolor.propagate import Propagator

TOY = Path(__file__).parents[2] / "toy" / "bundle"
LENGTHS, CUTS = (12, 10), (0, 12)
LENGTH = sum(LENGTHS)
MODEL = {"model": TOY, "provider": "cpu", "codec": "ffv1", "size": 48}
OTHERS = (2, 16)
"""The keys without a range; that of frame 8 has one."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    scene = scenes(LENGTHS)
    write_film(Path("film.mkv"), scene)
    write_keys(Path("keys"), scene, (2, 8, 16))
    return tmp_path


def color(output: str, keys: tuple[int, ...] = (2, 8, 16), **more: Any) -> Report:
    images = {frame: Path(f"keys/{frame:06}.png") for frame in keys}
    options = {"keys": images, "output": output, "scenes": CUTS, "overwrite": True}
    return vidcolor.color_video("film.mkv", **{**options, **MODEL, **more})


def chroma(path: str) -> list[bytes]:
    return [
        b"".join(plane(frame, index).tobytes() for index in (1, 2)) for frame in frames(Path(path))
    ]


def expected(held: range) -> list[bytes]:
    """Of every frame: from the key of frame 8 as if alone in a shot, or from the others alone."""
    edges = sorted({0, held.start, held.stop} - {LENGTH})
    color("inner.mkv", (8,), scenes=edges)
    color("outer.mkv", OTHERS)
    pairs = zip(chroma("inner.mkv"), chroma("outer.mkv"), strict=True)
    return [one if number in held else other for number, (one, other) in enumerate(pairs)]


@pytest.mark.parametrize(
    "held",
    [range(6, 10), range(8, 9), range(6, 15), range(1, 10), range(12), range(6, LENGTH)],
    ids=["within", "one frame", "over a cut", "over a key", "a shot", "to the end"],
)
def test_exactly_these_frames(held: range, folder: Path) -> None:
    report = color("out.mkv", key_ranges={8: held})
    want = expected(held)
    got = chroma("out.mkv")
    assert [n for n, pair in enumerate(zip(got, want, strict=True)) if pair[0] != pair[1]] == []
    sure = [number for number, trust in enumerate(report.confidence) if trust == 1]
    assert sure == sorted({8, *(key for key in OTHERS if key not in held)})
    assert report.shots == CUTS


def test_another_key_leads_through_the_range_to_the_frames_behind_it(
    folder: Path, steps: list[int]
) -> None:
    """Frames 10 and 11 are those of a film without the key of frame 8: no guess."""
    color("out.mkv", key_ranges={8: range(6, 10)})
    # 0 and 1, 3 to 11, 12 to 15 and 17 to 21 from the other keys; 6, 7 and 9 from that of 8.
    assert len(steps) == 2 + 9 + 4 + 5 + 3


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_in_one_direction(direction: str, folder: Path) -> None:
    color("out.mkv", key_ranges={8: range(6, 10)}, direction=direction)
    color("outer.mkv", OTHERS, direction=direction)
    color("inner.mkv", (8,), scenes=(0, 6, 10), direction=direction)
    got, outer, inner = (chroma(f"{name}.mkv") for name in ("out", "outer", "inner"))
    assert got == [*outer[:6], *inner[6:10], *outer[10:]]


@pytest.mark.parametrize(
    "ranges",
    [
        {8: range(6, 13), 16: range(15, 18)},
        {8: range(12)},
        {8: range(4, 9), 2: range(4)},
        {2: range(5), 8: range(5, 14), 16: range(14, LENGTH)},
    ],
    ids=["two", "a shot", "side by side", "all of it"],
)
def test_parts_and_several_jobs(ranges: dict[int, range], folder: Path) -> None:
    color("out.mkv", key_ranges=ranges)
    whole = chroma("out.mkv")
    color("more.mkv", key_ranges=ranges, jobs=3)
    assert Path("more.mkv").read_bytes() == Path("out.mkv").read_bytes()
    for part in (range(3), range(7, 9), range(4, 16), range(16, LENGTH), range(13, 15)):
        color("part.mkv", key_ranges=ranges, frames=part)
        assert chroma("part.mkv") == whole[part.start : part.stop]


def test_what_is_kept_is_not_coloured_again(folder: Path, steps: list[int]) -> None:
    plans: list[Plan] = []
    color("out.mkv", key_ranges={8: range(6, 10)}, plan=plans.append)
    assert plans[-1].steps == len(steps)
    before = Path("out.mkv").read_bytes()
    steps.clear()
    color("out.mkv", key_ranges={8: range(6, 10)}, plan=plans.append)
    assert not steps
    assert (plans[-1].stored, plans[-1].steps) == (LENGTH, 0)
    assert Path("out.mkv").read_bytes() == before
    color("out.mkv", key_ranges={8: range(6, 11)}, plan=plans.append)
    assert len(steps) == 2, "9 and 10"
    assert plans[-1].stored == LENGTH - 2


@pytest.mark.parametrize(("at", "left_to_do"), [(2, 23), (4, 20)])
def test_it_goes_on_where_it_was_stopped(
    at: int, left_to_do: int, folder: Path, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the range of a key, and when that was finished."""
    color("whole.mkv", key_ranges={8: range(6, 10)})
    step, left = Propagator.step, [at]

    def stopping(self: Propagator, *given: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return step(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Propagator, "step", stopping)
        with pytest.raises(KeyboardInterrupt):
            color("out.mkv", key_ranges={8: range(6, 10)})
    steps.clear()
    color("out.mkv", key_ranges={8: range(6, 10)})
    assert len(steps) == left_to_do
    assert Path("out.mkv").read_bytes() == Path("whole.mkv").read_bytes()


def test_what_no_other_key_colours_is_a_shot_without_a_key(folder: Path) -> None:
    plans: list[Plan] = []
    color("out.mkv", (8,), key_ranges={8: range(6, 10)}, unkeyed="gray", plan=plans.append)
    colored = [set(codes) != {128} for codes in chroma("out.mkv")]
    assert colored == [number in range(6, 10) for number in range(LENGTH)]
    assert [shot.lacks_key for shot in plans[-1].shots] == [True, True]
    color("out.mkv", (8,), key_ranges={8: range(12)}, unkeyed="gray", plan=plans.append)
    assert [shot.lacks_key for shot in plans[-1].shots] == [False, True]


def test_a_guess_where_all_keys_have_ranges(folder: Path) -> None:
    """By the likeness of what they show: there is nothing else."""
    color("out.mkv", (8,), key_ranges={8: range(6, 10)})
    assert all(np.ptp(np.frombuffer(codes, np.uint8)) > 2 for codes in chroma("out.mkv"))


def test_the_colorizer_paints_a_frame_that_no_range_covers(folder: Path) -> None:
    report = color("out.mkv", (8, 16), key_ranges={8: range(3, 12)}, unkeyed="auto")
    [painted] = [frame for frame, name in report.keys.items() if name == "auto"]
    assert painted in range(3)
    report = color("out.mkv", (8, 16), key_ranges={8: range(12)}, unkeyed="auto")
    assert "auto" not in report.keys.values()
