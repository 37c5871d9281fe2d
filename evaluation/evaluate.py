"""Models and baselines side by side on whole clips."""

from __future__ import annotations

import json
import platform
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, get_args
from zlib import crc32

import cv2
import numpy as np
import onnxruntime
from tqdm import tqdm

import vidcolor
from evaluation.baselines import BASELINES
from evaluation.clips import Clip, find_videos, load_clip, there_and_back
from evaluation.old_film import OldFilm
from evaluation.options import ClipOptions, EvaluateOptions, Kind, clips_folder
from evaluation.pictures import depict
from evaluation.predictors import MODES, PER_FRAME, Predictor, load, load_colorizer
from evaluation.provenance import provenance
from evaluation.report import html_report, markdown_table, to_json
from evaluation.scores import Scorer, Scores
from evaluation.summary import Evaluation, summarise
from vidcolor.errors import ArgumentError
from vidcolor.inference.contract import Metadata

RESULTS, TABLE, REPORT = "evaluation.json", "table.md", "report.html"


def evaluate(options: EvaluateOptions) -> Evaluation:
    """Run everything and write the results into the folder `options.out`.

    Args:
        options: See `EvaluateOptions`.

    Returns:
        All that was measured.

    Raises:
        ArgumentError, BundleError, ...: Options, models or videos cannot be used; before any work.
    """
    _check(options)
    folder = clips_folder(options)
    predictors, models = _predictors(options)
    videos = _decode(folder, _clip_options(options))
    measured = list(_score_all(videos, predictors, options))
    evaluation = collect(measured, predictors=predictors, models=models, options=asdict(options))
    _write(evaluation, options, dict(videos))
    return evaluation


def collect(
    measured: Sequence[Scored],
    *,
    predictors: Sequence[Predictor],
    models: Mapping[str, Metadata],
    options: Mapping[str, object],
) -> Evaluation:
    """Put together what the report shows.

    Args:
        measured: What `score_clip` found, clip by clip.
        predictors: What ran.
        models: By label, what each model's bundle says of itself.
        options: What the command was told; `size`, `frames` and `workers` at least.

    Returns:
        The evaluation, with the command line of this process.
    """
    clips = {scored.clip: scored.scores for scored in measured}
    summaries = {p.label: summarise(clips, p.label) for p in predictors}
    if options.get("passes", 1) != 1:  # frame 60 is not so far from the key, then
        summaries = {name: replace(s, error_growth=None) for name, s in summaries.items()}
    return Evaluation(
        command=shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]]),
        versions=versions(),
        provenance=provenance(),
        options=json.loads(json.dumps(options, default=str)),
        models={label: asdict(metadata) for label, metadata in models.items()},
        predictors=predictors,
        summaries=summaries,
        true_cdc=float(np.mean([scored.true_cdc for scored in measured])),
        clips=clips,
    )


def main(options: EvaluateOptions) -> None:
    """Evaluate, print the table, and say where the report lies and what to do with it.

    Args:
        options: See `EvaluateOptions`.

    Raises:
        VidcolorError: As `evaluate`.
    """
    evaluation = evaluate(options)
    print(markdown_table(evaluation))
    print(f"\nReport with curves and pictures: {options.out / REPORT} (open it in a browser)")
    print(f"All figures, frame by frame: {options.out / RESULTS}")


class Scored(NamedTuple):
    """One clip with every method's scores."""

    clip: str
    """Its name."""
    scores: dict[str, Scores]
    """By method's label."""
    true_cdc: float
    """The true frames' colour distribution consistency."""


def score_clip(clip: Clip, *, predictors: Sequence[Predictor]) -> Scored:
    """Run every method on a clip and score it.

    Args:
        clip: Frame 0 is the key.
        predictors: The methods.

    Returns:
        The scores by method.
    """
    scorer = Scorer(clip)
    scores = {p.label: scorer.score(p.predict(clip)) for p in predictors}
    return Scored(clip.name, scores, scorer.true_cdc())


def _score_all(
    videos: Sequence[tuple[str, Path]],
    predictors: Sequence[Predictor],
    options: EvaluateOptions,
) -> Iterator[Scored]:
    def score(video: tuple[str, Path]) -> Scored:
        return score_clip(_load(*video, options), predictors=predictors)

    # Threads do: what takes time is NumPy, OpenCV and onnxruntime, which let others run meanwhile.
    with ThreadPoolExecutor(options.workers) as pool:
        yield from tqdm(pool.map(score, videos), desc="evaluating", total=len(videos), unit="clip")


def _check(options: EvaluateOptions) -> None:
    least = {"size": 16, "frames": 2, "passes": 1, "workers": 1, "pictures": 0}
    for name, minimum in least.items():
        if getattr(options, name) < minimum:
            raise ArgumentError(
                f"{name} is {getattr(options, name)}, whole numbers from {minimum} are accepted"
            )
    for name in ("flicker", "grain"):
        if not 0 <= getattr(options, name) <= 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, 0 to 1 are accepted")
    if not options.methods:
        raise ArgumentError(f"methods is empty, some of {', '.join(get_args(Kind))} are needed")


def _predictors(options: EvaluateOptions) -> tuple[list[Predictor], dict[str, Metadata]]:
    """What to run, baselines first, and what each model's bundle says of itself."""
    asked = [kind.replace("-", " ") for kind in dict.fromkeys(options.methods)]
    threads = options.threads or (1 if options.workers > 1 else None)
    models: dict[str, Metadata] = {}
    predictors = [Predictor(kind) for kind in asked if kind in BASELINES]
    if options.colorizer is not None:
        load_colorizer(options.colorizer, options.provider, threads)  # told now if it is none
        bundle = options.colorizer
        predictors.append(Predictor(PER_FRAME, "", bundle, options.provider, threads))
    for bundle in options.bundles:
        metadata = load(bundle, options.provider, threads)[0]
        label = metadata.name
        if label in models or label in BASELINES or label == PER_FRAME:
            raise ArgumentError(
                f"bundles holds a second method called {label!r}, each must have a name of its own"
            )
        models[label] = metadata
        predictors += [
            Predictor(kind, label, bundle, options.provider, threads)
            for kind in asked
            if kind in MODES
        ]
    if not predictors:
        raise ArgumentError(
            "bundles is empty, methods holds no baseline, no colorizer is given: nothing would run"
        )
    return predictors, models


def _decode(folder: Path, options: ClipOptions) -> list[tuple[str, Path]]:
    """Decode every video into the cache, so that a broken one shows before the long work."""
    videos = [(name, path) for path, name in find_videos([folder])]
    for name, path in tqdm(videos, desc="decoding", unit="video"):
        try:
            frames = len(load_clip(path, name=name, options=options))
        except (OSError, ValueError) as error:  # av's errors are among both
            raise ArgumentError(f"clips: {path} cannot be decoded ({error})") from error
        if frames < 2:
            raise ArgumentError(f"clips: {path} has one frame, at least a key and one are needed")
    return videos


def _load(name: str, path: Path, options: EvaluateOptions) -> Clip:
    """A video as it is measured."""
    clip = load_clip(path, name=name, options=_clip_options(options))
    clip = there_and_back(clip, options.passes)
    if not (options.flicker or options.grain):
        return clip
    film = OldFilm(crc32(name.encode()), grain=options.grain, flicker=options.flicker)
    luma = np.stack([film.degrade(codes, frame) for frame, codes in enumerate(clip.luma)])
    return replace(clip, luma=luma)


def _clip_options(options: EvaluateOptions) -> ClipOptions:
    return ClipOptions(size=options.size, max_frames=options.frames, cache=options.cache)


def versions() -> dict[str, str]:
    """Return the versions of what the figures may depend on, by package."""
    names = {
        "vidcolor": vidcolor.__version__,
        "onnxruntime": onnxruntime.__version__,
        "opencv": cv2.__version__,
        "python": platform.python_version(),
    }
    return names | {name: version(name) for name in ("numpy", "scikit-image", "scipy", "av")}


def _write(
    evaluation: Evaluation,
    options: EvaluateOptions,
    videos: dict[str, Path],
) -> None:
    """The three files, the figures first. The clips shown are predicted once more: to keep
    the frames of all would fill memory.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / RESULTS).write_text(to_json(evaluation), encoding="utf-8")
    (options.out / TABLE).write_text(markdown_table(evaluation) + "\n", encoding="utf-8")
    shown = list(evaluation.worst_first())[: options.pictures]
    pictures = [
        depict(
            _load(name, videos[name], options),
            evaluation.predictors,
            subject=evaluation.subject,
        )
        for name in tqdm(shown, desc="pictures", unit="clip")
    ]
    (options.out / REPORT).write_text(html_report(evaluation, pictures), encoding="utf-8")
