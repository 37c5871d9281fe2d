"""The page on which a coloured film is reviewed: one HTML file with everything in it."""

from __future__ import annotations

import html
import json
import os
import re
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from vidcolor.advise.preview import GAP, Preview
from vidcolor.advise.suggest import suggest
from vidcolor.film.confidence_map import LEVELS, pack_maps
from vidcolor.film.report import Report
from vidcolor.media.orientation import Orientation

PARTS = Path(__file__).parent / "page"
SCRIPTS = ("player", "compare", "tracks", "markers", "notes", "exports", "review")
"""The page's script in the order in which its files follow each other."""
GENERATOR = '<meta name="generator" content="vidcolor review">'
"""What tells a review page from other pages."""


@dataclass(frozen=True)
class Second:
    """The second version of a film, which the first is compared with."""

    name: str
    report: Report | None
    """None if it was not coloured by vidcolor."""
    orientation: Orientation


def build_page(
    report: Report,
    preview: Preview,
    *,
    title: str,
    goal: float,
    video: bytes | str,
    second: Second | None = None,
) -> str:
    """Build the page.

    Args:
        report: The film's report.
        preview: What the preview shows.
        title: Of the page.
        goal: Confidence that every frame should have, in (0, 1]; a frame below it stands out.
        video: The preview's content, or the name of its file beside the page.
        second: The second version, if the preview shows one.

    Returns:
        HTML text.

    Raises:
        MediaError: A report is damaged.
    """
    data = _describe(report, preview, goal)
    data["title"] = _printable(title)
    data["video"] = None if isinstance(video, bytes) else quote(os.fsencode(video))
    data["maps"] = _maps(report, preview.orientation)
    data["second"] = None if second is None else _second(second)
    parts = {
        "title": html.escape(_printable(title)),
        "generator": GENERATOR,
        "style": (PARTS / "review.css").read_text(encoding="utf-8"),
        "script": "\n".join((PARTS / f"{name}.js").read_text("utf-8") for name in SCRIPTS),
        # "</script" would end the element, and "<!--<script" would hide its end.
        "data": json.dumps(data).replace("<", "\\u003c"),
        "video": b64encode(video).decode("ascii") if isinstance(video, bytes) else "",
    }
    page = (PARTS / "review.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page)


def _printable(name: str) -> str:
    """A file's name as text that UTF-8 can encode: bytes that are no UTF-8 become U+FFFD."""
    try:
        return os.fsencode(name).decode("utf-8", "replace")
    except UnicodeEncodeError:  # the report was written where names have other letters
        return re.sub("[\ud800-\udfff]", "\ufffd", name)


def weakest_frames(report: Report) -> dict[int, int]:
    """The frame of the lowest confidence in each shot, by the shot's first frame.

    Frames are counted from the first of the output.
    """
    begin, confidence = report.first, np.array(report.confidence)
    return {
        span.start - begin: span.start - begin + int(confidence[_places(report, span)].argmin())
        for span in report.spans
    }


def _places(report: Report, span: range) -> slice:
    return slice(span.start - report.first, span.stop - report.first)


def _describe(report: Report, preview: Preview, goal: float) -> dict[str, Any]:
    """The data of the page's script. Frames are counted from the first of the output."""
    begin, confidence = report.first, np.array(report.confidence)
    weakest = weakest_frames(report)
    return {
        "first": begin,
        "film": _printable(report.film),
        "size": [preview.width, preview.height],
        "filmSize": preview.film_size,
        "gap": GAP,
        "rate": [preview.rate.numerator, preview.rate.denominator],
        "sound": preview.has_sound,
        "goal": goal,
        "unkeyed": report.options.get("unkeyed"),
        "times": [round(time, 4) for time in preview.times],
        "confidence": _rounded(report),
        "facts": _facts(report, preview),
        "keys": [
            {"frame": frame - begin, "image": _printable(image)}
            for frame, image in sorted(report.keys.items())
            if frame in report.frames
        ],
        "shots": [
            {
                "number": sum(first <= span.start for first in report.shots) or 1,
                "start": span.start - begin,
                "stop": span.stop - begin,
                "mean": round(float(confidence[_places(report, span)].mean()), 4),
                "weakest": weakest[span.start - begin],
                "keys": sum(frame in span for frame in report.keys),
                "picture": _address(preview.pictures[weakest[span.start - begin]]),
            }
            for span in report.spans
        ],
        "suggestions": [
            {
                "frame": suggestion.frame - begin,
                "start": suggestion.serves.start - begin,
                "stop": suggestion.serves.stop - begin,
                "before": suggestion.before,
                "after": suggestion.after,
            }
            for suggestion in suggest(report, goal=goal)
        ],
    }


def _rounded(report: Report) -> list[float]:
    return [round(float(value), 3) for value in report.confidence]


def _second(second: Second) -> dict[str, Any]:
    report = second.report
    return {
        "name": _printable(second.name),
        "confidence": None if report is None else _rounded(report),
        "maps": None if report is None else _maps(report, second.orientation),
    }


def _maps(report: Report, orientation: Orientation) -> dict[str, Any] | None:
    """The maps of a film as a player shows it; None if there are none."""
    maps = report.read_maps()
    if maps is None:
        return None
    packed = pack_maps(orientation.shown(cells)[None] for cells in maps)
    return None if packed is None else {"levels": LEVELS, **asdict(packed)}


def _facts(report: Report, preview: Preview) -> list[tuple[str, str]]:
    minutes, seconds = divmod(preview.times[-1], 60)
    mean = np.mean(report.confidence)
    return [
        ("film", _printable(report.film)),
        ("frames", str(len(report.confidence))),
        ("length", f"{minutes:.0f}:{seconds:04.1f}"),
        ("shots", str(len(report.spans))),
        ("keys", str(sum(frame in report.frames for frame in report.keys))),
        ("confidence", f"{mean:.2f}"),
        ("model", f"{report.model} at {report.size}"),
        *((_printable(name), _printable(value)) for name, value in report.options.items()),
    ]


def _address(image: bytes) -> str:
    return "data:image/jpeg;base64," + b64encode(image).decode("ascii")
