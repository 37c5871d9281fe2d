"""`python -m evaluation turing`: a web page on which people tell real colours from a model's.

The visual Turing test of the reports: two clips of the same footage side by side for a few seconds,
one as it was filmed, one coloured from its first frame alone; which is the real one? The share of
wrong answers is the fooling rate, 50 % where nobody could tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from tqdm import tqdm

from evaluation.clips import Clip, Codes, find_videos, load_clip
from evaluation.options import ClipOptions, TuringOptions
from evaluation.page import render_page
from evaluation.pictures import video_uri
from evaluation.predictors import Predictor, load
from evaluation.scores import frame_rgb, prediction_rgb
from vidcolor.errors import ArgumentError

_TEMPLATE = Path(__file__).with_name("turing.html.j2")
_CRF = 14
"""Both clips of a pair lose the same in the page, and hardly anything."""
_RATE_UNKNOWN = Fraction(25)


@dataclass(frozen=True)
class Pair:
    """A real clip and the same clip as the model coloured it."""

    clip: str
    video: str
    """An MP4's data URI: the real frames above the coloured ones. In one video they cannot fall out
    of step, as two that are played side by side do."""


def turing(options: TuringOptions) -> None:
    """Write the page, and say where it lies.

    Args:
        options: See `TuringOptions`.

    Raises:
        ArgumentError, BundleError, ...: Options, model or videos cannot be used.
    """
    _check(options)
    metadata, _ = load(options.bundle, options.provider, None)
    method = Predictor("propagation", metadata.name, options.bundle, options.provider)
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


def make_pair(name: str, path: Path, *, method: Predictor, options: TuringOptions) -> Pair:
    """Make the pair of one video, without its first frame, which is the same in both clips.

    Args:
        name: How the answers call the video.
        path: The video.
        method: What colours it.
        options: How long and how large the pair is.

    Returns:
        The pair.

    Raises:
        ArgumentError: The video cannot be decoded, or is too short to be coloured.
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


def _both(clip: Clip, method: Predictor) -> Iterator[Codes]:
    """Frames 1, 2, ...: the real one above the coloured one; an odd last row or column is cut."""
    height, width = (side - side % 2 for side in clip.luma.shape[1:])
    target = zip(clip.luma[1:], clip.chroma[1:], strict=True)
    for (luma, chroma), predicted in zip(target, method.predict(clip), strict=True):
        pair = frame_rgb(luma, chroma), prediction_rgb(luma, predicted)
        yield np.concatenate([rgb[:height, :width] for rgb in pair])


def render(pairs: Sequence[Pair], *, model: str, seconds: float) -> str:
    """Return the page as HTML.

    Args:
        pairs: In any order; the page draws its own.
        model: Whose colours they are.
        seconds: How long a pair is shown.
    """
    data = {"model": model, "seconds": seconds, "pairs": [asdict(pair) for pair in pairs]}
    return render_page(_TEMPLATE, data=data)


def _rate(path: Path) -> Fraction:
    with av.open(path) as container:
        streams = container.streams.video
        told = streams[0].average_rate or streams[0].guessed_rate if streams else None
    rate = told or _RATE_UNKNOWN
    return Fraction(rate.numerator, rate.denominator).limit_denominator(1001)


def _check(options: TuringOptions) -> None:
    """Raise ArgumentError for what can be seen to be wrong at once."""
    bounds = {"pairs": (1, 500), "seconds": (0.2, 60), "size": (16, 1080)}
    bounds |= {"seed": (0, 2**32 - 1)}
    for name, (least, most) in bounds.items():
        value = getattr(options, name)
        if not least <= value <= most:
            raise ArgumentError(f"{name} is {value:.10g}, {least:.10g} to {most:.10g} is accepted")
    if options.out.is_dir():
        raise ArgumentError(f"out: {options.out} is a folder, the page's file is needed")
    if options.out.suffix.lower() not in (".html", ".htm"):
        raise ArgumentError(f"out: {options.out} should end in .html, for browsers to open it")
