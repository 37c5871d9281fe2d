"""A film's sound for a page: AAC, in step with a copy of its frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import av
from av.audio.frame import AudioFrame
from av.container import OutputContainer

from vidcolor.media.names import url_of

_RATE = 48000
"""Samples a second."""
_AT_A_TIME = 1024
"""Samples of a frame: sound begins and ends with the picture to 1/47 of a second."""
_BIT_RATE = 128_000
"""Bits a second."""


class Sound:
    """The first audio stream of a film on its way into a copy, packet by packet.

    Sound that cannot be decoded ends there; the pictures go on.

    Args:
        film: The film.
        container: The copy. It gets its stream at once, before anything is written to it.
    """

    def __init__(self, film: Path, container: OutputContainer) -> None:
        self._input = av.open(url_of(film))
        self._output = container
        self._frames: Iterator[AudioFrame] = iter(())
        self._waiting: AudioFrame | None = None
        self.exists = bool(self._input.streams.audio)
        if self.exists:
            self._stream = container.add_stream("aac", rate=_RATE, layout="stereo")
            self._stream.bit_rate = _BIT_RATE
            self._frames = self._decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._input.close()

    def copy(self, begin: float, until: float) -> None:
        """Write what sounds before a time.

        Args:
            begin: The time of the film's first frame, in seconds of the film. What sounds before
                it is left out.
            until: Seconds since then.
        """
        while (frame := self._waiting or next(self._frames, None)) is not None:
            start = (frame.pts or 0) - round(begin * _RATE)
            if start >= until * _RATE:
                self._waiting = frame
                return
            self._waiting = None
            if start >= 0:
                frame.pts = start
                self._output.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self.exists:
            self._output.mux(self._stream.encode())

    def _decode(self) -> Iterator[AudioFrame]:
        """Frames of stereo, their times counted in samples."""
        resampler = av.AudioResampler(
            format="fltp", layout="stereo", rate=_RATE, frame_size=_AT_A_TIME
        )
        try:
            for frame in self._input.decode(audio=0):
                yield from resampler.resample(frame)
            yield from resampler.resample(None)
        except (av.FFmpegError, ValueError):  # damaged, or of a layout that changes
            return
