"""The flagship: candidates of the frame's colours are fetched, mixed, and only then retouched.

Seven candidates are made for every pixel, each strong where the others are weak:

* ``previous``: the previous frame's colours along optical flow; sharp, right for small motion,
  but it drifts, since every step repeats the errors of the one before;
* ``key``: the key's colours along optical flow from this frame straight to the key; cannot
  drift, but is lost where motion is too large;
* ``tracked``: the key's colours along the track of each pixel, the flows of all frames since put
  right at each by a search in the key (`vidcolor.motion.track`); no error of the mixer ever enters
  it;
* ``matched``: the key's colours fetched by attention over features of luma, wherever in the key
  they are, but rather near the track (`training.models.matcher`); coarse, but survives any motion;
* ``recalled``: the previous frame's colours fetched in the same way, those of high confidence
  before others; where something is in no key, what looks like it there may have been settled
  already;
* ``chained``: the last key's colours along the flows of all frames since, nothing put right: where
  the mixer was once wrong, they still are as they were;
* the mixer's own guess, from what it sees alone, for what no other candidate has.

A small U-Net at half size looks at the candidates, at how well each one's luma and features agree
with the frame's, how far they agree with one another, and where flow leads out of the picture, and
says how large it expects the error of each to be, how to weigh them, what to add, and how large the
error is then. What it says is a correction of ``previous``: that one alone is warped at full size,
so that a pixel left to it may keep all its detail, as long as that is more than noise. At the start
of training the weights favour it, so training can only improve on a plain flow chain.

Everything that costs much (features, attention, flow) depends on luma alone and is not part of
the recurrence: the state is the previous frame's chroma and confidence, of its luma half the size,
the descriptors that the next frame compares, attention's keys and values, and the chain.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.attended import Attended
from training.models.base import Generator, Propagated, Remembered, Tensors
from training.models.encoder import TOKEN, Features, TrunkEncoder
from training.models.evidence import Candidates
from training.models.fetch import (
    Fetched,
    all_ends,
    as_planes,
    beside,
    each,
    fetch,
    flow_agreement,
    flow_evidence,
    out_of_frame,
    scaled_flow,
)
from training.models.layers import enlarge, length_of, sum_of_four
from training.models.matcher import (
    Matcher,
    Matchers,
    attend,
    distance_penalties,
    embed,
    of_one,
    remember,
)
from training.models.mixer import Mixer
from training.models.warp import sample
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

OF_TRACK, OF_PREVIOUS = (2, 3, 6, 9), (0, 4, 7)
"""Which planes of `flow_evidence` speak of a key's track, and which of the frame before."""
LEAST_CONFIDENCE = 1e-3
"""Confidence below which none is told apart, for it has a logarithm."""


class Flagship(Generator):
    """See the module's text.

    Args:
        width: Sets the widths of all our own layers.
        match_width: Numbers by which places are compared, made of our own features.
        trunk_width: The same, made of the trunk's.
    """

    size_multiple = 16
    color_space = "YCbCr"
    flows = frozenset({FLOW_PREVIOUS, FLOW_KEY, FLOW_TRACK})

    def __init__(self, width: int = 32, match_width: int = 64, trunk_width: int = 48) -> None:
        super().__init__()
        eighth = 5 * width // 2
        self.encoder = TrunkEncoder(width // 2)
        self.matcher, self.recall = (
            Matcher(eighth, match_width, evidence=evidence, trunk_width=trunk_width)
            for evidence in (OF_TRACK, OF_PREVIOUS)
        )
        self.confidence_gate = nn.Parameter(torch.tensor(1.0))
        self.descriptor = nn.Conv2d(width, width // 2, 1)
        self.mixer = Mixer(width)

    @property
    def matchers(self) -> Matchers:
        """Both attentions, to the keys and to the frame before."""
        return self.matcher, self.recall

    def load_pretrained(self) -> None:
        """The trunk's weights, from ImageNet."""
        self.encoder.trunk.load_imagenet()

    def compute_in_parts(self, parts: int) -> bool:
        """See `Generator.compute_in_parts`."""
        for attention in self.matchers:
            attention.parts = parts
        self.mixer.apart = parts > 1
        return True

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """See `Generator.remember`."""
        features, trunk = self.encoder(luma)
        small = F.avg_pool2d(luma, 2)
        descriptor = self._describe(features)
        embedding = embed(self.matchers, features.eighth, trunk.deep)
        to_keys = of_one(embedding, 0)
        memory = {
            "colors": F.avg_pool2d(torch.cat([luma, chroma], 1), 2),
            "descriptor": descriptor,
            "attention": remember(to_keys, luma, chroma, torch.zeros_like(to_keys[:, :1])),
        }
        state = self._next_state(
            luma,
            chroma,
            confidence=torch.ones_like(small),
            descriptor=descriptor,
            embedding=of_one(embedding, 1),
            chained=torch.cat([luma, chroma], 1),
            visibility=torch.ones_like(small),
        )
        return Remembered({name: tensor.unsqueeze(1) for name, tensor in memory.items()}, state)

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """See `Generator.propagate`."""
        flows = {
            name: flow if name == FLOW_PREVIOUS else flow.transpose(0, 1).flatten(0, 1)
            for name, flow in flows.items()
        }
        memory = {name: kept.transpose(0, 1).flatten(0, 1) for name, kept in memory.items()}
        return self.propagate_stacked(luma, state, memory, flows)

    def propagate_stacked(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """See `Generator.propagate_stacked`."""
        features, trunk = self.encoder(luma)
        small = F.avg_pool2d(luma, 2)
        descriptor = self._describe(features)
        embedding = embed(self.matchers, features.eighth, trunk.deep)
        ends = all_ends(flows)
        there = sample(state["painted"], ends[: luma.shape[0]])
        warped, chained = there.split([2, 3], 1)
        coarse, chained_small = F.avg_pool2d(there, 2).split([2, 3], 1)
        fine = warped - enlarge(coarse, 2)
        candidates, attended = self._candidates(
            small,
            features.eighth,
            embedding,
            fetch(small, descriptor, embedding, state, memory, ends),
            (coarse, fine, chained_small),
            state,
            memory,
        )
        mixed = self.mixer(small, features, candidates)
        chroma = enlarge(mixed.chroma, 2) + enlarge(mixed.detail, 2) * fine
        chroma = chroma.clamp(-0.5, 0.5)
        offers = torch.cat([*(colors[:, 1:] for colors in attended), mixed.guess], 1)
        following = self._next_state(
            luma,
            chroma,
            confidence=mixed.confidence,
            descriptor=descriptor,
            embedding=of_one(embedding, 1),
            chained=chained,
            visibility=candidates.visibility,
        )
        return Propagated(
            chroma,
            enlarge(mixed.confidence, 2),
            following,
            fetched=enlarge(offers, 2).unflatten(1, (-1, 2)),
            candidates=candidates.chroma,
            log_errors=mixed.log_errors,
        )

    def attend_to(self, luma: Tensor, key_luma: Tensor, key_chroma: Tensor) -> Tensor:
        """See `Attending`: attention to keys, and that to the frame before, without penalties."""
        here, there = (self._embed(planes) for planes in (luma, key_luma))
        certain = torch.zeros_like(of_one(there, 0)[:, :1])
        to_keys, to_previous = (
            remember(of_one(there, which), key_luma, key_chroma, certain) for which in range(2)
        )
        sums, best = attend(
            self.matchers,
            here,
            torch.zeros_like(here[..., :1, :, :]),
            (to_keys, to_previous),
            torch.zeros_like(here[..., :2, :, :]),
            self.confidence_gate,
        )
        small = F.avg_pool2d(luma, 2)
        attended = Attended.of(self.matchers, small, here.shape[-2:], sums, best)
        return torch.stack([enlarge(colors[:, 1:], 2) for colors in each(attended.colors)], 1)

    def _embed(self, luma: Tensor) -> Tensor:
        """What places are compared by, see `training.models.matcher.embed`."""
        features, trunk = self.encoder(luma)
        return embed(self.matchers, features.eighth, trunk.deep)

    def _describe(self, features: Features) -> Tensor:
        """What pixels are compared by: [B, width / 2, h/4, w/4], of length one."""
        descriptor: Tensor = self.descriptor(features.quarter)
        return descriptor / length_of(descriptor)

    def _next_state(
        self,
        luma: Tensor,
        chroma: Tensor,
        *,
        confidence: Tensor,
        descriptor: Tensor,
        embedding: Tensor,
        chained: Tensor,
        visibility: Tensor,
    ) -> Tensors:
        """The state after a frame of these colours; confidence and visibility are of half size."""
        sure = F.avg_pool2d(confidence, TOKEN // 2).clamp(min=LEAST_CONFIDENCE)
        return {
            "luma": F.avg_pool2d(luma, 2),
            "painted": torch.cat([chroma, chained], 1),
            "confidence": confidence,
            "descriptor": descriptor,
            "visibility": visibility,
            "attention": remember(embedding, luma, chroma, sure.log()),
        }

    def _candidates(
        self,
        small: Tensor,
        eighth: Tensor,
        embedding: Tensor,
        ways: Fetched,
        warped: tuple[Tensor, Tensor, Tensor],
        state: Tensors,
        memory: Tensors,
    ) -> tuple[Candidates, tuple[Tensor, ...]]:
        """What the mixer chooses from; and what attention found, two of [B, 3, h/2, w/2], luma and
        chroma.

        Args:
            small: Luma [B, 1, h/2, w/2].
            eighth: The frame's features at 1/8.
            embedding: By which its places are compared with the keys' and the previous frame's.
            ways: What lies where flow and tracks lead to.
            warped: Chroma of the previous frame, along flow, at half size; what it has of finer
                detail, at full size; and luma and chroma of the last key, at half size.
            state: The previous frame's.
            memory: The keys'.
        """
        own, fine, chained = warped
        before, key, tracked = each(ways.kept)
        luma, confidence, visibility = before.split(1, dim=1)
        to_previous, to_key, track = each(scaled_flow(ways.coordinates))
        agreement = flow_agreement(to_key, track)
        evidence = flow_evidence(ways, small, agreement)
        # Attention prefers places along the track and along the flow to the frame before.
        ends = ways.ends.index_select(0, torch.tensor([2, 0], device=small.device))
        sums, best = attend(
            self.matchers,
            embedding,
            distance_penalties(self.matchers, eighth, evidence),
            (memory["attention"], state["attention"]),
            ends,
            self.confidence_gate,
        )
        attended = Attended.of(self.matchers, small, eighth.shape[2:], sums, best)
        matched, recalled = each(attended.colors)
        outside = as_planes(out_of_frame(ways.coordinates))
        candidates = Candidates(
            colors=torch.cat([luma, own, key, matched, tracked, recalled, chained, small], 1),
            confidence=confidence,
            visibility=torch.minimum(visibility, 1 - outside[:, :1]),
            sure=beside(attended.sure),
            fine=sum_of_four(fine.abs()),
            to_previous=to_previous,
            track=track,
            outside=outside,
            flow_agreement=agreement,
            similarity=ways.similarity,
            place_similarity=ways.place_similarity,
        )
        return candidates, (matched, recalled)
