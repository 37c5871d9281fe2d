"""Errors of libraries that mean that there is not enough memory, and those that do not."""

import av
import cv2
import numpy as np
import pytest

from vidcolor.errors import ArgumentError, MediaError, is_out_of_memory, renamed_argument


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        av.error.MemoryError(12, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
    ],
)
def test_no_memory(error: BaseException) -> None:
    assert is_out_of_memory(error)


def test_no_memory_for_planes() -> None:
    with pytest.raises(MemoryError) as caught:
        np.empty(1 << 46, np.float32)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(cv2.error("(-4:Insufficient memory) Failed to allocate 9 bytes"))


@pytest.mark.parametrize(
    "error", [RuntimeError("another"), ValueError("Insufficient memory"), cv2.error("(-215)")]
)
def test_other_errors(error: BaseException) -> None:
    assert not is_out_of_memory(error)


def test_an_argument_gets_the_name_that_it_was_given_by() -> None:
    with (
        pytest.raises(MediaError, match=r"^blend: clip: 1.mkv is: gone$"),
        renamed_argument("blend"),
    ):
        raise MediaError("clip: clip: 1.mkv is: gone")
    with pytest.raises(ArgumentError, match=r"^size is 3$"), renamed_argument("blend"):
        raise ArgumentError("size is 3")
    with pytest.raises(ArgumentError, match=r"^output: x$"), renamed_argument("blend"):
        raise ArgumentError("output: x")
    with pytest.raises(ValueError, match=r"^clip: x$"), renamed_argument("blend"):
        raise ValueError("clip: x")
