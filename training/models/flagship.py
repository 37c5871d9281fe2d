"""The flagship: candidates of the frame's colours are fetched, mixed, and only then retouched.

Four candidates are made for every pixel, each strong where the others are weak:

* ``previous``: the previous frame's colours along optical flow; sharp, right for small motion,
  but it drifts, since every step repeats the errors of the one before;
* ``key``: the key's colours along optical flow from this frame straight to the key; cannot
  drift, but is lost where motion is too large;
* ``tracked``: the key's colours along the track of each pixel, the flows of all frames since put
  right at each by a search in the key (`vidcolor.track`); no error of the mixer ever enters it;
* ``matched``: the key's colours fetched by attention over learned features of luma, wherever in
  the key they are (the similarity sub-net of He et al. 2018, "Deep Exemplar-based Colorization",
  and the colour pointers of Vondrick et al. 2018); coarse, but survives any motion.

A small U-Net at half size looks at the candidates, at how well each one's luma and learned
features agree with the frame's and how far they agree with one another, and says how large it
expects the error of each to be, how to weigh them, what to add, and how large the error is then.
What it says is a correction of ``previous``: that one alone is warped at full size, so that a pixel
left to it keeps all its detail. At the start of training the weights favour it, so training can
only improve on a plain flow chain.

Everything that costs much (features, attention, flow) depends on luma alone and is not part of
the recurrence: the state is the previous frame's chroma and confidence, of its luma half the size
and the features that the next frame compares.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.base import Generator, Propagated, Remembered, Tensors
from training.models.encoder import TOKEN, Encoder, tint
from training.models.layers import enlarge, softmax
from training.models.mixer import Candidates, Mixer
from training.models.warp import shrink_flow, warp
from vidcolor.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

UNLIKE = 70.0
"""Attention's logits end so far below the greatest. Further down, shares would be denormal numbers,
with which CPUs compute many times as long; e^-70 of a place's colours is none."""


class Flagship(Generator):
    """See the module's text. `width` sets all widths, `match_width` that of what is compared."""

    size_multiple = 16
    colour_space = "YCbCr"
    flows = frozenset({FLOW_PREVIOUS, FLOW_KEY, FLOW_TRACK})

    def __init__(self, width: int = 32, match_width: int = 64) -> None:
        super().__init__()
        self.encoder = Encoder(width // 2)
        self.match = nn.Conv2d(5 * width // 2, match_width, 1)
        self.temperature = nn.Parameter(torch.tensor(2.5))
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
            "place": self._place(features.eighth),
            "tint": tint(torch.cat([chroma, luma], 1)),
        }
        state = {
            "luma": small,
            "chroma": chroma,
            "confidence": torch.ones_like(small),
            "look": look,
        }
        return Remembered({name: tensor.unsqueeze(1) for name, tensor in memory.items()}, state)

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """See `Generator.propagate`."""
        features = self.encoder(luma)
        small = F.avg_pool2d(luma, 2)
        look = F.normalize(self.look(features.quarter), dim=1)
        previous = warp(state["chroma"], flows[FLOW_PREVIOUS])
        candidates = self._candidates(small, look, features.eighth, previous, state, memory, flows)
        mixed = self.mixer(small, features, candidates, flows[FLOW_PREVIOUS])
        chroma = (previous + enlarge(mixed.correction, 2)).clamp(-0.5, 0.5)
        following = {
            "luma": small,
            "chroma": chroma,
            "confidence": mixed.confidence,
            "look": look,
        }
        return Propagated(
            chroma,
            enlarge(mixed.confidence, 2),
            following,
            fetched=enlarge(candidates.matched[:, :2], 2),
            candidates=candidates.chroma,
            doubts=mixed.doubts,
        )

    def _candidates(
        self,
        small: Tensor,
        look: Tensor,
        eighth: Tensor,
        previous: Tensor,
        state: Tensors,
        memory: Tensors,
        flows: Tensors,
    ) -> Candidates:
        """Of luma at half size; `previous` is the candidate's chroma at full size."""
        back, back_quarter = (shrink_flow(flows[FLOW_PREVIOUS], times) for times in (2, 4))
        seen = warp(torch.cat([state["luma"], state["confidence"]], 1), back)
        agrees = (warp(state["look"], back_quarter) * look).sum(1, keepdim=True)
        key = nearest_key(small, look, memory, flows[FLOW_KEY])
        tracked = nearest_key(small, look, memory, flows[FLOW_TRACK])
        return Candidates(
            previous=torch.cat([F.avg_pool2d(previous, 2), seen], 1),
            key=key.planes,
            matched=self._fetch(small, eighth, memory),
            tracked=tracked.planes,
            track=tracked.flow,
            meeting=torch.exp(-(tracked.flow - key.flow).abs().sum(1, keepdim=True)),
            agreement=torch.cat([agrees, key.agrees, tracked.agrees], 1),
        )

    def _place(self, eighth: Tensor) -> Tensor:
        """What places are compared by: [B, match_width, h/8, w/8], of length one."""
        return F.normalize(self.match(eighth), dim=1)

    def _fetch(self, small: Tensor, eighth: Tensor, memory: Tensors) -> Tensor:
        """[B, 4, h/2, w/2]: see `Candidates.matched`.

        A place gives its mean chroma and how chroma changes with luma within it, so that the
        frame's own luma draws the edges that places of `TOKEN` pixels are too coarse for.
        """
        # On the queries, which are few; places times places are millions.
        sharpness = self.temperature.exp()
        query = self._place(eighth).flatten(2).transpose(1, 2) * sharpness
        place = memory["place"].transpose(1, 2).flatten(2)
        value = memory["tint"].transpose(1, 2).flatten(2).transpose(1, 2)
        likeness = torch.bmm(query, place)
        best = likeness.amax(-1, keepdim=True)
        share = torch.softmax(torch.maximum(likeness, best - UNLIKE), dim=-1)
        fetched = torch.cat([torch.bmm(share, value), best / sharpness], -1)
        fetched = fetched.transpose(1, 2).unflatten(2, eighth.shape[2:])
        mean, luma_mean, slope, best = enlarge(fetched, TOKEN // 2).split([2, 1, 2, 1], dim=1)
        chroma = (mean + slope * (small - luma_mean)).clamp(-0.5, 0.5)
        return torch.cat([chroma, luma_mean, best], 1)


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
