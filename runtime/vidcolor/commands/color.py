"""``vidcolor color film.mp4 --keys keys/ -o out.mp4``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Literal, cast

import tyro

from vidcolor.commands.choices import parse_range, parse_size, read_scenes
from vidcolor.commands.progress import ProgressBars
from vidcolor.errors import ArgumentError
from vidcolor.film.color_video import Scenes, color_video
from vidcolor.film.key_folder import find_keys
from vidcolor.film.output import work_folder
from vidcolor.inference.bundle import DEFAULT_MODEL
from vidcolor.inference.colorizer import DEFAULT_COLORIZER
from vidcolor.key.auto import AUTO as AUTO_KEY
from vidcolor.media.codecs import AUTO
from vidcolor.media.names import printable


@dataclass(frozen=True)
class Color:
    """Colour a film from some of its frames in colour.

    Paint frames of the film and put them into a folder, each named by its frame's number, or give
    the first one alone with --key. From them colours are carried through their shots. The output
    has the film's luma, size, depth, timing, colour tags, audio, subtitles and chapters. A gray
    film comes out as 4:2:0 (lossless: 4:4:4); one in colour is coloured anew from its luma.

    The output appears under its name when it is complete. Finished parts are kept in a folder
    beside it, OUTPUT.vidcolor: a job that was stopped goes on when it is started again, and with
    one more key, or another change, only the frames that this changes are coloured anew.

    For example:

        vidcolor color clip.mp4 --key first.png -o out.mp4
        vidcolor color film.mkv --keys keys/ -o out.mkv
        vidcolor color film.mkv --keys keys/ -o look.mp4 --preview
    """

    clip: tyro.conf.Positional[Path]
    """The video to colour: what FFmpeg reads, in gray or YUV of 8 to 16 bits, not interlaced."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The video to write; its ending chooses the container: .mp4, .mkv, .mov."""
    keys: Path | None = None
    """A folder of frames in colour, images named by their numbers, from 0: 000240.png."""
    key: Path | None = None
    """In place of --keys: the first frame in colour, an image of any size, of the clip's aspect; or
    'auto', to have an image colorizer colour it."""
    any_key: tyro.conf.FlagCreatePairsOff[bool] = False
    """Take keys also where they do not look like their frames."""
    scenes: str | None = None
    """Where shots begin, over which nothing is carried: auto (found by PySceneDetect), none, or a
    text file with the number of each shot's first frame. Default: auto with --keys, else none."""
    direction: Literal["forward", "backward", "both"] = "both"
    """From which keys of its shot a frame is coloured: the last one before it, the next one after
    it, or both."""
    frames: Annotated[str | None, tyro.conf.arg(name="range")] = None
    """Only these frames, such as 240-479, in the colours that they have in the whole film."""
    only_shot: int | None = None
    """Only this shot, counted from 1."""
    preview: tyro.conf.FlagCreatePairsOff[bool] = False
    """A quick look: a small video, coarsely coloured."""
    model: str = DEFAULT_MODEL
    """A shipped model's name, or the folder of a model bundle."""
    colorizer: str = DEFAULT_COLORIZER
    """What colours the first frame when the key is 'auto': a shipped colorizer's name, or an ONNX
    file, such as an export of DDColor; see docs/colorizer.md."""
    provider: str = "auto"
    """What the model runs on: auto, cpu or cuda; auto is CUDA where it works, else the CPU."""
    precision: str = "auto"
    """What the model computes in: float32, float16, int8 (on CPUs, where the model has it), or
    auto: float16 on CUDA, int8 on a CPU where the model has it, else float32."""
    size: int = 256
    """Short side, in pixels, of what the model sees; more is finer and slower."""
    jobs: int = 1
    """How many segments between keys to colour at a time; the colours are the same."""
    cluster: str | None = None
    """Colour on the machines of a Ray cluster: its address, or local to try it on this one."""
    codec: str = AUTO
    """libx264, libx265, ffv1 (lossless), prores or dnxhr; auto is the first of the former three
    that holds the format."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Replace whatever has the output's name. What was made of the same clip before, and was not
    changed since, is replaced anyway."""
    keep: str = "10G"
    """How much of the disk finished parts may take when the output is complete, such as 500M; the
    oldest go first. `vidcolor clean` removes them."""
    progressive: tyro.conf.FlagCreatePairsOff[bool] = False
    """Take frames that are flagged as interlaced for progressive ones, as films on PAL discs and
    scans in ProRes often are; where they are interlaced all the same, colours smear."""
    no_audio: tyro.conf.FlagCreatePairsOff[bool] = False
    """Leave the film's sound out."""
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show no progress, no notes and no summary."""

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no output behind."""
        if self.key is not None and self.keys is None:
            keys: str | Path | dict[int, Path] = (
                AUTO_KEY if self.key == Path(AUTO_KEY) else self.key
            )
        elif self.keys is not None and self.key is None:
            keys = find_keys(self.keys, note=self._note)
        else:
            raise ArgumentError("keys: a folder --keys or one image --key is needed, and not both")
        start = perf_counter()
        with ProgressBars(quiet=self.quiet) as progress, self._told_when_stopped():
            report = color_video(
                self.clip,
                keys=keys,
                output=self.output,
                scenes=self._scenes,
                direction=self.direction,
                frames=None if self.frames is None else parse_range(self.frames),
                only_shot=self.only_shot,
                preview=self.preview,
                model=self.model,
                colorizer=self.colorizer,
                provider=self.provider,
                precision=self.precision,
                size=self.size,
                jobs=self.jobs,
                cluster=self.cluster,
                codec=self.codec,
                overwrite=self.overwrite,
                keep=parse_size(self.keep),
                skip_key_check=self.any_key,
                progressive=self.progressive,
                audio=not self.no_audio,
                progress=progress,
                note=self._note,
            )
        if not self.quiet:
            count = len(report.confidence)
            speed = count / (perf_counter() - start)
            print(f"{printable(str(self.output))}: {count} frames, {speed:.1f} frames/s")

    @property
    def _scenes(self) -> Scenes | None:
        if self.scenes is None or self.scenes in ("auto", "none"):
            return cast("Scenes | None", self.scenes)
        return read_scenes(Path(self.scenes))

    @contextmanager
    def _told_when_stopped(self) -> Iterator[None]:
        """Says that nothing is lost, to somebody who stops the work."""
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            folder = work_folder(self.output)
            if folder.is_dir():
                text = f"the same command goes on from what is finished, in {folder}"
                print(f"vidcolor: note: {text}", file=sys.stderr)
            raise

    def _note(self, text: str) -> None:
        if not self.quiet:
            print(f"vidcolor: note: {printable(text)}", file=sys.stderr)
