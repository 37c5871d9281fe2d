"""Clips from any folder of videos: decoded once, kept as planes on disk.

The planes are 8-bit full-range BT.601 Y'CbCr, whatever range and matrix the video has: luma
[T, h, w] and chroma [T, 2, h, w] with 128 as zero, read through memory maps, so that an epoch
costs no decoding and no memory.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray
from tqdm import tqdm

from evaluation.options import ClipOptions
from vidcolor.color import Coding, decode_chroma, decode_luma, matrix_of
from vidcolor.errors import ArgumentError
from vidcolor.media.pictures import reformat
from vidcolor.planes import Plane

Codes = NDArray[np.uint8]

SUFFIXES = frozenset({
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4",
    ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv", ".y4m",
})  # fmt: skip
CODING = Coding(matrix="bt601", full_range=True)
CHROMA_ZERO = 128
PREPARED = "prepare.jsonl"
"""In the folder of data that `python -m training prepare` made."""
SHOT = ".shot-"
"""Between a video's name and the number of one of its shots in the names of `prepare`'s clips."""
_SWSCALE = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
}


@dataclass(frozen=True, eq=False)
class Clip:
    """One video's planes: luma [T, h, w] and chroma [T, 2, h, w], see the module's text."""

    name: str
    luma: Codes
    chroma: Codes

    def __len__(self) -> int:
        return len(self.luma)

    def luma_plane(self, frame: int) -> Plane:
        """Return the luma [h, w] float32 in [0, 1] of a frame, by its number."""
        return decode_luma(self.luma[frame], CODING)

    def chroma_plane(self, frame: int) -> Plane:
        """Return the true chroma [2, h, w] float32 in ±0.5 of a frame, by its number."""
        cb, cr = self.chroma[frame]
        return decode_chroma(cb, cr, CODING)


@dataclass(frozen=True, eq=False)
class Split:
    """The clips of each part; no video gives clips to two of them."""

    train: list[Clip]
    validation: list[Clip]
    test: list[Clip]


def load_split(folders: Sequence[Path], *, options: ClipOptions, quiet: bool = False) -> Split:
    """Decode the videos that are not in the cache, and split them by video.

    Broken videos are reported on stderr and left out.

    Args:
        folders: They are searched, subfolders too.
        options: How videos are scaled, cut and split.
        quiet: Whether nothing is printed.

    Returns:
        The clips of each part.

    Raises:
        ArgumentError: A folder is missing, or fewer than two videos are left.
    """
    clips = []
    # Without a terminal (disable=None) there is no bar: a log file would fill up with it.
    for path, name in tqdm(
        list(find_videos(folders)), desc="decoding", unit="video", disable=quiet or None
    ):
        try:
            clips.append(load_clip(path, name=name, options=options))
        except (OSError, ValueError, av.FFmpegError) as error:
            if not quiet:
                tqdm.write(f"skipped {path}: {error}", file=sys.stderr)
    videos = len(clips_by_video(clips))
    if videos < 2:
        raise ArgumentError(
            f"{_names(folders)} holds {videos} readable videos, at least two are needed: "
            "one to train on and one to validate on"
        )
    return split_clips(clips, shares=options.split, seed=options.split_seed)


def find_videos(folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Every video below the folders, in an order that is the same everywhere, and its name.

    ArgumentError when a folder is missing or there is no video at all.
    """
    found = 0
    for folder in folders:
        if not folder.is_dir():
            raise ArgumentError(f"videos: {folder} is not a folder; a folder of videos is needed")
        if (folder / PREPARED).exists():
            raise ArgumentError(
                f"videos: {folder} holds prepared clips, gray ones and the test's among them; "
                f"{folder / 'train'} or {folder / 'test'} is needed"
            )
        for path in files_below(folder, SUFFIXES):
            found += 1
            yield path, f"{folder.name}/{path.relative_to(folder).as_posix()}"
    if not found:
        raise ArgumentError(
            f"videos: {_names(folders)} holds no video ({', '.join(sorted(SUFFIXES))})"
        )


def files_below(folder: Path, suffixes: Set[str]) -> Iterator[Path]:
    """Every file with one of these suffixes, in an order that is the same everywhere.

    Args:
        folder: It is searched, subfolders too.
        suffixes: In lower case, with their dots; those of files may be in any case.
    """
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in suffixes and path.is_file():
            yield path


def check_split(shares: tuple[float, float, float]) -> None:
    """Check the shares of train, validation and test.

    Raises:
        ArgumentError: They are not such; one that is no number among them.
    """
    train, validation, test = shares
    if not (train > 0 and validation > 0 and test >= 0 and sum(shares) <= 1 + 1e-9):
        raise ArgumentError(
            f"split is {shares}; shares for train, validation (above 0) and test up to a sum of 1 "
            "are accepted"
        )


def split_clips(clips: Sequence[Clip], *, shares: tuple[float, float, float], seed: int) -> Split:
    """Split at random by video; the shots of one video stay together.

    Args:
        clips: Of at least two videos.
        shares: Of train, validation and test. Train and validation get one video at least.
        seed: Of the random order.

    Returns:
        The clips of each part.

    Raises:
        ArgumentError: The shares are not such.
    """
    check_split(shares)
    videos = clips_by_video(clips)
    order = np.random.default_rng(seed).permutation(len(videos))
    validation = max(1, round(len(videos) * shares[1]))
    test = min(round(len(videos) * shares[2]), len(videos) - validation - 1)
    train = max(1, min(round(len(videos) * shares[0]), len(videos) - validation - test))
    held = [videos[i] for i in order]
    return Split(
        validation=list(chain(*held[:validation])),
        test=list(chain(*held[validation : validation + test])),
        train=list(chain(*held[validation + test :][:train])),
    )


def clips_by_video(clips: Sequence[Clip]) -> list[list[Clip]]:
    """The clips of each video: one, or the shots that `python -m training prepare` cut it into."""
    videos: dict[str, list[Clip]] = {}
    for clip in clips:
        videos.setdefault(clip.name.split(SHOT)[0], []).append(clip)
    return list(videos.values())


def there_and_back(clip: Clip, passes: int) -> Clip:
    """A clip played there and back, as one long one.

    Args:
        clip: Of at least two frames.
        passes: Ways in all, from 1 on: 2 is there and back once. The last way back ends one frame
            after the first one of all, so that its last frames are those that follow the key.

    Returns:
        The long clip, in memory if it is longer.
    """
    if passes == 1:
        return clip
    last = len(clip) - 1
    there = np.arange(1, last + 1)
    ways = [there if way % 2 == 0 else last - there for way in range(passes)]
    order = np.concatenate([[0], *ways])
    order = order if passes % 2 else order[:-1]
    return Clip(clip.name, clip.luma[order], clip.chroma[order])


def load_clip(path: Path, *, name: str, options: ClipOptions) -> Clip:
    """Load one video from the cache; decode it first when it is new or has changed.

    Args:
        path: The video.
        name: How it is called.
        options: How it is scaled and cut, and where the cache is.

    Returns:
        Its planes, read through memory maps.

    Raises:
        OSError, ValueError, av.FFmpegError: It cannot be decoded to its end or to `max_frames`.
    """
    stat = path.stat()
    identity = f"{path.resolve()}|{stat.st_mtime_ns}|{options.size}|{options.max_frames}"
    stem = hashlib.sha256(identity.encode()).hexdigest()[:24]
    files = [options.cache / f"{stem}.{plane}.npy" for plane in ("luma", "chroma")]
    if not all(file.exists() for file in files):
        planes = _decode(path, size=options.size, max_frames=options.max_frames)
        options.cache.mkdir(parents=True, exist_ok=True)
        for file, plane in zip(files, planes, strict=True):
            _save(file, plane)
    luma, chroma = (np.load(file, mmap_mode="r") for file in files)
    return Clip(name=name, luma=luma, chroma=chroma)


def _save(file: Path, plane: Codes) -> None:
    """Write under a temporary name and rename: a file that is there is whole."""
    partial = file.with_suffix(f".{os.getpid()}.tmp")
    with partial.open("wb") as stream:
        np.save(stream, plane)
    partial.replace(file)


def _decode(path: Path, *, size: int, max_frames: int) -> tuple[Codes, Codes]:
    planes = []
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise ValueError("it holds no video stream")
        for frame in container.decode(video=0):
            scale = size / min(frame.height, frame.width)
            width, height = round(frame.width * scale), round(frame.height * scale)
            planes.append(rgb_to_codes(scaled_rgb(frame, width=width, height=height)))
            if len(planes) == max_frames:
                break
    if len({luma.shape for luma, _ in planes}) != 1:
        raise ValueError(f"{len(planes)} frames, not all of one size" if planes else "no frames")
    return np.stack([luma for luma, _ in planes]), np.stack([chroma for _, chroma in planes])


def scaled_rgb(frame: av.VideoFrame, *, width: int, height: int) -> Codes:
    """Convert a decoded frame to RGB of another size.

    Args:
        frame: Its own range and matrix are heeded.
        width: In pixels.
        height: In pixels.

    Returns:
        [height, width, 3].
    """
    smaller = width * height < frame.width * frame.height
    full = frame.color_range == ColorRange.JPEG
    scaled = reformat(
        frame,
        width,
        height,
        "rgb24",
        src_colorspace=_SWSCALE[matrix_of(frame.colorspace, height=frame.height)],
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA if smaller else Interpolation.BICUBIC,
    )
    return np.asarray(scaled.to_ndarray(), np.uint8)


def rgb_to_codes(rgb: Codes) -> tuple[Codes, Codes]:
    """8-bit RGB [h, w, 3] -> luma [h, w] and chroma [2, h, w], full-range BT.601 as OpenCV has it.

    OpenCV takes chroma from the rounded luma, which costs about a third of a code. The figures of
    models and baselines are known in its planes, so they stay comparable.
    """
    luma, cr, cb = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
    return np.asarray(luma, np.uint8), np.stack((cb, cr)).astype(np.uint8, copy=False)


def _names(folders: Sequence[Path]) -> str:
    return ", ".join(str(folder) for folder in folders)
