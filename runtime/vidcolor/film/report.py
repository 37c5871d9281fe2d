"""The account of a coloured film: a small JSON file beside it, for whoever looks at the work.

``out.mp4`` has its account in ``out.mp4.vidcolor.json``. It says what the film was coloured from,
and how far the model trusted its colours, frame by frame.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from vidcolor.errors import MediaError

VERSION = 1
_FORMAT = "vidcolor account"


@dataclass(frozen=True)
class Account:
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

    def __post_init__(self) -> None:
        if self.first < 0 or any(frame < 0 for frame in (*self.keys, *self.shots)):
            raise ValueError("frame numbers must not be negative")
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

    def write(self, output: Path) -> Path:
        """Write the account of the film `output`, whole or not at all; returns where it lies.

        Raises MediaError when it cannot be written.
        """
        path = account_path(output)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        content = {"format": _FORMAT, "version": VERSION, **asdict(self)}
        content["confidence"] = [round(value, 4) for value in self.confidence]
        try:
            partial.write_text(json.dumps(content) + "\n", encoding="utf-8")
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise MediaError(
                f"output: the account {path} cannot be written ({error.strerror})"
            ) from error
        return path

    @classmethod
    def read(cls, output: Path) -> Self:
        """The account of the film `output`. Raises MediaError when it is missing or damaged."""
        path = account_path(output)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise MediaError(
                f"output: {output} has no account {path.name} beside it; "
                "`vidcolor color` writes one, and it must be moved along with the film"
            ) from error
        except (OSError, ValueError) as error:
            raise MediaError(f"output: the account {path} cannot be read ({error})") from error
        if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
            raise MediaError(f"output: {path} is not an account of vidcolor's")
        version = content.pop("version", None)
        if version != VERSION:
            raise MediaError(
                f"output: {path} is an account of version {version}, "
                f"this vidcolor reads {VERSION}; colour the film again, or update vidcolor"
            )
        try:
            return cls(**_typed(content))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise MediaError(f"output: the account {path} is damaged ({error})") from error


def account_path(output: Path) -> Path:
    """Where the account of the film `output` lies."""
    return output.with_name(output.name + ".vidcolor.json")


def _typed(content: dict[str, Any]) -> dict[str, Any]:
    """JSON's objects and arrays as the types of `Account`."""
    confidence = tuple(float(value) for value in content["confidence"])
    return content | {
        "keys": {int(frame): str(image) for frame, image in content["keys"].items()},
        "shots": tuple(int(frame) for frame in content["shots"]),
        "confidence": confidence,
    }
