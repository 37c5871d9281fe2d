"""The page on which a coloured film is reviewed: one file with everything in it."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np

from vidcolor.advise.preview import Preview
from vidcolor.advise.suggest import suggest
from vidcolor.film.report import Account

PARTS = Path(__file__).parent / "page"


def build_page(
    account: Account, preview: Preview, *, title: str, goal: float, video: bytes | str
) -> str:
    """The page as HTML text.

    goal: confidence that every frame should have; below it a frame stands out.
    video: the preview's own bytes, or the address of its file seen from the page.
    """
    data = _describe(account, preview, goal)
    data["video"] = video if isinstance(video, str) else None
    parts = {
        "title": html.escape(title),
        "style": (PARTS / "review.css").read_text(encoding="utf-8"),
        "script": (PARTS / "review.js").read_text(encoding="utf-8"),
        # A string that holds "</script" would end the element.
        "data": json.dumps(data).replace("</", "<\\/"),
        "video": "" if isinstance(video, str) else b64encode(video).decode("ascii"),
    }
    page = (PARTS / "review.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page)


def weakest_frames(account: Account) -> dict[int, int]:
    """The least trusted frame of each shot by the shot's first; counted from the output's first."""
    begin, confidence = account.first, np.array(account.confidence)
    return {
        span.start - begin: span.start - begin + int(confidence[_places(account, span)].argmin())
        for span in account.spans
    }


def _places(account: Account, span: range) -> slice:
    return slice(span.start - account.first, span.stop - account.first)


def _describe(account: Account, preview: Preview, goal: float) -> dict[str, Any]:
    """What the page's script works with. Frames are counted from the output's first."""
    begin, confidence = account.first, np.array(account.confidence)
    weakest = weakest_frames(account)
    return {
        "first": begin,
        "aspect": preview.aspect,
        "goal": goal,
        "times": [round(time, 4) for time in preview.times],
        "confidence": [round(float(value), 3) for value in confidence],
        "facts": _facts(account, preview),
        "keys": [
            {"frame": frame - begin, "image": image}
            for frame, image in sorted(account.keys.items())
            if frame in account.frames
        ],
        "shots": [
            {
                "number": sum(first <= span.start for first in account.shots) or 1,
                "start": span.start - begin,
                "stop": span.stop - begin,
                "mean": round(float(confidence[_places(account, span)].mean()), 4),
                "weakest": weakest[span.start - begin],
                "keys": sum(frame in span for frame in account.keys),
                "picture": _address(preview.pictures[weakest[span.start - begin]]),
            }
            for span in account.spans
        ],
        "suggestions": [
            {
                "frame": suggestion.frame - begin,
                "start": suggestion.serves.start - begin,
                "stop": suggestion.serves.stop - begin,
                "before": suggestion.before,
                "after": suggestion.after,
            }
            for suggestion in suggest(account, goal=goal)
        ],
    }


def _facts(account: Account, preview: Preview) -> list[tuple[str, str]]:
    minutes, seconds = divmod(preview.times[-1], 60)
    mean = np.mean(account.confidence)
    return [
        ("film", account.film),
        ("frames", str(len(account.confidence))),
        ("length", f"{minutes:.0f}:{seconds:04.1f}"),
        ("shots", str(len(account.spans))),
        ("keys", str(sum(frame in account.frames for frame in account.keys))),
        ("confidence", f"{mean:.2f}"),
        ("model", f"{account.model} at {account.size}"),
        *account.options.items(),
    ]


def _address(image: bytes) -> str:
    return "data:image/jpeg;base64," + b64encode(image).decode("ascii")
