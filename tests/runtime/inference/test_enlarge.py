"""Full-size chroma by the graph `enlarge`, with the CPU provider in the device's place.

`tests/runtime/test_cuda.py` looks at a real device, where there is one.
"""

from __future__ import annotations

import threading
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.support.full_size import CODINGS, QUARTER, SUBSAMPLINGS, frame, on_cpu
from vidcolor.color import Coding, encode_chroma
from vidcolor.errors import ArgumentError, BundleError, ProviderError
from vidcolor.grid import SITINGS
from vidcolor.inference import enlarge
from vidcolor.inference.enlarge import Enlarger, Guide
from vidcolor.inference.runner import Runner
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


def test_luma_that_is_at_hand_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = WorkingSize.of(96, 130, 40)
    chroma, guide = frame(fit, CODINGS[0])
    decoded = Guide(guide.codes, guide.coding, guide.small, guide.luma)
    wanted = Enlarger(fit).planes(chroma, guide, fit.grid((1, 1), "left"))
    monkeypatch.setattr(enlarge, "decode_luma", None)
    found = Enlarger(fit).planes(chroma, decoded, fit.grid((1, 1), "left"))
    np.testing.assert_array_equal(found, wanted)


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


class Standing:
    """A session in which something can go wrong."""

    def __init__(self, graph: Any, change: Any) -> None:
        self._graph, self._change, self.runs = graph, change, 0

    def get_outputs(self) -> Any:
        return self._graph.get_outputs()

    def io_binding(self) -> Any:
        binding = self._graph.io_binding()
        get = binding.get_outputs
        binding.get_outputs = lambda: [self._change(self.runs, tensor) for tensor in get()]
        return binding

    def run_with_iobinding(self, binding: Any, options: Any) -> None:
        self.runs += 1
        self._graph.run_with_iobinding(binding, options)


def stand(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """change: makes of the number of a run and its output what comes of it."""
    open_graph = enlarge.open_graph
    monkeypatch.setattr(
        enlarge,
        "open_graph",
        lambda path, **how: Standing(open_graph(path, **(how | {"provider": "cpu"})), change),
    )


def wrong(run: int, tensor: Any) -> Any:
    """A tenth of the range off, in every second sample."""
    array = tensor.numpy().copy()
    array[..., ::2] += np.array(0.1 if array.dtype == np.float32 else 25, array.dtype)
    return SimpleNamespace(numpy=lambda: array)


def refuse(run: int, tensor: Any) -> Any:
    raise RuntimeError("no kernel for MatMul\nat 0x0")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (wrong, "the device does not compute what the CPU computes"),
        (refuse, "model 'enlarge' failed: no kernel for MatMul"),
    ],
)
def test_a_device_that_cannot_is_not_used_and_told_of_once(
    change: Any, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand(monkeypatch, change)
    fit = WorkingSize.of(96, 130, 40)
    enlarger = Enlarger(fit, DEVICE)

    def check_all() -> None:
        for subsampling in SUBSAMPLINGS[:4]:
            for coding in CODINGS:
                grid = fit.grid(subsampling, "left")
                chroma, guide = frame(fit, coding)
                found = enlarger.codes(chroma, guide, grid)
                wanted = encode_chroma(on_cpu(fit, chroma, guide, grid), coding)
                np.testing.assert_array_equal(found, wanted)

    with pytest.warns(RuntimeWarning) as told:
        check_all()
    assert [str(warning.message) for warning in told] == [
        f"full-size chroma is made on the CPU, which takes longer: {why}"
    ]


def test_a_provider_that_cannot_be_started_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def fail(path: Any, **how: Any) -> Any:
        asked.append(how)
        raise ProviderError("provider 'cuda' cannot be started: no device")

    monkeypatch.setattr(enlarge, "open_graph", fail)
    fit = WorkingSize.of(96, 130, 40)
    chroma, guide = frame(fit, CODINGS[0])
    grid = fit.grid((1, 1), "left")
    with pytest.warns(RuntimeWarning, match="takes longer: provider 'cuda' cannot be started"):
        found = Enlarger(fit, Runner("toy", "cuda", 1, 2)).planes(chroma, guide, grid)
    np.testing.assert_array_equal(found, on_cpu(fit, chroma, guide, grid))
    assert asked == [{"provider": "cuda", "device_id": 1, "threads": None, "verbosity": 2}]


def fail_at(number: int, error: Exception) -> Any:
    def change(run: int, tensor: Any) -> Any:
        if run == number:
            raise error
        return tensor

    return change


@pytest.mark.filterwarnings("error")
def test_a_device_that_fails_later_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the colours of the frames after it would depend on it: the trial takes two runs."""
    stand(monkeypatch, fail_at(3, RuntimeError("device lost")))
    fit = WorkingSize.of(96, 130, 40)
    chroma, guide = frame(fit, CODINGS[0])
    with pytest.raises(BundleError, match=r"^model 'enlarge' failed: device lost$"):
        Enlarger(fit, DEVICE).codes(chroma, guide, fit.grid((1, 1), "left"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (RuntimeError("Exiting due to terminate flag being set to true."), BundleError),
        (MemoryError(), MemoryError),
    ],
)
def test_a_trial_that_was_ended_or_had_no_memory_decides_nothing(
    error: Exception, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = [error]

    def change(run: int, tensor: Any) -> Any:
        if ended:
            raise ended.pop()
        return tensor

    stand(monkeypatch, change)
    fit = WorkingSize.of(96, 130, 40)
    chroma, guide = frame(fit, CODINGS[0])
    grid, enlarger = fit.grid((1, 1), "left"), Enlarger(fit, DEVICE)
    with pytest.raises(raised):
        enlarger.codes(chroma, guide, grid)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = enlarger.planes(chroma, guide, grid)
    assert np.abs(found - on_cpu(fit, chroma, guide, grid)).max() < QUARTER


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
