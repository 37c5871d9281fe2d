"""Containers: which are read, which are written, and what FFmpeg is asked to open them with.

A name never makes FFmpeg use the network or run a script: only the protocol of files is allowed,
and formats that are lists of other files are not read at all.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from io import BytesIO, FileIO
from pathlib import Path
from types import MappingProxyType

import av
from av.container import InputContainer, OutputContainer

from vidcolor.errors import ArgumentError, MediaError
from vidcolor.media import names

ENDINGS: Mapping[str, str] = MappingProxyType(
    {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
)
"""What the name of an output may end in, and FFmpeg's muxer for it."""

_LISTS = {
    "avisynth", "concat", "concatf", "dash", "hls", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp",
    "vapoursynth", "webm_dash_manifest",
}  # fmt: skip
"""Demuxers that open other files, the network or a program."""
_NO_FILMS = {"tty", "bin", "xbin", "adf", "idf", "image2", "ffmetadata", "ico", "txt"}
"""Demuxers that make a picture of a text; and the one that takes names for patterns."""

_JPEG = {".jpg", ".jpeg"}

MOST_PIXELS = 1 << 27
"""Of a frame. More takes gigabytes, which a damaged header may ask for."""

_SAFE = {
    "protocol_whitelist": "file",
    "max_pixels": str(MOST_PIXELS),
    "format_whitelist": ",".join(sorted(av.formats_available - _LISTS - _NO_FILMS)),
}
_REPRODUCIBLE = {"fflags": "+bitexact"}
"""Or Matroska files get random numbers."""


def open_input(path: Path, **options: str) -> InputContainer:
    """The file at `path`, opened by FFmpeg. Raises MediaError when it cannot be read as a video."""
    kind = names.kind_of(path)
    if kind == "not there":
        raise MediaError(f"clip: there is no file {path}")
    if kind is not None:
        raise MediaError(f"clip: {path} is {kind}, a video file is needed")
    if _is_list(path):
        raise MediaError(
            f"clip: {path} is a list of other files, a single video file is needed: "
            "join them first, such as with: "
            f"ffmpeg -i {shlex.quote(names.typed(path))} -c copy film.mkv"
        )
    try:
        return av.open(_source(path), "r", options={**_SAFE, **options})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise unreadable(path, error) from error


def _source(path: Path) -> str | FileIO:
    """What FFmpeg is given to open: its URL, or an open file where the name would mislead FFmpeg.

    It takes 'a%03d.png' for a pattern, also of an open file, and what ends as a JPEG does for the
    first picture of a sequence, which is in `_NO_FILMS`.
    """
    if "%" not in path.name and path.suffix.lower() not in _JPEG:
        return names.url_of(path)
    file = FileIO(path)
    file.name = "clip"
    return file


def muxer_of(path: Path) -> str:
    """FFmpeg's name of the container that the ending of an output names.

    Raises ArgumentError for an ending that is not one of `ENDINGS`.
    """
    muxer = ENDINGS.get(path.suffix.lower())
    if muxer is None:
        ending = f"in {path.suffix}" if path.suffix else "without an ending"
        raise ArgumentError(
            f"output: {path.name} ends {ending}, which is not written; "
            "end the name in .mp4, .mov or .mkv"
        )
    return muxer


def supported_codecs(muxer: str) -> set[str]:
    """FFmpeg's names of the encoders whose streams a container takes."""
    with av.open(BytesIO(), "w", format=muxer) as container:
        return container.supported_codecs


def open_output(path: Path, muxer: str) -> OutputContainer:
    """A file to be written."""
    return av.open(names.url_of(path), "w", format=muxer, container_options=_REPRODUCIBLE)


def unreadable(path: Path, error: Exception) -> MediaError:
    """What to raise for a file that FFmpeg cannot read."""
    reason = getattr(error, "strerror", None) or str(error)
    return MediaError(f"clip: {path} cannot be read as a video ({reason})")


def _is_list(path: Path) -> bool:
    """Whether a file is a playlist, by its first bytes: FFmpeg would say 'invalid argument'."""
    try:
        with path.open("rb") as file:
            head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError as error:
        raise unreadable(path, error) from error
    return head.startswith((b"#EXTM3U", b"ffconcat ", b"v=0")) or b"<MPD" in head
