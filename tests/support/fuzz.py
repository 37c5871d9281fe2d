"""Films with random damage, each coloured, one after the other, in a process of its own.

``python -m tests.support.fuzz FOLDER FIRST STOP`` prints a line for each: its number, the exit
status and what is wrong, as JSON. A process that dies or hangs names the film by what it printed
last.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from tests.support.faults import write_steady
from tests.support.videos import plane, write_clip, write_key
from vidcolor.cli import main
from vidcolor.film.report import Report

TOY = Path(__file__).parents[1] / "toy" / "bundle"
FRAMES, WIDTH, HEIGHT = 16, 64, 48


@dataclass(frozen=True)
class Pair:
    """A container and a codec, with sound in most."""

    ending: str
    codec: str
    pixel_format: str = "yuv420p"
    sound: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    each_alone: bool = False
    """Whether every frame is decoded on its own, so that damage looks the same to any reader."""


PAIRS = {
    "mp4-h264": Pair(".mp4", "libx264", sound="aac", options=(("bf", "3"), ("g", "6"))),
    "mp4-hevc": Pair(".mp4", "libx265", options=(("x265-params", "log-level=none"),)),
    "mov-prores": Pair(".mov", "prores_ks", "yuv422p10le", each_alone=True),
    "mov-png": Pair(".mov", "png", "gray", sound="pcm_s16le", each_alone=True),
    "avi-mjpeg": Pair(".avi", "mjpeg", "yuvj420p", sound="pcm_u8", each_alone=True),
    "avi-mpeg4": Pair(".avi", "mpeg4", sound="mp2"),
    "avi-huffyuv": Pair(".avi", "huffyuv", "yuv422p", each_alone=True),
    "mkv-h264": Pair(".mkv", "libx264", sound="flac", options=(("g", "6"),)),
    "mkv-ffv1": Pair(
        ".mkv", "ffv1", sound="pcm_s16le",
        options=(("level", "3"), ("slicecrc", "1"), ("g", "1")), each_alone=True,
    ),
    "webm-vp8": Pair(".webm", "libvpx", sound="libopus"),
    "ts-mpeg2": Pair(".ts", "mpeg2video", sound="mp2"),
    "mpg-mpeg2": Pair(".mpg", "mpeg2video", sound="mp2"),
    "wmv-wmv2": Pair(".wmv", "wmv2", sound="wmav2"),
    "flv-flv1": Pair(".flv", "flv"),
    "nut-raw": Pair(".nut", "rawvideo", each_alone=True),
}  # fmt: skip


def write_film(folder: Path, name: str) -> Path:
    """The undamaged film of a pair."""
    pair = PAIRS[name]
    path = folder / f"whole{pair.ending}"
    if pair.pixel_format == "yuv422p10le":
        ticks = [40 * n for n in range(FRAMES)]
        size = {"width": WIDTH, "height": HEIGHT}
        return write_clip(path, codec=pair.codec, pixel_format=pair.pixel_format, pts=ticks, **size)
    return write_steady(
        path,
        frames=FRAMES,
        rate=Fraction(25),
        codec=pair.codec,
        pixel_format=pair.pixel_format,
        sound=pair.sound,
        options=dict(pair.options),
        width=WIDTH,
        height=HEIGHT,
    )


def mutate(data: bytes, random: np.random.Generator) -> bytes:
    """One to three kinds of damage."""
    spoilt = bytearray(data)
    for _ in range(int(random.integers(1, 4))):
        size = len(spoilt)
        at = int(random.integers(size))
        length = int(random.integers(1, max(2, min(4000, size // 4))))
        match int(random.integers(7)):
            case 0:  # single bytes anywhere
                for place in random.integers(0, size, int(random.integers(1, 20))):
                    spoilt[place] = int(random.integers(256))
            case 1:  # in the first part, where headers are
                for place in random.integers(0, min(size, 1500), int(random.integers(1, 6))):
                    spoilt[place] = int(random.integers(256))
            case 2:
                spoilt[at : at + length] = bytes(min(length, size - at))
            case 3:
                spoilt[at : at + length] = random.bytes(min(length, size - at))
            case 4:
                del spoilt[at : at + length]
            case 5:
                spoilt[at:at] = spoilt[at : at + length]
            case _:
                del spoilt[max(size // 3, at) :]
    return bytes(spoilt)


def lumas(path: Path) -> Iterator[bytes]:
    """Digests of the luma of all frames that can be decoded, as plainly as can be."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "NONE"
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError):
                return
            if not packet.size and packet.pts is not None:
                continue
            with contextlib.suppress(av.FFmpegError):
                for frame in packet.decode():
                    yield hashlib.md5(plane(frame, 0).tobytes(), usedforsecurity=False).digest()


def color(
    folder: Path, name: str, number: int, whole: bytes, intact: set[bytes]
) -> dict[str, object]:
    """Colour the film of a number, and say what is wrong about what comes of it."""
    pair, random = PAIRS[name], np.random.default_rng((number, len(name)))
    clip, output = folder / f"film{pair.ending}", folder / "out.mkv"
    clip.write_bytes(mutate(whole, random))
    output.unlink(missing_ok=True)
    told, wrong = io.StringIO(), ""
    options = [
        "--key", str(folder / "key.png"), "--any-key", "--model", str(TOY), "--provider", "cpu",
        "--codec", "ffv1", "--size", "32", "--overwrite", "--keep", "0",
    ]  # fmt: skip
    try:
        with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
            status = main(["color", str(clip), *options, "-o", str(output)])
    except Exception:
        return {"number": number, "wrong": traceback.format_exc()}
    if status not in (0, 2):
        wrong = f"exit status {status}"
    elif status == 2 and len(_without_notes(told.getvalue())) != 1:
        wrong = f"not one sentence: {told.getvalue()}"
    elif status == 2 and output.exists():
        wrong = "an output in spite of an error"
    elif status == 0:
        wrong = check_output(clip, output, intact=intact if pair.each_alone else None)
    return {"number": number, "wrong": wrong and f"{name}: {wrong}", "told": told.getvalue()}


def _without_notes(told: str) -> list[str]:
    """The lines that were told, but for notes on the film."""
    return [line for line in told.splitlines() if not line.startswith("vidcolor: note: ")]


def check_output(clip: Path, output: Path, *, intact: set[bytes] | None) -> str:
    """What is wrong with an output; nothing, if it is empty.

    Args:
        intact: digests of luma of the undamaged film, whose frames are decoded each on its own.
    """
    with av.open(output) as container:
        times = [frame.pts for frame in container.decode(video=0)]
    if not times or any(two <= one for one, two in pairwise(times)):
        return f"times do not rise: {times}"
    if len(times) != len(Report.read(output).confidence):
        return f"{len(times)} frames, where the report has another number"
    written = list(lumas(output))
    if intact is not None:
        # What a decoder leaves in the place of a damaged slice depends on threads and memory.
        plain = list(lumas(clip))
        if len(plain) != len(written):
            return f"{len(written)} frames, where the film has {len(plain)}"
        pairs = zip(written, plain, strict=True)
        if any(luma in intact and luma != ours for ours, luma in pairs):
            return "luma is not the film's"
    return ""


def run(folder: Path, first: int, stop: int) -> None:
    """Colour some films; their pairs take turns."""
    write_key(folder / "key.png", width=WIDTH, height=HEIGHT)
    whole: dict[str, tuple[bytes, set[bytes]]] = {}
    for number in range(first, stop):
        print(json.dumps({"begin": number}), flush=True)
        name = tuple(PAIRS)[number % len(PAIRS)]
        if name not in whole:
            film = write_film(folder, name)
            whole[name] = film.read_bytes(), set(lumas(film))
        print(json.dumps(color(folder, name, number, *whole[name])), flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
