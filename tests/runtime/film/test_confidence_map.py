"""Maps of where in the picture confidence is low, and how a report holds them."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vidcolor.errors import MediaError
from vidcolor.film.confidence_map import LONG_SIDE, PackedMaps, cells_of, pack_maps
from vidcolor.film.report import Report, report_path
from vidcolor.film.store import Store

REPORT = Report(film="a.mkv", model="toy", size=64, keys={}, shots=(0,), confidence=(0.5,) * 7)


def some_maps(count: int = 7, shape: tuple[int, int] = (5, 9)) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (count, *shape), np.uint8)


def test_a_cell_is_the_mean_of_its_place() -> None:
    confidence = np.ones((90, 160), np.float32)
    confidence[:45, 80:] = 0.2
    cells = cells_of(confidence)
    assert cells.shape == (18, LONG_SIDE)
    assert np.unique(cells[:9, 16:]).tolist() == [51]
    assert np.unique(cells[9:]).tolist() == np.unique(cells[:9, :16]).tolist() == [255]
    assert cells_of(confidence.T).shape == (LONG_SIDE, 18)
    assert cells_of(np.ones((36, 4000), np.float32)).shape == (1, LONG_SIDE)


def test_packed_maps_come_back() -> None:
    maps = some_maps()
    packed = pack_maps([maps[:3], maps[3:4], maps[4:]])
    assert (packed.height, packed.width) == (5, 9)
    back = packed.unpack(7)
    assert back.shape == maps.shape
    assert np.abs(back.astype(int) - maps).max() <= 255 / 62 + 1
    assert np.array_equal(pack_maps([back]).unpack(7), back)
    assert pack_maps([]) is None


def test_a_still_film_takes_next_to_nothing() -> None:
    still = np.repeat(some_maps(1, (18, 32)), 1000, axis=0)
    assert len(pack_maps([still]).data) < 2000


def test_a_report_holds_them(tmp_path: Path) -> None:
    report = replace(REPORT, confidence_maps=pack_maps([some_maps()]))
    report.write(tmp_path / "a.mp4")
    assert Report.read(tmp_path / "a.mp4") == report
    assert np.array_equal(Report.read(tmp_path / "a.mp4").read_maps(), report.read_maps())
    REPORT.write(tmp_path / "b.mp4")
    assert Report.read(tmp_path / "b.mp4").read_maps() is None


def packed(data: bytes) -> PackedMaps:
    return PackedMaps(5, 9, b64encode(data).decode())


@pytest.mark.parametrize(
    "maps",
    [
        packed(b"no stream of zlib's"),
        packed(zlib.compress(bytes(6 * 45))),
        packed(zlib.compress(bytes(8 * 45))),
        packed(zlib.compress(bytes(7 * 45))[:-6]),
        packed(zlib.compress(bytes(range(45)) * 7)),
        PackedMaps(5, 9, "~~"),
    ],
    ids=["no zlib", "short", "long", "cut off", "no levels", "no base64"],
)
def test_damaged_maps(maps: PackedMaps) -> None:
    refused(maps)


def test_a_bomb() -> None:
    refused(packed(zlib.compress(bytes(10**8))))


def refused(maps: PackedMaps) -> None:
    with pytest.raises(MediaError, match=r"output: the report of a.mkv is damaged"):
        replace(REPORT, confidence_maps=maps).read_maps()


@pytest.mark.parametrize(
    "maps", [[], {"height": 5}, {"height": 0, "width": 9, "data": ""}, "x", {"height": None}]
)
def test_a_report_whose_maps_are_none(tmp_path: Path, maps: object) -> None:
    REPORT.write(tmp_path / "a.mp4")
    path = report_path(tmp_path / "a.mp4")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"confidence_maps": maps}))
    with pytest.raises(MediaError, match="is damaged"):
        Report.read(tmp_path / "a.mp4")


def test_the_store_keeps_them_beside_the_chroma(tmp_path: Path) -> None:
    maps, chroma = some_maps(3), np.zeros((4, 6), np.uint8)
    store = Store(tmp_path / "work")
    with store.writing("mapped") as writer:
        for number, cells in enumerate(maps):
            writer.add(chroma, chroma, number / 8, cells)
    with store.writing("plain") as writer:
        writer.add(chroma, chroma, 0.5)
    again = Store(tmp_path / "work")
    assert "mapped" in again
    assert "plain" in again
    assert np.array_equal(again.confidence_maps("mapped"), maps)
    assert again.confidences("mapped") == [0, 0.125, 0.25]
    assert again.confidence_maps("plain") is None
    assert again.confidences("plain") == [0.5]
