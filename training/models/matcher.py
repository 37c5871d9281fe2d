"""The matcher: colours fetched from other frames by attention over learned features of luma.

The similarity sub-net of He et al. 2018 ("Deep Exemplar-based Colorization") and the colour
pointers of Vondrick et al. 2018 compare all places of a frame with all of a key. Two things that
look the same cannot be told apart so; here attention also leans to where each place's flow or track
leads, as far as the place is believed to have kept it. And where what is fetched from was itself
painted, it heeds how sure that was.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.base import Tensors
from training.models.encoder import TOKEN, tint
from training.models.layers import enlarge
from training.models.warp import shrink_flow

UNLIKE = 70.0
"""Attention's logits end so far below the greatest. Further down, shares would be denormal numbers,
with which CPUs compute many times as long; e^-70 of a place's colours is none."""
LEAN = -3.5
"""Where the lean begins: softplus(-3.5) = 0.03 of a logit for a place beside the track, and 3 for
one ten places off. That is little against what features say, but enough to learn from."""


class Matcher(nn.Module):
    """Of `features` channels, at an eighth of the size, it compares `width` mixtures.

    A place of `TOKEN` pixels gives its mean chroma and how chroma changes with luma within it, so
    that the frame's own luma draws the edges that places are too coarse for.
    """

    def __init__(self, features: int, width: int, *, belief: int) -> None:
        super().__init__()
        self.match = nn.Conv2d(features, width, 1)
        self.temperature = nn.Parameter(torch.tensor(2.5))
        self.lean = nn.Conv2d(features + belief, 1, 1)
        nn.init.zeros_(self.lean.weight)
        nn.init.constant_(self.lean.bias, LEAN)

    def remember(self, eighth: Tensor, luma: Tensor, chroma: Tensor, worth: Tensor) -> Tensors:
        """What `forward` finds a frame's places by, and what they give: [B, ..., h/8, w/8].

        eighth: its features. luma, chroma: [B, 1, h, w], [B, 2, h, w]. worth: what each place adds
        to the logits for it, [B, 1, h/8, w/8]: 0, or less where its chroma is doubtful.
        """
        at = positions(eighth).expand(len(eighth), -1, -1, -1)
        squared = at.square().sum(1, keepdim=True)
        told = tint(torch.cat([chroma, luma], 1))
        return {
            "place": torch.cat([self.likeness(eighth), at, squared, worth], 1),
            "tint": torch.cat([told, told[:, :2].square().sum(1, keepdim=True)], 1),
        }

    def forward(
        self, small: Tensor, eighth: Tensor, memory: Tensors, tracks: Tensor, belief: Tensor
    ) -> Tensor:
        """What is fetched, and how sure that is: [B, 5, h/2, w/2].

        Chroma, luma, the likeness there, at most 1, and the variance of the chroma of all that was
        attended to. small: luma [B, 1, h/2, w/2]. eighth: the frame's features. memory: what
        `remember` gave, the frames along a second axis. tracks: the way to each, [B, k, 2, h, w].
        belief: see `lean_to`.
        """
        lean, like = self.lean_to(eighth, belief), self.likeness(eighth)
        sharpness, keys = self.temperature.exp(), tracks.shape[1]
        # In full precision: squares of distances are differences of much larger squares.
        with torch.autocast(eighth.device.type, enabled=False):
            lean, like = lean.float().unsqueeze(1), like.float().unsqueeze(1)
            led = shrink_flow(tracks.flatten(0, 1), TOKEN)
            led = (led + positions(led)).unflatten(0, (-1, keys))
            # |at - led|^2 = |led|^2 - 2 led.at + |at|^2: one product with what the key remembers.
            parts = like * sharpness, -lean, torch.ones_like(lean)
            like, away, one = (part.expand(-1, keys, -1, -1, -1) for part in parts)
            query = _rows(torch.cat([like, 2 * lean * led, away, one], 2))
            offset = _rows(lean * led.square().sum(2, keepdim=True))
            logits = query @ memory["place"].float().flatten(3) - offset
            best = logits.amax(-1, keepdim=True).amax(1, keepdim=True)
            weights = torch.exp((logits - best).clamp(min=-UNLIKE))
            tints = _rows(memory["tint"].float())
            total = (weights @ torch.cat([tints, torch.ones_like(tints[..., :1])], -1)).sum(1)
            best = (best / sharpness).squeeze(1).clamp(min=-1)
            told = total[..., :-1] / total[..., -1:]
            spread = told[..., -1:] - told[..., :2].square().sum(-1, keepdim=True)
            fetched = torch.cat([told[..., :-1], best, spread], -1)
        fetched = fetched.transpose(1, 2).unflatten(2, eighth.shape[2:])
        mean, luma_mean, slope, sure = enlarge(fetched, TOKEN // 2).split([2, 1, 2, 2], dim=1)
        chroma = (mean + slope * (small - luma_mean)).clamp(-0.5, 0.5)
        return torch.cat([chroma, luma_mean, sure], 1)

    def likeness(self, eighth: Tensor) -> Tensor:
        """What places are compared by: [B, width, h/8, w/8], of length one."""
        return F.normalize(self.match(eighth), dim=1)

    def lean_to(self, eighth: Tensor, belief: Tensor) -> Tensor:
        """[B, 1, h/8, w/8] from 0 on: what logits lose by the square of a distance from the track.

        belief: [B, n, h/8, w/8], what speaks for or against the track there, about ±1.
        """
        return F.softplus(self.lean(torch.cat([eighth, belief], 1)))


def positions(like: Tensor) -> Tensor:
    """[1, 2, h, w]: x and y of the places of planes [..., h, w], counted from their middle."""
    height, width = like.shape[-2:]
    x = torch.arange(width, device=like.device, dtype=torch.float32) - (width - 1) / 2
    y = torch.arange(height, device=like.device, dtype=torch.float32) - (height - 1) / 2
    return torch.stack([x.expand(height, width), y.unsqueeze(1).expand(height, width)]).unsqueeze(0)


def _rows(planes: Tensor) -> Tensor:
    """[B, k, c, h, w] as [B, k, h w, c]."""
    return planes.flatten(3).transpose(2, 3)
