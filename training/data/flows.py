"""Optical flow to the frame before, computed once for each clip and direction, and kept on disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.clips import Clip, Codes
from vidcolor.motion import exposure, optical_flow, previous
from vidcolor.motion.previous import previous_flow

Flows = NDArray[np.float16]
"""[T, 2, h, w], x then y, in pixels: of each frame of a clip to its neighbour."""


class FlowCache:
    """Flows of whole clips, from which examples are cut.

    They depend on luma alone. A file is named after the clip's luma codes and the code that
    computes flow, so that a change of either makes a new one. Processes may share the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[tuple[str, bool], Flows] = {}

    def flows(self, clip: Clip, *, backward: bool) -> Flows:
        """Return the flow of every frame to the one that is shown before it.

        Args:
            clip: The footage.
            backward: Whether it plays from its last frame to its first: frame n then has the flow
                to frame n + 1 of the clip, otherwise that to frame n - 1.

        Returns:
            The flows by position in the clip, read through a memory map. Zero for the frame that
            is shown first.
        """
        key = clip.name, backward
        if key not in self._open:
            path = self._folder / f"{_digest(clip.luma)}.flow-{'back' if backward else 'forth'}.npy"
            if not path.exists():
                _save(path, _compute(clip.luma, backward=backward))
            self._open[key] = np.load(path, mmap_mode="r")
        return self._open[key]


def _compute(luma: Codes, *, backward: bool) -> Flows:
    flows = np.zeros((len(luma), 2, *luma.shape[1:]), np.float16)
    for n in range(len(luma)):
        before = n + 1 if backward else n - 1
        if 0 <= before < len(luma):
            here, neighbour = (np.ascontiguousarray(luma[at]) for at in (n, before))
            flows[n] = previous_flow(here, neighbour)
    return flows


def _digest(luma: Codes) -> str:
    content = hashlib.sha256()
    for module in (optical_flow, exposure, previous):
        content.update(Path(str(module.__file__)).read_bytes())
    content.update(repr(luma.shape).encode())
    content.update(np.ascontiguousarray(luma).data)
    return content.hexdigest()[:24]


def _save(path: Path, flows: Flows) -> None:
    """Write under a temporary name and rename: a file that is there is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    with partial.open("wb") as stream:
        np.save(stream, flows)
    partial.replace(path)
