"""Whether what a command wrote at exit status 0 is right, as PyAV and OpenCV read it."""

from __future__ import annotations

import ctypes
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import av
import cv2
import numpy as np
from av.stream import Disposition

from tests.attack.case import Check
from tests.attack.worker import Outcome
from tests.support.videos import plane
from vidcolor.advise.review_page import GENERATOR
from vidcolor.advise.review_page import PARTS as PAGE

_PERTURB = -6
"""M_PERTURB of glibc's mallopt."""


def lumas(
    path: Path,
    threads: str = "AUTO",
    *,
    strict: bool = False,
    refused: bool = True,
    hold: bool = False,
    edited: bool = True,
) -> list[str]:
    """A digest of the luma of every frame that can be decoded, in the order in which they show.

    Args:
        path: The film.
        threads: What FFmpeg shares the work by: AUTO, or SLICE alone.
        strict: Whether frames with any damage that the decoder sees are left out. Else it conceals
            it, often with what happens to lie in its memory. Frames of another size or format than
            the first, which are converted, are left out, too.
        refused: Whether frames of packets that the decoder refuses are among them: MPEG-2's gives
            some all the same.
        hold: Whether frames stay in memory, so that none is decoded where an earlier one was.
        edited: Whether an edit list leaves frames out.
    """
    found: list[tuple[int | None, str]] = []
    held: list[av.VideoFrame] = []
    refusals: set[int | None] = set()
    options = {} if edited else {"ignore_editlist": "1"}
    with av.open(f"file:{path.absolute()}", options=options) as container:
        video = next(
            stream
            for stream in container.streams.video
            if not stream.disposition & Disposition.attached_pic
        )
        video.thread_type = threads
        if strict:
            video.codec_context.options = {"err_detect": "explode"}
        packets = container.demux(video)
        shape: tuple[str, int, int] | None = None
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError):
                break
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):  # a codec may change into one that nobody knows
                refusals.add(packet.pts)
                continue
            held += frames if hold else []
            for frame in frames:
                shape = shape or _shape(frame)
                if not strict or not (frame.is_corrupt or _shape(frame) != shape):
                    found.append((frame.pts, _digest(frame)))
        return [digest for pts, digest in found if refused or pts not in refusals]


def _shape(frame: av.VideoFrame) -> tuple[str, int, int]:
    return frame.format.name, frame.width, frame.height


def _decode(path: Path, frames: range | None) -> tuple[list[list[str]], list[str]]:
    """Luma of a clip that may be damaged, as several decoders have it, and of its sound frames.

    Of a damaged frame, a decoder may leave parts as its memory happened to be: it differs with the
    threads, with what `mallopt` fills memory with, and with whether earlier frames are still held.
    """
    libc = ctypes.CDLL(None)
    found = []
    for threads, fill, hold in (("SLICE", 0, False), ("AUTO", 0, True), ("AUTO", 0x5A, False)):
        libc.mallopt(_PERTURB, fill)
        found.append(_part(lumas(path, threads, hold=hold), frames))
    libc.mallopt(_PERTURB, 0)
    alike = Counter(digests[0] for digests in zip(*found, strict=False) if len(set(digests)) == 1)
    sound = [digest for digest in lumas(path, strict=True, refused=False) if digest in alike]
    return found, sound if Counter(sound) <= alike else []


def _part(luma: list[str], frames: range | None) -> list[str]:
    return luma if frames is None else luma[frames.start : frames.stop]


def _digest(frame: av.VideoFrame) -> str:
    codes = np.ascontiguousarray(plane(frame, 0))
    return hashlib.blake2b(codes.tobytes(), digest_size=8).hexdigest()


def film(
    output: str,
    clip: str,
    *,
    frames: range | None = None,
    exact: bool,
    intra: bool = False,
    expected: int | None = None,
) -> Check:
    """A coloured film is whole: as many frames as the clip, its luma bit for bit, and its report.

    Args:
        output: The coloured film.
        clip: What it was made from.
        frames: Those that were asked for; None for all.
        exact: Whether the output holds luma without loss.
        intra: Whether a damaged frame of the clip leaves the others as they are.
        expected: How many frames there are; None where the clip, decoded, tells.
    """

    def check(folder: Path, outcome: Outcome) -> Iterator[str]:
        if not (folder / output).is_file():
            yield "exit status 0 without an output"
            return
        try:
            written = lumas(folder / output)
        except (av.FFmpegError, StopIteration) as error:
            yield f"the output cannot be read: {error}"
            return
        asked, sound = _decode(folder / clip, frames)
        # Of refused packets some frames may be left out, and others of the same time may not.
        told = _part(lumas(folder / clip, refused=False), frames)
        # An MP4 that has lost when its frames show is read without the edit list, which is of it.
        unedited = _part(lumas(folder / clip, edited=False), frames)
        lengths = [len(each) for each in (*asked, told, unedited)]
        counts = range(min(lengths), max(lengths) + 1)
        if len(written) not in (counts if expected is None else (expected,)):
            yield f"the output has {len(written)} frames, {len(asked[0])} are in the clip"
        elif exact and sound and sound == asked[0] and written != sound:
            lost = sum((Counter(sound) - Counter(written)).values())
            yield f"the luma of {lost} of {len(sound)} frames is not the clip's, or misplaced"
        elif exact and intra and (lost := sum((Counter(sound) - Counter(written)).values())):
            yield f"the luma of {lost} of {len(sound)} sound frames is not the clip's"
        report = json.loads((folder / f"{output}.vidcolor.json").read_text(encoding="utf-8"))
        if len(report["confidence"]) != len(written):
            yield f"the report has {len(report['confidence'])} frames, the output {len(written)}"

    return check


def same_film(output: str, expected: Path) -> Check:
    """A coloured film has the bytes that it would have had without the damage."""

    def check(folder: Path, outcome: Outcome) -> Iterator[str]:
        if not (folder / output).is_file():
            yield "exit status 0 without an output"
        elif (folder / output).read_bytes() != expected.read_bytes():
            yield "the output's bytes are not those of a clean run"

    return check


def picture(output: str, shape: tuple[int, int]) -> Check:
    """A key image can be read and has this height and width."""

    def check(folder: Path, outcome: Outcome) -> Iterator[str]:
        image = cv2.imread(str(folder / output), cv2.IMREAD_UNCHANGED)
        if image is None:
            yield "the output cannot be read as an image"
        elif image.shape[:2] != shape:
            yield f"the output is of {image.shape[:2]}, the frame of {shape}"

    return check


class _Tags(HTMLParser):
    """The tags of a page with their attributes' names, in order, and its title."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, ...]] = []
        self.texts: dict[str, str] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}",))
        self._open = ""

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment",))

    def handle_data(self, data: str) -> None:
        self.texts[self._open] = self.texts.get(self._open, "") + data


def tags_of(page: str) -> list[tuple[str, ...]]:
    """The tags of a page, whatever its texts are."""
    parser = _Tags()
    parser.feed(page)
    parser.close()
    return parser.tags


def page(output: str) -> Check:
    """A review page has the tags of the page that its texts go into, and data that can be read."""

    def check(folder: Path, outcome: Outcome) -> Iterator[str]:
        path = folder / output
        if not path.is_file():
            yield "exit status 0 without a page"
            return
        text = path.read_text(encoding="utf-8")
        template = (PAGE / "review.html").read_text(encoding="utf-8")
        if tags_of(text) != tags_of(template.replace("{{generator}}", GENERATOR)):
            yield "a text has become a tag of the page"
        start = text.index('id="data"')
        data = text[text.index(">", start) + 1 : text.index("</script", start)]
        if "<" in data:
            yield "the page's data holds '<'"
        try:
            json.loads(data, parse_constant=_no_constant)
        except ValueError as error:
            yield f"the page's data is no JSON: {error}"

    return check


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def readable_film(output: str) -> Check:
    """A coloured film can be read, and has as many frames as its report says."""

    def check(folder: Path, outcome: Outcome) -> Iterator[str]:
        try:
            written = len(lumas(folder / output))
        except (av.FFmpegError, StopIteration) as error:
            yield f"the output cannot be read: {error}"
            return
        report = json.loads((folder / f"{output}.vidcolor.json").read_text(encoding="utf-8"))
        if len(report["confidence"]) != written:
            yield f"the report has {len(report['confidence'])} frames, the output {written}"

    return check
