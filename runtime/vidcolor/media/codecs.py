"""The codecs on offer: FFmpeg's encoder and settings for each, and the pixel format it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import cast

import av

from vidcolor.errors import ArgumentError
from vidcolor.media.encoder_options import (
    NESTED,
    SOONER,
    check_aim,
    check_choice_of,
    merge,
    warnings,
)
from vidcolor.media.info import Info
from vidcolor.media.pictures import subsampling

AUTO = "auto"
"""The first of `CODECS` that holds the clip in the output's container."""

_DEEP = 10
"""Bits that are enough for a codec which has a pixel format of its own."""


@dataclass(frozen=True)
class Encoder:
    """How FFmpeg is asked for a codec."""

    library: str
    """FFmpeg's name of the encoder."""
    options: Mapping[str, str] = field(default_factory=dict)
    lossless: bool = False
    any_size: bool = False
    """Whether it holds odd sides, too."""
    formats: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Pixel formats of an encoder that has its own, the smallest first, with the options that go
    with each; empty for one that takes the clip's."""
    fast_start: bool = False
    """Whether an MP4 or MOV file has its index in front, so that browsers play it as it loads."""

    def __str__(self) -> str:
        return self.library

    @property
    def known_formats(self) -> set[str]:
        """Pixel formats that it takes."""
        return {form.name for form in av.Codec(self.library, "w").video_formats or ()}

    def options_for(self, pixel_format: str) -> dict[str, str]:
        """What FFmpeg is told, for a pixel format."""
        return {**self.options, **self.formats.get(pixel_format, {})}

    def with_options(self, asked: Mapping[str, str]) -> Encoder:
        """The same, with FFmpeg's options of a user's own in place of those of their names."""
        if not asked:
            return self
        formats = {name: merge(options, asked) for name, options in self.formats.items()}
        return replace(self, options=merge(self.options, asked), formats=formats)

    def check_options(self, asked: Mapping[str, str], pixel_format: str, info: Info) -> None:
        """Check the options that were given to `with_options`.

        Raises:
            ArgumentError: The encoder does not know one, does not take its value, or would leave
                it for another one.
        """
        check_aim(asked)
        for name, value in asked.items():
            check_choice_of(self.library, name, value, pixel_format)
            options = merge(self.options_for(pixel_format), {name: value})
            try:
                with warnings() as said:
                    context = self._opened(options, pixel_format, info)
            except (av.FFmpegError, ValueError) as error:
                raise self._refused(name, value, said) from error
            if name in NESTED and said:
                raise self._refused(name, value, said)
            if name in context.options:  # FFmpeg leaves what it has no use for
                raise ArgumentError(
                    f"{name}: the encoder {self} has no such option; leave it out, or choose "
                    "another codec"
                )
            made = (context.width, context.height, context.pix_fmt)
            if made != (info.width, info.height, pixel_format):
                raise ArgumentError(
                    f"{name} is {value!r}; vidcolor itself sets the size and the format of frames, "
                    "leave it out"
                )

    def _refused(self, name: str, value: str, said: Sequence[str]) -> ArgumentError:
        reason = f" ({said[0]})" if said else ""
        return ArgumentError(
            f"{name} is {value!r}, which the encoder {self} does not take{reason}; see FFmpeg's "
            "documentation of it"
        )

    def holds_size(self, pixel_format: str, info: Info) -> bool:
        """Whether the clip's sides are whole numbers of the chroma samples of a pixel format.

        An encoder without loss rounds them up; others would cut a column or a row off.
        """
        across, down = subsampling(pixel_format)
        return self.any_size or not (info.width % (1 << across) or info.height % (1 << down))

    def check_opens(self, pixel_format: str, info: Info) -> None:
        """Raise ArgumentError where the encoder does not take frames of the clip's size.

        DNxHR has a smallest one, for example.
        """
        try:
            self._opened(self.options_for(pixel_format), pixel_format, info)
        except (av.error.ArgumentError, ValueError) as error:
            raise ArgumentError(
                f"codec: {self} takes no {pixel_format} of {info.width}x{info.height}; "
                f"{_lossless_remedy(info)}"
            ) from error
        except av.FFmpegError:
            pass  # for another reason, such as no memory, which whoever asks knows

    def _opened(
        self, options: dict[str, str], pixel_format: str, info: Info
    ) -> av.VideoCodecContext:
        context = cast(av.VideoCodecContext, av.CodecContext.create(self.library, "w"))
        context.width, context.height, context.pix_fmt = info.width, info.height, pixel_format
        context.time_base, context.framerate = info.time_base, info.rate
        context.options = options
        context.open()
        return context

    def pixel_format(self, info: Info) -> str:
        """What to give it for such a clip. Whether it takes that remains to be seen."""
        if not self.formats:
            return _yuv_format(info, lossless=self.lossless)
        fine = (1, 1) if info.is_gray else subsampling(info.pixel_format)
        for name in self.formats:
            across, down = subsampling(name)
            covers = across <= fine[0] and down <= fine[1]
            if covers and av.VideoFormat(name).components[0].bits >= min(info.bits, _DEEP):
                return name
        return name


CODECS: Mapping[str, Encoder] = MappingProxyType(
    {
        # `python -m benchmarks encode` compares: a quarter of the time of 'medium' at a crf of 16.
        "libx264": Encoder("libx264", {"preset": "veryfast", "crf": "12", **SOONER}),
        "libx265": Encoder(
            "libx265", {"preset": "medium", "crf": "18", "x265-params": "log-level=none"}
        ),
        "h264-420": Encoder(
            "libx264",
            {"preset": "medium", "crf": "16", "profile": "high"},
            formats={"yuv420p": {}},
            fast_start=True,
        ),
        "ffv1": Encoder("ffv1", {"level": "3", "slicecrc": "1"}, lossless=True, any_size=True),
        "prores": Encoder(
            "prores_ks",
            {"vendor": "apl0"},
            any_size=True,
            formats={"yuv422p10le": {"profile": "hq"}, "yuv444p10le": {"profile": "4444"}},
        ),
        "dnxhr": Encoder(
            "dnxhd",
            formats={
                "yuv422p": {"profile": "dnxhr_hq"},
                "yuv422p10le": {"profile": "dnxhr_hqx"},
                "yuv444p10le": {"profile": "dnxhr_444"},
            },
        ),
    }
)
"""By the name a user gives; those that players show first, the most widely played before others.
'h264-420' is H.264 in its High profile, 4:2:0 of 8 bits: what browsers and phones play."""

PREVIEW = Encoder("libx264", {"preset": "veryfast", "crf": "23"}, formats={"yuv420p": {}})
"""For a quick look."""


def choose(
    asked: str | Encoder, info: Info, *, holds: set[str], container: str
) -> tuple[Encoder, str]:
    """The encoder to use and the pixel format to give it.

    asked: a name of `CODECS`, `AUTO`, or an encoder itself. holds: the encoders whose streams the
    container takes.
    Raises ArgumentError when nothing does.
    """
    encoders = _encoders(asked)
    size = ""
    for encoder in encoders:
        pixel_format = encoder.pixel_format(info)
        if pixel_format not in encoder.known_formats or encoder.library not in holds:
            continue
        if encoder.holds_size(pixel_format, info):
            _check_aspect(encoder, info, container)
            return encoder, pixel_format
        size = f" of {info.width}x{info.height}"
    remedy = _lossless_remedy(info)
    if encoders[0].formats and not size:
        remedy = "use an output that ends in .mov"
    raise ArgumentError(
        f"codec: {asked} does not hold {info.pixel_format}{size} in {container} files; {remedy}"
    )


def _lossless_remedy(info: Info) -> str:
    ending = ".mkv" if info.sample_aspect == 1 else ".mp4"
    return f"ffv1 in an {ending} file holds every format and size"


def _check_aspect(encoder: Encoder, info: Info, container: str) -> None:
    # Matroska keeps it in a place that PyAV cannot write; H.264 has one of its own.
    if encoder.library == "ffv1" and info.sample_aspect != 1 and container == "matroska":
        raise ArgumentError(
            f"codec: ffv1 in .mkv cannot keep the clip's sample aspect {info.sample_aspect}; "
            "use an output that ends in .mp4, or another codec"
        )


def _encoders(asked: str | Encoder) -> tuple[Encoder, ...]:
    if isinstance(asked, Encoder):
        return (asked,)
    if asked == AUTO:
        return tuple(encoder for encoder in CODECS.values() if not encoder.formats)
    if asked in CODECS:
        return (CODECS[asked],)
    raise ArgumentError(f"codec: got {asked!r}, one of {', '.join((AUTO, *CODECS))} is needed")


def _yuv_format(info: Info, *, lossless: bool) -> str:
    """The clip's own pixel format, or YUV of the same depth for a gray clip.

    Every player shows 4:2:0, which needs even sides; what is lossless keeps all of the chroma.
    """
    if not info.is_gray:
        return info.pixel_format
    odd = info.width % 2 or info.height % 2
    return f"yuv{444 if lossless or odd else 420}p" + (f"{info.bits}le" if info.bits > 8 else "")
