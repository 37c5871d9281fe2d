"""What a clip's tags say of its code values, and the tags of what is made of it."""

from __future__ import annotations

from dataclasses import replace

from vidcolor.color import Coding, code_of, matrix_of
from vidcolor.grid import SITINGS
from vidcolor.media.info import FULL_RANGE, LIMITED_RANGE, RGB_MATRIX, UNSPECIFIED, Info, Tags


def coding_of(info: Info) -> Coding:
    """What the clip's code values mean: limited range, where it does not say."""
    return Coding(
        matrix=matrix_of(info.tags.matrix, height=info.height),
        full_range=info.tags.range == FULL_RANGE,
        bits=info.bits,
    )


def siting_of(tags: Tags) -> str:
    """Where the clip's chroma sits, as `vidcolor.grid` names it: left, where it does not say."""
    return tuple(SITINGS)[max(0, tags.siting - 1)]  # FFmpeg numbers them from 1


def tags_of(tags: Tags, coding: Coding) -> Tags:
    """The clip's tags for the output, with matrix and range said where the clip does not say."""
    silent = tags.matrix in (RGB_MATRIX, UNSPECIFIED)
    matrix = code_of(coding.matrix) if silent else tags.matrix
    return replace(tags, matrix=matrix, range=tags.range or LIMITED_RANGE)
