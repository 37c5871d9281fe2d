"""`python -m training prepare`: a folder of videos made ready for training.

What the converter and the data set's scripts of the reports did (256x256 at 30 frames a second,
gray and colour, split by video), and what they left to chance: cuts, footage that is gray or still.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, replace
from fractions import Fraction
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from tqdm import tqdm

from evaluation.clips import PREPARED, SHOT, find_videos
from training.data.prepare.manifest import MANIFEST, ManifestRow, PrepareLog, write_manifest
from training.data.prepare.options import PrepareOptions
from training.data.prepare.shot_writer import ShotFigures, ShotWriter
from training.data.prepare.shots import ShotFrame, Size, UnreadableError, read_shots
from training.data.prepare.splits import folder_split, random_split
from vidcolor.errors import ArgumentError

GRAY = "gray"
_UNFINISHED = "unfinished"


def prepare(options: PrepareOptions) -> None:
    """Do it all, and say on stdout what came of it; videos that are left out go to stderr.

    ArgumentError for options and videos that cannot be used, before anything is written.
    """
    size = _check(options)
    videos = _find(options)
    copies = _copies(videos)
    originals = [name for name in videos if name not in copies]
    if options.split == "folders":
        split: Callable[[Sequence[str]], dict[str, str]] = folder_split
    else:
        split = partial(random_split, test=options.test, seed=options.seed)
    split(originals)  # raises now, and not after hours of work
    work = partial(_prepare_video, videos=videos, size=size, options=options)
    with closing(PrepareLog(options.out, terms=_terms(options, videos))) as log:
        _run(work, originals, log, workers=options.workers)
    done = log.done | copies
    splits = split([name for name in originals if any(row.kept for row in done[name])])
    rows = [
        _place(row, splits[name], options.out) if row.kept else row
        for name in videos
        for row in done[name]
    ]
    write_manifest(options.out / MANIFEST, rows)
    shutil.rmtree(options.out / _UNFINISHED, ignore_errors=True)
    print(_summary(rows))
    print(options.out / MANIFEST)


def _run(
    work: Callable[[str], list[ManifestRow]], names: Sequence[str], log: PrepareLog, *, workers: int
) -> None:
    """Work on each video that is not in the journal, and note it there when all of it is done."""
    left = [name for name in names if name not in log.done]
    with ThreadPoolExecutor(workers) as pool:
        bar = tqdm(
            pool.map(work, left),
            desc="preparing",
            initial=len(names) - len(left),
            total=len(names),
            unit="video",
            disable=None,  # without a terminal: a log file would fill up with it
        )
        try:
            for name, rows in zip(left, bar, strict=True):
                log.add(name, rows)
                if rows[0].shot is None:
                    bar.write(f"skipped {name}: {rows[0].reason}", file=sys.stderr)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _prepare_video(
    name: str, *, videos: Mapping[str, Path], size: Size, options: PrepareOptions
) -> list[ManifestRow]:
    """All the shots of a video, among what is unfinished; of a video that ends in damage, none."""
    folder = _unfinished(options.out, name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rate = None if options.fps == "keep" else Fraction(options.fps).limit_denominator(1001)
    try:
        fps, frames = read_shots(videos[name], size=size, rate=rate)
        numbered = number_shots(frames, longest=options.longest)
        rows = [
            _write(
                (picture for _, picture in shot), ManifestRow(name, number, fps=str(fps)), options
            )
            for number, shot in groupby(numbered, key=itemgetter(0))
        ]
    except UnreadableError as error:
        shutil.rmtree(folder)
        return [ManifestRow(name, reason=str(error))]
    return rows or [ManifestRow(name, reason="it is over before the first frame is due")]


def number_shots(frames: Iterable[ShotFrame], *, longest: int) -> Iterator[tuple[int, ShotFrame]]:
    """Number the shots of a video.

    Args:
        frames: Of the video; the first frame of each shot is marked.
        longest: Frames of a clip; what comes after them counts as the next shot.

    Yields:
        Each frame with the number of its shot, from 0.
    """
    shot, length = -1, 0
    for picture in frames:
        if picture.begins or length == longest:
            shot, length = shot + 1, 0
        length += 1
        yield shot, picture


def _write(pictures: Iterator[ShotFrame], row: ManifestRow, options: PrepareOptions) -> ManifestRow:
    """Write both clips of a shot, delete them if it is not worth keeping, and complete its line."""
    first = next(pictures)
    height, width = first.rgb.shape[:2]
    color, gray = _clips(row, options.out)
    fps = Fraction(row.fps)
    with ShotWriter(color, gray, size=(width, height), rate=fps, crf=options.crf) as writer:
        for picture in chain([first], pictures):
            writer.add(picture.rgb)
    figures = writer.figures
    reason = _reason(figures, options)
    with color.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if reason:
        color.unlink()
        gray.unlink()
    return replace(
        row,
        start_seconds=round(float(first.seconds), 3),
        frames=figures.frames,
        width=width,
        height=height,
        chroma=round(figures.chroma, 2),
        motion=round(figures.motion, 4),
        kept=not reason,
        reason=reason,
        sha256="" if reason else digest,
    )


def _reason(figures: ShotFigures, options: PrepareOptions) -> str:
    """Why a shot is left out; empty when it is not."""
    if figures.frames < options.shortest:
        return f"short: {figures.frames} frames, {options.shortest} are needed"
    if figures.chroma < options.least_chroma:
        return f"near-gray: mean chroma {figures.chroma:.2f}, {options.least_chroma:g} is needed"
    if figures.motion < options.least_motion:
        return f"still: {figures.motion:.2%} of it changes, {options.least_motion:.2%} is needed"
    return ""


def _place(row: ManifestRow, split: str, out: Path) -> ManifestRow:
    """Move a kept shot's clips to where they belong, unless they are there, and say so."""
    file = f"{split}/{row.source}{SHOT}{row.shot:03d}.mp4"
    for clip, place in zip(_clips(row, out), (out / file, out / GRAY / file), strict=True):
        if clip.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            clip.replace(place)
        elif not place.exists():
            raise ArgumentError(f"out: {place} is gone, put it back or take an empty folder")
    return replace(row, split=split, file=file)


def _clips(row: ManifestRow, out: Path) -> tuple[Path, Path]:
    """A shot's clips, colour and gray, while they are unfinished."""
    folder = _unfinished(out, row.source)
    return folder / f"{row.shot}.mp4", folder / f"{row.shot}.{GRAY}.mp4"


def _unfinished(out: Path, name: str) -> Path:
    return out / _UNFINISHED / hashlib.sha256(name.encode()).hexdigest()[:16]


def _check(options: PrepareOptions) -> Size:
    """Raise ArgumentError for what can be seen to be wrong at once; the size that is meant."""
    if not options.videos:
        raise ArgumentError("videos: no folder is given; at least one folder of videos is needed")
    bounds = {
        "crf": (0, 51), "shortest": (1, options.longest), "least_chroma": (0, 100),
        "least_motion": (0, 1), "test": (0, 0.5), "workers": (1, 64),
    }  # fmt: skip
    if options.fps != "keep":
        bounds["fps"] = (1, 240)
    for name, (least, most) in bounds.items():
        value = getattr(options, name)
        if not least <= value <= most:
            raise ArgumentError(f"{name} is {value:g}, {least} to {most} is accepted")
    out = options.out.resolve()
    for folder in options.videos:
        if out.is_relative_to(folder.resolve()):
            raise ArgumentError(f"out: {options.out} lies in {folder}, take a folder beside it")
    if out.exists() and not (out / PREPARED).exists() and any(out.iterdir()):
        raise ArgumentError(f"out: {options.out} holds other things, take an empty folder")
    return Size.parse(options.size)


def _find(options: PrepareOptions) -> dict[str, Path]:
    """Every video by its name."""
    videos: dict[str, Path] = {}
    for path, name in find_videos(options.videos):
        if name in videos:
            raise ArgumentError(
                f"videos: {path} and {videos[name]} would both be called {name}; give a folder "
                "that holds both"
            )
        videos[name] = path
    return videos


def _copies(videos: Mapping[str, Path]) -> dict[str, list[ManifestRow]]:
    """The lines of files that are the same as one before: else one video could be in both splits.

    Only files of one length are read.
    """
    by_length: dict[int, list[str]] = {}
    for name, path in videos.items():
        by_length.setdefault(path.stat().st_size, []).append(name)
    firsts: dict[str, str] = {}
    copies = {}
    for name in (name for names in by_length.values() if len(names) > 1 for name in names):
        with videos[name].open("rb") as stream:
            first = firsts.setdefault(hashlib.file_digest(stream, "sha256").hexdigest(), name)
        if first != name:
            copies[name] = [ManifestRow(source=name, reason=f"the same file as {first}")]
    return copies


def _terms(options: PrepareOptions, videos: Mapping[str, Path]) -> dict[str, object]:
    """What the data depends on: a log begun on other terms is of other data."""
    listing = "".join(f"{name}\t{path.stat().st_size}\n" for name, path in videos.items())
    digest = hashlib.sha256(listing.encode()).hexdigest()[:12]
    terms = {k: v for k, v in asdict(options).items() if k not in ("videos", "out", "workers")}
    return {"videos": f"{len(videos)} files ({digest})", **terms}


def _summary(rows: Sequence[ManifestRow]) -> str:
    kept = Counter(row.split for row in rows if row.kept)
    reasons = Counter(
        row.reason.split(":")[0] for row in rows if row.shot is not None and row.reason
    )
    shots = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    videos = len({row.source for row in rows})
    none = sum(row.shot is None for row in rows)
    return (
        f"{videos} videos, {none} of them skipped; {kept['train']} clips for training and "
        f"{kept['test']} for the test; shots left out: {shots or 'none'}"
    )
