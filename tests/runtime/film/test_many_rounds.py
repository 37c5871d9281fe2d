"""Many rounds at random: cuts, keys, ranges, options, stops, jobs; each as from nothing.

Parts are made short, so that a small film has many.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.films import scenes, write_film, write_keys, write_scenes
from vidcolor.cli import main
from vidcolor.film import segments
from vidcolor.propagate import Propagator

TOY = Path(__file__).parents[2] / "toy" / "bundle"
LENGTH, PART = 40, 4


@dataclass
class Work:
    """What a restorer changes from round to round."""

    keys: set[int] = field(default_factory=lambda: {2, 20, 37})
    cuts: set[int] = field(default_factory=lambda: {0, 10, 30})
    direction: str = "both"
    unkeyed: str = "guess"
    ranges: dict[int, range] = field(default_factory=dict)

    def change(self, chance: random.Random) -> None:
        changes: list[Callable[[random.Random], None]] = [
            self._move_a_cut, self._move_a_cut, self._add_or_remove_a_cut,
            self._add_or_remove_a_key, self._change_an_option, self._change_a_range,
        ]  # fmt: skip
        chance.choice(changes)(chance)
        self.ranges = {key: held for key, held in self.ranges.items() if key in self.keys}

    def words(self, output: str) -> list[str]:
        shutil.rmtree("keys", ignore_errors=True)
        Path("keys").mkdir()
        for key in self.keys:
            shutil.copy(f"painted/{key:06}.png", "keys")
        write_scenes(Path("cuts.txt"), sorted(self.cuts))
        options = ["--direction", self.direction, "--unkeyed", self.unkeyed, "--scenes", "cuts.txt"]
        for key, held in self.ranges.items():
            options += ["--key-range", f"{key}:{held.start}-{held.stop - 1}"]
        options += ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1", "--size", "32"]
        options += ["--quiet", "--any-key", "--overwrite"]
        return ["color", "film.mkv", "-o", output, "--keys", "keys", *options]

    def _move_a_cut(self, chance: random.Random) -> None:
        if moved := self.cuts - {0}:
            cut = chance.choice(sorted(moved))
            to = max(1, min(LENGTH - 1, cut + chance.randint(-6, 6)))
            self.cuts = {*self.cuts - {cut}, to}

    def _add_or_remove_a_cut(self, chance: random.Random) -> None:
        self.cuts ^= {chance.randrange(1, LENGTH)}

    def _add_or_remove_a_key(self, chance: random.Random) -> None:
        self.keys = self.keys ^ {chance.randrange(LENGTH)} or {3}

    def _change_an_option(self, chance: random.Random) -> None:
        self.direction = chance.choice(("both", "both", "forward", "backward"))
        self.unkeyed = chance.choice(("guess", "gray"))

    def _change_a_range(self, chance: random.Random) -> None:
        key = chance.choice(sorted(self.keys))
        start, stop = key - chance.randint(0, 6), key + chance.randint(1, 6)
        self.ranges = (
            {key: range(max(0, start), min(LENGTH, stop))} if chance.random() < 0.6 else {}
        )


def rounds(count: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = scenes([LENGTH])
    write_film(Path("film.mkv"), scene)
    write_keys(Path("painted"), scene, range(LENGTH))
    monkeypatch.setattr(segments, "PART", PART)
    step, made, last = Propagator.step, [0], [-1]

    def stopping(self, luma, state):
        made[0] += 1
        if made[0] == last[0]:
            raise KeyboardInterrupt
        return step(self, luma, state)

    def run(words: list[str], *, at_most: int = -1) -> int:
        made[0], last[0] = 0, at_most
        return main(words)

    monkeypatch.setattr(Propagator, "step", stopping)
    chance, work = random.Random(seed), Work()  # noqa: S311 - no secret
    for number in range(count):
        work.change(chance)
        start = chance.randrange(LENGTH)
        part = ["--range", f"{start}-{chance.randrange(start, LENGTH)}"]
        more = part if chance.random() < 0.25 else []
        told = number, work, more
        for _ in range(chance.choice((0, 0, 1, 2))):
            jobs = ["--jobs", str(chance.randint(1, 3))]
            words = [*work.words("out.mkv"), *jobs, *more]
            assert run(words, at_most=chance.randint(1, 40)) in (0, 130), told
        jobs = ["--jobs", str(chance.randint(1, 2))]
        assert run([*work.words("out.mkv"), *jobs, *more]) == 0, told
        again = made[0]
        shutil.rmtree("fresh.mkv.vidcolor", ignore_errors=True)
        assert run([*work.words("fresh.mkv"), *more]) == 0, told
        assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes(), told
        assert again <= made[0], told


def test_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rounds(8, 1, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_400_rounds(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rounds(100, seed, monkeypatch)
