"""What people read before, during and after the colouring of a film."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from vidcolor.commands.plan_text import MOST_SHOTS, plan_lines, result_lines
from vidcolor.commands.progress import Bar, ProgressBars
from vidcolor.commands.times import format_duration, format_time
from vidcolor.film.plan import Plan, PlannedShot
from vidcolor.film.report import Report


def shot(
    number: int, *keys: int, auto: tuple[int, ...] = (), near: tuple[int, ...] = ()
) -> PlannedShot:
    return PlannedShot(number, range(10 * number - 10, 10 * number), keys, auto, near)


def plan(*shots: PlannedShot, **more) -> Plan:
    options = {"unkeyed": "guess", "stored": 0, "steps": 40, "seconds": None, **more}
    part = range(shots[0].frames.start, shots[-1].frames.stop)
    return Plan(clip="film.mkv", part=part, shots=shots, **options)


FEW = (shot(1, 3, 8), shot(2, near=(8, 20)), shot(3, *range(20, 30)))


def test_a_film_of_a_few_shots() -> None:
    assert list(plan_lines(plan(*FEW, stored=4))) == [
        "film.mkv: 30 frames in 3 shots, 12 keys",
        "  shot 1: frames 0 to 9: keys 3, 8",
        "  shot 2: frames 10 to 19: no key: it is guessed by likeness to keys 8, 20",
        "  shot 3: frames 20 to 29: 10 keys, from 20 to 29",
        "  1 shot without a key: --unkeyed auto has a colorizer paint a frame of each, "
        "--unkeyed gray leaves them gray",
        "  to do: 26 of 30 frames, 4 are kept from before, 40 steps of the model",
    ]


def test_what_becomes_of_shots_without_a_key() -> None:
    gray = list(plan_lines(plan(shot(1, 3), shot(2), unkeyed="gray")))
    assert gray[2:] == [
        "  shot 2: frames 10 to 19: no key: it stays gray",
        "  to do: 20 of 20 frames, 40 steps of the model",
    ]
    auto = list(plan_lines(plan(shot(1, 3), shot(2, 15, auto=(15,)), unkeyed="auto")))
    assert auto[0] == "film.mkv: 20 frames in 2 shots, 1 key, 1 by the colorizer"
    assert auto[2] == "  shot 2: frames 10 to 19: no key: the colorizer paints frame 15"


def test_keys_that_hold_for_some_frames_alone() -> None:
    shots = (
        PlannedShot(1, range(10), (3,), key_ranges={8: range(6, 10)}),
        PlannedShot(2, range(10, 20), (), key_ranges={8: range(10, 12)}),
        PlannedShot(3, range(20, 30), (), key_ranges={25: range(25, 30), 22: range(20, 25)}),
    )
    assert list(plan_lines(plan(*shots, unkeyed="gray")))[:-1] == [
        "film.mkv: 30 frames in 3 shots, 4 keys",
        "  shot 1: frames 0 to 9: key 8 for frames 6 to 9; other frames: key 3",
        "  shot 2: frames 10 to 19: key 8 for frames 10 to 11; other frames: no key: it stays gray",
        "  shot 3: frames 20 to 29: key 22 for frames 20 to 24; key 25 for frames 25 to 29",
    ]


def test_frames_that_no_key_of_their_shot_leads_to() -> None:
    """With one direction alone."""
    shots = (
        PlannedShot(1, range(10), (4,), nearest_keys=(4,), unreached=range(4)),
        PlannedShot(2, range(10, 20), (10,)),
    )
    assert list(plan_lines(plan(*shots, stored=1)))[1:] == [
        "  shot 1: frames 0 to 9: key 4; frames 0 to 3, to which none leads: guessed by likeness "
        "to key 4",
        "  shot 2: frames 10 to 19: key 10",
        "  to do: 19 of 20 frames, 1 is kept from before, 40 steps of the model",
    ]
    gray = list(plan_lines(plan(*shots, unkeyed="gray")))
    assert gray[1].endswith("key 4; frames 0 to 3, to which none leads: gray")


def test_shots_that_take_their_colours_from_references() -> None:
    lines = list(plan_lines(plan(shot(1, 3), shot(2, near=(3,)), references=("a.png", "b.jpg"))))
    assert lines[2:] == [
        "  shot 2: frames 10 to 19: no key: it is coloured by likeness to key 3 and references "
        "a.png, b.jpg",
        "  to do: 20 of 20 frames, 40 steps of the model",
    ]
    lines = list(plan_lines(plan(shot(1), references=("still.png",))))
    assert (
        lines[1]
        == "  shot 1: frames 0 to 9: no key: it is coloured by likeness to reference still.png"
    )
    lines = list(plan_lines(plan(shot(1), references=tuple(map(str, range(12))))))
    assert lines[1].endswith(": it is coloured by likeness to 12 references")


def test_a_film_of_many_shots() -> None:
    """Those without a key are what matters."""
    shots = [shot(n) if n % 10 == 0 else shot(n, 10 * n) for n in range(1, 101)]
    lines = list(plan_lines(plan(*shots, seconds=7380.0)))
    assert len(lines) == 1 + 10 + 1 + 1 + 1
    assert lines[1].startswith("  shot 10: ")
    assert lines[-3] == "  and 90 shots more"
    assert lines[-2].startswith("  10 shots without a key: ")
    assert lines[-1] == (
        "  to do: 1000 of 1000 frames, 40 steps of the model: about 2 h 3 min, by a few that "
        "were timed now; the time left is measured as it goes"
    )
    assert len(list(plan_lines(plan(*map(shot, range(1, 101)))))) == 1 + MOST_SHOTS + 3


def test_a_single_frame() -> None:
    report = Report(film="a.mkv", model="toy", size=64, keys={}, shots=(0,), confidence=(1.0,))
    assert next(result_lines(report, Path("b.mkv"), 1.0)).startswith("b.mkv: 1 frame in 1 s, ")


def test_what_was_done_and_what_comes_next() -> None:
    report = Report(
        film="film.mkv",
        model="toy",
        size=64,
        keys={3: "000003.png"},
        shots=(0, 10, 20),
        confidence=(*[0.9] * 10, *[0.4] * 10, *[0.8] * 5),
    )
    assert list(result_lines(report, Path("my films/out.mkv"), 50.0)) == [
        "my films/out.mkv: 25 frames in 50 s, 0.5 a second; weakest is shot 2, with a mean "
        "confidence of 0.40",
        "next: vidcolor review 'my films/out.mkv' -o 'my films/out.html'",
    ]
    *_, after = result_lines(report, Path("-out.mkv"), 50.0)
    assert after == "next: vidcolor review ./-out.mkv -o ./-out.html"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (8.4, "8 s"), (59.9, "1 min"), (150, "2 min"), (3660, "1 h 1 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_places_in_a_film() -> None:
    assert format_time(3690.0417) == "1:01:30.042"
    assert format_time(59.9996) == "0:01:00.000"


class Clock:
    """A second for each frame."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Stream(io.StringIO):
    """Standard error, which may be a terminal."""

    is_terminal = False

    def isatty(self) -> bool:
        return self.is_terminal


def run(
    monkeypatch: pytest.MonkeyPatch, total: int | None, *, quiet: bool = False, tty: bool = False
) -> str:
    """What is told of 200 frames, one a second."""
    stream, clock = Stream(), Clock()
    stream.is_terminal = tty
    monkeypatch.setattr("sys.stderr", stream)
    with ProgressBars(quiet=quiet, clock=clock) as progress:
        for done in range(1, 201):
            progress("colouring", done, total)
            clock.now += 1
    return stream.getvalue()


def test_a_line_a_minute_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, 200).splitlines() == [
        "vidcolor: colouring: 61 of 200 frames (30%), 1.0 a second, about 2 min left",
        "vidcolor: colouring: 121 of 200 frames (60%), 1.0 a second, about 1 min left",
        "vidcolor: colouring: 181 of 200 frames (90%), 1.0 a second, about 19 s left",
    ]


@pytest.mark.parametrize("tty", [False, True])
def test_the_time_left_is_that_of_the_steps_where_it_is_known(
    tty: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, clock = Stream(), Clock()
    stream.is_terminal = tty
    monkeypatch.setattr("sys.stderr", stream)
    with ProgressBars(quiet=False, clock=clock) as progress:
        progress.seconds_left = lambda: 7200.0 if clock.now > 90 else None
        for done in range(1, 130):
            progress("colouring", done, 200)
            clock.now += 1
    if tty:
        assert "129/200" in stream.getvalue()
        assert "about 2 h 0 min left" in stream.getvalue()
        return
    assert stream.getvalue().splitlines() == [
        "vidcolor: colouring: 61 of 200 frames (30%), 1.0 a second, about 2 min left",
        "vidcolor: colouring: 121 of 200 frames (60%), 1.0 a second, about 2 h 0 min left",
    ]


def test_without_a_total_and_in_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = run(monkeypatch, None).splitlines()
    assert first == "vidcolor: colouring: 61 frames, 1.0 a second"
    assert run(monkeypatch, 200, quiet=True) == ""


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    said = run(monkeypatch, 200, tty=True)
    assert "colouring: 100%" in said
    assert "200/200" in said
    assert "vidcolor:" not in said
    assert run(monkeypatch, 200, quiet=True, tty=True) == ""


@pytest.mark.parametrize("quiet", [False, True])
def test_a_stage_of_one_bar_tells_a_line_a_minute(
    quiet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `vidcolor advise` and `vidcolor review` show their stages."""
    stream, clock = Stream(), Clock()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(ProgressBars.__init__, "__kwdefaults__", {"leave": True, "clock": clock})
    with Bar("trying keys", 100, quiet=quiet) as bar:
        for _ in range(100):
            bar.update()
            clock.now += 1
    line = "vidcolor: trying keys: 61 of 100 frames (61%), 1.0 a second, about 38 s left\n"
    assert stream.getvalue() == ("" if quiet else line)
    stream.is_terminal = True
    with Bar("trying keys", 100, quiet=quiet) as bar:
        bar.update(100)
    assert ("100/100" in stream.getvalue()) == (not quiet)
