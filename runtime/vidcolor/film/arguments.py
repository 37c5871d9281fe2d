"""What `color_video` is told: whether it makes sense, before any work."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np

from vidcolor.checks import check_choice, check_whole
from vidcolor.errors import ArgumentError
from vidcolor.film.cluster import check_cluster
from vidcolor.film.finish import Finish
from vidcolor.film.job import UNKEYED
from vidcolor.film.key_sources import Keys, StrPath
from vidcolor.film.keys import FittedReference
from vidcolor.timeline import DIRECTIONS

type Scenes = Literal["auto", "none"] | Sequence[int]


def check_arguments(
    direction: str,
    scenes: Scenes | None,
    frames: range | None,
    only_shot: int | None,
    jobs: int,
    cluster: str | None,
    keep: int,
) -> None:
    """Raises VidcolorError where one is not accepted; see `color_video`."""
    check_choice("direction", direction, DIRECTIONS)
    if isinstance(scenes, str):
        check_choice("scenes", scenes, ("auto", "none"))
    elif scenes is not None and (frame := min(scenes, default=0)) < 0:
        raise ArgumentError(f"scenes: a shot begins at frame {frame}, frames are counted from 0")
    check_whole("jobs", jobs, least=1)
    check_whole("keep", keep, least=0)
    if frames is not None and only_shot is not None:
        raise ArgumentError("range and only-shot exclude each other, one of them is accepted")
    if frames is not None and (
        not isinstance(frames, range) or frames.step != 1 or not frames or frames.start < 0
    ):
        raise ArgumentError(
            f"frames is {frames!r}, accepted are ranges of rising frame numbers from 0, one by one"
        )
    if cluster is not None:
        check_cluster(cluster)


def check_colors(keys: Keys | None, references: Sequence[StrPath], unkeyed: str) -> None:
    """Raises ArgumentError where there is nothing to take colours from, or too much."""
    check_choice("unkeyed", unkeyed, UNKEYED)
    if not isinstance(keys, str | os.PathLike | Mapping | None):
        raise ArgumentError(
            f"keys is {keys!r}, accepted are a folder, one image, 'auto', or a mapping of frame "
            "numbers to images"
        )
    for frame, image in keys.items() if isinstance(keys, Mapping) else ():
        if not isinstance(frame, int | np.integer) or frame < 0:
            raise ArgumentError(
                f"keys holds the frame {frame!r}, whole numbers from 0 are accepted"
            )
        if not isinstance(image, str | os.PathLike):
            raise ArgumentError(
                f"keys holds a {type(image).__name__} for frame {frame}, the path of an image is "
                "needed"
            )
    if not isinstance(references, Collection) or isinstance(references, str):
        told = os.fspath(references) if isinstance(references, os.PathLike) else references
        raise ArgumentError(f"references is {told!r}, a list of pictures is needed, also of one")
    if keys is None and not references:
        raise ArgumentError("keys or references are needed, neither is given")
    if references and unkeyed != "guess":
        raise ArgumentError(
            f"references colour the shots without a key, unkeyed is {unkeyed!r}; only one of them "
            "is accepted"
        )


def check_codec_options(codec_options: Mapping[str, str]) -> None:
    """Raises ArgumentError where they are no mapping of texts to texts."""
    if not isinstance(codec_options, Mapping):
        raise ArgumentError(
            f"codec_options is {codec_options!r}, a mapping is needed, such as {{'crf': '20'}}"
        )
    for name, value in codec_options.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ArgumentError(
                f"codec_options holds {{{name!r}: {value!r}}}, texts are needed: "
                f"{{{str(name)!r}: {str(value)!r}}}"
            )


def shot_starts(scenes: Scenes) -> tuple[int, ...] | None:
    """As `scan_film` takes them."""
    if scenes == "auto":
        return None
    return () if scenes == "none" else tuple(map(int, scenes))


def describe_options(
    direction: str,
    unkeyed: str,
    codec: str,
    codec_options: Mapping[str, str],
    references: Sequence[FittedReference],
    finish: Finish,
) -> dict[str, str]:
    """What the report says was asked for."""
    options = {"direction": direction, "unkeyed": unkeyed, "codec": codec, **codec_options}
    options |= finish.describe()
    if references:
        options["references"] = ", ".join(reference.name for reference in references)
    return options
