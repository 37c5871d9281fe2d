"""What is stored of finished segments comes back code by code, whole or not at all."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from vidcolor.errors import MediaError
from vidcolor.film.store import Store

COUNT, HEIGHT, WIDTH = 4, 9, 13


def codes(bits: int) -> np.ndarray:
    """[n, 2, h, w] of all bits."""
    noise = np.random.default_rng(5).integers(0, 2**bits, (COUNT, 2, HEIGHT, WIDTH))
    return noise.astype(np.uint8 if bits == 8 else np.uint16)


def fill(store: Store, name: str, planes: np.ndarray) -> None:
    with store.writing(name) as writer:
        for index, (u, v) in enumerate(planes):
            writer.add(u, v, index / 8)


@pytest.mark.parametrize("bits", [8, 10, 16])
def test_every_code_comes_back(tmp_path: Path, bits: int) -> None:
    store, planes = Store(tmp_path / "work", bits), codes(bits)
    assert "one" not in store
    fill(store, "one", planes)
    assert "one" in store
    np.testing.assert_array_equal([np.stack(pair) for pair in store.read("one")], planes)
    assert store.confidences("one") == [0, 0.125, 0.25, 0.375]


def test_what_is_interrupted_is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)

    def begin_and_stop() -> None:
        with store.writing("one") as writer:
            writer.add(*codes(8)[0], 1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin_and_stop()
    assert "one" not in store
    assert not store.has_work
    store.tidy()
    assert not list((tmp_path / "work").iterdir())


def test_tidying_keeps_what_is_finished(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    fill(store, "one", codes(8))
    (store.temporary() / "out.mp4").write_text("half")
    store.tidy()
    left = sorted(path.name for path in (tmp_path / "work").iterdir())
    assert [re.sub("[0-9a-f]{32}", "DIGEST", name) for name in left] == [
        "one.DIGEST.npy",
        "one.DIGEST.nut",
    ]


DAMAGE = {
    "a flipped bit": lambda data: data[:-9] + bytes([data[-9] ^ 4]) + data[-8:],
    "cut short": lambda data: data[:100],
    "empty": lambda data: b"",
    "longer": lambda data: data + b"0",
}


@pytest.mark.parametrize("kind", ["nut", "npy", "npz"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_not_used(tmp_path: Path, damage: str, kind: str) -> None:
    store = Store(tmp_path / "work", 8)
    fill(store, "one", codes(8))
    store.save_arrays("some", {"x": np.arange(3)})
    [path] = (tmp_path / "work").glob(f"*.{kind}")
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    later = Store(tmp_path / "work", 8)
    assert ("one" in later) == (kind == "npz")
    assert (later.load_arrays("some") is None) == (kind == "npz")
    assert later.damaged == [path]


def test_the_same_chroma_makes_the_same_file(tmp_path: Path) -> None:
    for name in ("work", "other"):
        fill(Store(tmp_path / name, 8), "one", codes(8))
    names = [
        sorted(path.name for path in (tmp_path / name).glob("one.*")) for name in ("work", "other")
    ]
    assert names[0] == names[1]


def test_what_others_have_put_there_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    fill(store, "one", codes(8))
    (tmp_path / "work" / "notes.txt").write_text("mine")
    (tmp_path / "work" / "one.nut").write_text("mine, too")
    store.clear()
    left = sorted(path.name for path in (tmp_path / "work").iterdir())
    assert left == ["notes.txt", "one.nut"]


def test_a_folder_of_the_same_name_stays_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    fill(store, "one", codes(8))
    [path] = (tmp_path / "work").glob("*.nut")
    path.unlink()
    path.mkdir()
    (path / "notes.txt").write_text("mine")
    later = Store(tmp_path / "work", 8)
    assert "one" not in later
    fill(later, "one", codes(8))
    assert "one" in Store(tmp_path / "work", 8)
    Store(tmp_path / "work", 8).clear()
    assert (path / "notes.txt").read_text() == "mine"


def test_what_was_used_last_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    for name in ("one", "two", "three"):
        fill(store, name, codes(8))
    files = [path for path in (tmp_path / "work").iterdir() if path.is_file()]
    for age, path in enumerate(files):
        os.utime(path, ns=(0, age))
    later = Store(tmp_path / "work", 8)
    assert "one" in later  # which is used by this, and so is the last one
    size = later.size
    assert size == sum(path.stat().st_size for path in files)
    later.trim(size // 2)
    assert [name in Store(tmp_path / "work", 8) for name in ("one", "two", "three")] == [
        True,
        False,
        False,
    ]
    later.trim(0)
    assert "one" not in Store(tmp_path / "work", 8)


def test_a_link_laid_in_the_way_is_not_followed(tmp_path: Path) -> None:
    store, victim = Store(tmp_path / "work", 8), tmp_path / "victim"
    fill(store, "one", codes(8))
    victim.write_text("precious")
    [path] = (tmp_path / "work").glob("*.nut")
    path.unlink()
    path.symlink_to(victim)
    later = Store(tmp_path / "work", 8)
    assert "one" not in later
    fill(later, "one", codes(8))
    assert victim.read_text() == "precious"
    assert not path.is_symlink()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    store = Store(tmp_path / "work", 8)
    with pytest.raises(MediaError, match="cannot be written"), store.writing("one"):
        pass
    with pytest.raises(MediaError, match="cannot be written"):
        store.allocate((1, 2))


def test_arrays(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    assert store.load_arrays("a") is None
    store.save_arrays("a", {"x": np.arange(3), "luma.7": np.ones((2, 2), np.float32)})
    arrays = store.load_arrays("a")
    assert arrays is not None
    assert arrays["x"].tolist() == [0, 1, 2]
    assert arrays["luma.7"].dtype == np.float32


def test_an_array_is_gone_from_the_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    planes = store.allocate((3, 4))
    planes[:] = 7
    assert planes.shape == (3, 4)
    assert planes.dtype == np.float32
    assert not [path for path in (tmp_path / "work").rglob("*") if path.is_file()]


@pytest.mark.parametrize("change", ["gone", "cut short"])
def test_what_changes_while_it_is_in_use_costs_a_sentence(tmp_path: Path, change: str) -> None:
    """Whatever was found sound before."""
    store = Store(tmp_path / "work", 8)
    fill(store, "one", codes(8))
    store.save_array("array", np.ones(3))
    store.save_arrays("arrays", {"a": np.ones(3)})
    assert "one" in store
    assert store.has_array("array")
    assert store.has_arrays("arrays")
    for path in (tmp_path / "work").glob("*.np*"):
        if change == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:9])
    for load, name in (
        (store.confidences, "one"),
        (store.load_array, "array"),
        (store.load_arrays, "arrays"),
    ):
        with pytest.raises(MediaError, match=r"changed while it was in use .*; run the comm"):
            load(name)
