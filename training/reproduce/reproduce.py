"""`python -m training reproduce`: the reports' experiments, from a folder of videos to a report."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from tqdm import tqdm

from evaluation.clips import Clip, ClipOptions, find_videos, load_clip, load_split
from evaluation.evaluate import RESULTS as EVALUATION
from evaluation.evaluate import measure_clip, versions
from evaluation.help_text import manual
from evaluation.methods import PER_FRAME, Method, load, load_colorizer
from evaluation.pictures import depict
from evaluation.report import to_json
from evaluation.summary import Evaluation, summarise
from training.checkpoint import read_config
from training.journal import read_losses
from training.record import CHECKPOINT
from training.reproduce.findings import REPORTS, Measured, find
from training.reproduce.probes import Probe
from training.reproduce.report import Reproduction, html, markdown, results
from training.reproduce.runs import Run, Trainer
from training.systems import STEPS, SYSTEMS
from vidcolor.errors import ArgumentError
from vidcolor.inference.colorizer import DEFAULT_COLORIZER

TRAINED = (*REPORTS, "convlstm", "similarity")
SHIPPED = "flagship"
COMPARED = (*TRAINED, SHIPPED)
REPORT, TABLE, RESULTS = "report.html", "table.md", "results.json"
BASELINES = ("gray", "hold", "flow chain")
TRACKED = 5
"""Frames across which it is asked what a model does with what moved: dt = 5's own distance."""
SPARE = 2
"""Held-out videos that are decoded for each that is measured, since some may be too short."""
MOST_FRAMES = 120
"""As the evaluation has it, so that both use the same decoded clips."""


@manual
@dataclass(frozen=True)
class ReproduceOptions:
    """Train the reports' systems and what they left open, measure them, and write one report.

    The folder --out then holds `report.html`, `table.md`, their numbers in `results.json` and
    `evaluation.json`, and a folder for each system. The same command goes on where it was broken
    off: what is trained is not trained again. At the reports' own scale frames are 256x256, widths
    full, and a model sees 10 epochs of 7,000 examples in batches of 8: days on a CPU, hours on a
    CUDA device.
    """

    data: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of videos. Of one that holds `train/` and `test/`, as `prepare` leaves them, these
    two are taken."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))] = Path("runs/reproduce")
    """Folder of the trainings and the report."""
    test: Path | None = None
    """Folder of held-out videos; without it `test/`, or a part of the videos that is not trained
    on."""
    quick: bool = False
    """About an hour on one core: an eighth of the widths, crops of 128 pixels, minutes instead of
    epochs, and fewer clips measured."""
    jobs: int = 1
    """Models that are trained, and clips that are measured, at the same time, with a thread
    each."""
    systems: tuple[str, ...] = COMPARED
    """Which to compare (training/systems.py): 'flagship' as it ships, the others trained here."""
    colorizer: str = DEFAULT_COLORIZER
    """The image colorizer that is the per-frame baseline: a shipped one's name or an ONNX file."""
    width: float | None = None
    """Multiplier of the channels; without it 1, or 0.125 for --quick."""
    crop: int | None = None
    """Side in pixels of the squares that are trained on; without it 256, or 128 for --quick."""
    minutes: float | None = None
    """Minutes of training for each model; without it none are counted, or 6.5 for --quick."""
    steps: int | None = None
    """Updates of each model; without it 10 epochs, or as many as the minutes allow."""
    checkpoint_minutes: float = 3.0
    """Minutes between checkpoints: what a training that is broken off loses at most."""
    clips: int | None = None
    """Held-out clips that are measured, evenly chosen; without it all, or 8 for --quick."""
    frames: int = 50
    """Frames of each of them: every seventh makes a figure of eight columns."""
    figures: int = 3
    """Clips that the report shows."""
    cache: Path = ClipOptions.cache
    """Folder for decoded videos."""


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
    for run in Trainer(options.jobs).train(runs):
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


def plan(name: str, options: ReproduceOptions, scale: Scale, *, folders: Sequence[Path]) -> Run:
    """The training of one system: the arguments of `fit` that are not the system's own."""
    minutes = options.minutes if options.minutes is not None else scale.minutes
    steps = options.steps if options.steps is not None else scale.steps
    width = options.width if options.width is not None else scale.width
    crop = options.crop or scale.crop
    arguments = [*map(str, folders), "--system", name, "--name", name]
    arguments += ["--arguments", f"width={width:g}", *scale.arguments.get(name, ())]
    arguments += ["--discriminator-width", f"{width:g}", "--crop", str(crop)]
    arguments += ["--steps", str(steps), "--minutes", str(minutes)]
    arguments += ["--checkpoint-minutes", f"{options.checkpoint_minutes:g}"]
    if scale.learning_rate is not None:
        arguments += ["--learning-rate", f"{scale.learning_rate:g}"]
    arguments += ["--threads", "1"] if options.jobs > 1 or options.quick else []
    arguments += ["--cache", str(options.cache)]
    return Run(name, options.out / name, tuple(arguments))


def gather(options: ReproduceOptions, scale: Scale) -> Material:
    """Find and decode the videos; ArgumentError when there are none to hold out."""
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
    """So many, evenly chosen of those that are long enough, cut to `frames`; else the longest."""
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
    runs: Sequence[Run], material: Material, options: ReproduceOptions, scale: Scale
) -> Reproduction:
    """Everything that the report shows."""
    made = {run.name: str(run.bundle) for run in runs}
    bundles = {name: made.get(name, name) for name in options.systems}
    methods = [Method(kind) for kind in BASELINES]
    methods.append(Method(PER_FRAME, "", options.colorizer, "auto", 1))
    methods += [
        Method(kind, name, bundle, "auto", 1)
        for name, bundle in bundles.items()
        for kind in ("propagation", "transfer")
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        scores = pool.map(partial(measure_clip, methods=methods), material.held_out)
        measured = list(tqdm(scores, desc="evaluating", total=len(material.held_out), disable=None))
        clips = {name: found for name, found, _ in measured}
        evaluation = Evaluation(
            command=shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]]),
            versions=versions(),
            options=json.loads(
                json.dumps({**asdict(options), "size": 256, "workers": options.jobs}, default=str)
            ),
            models={n: asdict(load(b, "auto", 1)[0]) for n, b in bundles.items()},
            methods=methods,
            summaries={method.label: summarise(clips, method.label) for method in methods},
            true_cdc=float(np.mean([cdc for *_, cdc in measured])),
            clips=clips,
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
        rows = _rows(methods)
        shown = choose(material.held_out, count=options.figures, frames=options.frames)
        subject = next(m for m in reversed(methods) if m.kind == "propagation")
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


def _rows(methods: Sequence[Method]) -> list[Method]:
    """The figures' rows below gray and truth, as in the reports' Figures 4 and 5."""
    painted = [method for method in methods if method.kind == "propagation"]
    from_truth = [m for m in methods if m.kind == "transfer" and m.model == "cgan-dt1"]
    supervised = [method for method in painted if method.model == "supervised"]
    per_frame = [method for method in methods if method.kind == PER_FRAME]
    others = [method for method in painted if method not in supervised]
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
