"""How far a network sees, measured: which input pixels an output depends on."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


def linear(network: nn.Module) -> nn.Module:
    """The network with weights of one and without what may hide a dependence."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.ones_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network.double().eval()


def seen(network: Callable[[Tensor], Tensor], given: Tensor, y: int, x: int) -> tuple[int, int]:
    """Height and width in pixels of what output (y, x) depends on."""
    given = given.double().requires_grad_()
    network(given)[..., y, x].sum().backward()
    rows, columns = given.grad.abs().sum((0, 1)).nonzero(as_tuple=True)
    return int(rows.max() - rows.min() + 1), int(columns.max() - columns.min() + 1)
