"""The report beside a coloured film."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vidcolor.advise.review_page import weakest_frames
from vidcolor.advise.suggest import suggest
from vidcolor.errors import MediaError
from vidcolor.film.report import Report, report_path

REPORT = Report(
    film="film.mkv",
    model="flagship",
    size=256,
    keys={100: "000100.png", 130: "000130.png"},
    shots=(0, 90, 120, 500),
    confidence=(1.0, *[0.75] * 49),
    first=100,
    options={"codec": "ffv1"},
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    assert REPORT.write(output) == tmp_path / "out.mp4.vidcolor.json"
    assert Report.read(output) == REPORT
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4.vidcolor.json"]


def test_a_later_report_replaces_the_first(tmp_path: Path) -> None:
    REPORT.write(tmp_path / "out.mp4")
    later = replace(REPORT, confidence=(0.5,) * 3)
    later.write(tmp_path / "out.mp4")
    assert Report.read(tmp_path / "out.mp4") == later


def test_spans_are_the_coloured_part_of_each_shot() -> None:
    assert REPORT.frames == range(100, 150)
    assert REPORT.spans == (range(100, 120), range(120, 150))
    assert replace(REPORT, first=0).spans == (range(50),)
    assert replace(REPORT, first=120).spans == (range(120, 170),)


def test_one_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    report_path(tmp_path / "out.mp4").mkdir()
    with pytest.raises(MediaError, match="cannot be written"):
        REPORT.write(tmp_path / "out.mp4")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": -1},
        {"keys": {-3: "a.png"}},
        {"shots": (0, 5, 5)},
        {"confidence": ()},
        {"confidence": (0.5, 1.5)},
        {"confidence": (float("nan"),)},
    ],
)
def test_checked_at_birth(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(REPORT, **wrong)


DAMAGED = {
    "truncated": (lambda text: text[: len(text) // 2], "cannot be read"),
    "not text": (lambda text: b"\xff\xfe\xfd", "cannot be read"),
    "another file": (lambda text: '{"name": "package.json"}', "is not a report"),
    "no object": (lambda text: "[1, 2]", "is not a report"),
    "of the future": (lambda text: text.replace('"version": 1', '"version": 7'), "version 7"),
    "lacking a field": (lambda text: without(text, "shots"), "damaged"),
    "with a field too many": (lambda text: text.replace('"film"', '"reel"'), "damaged"),
    "with a list of keys": (
        lambda text: text.replace('{"100": "000100.png"', "[").replace(
            ', "130": "000130.png"}', "]"
        ),
        "damaged",
    ),
    "with words for numbers": (lambda text: text.replace("0.75", '"high"'), "damaged"),
    "with a word for yes": (
        lambda text: text.replace('"preview": false', '"preview": "no"'),
        "damag",
    ),
    "with a number of frames": (lambda text: text.replace('"all frames"', "7"), "damaged"),
    "beyond its range": (lambda text: text.replace("0.75", "7.5"), "damaged"),
    "not a number": (lambda text: text.replace("0.75", "NaN"), "damaged"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_damaged_is_told(case: str, tmp_path: Path) -> None:
    damage, message = DAMAGED[case]
    path = REPORT.write(tmp_path / "out.mp4")
    damaged = damage(path.read_text())
    path.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    with pytest.raises(MediaError, match=message) as caught:
        Report.read(tmp_path / "out.mp4")
    assert "\n" not in str(caught.value)


def mutations(text: str) -> Iterator[bytes]:
    """The text with fields dropped and changed, and with bytes changed, at random with one seed."""
    random = np.random.default_rng(11)
    content = json.loads(text)
    odd = [
        *(None, True, -1, 0, 10**400, 1e308, 2**31, 2**63, "", "x\ny", "\ud800", "٣", [], {}),
        *([[]], {"a": None}, [None], [True], [10**30], [1e308], ["1"], {"-1": "a"}, {"1e3": "a"}),
        *({"9" * 5000: "a"}, {str(2**40): "a"}, {"1": [[[]]]}, [0.5] * 3, [2, 1], [1, 1]),
    ]
    for name in content:
        for value in odd:
            yield json.dumps(content | {name: value}).encode()
        yield json.dumps({k: v for k, v in content.items() if k != name}).encode()
    yield json.dumps(content | {"a\nb" * 1000: 1}).encode()
    yield text.replace('"flagship"', "[" * 100_000 + "]" * 100_000).encode()
    yield text.replace('"000100.png"', "[" * 900 + "]" * 900).encode()
    yield text.replace("256", "9" * 10_000).encode()
    for _ in range(1000):
        data = bytearray(text.encode())
        for _ in range(int(random.integers(1, 6))):
            at, length = int(random.integers(len(data))), int(random.integers(1, 12))
            kind = int(random.integers(3))
            if kind == 0:
                data[at] = int(random.integers(256))
            elif kind == 1:
                del data[at : at + length]
            else:
                data[at:at] = data[at : at + length]
        yield bytes(data)


def test_any_mutation_is_a_report_that_can_be_used_or_a_sentence(tmp_path: Path) -> None:
    path = REPORT.write(tmp_path / "out.mp4")
    sentences, reports = [], []
    for data in list(mutations(path.read_text())):
        path.write_bytes(data)
        try:
            reports.append(Report.read(tmp_path / "out.mp4"))
        except MediaError as error:
            sentences.append(str(error))
    assert not [said for said in sentences if "\n" in said or len(said) > 400]
    assert len(sentences) > 500
    for report in reports:
        suggest(report, goal=0.65)
        weakest_frames(report)
        assert sum(len(span) for span in report.spans) == len(report.confidence)


def test_a_report_under_its_older_name_is_read(tmp_path: Path) -> None:
    path = REPORT.write(tmp_path / "out.mp4")
    path.write_text(path.read_text().replace("vidcolor report", "vidcolor account"))
    assert Report.read(tmp_path / "out.mp4") == REPORT


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(report_path(tmp_path / "out.mp4"))
    with pytest.raises(MediaError, match="is no file"):
        Report.read(tmp_path / "out.mp4")
    assert not Report.is_one(report_path(tmp_path / "out.mp4"))


def test_one_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with report_path(tmp_path / "out.mp4").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(MediaError, match=r"out\.mp4\.vidcolor\.json is too large"):
        Report.read(tmp_path / "out.mp4")


def test_a_film_without_one(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"^output: there is no file .*out\.mp4$"):
        Report.read(tmp_path / "out.mp4")
    (tmp_path / "out.mp4").touch()
    with pytest.raises(MediaError, match=r"no report out\.mp4\.vidcolor\.json .* moved along"):
        Report.read(tmp_path / "out.mp4")


def without(text: str, field: str) -> str:
    content = json.loads(text)
    del content[field]
    return json.dumps(content)
