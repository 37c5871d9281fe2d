"""Full-size chroma by the graph `enlarge`, with the CPU provider in the device's place.

`tests/runtime/test_cuda.py` looks at a real device, where there is one.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.support.full_size import CODINGS, QUARTER, SUBSAMPLINGS, frame, on_cpu
from vidcolor import working_size
from vidcolor.color import Codes, Coding, decode_luma, encode_chroma, encode_plane
from vidcolor.errors import ArgumentError
from vidcolor.grid import SITINGS
from vidcolor.guided import BAND
from vidcolor.inference import enlarge
from vidcolor.inference.enlarge import Enlarger, Guide
from vidcolor.inference.runner import Runner
from vidcolor.planes import Plane
from vidcolor.working_size import WorkingSize

DEVICE = Runner("toy")
"""Stands in for a device's: its memory is the CPU's."""


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize(("height", "width"), [(96, 128), (191, 253), (67, 130)])
def test_the_graph_makes_what_the_cpu_makes(
    height: int, width: int, subsampling: tuple[int, int]
) -> None:
    """Everywhere within a quarter of a code of 8 bits: sums are taken in another order, no more."""
    fit = WorkingSize.of(height, width, 48)
    enlarger = Enlarger(fit, DEVICE)
    for siting in SITINGS:
        grid = fit.grid(subsampling, siting)
        for coding in CODINGS:
            chroma, guide = frame(fit, coding)
            wanted = on_cpu(fit, chroma, guide, grid)
            planes = enlarger.planes(chroma, guide, grid)
            assert (planes.shape, planes.dtype) == (wanted.shape, np.float32)
            assert np.abs(planes - wanted).max() < QUARTER
            codes = np.stack(enlarger.codes(chroma, guide, grid))
            assert codes.dtype == coding.dtype
            zero, span = coding.chroma_scale
            rounding = 1e-3 if coding.is_float else 0.5 / span
            assert np.abs((codes.astype(np.float64) - zero) / span - wanted).max() < (
                QUARTER + rounding
            )


@pytest.mark.parametrize(("bits", "others"), [(8, 10), (10, 8), (16, 8), (8, 16)], ids=str)
def test_the_output_may_have_other_bits(bits: int, others: int) -> None:
    fit = WorkingSize.of(96, 130, 40)
    coding, output = (Coding("bt709", full_range=True, bits=n) for n in (bits, others))
    grid = fit.grid((1, 1), "left")
    chroma, guide = frame(fit, coding)
    made = np.stack(Enlarger(fit, DEVICE).codes(chroma, guide, grid, output))
    wanted = np.stack(encode_chroma(on_cpu(fit, chroma, guide, grid), output))
    assert made.dtype == output.dtype
    assert np.abs(made.astype(int) - wanted.astype(int)).max() <= (1 << others) / 256


@pytest.mark.parametrize("coding", CODINGS)
def test_without_a_device_the_bytes_are_those_of_working_size(coding: Coding) -> None:
    fit = WorkingSize.of(96, 130, 40)
    grid = fit.grid((1, 1), "topleft")
    chroma, guide = frame(fit, coding)
    wanted = on_cpu(fit, chroma, guide, grid)
    enlarger = Enlarger(fit)
    assert enlarger.planes(chroma, guide, grid).tobytes() == wanted.tobytes()
    for found, plane in zip(
        enlarger.codes(chroma, guide, grid), encode_chroma(wanted, coding), strict=True
    ):
        assert found.tobytes() == plane.tobytes()


@pytest.mark.parametrize("subsampling", [(0, 0), (1, 1)])
def test_on_the_cpu_no_plane_of_full_size_is_float(
    subsampling: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Luma is decoded and chroma encoded some rows at a time, and each row of luma once."""
    fit = WorkingSize.of(540, 960, 64)
    rng = np.random.default_rng(0)
    coding = Coding("bt709", full_range=False)
    codes = rng.integers(0, 256, (540, 960), np.uint8)
    guide = Guide(codes, coding, fit.downsample_codes(codes, coding))
    chroma = rng.random((2, 64, 114), np.float32) - np.float32(0.5)
    decoded, encoded = [], []

    def decode(some: Codes, coding: Coding) -> Plane:
        decoded.append(len(some))
        return decode_luma(some, coding)

    def encode(*given: Any, **more: Any) -> None:
        encoded.append(given[0].size)
        encode_plane(*given, **more)

    monkeypatch.setattr(working_size, "decode_luma", decode)
    monkeypatch.setattr(working_size, "encode_plane", encode)
    grid = fit.grid(subsampling, "left")
    Enlarger(fit).codes(chroma, guide, grid)
    assert sum(decoded) == 540
    assert max(decoded) <= 2 * BAND // grid.shape[1]
    assert sum(encoded) == 2 * grid.shape[0] * grid.shape[1]
    assert max(encoded) <= BAND
    decoded.clear()
    fit.downsample_codes(codes, coding)
    assert (sum(decoded), max(decoded)) == (540, 2 * (BAND // 960))


@pytest.mark.parametrize(("size", "subsampling"), [(96, (0, 0)), (48, (1, 1)), (64, (1, 1))])
def test_where_luma_guides_nothing_no_graph_is_opened(
    size: int, subsampling: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enlarge, "open_graph", None)
    fit = WorkingSize.of(96, 128, size)
    grid = fit.grid(subsampling, "left")
    chroma, guide = frame(fit, CODINGS[0])
    made = Enlarger(fit, DEVICE).planes(chroma, guide, grid)
    np.testing.assert_array_equal(made, on_cpu(fit, chroma, guide, grid))


@pytest.mark.parametrize("coding", CODINGS[:2])
def test_luma_goes_up_once_and_chroma_comes_down_once(
    coding: Coding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As codes; besides them the planes of working size, in one copy. All else went up before."""
    fit = WorkingSize.of(191, 253, 48)
    grid = fit.grid((1, 1), "left")
    enlarger = Enlarger(fit, DEVICE)
    chroma, guide = frame(fit, coding)
    enlarger.codes(chroma, guide, grid)
    up: list[tuple[Any, tuple[int, ...]]] = []
    down: list[tuple[Any, tuple[int, ...]]] = []
    place, fetch = onnxruntime.OrtValue.ortvalue_from_numpy, onnxruntime.OrtValue.numpy

    def placed(array: Any, *where: Any) -> Any:
        up.append((array.dtype, array.shape))
        return place(array, *where)

    def fetched(self: Any) -> Any:
        array = fetch(self)
        down.append((array.dtype, array.shape))
        return array

    monkeypatch.setattr(onnxruntime.OrtValue, "ortvalue_from_numpy", staticmethod(placed))
    monkeypatch.setattr(onnxruntime.OrtValue, "numpy", fetched)
    for _ in range(3):
        enlarger.codes(chroma, guide, grid)
    small = np.float32, (3 * guide.small.size + 5,)
    assert up == 3 * [(coding.dtype, (191, 253)), small]
    assert down == 3 * [(coding.dtype, (2, *grid.shape))]


def test_a_graph_is_opened_and_tried_once_by_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = WorkingSize.of(96, 130, 40)
    grid = fit.grid((1, 1), "left")
    chroma, guide = frame(fit, CODINGS[0])
    opened, upsampled = [], []
    open_graph, upsample = enlarge.open_graph, WorkingSize.upsample
    monkeypatch.setattr(
        enlarge, "open_graph", lambda path, **how: opened.append(path) or open_graph(path, **how)
    )
    monkeypatch.setattr(
        WorkingSize, "upsample", lambda *given: upsampled.append(given) or upsample(*given)
    )
    enlarger, found = Enlarger(fit, DEVICE), {}

    def work(number: int) -> None:
        found[number] = enlarger.codes(chroma, guide, grid)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(opened), len(upsampled)) == (1, 1)
    for number in range(4):
        np.testing.assert_array_equal(found[number], found[0])


def test_planes_of_other_shapes_are_refused() -> None:
    fit = WorkingSize.of(96, 130, 40)
    chroma, guide = frame(fit, CODINGS[0])
    grid = fit.grid((1, 1), "left")
    for runner in (None, DEVICE):
        enlarger = Enlarger(fit, runner)
        with pytest.raises(ArgumentError, match=r"^chroma has shape \(2, 40, 53\), accepted is"):
            enlarger.codes(chroma[:, :, 1:], guide, grid)
        other = Guide(guide.codes[1:], guide.coding, guide.small)
        with pytest.raises(ArgumentError, match=r"^luma has shape \(95, 130\), accepted is"):
            enlarger.planes(chroma, other, grid)
        other = Guide(guide.codes, guide.coding, guide.small[1:])
        with pytest.raises(ArgumentError, match=r"^small has shape \(39, 54\), accepted is"):
            enlarger.planes(chroma, other, grid)
