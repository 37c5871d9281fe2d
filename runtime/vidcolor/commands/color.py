"""``vidcolor color film.mp4 --keys keys/ -o out.mp4``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Literal, NoReturn

import tyro
from tqdm import tqdm

from vidcolor.commands.choices import parse_range, read_scenes
from vidcolor.errors import ArgumentError
from vidcolor.film import fingerprint
from vidcolor.film.cluster import Cluster
from vidcolor.film.executor import Crew, Threads, colour_alone, colour_together, threads_for
from vidcolor.film.job import Film, assemble
from vidcolor.film.key_folder import find_keys
from vidcolor.film.keys import Painted, Source, find_sources, fit_keys
from vidcolor.film.report import Account
from vidcolor.film.scan import Survey, look_through, read_lumas
from vidcolor.film.store import Store
from vidcolor.inference.bundle import DEFAULT_MODEL
from vidcolor.inference.colorizer import DEFAULT_COLORIZER, Colorizer
from vidcolor.inference.session import Session
from vidcolor.key.auto import AUTO as AUTO_KEY
from vidcolor.key.auto import auto_first_key
from vidcolor.media.codecs import AUTO, PREVIEW
from vidcolor.media.reader import Info, Reader, bits_of
from vidcolor.media.tags import coding_of, tags_of
from vidcolor.media.writer import Writer
from vidcolor.propagate import Propagator
from vidcolor.working_size import Fit

PREVIEW_SIDE, PREVIEW_SIZE = 256, 128
"""Pixels of the short sides of a preview, and of what the model sees for it."""


@dataclass(frozen=True)
class Color:
    """Colour a film from some of its frames in colour.

    Paint frames of the film and put them into a folder, each named by its frame's number, or give
    the first one alone with --key. From them colours are carried through their shots. The output
    has the film's luma, size, depth, timing, colour tags, audio, subtitles and chapters. A gray
    film comes out as 4:2:0 (lossless: 4:4:4); one in colour is coloured anew from its luma.

    The output appears under its name when it is complete. Until then, finished parts are kept in a
    folder beside it, OUTPUT.vidcolor: a job that was stopped goes on when it is started again.
    """

    clip: tyro.conf.Positional[Path]
    """The video to colour: what FFmpeg reads, in gray or YUV of 8 to 16 bits, not interlaced."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The video to write; its ending chooses the container: .mp4, .mkv, .mov."""
    keys: Path | None = None
    """A folder of frames in colour, images named by their numbers, from 0: 000240.png."""
    key: Path | None = None
    """In place of --keys: the first frame in colour, an image of any size, of the clip's aspect; or
    'auto', to have an image colorizer colour it."""
    any_key: tyro.conf.FlagCreatePairsOff[bool] = False
    """Take keys also where they do not look like their frames."""
    scenes: str | None = None
    """Where shots begin, over which nothing is carried: auto (found by PySceneDetect), none, or a
    text file with the number of each shot's first frame. Default: auto with --keys, else none."""
    direction: Literal["forward", "backward", "both"] = "both"
    """From which keys of its shot a frame is coloured: the last one before it, the next one after
    it, or both."""
    frames: Annotated[str | None, tyro.conf.arg(name="range")] = None
    """Only these frames, such as 240-479, in the colours that they have in the whole film."""
    only_shot: int | None = None
    """Only this shot, counted from 1."""
    preview: tyro.conf.FlagCreatePairsOff[bool] = False
    """A quick look: a small video, coarsely coloured."""
    model: str = DEFAULT_MODEL
    """A shipped model's name, or the folder of a model bundle."""
    colorizer: str = DEFAULT_COLORIZER
    """What colours the first frame when the key is 'auto': a shipped colorizer's name, or an ONNX
    file, such as an export of DDColor; see docs/colorizer.md."""
    provider: str = "auto"
    """What the model runs on: auto, cpu or cuda; auto is CUDA where it works, else the CPU."""
    precision: str = "auto"
    """What the model computes in: float32, float16, int8 (on CPUs, where the model has it), or
    auto: float16 on CUDA, int8 on a CPU where the model has it, else float32."""
    size: int = 256
    """Short side, in pixels, of what the model sees; more is finer and slower."""
    jobs: int = 1
    """How many stretches between keys to colour at a time; the colours are the same."""
    cluster: str | None = None
    """Colour on the machines of a Ray cluster: its address, or local to try it on this one."""
    codec: str = AUTO
    """libx264, libx265, ffv1 (lossless), prores or dnxhr; auto is the first of the former three
    that holds the format."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Replace the output if there is one."""
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show no progress, no notes and no summary."""

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no output behind."""
        part, cuts, images = self._asked()
        start = perf_counter()
        session = Session.load(
            self.model,
            provider=self.provider,
            precision=self.precision,
            threads=threads_for(self.jobs),
        )
        with Reader(self.clip, side=self._side) as reader:
            info = reader.info
            trial = self._writer(reader)  # what it would refuse in the end, it shall refuse now
            trial.discard()
        sources = self._sources(images, info)
        store = Store(self._folder, bits_of(trial.pixel_format))
        with _tidied(store):
            survey = self._survey(sources, cuts, info, store)
            film = Film(
                path=self.clip,
                side=self._side,
                info=info,
                fit=self._fit(info),
                survey=survey,
                keys=self._fit_keys(sources, survey, info),
                direction=self.direction,
                part=self._part(part, survey),
                pixel_format=trial.pixel_format,
                model=fingerprint.of_model(self.model, session),
            )
            self._colour(film, store, session)
            self._write(film, store)
        if not self.quiet:
            speed = len(film.part) / (perf_counter() - start)
            print(f"{self.output}: {len(film.part)} frames, {speed:.1f} frames/s")

    def _asked(self) -> tuple[range | None, tuple[int, ...] | None, dict[int, Path]]:
        """The frames asked for, the cuts and the images of keys, as far as options say so."""
        if (self.key is None) == (self.keys is None):
            raise ArgumentError("keys: a folder --keys or one image --key is needed, and not both")
        if self.frames is not None and self.only_shot is not None:
            raise ArgumentError("range and only-shot exclude each other, one of them is accepted")
        if self.jobs < 1:
            raise ArgumentError(f"jobs is {self.jobs}, accepted are whole numbers from 1")
        part = None if self.frames is None else parse_range(self.frames)
        scenes = self.scenes or ("none" if self.keys is None else "auto")
        cuts = None if scenes == "auto" else () if scenes == "none" else read_scenes(Path(scenes))
        return part, cuts, find_keys(self.keys) if self.keys else {0: self.key or Path()}

    @property
    def _folder(self) -> Path:
        return self.output.with_name(self.output.name + ".vidcolor")

    def _fit(self, info: Info) -> Fit:
        return Fit.of(info.height, info.width, PREVIEW_SIZE if self.preview else self.size)

    def _writer(self, reader: Reader, **more: Any) -> Writer:
        codec = PREVIEW if self.preview and self.codec == AUTO else self.codec
        tags = tags_of(reader.info.tags, coding_of(reader.info))
        return Writer(
            self.output, like=reader, tags=tags, codec=codec, overwrite=self.overwrite, **more
        )

    def _sources(self, images: dict[int, Path], info: Info) -> dict[int, Source]:
        if self.key == Path(AUTO_KEY):
            colorizer = Colorizer.load(self.colorizer, provider=self.provider)
            key = auto_first_key(self.clip, colorizer=colorizer, size=self.size)
            return {0: Source(AUTO_KEY, lambda: key)}
        sources, unpainted = find_sources(images, info=info, matrix=coding_of(info).matrix)
        for path in unpainted:
            self._note(f"{path} is gray and is left out: it is not painted yet")
        return sources

    def _fit_keys(
        self, sources: dict[int, Source], survey: Survey, info: Info
    ) -> dict[int, Painted]:
        fit, search = self._fit(info), partial(read_lumas, self.clip, self._fit(info), self._side)
        keys, odd = fit_keys(sources, survey.lumas, fit, search=None if self.any_key else search)
        for oddity in odd:
            self._note(oddity)
        return keys

    @property
    def _side(self) -> int | None:
        return PREVIEW_SIDE if self.preview else None

    def _survey(
        self, sources: dict[int, Source], cuts: tuple[int, ...] | None, info: Info, store: Store
    ) -> Survey:
        whole = self.frames is None
        with self._bar("looking through", info.frame_count) as progress:
            return look_through(
                self.clip,
                self._fit(info),
                side=self._side,
                wanted=sources,
                cuts=cuts,
                whole=whole,
                store=store,
                progress=progress,
            )

    def _part(self, part: range | None, survey: Survey) -> range:
        if self.only_shot is not None:
            return survey.shot(self.only_shot)
        return survey.part(part)

    def _colour(self, film: Film, store: Store, session: Session) -> None:
        with self._bar("colouring", len(film.part), film.finished(store)) as progress:
            if self.cluster is None and self.jobs == 1:
                colour_alone(film, store, Propagator(session), progress)
                return
            with self._crew(session, store) as crew:
                colour_together(film, store, crew, progress)

    def _crew(self, session: Session, store: Store) -> Crew:
        if self.cluster is None:
            return Threads(Propagator(session), self.jobs, store.room)
        return Cluster(self.cluster, model=self.model, session=session, jobs=self.jobs)

    def _write(self, film: Film, store: Store) -> None:
        with Reader(self.clip, side=film.side) as reader:
            writer = self._writer(reader, span=film.span, partial=store.partial(self.output.name))
            for what in writer.left_out:
                self._note(f"{what} of {self.clip} is left out: {self.output} cannot hold it")
            with self._bar("writing", len(film.part)) as progress, writer:
                assemble(film, store, reader, writer, progress)
        self._account(film, store).write(self.output)
        store.remove()

    def _account(self, film: Film, store: Store) -> Account:
        return Account(
            film=self.clip.name,
            model=str(self.model),
            size=min(film.fit.working.shape),
            keys={frame: key.source.name for frame, key in film.keys.items()},
            shots=film.survey.cuts,
            confidence=tuple(film.confidence(store)),
            first=film.part.start,
            options={"direction": self.direction, "codec": self.codec},
        )

    def _note(self, text: str) -> None:
        if not self.quiet:
            _note(text)

    def _bar(self, what: str, total: int | None, done: int = 0) -> tqdm[NoReturn]:
        # None: shown on a terminal only.
        hidden = self.quiet or None
        return tqdm(desc=what, total=total, initial=done, unit="frame", disable=hidden)


def _note(text: str) -> None:
    print(f"vidcolor: note: {text}", file=sys.stderr)


@contextmanager
def _tidied(store: Store) -> Iterator[None]:
    """Leaves nothing half-written in the work folder, and says so if somebody stops the work."""
    try:
        yield
    except BaseException as error:
        store.tidy()
        if store.folder.is_dir() and not isinstance(error, Exception):
            _note(f"the same command goes on from what is finished, in {store.folder}")
        raise
