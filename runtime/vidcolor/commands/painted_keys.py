"""Painted images in the folder of ``vidcolor advise``: whether they are keys of their frames."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path

from vidcolor.commands.progress import Bar
from vidcolor.film.keys import find_sources, match_source
from vidcolor.film.scan import read_lumas
from vidcolor.media.info import Frame, Info
from vidcolor.media.reader import Reader
from vidcolor.media.tags import coding_of
from vidcolor.planes import Plane
from vidcolor.working_size import WorkingSize


def check_painted(
    painted: Mapping[int, Path],
    *,
    film: Path,
    info: Info,
    working_size: WorkingSize,
    progressive: bool,
    compare: bool,
    progress: Bar,
) -> list[str]:
    """Check images in colour as `vidcolor color` does.

    Args:
        painted: Frame -> image.
        film: The film's file.
        info: The film's.
        working_size: What images and frames are compared at.
        progressive: Whether frames that are flagged as interlaced are taken for progressive ones.
        compare: Whether images must look like their frames.
        progress: Told of each frame that is read.

    Returns:
        What is good to know of them, in sentences.

    Raises:
        KeyFrameError: One is no key of the film, or shows another frame.
        MediaError: The film cannot be read.
    """
    matrix = coding_of(info).matrix
    sources, notes = find_sources(
        painted, clip=film, info=info, matrix=matrix, progressive=progressive
    )
    if not (compare and sources):
        return notes
    search = partial(read_lumas, film, working_size, None, progressive=progressive)
    with Reader(film, progressive=progressive) as reader:
        for frame, luma in _lumas(reader, working_size, sources, progress):
            source, _, warning = match_source(sources[frame], luma, frame=frame, search=search)
            notes += [f"{source.name} {warning}"] if warning else []
    return notes


def _lumas(
    reader: Reader, working_size: WorkingSize, wanted: Collection[int], progress: Bar
) -> Iterator[tuple[int, Plane]]:
    """Some frames of a film, and their luma."""
    coding = coding_of(reader.info)
    frames = (item for item in reader if isinstance(item, Frame))
    for number, frame in enumerate(islice(frames, max(wanted) + 1)):
        progress.update()
        if number in wanted:
            yield number, working_size.downsample_codes(frame.planes[0], coding)
