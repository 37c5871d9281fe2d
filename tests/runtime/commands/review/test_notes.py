"""The review page's notes and flags, and the markers that other programs read."""

from __future__ import annotations

import csv
import io
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from tests.runtime.commands.review.film import (
    CONFIDENCE,
    FIRST,
    FRAMES,
    HEIGHT,
    RATE,
    WIDTH,
    open_page,
    settle,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page


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
