"""Encode what vspipe puts out, with the timing, colour tags and audio of the clip it came from.

    vspipe -c y4m --arg clip="$PWD/clip.mp4" --arg key="$PWD/first.png" examples/propagate.vpy - \
        | python examples/encode_y4m.py --like clip.mp4 --codec h264-420 -o out.mp4

y4m does not hold the range and the sample aspect either. PyAV brings FFmpeg's libraries along, so
the ffmpeg program is not needed. Flags of interlaced frames are passed over, as by the filter. The
stream must show the clip upright, as BestSource gives it: how the clip is turned is kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import av

from vidcolor.errors import VidcolorError
from vidcolor.media.codecs import AUTO, CODECS
from vidcolor.media.info import Frame
from vidcolor.media.pictures import plane_codes, reformat
from vidcolor.media.reader import Reader
from vidcolor.media.tags import coding_of, tags_of
from vidcolor.media.writer import Writer

H264_420 = "h264-420"
"""H.264 in its High profile, 4:2:0 of 8 bits: what browsers and phones play."""

REMEDY = "pipe the output of vspipe -c y4m into it"


def encode(stream: av.container.InputContainer, *, like: Path, output: Path, codec: str) -> None:
    """Encode the stream's frames in place of those of the clip `like`."""
    frames = stream.decode(video=0)
    with Reader(like, progressive=True) as reader:
        tags = tags_of(reader.info.tags, coding_of(reader.info))
        with Writer(output, like=reader, tags=tags, codec=codec, overwrite=True) as writer:
            check_turn(writer.pixel_format, reader)
            for item in reader:
                if not isinstance(item, Frame):
                    writer.copy(item)
                    continue
                frame = next(frames, None)
                if frame is None:
                    raise SystemExit(f"encode_y4m: the stream has fewer frames than {like}")
                check_size(frame, reader)
                frame = reformat(frame, pixel_format=writer.pixel_format)
                lying = reader.info.orientation
                planes = [lying.stored(plane_codes(frame, index)) for index in range(3)]
                writer.write(planes, pts=item.pts, duration=item.duration)
            if next(frames, None) is not None:
                raise SystemExit(f"encode_y4m: the stream has more frames than {like}")


def check_size(frame: av.VideoFrame, like: Reader) -> None:
    """Raise SystemExit where the stream's frames are not of the clip's size."""
    given, needed = (frame.width, frame.height), (like.info.width, like.info.height)
    if like.info.orientation.swaps_sides:
        needed = needed[::-1]
    if given != needed:
        raise SystemExit(
            "encode_y4m: the stream is {}x{}, {} is {}x{} as it is shown; scale or turn it to "
            "that in the script".format(*given, like.path, *needed)
        )


def check_turn(pixel_format: str, like: Reader) -> None:
    """Raise SystemExit where chroma cannot be turned back to how the clip is stored."""
    form = av.VideoFormat(pixel_format)
    if like.info.orientation.swaps_sides and form.chroma_width(8) != form.chroma_height(8):
        raise SystemExit(
            f"encode_y4m: {like.path} is shown turned, which {pixel_format} cannot be; give "
            f"--codec {H264_420}"
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--like", type=Path, required=True, help="the clip that was coloured")
    parser.add_argument("-o", "--output", type=Path, required=True, help="replaced if there is one")
    parser.add_argument(
        "--codec",
        default=AUTO,
        choices=(AUTO, *CODECS),
        help=f"{H264_420} is what browsers and phones play; {AUTO} keeps depth and subsampling",
    )
    options = parser.parse_args()
    if sys.stdin is None:
        raise SystemExit(f"encode_y4m: there is no input; {REMEDY}")
    try:
        stream = av.open(sys.stdin.buffer, format="yuv4mpegpipe")
    except av.FFmpegError as error:
        raise SystemExit(f"encode_y4m: the input is empty, or no y4m; {REMEDY}") from error
    try:
        with stream:
            encode(stream, like=options.like, output=options.output, codec=options.codec)
    except (VidcolorError, av.FFmpegError) as error:
        raise SystemExit(f"encode_y4m: {error}") from error


if __name__ == "__main__":
    main()
