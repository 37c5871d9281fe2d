from __future__ import annotations

from itertools import product
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

from tests.support.full_size import CODINGS, codes_of
from tests.support.scenes import render
from vidcolor.color import Coding, decode_luma, encode_chroma, rgb_to_key
from vidcolor.errors import ArgumentError
from vidcolor.grid import SITINGS, Grid, resample
from vidcolor.working_size import LEAST_SIZE, WorkingSize

SUBSAMPLINGS = {
    "4:4:4": (0, 0),
    "4:2:2": (1, 0),
    "4:2:0": (1, 1),
    "4:1:1": (2, 0),
    "4:1:0": (2, 2),
    "4:4:0": (0, 1),
}
each_subsampling = pytest.mark.parametrize(
    "subsampling", SUBSAMPLINGS.values(), ids=SUBSAMPLINGS.keys()
)


def error(one: np.ndarray, other: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


@pytest.mark.parametrize(
    ("height", "width", "size", "working"),
    [
        (1080, 1920, 256, (256, 455)),
        (1920, 1080, 256, (455, 256)),
        (256, 342, 256, (256, 342)),
        (100, 80, 256, (100, 80)),
        (480, 720, 128, (128, 192)),
        (2, 4000, 64, (2, 4000)),
    ],
)
def test_working_size(height: int, width: int, size: int, working: tuple[int, int]) -> None:
    fit = WorkingSize.of(height, width, size)
    assert fit.working.shape == working == (fit.working_height, fit.working_width)


def test_working_size_keeps_the_aspect_and_never_enlarges() -> None:
    for height, width, size in product(range(1, 400, 37), range(1, 400, 41), (32, 64, 100)):
        fit = WorkingSize.of(height, width, size)
        short = min(fit.working.shape)
        assert short == min(size, height, width)
        assert abs(fit.working_width - width * short / min(height, width)) <= 0.5
        assert abs(fit.working_height - height * short / min(height, width)) <= 0.5


@pytest.mark.parametrize("size", [LEAST_SIZE - 1, -1, 64.0])
def test_sizes_that_are_refused(size: int) -> None:
    with pytest.raises(ArgumentError, match=f"size is {size}, accepted are whole numbers from 32"):
        WorkingSize.of(100, 100, size)


@pytest.mark.parametrize(("height", "width"), [(512, 640), (511, 333), (130, 1024), (96, 96)])
def test_down_is_the_mean_over_areas(height: int, width: int) -> None:
    luma = render(1, height, width).luma[0]
    fit = WorkingSize.of(height, width, 32)
    small = fit.downsample(luma)
    assert small.shape == fit.working.shape
    assert small.dtype == np.float32
    assert small.mean() == pytest.approx(luma.mean(), abs=1e-3)
    exact = cv2.resize(luma, small.shape[::-1], interpolation=cv2.INTER_AREA)
    # Halving first lets an area's border blur by a full-size pixel or two.
    assert error(small, exact) < 0.1 * exact.std()


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(1080, 1920, 256), (512, 640, 64), (511, 333, 32), (130, 1024, 32), (480, 854, 256)],
)
def test_down_from_codes_is_down_from_their_luma(
    height: int, width: int, size: int, coding: Coding
) -> None:
    """To the last bit, though a plane that is halved is decoded some rows at a time."""
    codes = codes_of(np.random.default_rng(0).random((height, width), np.float32), coding)
    fit = WorkingSize.of(height, width, size)
    small = fit.downsample_codes(codes, coding)
    assert small.tobytes() == fit.downsample(decode_luma(codes, coding)).tobytes()


@each_subsampling
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(("height", "width"), [(480, 854), (191, 253), (67, 50), (33, 1)])
def test_up_to_codes_is_up_and_encoded(
    height: int, width: int, coding: Coding, subsampling: tuple[int, int]
) -> None:
    fit, rng = WorkingSize.of(height, width, 48), np.random.default_rng(0)
    codes = codes_of(rng.random((height, width), np.float32), coding)
    luma, small = decode_luma(codes, coding), fit.downsample_codes(codes, coding)
    chroma = rng.random((2, *small.shape), np.float32) - np.float32(0.5)
    output = Coding("bt709", full_range=True, bits=10)
    for siting in SITINGS:
        full = fit.upsample(chroma, small, luma, subsampling, siting)
        grid = fit.grid(subsampling, siting)
        for other in (coding, output):
            made = fit.upsample_codes(chroma, small, codes, coding, grid, other)
            for plane, wanted in zip(made, encode_chroma(full, other), strict=True):
                assert plane.tobytes() == wanted.tobytes()


def test_down_leaves_a_clip_of_working_size_alone() -> None:
    luma = render(1, 48, 64).luma[0]
    np.testing.assert_array_equal(WorkingSize.of(48, 64).downsample(luma), luma)


@each_subsampling
@pytest.mark.parametrize(("height", "width"), [(192, 256), (191, 253), (67, 50), (33, 1), (5, 7)])
def test_up_gives_the_clips_chroma_grid(
    height: int, width: int, subsampling: tuple[int, int]
) -> None:
    fit = WorkingSize.of(height, width, 48)
    luma = np.random.default_rng(0).random((height, width), np.float32)
    small = fit.downsample(luma)
    chroma = np.stack((small - 0.5, 0.5 - small)).astype(np.float32)
    before = chroma.copy()
    for siting in SITINGS:
        full = fit.upsample(chroma, small, luma, subsampling, siting)
        assert full.shape == (2, *fit.grid(subsampling, siting).shape)
        assert full.dtype == np.float32
        assert np.abs(full).max() <= 0.5
        np.testing.assert_array_equal(full, fit.upsample(chroma, small, luma, subsampling, siting))
    np.testing.assert_array_equal(chroma, before)


@each_subsampling
@pytest.mark.parametrize("siting", SITINGS)
@pytest.mark.parametrize("size", [32, 64, 128])
def test_without_edges_chroma_comes_up_linearly(
    subsampling: tuple[int, int], siting: str, size: int
) -> None:
    """A flat luma says nothing: ramps of chroma come out as ramps, each sample in its place."""
    fit = WorkingSize.of(128, 160, size)
    rows, columns = (
        axis.first + np.arange(axis.samples) * axis.pitch - 0.5 for axis in fit.working.axes
    )
    ramps = np.stack(np.meshgrid(rows, columns, indexing="ij")).astype(np.float32)
    flat = np.full((128, 160), 0.5, np.float32)
    full = fit.upsample(ramps, fit.downsample(flat), flat, subsampling, siting)
    rows, columns = (
        axis.first + np.arange(axis.samples) * axis.pitch - 0.5
        for axis in fit.grid(subsampling, siting).axes
    )
    expected = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    # Beyond the outermost working samples edges repeat.  1e-4: coordinates in float32.
    np.testing.assert_allclose(full[:, 5:-5, 5:-5], expected[:, 5:-5, 5:-5], atol=1e-4)


def test_at_the_clips_own_size_chroma_comes_back_as_it_was() -> None:
    scene = render(1, 64, 80)
    fit = WorkingSize.of(64, 80)
    luma, chroma = scene.luma[0], scene.chroma[0]
    np.testing.assert_array_equal(fit.upsample(chroma, luma, luma), chroma)


def test_flat_luma_keeps_what_it_cannot_explain() -> None:
    """Chroma without any edge in luma is not washed out."""
    fit = WorkingSize.of(256, 256, 64)
    flat = np.full((256, 256), 0.4, np.float32)
    chroma = np.random.default_rng(0).uniform(-0.4, 0.4, (2, 64, 64)).astype(np.float32)
    chroma = np.stack([cv2.GaussianBlur(plane, (0, 0), 2) for plane in chroma])
    full = fit.upsample(chroma, fit.downsample(flat), flat)
    back = fit.downsample_chroma(full, Grid(256, 256))
    assert error(back, chroma) < 0.1 * chroma.std()


@each_subsampling
@pytest.mark.parametrize("size", [128, 200])
def test_colour_ends_at_the_edges_of_luma(subsampling: tuple[int, int], size: int) -> None:
    """On a photograph, guided chroma is nearer the truth than linear interpolation."""
    key = rgb_to_key(skimage.data.astronaut() / 255, "bt709")
    fit = WorkingSize.of(512, 512, size)
    grid = fit.grid(subsampling, "left")
    truth = resample(key.chroma, Grid(512, 512), grid)
    chroma = fit.downsample_chroma(key.chroma, Grid(512, 512))
    guided = fit.upsample(chroma, fit.downsample(key.luma), key.luma, subsampling, "left")
    linear = resample(chroma, fit.working, grid)
    if all(have <= want for have, want in zip(grid.shape, fit.working.shape, strict=True)):
        np.testing.assert_array_equal(guided, linear)  # there are no edges left to find
    else:
        assert error(guided, truth) < 0.93 * error(linear, truth)


def test_a_step_of_chroma_on_a_step_of_luma_is_as_sharp() -> None:
    luma = np.full((256, 256), 0.3, np.float32)
    luma[:, 130:] = 0.7
    chroma = np.where(luma > 0.5, 0.2, -0.2).astype(np.float32)[None].repeat(2, axis=0)
    fit = WorkingSize.of(256, 256, 64)
    full = fit.upsample(fit.downsample_chroma(chroma, Grid(256, 256)), fit.downsample(luma), luma)
    jump = np.diff(full[0, 128])
    assert jump.argmax() == 129
    assert jump.max() > 0.35  # of 0.4; linear interpolation spreads it over four pixels or more


@each_subsampling
@pytest.mark.parametrize("siting", SITINGS)
def test_luma_is_looked_up_where_chroma_sits(subsampling: tuple[int, int], siting: str) -> None:
    """With chroma a function of luma, the clip's siting explains the result, and no other does."""
    rng = np.random.default_rng(0)
    blobs = cv2.GaussianBlur(rng.standard_normal((256, 256)).astype(np.float32), (0, 0), 4)
    luma = 0.5 + 0.1 * blobs / blobs.std()
    fit = WorkingSize.of(256, 256, 64)
    small = fit.downsample(luma)
    full = fit.upsample(np.stack((small, -small)) * 0.5, small, luma, subsampling, siting)

    def off(other: Grid) -> float:
        return error(full[0], resample(luma[None] * 0.5, Grid(256, 256), other)[0])

    grid = fit.grid(subsampling, siting)
    others = [fit.grid(subsampling, name) for name in SITINGS]
    assert all(off(grid) < 0.6 * off(other) for other in others if other.axes != grid.axes)
    assert off(grid) < 0.05 * luma.std()


def test_the_keys_chroma_may_have_any_size_and_subsampling() -> None:
    scene = render(1, 256, 320, seed=2)
    fit = WorkingSize.of(128, 160, 64)
    sources = [Grid(256, 320), Grid(256, 320, (1, 1), "left"), Grid(256, 320, (1, 0), "left")]
    planes = [resample(scene.chroma[0], Grid(256, 320), source) for source in sources]
    downs = [
        fit.downsample_chroma(plane, grid) for plane, grid in zip(planes, sources, strict=True)
    ]
    for down in downs:
        assert down.shape == (2, 64, 80)
        assert error(down, downs[0]) < 0.1 * downs[0].std()
    wild = fit.downsample_chroma(scene.chroma[0] * 10, Grid(256, 320))
    assert np.abs(wild).max() == 0.5


def test_planes_of_another_size_are_refused() -> None:
    fit = WorkingSize.of(64, 96, 32)
    luma, small = np.zeros((64, 96), np.float32), np.zeros((32, 48), np.float32)
    chroma = np.zeros((2, 32, 48), np.float32)
    with pytest.raises(ArgumentError, match=r"luma has shape \(32, 48\), accepted is \(64, 96\)"):
        fit.downsample(small)
    with pytest.raises(ArgumentError, match=r"luma has shape \(32, 48\), accepted is \(64, 96\)"):
        fit.upsample(chroma, small, small)
    coding = Coding("bt709", full_range=True, bits=32, is_float=True)
    with pytest.raises(ArgumentError, match=r"luma has shape \(32, 48\), accepted is \(64, 96\)"):
        fit.downsample_codes(small, coding)
    with pytest.raises(ArgumentError, match=r"luma has shape \(32, 48\), accepted is \(64, 96\)"):
        fit.upsample_codes(chroma, small, small, coding, fit.working, coding)
    with pytest.raises(ArgumentError, match=r"small has shape \(64, 96\), accepted is \(32, 48\)"):
        fit.upsample(chroma, luma, luma)
    with pytest.raises(ArgumentError, match=r"chroma has shape \(32, 48\)"):
        fit.upsample(small, small, luma)


def test_a_frame_is_upsampled_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of small calls, each split over all cores, take longer than they do in one thread."""
    seen, warp, threads = [], cv2.warpAffine, cv2.getNumThreads()

    def watched(*given: Any, **more: Any) -> Any:
        seen.append(cv2.getNumThreads())
        return warp(*given, **more)

    luma, fit = render(1, 360, 640).luma[0], WorkingSize.of(360, 640, 96)
    small = fit.downsample(luma)
    monkeypatch.setattr(cv2, "warpAffine", watched)
    cv2.setNumThreads(3)
    try:
        fit.upsample(np.stack((small, -small)) * 0.4, small, luma)
        assert set(seen) == {1}
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(threads)


def test_threads_of_opencv_do_not_matter() -> None:
    scene = render(1, 360, 640)
    luma, fit = scene.luma[0], WorkingSize.of(360, 640, 96)

    def both() -> tuple[np.ndarray, np.ndarray]:
        small = fit.downsample(luma)
        return small, fit.upsample(np.stack((small, -small)) * 0.4, small, luma, (1, 1), "left")

    small, full = both()
    threads = cv2.getNumThreads()
    try:
        for count in (1, 2, 5):
            cv2.setNumThreads(count)
            again = both()
            np.testing.assert_array_equal(again[0], small)
            np.testing.assert_array_equal(again[1], full)
    finally:
        cv2.setNumThreads(threads)
