"""The review page: what it says, and how it leads from frame to frame."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.runtime.commands.review.film import (
    CONFIDENCE,
    FIRST,
    FRAMES,
    HEIGHT,
    RATE,
    SHOTS,
    WIDTH,
    open_page,
    readout,
    report,
    settle,
    shown_frame,
)
from vidcolor.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_it_loads_and_says_what_it_is(page: Page) -> None:
    assert page.title() == "out.mp4"
    facts = page.locator("#facts").inner_text()
    for fact in ("old <b>film</b>.mkv", "75", "0:03.0", "toy at 64", "both"):
        assert fact in facts
    assert page.evaluate("film.duration") == pytest.approx(FRAMES / RATE, abs=0.05)
    assert page.evaluate("film.videoWidth") == WIDTH
    assert readout(page, "frame") == str(FIRST)
    assert readout(page, "key-image") == "000100.png"


@pytest.mark.parametrize("frame", [1, 29, 30, 51, 74])
def test_a_click_on_the_film_jumps_to_the_frame(page: Page, frame: int) -> None:
    box = page.locator("#film-track").bounding_box()
    page.mouse.click(box["x"] + (frame + 0.5) / FRAMES * box["width"], box["y"] + 40)
    settle(page)
    assert readout(page, "frame") == str(FIRST + frame)
    assert readout(page, "time").endswith(f"{frame / RATE:06.3f}")
    assert float(readout(page, "confidence")) == pytest.approx(CONFIDENCE[frame], abs=0.006)
    assert readout(page, "shot") == str(1 + sum(frame >= shot for shot in SHOTS[1:]))
    assert shown_frame(page) == pytest.approx(frame, abs=1.5)


def test_a_click_on_the_shot_jumps_within_it(page: Page) -> None:
    page.evaluate("seek(35)")
    box = page.locator("#shot-track").bounding_box()
    page.mouse.click(box["x"] + 15.5 / 20 * box["width"], box["y"] + 30)
    assert readout(page, "frame") == str(FIRST + 45)
    assert "shot 2, frames 130 to 149" in readout(page, "shot-name")
    assert "no key" in readout(page, "shot-state")


def test_the_weakest_shots_come_first_and_lead_to_their_weakest_frame(page: Page) -> None:
    rows = page.locator("#shots .row")
    names = [text.split("\n")[0] for text in rows.all_inner_texts()]
    means = {
        1 + n: CONFIDENCE[start:stop].mean()
        for n, (start, stop) in enumerate(zip(SHOTS, (*SHOTS[1:], FRAMES), strict=True))
    }
    assert names == [f"Shot {number}" for number in sorted(means, key=means.get)]
    rows.first.click()
    settle(page)
    assert readout(page, "frame") == str(FIRST + 30)
    assert "current" in rows.first.get_attribute("class")
    assert shown_frame(page) == pytest.approx(30, abs=1.5)
    assert rows.first.locator("img").evaluate("image => image.naturalWidth") > 0


def test_suggested_keys_lead_to_their_frames(page: Page) -> None:
    row = page.locator("#next .row").first
    named = int(re.match(r"Frame (\d+)", row.inner_text())[1])
    assert named in range(FIRST + 30, FIRST + 50)
    row.click()
    assert readout(page, "frame") == str(named)


def test_keys_of_the_keyboard(page: Page) -> None:
    def press(key: str) -> str:
        page.keyboard.press(key)
        settle(page)
        return readout(page, "frame")

    assert press("ArrowRight") == "101"
    assert press("ArrowRight") == "102"
    assert press("ArrowLeft") == "101"
    assert press("Shift+ArrowRight") == "126"
    assert press("ArrowDown") == "130"
    assert press("ArrowDown") == "150"
    assert press("ArrowRight") == "151"
    assert press("ArrowUp") == "150"
    assert press("ArrowUp") == "130"
    assert press("w") == "130"
    assert press("w") == "150"
    assert press("Shift+W") == "130"
    assert press("Shift+ArrowLeft") == "105"
    assert press(".") == "106"
    assert press(",") == "105"
    assert press("End") == "174"
    assert press(".") == "174"
    assert press("Home") == "100"
    assert press(",") == "100"
    split = page.locator("#divider")
    assert [press("b") and split.get_attribute("aria-valuenow") for _ in "123"] == [
        "100",
        "0",
        "50",
    ]


def test_help_and_full_screen(page: Page) -> None:
    shown = page.locator("#help")
    page.keyboard.press("?")
    assert shown.is_visible()
    page.keyboard.press("ArrowRight")
    assert readout(page, "frame") == str(FIRST), "the film waits while the help is open"
    page.keyboard.press("?")
    assert not shown.is_visible()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement?.className === 'stage'")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")


def test_the_help_names_every_key(page: Page) -> None:
    named = set(page.locator("#help kbd").all_inner_texts())
    signs = {" ": "space", "ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓"}
    bound = page.evaluate("Object.keys(doings)")
    assert named == {signs.get(key, key) for key in bound}


def test_the_address_leads_to_a_frame(page: Page, made: Path) -> None:
    page.keyboard.press("End")
    page.wait_for_function("location.hash === '#f=174'")
    for address, frame in (("#f=142", 142), ("#f=9", 100), ("#f=99999", 174), ("#f=x", 174)):
        page.evaluate(f"location.hash = '{address}'")
        page.wait_for_function(f"current === {frame - FIRST}")
    page.goto("about:blank")
    page.goto(made.as_uri() + "#f=131")
    page.wait_for_function("film.readyState >= 3 && film.currentTime > 0")
    settle(page)
    assert readout(page, "frame") == "131"
    assert shown_frame(page) == pytest.approx(31, abs=1.5)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080), (800, 800), (390, 844)])
def test_it_fits_the_window(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width >= 1280:
        assert page.evaluate("document.documentElement.scrollHeight") <= height
        assert page.locator("#shot-track").bounding_box()["y"] < height - 40
    box = page.locator("#screen").bounding_box()
    assert box["width"] > 300
    assert box["width"] / box["height"] == pytest.approx(WIDTH / HEIGHT, rel=0.01)
    for button in page.locator(".stage button:visible").all():
        assert button.bounding_box()["x"] + button.bounding_box()["width"] <= width
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_shot_that_was_left_gray_is_called_so(page: Page, tmp_path: Path, coloured: Path) -> None:
    """And many options make the head higher, and not the page: there is nothing to scroll."""
    film = tmp_path / "gray.mp4"
    film.write_bytes(coloured.read_bytes())
    options = {"unkeyed": "gray", "codec": "h264-420", "x264-params": "keyint=48:bframes=3:ref=4"}
    replace(report(), keys={FIRST: "000100.png"}, options={**options, "tune": "film"}).write(film)
    assert main(["review", str(film), "-o", str(tmp_path / "review.html")]) == 0
    open_page(page, tmp_path / "review.html")
    page.keyboard.press("ArrowDown")
    assert readout(page, "shot-state") == "no key: it stays gray"
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
