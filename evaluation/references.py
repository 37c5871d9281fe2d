"""Shots coloured from pictures of other shots of the same video: what references are worth.

Every shot is coloured from the middle frame of each of the video's other shots, of the nearest one
alone, and by what else there is where nobody has painted a key: no colour, the nearest shot's
middle frame unmoved, and an image colorizer. Beside them stands what a key is worth: the shot's own
first frame, alone and with the nearest reference remembered beside it.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from evaluation.clips import CODING, Clip, find_videos, load_clip
from evaluation.metrics import psnr
from evaluation.options import ClipOptions, ReferenceOptions, clips_folder
from evaluation.predictors import Prediction, key_frame, load, load_colorizer
from evaluation.provenance import provenance
from evaluation.scores import frame_rgb, prediction_rgb
from vidcolor.errors import ArgumentError
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator
from vidcolor.references import MOST_REFERENCES, fit_reference
from vidcolor.working_size import WorkingSize

GRAY, HOLD, COLORIZER = "gray", "hold", "colorizer"
ONE, ALL = "nearest reference", "all references"
KEY, BOTH = "own key", "own key and reference"
METHODS = (GRAY, HOLD, COLORIZER, ONE, ALL, KEY, BOTH)
RESULTS, TABLE = "references.json", "references.md"

_NUMBER = re.compile(r"[_-]?\d+$")
"""What the names of shots of one video differ by."""


def main(options: ReferenceOptions) -> None:
    """Measure, print the table, and write it and all figures into the folder `options.out`.

    Raises:
        ArgumentError: The videos cannot be used.
    """
    if options.frames < 2:
        raise ArgumentError(f"frames is {options.frames}, whole numbers from 2 are accepted")
    clip_options = ClipOptions(size=options.size, cache=options.cache)
    videos = group(find_videos([clips_folder(options)]), options.manifest)
    _, propagator = load(options.bundle, options.provider, options.threads)
    colorizer = load_colorizer(options.colorizer, options.provider, options.threads)
    figures: dict[str, dict[str, float]] = {}
    for shots in tqdm(list(videos.values()), desc="measuring", unit="video"):
        clips = [load_clip(path, name=name, options=clip_options) for name, path in shots]
        for place, clip in enumerate(clips):
            frames = list(islice(range(len(clip)), options.frames))
            guesses = (colorizer.color(clip.luma_plane(t), matrix=CODING.matrix) for t in frames)
            others = [*reversed(clips[:place]), *clips[place + 1 :]]
            figures[clip.name] = {
                **measure(propagator, clip, others, frames),
                COLORIZER: _score(clip, frames, guesses),
            }
    table = markdown(figures)
    options.out.mkdir(parents=True, exist_ok=True)
    content = {"options": json.loads(json.dumps(asdict(options), default=str))}
    content |= {"provenance": provenance(), "psnr": figures}
    (options.out / RESULTS).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (options.out / TABLE).write_text(table + "\n", encoding="utf-8")
    print(table)


def group(
    videos: Iterator[tuple[Path, str]], manifest: Path | None
) -> dict[str, list[tuple[str, Path]]]:
    """The shots of each video that has several: name and path of each, in order.

    Args:
        videos: Path and name of each shot.
        manifest: A table of all shots with the columns file, source_repo and path_in_repo; shots
            where the latter two are the same are of one video. None goes by the names, which must
            then differ by a number at their ends alone.

    Raises:
        ArgumentError: No video has two shots, or the table cannot be read.
    """
    sources = {} if manifest is None else _sources(manifest)
    found: dict[str, list[tuple[str, Path]]] = {}
    for path, name in videos:
        stem = _NUMBER.sub("", path.with_suffix("").as_posix())
        found.setdefault(sources.get(path.name, stem), []).append((name, path))
    several = {video: shots for video, shots in found.items() if len(shots) > 1}
    if not several:
        raise ArgumentError(
            "clips: no video has two shots there; shots of one video are files whose names differ "
            "by a number at the end, such as film_001.mp4 and film_002.mp4"
        )
    return several


def measure(
    propagator: Propagator, clip: Clip, others: Sequence[Clip], frames: Sequence[int]
) -> dict[str, float]:
    """PSNR in dB, the mean over frames, of a shot that is coloured from other shots.

    Args:
        propagator: The model.
        clip: The shot.
        others: The other shots, the nearest first.
        frames: Those of the shot that are coloured, from 0. The first is not scored: it is the key
            of those methods that have one.
    """
    height, width = clip.luma.shape[1:]
    working_size = WorkingSize.of(height, width, min(height, width))
    pictures = [
        fit_reference(key_frame(other, len(other) // 2), working_size)
        for other in others[:MOST_REFERENCES]
    ]
    nothing = np.zeros_like(pictures[0].chroma)

    def score(*keys: Key, references: Sequence[Key] = ()) -> float:
        colors = _colored(propagator, clip, keys, references, frames)
        return _score(clip, frames, colors)

    key = key_frame(clip, 0)
    return {
        GRAY: _score(clip, frames, (nothing for _ in frames)),
        HOLD: _score(clip, frames, (pictures[0].chroma for _ in frames)),
        ONE: score(references=pictures[:1]),
        ALL: score(references=pictures),
        KEY: score(key),
        BOTH: score(key, references=pictures[:1]),
    }


def markdown(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The figures as a table: a row for each shot, one for the mean, and one of shots won."""
    rows = [[name, *(f"{scores[m]:.2f}" for m in METHODS)] for name, scores in figures.items()]
    means = [np.mean([scores[m] for scores in figures.values()]) for m in METHODS]
    rows.append([f"mean of {len(figures)}", *(f"{mean:.2f}" for mean in means)])
    for rival in (GRAY, COLORIZER):
        wins = [sum(s[m] > s[rival] for s in figures.values()) for m in METHODS]
        rows.append([f"shots better than {rival}", *map(str, wins)])
    head = ["PSNR in dB", *METHODS]
    lines = [head, ["---", *("---:" for _ in METHODS)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _colored(
    propagator: Propagator,
    clip: Clip,
    keys: Sequence[Key],
    references: Sequence[Key],
    frames: Sequence[int],
) -> Iterator[Plane]:
    """Chroma of the frames; of the first one, the key's, if there is one."""
    state = propagator.init_state(*keys, references=references)
    if keys:
        yield keys[0].chroma
    else:
        state = propagator.reset_state(state)
    lumas = (clip.luma_plane(t) for t in frames[len(keys) :])
    for step in propagator.run(lumas, state):
        yield step.chroma


def _score(clip: Clip, frames: Sequence[int], chroma: Iterator[Plane]) -> float:
    values = [
        psnr(
            prediction_rgb(clip.luma[t], Prediction(planes, None, 0)),
            frame_rgb(clip.luma[t], clip.chroma[t]),
        )
        for t, planes in islice(zip(frames, chroma, strict=True), 1, None)
    ]
    return float(np.mean(values))


def _sources(manifest: Path) -> dict[str, str]:
    """File's name -> what video it is of."""
    try:
        with manifest.open(newline="", encoding="utf-8") as file:
            return {
                Path(row["file"]).name: f"{row['source_repo']}/{row['path_in_repo']}"
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise ArgumentError(
            f"manifest: {manifest} cannot be read ({error}), a CSV file with the columns file, "
            "source_repo and path_in_repo is needed"
        ) from error
