"""`python -m training turing`: a web page on which people tell real colours from carried ones.

The visual Turing test of the reports: two clips of the same footage side by side for a few seconds,
one as it was filmed, one coloured from its first frame alone; which is the real one? The share of
wrong answers is the fooling rate, 50 % where nobody could tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import av
import jinja2
import numpy as np
import tyro
from tqdm import tqdm

from evaluation.clips import Clip, ClipOptions, Codes, find_videos, load_clip
from evaluation.help_text import manual
from evaluation.methods import Method, load
from evaluation.pictures import video_uri
from evaluation.scores import frame_rgb, painted_rgb
from vidcolor.errors import ArgumentError

_TEMPLATE = Path(__file__).with_name("turing.html.j2")
_CRF = 14
"""Both clips of a pair lose the same in the page, and hardly anything."""
_RATE_UNKNOWN = Fraction(25)


@manual
@dataclass(frozen=True)
class TuringOptions:
    """Make a web page that tests whether people can tell a model's colours from the real ones.

    The page is one file that needs no other and no network. It shows pairs of clips, one real, one
    coloured from its first frame, asks which is the real one, saves the answers to a file, and
    shows the fooling rate with its confidence interval.
    """

    clips: Path
    """Folder that is searched for videos in colour, subfolders too."""
    bundle: str = "flagship"
    """Name of a shipped model, or path of a bundle."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))] = Path("turing.html")
    """File that the page is written to."""
    pairs: int = 20
    """Pairs that are shown, each of another video; fewer where there are not so many."""
    seconds: float = 3.0
    """How long a pair is shown; shorter clips start again."""
    size: int = 256
    """Short side of the clips in pixels; the aspect is kept."""
    seed: int = 0
    """Which videos are drawn. The order of the pairs and the sides are drawn by the page, with a
    seed of its own that is saved with the answers."""
    provider: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model runs."""
    cache: Path = ClipOptions.cache
    """Folder for decoded videos."""


@dataclass(frozen=True)
class Pair:
    """A clip twice."""

    clip: str
    video: str
    """An MP4's data URI: the real frames above the coloured ones. In one video they cannot fall out
    of step, as two that are played side by side do."""


def turing(options: TuringOptions) -> None:
    """Write the page, and say where it lies.

    Raises ArgumentError, BundleError, ... before any long work for what cannot be used.
    """
    _check(options)
    metadata, _ = load(options.bundle, options.provider, None)
    method = Method("propagation", metadata.name, options.bundle, options.provider)
    found = [(name, path) for path, name in find_videos([options.clips])]
    drawn = np.random.default_rng(options.seed).permutation(len(found))[: options.pairs]
    pairs = [
        make_pair(*found[index], method=method, options=options)
        for index in tqdm(sorted(drawn), desc="colouring", unit="clip", disable=None)
    ]
    page = render(pairs, model=metadata.name, seconds=options.seconds)
    partial = options.out.with_name(f"{options.out.name}.part")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(page, encoding="utf-8")
    partial.replace(options.out)
    print(options.out)


def make_pair(name: str, path: Path, *, method: Method, options: TuringOptions) -> Pair:
    """A pair of a video's frames, without the first frame, which is the same in both.

    ArgumentError when it cannot be decoded, or is too short to be coloured.
    """
    try:
        rate = _rate(path)
        frames = 1 + max(2, round(options.seconds * rate))
        clip = load_clip(
            path,
            name=name,
            options=ClipOptions(size=options.size, max_frames=frames, cache=options.cache),
        )
    except (OSError, ValueError) as error:  # av's errors are among both
        raise ArgumentError(f"clips: {path} cannot be decoded ({error})") from error
    if len(clip) < 3:
        raise ArgumentError(
            f"clips: {path} has {len(clip)} frames; a key and two to colour are needed"
        )
    return Pair(clip=name, video=video_uri(_both(clip, method), rate=rate, crf=_CRF))


def _both(clip: Clip, method: Method) -> Iterator[Codes]:
    """Frames 1, 2, ...: the real one above the coloured one; an odd last row or column is cut."""
    height, width = (side - side % 2 for side in clip.luma.shape[1:])
    truth = zip(clip.luma[1:], clip.chroma[1:], strict=True)
    for (luma, chroma), painted in zip(truth, method.paint(clip), strict=True):
        pair = frame_rgb(luma, chroma), painted_rgb(luma, painted)
        yield np.concatenate([rgb[:height, :width] for rgb in pair])


def render(pairs: Sequence[Pair], *, model: str, seconds: float) -> str:
    """The page."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    data = {"model": model, "seconds": seconds, "pairs": [asdict(pair) for pair in pairs]}
    return template.render(data=data)


def _rate(path: Path) -> Fraction:
    with av.open(path) as container:
        streams = container.streams.video
        rate = streams[0].average_rate or streams[0].guessed_rate if streams else None
    return Fraction(rate or _RATE_UNKNOWN).limit_denominator(1001)


def _check(options: TuringOptions) -> None:
    """Raise ArgumentError for what can be seen to be wrong at once."""
    bounds = {"pairs": (1, 500), "seconds": (0.2, 60), "size": (16, 1080)}
    for name, (least, most) in bounds.items():
        value = getattr(options, name)
        if not least <= value <= most:
            raise ArgumentError(f"{name} is {value:g}, {least:g} to {most:g} is accepted")
    if options.out.is_dir():
        raise ArgumentError(f"out: {options.out} is a folder, the page's file is needed")
