"""What a user may ask for of a film, as text: a range of frames, where shots begin, a size."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

from vidcolor.errors import ArgumentError, MediaError
from vidcolor.film.finish import Blend
from vidcolor.media.names import kind_of

if TYPE_CHECKING:
    from vidcolor.film.arguments import Scenes

_DIGITS = 15
"""Of the largest frame number: films have fewer frames, and integers of 64 bits hold it."""
_LARGEST = 10_000_000
"""Bytes of a list of shots."""
_ACCEPTED = "accepted are auto, none, or a text file with the number of each shot's first frame"

_HIGHEST_CRF = 51
"""Of x264 and x265, which give the lowest quality for it."""
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def parse_range(text: str) -> range:
    """Frames such as 240-479, both ends included, or 240 alone. Raises ArgumentError."""
    match = re.fullmatch(rf"\s*(\d{{1,{_DIGITS}}})\s*(?:-\s*(\d{{1,{_DIGITS}}})\s*)?", text)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise ArgumentError(
            f"range is {_short(text)}, accepted are the first and the last frame, such as 240-479"
        )
    return range(int(match[1]), int(match[2] or match[1]) + 1)


def parse_spans(argument: str, texts: Sequence[str]) -> list[tuple[range | None, float]]:
    """Numbers, each for all frames or for some: 0.8, or 240-479:0.8.

    Args:
        argument: Its name.
        texts: One for each time that the option was given.

    Raises:
        ArgumentError: One is neither.
    """
    return [_span(argument, text) for text in texts]


def _span(argument: str, text: str) -> tuple[range | None, float]:
    frames, colon, number = text.rpartition(":")
    try:
        return parse_range(frames) if colon else None, float(number)
    except (ValueError, ArgumentError):
        raise ArgumentError(
            f"{argument} is {_short(text)}, accepted are a number, such as 0.8, and one for some "
            "frames, such as 240-479:0.8"
        ) from None


def parse_key_ranges(texts: Sequence[str]) -> dict[int, range]:
    """The frames that keys hold for, such as 240:200-299. Raises ArgumentError."""
    ranges: dict[int, range] = {}
    for text in texts:
        key, _, frames = text.partition(":")
        try:
            [number], held = parse_range(key), parse_range(frames)
        except ValueError:  # of more than one key, or an ArgumentError
            raise ArgumentError(
                f"key-range is {_short(text)}, accepted are a key's frame and the frames that it "
                "holds for, such as 240:200-299"
            ) from None
        if number in ranges:
            raise ArgumentError(f"key-range is given twice for frame {number}, once is accepted")
        ranges[number] = held
    return ranges


def parse_blend(text: str) -> Blend:
    """A film and its share, such as other.mkv:0.3. Raises ArgumentError."""
    path, _, weight = text.rpartition(":")
    try:
        share = float(weight)
    except ValueError:
        share = None
    if not path or share is None:
        raise ArgumentError(
            f"blend is {_short(text)}, accepted are a film and its share of the colours, such as "
            "other.mkv:0.3"
        )
    return Blend(Path(path), share)


def read_scenes(path: Path) -> tuple[int, ...]:
    """First frames of shots from a text file of numbers; what follows a # is not read.

    UTF-8 or UTF-16, with any line ends. Two lists that others save are read, too: PySceneDetect's,
    a table whose column 'Start Frame' counts from 1; and TransNetV2's, each shot's first and last
    frame in a line.

    Raises:
        MediaError: There is no such file, or it is no text.
        ArgumentError: It holds anything else.
    """
    text = _read_text(path)
    found = _of_table(text, path)
    if found is None:
        lines = re.sub(r"#.*|[,;]", " ", text).splitlines()
        found = _firsts([[_frame(word, path) for word in line.split()] for line in lines], path)
    if not found:
        raise ArgumentError(
            f"scenes: {path} holds nothing, the number of each shot's first frame is needed"
        )
    return tuple(sorted(set(found)))


def parse_scenes(asked: str | None) -> Scenes | None:
    """What `--scenes` is told: 'auto', 'none', or the first frames of shots, of a file.

    Raises:
        VidcolorError: As `read_scenes` does.
    """
    if asked is None or asked in ("auto", "none"):
        return cast("Scenes | None", asked)
    return read_scenes(Path(asked))


def _read_text(path: Path) -> str:
    kind = kind_of(path)
    reason = None if kind is None else "there is no such file" if kind == "not there" else kind
    try:
        if reason is None and path.stat().st_size > _LARGEST:
            reason = "it is too large"
        if reason is None:
            data = path.read_bytes()
            wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            return data.decode("utf-16" if wide else "utf-8-sig")
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is no text"
    raise MediaError(f"scenes: {path} cannot be read ({reason}); {_ACCEPTED}")


def _of_table(text: str, path: Path) -> list[int] | None:
    """First frames of PySceneDetect's table; None where it is no such table."""
    lines = [line.split(",") for line in text.splitlines()]
    for number, line in enumerate(lines):
        names = [name.strip().lower() for name in line]
        if "frame number" in names:
            raise ArgumentError(
                f"scenes: {path} holds statistics of frames; PySceneDetect writes its list of "
                "shots with list-scenes"
            )
        if "start frame" in names:
            column = names.index("start frame")
            cells = (row[column].strip() for row in lines[number + 1 :] if len(row) > column)
            found = [int(cell) - 1 for cell in cells if re.fullmatch(rf"\d{{1,{_DIGITS}}}", cell)]
            if -1 in found:
                raise ArgumentError(
                    f"scenes: {path} holds a start frame 0, tables with that column count from 1"
                )
            return found
    return None


def _firsts(lines: Sequence[Sequence[int]], path: Path) -> list[int]:
    """First frames of shots; two numbers in each of several lines are first and last frames."""
    lines = [line for line in lines if line]
    if len(lines) < 2 or {len(line) for line in lines} != {2}:
        return list(chain.from_iterable(lines))
    ends = list(chain.from_iterable(lines))
    if any(later < earlier for earlier, later in pairwise(ends)):
        raise ArgumentError(
            f"scenes: {path} holds two numbers in each line, which are taken for the first and the "
            "last frame of shots, but they do not rise; a number in each line is needed"
        )
    return [first for first, _ in lines]


def _frame(word: str, path: Path) -> int:
    if not re.fullmatch(rf"\d{{1,{_DIGITS}}}", word):
        raise ArgumentError(
            f"scenes: {path} holds {_short(word)}, the number of each shot's first frame is needed"
        )
    return int(word)


def _short(text: str) -> str:
    """As Python writes it, without the middle of a long one."""
    return repr(text if len(text) <= 40 else f"{text[:20]}...{text[-10:]}")


def parse_size(text: str) -> int:
    """Bytes such as 500M or 10G, in powers of 1000. Raises ArgumentError."""
    match = re.fullmatch(r"\s*(\d{1,15})\s*([KMGT]?)B?\s*", text, re.IGNORECASE | re.ASCII)
    if match is None:
        raise ArgumentError(
            f"keep is {_short(text)}, accepted are sizes such as 500M or 10G, and 0"
        )
    return int(match[1]) * _UNITS[match[2].upper()]


def parse_codec_options(crf: float | None, preset: str | None, text: str) -> dict[str, str]:
    """FFmpeg's options for an encoder, by name, of the three options of `vidcolor color`.

    Args:
        crf: Constant rate factor; None leaves the codec's own.
        preset: The encoder's preset; None leaves the codec's own.
        text: Any options, such as 'tune=film,g=48'.

    Raises:
        ArgumentError: The text is no such list, or names an option twice.
    """
    if crf is not None and not 0 <= crf <= _HIGHEST_CRF:
        raise ArgumentError(f"crf is {crf:g}, accepted are numbers from 0 to {_HIGHEST_CRF}")
    options = {"crf": None if crf is None else f"{crf:g}", "preset": preset}
    asked = {name: value for name, value in options.items() if value is not None}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise ArgumentError(
                f"codec-options holds {_short(pair)}, accepted are pairs such as tune=film,g=48"
            )
        if name in asked:
            raise ArgumentError(f"codec-options: {name} is given twice, once is accepted")
        asked[name] = value
    return asked


def format_size(size: int) -> str:
    """Bytes for people to read, such as 1.5 GB."""
    for unit in ("GB", "MB"):
        if size >= _UNITS[unit[0]]:
            return f"{size / _UNITS[unit[0]]:.1f} {unit}"
    return f"{size / 1000:.1f} kB"
