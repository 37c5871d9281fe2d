"""The review page's pictures: before and after, the overlay of confidence, a second version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.runtime.commands.review.film import (
    FIRST,
    FRAMES,
    open_page,
    pixels,
    readout,
    report,
    saturation,
    settle,
    shown_frame,
    write_coloured,
)
from vidcolor.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_left_of_the_slider_is_gray_and_right_of_it_colour(page: Page) -> None:
    picture = pixels(page)
    height, width, _ = picture.shape
    middle = slice(height // 3, height // 3 + 60)
    assert saturation(picture[middle, width // 10 : width // 2 - 30]) < 3
    assert saturation(picture[middle, width // 2 + 30 : -width // 10]) > 60
    gray, colour = (
        picture[middle, part].mean() for part in (slice(30, width // 3), slice(-width // 3, -30))
    )
    assert abs(gray - colour) < 30  # the same picture


def test_the_slider_moves_by_pointer_and_by_keys(page: Page) -> None:
    box = page.locator("#screen").bounding_box()
    across, down = (lambda share: box["x"] + share * box["width"]), box["y"] + box["height"] / 2
    page.mouse.move(across(0.5), down)
    page.mouse.down()
    page.mouse.move(across(0.8), down, steps=4)
    page.mouse.up()
    divider = page.locator("#divider")
    assert divider.get_attribute("aria-valuenow") == "80"
    settle(page)
    picture = pixels(page)
    height, width, _ = picture.shape
    assert saturation(picture[height // 3 : height // 2, width // 2 : int(0.75 * width)]) < 3
    assert saturation(picture[height // 3 : height // 2, int(0.85 * width) : -20]) > 60
    divider.focus()
    page.keyboard.press("ArrowLeft")
    assert divider.get_attribute("aria-valuenow") == "78"
    assert readout(page, "frame") == str(FIRST)  # it moved the slider, not the film
    page.mouse.move(across(0.1), down)
    assert divider.get_attribute("aria-valuenow") == "78"  # no button is pressed


def pinkness(picture: np.ndarray) -> np.ndarray:
    """How much redder and bluer than green each pixel is."""
    return np.minimum(picture[..., 2], picture[..., 0]).astype(int) - picture[..., 1]


def test_the_overlay_shows_where_confidence_is_low(page: Page) -> None:
    """In shot 2 the model was unsure of the right half of the lower half."""
    page.evaluate("seek(35); divide(100)")  # gray, and the overlay over it
    settle(page)
    before = pixels(page)
    page.keyboard.press("c")
    settle(page)
    height, width, _ = before.shape
    added = pinkness(pixels(page)) - pinkness(before)
    lower, upper = slice(height * 5 // 8, height * 7 // 8), slice(height // 8, height * 3 // 8)
    right, left = slice(width * 5 // 8, width * 7 // 8), slice(width // 8, width * 3 // 8)
    assert added[lower, right].mean() > 15
    for rows, columns in ((lower, left), (upper, left), (upper, right)):
        assert abs(added[rows, columns]).max() < 12
    page.evaluate("seek(10)")  # of shot 1 it was sure
    settle(page)
    on = pixels(page)
    page.keyboard.press("c")
    settle(page)
    assert np.array_equal(on, pixels(page))


def test_without_maps_the_overlay_is_not_offered(
    page: Page, coloured: Path, tmp_path: Path
) -> None:
    film = tmp_path / "out.mp4"
    film.write_bytes(coloured.read_bytes())
    replace(report(), confidence_maps=None).write(film)
    assert main(["review", str(film), "-o", str(tmp_path / "page.html"), "--quiet"]) == 0
    open_page(page, tmp_path / "page.html")
    page.keyboard.press("c")
    assert page.locator("#overlay").is_disabled()
    assert page.evaluate("uncertain") is False


def test_a_second_version_is_compared_with(page: Page, coloured: Path, tmp_path: Path) -> None:
    other = write_coloured(tmp_path / "other # 2.mp4", chroma=(180, 90))
    replace(report(), confidence=(0.9,) * FRAMES).write(other)
    page_file = tmp_path / "page.html"
    given = ["review", str(coloured), "--against", str(other), "-o", str(page_file), "--quiet"]
    assert main(given) == 0
    open_page(page, page_file)
    for frame in (0, 41, 74):
        page.evaluate(f"seek({frame}); divide(50)")
        settle(page)
        picture = pixels(page)
        height, width, _ = picture.shape
        middle = picture[height // 3 : height * 2 // 3]
        blue, red = middle[:, : width // 2 - 30], middle[:, width // 2 + 30 :]
        assert (blue[..., 0].astype(int) - blue[..., 2]).mean() > 60
        assert (red[..., 2].astype(int) - red[..., 0]).mean() > 60
        assert shown_frame(page) == pytest.approx(frame, abs=1.5)  # read left of the slider
        page.evaluate("divide(0)")
        assert shown_frame(page) == pytest.approx(frame, abs=1.5)
    page.evaluate("divide(50)")
    assert page.locator("#left").inner_text() == "other # 2.mp4"
    page.keyboard.press("v")
    settle(page)
    left = pixels(page)[height // 3 : height * 2 // 3, : width // 2 - 30]
    assert saturation(left) < 3
    assert page.locator("#left").inner_text() == "before"
