"""Pairs to learn what is like what: a frame, and a painted one that shows the same things.

Neither flow nor what was painted before is needed, so that many more of them are made in a minute
than rollouts. Every example is drawn from (seed, step, batch index) alone, as in
`training.data.rollouts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from evaluation.clips import CHROMA_ZERO, Clip, clips_by_video
from evaluation.old_film import OldFilm
from training.data.pictures import Picture
from training.data.scene import Floats
from training.data.stills import Stills, draw_picture
from vidcolor.errors import ArgumentError

DISTANCE = 4, 100
"""Frames from a frame to its key, least and most. Nearer ones, flow finds."""
TURNED = 10.0
"""Degrees, at most, by which a frame and its key are turned, either way."""
MOVED = 0.25
"""Of a square's side, at most, from where the frame's is cut to where the key's is."""
EXPOSURE = 0.2
"""Deviation of the log of the exponent of luma, which differs from the frame to its key."""


class _View(NamedTuple):
    """What is cut from a frame."""

    center: tuple[float, float]
    """Of the square, y and x in pixels."""
    zoom: float = 1.0
    """How much larger things are than in the frame, 1 or more."""
    angle: float = 0.0
    """By how much they are turned, in degrees."""
    mirrored: bool = False


class PairSource:
    """Draws pairs of squares from the frames of clips, and from pictures where some are given.

    Args:
        clips: Those that are too small or too short are left out.
        pictures: Half of the examples are two views of one of them.
        crop: Side of the squares, in pixels.
        scale: By how much at most things are larger or smaller in the key.
        film: Share of the examples whose luma is made like old film's.
        other_shots: Share of the pairs whose key is of another shot, of videos that have several.
        augment: Whether frame and key are turned, moved, scaled, mirrored and exposed differently.
        seed: What is drawn depends on it, the step and the batch index.

    Raises:
        ArgumentError: No clip can be used.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        crop: int,
        pictures: Sequence[Picture] = (),
        scale: float = 1.0,
        film: float = 0.0,
        other_shots: float = 0.0,
        augment: bool = True,
        seed: int = 0,
    ) -> None:
        self._crop, self._pictures, self._scale, self._film = crop, pictures, scale, film
        self._other_shots, self._augment, self._seed = other_shots, augment, seed
        usable = [c for c in clips if min(c.luma.shape[1:]) >= crop and len(c) > DISTANCE[0]]
        if not usable:
            raise ArgumentError(
                f"crop is {crop}, but no clip has so many pixels on its short side and more than "
                f"{DISTANCE[0]} frames"
            )
        videos = clips_by_video(usable)
        self.clips = [clip for shots in videos for clip in shots]
        self._shots = [shots for shots in videos for _ in shots]

    def batch(self, step: int, indices: Sequence[int]) -> Stills:
        """Return the examples with these indices in the batch of this step; keys are exemplars."""
        return Stills.stack([self._example(step, index) for index in indices])

    def _example(self, step: int, index: int) -> Stills:
        rng = np.random.default_rng([self._seed, step, index])
        picture = draw_picture(self._pictures, rng)
        clip, frame, key_clip, key = (
            self._frames(rng) if picture is None else (picture, 0, picture, 0)
        )
        film = OldFilm.draw(rng) if rng.random() < self._film else None
        here, there = self._views(clip, key_clip, rng)
        squares = (
            self._square(of, position, view, film, rng)
            for of, position, view in ((clip, frame, here), (key_clip, key, there))
        )
        (luma, chroma), (key_luma, key_chroma) = squares
        return Stills(luma, chroma, key_luma, key_chroma)

    def _frames(self, rng: np.random.Generator) -> tuple[Clip, int, Clip, int]:
        """A frame and its key, each as clip and position."""
        number = int(rng.integers(len(self.clips)))
        clip = self.clips[number]
        others = [shot for shot in self._shots[number] if shot is not clip]
        if others and rng.random() < self._other_shots:
            other = others[int(rng.integers(len(others)))]
            return clip, int(rng.integers(len(clip))), other, int(rng.integers(len(other)))
        least, most = DISTANCE
        distance = int(rng.integers(least, min(most, len(clip) - 1) + 1))
        first = int(rng.integers(len(clip) - distance))
        ends = (first, first + distance) if rng.random() < 0.5 else (first + distance, first)
        return clip, ends[0], clip, ends[1]

    def _views(self, clip: Clip, key_clip: Clip, rng: np.random.Generator) -> tuple[_View, _View]:
        """How the frame and its key are cut."""
        half = (self._crop - 1) / 2
        y, x = (half + rng.integers(s - self._crop + 1) for s in clip.luma.shape[1:])
        if not self._augment:
            return _View((y, x)), _View(self._within(key_clip, y, x))
        zoom = self._scale ** rng.uniform(-1, 1)
        mirrored = bool(rng.random() < 0.5)
        moved = rng.uniform(-MOVED, MOVED, 2) * self._crop
        angles = rng.uniform(-TURNED, TURNED, 2)
        here = _View((y, x), max(1.0, 1 / zoom), angles[0], mirrored)
        there = self._within(key_clip, y + moved[0], x + moved[1])
        return here, _View(there, max(1.0, zoom), angles[1], mirrored)

    def _within(self, clip: Clip, y: float, x: float) -> tuple[float, float]:
        """The middle of a square that is nearest to (y, x) and lies in the clip's frames."""
        half = (self._crop - 1) / 2
        height, width = clip.luma.shape[1:]
        return (
            float(np.clip(y, half, height - 1 - half)),
            float(np.clip(x, half, width - 1 - half)),
        )

    def _square(
        self,
        clip: Clip,
        position: int,
        view: _View,
        film: OldFilm | None,
        rng: np.random.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Luma [1, 1, crop, crop] in [0, 1] and chroma [1, 2, crop, crop] in ±0.5."""
        codes = np.stack([clip.luma[position], *clip.chroma[position]], -1)
        square = cv2.warpAffine(
            np.ascontiguousarray(codes),
            self._to_frame(view),
            (self._crop, self._crop),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        luma = np.asarray(square[..., 0], np.uint8)
        if film is not None:
            luma = film.degrade(luma, position)
        plane = luma.astype(np.float32) / np.float32(255)
        if self._augment:
            plane **= np.float32(np.exp(rng.normal(0, EXPOSURE)))
        chroma = (square[..., 1:].astype(np.float32) - CHROMA_ZERO) / 255
        return (
            torch.from_numpy(plane)[None, None],
            torch.from_numpy(np.ascontiguousarray(np.moveaxis(chroma, -1, 0)))[None],
        )

    def _to_frame(self, view: _View) -> Floats:
        """[2, 3]: where in the frame the pixels (x, y, 1) of the square lie."""
        angle = np.deg2rad(view.angle)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turn /= view.zoom
        if view.mirrored:
            turn[:, 0] *= -1
        half = (self._crop - 1) / 2
        shift = np.array(view.center[::-1]) - turn @ [half, half]
        return np.asarray(np.column_stack([turn, shift]), np.float32)
