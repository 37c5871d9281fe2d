"""What is told before a film is coloured."""

from __future__ import annotations

from pathlib import Path

import pytest

import vidcolor
from tests.support.films import scenes, write_film, write_keys
from vidcolor.film import plan as planning
from vidcolor.film.pace import Pace
from vidcolor.film.plan import Plan
from vidcolor.propagate import Propagator

TOY = Path(__file__).parents[2] / "toy" / "bundle"
CUTS = (0, 9, 19)
MODEL = {"model": TOY, "provider": "cpu", "codec": "ffv1", "size": 48, "scenes": CUTS}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    scene = scenes((9, 10, 11))
    write_film(Path("film.mkv"), scene)
    write_keys(Path("keys"), scene, (2, 6, 21))
    return tmp_path


def plan_of(output: str, **more) -> Plan:
    plans: list[Plan] = []
    vidcolor.color_video(
        "film.mkv", keys="keys", output=output, plan=plans.append, **{**MODEL, **more}
    )
    [plan] = plans
    return plan


def test_shots_keys_frames_and_steps(folder: Path, steps: list[int]) -> None:
    plan = plan_of("out.mkv")
    assert plan.clip == "film.mkv"
    assert [shot.frames for shot in plan.shots] == [range(9), range(9, 19), range(19, 30)]
    assert [shot.keys for shot in plan.shots] == [(2, 6), (), (21,)]
    assert [shot.number for shot in plan.without_key] == [2]
    assert [shot.nearest_keys for shot in plan.shots] == [(), (6, 21), ()]
    assert (plan.part, plan.stored) == (range(30), 0)
    # 2 before the first key, 3 from both, 2 behind; 10 guessed; 2 before a key, 8 behind it.
    assert plan.steps == len(steps) == 2 + 2 * 3 + 2 + 10 + 2 + 8
    assert plan.seconds is None


def test_what_is_kept_is_not_done_again(folder: Path, steps: list[int]) -> None:
    plan_of("out.mkv")
    write_keys(Path("keys"), scenes((9, 10, 11)), [14])
    steps.clear()
    plan = plan_of("out.mkv")
    assert plan.stored == 30 - 10
    assert plan.steps == len(steps) == 9


def test_a_part_and_gray_shots(folder: Path, steps: list[int]) -> None:
    plan = plan_of("out.mkv", frames=range(4, 12), unkeyed="gray")
    assert [shot.number for shot in plan.shots] == [1, 2]
    assert plan.part == range(4, 12)
    # 4 and 5: forward from 2, backward from 6; then 7 and 8; the second shot is gray.
    assert plan.steps == len(steps) == (6 - 3) + (6 - 4) + 2


def test_references_are_named(folder: Path) -> None:
    plan = plan_of("out.mkv", references=["keys/000002.png"])
    assert plan.references == ("000002.png",)


def test_what_is_left_is_told_of_the_steps_that_were_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds for each step."""
    now, told, plans = [0.0], [], []
    monkeypatch.setattr(Pace.__init__, "__defaults__", (lambda: now[0],))
    step = Propagator.step

    def stepped(self, luma, state):
        now[0] += 2.0
        told.append(plans[0].seconds_left() if plans else None)
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", stepped)
    vidcolor.color_video("film.mkv", keys="keys", output="out.mkv", plan=plans.append, **MODEL)
    total = plans[0].steps
    assert len(told) == total
    # In step n the clock has gone on by 2 n seconds, and n - 1 are made.
    expected = [None if n < 5 else (total - (n - 1)) * 2 * n / (n - 1) for n in range(1, total + 1)]
    assert told == pytest.approx(expected)
    assert plans[0].seconds_left() == 0


def test_a_long_film_is_timed(
    folder: Path, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "WORTH_TIMING", 30)
    times = iter((10.0, 16.0))
    monkeypatch.setattr(planning, "perf_counter", lambda: next(times))
    plan = plan_of("out.mkv")
    assert plan.seconds == 30 * 2.0, "three steps in six seconds"
    assert len(steps) == 30 + 1 + 3
