"""Colour spread from where it was painted over the whole frame, along its luma.

After Levin, Lischinski and Weiss, "Colorization using Optimization" (SIGGRAPH 2004): neighbours
with similar luma Y get similar colour U. Their energy is the sum over all pixels r of
(U(r) - sum over s of w(r, s) U(s))^2, where s are the eight neighbours of r and the weights w of a
pixel sum to 1. There are as many unknown colours as squares, so the least energy is 0. Here the
weights are made symmetric before they are normalised, w(r, s) = w(s, r). What is solved is then one
sparse, symmetric, positive definite system: a graph Laplacian plus a diagonal.

    w(r, s) = exp(-(Y(r) - Y(s))^2 / (v(r) v(s))^(1/2))

v is half of the local variance of luma in the 3x3 window around a pixel. Unlike in the paper, only
the three neighbours of the nearest luma count for it: an edge that runs through the window is then
no reason to let colour pass over it. On photographs with 60 strokes that is worth 1 dB
(tests/runtime/key/test_scribbles.py). Very small weights are set to 0, so that colour stays exactly
within a flat region.

A pixel with paint of weight 1 keeps its colour. One of weight a, between 0 and 1, gets the fraction
a of its colour from its paint and the rest from its neighbours. A region without paint takes its
colours from the regions around it, mostly from those of the nearest luma.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import ArgumentError
from vidcolor.key.laplacian import (
    Edges,
    Numbers,
    Values,
    connected_components,
    degrees,
    scipy,
    solve,
)
from vidcolor.planes import Plane, check_chroma, check_luma

LEAST_WEIGHT = 1e-3
"""Paint of a smaller weight counts as none; of a weight above 1 - LEAST_WEIGHT, as solid."""

_NOISE = 0.01
"""Standard deviation of luma, of a range of 1, that no edge is seen in."""
_NEIGHBOURS = 3
"""How many neighbours, those of the nearest luma, count for the local variance."""
_VARIANCE_SHARE = 0.5
"""The variance in the weights' formula, as a share of the local variance."""
_LEAST_EDGE = 1e-3
"""Weights between neighbours below this are set to 0: no colour passes."""
_OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Down and right to one half of a pixel's neighbours. The pixel is itself in the other half of
their neighbours, so every pair comes once."""


def spread(luma: Plane, chroma: Plane, weight: Plane) -> Plane:
    """The chroma of a whole frame from that of its painted parts.

    Args:
        luma: [h, w] float32 in [0, 1], of the frame itself, not of the painted picture.
        chroma: [2, h, w] float32 in [-0.5, 0.5]; without meaning where nothing is painted.
        weight: [h, w] float32 in [0, 1], how solid the paint is: 0 is none, 1 keeps its colour.

    Returns:
        [2, h, w] float32 in [-0.5, 0.5].

    Raises:
        ArgumentError: Nothing is painted, or the planes do not fit together.
        MissingLibraryError: SciPy is not installed.
    """
    _check(luma, chroma, weight)
    solid = weight >= 1 - LEAST_WEIGHT
    if solid.all():
        return chroma.copy()
    anchor = np.where(weight > LEAST_WEIGHT, weight, 0).clip(0, 1).astype(np.float64).ravel()
    anchor[solid.ravel()] = 1
    paint = chroma.reshape(2, -1).T.astype(np.float64)

    edges = _edges(luma, _levin_weights(luma))
    reached = _reached(edges, anchor > 0)
    colors = _fill(edges, paint, np.where(reached, anchor, 1))
    if not reached.all():  # regions without paint take their colours from around them
        colors = _fill(_edges(luma, _uncut_weights), colors, reached.astype(np.float64))
    return np.clip(colors.T.reshape(chroma.shape), -0.5, 0.5).astype(np.float32)


def require_scipy() -> None:
    """Raise MissingLibraryError where SciPy is not installed."""
    scipy("sparse")


def _check(luma: Plane, chroma: Plane, weight: Plane) -> None:
    try:
        check_luma(luma)
        check_chroma(chroma)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    for name, shape in (("chroma", chroma.shape[1:]), ("weight", weight.shape)):
        if shape != luma.shape:
            raise ArgumentError(f"{name} is {shape}, accepted is the size of luma, {luma.shape}")
    if not (weight > LEAST_WEIGHT).any():
        raise ArgumentError("weight is 0 everywhere, at least one painted pixel is needed")


def _levin_weights(luma: Plane) -> Callable[[Numbers, Numbers, Values], Values]:
    """The function from two pixels and their squared difference of luma to their edge's weight."""
    height, width = luma.shape
    padded = np.pad(luma, 1, constant_values=np.inf)  # no neighbours beyond the frame
    squares = [
        (padded[1 + down : 1 + down + height, 1 + right : 1 + right + width] - luma) ** 2
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if down or right
    ]
    nearest = np.partition(np.stack(squares), _NEIGHBOURS - 1, axis=0)[:_NEIGHBOURS]
    variance = np.maximum(_VARIANCE_SHARE * nearest.mean(axis=0), _NOISE**2)
    deviation = np.sqrt(variance).ravel()

    def weigh(first: Numbers, second: Numbers, squared: Values) -> Values:
        weight = np.exp(-squared / (deviation[first] * deviation[second]))
        return np.where(weight < _LEAST_EDGE, 0, weight)

    return weigh


def _uncut_weights(_first: Numbers, _second: Numbers, squared: Values) -> Values:
    """As `_levin_weights`, but never 0: so every region is connected to its neighbours."""
    return _NOISE**2 / (_NOISE**2 + squared)


def _edges(luma: Plane, weigh: Callable[[Numbers, Numbers, Values], Values]) -> Edges:
    """The affinity graph of a frame's pixels, without edges of weight 0."""
    height, width = luma.shape
    pixels = np.arange(luma.size, dtype=np.int32).reshape(luma.shape)
    flat = luma.ravel().astype(np.float64)
    found = []
    for down, right in _OFFSETS:
        first = pixels[: height - down, max(0, -right) : width - max(0, right)].ravel()
        second = pixels[down:, max(0, right) : width + min(0, right)].ravel()
        weight = weigh(first, second, (flat[first] - flat[second]) ** 2)
        passes = weight > 0
        found.append((first[passes], second[passes], weight[passes]))
    return Edges(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _reached(edges: Edges, painted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels [n] are connected to a painted one."""
    region = connected_components(edges, painted.size)
    has_paint = np.zeros(region.max() + 1, bool)
    has_paint[region[painted]] = True
    return has_paint[region]


def _fill(edges: Edges, colors: Values, anchor: Values) -> Values:
    """Minimise the energy: colours [n, 2] of all nodes.

    colors: [n, 2], of the paint. anchor: [n], the fraction of a node's colour that is its own
    paint's; nodes where it is 1 are known, the others are the unknowns of the system.
    """
    unknown = anchor < 1
    count = int(unknown.sum())
    number = np.cumsum(unknown, dtype=np.int32) - 1
    is_free = unknown[edges.first], unknown[edges.second]
    diagonal, rhs = np.zeros(count), np.zeros((count, 2))

    def add_known(chosen: NDArray[np.bool_], unknowns: Numbers, knowns: Numbers) -> None:
        """Move edges between an unknown and a known node to the right-hand side."""
        node, weight = number[unknowns[chosen]], edges.weight[chosen]
        diagonal[:] += np.bincount(node, weight, count)
        for channel in (0, 1):
            known = colors[knowns[chosen], channel]
            rhs[:, channel] += np.bincount(node, weight * known, count)

    add_known(is_free[0] & ~is_free[1], edges.first, edges.second)
    add_known(~is_free[0] & is_free[1], edges.second, edges.first)
    both = is_free[0] & is_free[1]
    inner = Edges(number[edges.first[both]], number[edges.second[both]], edges.weight[both])

    own = anchor[unknown]
    strength = own / (1 - own) * np.maximum(diagonal + degrees(inner, count), _LEAST_EDGE)
    diagonal += strength
    rhs += strength[:, None] * colors[unknown]
    filled = colors.copy()
    filled[unknown] = solve(inner, diagonal, rhs)
    return filled
