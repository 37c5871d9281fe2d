"""``core.vidcolor`` with types, for editors and type checkers.

VapourSynth finds plugins when it runs, so its own type stubs know of none. In place of
``core.vidcolor`` a script may say ``vidcolor()``, which is the same object:

    from vsvidcolor.typed import vidcolor

    colored = vidcolor().Propagate(clip, key, direction="forward")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypedDict, Unpack, cast, overload

import vapoursynth as vs

from vidcolor.inference.known_providers import ProviderName


class Options(TypedDict, total=False):
    """What Propagate takes besides clips and `confidence`; see docs/filter.md."""

    frames: int | Sequence[int]
    alpha: vs.VideoNode
    direction: Literal["forward", "backward", "both"]
    scenes: int | Sequence[int]
    model: str
    size: int
    provider: ProviderName
    device_id: int
    num_streams: int
    verbosity: Literal[0, 1, 2, 3, 4]
    fp16: bool | Literal[0, 1]
    saturation: float | Sequence[float]
    hue: float | Sequence[float]
    checkpoint: int
    references: vs.VideoNode | Sequence[vs.VideoNode]
    blend: vs.VideoNode
    weight: float
    ranges: Sequence[int]


class Versions(TypedDict, total=False):
    """What Version gives. VapourSynth hands a list of one over as that one, an empty one not."""

    version: str
    onnxruntime: str
    providers: str | list[str]
    models: str | list[str]


class Vidcolor(Protocol):
    """The plugin."""

    @overload
    def Propagate(
        self,
        clip: vs.VideoNode,
        key: vs.VideoNode | None = None,
        *,
        confidence: Literal[0, False] = 0,
        **options: Unpack[Options],
    ) -> vs.VideoNode: ...

    @overload
    def Propagate(
        self,
        clip: vs.VideoNode,
        key: vs.VideoNode | None = None,
        *,
        confidence: Literal[1, True],
        **options: Unpack[Options],
    ) -> list[vs.VideoNode]: ...

    def Version(self) -> Versions:  # noqa: N802
        """What runs here."""
        ...


def vidcolor() -> Vidcolor:
    """``core.vidcolor`` itself, of the current core."""
    core: Any = vs.core
    return cast(Vidcolor, core.vidcolor)
