"""A clip as the report shows it: strips of frames, and a video, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import av
import cv2
import numpy as np

from evaluation.clips import CHROMA_ZERO, Clip, Codes
from evaluation.predictors import Predictor
from evaluation.scores import frame_rgb, prediction_rgb

STRIP_EVERY = 7
"""Frames between two columns, as in the reports' Figures 4 and 5."""
_STRIP_SIDE = 96
"""Short side of a strip's frames, in pixels."""
_JPEG_QUALITY = 80
_VIDEO_RATE = 25
"""Frames a second; the clips' own rates vary about it."""
_VIDEO_CRF = 24


@dataclass(frozen=True)
class Pictures:
    """What the report shows of one clip."""

    clip: str
    columns: list[int]
    """The strips' frame numbers."""
    strips: dict[str, str]
    """Row by row, gray and the truth first: a JPEG's data URI."""
    video: str
    """An MP4's data URI: gray, the subject's colours, and the truth side by side."""


def depict(clip: Clip, methods: Sequence[Predictor], *, subject: Predictor) -> Pictures:
    """Predict the clip with every method, and show it.

    Args:
        clip: Frame 0 is the key.
        methods: A row of pictures for each.
        subject: The one of them that the video shows.
    """
    columns = list(range(0, len(clip), STRIP_EVERY))
    truth = [frame_rgb(*planes) for planes in zip(clip.luma, clip.chroma, strict=True)]
    zero = np.full_like(clip.chroma[0], CHROMA_ZERO)
    before = [frame_rgb(luma, zero) for luma in clip.luma]
    strips = {"gray": _strip(before, columns), "truth": _strip(truth, columns)}
    after = before  # as baseline 'gray' has it, which needs no row of its own
    for method in methods:
        if method.label in strips:
            continue
        predicted = list(chain(truth[:1], _frames(method, clip)))
        strips[method.label] = _strip(predicted, columns)
        if method == subject:
            after = predicted
    triples = zip(before, after, truth, strict=True)
    side_by_side = (np.concatenate(triple, axis=1) for triple in triples)
    video = video_uri(side_by_side, rate=_VIDEO_RATE, crf=_VIDEO_CRF)
    return Pictures(clip=clip.name, columns=columns, strips=strips, video=video)


def _frames(method: Predictor, clip: Clip) -> Iterator[Codes]:
    for luma, prediction in zip(clip.luma[1:], method.predict(clip), strict=True):
        yield prediction_rgb(luma, prediction)


def _strip(frames: Sequence[Codes], columns: Sequence[int]) -> str:
    height, width = frames[0].shape[:2]
    scale = _STRIP_SIDE / min(height, width)
    size = round(width * scale), round(height * scale)
    row = np.concatenate(
        [cv2.resize(frames[t], size, interpolation=cv2.INTER_AREA) for t in columns], axis=1
    )
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(row, cv2.COLOR_RGB2BGR), options)
    return _data_uri("image/jpeg", jpeg.tobytes())


def video_uri(frames: Iterable[Codes], *, rate: Fraction | int, crf: int) -> str:
    """Encode RGB frames [h, w, 3] as H.264 in MP4: a data URI; odd last rows, columns are cut."""
    each = iter(frames)
    first = next(each)
    height, width = (side - side % 2 for side in first.shape[:2])
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in chain([first], each):
            cropped = np.ascontiguousarray(frame[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(cropped, format="rgb24")))
        container.mux(stream.encode())
    return _data_uri("video/mp4", file.getvalue())


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
