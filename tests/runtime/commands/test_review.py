"""``vidcolor review``: the page, opened in a real browser from the file system."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import av
import cv2
import numpy as np
import pytest

from tests.support import browser
from tests.support.videos import plane
from vidcolor.cli import main
from vidcolor.commands import review
from vidcolor.film.confidence_map import PackedMaps, pack_maps
from vidcolor.film.report import Report, report_path

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


def write_coloured(path: Path, chroma: tuple[int, int] = (100, 180)) -> Path:
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
            for index, code in enumerate(chroma, 1):
                plane(frame, index)[...] = code
                plane(frame, index)[:16] = 128
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def report() -> Report:
    return Report(
        film="old <b>film</b>.mkv",
        model="toy",
        size=64,
        keys={FIRST: "000100.png", FIRST + 60: "000160.png", 900: "000900.png"},
        shots=(0, *(FIRST + shot for shot in SHOTS[1:]), 500),
        confidence=tuple(CONFIDENCE.tolist()),
        first=FIRST,
        options={"direction": "both"},
        confidence_maps=pack_maps([maps()]),
    )


def maps() -> np.ndarray:
    """Of shot 2 the model was unsure at the right of the lower half."""
    cells = np.full((FRAMES, 18, 32), 230, np.uint8)
    cells[SHOTS[1] : SHOTS[2], 9:, 16:] = 30
    return cells


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_coloured(tmp_path_factory.mktemp("film") / "out.mp4")
    report().write(path)
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
    opened.evaluate(
        "stop(); divide(50); seek(0); order = -1; document.activeElement.blur(); notes.clear();"
        "localStorage.clear(); showNotes(); if (uncertain) toggleUncertain()"
    )
    settle(opened)
    return opened


@pytest.mark.parametrize("name", ["\ud800.mp4", "\u2028.mp4"])
def test_names_of_other_systems(name: str, coloured: Path, tmp_path: Path) -> None:
    """Such a name may be in a report of elsewhere, though no file here can have it."""
    film = tmp_path / "out.mp4"
    film.write_bytes(coloured.read_bytes())
    replace(report(), film=name, keys={FIRST: name}).write(film)
    words = [film, "-o", tmp_path / "out.html", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "vidcolor", "review", *words],
        env=os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert name.replace("\ud800", "\ufffd") in json.loads(f'"{_film_of(page)}"')


def _film_of(page: str) -> str:
    match = re.search(r'\["film", "([^"]+)"\]', page)
    assert match
    return match[1]


HOSTILE = "a <!--<script> & {{data}} #1 ?x=%41 'q' \"é\".mp4"
"""A name that a file may have on POSIX, and that HTML, scripts and addresses all stumble over."""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's file names")
@pytest.mark.parametrize("name", [HOSTILE.encode(), b"caf\xe9 <b>.mp4"], ids=["markup", "latin-1"])
@pytest.mark.parametrize("beside", [False, True])
def test_names_that_markup_and_addresses_stumble_over(
    name: bytes, *, beside: bool, coloured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / os.fsdecode(name)
    film.write_bytes(coloured.read_bytes())
    text = os.fsdecode(name)
    replace(report(), film=text, keys={FIRST: text}, options={text: "</script>" + text}).write(film)
    monkeypatch.setattr(review, "LARGEST", 0 if beside else review.LARGEST)
    path = tmp_path / os.fsdecode(name.replace(b".mp4", b".html"))
    assert main(["review", str(film), "-o", str(path), "--quiet"]) == 0
    seen = name.decode("utf-8", "replace")
    with browser.page() as page:
        open_page(page, path)
        settle(page)
        assert shown_frame(page) == pytest.approx(0, abs=0.5)
        assert page.title() == seen
        assert page.locator("h1").inner_text() == seen
        assert page.locator("#facts").inner_text().count(seen) == 3
        assert page.locator("#key-image").inner_text() == seen


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


def test_j_k_l_play_backwards_and_forwards(page: Page) -> None:
    page.keyboard.press("l")
    page.wait_for_function("current > 3 && !film.paused")
    page.keyboard.press("k")
    page.wait_for_function("film.paused")
    settle(page)
    stopped = page.evaluate("current")
    assert shown_frame(page) == pytest.approx(stopped, abs=1.5)
    page.keyboard.press("End")
    settle(page)
    page.keyboard.press("j")
    assert page.locator("#speed").inner_text() == "◀ 1×"
    page.wait_for_function("current < 70 && current > 0")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator("#speed").inner_text() == "◀ 4×"
    page.wait_for_function("current === 0 && speed === 0")
    settle(page)
    assert shown_frame(page) == pytest.approx(0, abs=1.5)
    page.keyboard.press("l")
    page.keyboard.press("l")
    assert page.evaluate("[film.playbackRate, speed]") == [2, 2]
    page.keyboard.press("l")
    page.wait_for_function("film.ended && speed === 0")


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
    page.wait_for_function("film.readyState >= 3")
    settle(page)
    assert readout(page, "frame") == "131"
    assert shown_frame(page) == pytest.approx(31, abs=1.5)


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


def download(page: Page, button: str) -> str:
    with page.expect_download() as waiting:
        page.locator(f"#{button}").click()
    found = waiting.value
    assert found.suggested_filename.startswith("out.mp4.")
    return Path(found.path()).read_bytes().decode("utf-8-sig")


NOTE = 'Her "coat" | is red; see <b>&\nframe 2'


@pytest.fixture
def noted(page: Page, made: Path) -> Page:
    """Loaded anew, with a note at frame 141, of shot 2, and flags on it and on shot 3."""
    open_page(page, made)
    page.evaluate("seek(41)")
    settle(page)
    page.keyboard.press("n")
    page.keyboard.type("x k j ")  # these are no commands here
    page.locator("#note").fill(NOTE.replace("\\n", "\n"))
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.evaluate("seek(60)")
    settle(page)
    page.locator("#good").click()
    return page


def test_flags_and_notes_stay_with_the_film(noted: Page, made: Path) -> None:
    assert noted.locator("#note").input_value() == ""
    rows = noted.locator("#shots .row")
    assert [row.get_attribute("data-flag") for row in rows.all()] == ["fix", "good", ""]
    assert "Her" in rows.first.inner_text()
    open_page(noted, made)
    noted.evaluate("seek(33)")
    assert noted.locator("#note").input_value() == NOTE
    assert noted.locator("#fix").get_attribute("aria-pressed") == "true"
    noted.keyboard.press("x")
    assert noted.locator("#good").get_attribute("aria-pressed") == "true"
    noted.keyboard.press("x")
    assert rows.first.get_attribute("data-flag") == ""


def test_notes_as_json_and_csv_and_back(noted: Page, tmp_path: Path) -> None:
    noted.keyboard.press("e")
    content = json.loads(text := download(noted, "notes-json"))
    assert (content["format"], content["output"]) == ("vidcolor notes", "out.mp4")
    assert content["film"] == "old <b>film</b>.mkv"
    assert content["notes"] == [
        {
            "shot": 2, "start": 130, "stop": 150, "flag": "fix", "text": NOTE, "frame": 141,
            "confidence": pytest.approx(CONFIDENCE[30:50].mean(), abs=1e-4),
        },
        {
            "shot": 3, "start": 150, "stop": 175, "flag": "good", "text": "", "frame": 160,
            "confidence": 0.7,
        },
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(download(noted, "notes-csv"), newline="")))
    assert [row["Flag"] for row in rows] == ["fix", "good"]
    assert rows[0]["Note"] == NOTE
    assert [rows[0][name] for name in ("Shot", "First frame", "Last frame", "Frame", "Time")] == [
        "2", "130", "149", "141", "0:00:01.200",
    ]  # fmt: skip

    noted.evaluate("notes.clear(); showNotes()")
    (tmp_path / "given.json").write_text(text)
    noted.locator("#file").set_input_files(tmp_path / "given.json")
    noted.wait_for_function("document.getElementById('said').textContent.includes('2 shots')")
    assert noted.evaluate("notesFile().notes.length") == 2
    assert noted.evaluate("notes.get(130).text") == NOTE
    (tmp_path / "other.json").write_text('{"notes": 3}')
    noted.locator("#file").set_input_files(tmp_path / "other.json")
    noted.wait_for_function("document.getElementById('said').textContent.includes('no notes')")
    assert noted.evaluate("notes.size") == 2


def markers_at(page: Page) -> list[int]:
    """The frames, from the output's first, that have a marker: two of shots, the rest of keys."""
    return sorted([41, 60, *page.evaluate("suggestions.map(({ frame }) => frame)")])


def test_markers_as_edl(noted: Page) -> None:
    noted.keyboard.press("e")
    noted.locator("#begin").fill("10:00:00:05")
    text = download(noted, "markers-edl")
    assert text.startswith("TITLE: out.mp4\r\nFCM: NON-DROP FRAME\r\n\r\n001  AX       V     C")
    events = re.findall(
        r"^(\d{3})  AX {7}V {5}C {8}(\S+) (\S+) (\S+) (\S+)\r\n"
        r" \|C:ResolveColor(\w+) \|M:([^|\r\n]+) \|D:1\r\n"
        r"\* LOC: (\S+) (\w+) +([^\r\n]+)\r\n",
        text,
        re.MULTILINE,
    )
    frames = [36000 * RATE + 5 + frame for frame in markers_at(noted)]
    assert [event[0] for event in events] == [f"{n:03}" for n in range(1, len(frames) + 1)]
    for (_, *times, colour, name, place, other_colour, other_name), frame in zip(
        events, frames, strict=True
    ):
        assert [from_timecode(time) for time in times] == [frame, frame + 1] * 2
        assert place == times[0]
        assert (other_colour, other_name) == (colour.upper(), name)
    named = {event[6]: event[5] for event in events}
    assert named['Shot 2: fix: Her "coat" is red; see <b>& frame 2'] == "Red"
    assert named["Shot 3: good"] == "Green"


def from_timecode(text: str) -> int:
    hours, minutes, seconds, frames = map(int, text.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * RATE + frames


def test_markers_as_csv(noted: Page) -> None:
    noted.keyboard.press("e")
    rows = list(csv.DictReader(io.StringIO(download(noted, "markers-csv"), newline="")))
    assert [int(row["Frame"]) - FIRST for row in rows] == markers_at(noted)
    assert [from_timecode(row["In"]) - 3600 * RATE for row in rows] == markers_at(noted)
    assert NOTE in [row["Description"] for row in rows]


def read_xml(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314  # what the page has written


def test_markers_as_fcpxml(noted: Page) -> None:
    noted.keyboard.press("e")
    root = read_xml(download(noted, "markers-fcpxml"))
    assert root.find("resources/format").attrib == {
        "id": "r1", "frameDuration": "1/25s", "width": str(WIDTH), "height": str(HEIGHT),
    }  # fmt: skip
    sequence = root.find("library/event/project/sequence")
    assert Fraction(sequence.get("tcStart")[:-1]) == 3600
    clip = sequence.find("spine/asset-clip")
    assert Fraction(clip.get("duration")[:-1]) == Fraction(FRAMES, RATE)
    frames = [RATE * Fraction(marker.get("start")[:-1]) for marker in clip.iter("marker")]
    assert frames == markers_at(noted)
    notes = {marker.get("value"): marker.get("note") for marker in clip.iter("marker")}
    assert notes["Shot 2: fix"] == NOTE.replace("\n", " ")  # XML's attributes have no lines
    assert notes["Shot 3: good"] == ""


def test_markers_for_premiere(noted: Page) -> None:
    noted.keyboard.press("e")
    noted.locator("#keys-too").uncheck()
    sequence = read_xml(download(noted, "markers-xml")).find("sequence")
    assert [sequence.findtext(name) for name in ("duration", "rate/timebase", "rate/ntsc")] == [
        "75", "25", "FALSE",
    ]  # fmt: skip
    assert [int(marker.findtext("in")) for marker in sequence.iter("marker")] == [41, 60]
    assert sequence.findtext("marker/comment") == NOTE
    noted.locator("#keys-too").check()


def test_shots_of_low_confidence_are_markers_too(page: Page) -> None:
    page.keyboard.press("e")
    page.locator("#keys-too").uncheck()
    text = download(page, "markers-csv")
    assert [row["Marker Name"] for row in csv.DictReader(io.StringIO(text))] == [
        "Shot 2: low confidence"
    ]
    page.locator("#weak-too").uncheck()
    assert len(download(page, "markers-csv").splitlines()) == 1
    page.locator("#begin").fill("1:2")
    page.locator("#markers-edl").click()
    assert "1:2 is no timecode" in page.locator("#said").inner_text()
    open_page(page, Path(page.evaluate("decodeURIComponent(location.pathname)")))


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


def test_the_films_sound_is_heard_and_muted(page: Page, coloured: Path, tmp_path: Path) -> None:
    film = tmp_path / "out.mkv"
    with av.open(coloured) as source, av.open(film, "w") as target:
        video = target.add_stream_from_template(source.streams.video[0])
        audio = target.add_stream("pcm_s16le", rate=48000, layout="mono")
        tone = (8000 * np.sin(np.arange(3 * 48000) * 0.05)).astype(np.int16)
        sound = av.AudioFrame.from_ndarray(tone[None], "s16", "mono")
        sound.sample_rate, sound.pts = 48000, 0
        target.mux(audio.encode(sound))
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                target.mux(packet)
    report().write(film)
    assert main(["review", str(film), "-o", str(tmp_path / "a.html"), "--quiet"]) == 0
    assert main(["review", str(film), "-o", str(tmp_path / "b.html"), "--quiet", "--no-audio"]) == 0
    open_page(page, tmp_path / "a.html")
    page.keyboard.press("l")
    page.wait_for_function("film.webkitAudioDecodedByteCount > 0 && current > 5")
    assert page.evaluate("film.muted") is False
    page.keyboard.press("m")
    assert page.evaluate("film.muted") is True
    open_page(page, tmp_path / "b.html")
    assert not page.locator("#sound").is_visible()


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
    given = replace(report(), film="</script><script>throw 1</script>", options={"<u>": "</u>"})
    given.write(film)
    assert main(["review", str(film), "-o", str(tmp_path / "page.html"), "--quiet"]) == 0
    open_page(page, tmp_path / "page.html")
    assert page.title() == "<i>&amp;.mp4"
    assert "</script><script>throw 1</script>" in page.locator("#facts").inner_text()


BROKEN = {
    "missing film": (["absent.mp4"], "no report absent.mp4.vidcolor.json beside it"),
    "a folder": (["."], "colored: . is a folder"),
    "no report": (["alone.mp4"], "no report .* `vidcolor color` writes one"),
    "damaged report": (["damaged.mp4"], "the report .* cannot be read"),
    "report without its film": (["gone.mp4"], "there is no file gone.mp4"),
    "report of another film": (["other.mp4"], "75 frames, its report is of 10"),
    "no video": (["text.mp4"], "cannot be read as a video"),
    "no such folder": (["out.mp4", "-o", "absent/a.html"], "there is no folder absent"),
    "no page": (["out.mp4", "-o", "out.mp4"], "should end in .html"),
    "existing page": (["out.mp4", "-o", "there.html"], "there.html exists already"),
    "goal of a percentage": (["out.mp4", "--goal", "65"], "goal is 65.0"),
    "no second version": (["out.mp4", "--against", "none.mp4"], "against: there is no file none"),
    "second version of other frames": (
        ["out.mp4", "--against", "other.mp4"],
        "against: other.mp4 has the film's frames 100 to 109, out.mp4 has 100 to 174",
    ),
    "damaged maps": (["maps.mp4"], "the report of old .* is damaged"),
    "tiny copy": (["out.mp4", "--side", "3"], "side is 3"),
}


@pytest.fixture
def folder(tmp_path: Path, coloured: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("out.mp4", "alone.mp4", "other.mp4"):
        Path(name).write_bytes(coloured.read_bytes())
    for name in ("out.mp4", "damaged.mp4", "gone.mp4", "text.mp4"):
        report().write(Path(name))
    replace(report(), confidence=(0.5,) * 10).write(Path("other.mp4"))
    Path("maps.mp4").write_bytes(coloured.read_bytes())
    replace(report(), confidence_maps=PackedMaps(18, 32, "AAAA")).write(Path("maps.mp4"))
    Path("text.mp4").write_text("not a video")
    report_path(Path("damaged.mp4")).write_text(json.dumps(["what"])[:-1])
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


def test_a_review_page_is_replaced_and_nothing_else(folder: Path, coloured: Path) -> None:
    assert main(["review", "out.mp4", "--quiet"]) == 0
    report().write(Path("alone.mp4"))
    assert main(["review", "alone.mp4", "--quiet"]) == 0
    assert "<title>alone.mp4</title>" in Path("review.html").read_text()
    assert main(["review", "alone.mp4", "-o", "there.html", "--quiet"]) == 2
    assert Path("there.html").read_text() == "mine"
