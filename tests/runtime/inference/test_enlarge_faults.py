"""Where the device fails that full-size chroma is made on: the CPU's bytes, or an error."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.support.full_size import CODINGS, QUARTER, SUBSAMPLINGS, frame, on_cpu
from vidcolor.color import encode_chroma
from vidcolor.errors import BundleError, ProviderError
from vidcolor.inference import enlarge
from vidcolor.inference.enlarge import Enlarger
from vidcolor.inference.runner import Runner
from vidcolor.working_size import WorkingSize

DEVICE = Runner("toy")
"""Stands in for a device's: its memory is the CPU's."""


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
