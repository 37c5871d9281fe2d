"""The keys of a film as a caller names them: a folder, a mapping, one image, or 'auto'."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from vidcolor.errors import ArgumentError
from vidcolor.film.key_folder import find_keys
from vidcolor.film.keys import Source, find_sources
from vidcolor.inference.colorizer import Colorizer
from vidcolor.key.auto import AUTO, auto_first_key
from vidcolor.media.info import Info
from vidcolor.media.tags import coding_of

type StrPath = str | os.PathLike[str]
type Keys = StrPath | Mapping[int, StrPath]
"""A folder, an image, or 'auto'; or frame -> image."""


def is_auto(keys: Keys | None) -> bool:
    """Whether a colorizer is to paint the first frame."""
    return isinstance(keys, str | os.PathLike) and os.fspath(keys) == AUTO


def is_single(keys: Keys | None) -> bool:
    """Whether there is one key, for the first frame."""
    return isinstance(keys, str | os.PathLike) and not Path(keys).is_dir()


def read_sources(
    keys: Keys | None,
    *,
    clip: Path,
    info: Info,
    size: int,
    progressive: bool,
    colorizer: Colorizer | None,
    key_name: str | None,
    whole: bool,
    note: Callable[[str], None],
) -> dict[int, Source]:
    """Find the keys, and check that each can be read.

    Args:
        keys: As they are named; None where there are none.
        clip: The film.
        info: The film's.
        size: Short side of the working size in pixels.
        progressive: Whether frames that are flagged as interlaced are taken for progressive.
        colorizer: What paints the first frame, where `is_auto`.
        key_name: As in `find_keys`.
        whole: As in `find_sources`.
        note: Told, in a sentence, what is good to know.

    Returns:
        Frame -> key, in order.

    Raises:
        VidcolorError: One cannot be used.
    """
    if keys is None:
        return {}
    if is_auto(keys) and colorizer is not None:
        first = auto_first_key(clip, colorizer=colorizer, size=size, progressive=progressive)
        return {0: Source(AUTO, lambda: first)}
    sources, notes = find_sources(
        _find_images(keys, key_name, note),
        clip=clip,
        info=info,
        matrix=coding_of(info).matrix,
        progressive=progressive,
        whole=whole,
    )
    for text in notes:
        note(text)
    return sources


def _find_images(keys: Keys, key_name: str | None, note: Callable[[str], None]) -> dict[int, Path]:
    if isinstance(keys, Mapping):
        images = {frame: Path(image) for frame, image in keys.items()}
    elif Path(keys).is_dir():
        images = find_keys(Path(keys), name=key_name, note=note)
    else:
        images = {0: Path(keys)}
    if not images:
        raise ArgumentError("keys is empty, at least one frame in colour is needed")
    return images
