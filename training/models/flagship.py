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

from training.models.base import Generator, Propagated, Remembered, Tensors
from training.models.encoder import TOKEN, Features, TrunkEncoder
from training.models.fetch import Fetched, fetch, flow_evidence, out_of_frame
from training.models.layers import enlarge
from training.models.matcher import Attended, Matcher
from training.models.mixer import Candidates, Mixer
from training.models.warp import warp
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

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
        self.matcher = Matcher(eighth, match_width, evidence=4, trunk_width=trunk_width)
        self.recall = Matcher(eighth, match_width, evidence=3, trunk_width=trunk_width)
        self.confidence_gate = nn.Parameter(torch.tensor(1.0))
        self.descriptor = nn.Conv2d(width, width // 2, 1)
        self.mixer = Mixer(width)

    def load_pretrained(self) -> None:
        """The trunk's weights, from ImageNet."""
        self.encoder.trunk.load_imagenet()

    def compute_in_parts(self, parts: int) -> None:
        """See `Generator.compute_in_parts`."""
        for attention in (self.matcher, self.recall):
            attention.parts = parts

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """See `Generator.remember`."""
        features, trunk = self.encoder(luma)
        small = F.avg_pool2d(luma, 2)
        descriptor = self._describe(features)
        embedding = self.matcher.embed(features.eighth, trunk.deep)
        no_bias = torch.zeros_like(embedding[:, :1])
        memory = {
            "luma": small,
            "chroma": F.avg_pool2d(chroma, 2),
            "descriptor": descriptor,
            **self.matcher.remember(embedding, luma, chroma, no_bias),
        }
        state = self._next_state(
            luma,
            chroma,
            confidence=torch.ones_like(small),
            descriptor=descriptor,
            embedding=self.recall.embed(features.eighth, trunk.deep),
            chained=torch.cat([chroma, luma], 1),
            visibility=torch.ones_like(small),
        )
        return Remembered({name: tensor.unsqueeze(1) for name, tensor in memory.items()}, state)

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """See `Generator.propagate`."""
        features, trunk = self.encoder(luma)
        small = F.avg_pool2d(luma, 2)
        descriptor = self._describe(features)
        to_keys = self.matcher.embed(features.eighth, trunk.deep)
        to_previous = self.recall.embed(features.eighth, trunk.deep)
        # In two calls, since the chain is handed on as it is.
        warped, chained = (
            warp(state[name], flows[FLOW_PREVIOUS]) for name in ("chroma", "chained")
        )
        coarse = F.avg_pool2d(warped, 2)
        fine = warped - enlarge(coarse, 2)
        candidates, fetched = self._candidates(
            small,
            features.eighth,
            fetch(small, descriptor, (to_keys, to_previous), state, memory, flows),
            (to_keys, to_previous),
            (coarse, fine, F.avg_pool2d(chained, 2)),
            state,
            memory,
        )
        mixed = self.mixer(small, features, candidates)
        mended = enlarge(coarse + mixed.correction, 2)
        chroma = (mended + enlarge(mixed.detail, 2) * fine).clamp(-0.5, 0.5)
        offers = torch.cat([fetched, mixed.guess.unsqueeze(1)], 1)
        following = self._next_state(
            luma,
            chroma,
            confidence=mixed.confidence,
            descriptor=descriptor,
            embedding=to_previous,
            chained=chained,
            visibility=candidates.visibility,
        )
        return Propagated(
            chroma,
            enlarge(mixed.confidence, 2),
            following,
            fetched=enlarge(offers.flatten(1, 2), 2).unflatten(1, (-1, 2)),
            candidates=candidates.chroma,
            log_errors=mixed.log_errors,
        )

    def _describe(self, features: Features) -> Tensor:
        """What pixels are compared by: [B, width / 2, h/4, w/4], of length one."""
        return F.normalize(self.descriptor(features.quarter), dim=1)

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
        bias = self.confidence_gate * sure.log()
        return {
            "luma": F.avg_pool2d(luma, 2),
            "chroma": chroma,
            "confidence": confidence,
            "descriptor": descriptor,
            "chained": chained,
            "visibility": visibility,
            **self.recall.remember(embedding, luma, chroma, bias),
        }

    def _candidates(
        self,
        small: Tensor,
        eighth: Tensor,
        ways: Fetched,
        embeddings: tuple[Tensor, Tensor],
        warped: tuple[Tensor, Tensor, Tensor],
        state: Tensors,
        memory: Tensors,
    ) -> tuple[Candidates, Tensor]:
        """What the mixer chooses from; and what attention found, [B, 2, 2, h/2, w/2].

        Args:
            small: Luma [B, 1, h/2, w/2].
            eighth: The frame's features at 1/8.
            ways: What lies where flow and tracks lead to.
            embeddings: By which its places are compared with the keys' and the previous frame's.
            warped: Chroma of the previous frame, along flow, at half size; what it has of finer
                detail, at full size; and chroma and luma of the last key, at half size.
            state: The previous frame's.
            memory: The keys'.
        """
        (to_keys, to_previous), (own, fine, chained) = embeddings, warped
        there, confidence, visibility = ways.before.split(1, dim=1)
        colors, lumas = ways.keys.split([2, 1], dim=2)
        agreement = torch.exp(-(ways.flow[:, 2] - ways.flow[:, 1]).abs().sum(1, keepdim=True))
        residual = torch.cat([there, lumas[:, 1]], 1) - small
        evidence = flow_evidence(residual.abs(), agreement, ways.similarity, ways.place_similarity)
        penalty = self.matcher.distance_penalty(eighth, evidence.to_tracked)
        matched = self.matcher(to_keys, penalty, memory, ways.tracks)
        penalty = self.recall.distance_penalty(eighth, evidence.to_previous)
        recent = {n: state[n].unsqueeze(1) for n in ("attention_key", "attention_value")}
        recalled = self.recall(to_previous, penalty, recent, ways.to_previous)
        attended = Attended.of(small, matched, recalled)
        # Beside each other lie the key and what it holds by attention, and so on.
        chroma = torch.stack([colors, attended.chroma], 2).flatten(1, 2)
        luma = torch.stack([lumas, attended.luma], 2).flatten(1, 3)
        outside = out_of_frame(ways.flow.flatten(0, 1)).unflatten(0, (-1, 3))
        best, spread = attended.sure.unbind(2)
        candidates = Candidates(
            chroma=torch.cat([own.unsqueeze(1), chroma, chained[:, :2].unsqueeze(1)], 1),
            luma=torch.cat([there, luma, chained[:, 2:]], 1),
            confidence=confidence,
            visibility=torch.minimum(visibility, 1 - outside[:, :1]),
            best=best,
            spread=spread,
            fine=F.avg_pool2d(fine.abs(), 2),
            flow=ways.flow,
            outside=outside,
            flow_agreement=agreement,
            similarity=ways.similarity,
            place_similarity=ways.place_similarity,
        )
        return candidates, attended.chroma
