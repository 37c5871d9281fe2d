"""``vidcolor key frame.png --paint painted.png -o key.png``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from vidcolor.color import decode_luma, key_to_rgb, matrix_of, rgb_to_key
from vidcolor.commands.key import PaintKey
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.files import check_writable, write_errors
from vidcolor.key.bars import BARS_CUT, boxes_of
from vidcolor.key.companions import strokes_path
from vidcolor.key.image import Picture, read_picture, write_picture
from vidcolor.key.matching import best_frame, check_key
from vidcolor.key.paint import Paint
from vidcolor.key.scribbles import LEAST_WEIGHT
from vidcolor.key.strokes import strokes_of
from vidcolor.media.info import UNSPECIFIED, Frame
from vidcolor.media.reader import Reader
from vidcolor.media.tags import coding_of
from vidcolor.planes import Key, Plane
from vidcolor.working_size import ASPECT_TOLERANCE, WorkingSize


class _Gray(NamedTuple):
    """The frame to paint."""

    luma: Plane
    """[h, w], upright."""
    matrix: str
    bits: int
    """8 or 16, of the key's image."""
    name: str
    """What messages call it."""
    sample_aspect: Fraction = Fraction(1)
    """Width over height of its samples."""


def paint_key(options: PaintKey) -> None:
    """Raises VidcolorError, and then leaves no output behind."""
    _check_options(options)
    picture = read_picture(options.paint, argument="paint")
    gray = _of_image(options) if options.clip is None else _of_clip(options, picture)
    picture = _of_aspect(options, picture, gray)
    _check_belongs(options, picture, gray)
    start = perf_counter()
    paint = _paint(options, picture, gray)
    height, width = gray.luma.shape
    key = Paint.of(paint).small(gray.luma, WorkingSize(height, width, height, width))
    with _strokes_kept(options) as kept:
        write_picture(options.output, _visible(key, gray.matrix), bits=gray.bits)
    if not options.quiet:
        share = 1 if paint.weight is None else paint.weight.mean(dtype=np.float64)
        print(
            f"{options.output}: {width}x{height}, {share:.1%} of it painted, spread in "
            f"{perf_counter() - start:.1f} s over {gray.name}"
            + ("" if kept is None else f"; what was painted is kept as {kept}")
        )


def _check_options(options: PaintKey) -> None:
    if (options.gray is None) == (options.clip is None):
        raise ArgumentError("give the gray frame either as an image or as --clip FILM --frame N")
    if options.frame is not None and (options.clip is None or options.frame < 0):
        raise ArgumentError(f"frame is {options.frame}, accepted are frames of --clip, from 0")
    if options.output.suffix.lower() != ".png":
        raise ArgumentError(f"output: {options.output} must end in .png")
    with write_errors(options.output):
        _check_output(options)


def _check_output(options: PaintKey) -> None:
    if not options.output.parent.is_dir():
        raise ArgumentError(f"output: there is no folder {options.output.parent}")
    if options.output.exists():
        inputs = [path for path in (options.gray, options.clip) if path and path.exists()]
        if any(options.output.samefile(path) for path in inputs):
            raise ArgumentError(f"output: {options.output} is an input, another name is needed")
        if not options.overwrite:
            raise ArgumentError(f"output: {options.output} exists already; --overwrite replaces it")
    check_writable(options.output)


def _of_image(options: PaintKey) -> _Gray:
    assert options.gray is not None  # noqa: S101  (for the type checker)
    picture = read_picture(options.gray, argument="gray")
    matrix = matrix_of(UNSPECIFIED, height=picture.rgb.shape[0])
    luma = rgb_to_key(picture.rgb, matrix).luma
    return _Gray(luma, matrix, picture.bits, str(options.gray))


def _of_clip(options: PaintKey, picture: Picture) -> _Gray:
    number = options.frame
    if number is None:
        number = _find(options, picture)
        if number is None:
            raise KeyFrameError(
                f"paint: {options.paint} is like no frame of {options.clip}: name one with --frame"
            )
    with _open(options) as reader:
        luma = next(islice(_lumas(options, reader), number, None), None)
        if luma is None:
            raise ArgumentError(f"frame is {number}, {options.clip} has fewer frames")
        info = reader.info
        aspect = info.sample_aspect
        if info.orientation.swaps_sides:
            aspect = 1 / aspect
        return _Gray(
            luma=luma,
            matrix=coding_of(info).matrix,
            bits=8 if info.bits == 8 else 16,
            name=f"frame {number} of {options.clip}",
            sample_aspect=aspect,
        )


def _open(options: PaintKey) -> Reader:
    assert options.clip is not None  # noqa: S101  (for the type checker)
    return Reader(options.clip, progressive=options.progressive)


def _lumas(options: PaintKey, reader: Reader) -> Iterator[Plane]:
    """Luma of every frame, as a player turns it."""
    coding, lying = coding_of(reader.info), reader.info.orientation
    for item in reader:
        if isinstance(item, Frame):
            yield np.ascontiguousarray(lying.shown(decode_luma(item.planes[0], coding)))


def _find(options: PaintKey, picture: Picture) -> int | None:
    """The frame of the film that the painted frame matches best; None if there is none."""
    if picture.alpha is not None:
        return None
    with _open(options) as reader:
        luma = rgb_to_key(picture.rgb, coding_of(reader.info).matrix).luma
        lumas = tqdm(
            _lumas(options, reader),
            desc="looking for the frame",
            total=reader.info.frame_count,
            unit="frame",
            disable=options.quiet or None,
        )
        best = best_frame(luma, lumas)
    return None if best is None else best.frame


def _of_aspect(options: PaintKey, picture: Picture, gray: _Gray) -> Picture:
    """The painted frame, without black bars where it has the frame's aspect only so."""
    if _has_aspect(picture, gray):
        return picture
    for box in boxes_of(rgb_to_key(picture.rgb, gray.matrix)):
        alpha = None if picture.alpha is None else picture.alpha[box]
        inner = Picture(picture.rgb[box], alpha, picture.bits)
        if _has_aspect(inner, gray):
            print(f"vidcolor: {options.paint} {BARS_CUT}", file=sys.stderr)
            return inner
    (height, width), (rows, columns) = picture.rgb.shape[:2], gray.luma.shape
    raise KeyFrameError(
        f"paint: {options.paint} is {width}x{height}, {gray.name} is {columns}x{rows}; "
        f"their aspects may differ by {ASPECT_TOLERANCE:.0%}"
    )


def _has_aspect(picture: Picture, gray: _Gray) -> bool:
    (height, width), (rows, columns) = picture.rgb.shape[:2], gray.luma.shape
    stored = columns / rows
    accepted = (stored, float(stored * gray.sample_aspect))
    return any(abs(width / height / aspect - 1) <= ASPECT_TOLERANCE for aspect in accepted)


def _check_belongs(options: PaintKey, picture: Picture, gray: _Gray) -> None:
    """Check that the painted frame shows the gray one. Strokes on alpha show no frame."""
    if picture.alpha is not None:
        return
    verdict = check_key(rgb_to_key(picture.rgb, gray.matrix).luma, gray.luma)
    if verdict.warning:
        print(f"vidcolor: {options.paint} {verdict.warning}", file=sys.stderr)
    if verdict.fault is None:
        return
    best = None if options.clip is None else _find(options, picture)
    offer = "" if best is None else f"; it is most like frame {best}: --frame {best}"
    raise KeyFrameError(
        f"paint: {options.paint} does not belong to {gray.name}: it {verdict.fault}{offer}"
    )


def _paint(options: PaintKey, picture: Picture, gray: _Gray) -> Key:
    strokes = strokes_of(picture, gray.matrix)
    painted = strokes.weight is not None and bool((strokes.weight > LEAST_WEIGHT).any())
    if not painted:
        raise KeyFrameError(
            f"paint: {options.paint} holds no colour, at least one stroke of paint is needed"
        )
    return Key(strokes.luma, strokes.chroma) if options.whole else strokes


@contextmanager
def _strokes_kept(options: PaintKey) -> Iterator[Path | None]:
    """Move the painted frame away that would be lost, or be a second image for the key's frame.

    Yields:
        Where it lies then; None where the painted frame stays where it is.
    """
    paint, output = options.paint, options.output
    beside = paint.parent.resolve() == output.parent.resolve() and paint.stem == output.stem
    is_output = output.exists() and output.samefile(paint)
    if not (options.overwrite and (beside or is_output)):
        yield None
        return
    kept = strokes_path(paint if beside else output)
    with write_errors(kept):
        shutil.copy2(paint, kept)
    try:
        yield kept
    except BaseException:
        kept.unlink()
        raise
    if not is_output:
        paint.unlink()


def _visible(key: Key, matrix: str) -> Plane:
    """R'G'B' [h, w, 3] in [0, 1] of the key, desaturated where its colours are out of gamut.

    A strong colour painted on something very bright or dark becomes paler. Clipping it would change
    its luma instead.
    """
    height, width = key.luma.shape
    # Half of the chroma on medium gray is always within, so nothing of it is clipped here.
    gray = np.full((height, width), 0.5, np.float32)
    color = 4 * (key_to_rgb(Key(gray, key.chroma * np.float32(0.25)), matrix) - np.float32(0.5))
    luma = key.luma[..., None]
    room = np.where(color > 0, 1 - luma, luma)
    share = np.min(room / np.maximum(np.abs(color), 1e-6), axis=-1, keepdims=True)
    return np.asarray(np.clip(luma + np.minimum(share, 1) * color, 0, 1), np.float32)
