"""What is kept of finished stretches comes back code by code, whole or not at all."""

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
    with store.writing(name) as sheets:
        for index, (u, v) in enumerate(planes):
            sheets.add(u, v, index / 8)


@pytest.mark.parametrize("bits", [8, 10, 16])
def test_every_code_comes_back(tmp_path: Path, bits: int) -> None:
    store, planes = Store(tmp_path / "work", bits), codes(bits)
    assert "one" not in store
    fill(store, "one", planes)
    assert "one" in store
    np.testing.assert_array_equal([np.stack(pair) for pair in store.read("one")], planes)
    assert store.trusts("one") == [0, 0.125, 0.25, 0.375]


def test_what_is_interrupted_is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)

    def begin_and_stop() -> None:
        with store.writing("one") as sheets:
            sheets.add(*codes(8)[0], 1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin_and_stop()
    assert "one" not in store
    assert not [path for path in (tmp_path / "work").iterdir() if path.suffix == ".mkv"]
    store.tidy()
    assert not (tmp_path / "work").exists()


def test_tidying_keeps_what_is_finished(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    fill(store, "one", codes(8))
    store.partial("out.mp4").write_text("half")
    store.tidy()
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["one.mkv", "one.npy"]


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    fill(store, "one", codes(8))
    path = tmp_path / "work" / "one.mkv"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(MediaError, match=r"one\.mkv is damaged .* remove the folder"):
        list(store.read("one"))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    store = Store(tmp_path / "work", 8)
    with pytest.raises(MediaError, match="cannot be written"), store.writing("one"):
        pass
    with pytest.raises(MediaError, match="cannot be written"):
        store.room((1, 2))


def test_notes(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    assert store.notes("a") is None
    store.note("a", {"x": np.arange(3), "luma.7": np.ones((2, 2), np.float32)})
    notes = store.notes("a")
    assert notes is not None
    assert notes["x"].tolist() == [0, 1, 2]
    assert notes["luma.7"].dtype == np.float32


def test_room_is_gone_from_the_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "work", 8)
    room = store.room((3, 4))
    room[:] = 7
    assert room.shape == (3, 4)
    assert room.dtype == np.float32
    assert not list((tmp_path / "work").iterdir())
