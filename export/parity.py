"""Does a bundle colour as the generator it was made of? Both roll out the same frames.

The bundle goes the road it will go when shipped, through `vidcolor.propagate`, with its checks,
its flow and its state carried from step to step; the generator gets the same planes and flows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from export.graphs import ExportError
from training.models.base import Generator, Tensors
from vidcolor.errors import BundleError
from vidcolor.inference import contract
from vidcolor.inference.session import Session
from vidcolor.motion.clip_inputs import prepare_clip
from vidcolor.motion.optical_flow import to_uint8
from vidcolor.motion.track import first_tracks, half_size
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator

FRAMES = 8
KEYS = (1, 2)
SMALLEST = 48
"""Pixels that a rollout's sides have at least: optical flow needs some."""


class Tolerance(NamedTuple):
    """How far two graphs may lie apart at any pixel."""

    chroma: float
    """Of chroma, which is ±0.5."""
    confidence: float
    """Of 0 to 1."""


TOLERANCES = {
    # The same arithmetic in another order: 1e-7 a layer, which layers and recurrence multiply. A
    # trained U-Net came to 4e-6; a wrong axis or a lost state errs a thousand times more.
    "float32": Tolerance(1e-4, 1e-4),
    # Ten bits behind the point: 2^-11 a layer, multiplied likewise. The same U-Net came to 5e-3,
    # one of 255 code values at the worst pixel; a conversion gone wrong errs by tenths.
    "float16": Tolerance(2e-2, 2e-2),
    # Eight bits in the wide convolutions. Flagships came to 2e-2 and 7e-2 in chroma (attention may
    # find another of two like clouds), and to 0.17 in confidence: that is steep where there is
    # hardly an error, so that one code value more is a sixth of it. A wrong scale errs by more.
    contract.INT8: Tolerance(0.1, 0.25),
}


class ParityError(ExportError):
    """The bundle does not colour as its generator does."""


@dataclass(frozen=True)
class Parity:
    """The largest difference at any pixel of any rollout."""

    precision: str
    chroma: float
    confidence: float


@dataclass(frozen=True)
class _Rollout:
    """A made-up clip, and what the generator makes of it."""

    keys: list[Key]
    lumas: list[Plane]
    chroma: list[NDArray[np.float32]]
    """Per frame [2, h, w]."""
    confidence: list[NDArray[np.float32]]
    """Per frame [h, w]."""


def check_parity(generator: Generator, bundle: Path) -> list[Parity]:
    """Roll out at two sizes, with one key and with two, in every precision that the bundle has.

    Raises ParityError for a difference above `TOLERANCES`, or for anything that is no number.
    """
    rollouts = [
        _reference(generator.eval(), height, width, keys)
        for height, width in _sizes(generator.size_multiple)
        for keys in KEYS
    ]
    precisions = (*contract.PRECISIONS, *((contract.INT8,) if contract.has_int8(bundle) else ()))
    return [_compare(bundle, precision, rollouts) for precision in precisions]


def _sizes(multiple: int) -> Iterator[tuple[int, int]]:
    """Two heights and widths in pixels, one wide and one tall."""
    cells = -(-SMALLEST // multiple)
    yield cells * multiple, (cells + 1) * multiple
    yield (cells + 2) * multiple, cells * multiple


def _compare(bundle: Path, precision: str, rollouts: list[_Rollout]) -> Parity:
    propagator = Propagator(Session.load(bundle, provider="cpu", precision=precision))
    worst = {contract.CHROMA: 0.0, contract.CONFIDENCE: 0.0}
    for rollout in rollouts:
        state = propagator.init_state(*rollout.keys)
        for number, luma in enumerate(rollout.lumas):
            try:
                chroma, confidence, state = propagator.step(luma, state)
            except BundleError as error:  # values that are no numbers, or far from any colour
                raise ParityError(
                    f"the {precision} graph fails in frame {number + 1}: {error}"
                ) from error
            painted = (
                (contract.CHROMA, chroma, rollout.chroma[number]),
                (contract.CONFIDENCE, confidence, rollout.confidence[number]),
            )
            for (name, got, wanted), accepted in zip(painted, TOLERANCES[precision], strict=True):
                apart = float(np.abs(got - wanted).max())
                if not apart <= accepted:  # also when it is no number
                    raise ParityError(
                        f"{name} of the {precision} graph is {apart:.2g} from PyTorch's in frame "
                        f"{number + 1} of {luma.shape[1]}x{luma.shape[0]} pixels with "
                        f"{len(rollout.keys)} key(s), accepted is {accepted:g}"
                    )
                worst[name] = max(worst[name], apart)
    return Parity(precision, worst[contract.CHROMA], worst[contract.CONFIDENCE])


def _reference(generator: Generator, height: int, width: int, keys: int) -> _Rollout:
    """The generator's own rollout, in PyTorch on the CPU, in float32."""
    lumas, chroma = made_up_scene(height, width, frames=keys + FRAMES)
    rollout = _Rollout(
        keys=[Key(luma=lumas[i], chroma=np.roll(chroma, i, axis=2)) for i in range(keys)],
        lumas=lumas[keys:],
        chroma=[],
        confidence=[],
    )
    with torch.no_grad():
        remembered = [
            generator.remember(_batch(key.luma[None]), _batch(key.chroma)) for key in rollout.keys
        ]
        memory = {
            name: torch.cat([one.memory[name] for one in remembered], 1)
            for name in remembered[0].memory
        }
        state = remembered[-1].state
        for luma, flows in zip(rollout.lumas, _flows(generator, rollout), strict=True):
            painted = generator.propagate(_batch(luma[None]), state, memory, flows)
            rollout.chroma.append(painted.chroma[0].numpy())
            rollout.confidence.append(painted.confidence[0, 0].numpy())
            state = painted.state
    return rollout


def _flows(generator: Generator, rollout: _Rollout) -> Iterator[Tensors]:
    """The flows the generator asks for at each frame, as the runtime sees them."""
    multiple = generator.size_multiple
    lumas = [to_uint8(key.luma) for key in rollout.keys]
    flow_to_keys = generator.flows & contract.FLOWS_TO_KEYS
    keys = tuple(half_size(luma, multiple) for luma in lumas if flow_to_keys)
    for inputs in prepare_clip(
        map(to_uint8, rollout.lumas),
        required_flows=generator.flows,
        multiple=multiple,
        previous=lumas[-1],
        keys=keys,
        tracks=first_tracks(keys[-1], keys) if keys else None,
    ):
        yield {
            name: _batch(inputs.flows[name][0 if name == contract.FLOW_PREVIOUS else ...])
            for name in generator.flows
        }


def _batch(planes: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(planes))[None]


def made_up_scene(height: int, width: int, *, frames: int) -> tuple[list[Plane], Plane]:
    """Lumas of smooth clouds that drift to the right, and chroma [2, h, w] for the first."""
    random = np.random.default_rng(0)
    noise = random.standard_normal((3, height, width)).astype(np.float32)
    clouds = np.stack([cv2.GaussianBlur(plane, (0, 0), 4) for plane in noise])
    clouds /= np.abs(clouds).max()
    lumas = [0.5 + 0.5 * np.roll(clouds[0], frame, axis=1) for frame in range(frames)]
    return lumas, np.float32(0.3) * clouds[1:]
