"""How many CPU threads share the work of one frame in the model's graphs, in a film."""

from __future__ import annotations

from vidcolor.cores import count_cores
from vidcolor.inference import contract
from vidcolor.inference.bundle import find_bundle

_FEW = 2
"""Cores up to which other work than the graphs' is about as much as theirs."""


def graph_threads(model: str, precision: str, *, jobs: int) -> int | None:
    """Threads for each graph; colours do not depend on them.

    In 8 bits operators are so short that two threads spend a fifth of their time on waiting for
    each other, and more where flow, features, decoding and encoding take their cores. So on two
    cores the graph has one, and all else the other. In float32 the graph takes so much longer than
    all else that this would leave the other core idle.

    Args:
        model: As in `Session.load`.
        precision: As in `Session.load`.
        jobs: How many frames are stepped at a time.

    Returns:
        As `Session.load` takes them.

    Raises:
        BundleNotFoundError: There is no such model.
    """
    cores = count_cores()
    if jobs > 1:
        return max(1, cores // jobs)
    if cores > _FEW:
        return None
    is_int8 = precision == "auto" and contract.has_int8(find_bundle(model))
    return 1 if is_int8 or precision == contract.INT8 else None
