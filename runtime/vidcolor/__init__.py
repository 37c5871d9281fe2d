"""vidcolor carries the colours of painted key frames through a black-and-white clip.

Start reading at `vidcolor.propagate`. The modules beside it, with `inference` and `motion`, are the
core: all that colour propagation needs. What is built on it has folders of its own: `media` reads
and writes videos, `key` makes one key frame, `film` colours a film from many, `advise` says which
frames to paint, `commands` is the command line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidcolor.film.color_video import color_video
    from vidcolor.inference.session import Session
    from vidcolor.planes import Key
    from vidcolor.propagate import Propagator, State, Step

    __version__: str

__all__ = ["Key", "Propagator", "Session", "State", "Step", "__version__", "color_video"]

_HOMES = {
    "Key": "vidcolor.planes",
    "Propagator": "vidcolor.propagate",
    "Session": "vidcolor.inference.session",
    "State": "vidcolor.propagate",
    "Step": "vidcolor.propagate",
    "color_video": "vidcolor.film.color_video",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is used first: numpy and OpenCV take half a second."""
    if name == "__version__":
        metadata = import_module("importlib.metadata")
        try:
            return metadata.version("vidcolor")
        except metadata.PackageNotFoundError:  # a checkout that was never installed
            return "0+unknown"
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'vidcolor' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
