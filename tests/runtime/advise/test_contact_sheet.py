"""The contact sheet, looked at as far as a test can."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidcolor.advise.contact_sheet import (
    A_SHEET,
    NEXT,
    PAINTED,
    TO_PAINT,
    Card,
    check_library,
    draw_sheets,
)
from vidcolor.errors import MissingLibraryError

BLUE, GREEN, RED = (200, 60, 40), (40, 170, 60), (30, 40, 190)  # OpenCV's order


def card(folder: Path, frame: int = 12, colour: tuple[int, ...] = RED, depth: int = 8) -> Card:
    image = np.full((90, 160, 3), colour, np.uint8)
    path = folder / f"{frame:06d}.png"
    cv2.imwrite(str(path), image if depth == 8 else image.astype(np.uint16) * 257)
    return Card(
        image=path,
        frame=frame,
        time="0:00:00.480",
        shot=2,
        frames=range(10, 60),
        status=TO_PAINT,
        purpose="colours frames 10 to 59: confidence 0.80 expected",
        curve=[(10, 0.4), (12, 1.0), (59, 0.6)],
        keys=[12, 40],
    )


def draw(cards: list[Card]) -> list[np.ndarray]:
    sheets = draw_sheets("film.mkv", "2 frames to paint", cards)
    return [cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR) for sheet in sheets]


def share(sheet: np.ndarray, colour: tuple[int, ...], off: int = 12) -> float:
    return float((np.abs(sheet.astype(int) - colour).max(axis=2) < off).mean())


@pytest.mark.parametrize("depth", [8, 16])
def test_every_picture_is_on_it(tmp_path: Path, depth: int) -> None:
    colours = (BLUE, GREEN, RED)
    [sheet] = draw([card(tmp_path, n, colour, depth) for n, colour in enumerate(colours)])
    shares = [share(sheet, colour) for colour in colours]
    assert min(shares) > 0.1
    assert max(shares) == pytest.approx(min(shares), rel=0.02)
    places = [np.argwhere(np.abs(sheet.astype(int) - c).max(axis=2) < 12)[:, 1] for c in colours]
    assert places[0].max() < places[1].min() < places[1].max() < places[2].min()


def test_what_a_card_says_changes_it(tmp_path: Path) -> None:
    given = card(tmp_path)
    [first] = draw([given])
    for change in (
        {"frame": 13},
        {"time": "0:00:00.520"},
        {"shot": 3},
        {"purpose": "lifts frames 10 to 59"},
        {"status": PAINTED},
        {"status": NEXT},
        {"curve": [(10, 0.9), (59, 0.9)]},
        {"keys": [12]},
    ):
        [other] = draw([replace(given, **change)])
        assert other.shape == first.shape
        assert np.abs(other.astype(int) - first).max() > 60, change


def test_many_cards_take_several_sheets(tmp_path: Path) -> None:
    one, two = draw([card(tmp_path)] * (A_SHEET + 1))
    assert one.shape[0] > 4 * two.shape[0]
    assert share(one, RED) > share(two, RED) > 0.05


def test_a_tall_picture_is_shown_whole(tmp_path: Path) -> None:
    path = tmp_path / "tall.png"
    image = np.full((400, 100, 3), GREEN, np.uint8)
    image[:60], image[-60:] = BLUE, RED
    cv2.imwrite(str(path), image)
    [sheet] = draw([replace(card(tmp_path), image=path)])
    assert share(sheet, BLUE) == pytest.approx(share(sheet, RED), rel=0.1)
    assert share(sheet, GREEN) > 3 * share(sheet, RED)


def test_a_long_purpose_stays_on_its_card(tmp_path: Path) -> None:
    given = card(tmp_path)
    [short], [long] = (draw([replace(given, purpose=words)]) for words in ("", "colours " * 60))
    changed = np.argwhere(np.abs(long.astype(int) - short).max(axis=2) > 40)
    assert len(changed)
    assert changed[:, 1].max() < 44 + 400


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingLibraryError, match=r"pip install .vidcolor\[film\]"):
        check_library()
