"""Recorded runs, with the CPU in the device's place: what is bound once is overwritten at each run.

`tests/runtime/test_cuda.py` looks at a real device, where there is one.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.support.scenes import Scene, render
from vidcolor.errors import BundleError, ProviderError
from vidcolor.inference import contract, recording
from vidcolor.inference.known_providers import provider_list
from vidcolor.inference.providers import open_graph
from vidcolor.inference.session import Session
from vidcolor.inference.sized import Sizes, sized_graphs
from vidcolor.propagate import Propagator, State


class Replaying:
    """A graph whose first run is recorded: it can only be run again on the same addresses."""

    def __init__(self, graph: onnxruntime.InferenceSession) -> None:
        self._graph, self._recorded = graph, None
        self.runs = 0
        self.bound: list[Any] = []
        """The fixed tensors, in and out."""

    def get_outputs(self) -> list[Any]:
        return list(self._graph.get_outputs())

    def io_binding(self) -> Any:
        assert not self.runs, "what is recorded is bound once"
        binding = self._graph.io_binding()
        for name in ("bind_ortvalue_input", "bind_ortvalue_output"):
            bind = getattr(binding, name)

            def kept(name: str, tensor: Any, bind: Callable[[str, Any], None] = bind) -> None:
                self.bound.append(tensor)
                bind(name, tensor)

            setattr(binding, name, kept)
        return binding

    def run_with_iobinding(self, binding: Any, options: Any) -> None:
        assert options.get_run_config_entry("gpu_graph_id") == "1"
        addresses = [tensor.data_ptr() for tensor in self.bound]
        assert self._recorded in (None, (binding, addresses))
        self._recorded = binding, addresses
        self.runs += 1
        self._graph.run_with_iobinding(binding, options)


class Stand:
    """A session that records, the graphs that it opened, and what they were opened for."""

    def __init__(
        self,
        bundle: Path,
        precision: str,
        change: Callable[[Replaying], Any] = lambda graph: graph,
    ) -> None:
        """change: makes what is recorded of a graph that could be."""
        plain = Session.load(bundle, provider="cpu", precision=precision, threads=1)
        self.plain = Propagator(plain)
        self.recorded: list[Replaying] = []
        self.opened: list[bool] = []

        def reopen(sizes: Sizes, *, record: bool = False) -> Any:
            self.opened.append(record)
            path = contract.graph_path(bundle, "propagate", precision)
            graph = open_graph(path, provider="cpu", device_id=0, threads=1, sizes=sizes)
            if not record:
                return graph
            self.recorded.append(Replaying(graph))
            return change(self.recorded[-1])

        sized = sized_graphs(plain._graphs["propagate"], reopen, plain._runner, "cuda")
        self.propagator = Propagator(replace(plain, _sized=sized))


@pytest.fixture(scope="module")
def scene() -> Scene:
    return render(8, 48, 64)


def colors(propagator: Propagator, scene: Scene, keys: int = 1) -> list[Any]:
    state = propagator.init_state(*(scene.key(n) for n in range(keys)))
    return [step.chroma for step in propagator.run(scene.luma[keys:], state)]


@pytest.mark.parametrize("precision", contract.PRECISIONS)
@pytest.mark.parametrize("model", ["toy_bundle", "flow_bundle"])
def test_replays_colour_as_plain_runs_and_are_recorded_once(
    model: str, precision: str, scene: Scene, request: pytest.FixtureRequest
) -> None:
    """Once for a size and number of keys; no plain graph is opened."""
    stand = Stand(request.getfixturevalue(model), precision)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            for keys in (1, 2):
                found, expected = (
                    colors(propagator, scene, keys)
                    for propagator in (stand.propagator, stand.plain)
                )
                np.testing.assert_array_equal(found, expected)
    assert stand.opened == [True, True]
    assert [graph.runs for graph in stand.recorded] == [2 * 7, 2 * 6]


def values(state: State) -> dict[str, Any]:
    return {name: tensor.numpy().copy() for name, tensor in state.tensors.items()}


@pytest.mark.filterwarnings("error")
def test_a_kept_state_survives_replays(toy_bundle: Path, scene: Scene) -> None:
    """Also one of another pass. None lies where the recorded graph writes."""
    stand = Stand(toy_bundle, "float32")
    propagator = stand.propagator
    first, other = (propagator.init_state(scene.key(n)) for n in (0, 5))
    states = [first, *(propagator.step(luma, first).state for luma in scene.luma[1:4]), other]
    for luma in scene.luma[1:]:
        states += [propagator.step(luma, state).state for state in states[-2:]]
    kept = [values(state) for state in states]
    again = [propagator.step(scene.luma[3], state).chroma for state in reversed(states)]
    for state, known in zip(states, kept, strict=True):
        for name, value in values(state).items():
            np.testing.assert_array_equal(value, known[name])
    expected = [stand.plain.step(scene.luma[3], state).chroma for state in reversed(states)]
    np.testing.assert_array_equal(again, expected)
    [graph] = stand.recorded
    places = [tensor.data_ptr() for tensor in graph.bound]
    for state in states:
        places += [tensor.data_ptr() for tensor in state.tensors.values()]
    assert len(set(places)) == len(places)


def test_what_is_kept_of_keys_is_copied_once_for_a_pass(
    toy_bundle: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State goes in and out at each run."""
    copied, copy = [], recording._copy_to
    monkeypatch.setattr(recording, "_copy_to", lambda *pair: (copied.append(pair[1]), copy(*pair)))
    propagator = Stand(toy_bundle, "float32").propagator
    state = propagator.init_state(scene.key())
    for luma in scene.luma[1:]:
        state = propagator.step(luma, state).state
    of_keys = {id(tensor) for tensor in state.memory.values()}
    assert sum(id(tensor) in of_keys for tensor in copied) == 1
    assert len(copied) == 1 + 7 * (3 + 3)


def test_where_it_cannot_be_recorded_it_is_run_plainly_and_told_once(
    toy_bundle: Path, scene: Scene
) -> None:
    def refuse(graph: Replaying) -> Any:
        raise ProviderError("propagate.float16.onnx cannot be recorded: nodes are on the CPU")

    stand = Stand(toy_bundle, "float32", refuse)
    with pytest.warns(RuntimeWarning) as told:
        found = [colors(stand.propagator, scene, keys) for keys in (1, 2)]
    assert [str(warning.message) for warning in told] == [
        "CUDA graphs are not used, which makes small frames slower: propagate.float16.onnx cannot "
        "be recorded: nodes are on the CPU"
    ]
    for chroma, keys in zip(found, (1, 2), strict=True):
        np.testing.assert_array_equal(chroma, colors(stand.plain, scene, keys))
    assert stand.opened == [True, False, False]


class Failing(Replaying):
    """Its run fails."""

    def __init__(self, graph: Replaying, at: int, error: str) -> None:
        super().__init__(graph._graph)
        self._at, self._error = at, error

    def run_with_iobinding(self, binding: Any, options: Any) -> None:
        if self.runs == self._at:
            raise RuntimeError(self._error)
        super().run_with_iobinding(binding, options)


@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_run_that_fails_is_made_plainly(at: int, toy_bundle: Path, scene: Scene) -> None:
    stand = Stand(
        toy_bundle, "float32", lambda graph: Failing(graph, at, "operation not permitted\nat 0x0")
    )
    with pytest.warns(RuntimeWarning, match="model .toy-bundle. failed: operation not permitted$"):
        found = colors(stand.propagator, scene)
    np.testing.assert_array_equal(found, colors(stand.plain, scene))
    assert stand.opened == [True, False]


class Stale(Replaying):
    """A replay that repeats what was recorded, whatever its inputs are now."""

    def run_with_iobinding(self, binding: Any, options: Any) -> None:
        if self.runs == 0:
            super().run_with_iobinding(binding, options)
        self.runs += 1


def test_a_replay_that_computes_something_else_is_found_out(toy_bundle: Path, scene: Scene) -> None:
    stand = Stand(toy_bundle, "float32", lambda graph: Stale(graph._graph))
    with pytest.warns(RuntimeWarning, match="a replay does not compute .*: chroma differs by more"):
        found = colors(stand.propagator, scene)
    np.testing.assert_array_equal(found, colors(stand.plain, scene))


def test_a_run_that_was_ended_is_no_fault_and_is_recorded_anew(
    toy_bundle: Path, scene: Scene
) -> None:
    def end_first(graph: Replaying) -> Any:
        first = len(stand.recorded) == 1
        return (
            Failing(graph, 0, "Exiting due to terminate flag being set to true.")
            if first
            else graph
        )

    stand = Stand(toy_bundle, "float32", end_first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BundleError, match="terminate flag"):
            colors(stand.propagator, scene)
        found = colors(stand.propagator, scene)
    np.testing.assert_array_equal(found, colors(stand.plain, scene))
    assert stand.opened == [True, True]


def test_an_onnxruntime_that_cannot_copy_on_the_device_is_told(
    toy_bundle: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_arrays_alone(self: Any, array: Any) -> None:
        if not isinstance(array, np.ndarray):
            raise TypeError("incompatible function arguments")

    monkeypatch.setattr(onnxruntime.OrtValue, "update_inplace", of_arrays_alone)
    stand = Stand(toy_bundle, "float32")
    with pytest.warns(RuntimeWarning, match="copies nothing on the device; install a newer one"):
        found = colors(stand.propagator, scene)
    np.testing.assert_array_equal(found, colors(stand.plain, scene))


def test_threads_share_a_recording(toy_bundle: Path, scene: Scene) -> None:
    stand = Stand(toy_bundle, "float32")
    expected = colors(stand.plain, scene)
    found: dict[int, Any] = {}

    def work(number: int) -> None:
        found[number] = colors(stand.propagator, scene)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stand.recorded) == 1
    for number in range(4):
        np.testing.assert_array_equal(found[number], expected)


def test_it_is_asked_of_cuda_alone(toy_bundle: Path) -> None:
    (_, options), _ = provider_list("cuda", 0, record=True)
    assert options["enable_cuda_graph"] == 1
    (_, options), _ = provider_list("cuda", 0)
    assert "enable_cuda_graph" not in options
    assert Session.load(toy_bundle, provider="cpu")._sized is None
