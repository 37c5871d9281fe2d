"""START HERE: a video coloured from some of its frames, from file to file.

    check -> scan -> keys, shots -> segments -> each coloured from its keys -> one output

The film is read twice: once to be scanned, and once to be coloured. The second time every frame
goes once through a chain of steps, each on threads of its own, so that they overlap::

    decode, luma planes -> optical flow, graph -> full-size chroma, store, encode
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from vidcolor.cores import one_opencv_thread
from vidcolor.film.arguments import (
    Scenes,
    check_arguments,
    check_codec_options,
    check_colors,
    describe_options,
    shot_starts,
)
from vidcolor.film.check_video import check_video
from vidcolor.film.cluster import open_cluster
from vidcolor.film.fingerprint import fingerprint_film, fingerprint_model
from vidcolor.film.finish import Finish
from vidcolor.film.graph_threads import graph_threads
from vidcolor.film.job import Film, Unkeyed
from vidcolor.film.key_ranges import check_ends, check_ranges
from vidcolor.film.key_sources import Keys, StrPath, is_auto, is_single, read_sources
from vidcolor.film.keys import fit_keys, read_references
from vidcolor.film.lock import lock_output
from vidcolor.film.output import Wanted, work_folder
from vidcolor.film.pipeline import Job, color_film
from vidcolor.film.plan import Plan
from vidcolor.film.progress import Progress, no_progress
from vidcolor.film.report import Report
from vidcolor.film.scan import read_lumas, scan_film
from vidcolor.film.store import Store
from vidcolor.film.unkeyed import paint_unkeyed
from vidcolor.inference.bundle import DEFAULT_MODEL
from vidcolor.inference.colorizer import DEFAULT_COLORIZER, Colorizer
from vidcolor.inference.session import Session
from vidcolor.media.codecs import AUTO
from vidcolor.media.losses import told_of
from vidcolor.media.pictures import bits_of
from vidcolor.media.tags import coding_of
from vidcolor.working_size import WorkingSize

PREVIEW_SIZE = 128
"""Pixels of the short side of what the model sees for a preview."""

KEEP = 10 * 10**9
"""Bytes of finished parts that are kept beside a complete output."""

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})
_NO_RANGES: Mapping[int, range] = MappingProxyType({})
_AS_IT_IS = Finish()


def color_video(
    clip: StrPath,
    *,
    keys: Keys | None = None,
    output: StrPath,
    references: Sequence[StrPath] = (),
    scenes: Scenes | None = None,
    direction: Literal["forward", "backward", "both"] = "both",
    frames: range | None = None,
    only_shot: int | None = None,
    preview: bool = False,
    model: StrPath = DEFAULT_MODEL,
    colorizer: str = DEFAULT_COLORIZER,
    provider: str = "auto",
    precision: str = "auto",
    size: int = 256,
    jobs: int = 1,
    cluster: str | None = None,
    codec: str = AUTO,
    codec_options: Mapping[str, str] = NO_OPTIONS,
    overwrite: bool = False,
    keep: int = KEEP,
    skip_key_check: bool = False,
    whole_keys: bool = False,
    key_name: str | None = None,
    progressive: bool = False,
    audio: bool = True,
    unkeyed: Unkeyed = "guess",
    plan: Callable[[Plan], None] = lambda plan: None,
    key_ranges: Mapping[int, range] = _NO_RANGES,
    finish: Finish = _AS_IT_IS,
    progress: Progress = no_progress,
    note: Callable[[str], None] = lambda text: None,
) -> Report:
    """Colour a video from some of its frames in colour. ``vidcolor color`` does the same.

    The output has the video's luma, size, depth, timing, colour tags, audio, subtitles and
    chapters. It appears under its name when it is complete. Finished parts are kept in a folder
    beside it, OUTPUT.vidcolor. So a call that was stopped goes on when it is made again, and a call
    with one more key, or another change, colours only the frames that this changes.

    Args:
        clip: The video: what FFmpeg reads, in gray or YUV of 8 to 16 bits, not interlaced.
        keys: A folder of frames in colour, images named by their numbers from 0, such as
            000240.png; or a mapping of frame numbers to images; or one image, which is the first
            frame; or 'auto', to have an image colorizer colour the first frame. None where there
            are references.
        output: The video to write. Its ending chooses the container: .mp4, .mkv, .mov.
        references: Pictures in colour that show no frame of the video, such as a still of another
            shot. Shots without a key are coloured by likeness to them, see `vidcolor.references`.
        scenes: Where shots begin, over which nothing is carried: 'auto' to find them, 'none', or
            the number of each shot's first frame. None is 'none' for one image
            without references, else 'auto'.
        direction: From which keys of its shot a frame is coloured: the last one before it, the
            next one after it, or both.
        frames: Only these frames, in the colours that they have in the whole video.
        only_shot: Only this shot, counted from 1.
        preview: Whether to make a small video, coarsely coloured, for a quick look.
        model: A shipped model's name, or the folder of a model bundle.
        colorizer: For keys='auto' and unkeyed='auto': a shipped colorizer's name, or an ONNX file.
        provider: What the model runs on: 'auto', 'cpu', 'cuda', or another as in `Session.load`.
        precision: What it computes in: 'auto', 'float32', 'float16' or 'int8'.
        size: Short side, in pixels, of what the model sees; at least 32.
        jobs: How many segments between keys to colour at a time. Colours are the same.
        cluster: Address of a Ray cluster to colour on, or 'local'.
        codec: 'auto', or a name of `vidcolor.media.codecs.CODECS`.
        codec_options: FFmpeg's options for the encoder, such as {'crf': '20', 'preset': 'slow'}, in
            place of those of `vidcolor.media.codecs.CODECS`.
        overwrite: Whether to replace whatever has the output's name. What was made of the same
            clip before, with the same frames, and was not changed since, is replaced anyway, and
            so is a preview.
        keep: Bytes that finished parts may take when the output is complete. Those that were used
            the longest time ago are removed first.
        skip_key_check: Whether to take keys that do not look like their frames.
        whole_keys: Whether a key that is mostly gray is taken whole. Otherwise one that looks like
            a gray frame with strokes of paint is taken for that, and the strokes are spread.
        key_name: What keys in a folder are called, with {frame} for the frame's number:
            'ref_{frame}.png'. None takes the names that other programs give, see `find_keys`.
        progressive: Whether frames that are flagged as interlaced are taken for progressive ones.
        audio: Whether the output has the video's sound.
        unkeyed: What becomes of a shot without a key: 'guess' colours it by the likeness of what
            it shows to what the nearest keys of other shots show, 'gray' leaves it gray, 'auto' has
            the colorizer paint its best frame, which is its key then.
        plan: Told what will be done, before the first frame is coloured.
        key_ranges: Frame of a key -> the frames that it holds for. They take their colours from
            it alone, over cuts too, and all other frames none: see `vidcolor.film.key_ranges`.
        finish: How finished colours are changed: graded, or blended with those of another film.
            Nothing is coloured anew for another one.
        progress: Told how far each stage is.
        note: Told, in a sentence, what is good to know and hinders nothing.

    Returns:
        The report that is also written beside the output: keys, shots, and confidence by frame.

    Raises:
        VidcolorError: Something cannot be used; its sentence names the argument. All but a full
            disk and a clip that changes is told before the first frame is coloured.
    """
    clip, output, model = Path(clip), Path(output), os.fspath(model)
    check_arguments(direction, scenes, frames, only_shot, jobs, cluster, keep)
    check_colors(keys, references, unkeyed)
    check_codec_options(codec_options)
    if scenes is None:
        scenes = "none" if is_single(keys) and not references else "auto"
    wanted = Wanted(frames, only_shot, preview)
    checked = check_video(
        clip,
        output,
        wanted=wanted,
        overwrite=overwrite,
        codec=codec,
        codec_options=codec_options,
        finish=finish,
        progressive=progressive,
    )
    info, side, matrix = checked.info, checked.side, coding_of(checked.info).matrix
    working_size = WorkingSize.of(info.height, info.width, PREVIEW_SIZE if preview else size)
    threads = graph_threads(model, precision, jobs=jobs)
    session = Session.load(model, provider=provider, precision=precision, threads=threads)
    needs_colorizer = is_auto(keys) or unkeyed == "auto"
    painter = Colorizer.load(colorizer, provider=provider) if needs_colorizer else None
    sources = read_sources(
        keys,
        clip=clip,
        info=info,
        size=size,
        progressive=progressive,
        colorizer=painter,
        key_name=key_name,
        whole=whole_keys,
        note=note,
    )
    check_ranges(key_ranges, sources)
    pictures = read_references(
        references, session=session, working_size=working_size, matrix=matrix
    )
    store = Store(work_folder(output), bits_of(checked.pixel_format))
    connect = partial(open_cluster, cluster, model=model, session=session, jobs=jobs, store=store)
    with lock_output(store.folder, output), _tidied(store), one_opencv_thread(), connect() as ray:
        scan = partial(
            scan_film,
            clip,
            working_size,
            side=side,
            progressive=progressive,
            shot_starts=shot_starts(scenes),
            require_complete=frames is None,
            store=store,
            progress=progress,
        )
        index = scan(key_frames=sources)
        check_ends(key_ranges, index.length)
        finish.grades.check_ends(index.length)
        part = index.part(frames) if only_shot is None else index.shot(only_shot)
        for text in told_of(index.losses, None if part == range(index.length) else part):
            note(f"{clip}: {text}")
        search = partial(read_lumas, clip, working_size, side, progressive=progressive)
        fitted, warnings = fit_keys(
            sources, index.lumas, working_size, search=None if skip_key_check else search
        )
        for warning in warnings:
            note(warning)
        auto_keys = {}
        if painter is not None and unkeyed == "auto":
            paint = partial(paint_unkeyed, scan=scan, colorizer=painter, matrix=matrix)
            auto_keys = paint(index, part, fitted, key_ranges=key_ranges)
        fitted |= auto_keys
        film = Film(
            path=clip,
            side=side,
            info=info,
            working_size=working_size,
            index=index,
            keys=fitted,
            references=pictures,
            direction=direction,
            part=part,
            pixel_format=checked.pixel_format,
            model=fingerprint_model(model, session),
            progressive=progressive,
            unkeyed=unkeyed,
            auto_keys=tuple(auto_keys),
            key_ranges=key_ranges,
        )
        job = Job(
            film,
            store,
            output,
            checked.encoder,
            check_output=checked.check_output,
            progress=progress,
            note=note,
            audio=audio,
            tell=plan,
            finish=finish,
        )
        confidence = color_film(job, session, jobs=jobs, cluster=ray)
        report = Report(
            film=clip.name,
            model=model,
            size=min(working_size.working.shape),
            keys={frame: key.source.name for frame, key in fitted.items()},
            shots=index.shot_starts,
            confidence=tuple(confidence.means),
            confidence_maps=confidence.maps,
            first=part.start,
            wanted=str(wanted),
            preview=preview,
            options=describe_options(direction, unkeyed, codec, codec_options, pictures, finish),
            clip_fingerprint=fingerprint_film(clip),
            output_fingerprint=fingerprint_film(output),
        )
        report.write(output)
        store.trim(keep)
    return report


@contextmanager
def _tidied(store: Store) -> Iterator[None]:
    """Leave nothing half-written in the work folder; nothing at all where no part is finished."""
    store.tidy()
    try:
        yield
    except BaseException:
        if not store.has_work:
            store.clear()
        raise
    finally:
        store.tidy()
