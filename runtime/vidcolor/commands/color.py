"""``vidcolor color film.mp4 --keys keys/ -o out.mp4``: what it can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vidcolor.commands.command_line import Switch, help_text
from vidcolor.inference.bundle import DEFAULT_MODEL
from vidcolor.inference.known_providers import ProviderName


@help_text
@dataclass(frozen=True)
class KeyOptions:
    """What the film takes its colours from: --keys, --key or a --reference is needed."""

    folder: Annotated[Path | None, tyro.conf.arg(name="keys", metavar="FOLDER")] = None
    """A folder of frames in colour, images named by their numbers, from 0: 000240.png. For several
    films it holds a folder for each, named as the film without its ending."""
    image: Annotated[Path | None, tyro.conf.arg(name="key", metavar="IMAGE|auto")] = None
    """In place of --keys: the first frame in colour, an image of any size, of the clip's aspect; or
    'auto', to have an image colorizer colour it."""
    reference: Annotated[
        tyro.conf.UseAppendAction[tuple[Path, ...]], tyro.conf.arg(metavar="IMAGE")
    ] = ()
    """A picture in colour that shows no frame of the film, such as a still of another shot or a
    photograph. Shots without a key are coloured by likeness to it. It may be given several times,
    and without any key."""
    any_key: Switch = False
    """Take keys also where they do not look like their frames."""
    whole_keys: Switch = False
    """Take keys that are mostly gray whole. Without it, one that looks like a gray frame with
    strokes of paint on it is taken for that, and the strokes are spread over the frame."""
    key_name: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """What the images in --keys are called, with {frame} for the frame's number:
    "ref_{frame}.png". By default a number, alone or beside a word such as ref or painted."""
    key_range: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="FRAME:FIRST-LAST")
    ] = ()
    """The frames that a key holds for: 240:200-299 is of the key of frame 240. It colours these
    alone, over cuts too, and no other key does. It may be given several times, without overlap."""
    unkeyed: Literal["guess", "gray", "auto"] = "guess"
    """What becomes of a shot without a key: guess colours it by the likeness of what it shows to
    what the nearest keys of other shots show, gray leaves it gray, auto has the colorizer paint its
    best frame, which is its key then."""
    colorizer: Annotated[str, tyro.conf.arg(metavar="NAME|FILE")] = "stills-2"
    """What colours frames where 'auto' is asked for: a shipped colorizer's name, or an ONNX file,
    such as an export of DDColor; see docs/colorizer.md."""


@help_text
@dataclass(frozen=True)
class ShotOptions:
    """Where shots begin, and which frames to colour."""

    scenes: Annotated[str | None, tyro.conf.arg(metavar="auto|none|FILE")] = None
    """Where shots begin, over which nothing is carried: auto (found by PySceneDetect), none, or a
    text file with the number of each shot's first frame, such as `vidcolor shots` writes. Default:
    none with --key alone, else auto."""
    direction: Literal["forward", "backward", "both"] = "both"
    """From which keys of its shot a frame is coloured: the last one before it, the next one after
    it, or both."""
    frames: Annotated[str | None, tyro.conf.arg(name="range", metavar="FIRST-LAST")] = None
    """Only these frames, such as 240-479, in the colours that they have in the whole film."""
    only_shot: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Only this shot, counted from 1."""


@help_text
@dataclass(frozen=True)
class ModelOptions:
    """What computes the colours, and where."""

    model: Annotated[str, tyro.conf.arg(metavar="NAME|FOLDER")] = DEFAULT_MODEL
    """A shipped model's name, or the folder of a model bundle."""
    provider: ProviderName = "auto"
    """What the model runs on; auto is CUDA where it works, else the CPU. The others come
    with other onnxruntime packages, see docs/platforms.md."""
    precision: Literal["auto", "float32", "float16", "int8"] = "auto"
    """What the model computes in; int8 is for CPUs, where the model has it. auto is float16 on
    CUDA, int8 on a CPU where the model has it, else float32; on other providers see
    docs/platforms.md."""
    size: Annotated[int, tyro.conf.arg(metavar="PIXELS")] = 256
    """Short side of what the model sees; more is finer and slower."""
    jobs: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """How many segments between keys to colour at a time; the colours are the same."""
    cluster: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS|local")] = None
    """Colour on the machines of a Ray cluster: its address, or local to try it on this one."""


@help_text
@dataclass(frozen=True)
class FinishOptions:
    """How finished colours are changed. Nothing is coloured anew for it."""

    saturation: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="[FIRST-LAST:]FACTOR")
    ] = ()
    """What they are multiplied by: 0.8, or for some frames 240-479:0.8. It may be given several
    times."""
    hue: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="[FIRST-LAST:]DEGREES")
    ] = ()
    """Degrees by which they are turned, from blue towards red; for all or some frames, as
    --saturation."""
    blend: Annotated[str | None, tyro.conf.arg(metavar="FILM:SHARE")] = None
    """The same film as something else has coloured it, and its share of the colours:
    other.mkv:0.3."""


@help_text
@dataclass(frozen=True)
class OutputOptions:
    """How the output is written, and what is kept."""

    codec: Literal["auto", "libx264", "libx265", "h264-420", "ffv1", "prores", "dnxhr"] = "auto"
    """auto is the first of libx264, libx265 and ffv1 that holds the film's format. h264-420 is
    H.264 of 8 bits in 4:2:0, with its index in front: what browsers and phones play. ffv1 is
    lossless. prores and dnxhr are for editing systems."""
    crf: Annotated[float | None, tyro.conf.arg(metavar="0-51")] = None
    """Quality of the x264 and x265 encoders, less is better and larger. Default: 12 for libx264, 18
    for libx265, 16 for h264-420, 23 for a --preview."""
    preset: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Speed of the same, from ultrafast to veryslow; slower is smaller. Default: veryfast for
    libx264 and a --preview, medium for libx265 and h264-420."""
    codec_options: Annotated[str, tyro.conf.arg(metavar="NAME=VALUE,...")] = ""
    """Any other of FFmpeg's options for the encoder, such as tune=film,g=48."""
    preview: Switch = False
    """A quick look: a small video, coarsely coloured."""
    no_audio: Switch = False
    """Leave the film's sound out."""
    overwrite: Switch = False
    """Replace whatever has the output's name. What was made of the same clip before, with the
    same frames, and was not changed since, is replaced anyway, and so is a --preview."""
    keep: Annotated[str, tyro.conf.arg(metavar="SIZE")] = "10G"
    """How much of the disk finished parts may take when the output is complete, such as 500M; the
    oldest go first. `vidcolor clean` removes them."""


@help_text
@dataclass(frozen=True)
class Color:
    """Colour a film, or several, from some of their frames in colour.

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
        vidcolor color reel1.mkv reel2.mkv --keys keys/ --output-folder out/
        vidcolor color job.toml
    """

    films: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="FILM ... | JOB.toml")
    ] = ()
    """The videos to colour: what FFmpeg reads, in gray or YUV of 8 to 16 bits, not interlaced. Or a
    job file, which holds films and options: films = ["film.mkv"], keys = "keys/", and so on."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="FILE")] = None
    """The video to write; its ending chooses the container: .mp4, .mkv, .mov."""
    output_folder: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """For several films, in place of --output: a folder in which each output has its film's name,
    in .mkv where the film's own ending is not written. It is made if there is none."""
    progressive: Switch = False
    """Take frames that are flagged as interlaced for progressive ones, as films on PAL discs and
    scans in ProRes often are; where they are interlaced all the same, colours smear."""
    quiet: Switch = False
    """Show no progress, no notes and no summary."""
    keys: Annotated[KeyOptions, tyro.conf.arg(name="key")] = field(default_factory=KeyOptions)
    shots: Annotated[ShotOptions, tyro.conf.arg(name="shot")] = field(default_factory=ShotOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    finish: FinishOptions = field(default_factory=FinishOptions)
    writing: Annotated[OutputOptions, tyro.conf.arg(name="output")] = field(
        default_factory=OutputOptions
    )

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no output behind."""
        import_module("vidcolor.commands.color_films").color_films(self)
