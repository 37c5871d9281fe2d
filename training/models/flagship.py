"""The flagship: candidates of the frame's colours are fetched, mixed, and only then retouched.

Six candidates are made for every pixel, each strong where the others are weak:

* ``previous``: the previous frame's colours along optical flow; sharp, right for small motion,
  but it drifts, since every step repeats the errors of the one before;
* ``key``: the key's colours along optical flow from this frame straight to the key; cannot
  drift, but is lost where motion is too large;
* ``tracked``: the key's colours along the track of each pixel, the flows of all frames since put
  right at each by a search in the key (`vidcolor.motion.track`); no error of the mixer ever enters
  it;
* ``matched``: the key's colours fetched by attention over learned features of luma, wherever in
  the key they are, but rather near the track (`training.models.matcher`); coarse, but survives any
  motion;
* ``recalled``: the previous frame's colours fetched in the same way, those that are sure before
  others; where something is in no key, what looks like it there may have been settled already;
* ``chained``: the last key's colours along the flows of all frames since, nothing put right: where
  the mixer was once wrong, they still are as they were.

A small U-Net at half size looks at the candidates, at how well each one's luma and learned
features agree with the frame's, how far they agree with one another, and where flow leads out of
the picture, and says how large it expects the error of each to be, how to weigh them, what to add,
and how large the error is then. What it says is a correction of ``previous``: that one alone is
warped at full size, so that a pixel left to it may keep all its detail, as long as that is more
than noise. At the start of training the weights favour it, so training can only improve on a plain
flow chain.

Everything that costs much (features, attention, flow) depends on luma alone and is not part of
the recurrence: the state is the previous frame's chroma and confidence, of its luma half the size,
the features that the next frame compares, what there is to recall, and the chain.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.base import Generator, Propagated, Remembered, Tensors
from training.models.encoder import TOKEN, Encoder
from training.models.layers import enlarge, softmax
from training.models.matcher import Matcher
from training.models.mixer import Candidates, Mixer, beyond
from training.models.warp import shrink_flow, warp
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

APART_SCALE = 16.0
"""Luma's differences are mostly below 1/16; the network sees about ±1."""
UNSURE = 1e-3
"""Confidence below which none is told apart, for it has a logarithm."""


class Flagship(Generator):
    """See the module's text. `width` sets all widths, `match_width` that of what is compared."""

    size_multiple = 16
    colour_space = "YCbCr"
    flows = frozenset({FLOW_PREVIOUS, FLOW_KEY, FLOW_TRACK})

    def __init__(self, width: int = 32, match_width: int = 64) -> None:
        super().__init__()
        self.encoder = Encoder(width // 2)
        self.matcher = Matcher(5 * width // 2, match_width, belief=3)
        self.recall = Matcher(5 * width // 2, match_width, belief=2)
        self.heed = nn.Parameter(torch.tensor(1.0))
        self.look = nn.Conv2d(width, width // 2, 1)
        self.mixer = Mixer(width)

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """See `Generator.remember`."""
        features = self.encoder(luma)
        small = F.avg_pool2d(luma, 2)
        look = F.normalize(self.look(features.quarter), dim=1)
        memory = {
            "luma": small,
            "chroma": F.avg_pool2d(chroma, 2),
            "look": look,
            **self.matcher.remember(
                features.eighth, luma, chroma, torch.zeros_like(features.eighth[:, :1])
            ),
        }
        certain, chained = torch.ones_like(small), torch.cat([chroma, luma], 1)
        state = self._leave(luma, chroma, certain, look, features.eighth, chained, certain)
        return Remembered({name: tensor.unsqueeze(1) for name, tensor in memory.items()}, state)

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """See `Generator.propagate`."""
        features = self.encoder(luma)
        small = F.avg_pool2d(luma, 2)
        look = F.normalize(self.look(features.quarter), dim=1)
        led = warp(torch.cat([state["chroma"], state["chained"]], 1), flows[FLOW_PREVIOUS])
        coarse = F.avg_pool2d(led, 2)
        fine = led[:, :2] - enlarge(coarse[:, :2], 2)
        candidates = self._candidates(
            small, look, features.eighth, coarse, fine, state, memory, flows
        )
        mixed = self.mixer(small, features, candidates, flows[FLOW_PREVIOUS])
        mended = enlarge(coarse[:, :2] + mixed.correction, 2)
        chroma = (mended + enlarge(mixed.detail, 2) * fine).clamp(-0.5, 0.5)
        by_likeness = torch.cat([candidates.matched[:, :2], candidates.recalled[:, :2]], 1)
        chained, kept = led[:, 2:], candidates.kept
        return Propagated(
            chroma,
            enlarge(mixed.confidence, 2),
            self._leave(luma, chroma, mixed.confidence, look, features.eighth, chained, kept),
            fetched=enlarge(by_likeness, 2).unflatten(1, (2, 2)),
            candidates=candidates.chroma,
            doubts=mixed.doubts,
        )

    def _leave(
        self,
        luma: Tensor,
        chroma: Tensor,
        confidence: Tensor,
        look: Tensor,
        eighth: Tensor,
        chained: Tensor,
        kept: Tensor,
    ) -> Tensors:
        """The state after a frame of these colours; `confidence` and `kept` are of half size."""
        sure = F.avg_pool2d(confidence, TOKEN // 2).clamp(min=UNSURE)
        return {
            "luma": F.avg_pool2d(luma, 2),
            "chroma": chroma,
            "confidence": confidence,
            "look": look,
            "chained": chained,
            "kept": kept,
            **self.recall.remember(eighth, luma, chroma, self.heed * sure.log()),
        }

    def _candidates(
        self,
        small: Tensor,
        look: Tensor,
        eighth: Tensor,
        coarse: Tensor,
        fine: Tensor,
        state: Tensors,
        memory: Tensors,
        flows: Tensors,
    ) -> Candidates:
        """Of luma at half size.

        coarse: chroma of the previous frame, chroma and luma of the last key, along flow, at half
        size. fine: what the first has of finer detail, at full size.
        """
        back, back_quarter = (shrink_flow(flows[FLOW_PREVIOUS], times) for times in (2, 4))
        seen = warp(torch.cat([state["luma"], state["confidence"], state["kept"]], 1), back)
        agrees = (warp(state["look"], back_quarter) * look).sum(1, keepdim=True)
        key = nearest_key(small, look, memory, flows[FLOW_KEY])
        tracked = nearest_key(small, look, memory, flows[FLOW_TRACK])
        meeting = torch.exp(-(tracked.flow - key.flow).abs().sum(1, keepdim=True))
        belief = believe(small, tracked.planes[:, 2:3], tracked.agrees, meeting)
        before = {name: state[name].unsqueeze(1) for name in ("place", "tint")}
        step, trust = flows[FLOW_PREVIOUS].unsqueeze(1), believe(small, seen[:, :1], agrees)
        outside = [beyond(way) for way in (back, key.flow, tracked.flow)]
        return Candidates(
            previous=torch.cat([coarse[:, :2], seen[:, :2]], 1),
            key=key.planes,
            matched=self.matcher(small, eighth, memory, flows[FLOW_TRACK], belief),
            tracked=tracked.planes,
            recalled=self.recall(small, eighth, before, step, trust),
            track=tracked.flow,
            chained=coarse[:, 2:],
            kept=torch.minimum(seen[:, 2:], 1 - outside[0]),
            fine=F.avg_pool2d(fine.abs(), 2),
            beyond=torch.cat(outside, 1),
            meeting=meeting,
            agreement=torch.cat([agrees, key.agrees, tracked.agrees], 1),
        )


class Nearest(NamedTuple):
    """Of the keys, those that agree with the frame in luma."""

    planes: Tensor
    """[B, 3, h/2, w/2]: chroma and luma."""
    agrees: Tensor
    """[B, 1, h/4, w/4]: how their features agree with the frame's, in [-1, 1]."""
    flow: Tensor
    """[B, 2, h/2, w/2]: the flow there, in pixels of this size."""


def nearest_key(small: Tensor, look: Tensor, memory: Tensors, flow: Tensor) -> Nearest:
    """What is fetched from the keys along `flow` [B, k, 2, h, w]."""
    keys = flow.shape[1]
    flow = flow.flatten(0, 1)
    planes = torch.cat([memory["chroma"], memory["luma"]], 2).flatten(0, 1)
    there = shrink_flow(flow, 2)
    warped = warp(planes, there).unflatten(0, (-1, keys))
    looks = warp(memory["look"].flatten(0, 1), shrink_flow(there, 2)).unflatten(0, (-1, keys))
    agrees = (looks * look.unsqueeze(1)).sum(2)
    apart = (warped[:, :, 2] - small).abs()
    weight = softmax(-F.avg_pool2d(apart, 3, 1, 1, count_include_pad=False) * 32)
    return Nearest(
        (warped * weight.unsqueeze(2)).sum(1),
        (agrees * F.avg_pool2d(weight, 2)).sum(1, keepdim=True),
        (there.unflatten(0, (-1, keys)) * weight.unsqueeze(2)).sum(1),
    )


def believe(small: Tensor, there: Tensor, agrees: Tensor, *more: Tensor) -> Tensor:
    """What `Matcher` believes a flow by: [B, 2 or more, h/8, w/8], each about ±1.

    How far luma [B, 1, h/2, w/2] lies from that where the flow leads, more planes of that size, and
    how features agree with those there, [B, 1, h/4, w/4].
    """
    apart = (there - small).abs() * APART_SCALE
    planes = F.avg_pool2d(torch.cat([apart, *more], 1), TOKEN // 2)
    return torch.cat([planes, F.avg_pool2d(agrees, TOKEN // 4)], 1)
