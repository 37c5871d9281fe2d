import numpy as np
import pytest

from vidcolor.key import laplacian
from vidcolor.key.laplacian import Edges, connected_components, degrees, solve

COUNT = 400


@pytest.fixture
def edges() -> Edges:
    """A random graph whose weights span three orders of magnitude."""
    random = np.random.default_rng(0)
    pairs = np.sort(random.integers(0, COUNT, (4 * COUNT, 2), np.int32), axis=1)
    first, second = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0).T
    return Edges(first, second, 10 ** random.uniform(-3, 0, len(first)))


def dense(edges: Edges, diagonal: np.ndarray) -> np.ndarray:
    matrix = np.diag(diagonal).astype(np.float64)
    for first, second, weight in zip(*edges, strict=True):
        matrix[first, first] += weight
        matrix[second, second] += weight
        matrix[first, second] -= weight
        matrix[second, first] -= weight
    return matrix


@pytest.mark.parametrize(("direct", "off"), [(COUNT, 1e-10), (30, 1e-4)])
def test_the_solution_is_numpys(edges, direct, off, monkeypatch):
    """Factorised, and by conjugate gradients over groups of groups."""
    monkeypatch.setattr(laplacian, "_DIRECT", direct)
    random = np.random.default_rng(1)
    diagonal, rhs = random.uniform(0, 0.1, COUNT), random.normal(size=(COUNT, 2))
    expected = np.linalg.solve(dense(edges, diagonal), rhs)
    assert np.abs(solve(edges, diagonal, rhs) - expected).max() < off * np.abs(expected).max()


def test_degrees_are_the_diagonal_of_the_laplacian(edges):
    assert np.allclose(degrees(edges, COUNT), np.diag(dense(edges, np.zeros(COUNT))))


def test_components_are_what_edges_join():
    edges = Edges(np.array([0, 1, 4], np.int32), np.array([1, 2, 5], np.int32), np.ones(3))
    found = connected_components(edges, 6)
    assert found[0] == found[1] == found[2]
    assert found[4] == found[5]
    assert len(set(found.tolist())) == 3
