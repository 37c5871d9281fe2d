"""``vidcolor key frame.png --paint painted.png -o key.png``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Annotated, NamedTuple

import numpy as np
import tyro
from tqdm import tqdm

from vidcolor.color import decode_luma, key_to_rgb, matrix_of, rgb_to_key
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.files import check_writable, named_errors
from vidcolor.key.image import Picture, read_picture, write_picture
from vidcolor.key.matching import best_frame, check_key
from vidcolor.key.paint import Paint
from vidcolor.key.scribbles import LEAST_WEIGHT
from vidcolor.key.strokes import strokes_of
from vidcolor.media.reader import UNSPECIFIED, Frame, Reader
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


@dataclass(frozen=True, kw_only=True)
class PaintKey:
    """Make a whole key frame of one that is painted in parts.

    A few strokes of colour are enough: they are spread over the frame, up to the edges of what they
    lie on (Levin, Lischinski and Weiss 2004). Strokes are either an image that is transparent where
    nothing is painted, or the gray frame itself with colour on it: there, what is gray is not
    painted. Pixels of a stroke keep their colours, half transparent ones in part; what no stroke
    lies on takes its colours from around it. Paint's own brightness does not matter: the key has
    the frame's luma. Save strokes without loss, as PNG or TIFF: JPEG smears colour.

    The gray frame is an image, or frame N of a film: --clip FILM --frame N. An image that does not
    belong to its frame is refused: another frame, flipped, shifted or cropped. Of a film, the frame
    that fits is then told; without --frame it is looked for, and used.

    For example:

        vidcolor key frame.png --paint strokes.png -o key.png
        vidcolor key --clip film.mkv --frame 240 --paint strokes.png -o keys/000240.png
    """

    gray: Annotated[tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="[FRAME.png]")] = None
    """The gray frame, as an image of 8 or 16 bits."""
    paint: Annotated[Path, tyro.conf.arg(aliases=["-p"])]
    """The strokes, or the painted frame, of the frame's aspect."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The key to write, a PNG of the frame's size and depth."""
    clip: Path | None = None
    """The film that the frame is taken from, in place of an image."""
    frame: int | None = None
    """Which frame of --clip it is, counted from 0."""
    whole: tyro.conf.FlagCreatePairsOff[bool] = False
    """Use all of the painted frame, gray parts too: its colours go on the frame's luma."""
    progressive: tyro.conf.FlagCreatePairsOff[bool] = False
    """Take frames of --clip that are flagged as interlaced for progressive ones."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Replace the output if there is one."""
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show no progress and no summary."""

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no output behind."""
        self._check_options()
        picture = read_picture(self.paint)
        gray = self._of_image() if self.clip is None else self._of_clip(picture)
        self._check_aspect(picture, gray)
        self._check_belongs(picture, gray)
        start = perf_counter()
        paint = self._paint(picture, gray)
        height, width = gray.luma.shape
        key = Paint.of(paint).small(gray.luma, WorkingSize(height, width, height, width))
        write_picture(self.output, _visible(key, gray.matrix), bits=gray.bits)
        if not self.quiet:
            share = 1 if paint.weight is None else paint.weight.mean(dtype=np.float64)
            print(
                f"{self.output}: {width}x{height}, {share:.1%} of it painted, spread in "
                f"{perf_counter() - start:.1f} s over {gray.name}"
            )

    def _check_options(self) -> None:
        if (self.gray is None) == (self.clip is None):
            raise ArgumentError(
                "give the gray frame either as an image or as --clip FILM --frame N"
            )
        if self.frame is not None and (self.clip is None or self.frame < 0):
            raise ArgumentError(f"frame is {self.frame}, accepted are frames of --clip, from 0")
        if self.output.suffix.lower() != ".png":
            raise ArgumentError(f"output: {self.output} must end in .png")
        with named_errors(f"output: {self.output} cannot be written"):
            self._check_output()

    def _check_output(self) -> None:
        if not self.output.parent.is_dir():
            raise ArgumentError(f"output: there is no folder {self.output.parent}")
        if self.output.exists():
            inputs = [path for path in (self.gray, self.paint, self.clip) if path and path.exists()]
            if any(self.output.samefile(path) for path in inputs):
                raise ArgumentError(f"output: {self.output} is an input, another name is needed")
            if not self.overwrite:
                raise ArgumentError(
                    f"output: {self.output} exists already; --overwrite replaces it"
                )
        check_writable(self.output)

    def _of_image(self) -> _Gray:
        assert self.gray is not None  # noqa: S101  (for the type checker)
        picture = read_picture(self.gray)
        matrix = matrix_of(UNSPECIFIED, height=picture.rgb.shape[0])
        luma = rgb_to_key(picture.rgb, matrix).luma
        return _Gray(luma, matrix, picture.bits, str(self.gray))

    def _of_clip(self, picture: Picture) -> _Gray:
        number = self.frame
        if number is None:
            number = self._find(picture)
            if number is None:
                raise KeyFrameError(
                    f"paint: {self.paint} is like no frame of {self.clip}: name one with --frame"
                )
        with self._open() as reader:
            luma = next(islice(self._lumas(reader), number, None), None)
            if luma is None:
                raise ArgumentError(f"frame is {number}, {self.clip} has fewer frames")
            info = reader.info
            aspect = info.sample_aspect
            if info.orientation.swaps_sides:
                aspect = 1 / aspect
            return _Gray(
                luma=luma,
                matrix=coding_of(info).matrix,
                bits=8 if info.bits == 8 else 16,
                name=f"frame {number} of {self.clip}",
                sample_aspect=aspect,
            )

    def _open(self) -> Reader:
        assert self.clip is not None  # noqa: S101  (for the type checker)
        return Reader(self.clip, progressive=self.progressive)

    def _lumas(self, reader: Reader) -> Iterator[Plane]:
        """Luma of every frame, as a player turns it."""
        coding, lying = coding_of(reader.info), reader.info.orientation
        for item in reader:
            if isinstance(item, Frame):
                yield np.ascontiguousarray(lying.shown(decode_luma(item.planes[0], coding)))

    def _find(self, picture: Picture) -> int | None:
        """The frame of the film that the painted frame matches best; None if there is none."""
        if picture.alpha is not None:
            return None
        with self._open() as reader:
            luma = rgb_to_key(picture.rgb, coding_of(reader.info).matrix).luma
            lumas = tqdm(
                self._lumas(reader),
                desc="looking for the frame",
                total=reader.info.frame_count,
                unit="frame",
                disable=self.quiet or None,
            )
            best = best_frame(luma, lumas)
        return None if best is None else best.frame

    def _check_aspect(self, picture: Picture, gray: _Gray) -> None:
        height, width = picture.rgb.shape[:2]
        rows, columns = gray.luma.shape
        stored = columns / rows
        accepted = (stored, float(stored * gray.sample_aspect))
        if min(abs(width / height / aspect - 1) for aspect in accepted) > ASPECT_TOLERANCE:
            raise KeyFrameError(
                f"paint: {self.paint} is {width}x{height}, {gray.name} is {columns}x{rows}; "
                f"their aspects may differ by {ASPECT_TOLERANCE:.0%}"
            )

    def _check_belongs(self, picture: Picture, gray: _Gray) -> None:
        """Check that the painted frame shows the gray one. Strokes on alpha show no frame."""
        if picture.alpha is not None:
            return
        verdict = check_key(rgb_to_key(picture.rgb, gray.matrix).luma, gray.luma)
        if verdict.warning:
            print(f"vidcolor: {self.paint} {verdict.warning}", file=sys.stderr)
        if verdict.fault is None:
            return
        best = None if self.clip is None else self._find(picture)
        offer = "" if best is None else f"; it is most like frame {best}: --frame {best}"
        raise KeyFrameError(
            f"paint: {self.paint} does not belong to {gray.name}: it {verdict.fault}{offer}"
        )

    def _paint(self, picture: Picture, gray: _Gray) -> Key:
        strokes = strokes_of(picture, gray.matrix)
        painted = strokes.weight is not None and bool((strokes.weight > LEAST_WEIGHT).any())
        if not painted:
            raise KeyFrameError(
                f"paint: {self.paint} holds no colour, at least one stroke of paint is needed"
            )
        return Key(strokes.luma, strokes.chroma) if self.whole else strokes


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
