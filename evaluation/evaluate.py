"""`python -m training evaluate`: models and baselines side by side on whole clips."""

from __future__ import annotations

import json
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal, get_args

import cv2
import numpy as np
import onnxruntime
import tyro
from tqdm import tqdm

import vidcolor
from evaluation.baselines import BASELINES
from evaluation.clips import Clip, ClipOptions, find_videos, load_clip
from evaluation.help_text import manual
from evaluation.methods import MODES, PER_FRAME, Method, load, load_colorizer
from evaluation.pictures import depict
from evaluation.report import html_report, markdown_table, to_json
from evaluation.scores import Ruler, Scores
from evaluation.summary import Evaluation, summarise
from vidcolor.errors import ArgumentError
from vidcolor.inference.contract import Metadata

Kind = Literal[
    "gray", "hold", "flow-chain", "fine-chain", "flow-direct", "tracked", "propagation", "transfer"
]

RESULTS, TABLE, REPORT = "evaluation.json", "table.md", "report.html"


@manual
@dataclass(frozen=True)
class EvaluateOptions:
    """Measure model bundles, and the baselines beside them, on the videos below a folder.

    Frame 0 is the key. In propagation, which is how models are used, every later frame follows
    from the model's own output; in transfer from the true frame before it. Writes
    `evaluation.json`, `table.md` and `report.html` into the folder --out.
    """

    bundles: tyro.conf.Positional[tuple[str, ...]] = ()
    """Names of shipped models, or paths of bundles; without any the baselines alone run."""
    clips: Path = Path("../shared/clips/dev")
    """Folder that is searched for videos, subfolders too."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o",))] = Path("runs/evaluation")
    """Folder of the results."""
    size: int = 256
    """Short side that videos are scaled to, in pixels; the aspect is kept."""
    frames: int = 120
    """Most frames taken of each video, from its beginning."""
    methods: tuple[Kind, ...] = (
        "gray", "hold", "flow-chain", "fine-chain", "flow-direct", "tracked", "propagation",
        "transfer",
    )  # fmt: skip
    """What runs; without 'flow-chain' nothing is compared with it."""
    colorizer: str | None = None
    """An image colorizer, which then colours every frame by itself as one more baseline, 'per
    frame': a shipped one's name ('stills') or an ONNX file."""
    provider: Literal["auto", "cpu", "cuda"] = "auto"
    """Where models run."""
    threads: int | None = None
    """CPU threads for one frame of a model; without it onnxruntime's choice, or 1 where there is
    more than one worker."""
    workers: int = 1
    """Clips measured at the same time. Frames per second mean something with 1 only."""
    pictures: int = 6
    """Clips, from the worst on, that the report shows frames and videos of."""
    cache: Path = ClipOptions.cache
    """Folder for decoded videos."""


def evaluate(options: EvaluateOptions) -> Evaluation:
    """Run everything and write the results.

    Raises ArgumentError, BundleError, ... before any work for options, models and videos that
    cannot be used.
    """
    _check(options)
    methods, models = _methods(options)
    clip_options = ClipOptions(size=options.size, max_frames=options.frames, cache=options.cache)
    videos = _decode(options.clips, clip_options)
    measured = list(_measure_all(videos, methods, clip_options, workers=options.workers))
    clips = {name: scores for name, scores, _ in measured}
    evaluation = Evaluation(
        command=shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]]),
        versions=versions(),
        options=json.loads(json.dumps(asdict(options), default=str)),
        models={label: asdict(metadata) for label, metadata in models.items()},
        methods=methods,
        summaries={method.label: summarise(clips, method.label) for method in methods},
        true_cdc=float(np.mean([cdc for *_, cdc in measured])),
        clips=clips,
    )
    _write(evaluation, options, dict(videos), clip_options)
    return evaluation


def main(options: EvaluateOptions) -> None:
    """Evaluate, and print the table and where the report lies."""
    evaluation = evaluate(options)
    print(markdown_table(evaluation))
    print(options.out / REPORT)


def measure_clip(clip: Clip, *, methods: Sequence[Method]) -> tuple[str, dict[str, Scores], float]:
    """A clip's name, its scores by method's label, and its true frames' CDC."""
    ruler = Ruler(clip)
    scores = {method.label: ruler.measure(method.paint(clip)) for method in methods}
    return clip.name, scores, ruler.true_cdc()


def _measure_all(
    videos: Sequence[tuple[str, Path]],
    methods: Sequence[Method],
    options: ClipOptions,
    *,
    workers: int,
) -> Iterator[tuple[str, dict[str, Scores], float]]:
    def measure(video: tuple[str, Path]) -> tuple[str, dict[str, Scores], float]:
        name, path = video
        return measure_clip(load_clip(path, name=name, options=options), methods=methods)

    # Threads do: what takes time is NumPy, OpenCV and onnxruntime, which let others run meanwhile.
    with ThreadPoolExecutor(workers) as pool:
        yield from tqdm(
            pool.map(measure, videos), desc="evaluating", total=len(videos), unit="clip"
        )


def _check(options: EvaluateOptions) -> None:
    least = {"size": 16, "frames": 2, "workers": 1, "pictures": 0}
    for name, minimum in least.items():
        if getattr(options, name) < minimum:
            raise ArgumentError(
                f"{name} is {getattr(options, name)}, whole numbers from {minimum} are accepted"
            )
    if not options.methods:
        raise ArgumentError(f"methods is empty, some of {', '.join(get_args(Kind))} are needed")


def _methods(options: EvaluateOptions) -> tuple[list[Method], dict[str, Metadata]]:
    """What to run, baselines first, and what each model's bundle says of itself."""
    asked = [kind.replace("-", " ") for kind in dict.fromkeys(options.methods)]
    threads = options.threads or (1 if options.workers > 1 else None)
    models: dict[str, Metadata] = {}
    methods = [Method(kind) for kind in asked if kind in BASELINES]
    if options.colorizer is not None:
        load_colorizer(options.colorizer, options.provider, threads)  # told now if it is none
        bundle = options.colorizer
        methods.append(Method(PER_FRAME, "", bundle, options.provider, threads))
    for bundle in options.bundles:
        metadata = load(bundle, options.provider, threads)[0]
        label = metadata.name
        if label in models or label in BASELINES or label == PER_FRAME:
            raise ArgumentError(
                f"bundles holds a second method called {label!r}, each must have a name of its own"
            )
        models[label] = metadata
        methods += [
            Method(kind, label, bundle, options.provider, threads)
            for kind in asked
            if kind in MODES
        ]
    if not methods:
        raise ArgumentError(
            "bundles is empty, methods holds no baseline, no colorizer is given: nothing would run"
        )
    return methods, models


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


def versions() -> dict[str, str]:
    """Of what the figures may depend on."""
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
    clip_options: ClipOptions,
) -> None:
    """The three files, the figures first. The clips shown are painted once more: to keep the
    frames of all would fill memory.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / RESULTS).write_text(to_json(evaluation), encoding="utf-8")
    (options.out / TABLE).write_text(markdown_table(evaluation) + "\n", encoding="utf-8")
    shown = list(evaluation.worst_first())[: options.pictures]
    pictures = [
        depict(
            load_clip(videos[name], name=name, options=clip_options),
            evaluation.methods,
            subject=evaluation.subject,
        )
        for name in tqdm(shown, desc="pictures", unit="clip")
    ]
    (options.out / REPORT).write_text(html_report(evaluation, pictures), encoding="utf-8")
