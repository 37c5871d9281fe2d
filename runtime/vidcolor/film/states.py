"""States of a pass as arrays, which can be kept on disk, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.inference.session import Session
from vidcolor.motion.exposure import Exposure
from vidcolor.propagate import State

_TENSOR, _LUMA, _TRACK, _EXPOSURE = "tensor.", "luma", "track.", "exposure"


def state_to_arrays(state: State, session: Session) -> dict[str, NDArray[Any]]:
    """All of a state of a session that it does not share with the other states of its pass."""
    values = session.arrays(state.tensors)
    arrays: dict[str, NDArray[Any]] = {_TENSOR + name: value for name, value in values.items()}
    if state.luma is not None:
        arrays[_LUMA] = state.luma
    for index, track in enumerate(state.tracks or ()):
        arrays[f"{_TRACK}{index}"] = track
    arrays[_EXPOSURE] = np.array(state.exposure, np.float64)
    return arrays


def state_from_arrays(
    arrays: Mapping[str, NDArray[Any]], *, like: State, session: Session
) -> State:
    """The state that `state_to_arrays` made arrays of.

    Args:
        arrays: What it returned.
        like: Any state of the same pass, such as the one that it starts from.
        session: The model that made it.
    """
    tensors = {
        name.removeprefix(_TENSOR): array
        for name, array in arrays.items()
        if name.startswith(_TENSOR)
    }
    tracks = tuple(arrays[name] for name in sorted(arrays, key=_order) if name.startswith(_TRACK))
    return replace(
        like,
        tensors=session.tensors(tensors),
        luma=arrays.get(_LUMA),
        tracks=tracks or None,
        exposure=Exposure(*map(float, arrays[_EXPOSURE])),
    )


def _order(name: str) -> tuple[int, str]:
    return len(name), name
