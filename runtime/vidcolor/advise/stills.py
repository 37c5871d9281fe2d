"""Frames of a film as gray images to paint on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vidcolor.advise.own_files import sign
from vidcolor.color import Coding, decode_luma
from vidcolor.files import write_whole
from vidcolor.media.info import Frame, Info
from vidcolor.media.pictures import Codes
from vidcolor.media.reader import Reader
from vidcolor.media.tags import coding_of

Picture = NDArray[np.uint8] | NDArray[np.uint16]


def write_stills(
    film: Path,
    stills: Mapping[int, Path],
    *,
    progressive: bool = False,
    times_of: Collection[int] = (),
    progress: tqdm[NoReturn] | None = None,
) -> dict[int, float]:
    """Write frames of a film as PNG images, signed, each whole or not at all.

    Args:
        film: The film; it is read up to the last of the frames.
        stills: Frame -> the image to write.
        times_of: More frames whose times are needed.
        progressive: Whether frames that are flagged as interlaced are taken for progressive.
        progress: A progress bar, updated at every frame that is read.

    Returns:
        The time of all these frames, in seconds from the film's first frame.

    Raises:
        MediaError: The film cannot be read, or an image cannot be written.
    """
    times: dict[int, float] = {}
    wanted = {*stills, *times_of}
    with Reader(film, progressive=progressive) as reader:
        info, coding, begin = reader.info, coding_of(reader.info), None
        frames = (item for item in reader if isinstance(item, Frame))
        for number, frame in enumerate(frames):
            begin = frame.pts if begin is None else begin
            if number in wanted:
                times[number] = float((frame.pts - begin) * info.time_base)
            if number in stills:
                picture = _picture(frame.planes[0], info, coding)
                write_whole(stills[number], sign(cv2.imencode(".png", picture)[1].tobytes()))
            if progress is not None:
                progress.update()
            if len(times) == len(wanted):
                break
    return times


def _picture(codes: Codes, info: Info, coding: Coding) -> Picture:
    """A gray frame as a player shows it: upright, with square pixels, in full range.

    It has three equal channels, so that any image editor can paint on it in colour.

    Returns:
        [h, w, 3] of 8 or 16 bits.
    """
    luma = decode_luma(codes, coding)
    height, width = luma.shape
    if info.sample_aspect != 1:
        size = max(1, round(width * float(info.sample_aspect))), height
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)
    upright = info.orientation.shown(luma)[..., None].repeat(3, axis=2)
    if info.bits == 8:
        return np.rint(upright * 255).astype(np.uint8)
    return np.rint(upright * 65535).astype(np.uint16)
