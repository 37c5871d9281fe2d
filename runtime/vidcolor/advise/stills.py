"""Frames of a film as gray images to paint on."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vidcolor.color import Coding, decode_luma
from vidcolor.errors import MediaError
from vidcolor.media.reader import Codes, Frame, Info, Reader
from vidcolor.media.tags import coding_of

Picture = NDArray[np.uint8] | NDArray[np.uint16]


def write_stills(
    film: Path,
    stills: Mapping[int, Path],
    *,
    times_of: Collection[int] = (),
    progress: tqdm[NoReturn] | None = None,
) -> dict[int, float]:
    """Write frames of a film as PNG images, each whole or not at all.

    stills: frame -> the image to write. times_of: more frames whose time is asked for.
    Returns the time of all these frames: seconds from the film's first. progress: told of every
    frame that is read, which are those up to the last one asked for.

    Raises MediaError when the film cannot be read or an image cannot be written.
    """
    times: dict[int, float] = {}
    wanted = {*stills, *times_of}
    with Reader(film) as reader:
        info, coding, begin = reader.info, coding_of(reader.info), None
        frames = (item for item in reader if isinstance(item, Frame))
        for number, frame in enumerate(frames):
            begin = frame.pts if begin is None else begin
            if number in wanted:
                times[number] = float((frame.pts - begin) * info.time_base)
            if number in stills:
                picture = _picture(frame.planes[0], info, coding)
                write_file(stills[number], cv2.imencode(".png", picture)[1].tobytes())
            if progress is not None:
                progress.update()
            if len(times) == len(wanted):
                break
    return times


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises MediaError when it cannot be written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise MediaError(f"output: {path} cannot be written ({error.strerror})") from error


def _picture(codes: Codes, info: Info, coding: Coding) -> Picture:
    """A gray frame as a player shows it, of 8 or 16 bits: upright, of square pixels, full range.

    It has three channels, which are equal, so that any image editor paints on it in colour.
    """
    luma = decode_luma(codes, coding)
    height, width = luma.shape
    if info.sample_aspect != 1:
        size = max(1, round(width * float(info.sample_aspect))), height
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)
    upright = np.rot90(luma, info.rotation // 90)[..., None].repeat(3, axis=2)
    if info.bits == 8:
        return np.rint(upright * 255).astype(np.uint8)
    return np.rint(upright * 65535).astype(np.uint16)
