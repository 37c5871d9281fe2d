"""Colour spread over a frame: exact where the answer is planted, near the truth in photographs."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from tests.support import need
from vidcolor.color import rgb_to_key
from vidcolor.errors import ArgumentError
from vidcolor.key import laplacian, scribbles
from vidcolor.key.scribbles import spread

need.scipy()

HEIGHT, WIDTH = 60, 80
COLOURS = np.array([[0.3, -0.2], [-0.25, 0.1], [0.05, 0.4]], np.float32)


def regions():
    """Luma of three flat regions that meet in a point, and which is where."""
    which = np.zeros((HEIGHT, WIDTH), int)
    which[:, 45:] = 1
    which[35:, :] += 2 * (which[35:, :] == 0)
    which[20:30, 50:60] = 2  # an island
    return np.array([0.4, 0.44, 0.9], np.float32)[which], which


def strokes(which, seeds):
    """One stroke for each of (region, row, column), of the region's colour."""
    chroma, weight = (
        np.full((2, *which.shape), 0.111, np.float32),
        np.zeros(which.shape, np.float32),
    )
    for region, row, column in seeds:
        assert which[row, column] == region
        chroma[:, row, column : column + 3] = COLOURS[region][:, None]
        weight[row, column : column + 3] = 1
    return chroma, weight


EVERYWHERE = [(0, 5, 3), (1, 50, 70), (2, 50, 10), (2, 25, 55)]


@pytest.mark.parametrize(("direct", "off"), [(laplacian._DIRECT, 1e-6), (50, 1e-5)])
def test_flat_regions_with_a_stroke_each_are_exact(direct, off, monkeypatch):
    """Large systems are solved in steps, to well below a 16-bit code."""
    monkeypatch.setattr(laplacian, "_DIRECT", direct)
    luma, which = regions()
    chroma, weight = strokes(which, EVERYWHERE)
    want = np.moveaxis(COLOURS[which], -1, 0)
    assert np.abs(spread(luma, chroma, weight) - want).max() < off


def test_a_region_without_a_stroke_takes_the_nearest_lumas_colour():
    luma, which = regions()
    chroma, weight = strokes(which, EVERYWHERE[:3])
    got = spread(luma, chroma, weight)
    painted = np.moveaxis(COLOURS[which], -1, 0)
    outside = np.ones(which.shape, bool)
    outside[20:30, 50:60] = False
    assert np.abs(got - painted)[:, outside].max() < 1e-6
    assert np.abs(got[:, ~outside] - COLOURS[1][:, None]).max() < 1e-6  # all that is around it

    chroma, weight = strokes(which, [EVERYWHERE[1], EVERYWHERE[2], EVERYWHERE[3]])
    left = spread(luma, chroma, weight)[:, 5, 5]
    assert np.linalg.norm(left - COLOURS[1]) < 0.1 * np.linalg.norm(left - COLOURS[2])


def test_between_two_strokes_on_a_flat_ground_colour_lies_between():
    luma = np.full((1, 21), 0.5, np.float32)
    chroma = np.zeros((2, 1, 21), np.float32)
    chroma[:, 0, 0], chroma[:, 0, 20] = (0.2, -0.4), (-0.2, 0.4)
    weight = np.zeros((1, 21), np.float32)
    weight[0, [0, 20]] = 1
    want = np.linspace(chroma[:, 0, 0], chroma[:, 0, 20], 21).T
    assert np.abs(spread(luma, chroma, weight)[:, 0] - want).max() < 1e-6


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_soft_paint_gives_its_share_of_the_colour(share):
    """In a row, where a pixel has two neighbours."""
    luma = np.full((1, 3), 0.5, np.float32)
    chroma = np.zeros((2, 1, 3), np.float32)
    chroma[:, 0, 0], chroma[:, 0, 1], chroma[:, 0, 2] = (0.1, 0.1), (0.4, -0.3), (0.2, -0.1)
    weight = np.array([[1, share, 1]], np.float32)
    want = share * chroma[:, 0, 1] + (1 - share) * (chroma[:, 0, 0] + chroma[:, 0, 2]) / 2
    assert spread(luma, chroma, weight)[:, 0, 1] == pytest.approx(want, abs=1e-6)


def photograph(name, side=120):
    from skimage import data

    image = getattr(data, name)().astype(np.float32) / 255
    scale = side / min(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return rgb_to_key(np.rint(image * 255) / 255, "bt709")


def scrawl(shape, count=60):
    """Short lines here and there."""
    rng, weight = np.random.default_rng(1), np.zeros(shape, np.float32)
    for _ in range(count):
        x, y = int(rng.integers(shape[1])), int(rng.integers(shape[0]))
        angle = rng.random() * 2 * np.pi
        cv2.line(weight, (x, y), (int(x + 8 * np.cos(angle)), int(y + 8 * np.sin(angle))), 1, 1)
    return weight


def psnr(got, want):
    return -10 * np.log10(float(np.mean((got - want) ** 2)))


def papers(luma):
    """The weights as the paper has them: of a window's whole variance."""
    mean = cv2.blur(luma, (3, 3))
    variance = 0.6 * (cv2.blur(luma * luma, (3, 3)) - mean * mean)
    scale = np.sqrt(np.maximum(variance, 2e-6)).ravel()
    return lambda one, other, squared: np.exp(-squared / (scale[one] * scale[other]))


def test_photographs_are_nearer_to_the_truth_than_by_the_papers_weights(monkeypatch):
    ours, theirs, none = [], [], []
    for name in ("astronaut", "coffee", "chelsea"):
        key = photograph(name)
        weight = scrawl(key.luma.shape)
        paint = np.where(weight > 0, key.chroma, np.float32(0.5))
        got = spread(key.luma, paint, weight)
        assert got[:, weight > 0].tobytes() == key.chroma[:, weight > 0].tobytes()
        ours.append(psnr(got, key.chroma))
        none.append(psnr(0, key.chroma))
        with monkeypatch.context() as patch:
            patch.setattr(scribbles, "_levin_weights", papers)
            theirs.append(psnr(spread(key.luma, paint, weight), key.chroma))
    assert np.mean(ours) > np.mean(theirs) + 1
    assert np.mean(ours) > np.mean(none) + 8


def test_large_systems_come_to_the_colours_of_the_direct_solution(monkeypatch):
    key = photograph("coffee")
    weight = scrawl(key.luma.shape)
    weight[10:20, 10:20] = 0.3
    direct = spread(key.luma, key.chroma, weight)
    monkeypatch.setattr(laplacian, "_DIRECT", 500)
    assert np.abs(spread(key.luma, key.chroma, weight) - direct).max() < 1 / 1024


def test_many_regions_that_nothing_links(monkeypatch):
    """More than are solved directly: specks in a flat ground, each with paint of its own."""
    luma = np.full((30, 40), 0.2, np.float32)
    luma[4:-4:3, 4:-4:3] = 0.9
    specks = luma > 0.5
    chroma = np.where(specks, np.linspace(-0.4, 0.4, 40, dtype=np.float32), 0.3)
    chroma = np.stack((chroma, -chroma)).astype(np.float32)
    weight = np.where(specks, np.float32(0.5), np.float32(0.2))
    monkeypatch.setattr(laplacian, "_DIRECT", 20)
    assert np.abs(spread(luma, chroma, weight) - chroma).max() < 1e-5


def test_a_frame_that_is_all_painted_comes_back():
    key = photograph("coffee", side=40)
    got = spread(key.luma, key.chroma, np.ones_like(key.luma))
    assert got.tobytes() == key.chroma.tobytes()


def test_the_paints_own_luma_and_unpainted_chroma_do_not_matter():
    luma, which = regions()
    chroma, weight = strokes(which, EVERYWHERE)
    other = np.where(weight > 0, chroma, np.float32(-0.3))
    assert spread(luma, chroma, weight).tobytes() == spread(luma, other, weight).tobytes()


def test_bad_planes_are_told():
    luma, chroma = np.zeros((4, 5), np.float32), np.zeros((2, 4, 5), np.float32)
    nothing = np.zeros((4, 5), np.float32)
    with pytest.raises(ArgumentError, match="weight is 0 everywhere, at least one painted pixel"):
        spread(luma, chroma, nothing)
    with pytest.raises(ArgumentError, match=r"weight is \(4, 4\), accepted is the size of luma"):
        spread(luma, chroma, nothing[:, :4])
    with pytest.raises(ArgumentError, match="luma must be"):
        spread(luma.astype(np.float64), chroma, nothing)


def test_without_scipy_the_remedy_is_told():
    script = """
import sys, numpy as np
sys.modules["scipy.sparse"] = None
from vidcolor.key.scribbles import spread
weight = np.zeros((8, 8), np.float32); weight[2, 2] = 1
try:
    spread(np.zeros((8, 8), np.float32), np.zeros((2, 8, 8), np.float32), weight)
except ImportError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("MissingLibraryError spreading the colours")
    assert "needs SciPy, which is not installed" in done.stdout
    assert 'pip install "vidcolor[scribbles]"' in done.stdout
