"""What every generator must be: the torch side of the contract in `vidcolor.inference.contract`.

And what every colorizer of single frames must be, which carries nothing.

The two methods of a generator are the two graphs of a bundle. They differ from the exported graphs
in one thing: here every tensor has a batch axis in front and memory tensors have a key axis behind
it, so that a batch of clips trains at once; `export` fixes the batch to one and hands out the key
axis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from vidcolor.inference.contract import FLOWS_TO_KEYS

Tensors = dict[str, Tensor]

HALF_CONFIDENCE = 0.02
"""The chroma error (5 of 255 code values) that a model expects where its confidence is one half:
confidence is 1 / (1 + error / HALF_CONFIDENCE), for models that are trained to predict it."""


class Remembered(NamedTuple):
    """What a key frame leaves behind."""

    memory: Tensors
    """Each [B, k, ...]: the keys, stacked along the second axis."""
    state: Tensors
    """Each [B, ...]: the state right after a frame whose colours are the (last) key's."""


class Propagated(NamedTuple):
    """One coloured frame."""

    chroma: Tensor
    """[B, 2, h, w], Cb and Cr in [-0.5, 0.5]."""
    confidence: Tensor
    """[B, 1, h, w] in [0, 1]."""
    state: Tensors
    """Each [B, ...], same names and shapes as the state that came in."""
    fetched: Tensor | None = None
    """[B, m, 2, h, w]: chroma as each similarity sub-net found it by itself, which training holds
    against the truth on its own; not exported. None where the model has no such sub-net."""
    candidates: Tensor | None = None
    """[B, n, 2, h/2, w/2]: chroma that the model chose from; not exported. None where it mixes
    nothing."""
    log_errors: Tensor | None = None
    """[B, n, h/2, w/2]: the log of the error that it predicts for each, against HALF_CONFIDENCE."""


@runtime_checkable
class Attending(Protocol):
    """A generator with similarity sub-nets, which `fit-matcher` trains by themselves."""

    def attend_to(self, luma: Tensor, key_luma: Tensor, key_chroma: Tensor) -> Tensor:
        """Fetch a key's chroma by what things look like, wherever in the key they are.

        Args:
            luma: The frame's, [B, 1, h, w] in [0, 1].
            key_luma: The key's, of the same size.
            key_chroma: [B, 2, h, w] in ±0.5.

        Returns:
            [B, m, 2, h, w]: chroma as each of m sub-nets found it, as in `Propagated.fetched`.
        """


class ImageColorizer(nn.Module, ABC):
    """A network that colours single frames. Heights and widths are multiples of `size_multiple`.

    Planes are full-range BT.601 Y'CbCr.
    """

    size_multiple: int
    color_space: str
    """'Lab' or 'YCbCr': what it predicts; it converts inside."""
    method: str
    """How it works, in words, for those who find an exported graph."""

    @abstractmethod
    def forward(self, luma: Tensor) -> Tensor:
        """Luma [B, 1, h, w] in [0, 1] -> chroma [B, 2, h, w] in ±0.5."""

    def load_pretrained(self) -> None:
        """As `Generator.load_pretrained`."""


class Generator(nn.Module, ABC):
    """A model that carries colour. Planes' heights and widths are multiples of `size_multiple`."""

    size_multiple: int
    color_space: str
    """'Lab' or 'YCbCr': what the model thinks in; it converts inside."""
    flows: frozenset[str] = frozenset()
    """Which of the contract's optional flow inputs `propagate` asks for."""

    @abstractmethod
    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """Take in a key per clip: luma [B, 1, h, w] in [0, 1], chroma [B, 2, h, w] in ±0.5."""

    @abstractmethod
    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """Colour one frame: luma [B, 1, h, w].

        `flows` holds the inputs named in `self.flows`: ``flow.previous`` [B, 2, h, w] and
        ``flow.key`` [B, k, 2, h, w]. A state of all zeros means 'no past'.
        """

    def propagate_stacked(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """`propagate` for one clip, as it is exported: memory and flows to keys [k, ...].

        A generator overrides it where its graph has fewer operators so.
        """
        to_keys = FLOWS_TO_KEYS & flows.keys()
        flows = flows | {name: flows[name].unsqueeze(0) for name in to_keys}
        memory = {name: kept.unsqueeze(0) for name, kept in memory.items()}
        return self.propagate(luma, state, memory, flows)

    def load_pretrained(self) -> None:
        """Give a generator that is trained from the beginning what it does not begin without.

        Only parts that others trained on other data; most generators have none.
        """

    def compute_in_parts(self, parts: int) -> bool:
        """Compute what is large at a time in so many parts, of one result, for the caches of a CPU.

        Returns:
            Whether there is anything like that, which most generators have not.
        """
        return False

    def paint(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> tuple[Propagated, Tensor]:
        """`propagate`, and the frame as the objective compares it with `view` of the truth.

        A generator that also paints luma overrides it; the view is [B, 3, h, w].
        """
        step = self.propagate(luma, state, memory, flows)
        return step, self.view(luma, step.chroma)

    def view(self, luma: Tensor, chroma: Tensor) -> Tensor:
        """Planes [B, 1, h, w] and [B, 2, h, w] -> what objective and discriminator see.

        [B, 3, h, w] in [-1, 1], in the space that the model thinks in: here scaled Y'CbCr.
        """
        return torch.cat([2.0 * luma - 1.0, 2.0 * chroma], dim=1)

    def calibrate(self, wrong: float) -> None:
        """Be told the share of pixels in [0, 1] that are wrong one step after a true frame.

        Measured on held-out clips; for models that build their confidence on it.
        """
