"""FFmpeg's options for x264 and x265, as far as these say nothing useful of them themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import av.logging

from vidcolor.errors import ArgumentError
from vidcolor.media.pictures import bits_of, subsampling

NESTED = ("x264-params", "x265-params")
"""Options that hold options of the encoder's own. Of those, FFmpeg only warns."""
_QUALITIES = {"crf", "qp", "b"}
"""What x264 and x265 aim at: of several, they take crf and leave the others without a word."""
_NESTED_QUALITIES = {"crf", "qp", "qp-constant", "bitrate", "lossless"}
"""The same among their own options, which they take in place of FFmpeg's."""
SOONER = {"subq": "1", "partitions": "i8x8,i4x4"}
"""Leaves out two searches of x264's preset veryfast, which take a third to a half of its time."""
_SILENT = "log-level=none"
"""For x265, which would write its statistics to standard error."""

_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
)
_TUNES = (
    *("film", "animation", "grain", "stillimage", "psnr", "ssim"),
    *("fastdecode", "zerolatency", "touhou"),
)
_PROFILES = {
    "baseline": (8, (1, 1)),
    "main": (8, (1, 1)),
    "high": (8, (1, 1)),
    "high10": (10, (1, 1)),
    "high422": (10, (1, 0)),
    "high444": (10, (0, 0)),
}
"""Of x264: most bits, and the finest chroma, as `subsampling` tells it."""


def merge(ours: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, str]:
    """Options of a user's own in place of ours of their names, and of ours of the same purpose.

    A preset is taken whole: what ours changes of its own preset is left out. x265 stays silent,
    unless asked.
    """
    replaced = _QUALITIES if _QUALITIES & asked.keys() else set()
    if "preset" in asked:
        replaced = replaced | SOONER.keys()
    merged = {name: value for name, value in ours.items() if name not in replaced}
    merged.update(asked)
    nested = asked.get("x265-params")
    if nested and not {"log", "log-level"}.intersection(_nested_names(nested)):
        merged["x265-params"] = f"{_SILENT}:{nested}"
    return merged


def check_aim(asked: Mapping[str, str]) -> None:
    """Check that an encoder is told at most once what to aim at.

    Raises:
        ArgumentError: It is told several times.
    """
    aims = sorted(_QUALITIES & asked.keys())
    for option in NESTED:
        names = [name.replace("_", "-") for name in _nested_names(asked.get(option, ""))]
        aims += [f"{name} in {option}" for name in names if name in _NESTED_QUALITIES]
    if len(aims) > 1:
        raise ArgumentError(
            f"{' and '.join(aims)}: each says how well to encode, one of them is accepted"
        )


def _nested_names(text: str) -> list[str]:
    return [pair.partition("=")[0].strip() for pair in text.split(":")]


def check_choice_of(library: str, name: str, value: str, pixel_format: str) -> None:
    """Check an option that has a few values. x264 itself would write to standard error.

    Raises:
        ArgumentError: The value is none of them.
    """
    accepted, values = tuple[str, ...](), [value]
    if name == "preset" and library in ("libx264", "libx265"):
        accepted, values = _PRESETS, [] if re.fullmatch("[0-9]", value) else [value]
    elif name == "tune" and library == "libx264":
        accepted, values = _TUNES, re.split("[,./+-]", value)
    elif name == "profile" and library == "libx264":
        accepted = _profiles(pixel_format)
    if accepted and not {value.lower() for value in values} <= {*accepted}:
        of = f" for {pixel_format}" if name == "profile" else ""
        raise ArgumentError(f"{name} is {value!r}, accepted{of} are {', '.join(accepted)}")


def _profiles(pixel_format: str) -> tuple[str, ...]:
    return tuple(
        name
        for name, (bits, finest) in _PROFILES.items()
        if bits_of(pixel_format) <= bits and subsampling(pixel_format) >= finest
    )


@contextmanager
def warnings() -> Iterator[list[str]]:
    """What FFmpeg warns of in this thread, in a list that is filled at the end."""
    said: list[str] = []
    before = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture(local=True) as logs:
            yield said
    finally:
        av.logging.set_level(before)
        said += [" ".join(message.split()).rstrip(".") for _, _, message in logs]
