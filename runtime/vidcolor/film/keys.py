"""The keys of a film: images are read, compared with their frames and fitted to working size."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from pathlib import Path

from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.film.fingerprint import fingerprint_key, fingerprint_reference
from vidcolor.grid import Grid
from vidcolor.inference.session import Session
from vidcolor.key.bars import BARS_CUT, has_bars, without_bars
from vidcolor.key.gray import MOSTLY, gray_share, has_strokes
from vidcolor.key.image import is_cut, is_painted, read_key, read_reference
from vidcolor.key.matching import best_frame, check_key
from vidcolor.key.paint import Paint
from vidcolor.key.profile import note_on_profile
from vidcolor.media.info import Info
from vidcolor.media.names import typed
from vidcolor.planes import Key, Plane
from vidcolor.references import check_count, fit_reference
from vidcolor.working_size import WorkingSize


@dataclass(frozen=True)
class Source:
    """Where a key comes from."""

    name: str
    """Name of the image, without its folder."""
    read: Callable[[], Key]
    """Reads it at its own size."""
    read_otherwise: Mapping[str, Callable[[], Key]] = field(default_factory=dict)
    """Other ways to read it, by what is told of them, should it not look like its frame."""
    read_whole: Callable[[], Key] | None = None
    """Reads it with what its mask hides, and with the gray between strokes; None if it has none."""


@dataclass(frozen=True)
class FittedKey:
    """A key of the film at working size."""

    small: Key
    """With the luma of the film's own frame; spread over it, if only parts are painted."""
    fingerprint: str
    """Digest of its colours."""
    source: Source
    """Read again at full size when its frame is written: many keys would fill the memory."""

    def chroma(self, luma: Plane, working_size: WorkingSize, grid: Grid) -> Plane:
        """The key's own colours on a grid of the film.

        Args:
            luma: The frame's luma [height, width] float32 in [0, 1], at full size.
            working_size: The film's mapping to working size.
            grid: The grid to return chroma on.

        Returns:
            Chroma [2, *grid.shape] float32.
        """
        return Paint.of(self.source.read()).full(self.small, luma, working_size, grid)


@dataclass(frozen=True)
class FittedReference:
    """A picture that shots without a key are coloured from; see `vidcolor.references`."""

    name: str
    """Name of the image, without its folder."""
    small: Key
    """At working size."""
    fingerprint: str
    """Digest of its luma and its colours."""


def read_references(
    images: Sequence[str | PathLike[str]],
    *,
    session: Session,
    working_size: WorkingSize,
    matrix: str,
) -> list[FittedReference]:
    """Read pictures in colour, of any size and aspect, as references.

    Args:
        images: The files.
        session: The model.
        working_size: The film's mapping to working size.
        matrix: The film's, as in `vidcolor.color.Coding`.

    Raises:
        KeyFrameError: An image cannot be read, or is gray.
        ArgumentError: There are too many, or the model has no memory for them.
    """
    check_count(len(images))
    if images and not session.remembers:
        raise ArgumentError(
            f"references: the model {session.metadata.name} remembers no pictures; leave them out, "
            "or choose another model, such as vidcolor-2"
        )
    return [
        FittedReference(path.name, small, fingerprint_reference(small))
        for path in map(Path, images)
        for small in [fit_reference(read_reference(path, matrix=matrix), working_size)]
    ]


def find_sources(
    images: Mapping[int, Path],
    *,
    clip: Path,
    info: Info,
    matrix: str,
    progressive: bool = False,
    whole: bool = False,
) -> tuple[dict[int, Source], list[str]]:
    """Find the keys among images, and check that each can be read.

    Args:
        images: Frame -> image.
        clip: The film's file, which notes name.
        info: The film's.
        matrix: The film's, as in `vidcolor.color.Coding`.
        progressive: Whether frames that are flagged as interlaced are taken for progressive ones.
        whole: As in `read_key`.

    Returns:
        Frame -> key, in order; and what is good to know of the images, in sentences.

    Raises:
        KeyFrameError: An image is no key of the film, or all of them are gray.
    """
    unpainted = [path for path in images.values() if len(images) > 1 and not is_painted(path)]
    if unpainted and len(unpainted) == len(images):
        raise KeyFrameError(
            f"keys: all {len(unpainted)} images in {unpainted[0].parent} are gray, at least one "
            "has to be painted"
        )
    notes = [f"{path} is gray and is left out: it is not painted yet" for path in unpainted]
    sources = {}
    for frame, path in sorted(images.items()):
        if path not in unpainted:
            sources[frame] = _source(path, info, matrix, whole=whole)
            key = sources[frame].read()  # mistakes are told before the film is scanned
            command = _spread_command(frame, path, clip, progressive=progressive)
            gray = None if whole else _note_on_gray(key, path, command)
            odd = (note_on_profile(path), BARS_CUT if is_cut(path, key) else None, gray)
            notes += [f"{path} {note}" for note in odd if note is not None]
    return sources, notes


def _note_on_gray(key: Key, path: Path, command: str) -> str | None:
    """What to tell of a key that is mostly gray; the command would spread its strokes."""
    share = gray_share(key)
    if share < MOSTLY:
        return None
    gray = f"is gray in {share:.0%} of it"
    if key.weight is None:
        return f"{gray}, and is taken whole; if these are strokes to be spread, run `{command}`"
    if has_strokes(key):
        smeared = path.suffix.lower() in (".jpg", ".jpeg")
        return (
            f"{gray}: its colours are taken as strokes, and are spread over the frame; "
            "--whole-keys takes it whole"
            + ("; save strokes as PNG, JPEG smears their colours" if smeared else "")
        )
    return None


def _spread_command(frame: int, path: Path, clip: Path, *, progressive: bool) -> str:
    """The command that spreads the strokes on an image, and puts the key in its place."""
    words = ["vidcolor", "key", "--clip", typed(clip), "--frame", str(frame)]
    words += ["--paint", typed(path), "-o", typed(path.with_suffix(".png")), "--overwrite"]
    return shlex.join([*words, "--progressive"] if progressive else words)


def fit_keys(
    sources: Mapping[int, Source],
    lumas: Mapping[int, Plane],
    working_size: WorkingSize,
    *,
    search: Callable[[], Iterable[Plane]] | None,
) -> tuple[dict[int, FittedKey], list[str]]:
    """Fit keys to the film's frames.

    Args:
        sources: Frame -> key.
        lumas: Frame -> luma [h, w] at working size, of the same frames.
        working_size: The film's mapping to working size.
        search: Gives the luma of all the film's frames, to say which frame a wrong key shows.
            None skips the comparison of keys with their frames.

    Returns:
        Frame -> fitted key; and warnings in words.

    Raises:
        KeyFrameError: A key shows something else than its frame.
    """
    keys: dict[int, FittedKey] = {}
    warnings: list[str] = []
    for frame, given in sources.items():
        if search is None:
            source, key = given, given.read()
        else:
            source, key, warning = match_source(given, lumas[frame], frame=frame, search=search)
            if warning:
                warnings.append(f"{source.name} {warning}")
        try:
            small = Paint.of(key).small(lumas[frame], working_size)
        except KeyFrameError as error:
            raise KeyFrameError(f"key: {source.name}: {error}") from None
        keys[frame] = FittedKey(small, fingerprint_key(key), source)
    return keys, warnings


def match_source(
    source: Source, luma: Plane, *, frame: int, search: Callable[[], Iterable[Plane]]
) -> tuple[Source, Key, str | None]:
    """Read a key as it looks like its frame.

    Args:
        source: The key.
        luma: The frame's [h, w], at working size.
        frame: Its number.
        search: As in `fit_keys`.

    Returns:
        How to read it, the key, and in words what is odd about it, if anything.

    Raises:
        KeyFrameError: It shows something else.
    """
    key = source.read()
    seen = source.read_whole() if key.weight is not None and source.read_whole else key
    if seen.weight is not None:  # the luma under transparent pixels says nothing
        return source, key, None
    verdict = check_key(seen.luma, luma)
    boxed = without_bars(seen) is not None and not has_bars(luma, as_those_of=seen)
    if verdict.fault is None and not boxed:
        return source, key, verdict.warning
    for how, read in source.read_otherwise.items():
        try:
            other = read()
        except KeyFrameError:
            continue
        if check_key(other.luma, luma).fault is None:
            return Source(source.name, read), other, how
    if verdict.fault is None:
        return source, key, "has black bars that its frame does not have"
    raise KeyFrameError(
        f"key: {source.name} is no picture of frame {frame}: it {verdict.fault}"
        f"{_hint(seen.luma, search)}; --any-key takes it all the same"
    )


def _source(path: Path, info: Info, matrix: str, *, whole: bool) -> Source:
    read = partial(read_key, path, info=info, matrix=matrix, whole=whole)
    others = {BARS_CUT: partial(read, cropped=True)}
    if not info.orientation.is_upright:
        others["is taken as the frames are stored"] = partial(read, as_stored=True)
    with_all = partial(read_key, path, info=info, matrix=matrix, whole=True, masked=False)
    return Source(path.name, read, others, with_all)


def _hint(luma: Plane, search: Callable[[], Iterable[Plane]]) -> str:
    best = best_frame(luma, search())
    return "" if best is None else f", most like frame {best.frame}"
