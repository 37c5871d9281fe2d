"""``vidcolor review``: the page, opened in a real browser from the file system."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from tests.support import browser
from tests.support.videos import plane
from vidcolor.cli import main
from vidcolor.commands import review
from vidcolor.film.report import Account, account_path

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTH, HEIGHT = 256, 144
SHOTS = (0, 30, 50)
FRAMES = 75
FIRST = 100
"""The film's frame that the output begins with: it is a part."""
RATE = 25
CONFIDENCE = np.concatenate(
    [1 - 0.005 * np.arange(30), 0.4 + 0.01 * np.arange(20), np.full(25, 0.7)]
)


def write_coloured(path: Path) -> Path:
    """Frames of one colour over a texture; the luma of a gray strip at the top tells which."""
    texture = np.random.default_rng(3).integers(90, 150, (HEIGHT, WIDTH), np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 2)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
        for number in range(FRAMES):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            luma = plane(frame, 0)
            luma[...] = texture
            luma[:32] = 40 + 2 * number
            for index, chroma in ((1, 100), (2, 180)):
                plane(frame, index)[...] = chroma
                plane(frame, index)[:16] = 128
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def account() -> Account:
    return Account(
        film="old <b>film</b>.mkv",
        model="toy",
        size=64,
        keys={FIRST: "000100.png", FIRST + 60: "000160.png", 900: "000900.png"},
        shots=(0, *(FIRST + shot for shot in SHOTS[1:]), 500),
        confidence=tuple(CONFIDENCE.tolist()),
        first=FIRST,
        options={"direction": "both"},
    )


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_coloured(tmp_path_factory.mktemp("film") / "out.mp4")
    account().write(path)
    return path


@pytest.fixture(scope="module")
def made(coloured: Path) -> Path:
    path = coloured.with_name("review.html")
    assert main(["review", str(coloured), "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def opened(made: Path) -> Iterator[Page]:
    """Leaving it fails if the page reported an error."""
    with browser.page() as page:
        open_page(page, made)
        yield page


def open_page(page: Page, path: Path) -> None:
    page.goto(path.as_uri())
    page.wait_for_function("document.getElementById('film').readyState >= 3")


@pytest.fixture
def page(opened: Page, made: Path) -> Page:
    """Back at the beginning, stopped, divided in the middle."""
    if opened.url != made.as_uri():
        open_page(opened, made)
    opened.evaluate("film.pause(); divide(50); seek(0); order = -1; document.activeElement.blur()")
    settle(opened)
    return opened


def settle(page: Page) -> None:
    """Until the frame that was sought is shown."""
    page.wait_for_function("!film.seeking && wanted === null")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page: Page) -> np.ndarray:
    """The screen, as it is seen: [h, w, 3], BGR."""
    shot = page.locator("#screen").screenshot()
    return cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)


def saturation(picture: np.ndarray) -> float:
    return float((picture.max(axis=2).astype(int) - picture.min(axis=2)).mean())


def shown_frame(page: Page) -> float:
    """The frame in the picture itself, read off the strip at its top."""
    strip = pixels(page)[8:40, 30:200].astype(float).mean()
    luma = 16 + 219 * strip / 255
    return (luma - 40) / 2


def readout(page: Page, name: str) -> str:
    return page.locator(f"#{name}").inner_text()


def test_it_loads_and_says_what_it_is(page: Page) -> None:
    assert page.title() == "out.mp4"
    facts = page.locator("#facts").inner_text()
    for fact in ("old <b>film</b>.mkv", "75", "0:03.0", "toy at 64", "both"):
        assert fact in facts
    assert page.evaluate("film.duration") == pytest.approx(FRAMES / RATE, abs=0.05)
    assert page.evaluate("film.videoWidth") == WIDTH
    assert readout(page, "frame") == str(FIRST)
    assert readout(page, "key-image") == "000100.png"


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
    assert press("j") == "130"
    assert press("j") == "150"
    assert press("k") == "130"
    assert press("Shift+ArrowLeft") == "105"
    split = page.locator("#divider")
    assert [press("b") and split.get_attribute("aria-valuenow") for _ in "123"] == [
        "100",
        "0",
        "50",
    ]


def test_it_plays_to_the_end_and_again(page: Page) -> None:
    page.evaluate("seek(65)")
    settle(page)
    page.keyboard.press(" ")
    page.wait_for_function("film.ended")
    page.wait_for_function(
        f"document.getElementById('frame').textContent === '{FIRST + FRAMES - 1}'"
    )
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("!film.paused && film.currentTime < 2")
    page.get_by_role("button", name="Stop").click()
    assert page.evaluate("film.paused")


@pytest.mark.parametrize("width", [1280, 800, 480])
def test_it_fits_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#screen").bounding_box()
    assert box["width"] > 200
    assert box["width"] / box["height"] == pytest.approx(WIDTH / HEIGHT, rel=0.01)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_it_holds_everything_in_itself(page: Page, made: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, made)
    assert made.as_uri() in asked
    assert all(url == made.as_uri() or url.startswith(("data:", "blob:")) for url in asked), asked
    text = made.read_text(encoding="utf-8")
    assert "{{" not in text
    assert sorted(path.name for path in made.parent.iterdir()) == [
        "out.mp4",
        "out.mp4.vidcolor.json",
        "review.html",
    ]


def test_a_large_copy_lies_beside_the_page(
    page: Page, tmp_path: Path, coloured: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(review, "LARGEST", 1000)
    output = tmp_path / "page.html"
    assert main(["review", str(coloured), "-o", str(output)]) == 0
    assert "page.preview.mp4 beside it" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "page.preview.mp4"]
    assert output.stat().st_size < 100_000
    open_page(page, output)
    page.evaluate("seek(40)")
    settle(page)
    assert shown_frame(page) == pytest.approx(40, abs=1.5)


def test_names_are_text_and_not_markup(page: Page, tmp_path: Path) -> None:
    film = write_coloured(tmp_path / "<i>&amp;.mp4")
    given = replace(account(), film="</script><script>throw 1</script>", options={"<u>": "</u>"})
    given.write(film)
    assert main(["review", str(film), "-o", str(tmp_path / "page.html"), "--quiet"]) == 0
    open_page(page, tmp_path / "page.html")
    assert page.title() == "<i>&amp;.mp4"
    assert "</script><script>throw 1</script>" in page.locator("#facts").inner_text()


BROKEN = {
    "missing film": (["absent.mp4"], "no account absent.mp4.vidcolor.json beside it"),
    "no account": (["alone.mp4"], "no account .* `vidcolor color` writes one"),
    "damaged account": (["damaged.mp4"], "the account .* cannot be read"),
    "account without its film": (["gone.mp4"], "there is no file gone.mp4"),
    "account of another film": (["other.mp4"], "75 frames, its account is of 10"),
    "no video": (["text.mp4"], "cannot be read as a video"),
    "no such folder": (["out.mp4", "-o", "absent/a.html"], "there is no folder absent"),
    "no page": (["out.mp4", "-o", "out.mp4"], "should end in .html"),
    "existing page": (["out.mp4", "-o", "there.html"], "there.html exists already"),
    "goal of a percentage": (["out.mp4", "--goal", "65"], "goal is 65.0"),
    "tiny copy": (["out.mp4", "--side", "3"], "side is 3"),
}


@pytest.fixture
def folder(tmp_path: Path, coloured: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("out.mp4", "alone.mp4", "other.mp4"):
        Path(name).write_bytes(coloured.read_bytes())
    for name in ("out.mp4", "damaged.mp4", "gone.mp4", "text.mp4"):
        account().write(Path(name))
    replace(account(), confidence=(0.5,) * 10).write(Path("other.mp4"))
    Path("text.mp4").write_text("not a video")
    account_path(Path("damaged.mp4")).write_text(json.dumps(["what"])[:-1])
    Path("there.html").write_text("mine")
    return tmp_path


@pytest.mark.parametrize("case", BROKEN)
def test_bad_input_is_told_in_one_sentence(case: str, folder: Path, capfd) -> None:
    given, message = BROKEN[case]
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(["review", *given]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert re.fullmatch(f"vidcolor: .*{message}.*\n", told.err), told.err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_overwrite(folder: Path, capsys) -> None:
    assert main(["review", "out.mp4", "-o", "there.html", "--overwrite"]) == 0
    assert Path("there.html").read_text().startswith("<!doctype html>")
    assert capsys.readouterr().out == "there.html: 75 frames\n"
