"""How often things are done for a frame: counted, for a clock would not tell on a busy machine."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.support.scenes import Scene, render
from vidcolor.color import Coding, decode_luma, encode_chroma
from vidcolor.inference import contract, io_binding, runner, running
from vidcolor.inference.runner import Runner
from vidcolor.inference.session import Session
from vidcolor.motion import frame_inputs
from vidcolor.planes import Key
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

FRAMES = 8


@pytest.fixture(scope="module")
def scene() -> Scene:
    return render(FRAMES, 64, 96)


def run(propagator: Propagator, scene: Scene, keys: int) -> None:
    state = propagator.init_state(*(scene.key(n) for n in range(keys)))
    for luma in scene.luma[keys:]:
        state = propagator.step(luma, state).state


@pytest.mark.parametrize("keys", [1, 3])
def test_keys_are_remembered_once_and_each_flow_is_computed_once(
    keys: int, flow_bundle: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()

    def counted(function: Any, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            counts[name] += 1
            return function(*arguments, **options)

        return call

    for name in ("remember", "propagate"):
        monkeypatch.setattr(Session, name, counted(getattr(Session, name), name))
    for name in ("previous_flow", "direct_flow"):
        monkeypatch.setattr(frame_inputs, name, counted(getattr(frame_inputs, name), name))
    run(Propagator(Session.load(flow_bundle, provider="cpu")), scene, keys)
    steps = FRAMES - keys
    assert counts == {
        "remember": keys,
        "propagate": steps,
        "previous_flow": steps,
        "direct_flow": steps * keys,
    }


class Device:
    """Stands in for onnxruntime on CUDA: tensors that know where they are, copies that count.

    Its graphs give zeros of the right shapes, on the device that each output was bound to.
    """

    def __init__(self) -> None:
        self.up = self.down = 0
        self.fed: list[dict[str, Tensor]] = []

    def ortvalue_from_numpy(self, array: np.ndarray, device: str, number: int) -> Tensor:
        assert (device, number) == ("cuda", 0)
        self.up += 1
        return Tensor(self, array, device)

    def ortvalue_from_shape_and_type(
        self, shape: list[int], kind: type, device: str, number: int
    ) -> Tensor:
        assert (device, number) == ("cuda", 0)
        return Tensor(self, np.zeros(shape, kind), device)


class Tensor:
    def __init__(self, device: Device, array: np.ndarray, place: str) -> None:
        self._device, self._array, self.place = device, array, place

    def data_ptr(self) -> int:
        return int(self._array.ctypes.data)

    def numpy(self) -> np.ndarray:
        self._device.down += self.place == "cuda"
        return self._array

    def tensor_size_in_bytes(self) -> int:
        return self._array.nbytes


class Graph:
    def __init__(self, device: Device, outputs: Mapping[str, int]) -> None:
        """outputs: their channels."""
        self._device, self._outputs = device, outputs

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in self._outputs]

    def io_binding(self) -> Graph:
        self._fed: dict[str, Tensor] = {}
        return self

    def bind_ortvalue_input(self, name: str, tensor: Tensor) -> None:
        self._fed[name] = tensor

    def bind_input(
        self, name: str, device: str, number: int, kind: type, shape: tuple[int, ...], pointer: int
    ) -> None:
        assert (device, number) == ("cuda", 0)

    def bind_output(self, name: str, device: str, number: int, *room: Any) -> None:
        assert (device, number) == ("cuda", 0)

    def run_with_iobinding(self, binding: Graph, options: object) -> None:
        assert {tensor.place for tensor in self._fed.values()} <= {"cuda"}
        self._device.fed.append(dict(self._fed))

    def get_outputs_of_run(self) -> Iterator[Tensor]:
        for channels in self._outputs.values():
            yield Tensor(self._device, np.zeros((1, channels, 64, 96), np.float32), "cuda")


def test_on_cuda_no_state_and_no_memory_comes_to_the_host(
    flow_bundle: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a stand-in for the device: test_cuda looks at a real one, where there is one."""
    device = Device()
    stand_in = SimpleNamespace(OrtValue=device, RunOptions=SimpleNamespace)
    for module in (io_binding, runner, running):
        monkeypatch.setattr(module, "onnxruntime", lambda: stand_in)
    carried = {"next.chroma": 2, "next.confidence": 1}
    on_cuda = Session(
        metadata=Session.load(flow_bundle, provider="cpu").metadata,
        provider="cuda",
        precision="float32",
        flows=contract.FLOWS,
        _runner=Runner("toy", "cuda"),
        _graphs={
            "remember": binding_of(Graph(device, {"memory.chroma": 2, **carried})),
            "propagate": binding_of(Graph(device, {"chroma": 2, "confidence": 1, **carried})),
        },
    )
    propagator = Propagator(on_cuda)
    state = propagator.init_state(scene.key(0))
    assert (device.up, device.down) == (1, 0)
    for n in range(1, FRAMES):
        before, device.up, device.down = state, 0, 0
        state = propagator.step(scene.luma[n], state).state
        assert (device.up, device.down) == (1, 1), "all planes of a frame in one copy each way"
        fed = device.fed[-1]
        assert all(fed["state." + name] is tensor for name, tensor in before.tensors.items())
        assert all(fed["memory." + name] is tensor for name, tensor in before.memory.items())


def binding_of(graph: Graph) -> Any:
    """A graph whose binding has a `get_outputs` of its own, as in onnxruntime."""
    binding = SimpleNamespace(
        bind_ortvalue_input=graph.bind_ortvalue_input,
        bind_input=graph.bind_input,
        bind_output=graph.bind_output,
        get_outputs=lambda: list(graph.get_outputs_of_run()),
    )

    def io_binding() -> Any:
        graph.io_binding()
        return binding

    return SimpleNamespace(
        get_outputs=graph.get_outputs,
        io_binding=io_binding,
        run_with_iobinding=graph.run_with_iobinding,
    )


def peak(work: Any) -> int:
    """Bytes that `work` allocates at a time, at most, besides those there are."""
    work()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_planes_that_a_step_allocates(flow_bundle: Path) -> None:
    """All that numpy and OpenCV allocate in a step, in planes of float32 at working size."""
    scene = render(3, 256, 320)
    propagator = Propagator(Session.load(flow_bundle, provider="cpu"))
    state = propagator.step(scene.luma[1], propagator.init_state(scene.key())).state
    plane = scene.luma[0].nbytes
    seen_ahead = propagator.prepare(scene.luma[2], state, previous=scene.luma[1])
    followed_ahead = seen_ahead.with_tracks(state.tracks)
    # What the graph is given of the frame, in one piece: luma and three flows.
    assert peak(lambda: propagator.step(followed_ahead, state)) < 7.1 * plane
    # The tracks at full size, and what there is of them at half size.
    assert peak(lambda: seen_ahead.with_tracks(state.tracks)) < 3.4 * plane
    # Padded luma, two flows of two planes, 8-bit luma, half a plane for the flow at half size.
    prepare = partial(propagator.prepare, scene.luma[2], state, previous=scene.luma[1])
    assert peak(prepare) < 6.4 * plane


def test_planes_that_full_size_allocates() -> None:
    """In planes of float32 at the clip's size: the way to working size, and the way back."""
    scene = render(1, 540, 960)
    coding, fit = Coding("bt709", full_range=True), WorkingSize.of(540, 960, 128)
    codes = np.rint(scene.luma[0] * 255).astype(np.uint8)
    luma = decode_luma(codes, coding)
    plane = luma.nbytes
    small = fit.downsample(luma)
    chroma = np.zeros((2, *small.shape), np.float32)
    assert peak(lambda: fit.downsample(decode_luma(codes, coding))) < 3.3 * plane
    # Chroma, and some bands of 65,536 pixels, an eighth of this clip's.
    assert peak(lambda: fit.upsample(chroma, small, luma, (1, 1))) < 3.1 * plane
    full = fit.upsample(chroma, small, luma, (1, 1))
    assert peak(lambda: encode_chroma(full, coding)) < 4.1 * full.nbytes


def test_memory_is_the_same_after_many_frames(flow_bundle: Path) -> None:
    """Of a run that looks ahead, and of the plain loop."""
    scene = render(2, 64, 96)
    propagator = Propagator(Session.load(flow_bundle, provider="cpu", threads=1))
    state = propagator.init_state(Key(scene.luma[0], scene.chroma[0]))
    held = []
    tracemalloc.start()
    try:
        lumas = (scene.luma[n % 2] for n in range(400))
        for n, step in enumerate(propagator.run(lumas, state, workers=2)):
            state = propagator.step(scene.luma[n % 2], step.state).state
            if n % 100 == 99:
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # Looks under way come and go; a plane that stayed behind for each frame would make 300.
    assert max(held[1:]) - held[0] < 20 * scene.luma[0].nbytes
