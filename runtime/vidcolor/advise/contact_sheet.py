"""A contact sheet: the frames of a film that are keys, or should be, on one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from vidcolor.key.image import read_picture
from vidcolor.optional import require

A_SHEET = 32
"""Most cards on one sheet; more go onto further sheets."""

TO_PAINT, PAINTED, NEXT = "to paint", "painted", "next"
"""The status of a card's frame."""

_COLUMNS = 4
_MARGIN, _GAP, _PAD = 44, 22, 16
"""Pixels around the cards, between them, and inside them."""
_CARD, _WORDS, _GRAPH = 400, 108, 60
"""Pixels: width of a card, height of its words and of its curve."""
_HEAD = 96
"""Pixels: height of the sheet's title."""
_TALLEST = 1.25
"""Height of the tallest picture, in widths."""
_FINER = 4
"""Curves are drawn this many times larger and then reduced, for smooth lines."""

_GROUND, _PANEL, _HOLLOW = (18, 20, 23), (28, 31, 35), (38, 42, 47)
_BRIGHT, _PALE, _DIM = (240, 238, 233), (172, 176, 182), (138, 144, 152)
_CURVE = (120, 146, 178)
_ACCENT = {TO_PAINT: (232, 178, 84), PAINTED: (122, 190, 146), NEXT: (240, 122, 92)}


@dataclass(frozen=True)
class Card:
    """One frame on the sheet."""

    image: Path
    """Its picture."""
    frame: int
    """Its number in the film, from 0."""
    time: str
    """When it shows, in words."""
    shot: int
    """The number of its shot, from 1."""
    frames: range
    """All frames of the shot."""
    status: str
    """`TO_PAINT`, `PAINTED` or `NEXT`."""
    purpose: str
    """What a key at this frame is good for, in words."""
    curve: Sequence[tuple[int, float]]
    """Frame and confidence of the shot's samples, once all keys are painted."""
    keys: Sequence[int]
    """Frames of the shot's keys, painted or not."""


def check_library() -> None:
    """Raise MissingLibraryError without Pillow, which `draw_sheets` needs."""
    _pillow("Image")


def draw_sheets(title: str, summary: str, cards: Sequence[Card]) -> list[bytes]:
    """Draw as many sheets as the cards need.

    Args:
        title: Of every sheet.
        summary: A line below the title.
        cards: At least one.

    Returns:
        Each sheet as a JPEG file's content.

    Raises:
        MissingLibraryError: Pillow is not installed.
        KeyFrameError: A card's picture cannot be read.
    """
    groups = [cards[start : start + A_SHEET] for start in range(0, len(cards), A_SHEET)]
    sheets = []
    for number, group in enumerate(groups, 1):
        of = f"  ·  sheet {number} of {len(groups)}" if len(groups) > 1 else ""
        sheets.append(_Sheet(group).draw(title, summary + of))
    return sheets


class _Sheet:
    """One sheet of cards."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self._pil, self._drawing, self._fonts = (
            _pillow(name) for name in ("Image", "ImageDraw", "ImageFont")
        )
        self._cards = cards
        pictures = [self._load(card.image) for card in cards]
        self._pictures = pictures
        self._picture_height = max(picture.height for picture in pictures)
        self._card_height = self._picture_height + _WORDS + _GRAPH + 2 * _PAD
        columns, rows = min(_COLUMNS, len(cards)), -(-len(cards) // _COLUMNS)
        size = (
            2 * _MARGIN + max(2, columns) * (_CARD + _GAP) - _GAP,
            2 * _MARGIN + _HEAD + rows * (self._card_height + _GAP) - _GAP,
        )
        self._image = self._pil.new("RGB", size, _GROUND)
        self._draw = self._drawing.Draw(self._image)

    def draw(self, title: str, summary: str) -> bytes:
        self._say(_MARGIN, _MARGIN - 8, title, 34, _BRIGHT)
        self._say(_MARGIN, _MARGIN + 42, summary, 17, _PALE)
        for place, (card, picture) in enumerate(zip(self._cards, self._pictures, strict=True)):
            row, column = divmod(place, _COLUMNS)
            self._card(
                card,
                picture,
                _MARGIN + column * (_CARD + _GAP),
                _MARGIN + _HEAD + row * (self._card_height + _GAP),
            )
        data = BytesIO()
        self._image.save(data, "JPEG", quality=92, subsampling=0)
        return data.getvalue()

    def _card(self, card: Card, picture: Any, left: int, top: int) -> None:
        right, accent = left + _CARD, _ACCENT[card.status]
        self._draw.rounded_rectangle(
            (left, top, right - 1, top + self._card_height - 1), 8, fill=_PANEL
        )
        height = self._picture_height
        self._draw.rectangle((left, top, right - 1, top + height - 1), fill=(0, 0, 0))
        self._image.paste(
            picture, (left + (_CARD - picture.width) // 2, top + (height - picture.height) // 2)
        )
        self._draw.rectangle((left, top + height, right - 1, top + height + 2), fill=accent)

        left, right, top = left + _PAD, right - _PAD, top + height + _PAD
        self._say(left, top, f"{card.frame:06d}", 25, _BRIGHT)
        self._say(right, top + 7, card.status, 15, accent, anchor="ra")
        first, last = card.frames[0], card.frames[-1]
        self._say(
            left, top + 34, f"{card.time}  ·  shot {card.shot}, frames {first} to {last}", 14, _PALE
        )
        for number, line in enumerate(self._wrap(card.purpose, 14, right - left)[:2]):
            self._say(left, top + 60 + 20 * number, line, 14, _DIM)
        self._image.paste(self._graph(card, right - left), (left, top + _WORDS))

    def _graph(self, card: Card, width: int) -> Any:
        """The confidence along the shot and its keys; the card's own key is marked."""
        wide, high = width * _FINER, _GRAPH * _FINER
        graph = self._pil.new("RGB", (wide, high), _PANEL)
        draw = self._drawing.Draw(graph)
        base = high - 6 * _FINER
        draw.rectangle((0, base, wide, base + _FINER - 1), fill=_HOLLOW)

        def across(frame: int) -> float:
            return (frame - card.frames[0] + 0.5) / len(card.frames) * wide

        line = [(across(frame), base * (1 - 0.9 * value)) for frame, value in card.curve]
        line = [(0.0, line[0][1]), *line, (float(wide), line[-1][1])]
        draw.polygon([(0, base), *line, (wide, base)], fill=_HOLLOW)
        draw.line(line, fill=_CURVE, width=6, joint="curve")
        for key in card.keys:
            mine = key == card.frame
            reach, middle = (5 if mine else 3) * _FINER, across(key)
            if mine:
                draw.line((middle, 0, middle, base), fill=_ACCENT[card.status], width=_FINER)
            draw.ellipse(
                (middle - reach, base - reach, middle + reach, base + reach),
                fill=_ACCENT[card.status] if mine else _DIM,
            )
        return graph.resize((width, _GRAPH), self._pil.Resampling.LANCZOS)

    def _load(self, path: Path) -> Any:
        """The card's picture, as wide as the card or of the greatest height."""
        picture = np.rint(read_picture(path).rgb * 255).astype(np.uint8)
        height, width, _ = picture.shape
        scale = _CARD / max(width, height / _TALLEST)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return self._pil.fromarray(picture).resize(size, self._pil.Resampling.LANCZOS)

    def _say(
        self, x: int, y: int, text: str, size: int, color: tuple[int, ...], anchor: str = "la"
    ) -> None:
        self._draw.text((x, y), text, fill=color, font=self._font(size), anchor=anchor)

    def _wrap(self, text: str, size: int, width: int) -> list[str]:
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if self._font(size).getlength(longer) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def _font(self, size: int) -> Any:
        return self._fonts.load_default(size)


def _pillow(module: str) -> Any:
    return require(
        f"PIL.{module}", library="Pillow", extra="film", purpose="drawing a contact sheet"
    )
