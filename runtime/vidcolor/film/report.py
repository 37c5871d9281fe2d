"""The report of a coloured film: a small JSON file beside it, for whoever looks at the work.

``out.mp4`` has its report in ``out.mp4.vidcolor.json``. It says what the film was coloured from,
and the confidence of every frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from vidcolor.errors import MediaError
from vidcolor.files import named_errors, write_whole
from vidcolor.film.confidence_map import Cells, PackedMaps

VERSION = 1
_FORMAT = "vidcolor report"
_FORMATS = (_FORMAT, "vidcolor account")
"""What reports call themselves; the second is an older name."""
_MOST_FRAMES = 2**31
"""No film has as many frames: at 60 a second it would run for a year."""
_LARGEST = 2**29
"""Bytes: an hour takes 17 MB."""
_LONGEST = 120
"""Characters of what is wrong that an error message shows."""


@dataclass(frozen=True)
class Report:
    """How a film was coloured. Frames are numbered as in the film, not as in a part of it."""

    film: str
    """Name of the file that was coloured, without its folder."""
    model: str
    size: int
    """Short side of what the model saw, in pixels."""
    keys: Mapping[int, str]
    """Frame -> name of the image that was its key, without its folder."""
    shots: tuple[int, ...]
    """First frames of the film's shots, rising."""
    confidence: tuple[float, ...]
    """Mean confidence of each coloured frame, in [0, 1]; 1 where the frame is a key."""
    first: int = 0
    """The frame that `confidence` begins with, which is the output's first."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What else was asked for, in words, for people to read."""
    clip_fingerprint: str = ""
    """Of the clip, as `vidcolor.film.fingerprint.fingerprint_film` makes it."""
    output_fingerprint: str = ""
    """The same of the output: whether a file is the one that vidcolor wrote."""
    wanted: str = "all frames"
    """Which frames were asked for, as `vidcolor.film.output.Wanted` says it."""
    preview: bool = False
    """Whether it is a small one, for a quick look."""
    confidence_maps: PackedMaps | None = None
    """Where in each frame confidence is low; None in reports from before there were maps."""

    def __post_init__(self) -> None:
        numbers = (self.first, *self.keys, *self.shots)
        if min(numbers) < 0 or max(numbers) >= _MOST_FRAMES:
            raise ValueError(f"frame numbers must not be negative, and below {_MOST_FRAMES}")
        if any(one >= other for one, other in pairwise(self.shots)):
            raise ValueError("shots must be rising frame numbers")
        if not self.confidence or not all(0 <= c <= 1 for c in self.confidence):
            raise ValueError("confidence must hold a number in [0, 1] for each coloured frame")

    @property
    def frames(self) -> range:
        """The frames that were coloured."""
        return range(self.first, self.first + len(self.confidence))

    @property
    def spans(self) -> tuple[range, ...]:
        """The coloured frames of each shot, for those shots that have any."""
        edges = sorted({self.first, *self.shots, self.frames.stop})
        spans = (range(one, other) for one, other in pairwise(edges))
        return tuple(span for span in spans if span[0] in self.frames)

    def read_maps(self) -> Cells | None:
        """The map of each frame [n, h, w] as the frames are stored; None if there are none.

        Raises:
            MediaError: They are damaged.
        """
        if self.confidence_maps is None:
            return None
        try:
            return self.confidence_maps.unpack(len(self.confidence))
        except ValueError as error:
            reason = _in_line(error)
            raise MediaError(f"output: the report of {self.film} is damaged ({reason})") from error

    def write(self, output: Path) -> Path:
        """Write the report of the film `output`, whole or not at all, and return where it lies.

        Raises:
            MediaError: It cannot be written.
        """
        path = report_path(output)
        content = {"format": _FORMAT, "version": VERSION, **asdict(self)}
        content["confidence"] = [round(value, 4) for value in self.confidence]
        write_whole(path, (json.dumps(content) + "\n").encode(), argument="output: the report")
        return path

    @staticmethod
    def is_one(path: Path) -> bool:
        """Whether a file is a report of vidcolor's, be it a damaged one."""
        try:
            if not path.is_file():  # reading a pipe would wait for ever
                return False
            with path.open("rb") as file:
                return f'"format": "{_FORMAT}"'.encode() in file.read(100)
        except OSError:
            return False

    @classmethod
    def read(cls, output: Path) -> Self:
        """Read the report of the film `output`.

        Raises:
            MediaError: It is missing or damaged.
        """
        path = report_path(output)
        with named_errors(f"output: the report {path} cannot be read"):
            if not path.exists():
                if not output.exists():
                    raise MediaError(f"output: there is no file {output}")
                raise MediaError(
                    f"output: {output} has no report {path.name} beside it; "
                    "`vidcolor color` writes one, and it must be moved along with the film"
                )
            if not path.is_file():  # reading a pipe would wait for ever
                raise MediaError(f"output: the report {path} is no file")
            if path.stat().st_size > _LARGEST:
                raise MediaError(f"output: the report {path} is too large for one of vidcolor's")
            data = path.read_bytes()
        try:
            content = json.loads(data.decode())
        except (ValueError, RecursionError) as error:
            reason = _in_line(error)
            raise MediaError(f"output: the report {path} cannot be read ({reason})") from error
        if not isinstance(content, dict) or content.pop("format", None) not in _FORMATS:
            raise MediaError(f"output: {path} is not a report of vidcolor's")
        version = content.pop("version", None)
        if version != VERSION:
            raise MediaError(
                f"output: {path} is a report of version {_in_line(version)}, "
                f"this vidcolor reads {VERSION}; colour the film again, or update vidcolor"
            )
        try:
            return cls(**_typed(content))
        except (
            TypeError,
            ValueError,
            KeyError,
            AttributeError,
            OverflowError,
            RecursionError,
        ) as error:
            raise MediaError(f"output: the report {path} is damaged ({_in_line(error)})") from error


def report_path(output: Path) -> Path:
    """Where the report of the film `output` lies."""
    return output.with_name(output.name + ".vidcolor.json")


def _in_line(what: object) -> str:
    """A value of a file of anybody's as a part of a sentence."""
    try:
        text = " ".join(str(what).split())
    except (RecursionError, ValueError):  # nested too deep, or a number of too many digits
        return "unreadable"
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _typed(content: dict[str, Any]) -> dict[str, Any]:
    """JSON's objects and arrays as the types of `Report`."""
    words = ("film", "model", "clip_fingerprint", "output_fingerprint", "wanted")
    if not all(isinstance(content.get(name, ""), str) for name in words):
        raise TypeError(f"{', '.join(words)} must be strings")
    if not all(type(content.get(name, 0)) is int for name in ("size", "first")):
        raise TypeError("size and first must be whole numbers")
    if type(content.get("preview", False)) is not bool:
        raise TypeError("preview must be true or false")
    maps = content.get("confidence_maps")
    if maps is not None:
        maps = PackedMaps(int(maps["height"]), int(maps["width"]), str(maps["data"]))
    return content | {
        "confidence_maps": maps,
        "keys": {int(frame): str(image) for frame, image in content["keys"].items()},
        "shots": tuple(int(frame) for frame in content["shots"]),
        "confidence": tuple(float(value) for value in content["confidence"]),
        "options": {str(name): str(value) for name, value in content["options"].items()},
    }
