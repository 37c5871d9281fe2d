"""The command line: ``vidcolor color clip.mp4 --key first.png -o out.mp4``.

A frozen dataclass holds each sub-command's options; tyro makes the command line and its help of it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import Annotated, NoReturn

import tyro
from tqdm import tqdm

from vidcolor.bundle import DEFAULT_MODEL
from vidcolor.colour import Coding, code_of, decode_luma, encode_chroma, matrix_of
from vidcolor.encode import Writer
from vidcolor.errors import VidcolorError
from vidcolor.fit import Fit
from vidcolor.grid import SITINGS, Grid, resample
from vidcolor.keyimage import read_key
from vidcolor.planes import Key
from vidcolor.propagate import Propagator, State
from vidcolor.session import Session
from vidcolor.video import (
    FULL_RANGE,
    LIMITED_RANGE,
    RGB_MATRIX,
    UNSPECIFIED,
    Frame,
    Info,
    Reader,
    Tags,
    subsampling,
)

DESCRIPTION = "Carries the colours of a painted key frame through a black-and-white clip."
BAD_INPUT = 2
"""Exit status when what was given cannot be used."""
INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 + SIGINT."""


@dataclass(frozen=True)
class Color:
    """Colour a clip from its first frame in colour.

    The output has the clip's luma, size, depth, timing, colour tags and audio. A gray clip comes
    out as 4:2:0 (lossless: 4:4:4); a clip in colour is coloured anew from its luma. The file
    appears under its name when it is complete, and not at all if anything goes wrong.
    """

    clip: tyro.conf.Positional[Path]
    """The video to colour: what FFmpeg reads, in gray or YUV of 8 to 16 bits, not interlaced."""
    key: Path
    """The clip's first frame in colour: an image of any size, of the clip's aspect."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The video to write; its ending chooses the container: .mp4, .mkv, .mov."""
    model: str = DEFAULT_MODEL
    """A shipped model's name, or the folder of a model bundle."""
    provider: str = "auto"
    """What the model runs on: auto, cpu or cuda; auto is CUDA where it works, else the CPU."""
    size: int = 256
    """Short side, in pixels, of what the model sees; more is finer and slower."""
    codec: str = "auto"
    """libx264, libx265 or ffv1 (lossless); auto is the first of these that holds the format."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Replace the output if there is one."""
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show no progress and no summary."""


def color(options: Color) -> None:
    """Run ``vidcolor color``. Raises VidcolorError, and then leaves no output behind."""
    propagator = Propagator(Session.load(options.model, provider=options.provider))
    with Reader(options.clip) as reader:
        info = reader.info
        fit = Fit.of(info.height, info.width, options.size)
        coding = coding_of(info)
        key = read_key(options.key, info=info, matrix=coding.matrix)
        writer = Writer(
            options.output,
            like=reader,
            tags=tags_of(info.tags, coding),
            codec=options.codec,
            overwrite=options.overwrite,
        )
        start = perf_counter()
        with (
            writer,
            # None: shown on a terminal only.
            tqdm(total=info.frame_count, unit="frame", disable=options.quiet or None) as progress,
        ):
            count = colour_clip(
                reader, writer, key, propagator=propagator, fit=fit, progress=progress
            )
    if not options.quiet:
        speed = count / (perf_counter() - start)
        print(f"{options.output}: {count} frames, {speed:.1f} frames/s")


def colour_clip(
    reader: Reader,
    writer: Writer,
    key: Key,
    *,
    propagator: Propagator,
    fit: Fit,
    progress: tqdm[NoReturn],
) -> int:
    """Carry the key's colours through the clip, frame by frame; audio passes along.

    key: at any size. The first frame takes its colours as they are, all others the model's.
    Returns how many frames there were.
    """
    coding = coding_of(reader.info)
    layout = subsampling(writer.pixel_format), siting_of(reader.info.tags)
    painted = Grid(*key.luma.shape)
    state: State | None = None
    count = 0
    for item in reader:
        if not isinstance(item, Frame):
            writer.copy(item)
            continue
        luma = decode_luma(item.planes[0], coding)
        small = fit.down(luma)
        if state is None:
            state = propagator.begin(Key(small, fit.down_chroma(key.chroma, painted)))
            chroma = resample(key.chroma, painted, fit.grid(*layout))
        else:
            chroma, _, state = propagator.step(small, state)
            chroma = fit.up(chroma, small, luma, *layout)
        planes = (item.planes[0], *encode_chroma(chroma, coding))
        writer.write(planes, pts=item.pts, duration=item.duration)
        progress.update()
        count += 1
    return count


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status. Bad input is told in one sentence."""
    options = tyro.extras.subcommand_cli_from_dict(
        {"color": Color}, args=arguments, prog="vidcolor", description=DESCRIPTION
    )
    signal.signal(signal.SIGTERM, _terminate)
    try:
        color(options)
    except VidcolorError as error:
        print(f"vidcolor: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("vidcolor: interrupted, no output was written", file=sys.stderr)
        return INTERRUPTED
    return 0


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave as on an error, so that what is half written is removed."""
    raise SystemExit(128 + number)
