"""Clips made of a rendered scene, and what the plain loop over the runtime makes of them.

The reference shares no code with vsvidcolor: it takes the scene's code values, not frames.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import vapoursynth as vs

from tests.support.scenes import Scene, render
from tests.vapoursynth_plugin.loops import color_all
from vidcolor.color import Coding, decode_luma, encode_chroma, rgb_to_key
from vidcolor.grid import Grid, resample
from vidcolor.inference.session import Session
from vidcolor.key.paint import Paint
from vidcolor.propagate import Propagator
from vidcolor.references import fit_reference
from vidcolor.working_size import WorkingSize

SUBSAMPLINGS = {
    "GRAY": (0, 0),
    "YUV444P": (0, 0),
    "YUV422P": (1, 0),
    "YUV420P": (1, 1),
    "YUV440P": (0, 1),
    "YUV411P": (2, 0),
    "YUV410P": (2, 2),
}
"""How often width and height are halved, as `form_of` names it."""

SITINGS = {"left": 0, "center": 1, "topleft": 2}


@dataclass(frozen=True)
class Case:
    """A clip of one format with a key, as code values and as VapourSynth has them."""

    scene: Scene = field(repr=False)
    format: str = "GRAY8"
    matrix: str = "bt709"
    full_range: bool = False
    siting: str = "left"
    size: int = 64
    props: dict[str, int] = field(default_factory=lambda: {"_Matrix": 1, "_Range": 0})
    key_scale: int = 1
    keys: tuple[int, ...] = (0,)
    direction: str = "both"
    cuts: tuple[int, ...] = ()
    """First frames of shots."""
    painted: float = 1.0
    """Share of each key that is painted, about; below 1 they have alpha."""
    references: int = 0
    """Pictures that show no frame of the clip, of another aspect."""

    @cached_property
    def form(self) -> vs.VideoFormat:
        return form_of(self.format)

    @property
    def coding(self) -> Coding:
        form = self.form
        return Coding(
            self.matrix, self.full_range, form.bits_per_sample, form.sample_type == vs.FLOAT
        )

    @property
    def subsampling(self) -> tuple[int, int]:
        return self.form.subsampling_w, self.form.subsampling_h

    @cached_property
    def luma_codes(self) -> np.ndarray:
        """[t, h, w]: the scene's luma, foot and head room included where there is any."""
        if self.coding.is_float:
            return (self.scene.luma * 1.2 - 0.1).astype(self.coding.dtype)
        return (self.scene.luma * ((1 << self.coding.bits) - 1)).astype(self.coding.dtype)

    @cached_property
    def key_rgb(self) -> list[np.ndarray]:
        """[h, w, 3] uint8 of any size for each key."""
        rgb, step = self.scene.rgb(self.matrix), self.key_scale
        return [rgb[n][::step, ::step] for n in self.keys]

    @cached_property
    def key_alpha(self) -> list[np.ndarray]:
        """[h, w] uint8 for each key: solid, soft and no paint in blobs."""
        rng = np.random.default_rng(len(self.keys))
        out = []
        for rgb in self.key_rgb:
            noise = cv2.GaussianBlur(rng.standard_normal(rgb.shape[:2]), (0, 0), 4)
            share = noise.argsort(axis=None).argsort().reshape(noise.shape) / noise.size
            soft = (self.painted - share) * 8  # over an eighth of the picture
            out.append(np.rint(255 * np.clip(soft, 0, 1)).astype(np.uint8))
        return out

    def clip(self, *, is_tagged: bool = False) -> vs.VideoNode:
        """The clip; chroma planes of a YUV one are noise that must not matter.

        is_tagged: whether its properties say where it is cut.
        """
        length, height, width = self.luma_codes.shape
        noise = np.random.default_rng(3)
        planes = [[codes, *self._noise(noise, height, width)] for codes in self.luma_codes]
        tags = [
            {"_SceneChangePrev": int(n in self.cuts)} if is_tagged else {} for n in range(length)
        ]
        return clip_of(self.format, planes, [self.props | tag for tag in tags])

    def _noise(self, noise: np.random.Generator, height: int, width: int) -> list[np.ndarray]:
        across, along = self.subsampling
        shape = height >> along, width >> across
        count = self.form.num_planes - 1
        return [noise.integers(60, 200, shape).astype(self.coding.dtype) for _ in range(count)]

    def key(self, props: list[dict[str, int]] | None = None) -> vs.VideoNode:
        """`key_rgb` as a clip."""
        frames = [list(np.moveaxis(rgb, -1, 0)) for rgb in self.key_rgb]
        return clip_of("RGB24", frames, props or [{} for _ in frames])

    def alpha(self) -> vs.VideoNode:
        """`key_alpha` as a clip."""
        return clip_of("GRAY8", [[codes] for codes in self.key_alpha], [{} for _ in self.keys])

    @cached_property
    def reference_rgb(self) -> list[np.ndarray]:
        """[40, 90, 3] uint8 for each reference."""
        return [render(1, 40, 90, seed=60 + n).rgb(self.matrix)[0] for n in range(self.references)]

    def reference_clip(self) -> vs.VideoNode:
        """`reference_rgb` as a clip."""
        frames = [list(np.moveaxis(rgb, -1, 0)) for rgb in self.reference_rgb]
        return clip_of("RGB24", frames, [{} for _ in frames])

    def propagate(self, bundle: Path, **arguments: object) -> vs.VideoNode:
        """The filter's output; `arguments` in place of the case's own."""
        own = {"clip": self.clip(), "size": self.size, "model": str(bundle), "provider": "cpu"}
        if self.keys:
            own["key"] = self.key()
        if self.keys and self.keys != (0,):
            own |= {"frames": list(self.keys), "direction": self.direction}
        if self.painted < 1:
            own["alpha"] = self.alpha()
        if self.references:
            own["references"] = self.reference_clip()
        if self.cuts:
            own["scenes"] = list(self.cuts)
        return vs.core.vidcolor.Propagate(**(own | arguments))

    def plain_loop(self, session: Session) -> list[tuple[bytes, bytes, bytes]]:
        """The three planes of every frame, as the loops in `colour_all` would make them."""
        return [
            (codes.tobytes(), *(c.tobytes() for c in encode_chroma(chroma, self.coding)))
            for codes, (chroma, _, _) in zip(self.luma_codes, self.colors(session), strict=True)
        ]

    def mask(self, confidence: np.ndarray) -> np.ndarray:
        """The codes of a confidence at working size."""
        full = Grid(*self.scene.luma.shape[1:])
        values = resample(confidence[None], Grid(*confidence.shape), full)[0]
        if not self.coding.is_float:
            values = np.rint(values * ((1 << self.coding.bits) - 1))
        return values.astype(self.coding.dtype)

    def colors(self, session: Session) -> list[tuple[np.ndarray, np.ndarray, bool]]:
        """Of every frame: full-size chroma, small confidence, whether it was carried from a key."""
        height, width = self.scene.luma.shape[1:]
        fit = WorkingSize.of(height, width, self.size)
        grid = fit.grid(self.subsampling, self.siting)
        lumas = [decode_luma(codes, self.coding) for codes in self.luma_codes]
        smalls = [fit.downsample(luma) for luma in lumas]
        keys, own = {}, {}
        for n, rgb, alpha in zip(self.keys, self.key_rgb, self.key_alpha, strict=True):
            chroma = rgb_to_key(rgb / np.float32(255), self.matrix).chroma
            weight = alpha / np.float32(255) if self.painted < 1 else None
            paint = Paint(chroma, Grid(*rgb.shape[:2]), weight)
            keys[n] = paint.small(smalls[n], fit)
            own[n] = paint.full(keys[n], lumas[n], fit, grid)
        out = []
        shown = [rgb_to_key(rgb / np.float32(255), self.matrix) for rgb in self.reference_rgb]
        references = [fit_reference(key, fit) for key in shown]
        plain = color_all(Propagator(session), smalls, keys, self.cuts, self.direction, references)
        for n, (chroma, confidence, carried) in enumerate(plain):
            full = fit.upsample(chroma, smalls[n], lumas[n], self.subsampling, self.siting)
            out.append((own.get(n, full), confidence, carried))
        return out


def clip_of(format: str, frames: list[list[np.ndarray]], props: list[dict]) -> vs.VideoNode:  # noqa: A002
    """A clip of these code planes and properties."""
    form = form_of(format)
    height, width = frames[0][0].shape
    made = []
    for planes, tags in zip(frames, props, strict=True):
        frame = vs.core.create_video_frame(form, width, height)
        for index, codes in enumerate(planes):
            np.asarray(frame[index])[:] = codes
        frame.props.update(tags)
        made.append(frame)
    blank = vs.core.std.BlankClip(format=form, width=width, height=height, length=len(frames))
    return vs.core.std.ModifyFrame(blank, blank, lambda n, f: made[n])


def form_of(name: str) -> vs.VideoFormat:
    """The format of this name, also where VapourSynth has no constant for it, such as YUV410P12."""
    if hasattr(vs, name):
        return vs.core.get_video_format(getattr(vs, name))
    layout, depth = re.fullmatch(r"(GRAY|YUV4\d\dP)(\d+|H|S)", name).groups()
    family = vs.GRAY if layout == "GRAY" else vs.YUV
    kind = vs.FLOAT if depth in "HS" else vs.INTEGER
    bits = {"H": 16, "S": 32}.get(depth) or int(depth)
    return vs.core.query_video_format(family, kind, bits, *SUBSAMPLINGS[layout])


def planes_of(frame: vs.VideoFrame) -> tuple[bytes, ...]:
    """Bytes of every plane."""
    return tuple(np.asarray(frame[i]).tobytes() for i in range(frame.format.num_planes))
