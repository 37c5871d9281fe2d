"""Colour spread from where it was painted over the whole frame, along its luma.

After Levin, Lischinski and Weiss, "Colorization using Optimization" (SIGGRAPH 2004): neighbours
of like luma get like colour. The colour U of a pixel that is not painted is to be the mean of its
eight neighbours', each weighted by how near its luma Y is, in the least squares: the sum over all
pixels r of (U(r) - sum over s of w(r, s) U(s))^2. As there are as many colours to find as squares,
the least sum is 0, and the weights are made alike in both directions, w(r, s) = w(s, r), before
those of a pixel are divided by their sum: so what is solved is one sparse, symmetric system.

    w(r, s) = exp(-(Y(r) - Y(s))^2 / (v(r) v(s))^(1/2))

v is half of the local variance of luma in the 3x3 window around a pixel, of which, other than in
the paper, only the three neighbours of the nearest luma count: an edge that runs through the window
is then no reason to let colour pass over it. On photographs with 60 strokes that is worth 1 dB
(tests/runtime/key/test_scribbles.py). Weights that are next to nothing are nothing, so that colour
stays exactly within a flat region.

Paint is what it is: a pixel of weight 1 keeps its colour. One of weight a, between 0 and 1, gets
the fraction a of its colour from its paint and the rest from its neighbours. A region that no paint
lies in takes its colours from the regions around it, those of the nearest luma before all.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import ArgumentError, MissingLibraryError
from vidcolor.planes import Plane, check_chroma, check_luma

LEAST_WEIGHT = 1e-3
"""Weight of paint below which there is none; above 1 less this, it is solid."""

_NOISE = 0.01
"""Deviation of luma, of a range of 1, that no edge is seen in."""
_ALIKE = 3
"""Neighbours whose luma counts for the variance."""
_SPREAD = 0.5
"""What the weights' variance is of the local one."""
_LEAST_LINK = 1e-3
"""Weight between neighbours below which no colour passes."""
_DIRECT = 200_000
"""Unknowns that a system is solved directly for, which takes half a second."""
_EXACT = 1e-6
"""Share of the first residual at which a large system counts as solved: colours are then right to
within a quarter of an 8-bit code."""
_STEPS_AT_MOST = 2000
"""Steps that a large system is given; a hundred are usual."""

_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Down and right to half of a pixel's neighbours; the others are theirs."""

Numbers = NDArray[np.int32]
Values = NDArray[np.float64]


class _Links(NamedTuple):
    """Which of n nodes are neighbours, each pair once."""

    one: Numbers
    other: Numbers
    weight: Values


def spread(luma: Plane, chroma: Plane, weight: Plane) -> Plane:
    """The chroma of a whole frame, [2, h, w] float32, from that of its painted parts.

    luma: [h, w] float32 in [0, 1], of the frame itself: not what the paint made of it.
    chroma: [2, h, w] float32 in ±0.5; where nothing is painted it means nothing.
    weight: [h, w] float32, how solid the paint is: 0 none, 1 keeps its colour exactly.

    Raises ArgumentError when nothing is painted or the planes do not fit together, and
    MissingLibraryError where SciPy is not installed.
    """
    _check(luma, chroma, weight)
    solid = weight >= 1 - LEAST_WEIGHT
    if solid.all():
        return chroma.copy()
    pull = np.where(weight > LEAST_WEIGHT, weight, 0).clip(0, 1).astype(np.float64).ravel()
    pull[solid.ravel()] = 1
    paint = chroma.reshape(2, -1).T.astype(np.float64)

    links = _links(luma, _tight(luma))
    reached = _reached(links, pull > 0)
    colours = _fill(links, paint, np.where(reached, pull, 1))
    if not reached.all():  # regions without paint: from around them
        colours = _fill(_links(luma, _loose), colours, reached.astype(np.float64))
    return np.clip(colours.T.reshape(chroma.shape), -0.5, 0.5).astype(np.float32)


def require_scipy() -> None:
    """Raise MissingLibraryError where SciPy is not installed."""
    _library("scipy.sparse")


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


def _tight(luma: Plane) -> Callable[[Numbers, Numbers, Values], Values]:
    """The weight of a link, see the module."""
    height, width = luma.shape
    padded = np.pad(luma, 1, constant_values=np.inf)  # no neighbours beyond the frame
    around = [
        (padded[1 + down : 1 + down + height, 1 + right : 1 + right + width] - luma) ** 2
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if down or right
    ]
    nearest = np.partition(np.stack(around), _ALIKE - 1, axis=0)[:_ALIKE]
    scale = np.sqrt(np.maximum(_SPREAD * nearest.mean(axis=0), _NOISE**2)).ravel()

    def weigh(one: Numbers, other: Numbers, squared: Values) -> Values:
        weight = np.exp(-squared / (scale[one] * scale[other]))
        return np.where(weight < _LEAST_LINK, 0, weight)

    return weigh


def _loose(_one: Numbers, _other: Numbers, squared: Values) -> Values:
    """The weight of a link that is never cut."""
    return _NOISE**2 / (_NOISE**2 + squared)


def _links(luma: Plane, weigh: Callable[[Numbers, Numbers, Values], Values]) -> _Links:
    """The links between a frame's pixels that let colour pass."""
    height, width = luma.shape
    places = np.arange(luma.size, dtype=np.int32).reshape(luma.shape)
    flat = luma.ravel().astype(np.float64)
    found = []
    for down, right in _STEPS:
        one = places[: height - down, max(0, -right) : width - max(0, right)].ravel()
        other = places[down:, max(0, right) : width + min(0, right)].ravel()
        weight = weigh(one, other, (flat[one] - flat[other]) ** 2)
        passes = weight > 0
        found.append((one[passes], other[passes], weight[passes]))
    return _Links(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _reached(links: _Links, painted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels colour can pass to from those that are painted: [n]."""
    region = _regions(links, painted.size)
    has_paint = np.zeros(region.max() + 1, bool)
    has_paint[region[painted]] = True
    return has_paint[region]


def _regions(links: _Links, count: int) -> Numbers:
    """The number of the region that each of `count` nodes is linked to: [n]."""
    matrix = _library("scipy.sparse").coo_array(
        (links.weight, (links.one, links.other)), shape=(count, count)
    )
    regions: Numbers = _library("scipy.sparse.csgraph").connected_components(
        matrix, directed=False
    )[1]
    return regions


def _fill(links: _Links, colours: Values, pull: Values) -> Values:
    """Colours [n, 2] of all nodes. pull [n]: what fraction of its colour is a node's own."""
    unknown = pull < 1
    count = int(unknown.sum())
    number = np.cumsum(unknown, dtype=np.int32) - 1
    free = unknown[links.one], unknown[links.other]
    held, right = np.zeros(count), np.zeros((count, 2))

    def add(edges: NDArray[np.bool_], to: Numbers, of: Numbers) -> None:
        at, weight = number[to[edges]], links.weight[edges]
        held[:] += np.bincount(at, weight, count)
        for channel in (0, 1):
            known = colours[of[edges], channel]
            right[:, channel] += np.bincount(at, weight * known, count)

    add(free[0] & ~free[1], links.one, links.other)
    add(~free[0] & free[1], links.other, links.one)
    both = free[0] & free[1]
    inner = _Links(number[links.one[both]], number[links.other[both]], links.weight[both])

    own = pull[unknown]
    firmness = own / (1 - own) * np.maximum(held + _degree(inner, count), _LEAST_LINK)
    held += firmness
    right += firmness[:, None] * colours[unknown]
    out = colours.copy()
    out[unknown] = _solve(inner, held, right)
    return out


def _degree(links: _Links, count: int) -> Values:
    """The sum of each node's links."""
    ends = links.one, links.other
    return sum((np.bincount(end, links.weight, count) for end in ends), np.zeros(count))


def _solve(links: _Links, held: Values, right: Values) -> Values:
    """Colours [n, 2] that are still under their links, and held [n] to what gives right [n, 2]."""
    if len(held) <= _DIRECT:
        return _direct(links, held)(right)
    matrix = _matrix(links, held)
    rough = _rough(links, held, matrix.diagonal())
    colours, rest = np.zeros_like(right), right.copy()
    way = better = rough(rest)
    size = first = _dot(rest, better)
    for _ in range(_STEPS_AT_MOST):
        if (size <= _EXACT**2 * first).all():
            break
        change = matrix @ way
        step = _ratio(size, _dot(way, change))
        colours += step * way
        rest -= step * change
        better = rough(rest)
        before, size = size, _dot(rest, better)
        way = better + _ratio(size, before) * way
    return colours


def _rough(links: _Links, held: Values, diagonal: Values) -> Callable[[Values], Values]:
    """About what solves a large system: each node on its own, groups of nodes as one, and so on.

    Groups follow the strongest links, so that none lies across an edge.
    """
    if len(held) <= _DIRECT or not len(links.weight):
        return _direct(links, held)
    order = np.random.default_rng(len(held))
    strength = links.weight * (0.5 + 0.5 * order.random(len(links.weight)))  # without ties
    strongest = np.zeros(len(held))
    for end in (links.one, links.other):
        np.maximum.at(strongest, end, strength)
    joins = (strength == strongest[links.one]) | (strength == strongest[links.other])
    group = _regions(_Links(*(part[joins] for part in links)), len(held))
    members = _library("scipy.sparse").csr_array(
        (np.ones(len(group)), group, np.arange(len(group) + 1)), shape=(len(group), group.max() + 1)
    )
    sums = members.T.tocsr()
    held = np.bincount(group, held)
    links = _merged(links, group, len(held))
    coarser = _rough(links, held, _degree(links, len(held)) + held)
    share = 1 / diagonal[:, None]
    return lambda rest: rest * share + coarser(sums @ rest)[group]


def _merged(links: _Links, group: Numbers, count: int) -> _Links:
    """The links between groups of nodes."""
    one, other = group[links.one], group[links.other]
    between = one != other
    low, high = np.minimum(one, other)[between], np.maximum(one, other)[between]
    matrix = _library("scipy.sparse").coo_array(
        (links.weight[between], (low, high)), shape=(count, count)
    )
    matrix = matrix.tocsr().tocoo()
    return _Links(matrix.row, matrix.col, matrix.data)


def _matrix(links: _Links, held: Values) -> Any:
    """What takes colours [n, 2] to what pulls at each node."""
    shape = len(held), len(held)
    half = (
        _library("scipy.sparse")
        .coo_array((-links.weight, (links.one, links.other)), shape=shape)
        .tocsr()
    )
    diagonal = _library("scipy.sparse").diags_array(_degree(links, len(held)) + held)
    return (half + half.T + diagonal).tocsr()


def _direct(links: _Links, held: Values) -> Callable[[Values], Values]:
    """What solves a small system."""
    factors = _library("scipy.sparse.linalg").splu(
        _matrix(links, held).tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0,
        options={"SymmetricMode": True},
    )
    solve: Callable[[Values], Values] = factors.solve
    return solve


def _dot(one: Values, other: Values) -> Values:
    """Of each column; summed in one order, whatever the number of threads."""
    return np.asarray(np.einsum("ij,ij->j", one, other))


def _ratio(above: Values, below: Values) -> Values:
    """0 where a column is solved."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _library(name: str) -> Any:
    """A module of SciPy, imported only when colour is spread: it costs 0.2 s."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingLibraryError(
            "SciPy is not installed, which spreads the colours of a key that is painted in parts; "
            "install it with `pip install vidcolor[key]`"
        ) from error
