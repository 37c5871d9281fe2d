"""Sparse systems (L + D) x = b, where L is the Laplacian of a weighted graph and D is diagonal.

A small system is factorised. A large one is solved by preconditioned conjugate gradients (Hestenes
and Stiefel 1952); its preconditioner works on groups of nodes, and groups of groups, as multigrid
methods do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidcolor.optional import require

_DIRECT = 200_000
"""Most unknowns of a system that is factorised, which takes half a second."""
_TOLERANCE = 1e-6
"""Share of the first residual at which an iteration ends. Colours are then right to within a
quarter of an 8-bit code."""
_MOST_ITERATIONS = 2000
"""A hundred are usual."""

Numbers = NDArray[np.int32]
Values = NDArray[np.float64]


class Edges(NamedTuple):
    """A weighted graph of n nodes: every pair of neighbours once, [edges] each."""

    first: Numbers
    second: Numbers
    weight: Values


def connected_components(edges: Edges, count: int) -> Numbers:
    """For each of `count` nodes [n], the number of the connected component that it is in."""
    matrix = scipy("sparse").coo_array(
        (edges.weight, (edges.first, edges.second)), shape=(count, count)
    )
    found: Numbers = scipy("sparse.csgraph").connected_components(matrix, directed=False)[1]
    return found


def degrees(edges: Edges, count: int) -> Values:
    """The sum [n] of the weights of each node's edges."""
    ends = edges.first, edges.second
    return sum((np.bincount(end, edges.weight, count) for end in ends), np.zeros(count))


def solve(edges: Edges, diagonal: Values, rhs: Values) -> Values:
    """Solve (L + diag(diagonal)) x = rhs, where L is the graph Laplacian of the edges.

    Args:
        edges: Those of a graph of n nodes.
        diagonal: [n], at least 0, and above 0 somewhere in each connected component.
        rhs: [n, 2], two right-hand sides, solved for at a time.

    Returns:
        x [n, 2].

    Raises:
        MissingLibraryError: SciPy is not installed.
    """
    if len(diagonal) <= _DIRECT:
        return _factorised(edges, diagonal)(rhs)
    matrix = _laplacian(edges, diagonal)
    precondition = _multilevel(edges, diagonal, matrix.diagonal())
    # In the method's usual names: the solution, the residual, the preconditioned residual
    # z = M^-1 r, and the search direction.
    x, r = np.zeros_like(rhs), rhs.copy()
    z = precondition(r)
    p = z
    rz = first_rz = _dot(r, z)
    for _ in range(_MOST_ITERATIONS):
        if (rz <= _TOLERANCE**2 * first_rz).all():
            break
        ap = matrix @ p
        alpha = _ratio(rz, _dot(p, ap))
        x += alpha * p
        r -= alpha * ap
        z = precondition(r)
        previous_rz, rz = rz, _dot(r, z)
        p = z + _ratio(rz, previous_rz) * p
    return x


def _multilevel(edges: Edges, diagonal: Values, degree: Values) -> Callable[[Values], Values]:
    """A multilevel preconditioner: Jacobi on every level, plus the same on groups of nodes.

    Nodes are grouped along their strongest edges, so no group lies across an edge of the picture.
    The coarsest level is factorised. degree: [n], the diagonal of the whole matrix.
    """
    if len(diagonal) <= _DIRECT or not len(edges.weight):
        return _factorised(edges, diagonal)
    random = np.random.default_rng(len(diagonal))
    strength = edges.weight * (0.5 + 0.5 * random.random(len(edges.weight)))  # without ties
    strongest = np.zeros(len(diagonal))
    for end in (edges.first, edges.second):
        np.maximum.at(strongest, end, strength)
    joins = (strength == strongest[edges.first]) | (strength == strongest[edges.second])
    group = connected_components(Edges(*(part[joins] for part in edges)), len(diagonal))
    members = scipy("sparse").csr_array(
        (np.ones(len(group)), group, np.arange(len(group) + 1)), shape=(len(group), group.max() + 1)
    )
    restrict = members.T.tocsr()
    diagonal = np.bincount(group, diagonal)
    edges = _coarsened(edges, group, len(diagonal))
    coarser = _multilevel(edges, diagonal, degrees(edges, len(diagonal)) + diagonal)
    jacobi = 1 / degree[:, None]
    return lambda r: r * jacobi + coarser(restrict @ r)[group]


def _coarsened(edges: Edges, group: Numbers, count: int) -> Edges:
    """The edges between `count` groups of nodes; group: [n], each node's."""
    first, second = group[edges.first], group[edges.second]
    between = first != second
    low, high = np.minimum(first, second)[between], np.maximum(first, second)[between]
    matrix = scipy("sparse").coo_array((edges.weight[between], (low, high)), shape=(count, count))
    matrix = matrix.tocsr().tocoo()
    return Edges(matrix.row, matrix.col, matrix.data)


def _laplacian(edges: Edges, diagonal: Values) -> Any:
    """The graph Laplacian of the edges plus a diagonal, as a sparse [n, n] matrix."""
    shape = len(diagonal), len(diagonal)
    coordinates = (edges.first, edges.second)
    half = scipy("sparse").coo_array((-edges.weight, coordinates), shape=shape).tocsr()
    added = scipy("sparse").diags_array(degrees(edges, len(diagonal)) + diagonal)
    return (half + half.T + added).tocsr()


def _factorised(edges: Edges, diagonal: Values) -> Callable[[Values], Values]:
    """The exact solution of a small system, as a function of its right-hand side [n, 2]."""
    factors = scipy("sparse.linalg").splu(
        _laplacian(edges, diagonal).tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0,
        options={"SymmetricMode": True},
    )
    exact: Callable[[Values], Values] = factors.solve
    return exact


def _dot(one: Values, other: Values) -> Values:
    """Dot products [2] of the columns; summed in one order, whatever the number of threads."""
    return np.asarray(np.einsum("ij,ij->j", one, other))


def _ratio(numerator: Values, denominator: Values) -> Values:
    """The quotients [2]; 0 where a column is solved already."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def scipy(module: str) -> Any:
    """A module of SciPy, imported only when colour is spread: it takes 0.2 s."""
    return require(
        f"scipy.{module}",
        library="SciPy",
        extra="scribbles",
        purpose="spreading the colours of a key that is painted in parts",
    )
