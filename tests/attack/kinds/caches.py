"""Damaged work folders of a job that was stopped: going on gives the bytes of a clean run."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

from tests.attack import checks
from tests.attack.case import BAD_INPUT, Case
from tests.attack.material import Material, color_arguments
from tests.attack.mutate import damage

_PLACE = "out.mkv.vidcolor"
_WILD = (
    ".partial.0",
    ".partial.abc",
    "lock",
    "owner.json",
    "x",
    "scan.nut",
    "..npy",
    "é.npz",
    "0000000-0000003.nut",
)


def make(rng: random.Random, material: Material, folder: Path) -> Case:
    """A work folder in which files are damaged, exchanged, gone, or no files."""
    shutil.copytree(material.job, folder, symlinks=True, dirs_exist_ok=True)
    work = folder / _PLACE
    what = []
    for _ in range(rng.choice((1, 1, 2, 4))):
        action = rng.choice(_ACTIONS)
        files = sorted(path for path in work.rglob("*") if path.is_file())
        if files:
            action(rng, work, rng.choice(files), files)
            what.append(action.__name__.strip("_"))
    # A lock that is no file is not taken: it may be somebody's link to something else.
    lock = work / "lock"
    may_refuse = lock.is_symlink() or (lock.exists() and not lock.is_file())
    expected = material.folder / "coloured" / "out.mkv"
    more = ["--jobs", "2"] if rng.random() < 0.1 else []
    return Case(
        [*color_arguments(), *more],
        "out.mkv",
        checks.same_film("out.mkv", expected),
        statuses=frozenset({0, BAD_INPUT} if may_refuse else {0}),
        what=", ".join(what),
    )


def _flip_bit(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def _damage(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    others = [other.read_bytes() for other in files]
    path.write_bytes(damage(path.read_bytes(), rng, others=others))


def _exchange(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    """The content of one file under the name of another."""
    alike = [other for other in files if other.suffix == path.suffix]
    path.write_bytes(rng.choice(alike).read_bytes())


def _empty(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    path.write_bytes(b"")


def _remove(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    path.unlink()


def _rename(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    """One character of its name is another."""
    name = list(path.name)
    name[rng.randrange(len(name))] = rng.choice("0f.-x é\n")
    path.rename(path.with_name("".join(name)))


def _folder(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    path.unlink()
    path.mkdir()
    if rng.random() < 0.5:
        (path / "file").write_bytes(b"somebody's")


def _link(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    """A link, to nothing, to itself, or to somebody's file, which must stay as it is."""
    target = work.parent / "somebody's.txt"
    target.write_bytes(b"somebody's")
    path.unlink()
    path.symlink_to(rng.choice((Path("nowhere"), path, target, Path("/dev/zero"))))


def _pipe(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    """A pipe that nobody writes into."""
    path.unlink()
    os.mkfifo(path)


def _more(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    """Files that no job wrote."""
    place = work / rng.choice(_WILD)
    if os.path.lexists(place):
        return
    if rng.random() < 0.3:
        place.mkdir()
    else:
        place.write_bytes(rng.randbytes(rng.choice((0, 10, 3000))))


def _twin(rng: random.Random, work: Path, path: Path, files: list[Path]) -> None:
    """A damaged file beside the sound one, of the same name but for its digest."""
    name = path.name.split(".")
    if len(name) < 3:
        return  # it has no digest, as the lock has none
    name[-2] = "".join(rng.choice("0123456789abcdef") for _ in name[-2])
    path.with_name(".".join(name)).write_bytes(damage(path.read_bytes(), rng))


_ACTIONS = (
    _flip_bit, _flip_bit, _flip_bit, _damage, _damage, _exchange, _empty, _remove, _rename,
    _folder, _link, _pipe, _more, _twin,
)  # fmt: skip
