"""How often things are done for a frame, what overlaps, and what is held at a time: counted."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.support import videos
from tests.support.films import LENGTHS, scenes, write_film, write_keys, write_scenes
from tests.support.waiting import DEADLINE
from vidcolor import propagate
from vidcolor.cli import main
from vidcolor.film import frames, job, pipeline
from vidcolor.inference import enlarge
from vidcolor.inference.runner import Runner
from vidcolor.inference.session import Session
from vidcolor.media.info import Frame
from vidcolor.media.reader import Reader
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

TOY = Path(__file__).parents[2] / "toy" / "bundle"
LENGTH = sum(LENGTHS)
CUTS = (0, LENGTHS[0], LENGTHS[0] + LENGTHS[1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a film and the first shots' cuts."""
    monkeypatch.chdir(tmp_path)
    film = scenes()
    write_film(Path("film.mkv"), film)
    for name, keys in (("one-way", CUTS), ("two-way", (0, 10, 20, 29))):
        write_keys(Path(name), film, keys)
    write_scenes(Path("cuts.txt"), CUTS)
    return tmp_path


def color(keys: str, output: str, *more: str) -> int:
    options = ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1", "--quiet"]
    options += ["--size", "32", "--scenes", "cuts.txt", *more]
    return main(["color", "film.mkv", "--keys", keys, "-o", output, *options])


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each thing is done from now on, over all frames."""
    counts: Counter[str] = Counter()
    lock = threading.Lock()

    def count(what: str) -> None:
        with lock:
            counts[what] += 1

    read = Reader.__iter__

    def counted_read(self):
        for item in read(self):
            if isinstance(item, Frame):
                count("decoded")
            yield item

    monkeypatch.setattr(Reader, "__iter__", counted_read)

    def counting(owner: object, name: str, what: str) -> None:
        whole = getattr(owner, name)

        def counted(*given, **more):
            count(what)
            return whole(*given, **more)

        monkeypatch.setattr(owner, name, counted)

    counting(job, "decode_luma", "luma planes")
    counting(WorkingSize, "downsample_codes", "working-size planes")
    for name in ("upsample", "upsample_codes"):
        counting(WorkingSize, name, "upsampled")
    counting(pipeline, "encode_chroma", "chroma planes")
    counting(Propagator, "step", "steps")
    return counts


def test_one_way_everything_is_made_once(folder: Path, done: Counter[str]) -> None:
    assert color("one-way", "out.mkv") == 0
    keys, others = len(CUTS), LENGTH - len(CUTS)
    assert done["decoded"] == 2 * LENGTH, "once to scan, once to colour"
    # Once for each frame as it is coloured, and once for each key as it is scanned.
    assert done["working-size planes"] == others + keys
    assert done["upsampled"] == done["steps"] == others
    assert done["luma planes"] == done["chroma planes"] == keys, "in float at full size"


def test_on_a_device_full_size_chroma_is_made_there(
    tmp_path: Path, done: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CPU in its place: luma comes out as it was, chroma as the CPU makes it but for rounding.

    The trial takes two runs, and one of the CPU's.
    """
    monkeypatch.chdir(tmp_path)
    film = scenes(height=96, width=128)
    write_film(Path("film.mkv"), film)
    write_keys(Path("keys"), film, CUTS)
    write_scenes(Path("cuts.txt"), CUTS)
    assert color("keys", "cpu.mkv") == 0
    done.clear()
    monkeypatch.setattr(Session, "device_runner", Runner("toy"))
    run, runs = enlarge.Graph.run, []
    monkeypatch.setattr(enlarge.Graph, "run", lambda *given: runs.append(given) or run(*given))
    assert color("keys", "device.mkv") == 0
    assert len(runs) == LENGTH - len(CUTS) + 2
    assert done["upsampled"] == 1
    for one, other in zip(
        videos.frames(Path("cpu.mkv")), videos.frames(Path("device.mkv")), strict=True
    ):
        np.testing.assert_array_equal(videos.plane(one, 0), videos.plane(other, 0))
        for index in (1, 2):
            u, v = (videos.plane(frame, index).astype(int) for frame in (one, other))
            assert np.abs(u - v).max() <= 1
            assert np.ptp(v) > 8


def test_two_ways_frames_are_decoded_no_more_often(folder: Path, done: Counter[str]) -> None:
    """Luma waits as codes for the backward pass."""
    assert color("two-way", "out.mkv", "--scenes", "none") == 0
    keys, others = 4, LENGTH - 4
    assert done["decoded"] == 2 * LENGTH
    assert done["working-size planes"] == others + keys
    assert done["steps"] == 2 * others
    assert done["upsampled"] == others
    assert done["luma planes"] == done["chroma planes"] == keys, "in float at full size"


def test_several_at_a_time_decode_no_more_often(folder: Path, done: Counter[str]) -> None:
    assert color("two-way", "out.mkv", "--jobs", "2") == 0
    assert done["decoded"] == 2 * LENGTH


@pytest.mark.parametrize("keys", ["one-way", "two-way"])
@pytest.mark.parametrize("more", [(), ("--range", "3-26"), ("--range", "4-8")])
def test_the_bytes_are_those_of_jobs(folder: Path, keys: str, more: tuple[str, ...]) -> None:
    assert color(keys, "alone.mkv", *more) == 0
    assert color(keys, "together.mkv", "--jobs", "3", *more) == 0
    assert Path("alone.mkv").read_bytes() == Path("together.mkv").read_bytes()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_part_far_before_the_key_behind_it(
    folder: Path, jobs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The film is read up to that key, however soon after the part its sound ends."""
    monkeypatch.setattr(frames, "TAIL", 0)
    more = ["--scenes", "none", "--jobs", jobs]
    assert color("two-way", "whole.mkv", *more) == 0
    assert color("two-way", "part.mkv", *more, "--range", "2-3") == 0
    whole, part = videos.frames(Path("whole.mkv")), videos.frames(Path("part.mkv"))
    for one, other in zip(whole[2:4], part, strict=True):
        np.testing.assert_array_equal(videos.plane(one, 1), videos.plane(other, 1))


def test_reading_colouring_and_writing_overlap(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frame 1 is upsampled while frame 2 is stepped and frame 5 is read: each waits for all."""
    # It decides how far frames are read ahead.
    monkeypatch.setattr(propagate, "count_cores", lambda: 2)
    together = threading.Barrier(3, timeout=DEADLINE)
    calls: Counter[str] = Counter()

    def meeting(owner: type, name: str, at: int) -> None:
        whole = getattr(owner, name)

        def meeting_others(*given, **more):
            calls[name] += 1
            if calls[name] == at:
                together.wait()
            return whole(*given, **more)

        monkeypatch.setattr(owner, name, meeting_others)

    meeting(WorkingSize, "upsample_codes", 1)
    meeting(Propagator, "step", 2)
    meeting(frames.FilmFrames, "_load", 6)
    assert color("one-way", "out.mkv") == 0
    assert calls["step"] > 2


@pytest.mark.parametrize("keys", ["one-way", "two-way"])
def test_few_frames_are_held_at_a_time(
    keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full-size planes in memory, of a film of one shot: as many at its end as at its beginning."""
    monkeypatch.chdir(tmp_path)
    length = 80
    film = scenes([length])
    write_film(Path("film.mkv"), film)
    write_keys(Path(keys), film, (0,) if keys == "one-way" else (0, length - 1))
    write_scenes(Path("cuts.txt"), (0,))
    held: list[int] = []
    alive: Counter[str] = Counter()
    lock = threading.Lock()
    load = frames.FilmFrames._load

    def gone() -> None:
        with lock:
            alive["planes"] -= 1

    def counted(self, *given):
        loaded = load(self, *given)
        with lock:
            alive["planes"] += 1
            held.append(alive["planes"])
        plane = loaded.codes.copy()
        weakref.finalize(plane, gone)
        return frames.replace(loaded, codes=plane)

    monkeypatch.setattr(frames.FilmFrames, "_load", counted)
    assert color(keys, "out.mkv") == 0
    assert len(held) == length
    assert max(held) <= 12


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("keys", ["one-way", "two-way"])
def test_a_film_that_becomes_shorter(
    folder: Path,
    keys: str,
    jobs: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither an output nor a part of it is taken for a whole one."""
    read, times = Reader.__iter__, []

    def shorter(self):
        times.append(1)
        for number, item in enumerate(read(self)):
            if len(times) == 2 and number == LENGTH - 4:
                return
            yield item

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "__iter__", shorter)
        assert color(keys, "out.mkv", "--jobs", jobs) == 2
    assert f"gives {LENGTH - 4} frames now, where it gave {LENGTH}" in capsys.readouterr().err
    assert not Path("out.mkv").exists()
    assert color(keys, "out.mkv") == 0
    assert color(keys, "fresh.mkv") == 0
    assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()
