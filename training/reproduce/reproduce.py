"""`python -m training reproduce`: the reports' experiments, from a folder of videos to a report."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from evaluation.clips import Clip, find_videos, load_clip, load_split
from evaluation.evaluate import RESULTS as EVALUATION
from evaluation.evaluate import collect, score_clip
from evaluation.options import ClipOptions
from evaluation.pictures import depict
from evaluation.predictors import PER_FRAME, Predictor, load, load_colorizer
from evaluation.report import to_json
from evaluation.summary import Evaluation
from training.checkpoint import read_config
from training.reproduce.findings import Measured, find
from training.reproduce.options import COMPARED, REPORTS, SHIPPED, ReproduceOptions
from training.reproduce.probes import Probe
from training.reproduce.report import Reproduction, html, markdown, results
from training.reproduce.runs import TrainingRun, TrainingRuns
from training.run_log import CHECKPOINT, read_losses
from training.systems import STEPS, SYSTEMS
from vidcolor.errors import ArgumentError

REPORT, TABLE, RESULTS = "report.html", "table.md", "results.json"
BASELINES = ("gray", "hold", "flow chain")
TRACKED = 5
"""Frames across which it is asked what a model does with what moved: dt = 5's own distance."""
SPARE = 2
"""Held-out videos that are decoded for each that is measured, since some may be too short."""
MOST_FRAMES = 120
"""As the evaluation has it, so that both use the same decoded clips."""


@dataclass(frozen=True)
class Scale:
    """What differs between the reports' scale and --quick."""

    width: float
    crop: int
    learning_rate: float | None
    minutes: float | None
    steps: int | None
    clips: int | None
    asked: int
    """Frames of each clip that a probe asks about."""
    arguments: dict[str, tuple[str, ...]]
    """More arguments of a system's generator."""


FULL = Scale(1.0, 256, None, None, STEPS, None, 16, {})
QUICK = Scale(
    0.125, 128, 1e-3, 6.5, None, 8, 5, {"similarity": ("similarity_width=8", "match_width=32")}
)
"""Learning rate and widths as `seeds` was trained with (EXPERIMENTS.md, 1); the minutes of six
models, their export and the evaluation make an hour of one core."""


@dataclass(frozen=True)
class Material:
    """The videos."""

    folders: tuple[Path, ...]
    """That `fit` is given."""
    seen: list[Clip]
    """Some that are trained on."""
    held_out: list[Clip]


def reproduce(options: ReproduceOptions) -> None:
    """Train, measure, report. Raises ArgumentError before any work, RunError when a training fails.

    The report's place is printed at the end.
    """
    _check(options)
    load_colorizer(options.colorizer, "auto", 1)  # told now if it is none
    scale = QUICK if options.quick else FULL
    material = gather(options, scale)
    trained = [name for name in options.systems if name != SHIPPED]
    runs = [plan(name, options, scale, folders=material.folders) for name in trained]
    print(f"training {', '.join(trained)} into {options.out}", flush=True)
    for run in TrainingRuns(options.jobs).finish(runs):
        config = read_config(run.folder / CHECKPOINT)
        accuracy = config.metrics["transfer_accuracy"]
        print(f"{run.name}: {config.step} updates, transfer {accuracy:.1%}", flush=True)
    reproduction = measure(runs, material, options, scale)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / EVALUATION).write_text(to_json(reproduction.evaluation), encoding="utf-8")
    (options.out / RESULTS).write_text(results(reproduction), encoding="utf-8")
    table = markdown(reproduction)
    (options.out / TABLE).write_text(table, encoding="utf-8")
    (options.out / REPORT).write_text(html(reproduction), encoding="utf-8")
    print(table)
    print(options.out / REPORT)


def plan(
    name: str, options: ReproduceOptions, scale: Scale, *, folders: Sequence[Path]
) -> TrainingRun:
    """Describe the training of one system.

    Args:
        name: The system's.
        options: What the reproduction was told.
        scale: The reports' or the quick one.
        folders: Of the videos.

    Returns:
        The run, with the arguments of `fit` that are not the system's own.
    """
    minutes = options.minutes if options.minutes is not None else scale.minutes
    steps = options.steps if options.steps is not None else scale.steps
    width = options.width if options.width is not None else scale.width
    crop = options.crop or scale.crop
    arguments = [*map(str, folders), "--system", name, "--name", name]
    arguments += ["--arguments", f"width={width:g}", *scale.arguments.get(name, ())]
    arguments += ["--discriminator-width", f"{width:g}", "--crop", str(crop)]
    # Without --steps the system's own number, the reports', still ends a run of --minutes.
    arguments += ["--steps", str(steps)] if steps is not None else []
    arguments += ["--minutes", f"{minutes:g}"] if minutes is not None else []
    arguments += ["--checkpoint-minutes", f"{options.checkpoint_minutes:g}"]
    if scale.learning_rate is not None:
        arguments += ["--learning-rate", f"{scale.learning_rate:g}"]
    arguments += ["--threads", "1"] if options.jobs > 1 or options.quick else []
    arguments += ["--cache", str(options.cache)]
    return TrainingRun(name, options.out / name, tuple(arguments))


def gather(options: ReproduceOptions, scale: Scale) -> Material:
    """Find and decode the videos.

    Args:
        options: What the reproduction was told.
        scale: How many clips are measured.

    Returns:
        The clips that are trained on, and those that are held out.

    Raises:
        ArgumentError: There are none to hold out.
    """
    count = options.clips or scale.clips
    prepared = [folder for folder in options.data if (folder / "train").is_dir()]
    folders = tuple(f / "train" if f in prepared else f for f in options.data)
    split = load_split(folders, options=ClipOptions(cache=options.cache))
    tests = [options.test] if options.test else [f / "test" for f in prepared]
    tests = [folder for folder in tests if options.test or folder.is_dir()]
    if tests:
        clip_options = ClipOptions(max_frames=MOST_FRAMES, cache=options.cache)
        held_out = [
            load_clip(path, name=name, options=clip_options)
            for path, name in _spread(list(find_videos(tests)), count and SPARE * count)
        ]
    else:
        held_out = split.test
    if not held_out:
        raise ArgumentError(
            "test: no video is left to hold out; --test names a folder of some, or give more videos"
        )
    return Material(
        folders=folders,
        seen=choose(split.train, count=count or len(held_out), frames=options.frames),
        held_out=choose(held_out, count=count, frames=options.frames),
    )


def choose(clips: Iterable[Clip], *, count: int | None, frames: int) -> list[Clip]:
    """Choose clips, evenly spread over their names, and cut them.

    Args:
        clips: To choose from.
        count: How many; None takes all.
        frames: What each is cut to. Where too few clips are so long, the longest are taken.

    Returns:
        The chosen clips.
    """
    by_length = sorted(clips, key=len, reverse=True)
    enough = [clip for clip in by_length if len(clip) >= frames]
    long = enough if len(enough) >= (count or len(by_length)) else by_length[:count]
    chosen = _spread(sorted(long, key=lambda clip: clip.name), count)
    return [Clip(c.name, c.luma[:frames], c.chroma[:frames]) for c in chosen]


def _spread[Item](items: Sequence[Item], count: int | None) -> Sequence[Item]:
    """So many of them, evenly spaced; all where there are no more, or no count."""
    if count is None or count >= len(items):
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, count).round().astype(int)]


def measure(
    runs: Sequence[TrainingRun], material: Material, options: ReproduceOptions, scale: Scale
) -> Reproduction:
    """Measure everything that the report shows.

    Args:
        runs: The trained systems.
        material: The clips.
        options: What the reproduction was told.
        scale: How much is measured.

    Returns:
        The numbers, curves and pictures.
    """
    made = {run.name: str(run.bundle) for run in runs}
    bundles = {name: made.get(name, name) for name in options.systems}
    predictors = [Predictor(kind) for kind in BASELINES]
    predictors.append(Predictor(PER_FRAME, "", options.colorizer, "auto", 1))
    predictors += [
        Predictor(kind, name, bundle, "auto", 1)
        for name, bundle in bundles.items()
        for kind in ("propagation", "transfer")
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        scores = pool.map(partial(score_clip, predictors=predictors), material.held_out)
        measured = list(tqdm(scores, desc="evaluating", total=len(material.held_out), disable=None))
        evaluation = collect(
            measured,
            predictors=predictors,
            models={name: load(bundle, "auto", 1)[0] for name, bundle in bundles.items()},
            options={**asdict(options), "size": 256, "workers": options.jobs},
        )
        probed = pool.map(
            lambda name: _probe(name, bundles[name], material, evaluation, asked=scale.asked),
            bundles,
        )
        systems = dict(
            tqdm(
                zip(bundles, probed, strict=True), desc="probing", total=len(bundles), disable=None
            )
        )
        rows = _rows(predictors)
        shown = choose(material.held_out, count=options.figures, frames=options.frames)
        subject = next(m for m in reversed(predictors) if m.kind == "propagation")
        figures = list(pool.map(lambda clip: depict(clip, rows, subject=subject), shown))
    return Reproduction(
        evaluation=evaluation,
        systems=systems,
        findings=find(systems),
        losses={run.name: read_losses(run.folder) for run in runs},
        trained={run.name: read_config(run.folder / CHECKPOINT).step for run in runs},
        commands=[shlex.join(run.command) for run in runs],
        figures=figures,
    )


def _probe(
    name: str, bundle: str, material: Material, evaluation: Evaluation, *, asked: int
) -> Measured:
    propagator = load(bundle, "auto", 1)[1]
    seen, held_out = (
        Probe(propagator, clips, asked) for clips in (material.seen, material.held_out)
    )
    dt = SYSTEMS[name].rollout.dt[1] if name in REPORTS else 1
    return Measured(
        dt=dt,
        train=seen.transfer(dt),
        test=held_out.transfer(dt),
        step=evaluation.summaries[f"{name} transfer"].accuracy,
        curve=evaluation.curve(name, "accuracy"),
        gray=evaluation.curve("gray", "accuracy"),
        tracking=held_out.tracking(TRACKED),
        fetching=held_out.fetching(),
    )


def _rows(predictors: Sequence[Predictor]) -> list[Predictor]:
    """The figures' rows below gray and truth, as in the reports' Figures 4 and 5."""
    propagating = [method for method in predictors if method.kind == "propagation"]
    from_truth = [m for m in predictors if m.kind == "transfer" and m.model == "cgan-dt1"]
    supervised = [method for method in propagating if method.model == "supervised"]
    per_frame = [method for method in predictors if method.kind == PER_FRAME]
    others = [method for method in propagating if method not in supervised]
    return [*per_frame, *supervised, *from_truth, *others]


def _check(options: ReproduceOptions) -> None:
    if not options.data:
        raise ArgumentError("data: no folder is given; at least one folder of videos is needed")
    unknown = [name for name in options.systems if name not in COMPARED]
    if unknown or not options.systems:
        raise ArgumentError(
            f"systems holds {', '.join(unknown) or 'nothing'}, accepted are {', '.join(COMPARED)}"
        )
    least = {"jobs": 1, "frames": 12, "figures": 0, "clips": 1, "steps": 1}
    for name, minimum in least.items():
        value = getattr(options, name)
        if value is not None and value < minimum:
            raise ArgumentError(f"{name} is {value}, whole numbers from {minimum} are accepted")
