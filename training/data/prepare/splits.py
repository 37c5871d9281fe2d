"""Which videos are for training and which for the test: at random, or as their folders say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from vidcolor.errors import ArgumentError

_SPLIT_FOLDERS = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test", "val": "test", "valid": "test", "validation": "test",
}  # fmt: skip


def random_split(names: Sequence[str], *, test: float, seed: int) -> dict[str, str]:
    """Split videos at random; the result does not depend on the order of the names.

    Args:
        names: The videos'.
        test: Share of them for the test, in [0, 0.5]. Above 0, each part gets one video at least.
        seed: Of the random split.

    Returns:
        'train' or 'test' by video.
    """
    ranked = sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    count = min(max(1, round(test * len(ranked))), len(ranked) - 1) if test else 0
    return {name: "test" if rank < count else "train" for rank, name in enumerate(ranked)}


def folder_split(names: Sequence[str]) -> dict[str, str]:
    """'train' or 'test' by video, as the outermost of its folders with a telling name says."""
    splits = {}
    for name in names:
        folders = [part.lower() for part in PurePosixPath(name).parent.parts]
        told = [_SPLIT_FOLDERS[folder] for folder in folders if folder in _SPLIT_FOLDERS]
        if not told:
            raise ArgumentError(
                f"split is 'folders', but {name} lies in no folder called "
                f"{', '.join(_SPLIT_FOLDERS)}; 'random' needs none"
            )
        splits[name] = told[0]
    return splits
