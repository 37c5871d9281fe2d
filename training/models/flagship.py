"""The flagship: candidates of the frame's colours are fetched, mixed, and only then retouched.

Four candidates are made for every pixel, each strong where the others are weak:

* ``previous``: the previous frame's colours along optical flow; sharp, right for small motion,
  but it drifts, since every step repeats the errors of the one before;
* ``key``: the key's colours along optical flow from this frame straight to the key; cannot
  drift, but is lost where motion is too large or something was hidden;
* ``traced``: the key's colours along the flows of all frames since, composed; it drifts too, but
  by itself: no error of the mixer ever enters it;
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
and the features that the next frame compares, and for `traced` the frame that the run began with
(``origin``) beside the flow to it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.base import Generator, Propagated, Remembered, Tensors
from vidcolor.contract import FLOW_KEY, FLOW_PREVIOUS

CHROMA_SCALE = 4.0
"""Chroma of natural footage stays within about ±0.25; the network sees about ±1."""
FLOW_SCALE = 1 / 16
"""Flow in pixels at working size is mostly below 16; the network sees about ±1."""
PATH_SCALE = 1 / 32
"""The flow of many frames, at half size, is mostly below 32 pixels."""
PAIRS = [0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3]
"""Which candidates are compared with which others: all."""
FLAT = 1e-3
"""Variance of luma within a place below which its chroma is taken not to depend on luma."""
TOKEN = 8
"""Side in pixels of the places that attention compares."""


class Features(NamedTuple):
    """Of luma: [B, c, h/2, w/2], [B, 2c, h/4, w/4], [B, 5c, h/8, w/8]."""

    half: Tensor
    quarter: Tensor
    eighth: Tensor


class Candidates(NamedTuple):
    """What the mixer chooses from, at half size."""

    previous: Tensor
    """[B, 4, h/2, w/2]: chroma, luma and confidence of the previous frame along its flow."""
    key: Tensor
    """[B, 3, h/2, w/2]: chroma and luma of the key along its flow."""
    matched: Tensor
    """[B, 4, h/2, w/2]: chroma and luma fetched by likeness, and that likeness in [-1, 1]."""
    traced: Tensor
    """[B, 3, h/2, w/2]: chroma and luma of the frame that the run began with."""
    path: Tensor
    """[B, 2, h/2, w/2]: the flow to that frame, in pixels of this size."""
    meeting: Tensor
    """[B, 1, h/2, w/2]: 1 where `path` and the flow to the key lead to one place, 0 where not."""
    agreement: Tensor
    """[B, 3, h/4, w/4]: how like the frame's features those of `previous`, `key` and `traced` are,
    ±1."""

    @property
    def chroma(self) -> Tensor:
        """[B, 4, 2, h/2, w/2]: what there is to mix."""
        return torch.stack([planes[:, :2] for planes in self._all], dim=1)

    @property
    def luma(self) -> Tensor:
        """[B, 4, h/2, w/2]: of the places it comes from."""
        return torch.cat([planes[:, 2:3] for planes in self._all], dim=1)

    @property
    def _all(self) -> tuple[Tensor, ...]:
        return self.previous, self.key, self.matched, self.traced


class Flagship(Generator):
    """See the module's text. `width` sets all widths, `match_width` that of what is compared."""

    size_multiple = 16
    colour_space = "YCbCr"
    flows = frozenset({FLOW_PREVIOUS, FLOW_KEY})

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
            "origin": torch.cat([memory["chroma"], small], 1),
            "origin_look": look,
            "path": torch.zeros_like(memory["chroma"]),
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
            "origin": state["origin"],
            "origin_look": state["origin_look"],
            "path": candidates.path,
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
        path = back + warp(state["path"], back)
        traced_look = warp(state["origin_look"], shrink_flow(path, 2))
        traced_agrees = (traced_look * look).sum(1, keepdim=True)
        key, key_agrees, meeting = nearest_key(small, look, memory, flows[FLOW_KEY], path)
        return Candidates(
            previous=torch.cat([F.avg_pool2d(previous, 2), seen], 1),
            key=key,
            matched=self._fetch(small, eighth, memory),
            traced=warp(state["origin"], path),
            path=path,
            meeting=meeting,
            agreement=torch.cat([agrees, key_agrees, traced_agrees], 1),
        )

    def _place(self, eighth: Tensor) -> Tensor:
        """What places are compared by: [B, match_width, h/8, w/8], of length one."""
        return F.normalize(self.match(eighth), dim=1)

    def _fetch(self, small: Tensor, eighth: Tensor, memory: Tensors) -> Tensor:
        """[B, 4, h/2, w/2]: see `Candidates.matched`.

        A place gives its mean chroma and how chroma changes with luma within it, so that the
        frame's own luma draws the edges that places of `TOKEN` pixels are too coarse for.
        """
        query = self._place(eighth).flatten(2).transpose(1, 2)
        place = memory["place"].transpose(1, 2).flatten(2)
        value = memory["tint"].transpose(1, 2).flatten(2).transpose(1, 2)
        likeness = torch.bmm(query, place)
        share = torch.softmax(likeness * self.temperature.exp(), dim=-1)
        fetched = torch.cat([torch.bmm(share, value), likeness.amax(-1, keepdim=True)], -1)
        fetched = fetched.transpose(1, 2).unflatten(2, eighth.shape[2:])
        mean, luma_mean, slope, best = enlarge(fetched, TOKEN // 2).split([2, 1, 2, 1], dim=1)
        chroma = (mean + slope * (small - luma_mean)).clamp(-0.5, 0.5)
        return torch.cat([chroma, luma_mean, best], 1)


def tint(planes: Tensor) -> Tensor:
    """What a place tells: chroma and luma [B, 3, h, w] -> [B, 5, h/8, w/8].

    The three means, then how much each chroma plane changes with luma (least squares).
    """
    mean = F.avg_pool2d(planes, TOKEN)
    luma = planes[:, 2:3]
    spread = F.avg_pool2d(luma * luma, TOKEN) - mean[:, 2:3] ** 2
    along = F.avg_pool2d(planes[:, :2] * luma, TOKEN) - mean[:, :2] * mean[:, 2:3]
    return torch.cat([mean, along / (spread + FLAT)], 1)


class Encoder(nn.Module):
    """Luma to features at half, quarter and eighth of the size, the last with wide context."""

    def __init__(self, width: int) -> None:
        super().__init__()
        w2, w4, w8, w16 = width, 2 * width, 5 * width, 8 * width
        self.at_half = nn.Sequential(conv(4, w2), conv(w2, w2))
        self.at_quarter = nn.Sequential(conv(w2, w4, stride=2), Residual(w4))
        self.at_eighth = nn.Sequential(conv(w4, w8, stride=2), Residual(w8), Residual(w8))
        self.at_sixteenth = nn.Sequential(conv(w8, w16, stride=2), Residual(w16), Residual(w16))
        self.rise = nn.Conv2d(w16, w8, 1)
        self.meet = Residual(w8)

    def forward(self, luma: Tensor) -> Features:
        """Luma [B, 1, h, w]."""
        half = self.at_half(F.pixel_unshuffle(luma - 0.5, 2))
        quarter = self.at_quarter(half)
        eighth = self.at_eighth(quarter)
        wide = self.rise(self.at_sixteenth(eighth))
        return Features(half, quarter, self.meet(eighth + double(wide)))


class Mixed(NamedTuple):
    """What the mixer makes of the candidates, at half size."""

    correction: Tensor
    """[B, 2, h/2, w/2]: what to add to the chroma of `previous`."""
    confidence: Tensor
    """[B, 1, h/2, w/2] in [0, 1]."""
    doubts: Tensor
    """[B, 4, h/2, w/2]: the log of each candidate's expected error, against HALF_CONFIDENCE."""


class Mixer(nn.Module):
    """Weighs the candidates for every pixel, adds a retouch, and predicts its own error."""

    CANDIDATES = 4
    EVIDENCE = 32
    """Channels beside luma's features: see `_evidence`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter, eighth, deep = width // 2, 3 * width // 2, 2 * width, 3 * width
        self.at_half = conv(width // 2 + self.EVIDENCE, half)
        self.to_quarter = conv(half, quarter, stride=2)
        self.at_quarter = nn.Conv2d(quarter + width, quarter, 3, padding=1)
        # Apart: onnxruntime is fast on CPUs where input channels are a multiple of 16.
        self.agree = nn.Conv2d(3, quarter, 3, padding=1)
        self.to_eighth = conv(quarter, eighth, stride=2)
        self.at_eighth = nn.Sequential(conv(eighth + 5 * width // 2, eighth), Residual(eighth))
        self.deep = nn.Sequential(conv(eighth, deep, stride=2), Residual(deep), Residual(deep))
        self.deep_to_eighth = nn.Conv2d(deep, eighth, 1)
        self.eighth_to_quarter = nn.Conv2d(eighth, quarter, 1)
        self.quarter_to_half = nn.Conv2d(quarter, half, 1)
        self.rise_eighth = Residual(eighth)
        self.rise_quarter = Residual(quarter)
        self.rise_half = conv(half, half)
        self.leave = nn.Conv2d(half, 2 * self.CANDIDATES + 3, 3, padding=1)
        self.heed = nn.Parameter(torch.tensor(0.5))
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        with torch.no_grad():
            self.leave.bias[0] = 3.0

    def forward(
        self, small: Tensor, features: Features, candidates: Candidates, flow: Tensor
    ) -> Mixed:
        """small: luma [B, 1, h/2, w/2]. flow: to the previous frame [B, 2, h, w]."""
        evidence = _evidence(small, candidates, flow)
        half = self.at_half(torch.cat([features.half, evidence], 1))
        quarter = self.at_quarter(torch.cat([self.to_quarter(half), features.quarter], 1))
        quarter = F.leaky_relu(quarter + self.agree(candidates.agreement), 0.1)
        eighth = self.at_eighth(torch.cat([self.to_eighth(quarter), features.eighth], 1))
        deep = self.deep(eighth)
        eighth = self.rise_eighth(eighth + double(self.deep_to_eighth(deep)))
        quarter = self.rise_quarter(quarter + double(self.eighth_to_quarter(eighth)))
        half = self.rise_half(half + double(self.quarter_to_half(quarter)))
        parts = [self.CANDIDATES, self.CANDIDATES, 2, 1]
        weights, doubts, retouch, sure = self.leave(half).split(parts, dim=1)
        share = softmax(weights - self.heed * doubts)
        chroma = candidates.chroma
        offers = (share.unsqueeze(2) * (chroma - chroma[:, :1])).sum(1)
        return Mixed(offers + retouch / CHROMA_SCALE, torch.sigmoid(sure), doubts)


class Residual(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2015)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        return F.leaky_relu(x + self.second(self.first(x)), 0.1)


def conv(before: int, after: int, *, stride: int = 1) -> nn.Sequential:
    """3x3 convolution and leaky ReLU."""
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1), nn.LeakyReLU(0.1))


def double(x: Tensor) -> Tensor:
    """Twice the height and width, nearest neighbour."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def enlarge(x: Tensor, times: int) -> Tensor:
    """`times` the height and width, bilinear."""
    return F.interpolate(x, scale_factor=float(times), mode="bilinear", align_corners=False)


def softmax(x: Tensor) -> Tensor:
    """Over the few channels of large planes [B, c, h, w].

    Spelt out, since onnxruntime's own turns the planes inside out for it: five times as long.
    """
    grown = torch.exp(x - x.amax(1, keepdim=True))
    return grown / grown.sum(1, keepdim=True)


def warp(planes: Tensor, flow: Tensor) -> Tensor:
    """Fetch planes [B, c, h, w] from where flow [B, 2, h, w] (pixels, x then y) points to."""
    _, _, height, width = planes.shape
    x = torch.arange(width, device=flow.device, dtype=flow.dtype)
    y = torch.arange(height, device=flow.device, dtype=flow.dtype).unsqueeze(1)
    # grid_sample without align_corners: pixel centres lie at (2 i + 1) / n - 1.
    grid = torch.stack(
        [
            (2 * (x + flow[:, 0]) + 1) / width - 1,
            (2 * (y + flow[:, 1]) + 1) / height - 1,
        ],
        dim=-1,
    )
    return F.grid_sample(
        planes, grid.to(planes.dtype), mode="bilinear", padding_mode="border", align_corners=False
    )


def shrink_flow(flow: Tensor, times: int) -> Tensor:
    """Flow for planes of 1/`times` the height and width, in their pixels."""
    return F.avg_pool2d(flow, times) / times


def nearest_key(
    small: Tensor, look: Tensor, memory: Tensors, flow: Tensor, path: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of the keys along `flow` [B, k, 2, h, w], those that agree in luma [B, 1, h/2, w/2].

    Chroma and luma [B, 3, h/2, w/2], how their features agree with `look` [B, 1, h/4, w/4], and
    where `path` leads to the same place, as in `Candidates`.
    """
    keys = flow.shape[1]
    flow = flow.flatten(0, 1)
    planes = torch.cat([memory["chroma"], memory["luma"]], 2).flatten(0, 1)
    there = shrink_flow(flow, 2)
    warped = warp(planes, there).unflatten(0, (-1, keys))
    looks = warp(memory["look"].flatten(0, 1), shrink_flow(flow, 4)).unflatten(0, (-1, keys))
    agrees = (looks * look.unsqueeze(1)).sum(2)
    apart = (warped[:, :, 2] - small).abs()
    weight = torch.softmax(-F.avg_pool2d(apart, 3, 1, 1, count_include_pad=False) * 32, dim=1)
    meets = torch.exp(-(there.unflatten(0, (-1, keys)) - path.unsqueeze(1)).abs().sum(2))
    return (
        (warped * weight.unsqueeze(2)).sum(1),
        (agrees * F.avg_pool2d(weight, 2)).sum(1, keepdim=True),
        (meets * weight).sum(1, keepdim=True),
    )


def _evidence(small: Tensor, candidates: Candidates, flow: Tensor) -> Tensor:
    """[B, 32, h/2, w/2]: the candidates and what speaks for or against each."""
    chroma, apart = candidates.chroma, candidates.luma - small
    around = F.avg_pool2d(apart.abs(), 5, 1, 2, count_include_pad=False)
    first, second = chroma[:, PAIRS[0]], chroma[:, PAIRS[1]]
    return torch.cat(
        [
            chroma.flatten(1, 2) * CHROMA_SCALE,
            apart * CHROMA_SCALE,
            apart.abs() * CHROMA_SCALE,
            around[:, [0, 1, 3]] * CHROMA_SCALE,
            (first - second).abs().sum(2) * CHROMA_SCALE,
            candidates.matched[:, 3:4],
            candidates.previous[:, 3:4],
            candidates.meeting,
            F.avg_pool2d(flow, 2) * FLOW_SCALE,
            candidates.path * PATH_SCALE,
        ],
        1,
    )
