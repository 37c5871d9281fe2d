"""Keys that hold for some frames alone: `--key-range 240:200-299`.

Note on key ranges. The frames of a key's range are coloured from that key and from no other,
whatever cuts or other keys are among them; even another key's own frame is. All other frames are
coloured as if the key were not there: the other keys of its shot lead through the range to the
frames behind it. So a film with key ranges has two layers of segments, and each frame shows one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise

from vidcolor.errors import ArgumentError


def check_ranges(ranges: Mapping[int, range], keys: Collection[int]) -> None:
    """Check ranges as far as is possible before the film is read.

    Args:
        ranges: Frame of a key -> the frames that it holds for.
        keys: Frames of all keys.

    Raises:
        ArgumentError: Such a key does not exist, or is not among its frames, or two ranges overlap.
    """
    for key, frames in ranges.items():
        if not isinstance(frames, range):
            raise ArgumentError(
                f"key-range of frame {key} is {frames!r}, a range of frame numbers is needed"
            )
        if key not in keys:
            raise ArgumentError(f"key-range is for frame {key}, which has no key")
        if key not in frames or frames.step != 1 or frames.start < 0:
            raise ArgumentError(
                f"key-range of frame {key} is {_written(frames)}, accepted are frames with the key "
                "among them"
            )
    for (one, frames), (other, behind) in pairwise(
        sorted(ranges.items(), key=lambda item: item[1].start)
    ):
        if behind.start < frames.stop:
            raise ArgumentError(
                f"key-range {one}:{_written(frames)} and {other}:{_written(behind)} overlap, one "
                "key for a frame is accepted"
            )


def check_ends(ranges: Mapping[int, range], length: int) -> None:
    """Raise ArgumentError if a range ends beyond the last frame of a film of this length."""
    for key, frames in ranges.items():
        if frames.stop > length:
            raise ArgumentError(
                f"key-range of frame {key} is {_written(frames)}, the film has frames 0 to "
                f"{length - 1}"
            )


def covered(ranges: Mapping[int, range]) -> frozenset[int]:
    """The frames that are in any range."""
    return frozenset().union(*ranges.values())


def _written(frames: range) -> str:
    return f"{frames.start}-{frames.stop - 1}"
