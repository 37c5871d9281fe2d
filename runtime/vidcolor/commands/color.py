"""``vidcolor color clip.mp4 --key first.png -o out.mp4``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, NoReturn

import tyro
from tqdm import tqdm

from vidcolor.bundle import DEFAULT_MODEL
from vidcolor.colour import decode_luma, encode_chroma
from vidcolor.encode import Writer
from vidcolor.fit import Fit
from vidcolor.keyimage import read_key
from vidcolor.paint import Paint
from vidcolor.planes import Key
from vidcolor.propagate import Propagator, State
from vidcolor.session import Session
from vidcolor.tags import coding_of, siting_of, tags_of
from vidcolor.video import Frame, Reader, subsampling


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
    """The clip's first frame in colour: an image of any size, of the clip's aspect. One that is
    painted in parts and else transparent is spread along the frame's luma."""
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

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no output behind."""
        propagator = Propagator(Session.load(self.model, provider=self.provider))
        with Reader(self.clip) as reader:
            info = reader.info
            fit = Fit.of(info.height, info.width, self.size)
            coding = coding_of(info)
            key = read_key(self.key, info=info, matrix=coding.matrix)
            writer = Writer(
                self.output,
                like=reader,
                tags=tags_of(info.tags, coding),
                codec=self.codec,
                overwrite=self.overwrite,
            )
            start = perf_counter()
            with (
                writer,
                # None: shown on a terminal only.
                tqdm(total=info.frame_count, unit="frame", disable=self.quiet or None) as progress,
            ):
                count = colour_clip(
                    reader, writer, key, propagator=propagator, fit=fit, progress=progress
                )
        if not self.quiet:
            speed = count / (perf_counter() - start)
            print(f"{self.output}: {count} frames, {speed:.1f} frames/s")


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

    key: at any size. The first frame takes its colours as they are, all others the model's; a key
    that is painted in parts is spread first.
    Returns how many frames there were.
    """
    coding = coding_of(reader.info)
    layout = subsampling(writer.pixel_format), siting_of(reader.info.tags)
    paint = Paint.of(key)
    state: State | None = None
    count = 0
    for item in reader:
        if not isinstance(item, Frame):
            writer.copy(item)
            continue
        luma = decode_luma(item.planes[0], coding)
        small = fit.down(luma)
        if state is None:
            first = paint.small(small, fit)
            state = propagator.begin(first)
            chroma = paint.full(first, luma, fit, fit.grid(*layout))
        else:
            chroma, _, state = propagator.step(small, state)
            chroma = fit.up(chroma, small, luma, *layout)
        planes = (item.planes[0], *encode_chroma(chroma, coding))
        writer.write(planes, pts=item.pts, duration=item.duration)
        progress.update()
        count += 1
    return count
