from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnxruntime import InferenceSession, OrtValue

from vidcolor.inference import io_binding
from vidcolor.inference.io_binding import StagingBuffer
from vidcolor.inference.page_locked import host_buffer

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("keys", [1, 3])
def test_a_graph_gets_and_gives_the_same_planes_as_one_by_one(flow_bundle: Path, keys: int) -> None:
    graph = InferenceSession(flow_bundle / "propagate.float32.onnx")
    given = {
        tensor.name: RNG.random((keys if tensor.shape[0] == "keys" else 1, tensor.shape[1], 24, 40))
        .astype(np.float32)
        for tensor in graph.get_inputs()
    }  # fmt: skip
    names = [tensor.name for tensor in graph.get_outputs()]
    expected = dict(zip(names, graph.run(names, given), strict=True))

    binding = graph.io_binding()
    back = {name: expected[name].shape for name in ("confidence", "chroma")}
    buffer = StagingBuffer(binding, "cpu", 0, inputs=given, output_shapes=back)
    for name in names:
        if name not in back:
            binding.bind_output(name)
    graph.run_with_iobinding(binding)
    got = buffer.fetch()
    assert list(got) == ["confidence", "chroma"]
    for name, plane in got.items():
        np.testing.assert_array_equal(plane, expected[name])


def test_planes_go_up_from_one_buffer_that_is_kept(
    flow_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replays fill the same addresses from the same memory, whose copies the device reads."""
    graph = InferenceSession(flow_bundle / "remember.float32.onnx")
    shapes = {"key.luma": (1, 1, 24, 40), "key.chroma": (1, 2, 24, 40)}
    size = sum(map(prod, shapes.values()))
    host = np.empty(size, np.float32)
    asked, filled = [], []

    def host_buffer(*of: object) -> NDArray[np.float32]:
        asked.append(of)
        return host

    def update(self: OrtValue, array: NDArray[np.float32]) -> None:
        filled.append(array.ctypes.data)
        plain(self, array)

    plain = OrtValue.update_inplace
    monkeypatch.setattr(io_binding, "host_buffer", host_buffer)
    monkeypatch.setattr(OrtValue, "update_inplace", update)
    names = [tensor.name for tensor in graph.get_outputs()]
    planes = [{name: RNG.random(shapes[name], np.float32) for name in shapes} for _ in range(3)]
    expected = [graph.run(names, given) for given in planes]
    binding = graph.io_binding()
    back = {name: array.shape for name, array in zip(names, expected[0], strict=True)}
    buffer = StagingBuffer(binding, "cpu", 0, inputs=planes[0], output_shapes=back)
    graph.run_with_iobinding(binding)
    assert not asked, "a run that is not repeated needs no buffer"
    for given, wanted in zip(planes[1:], expected[1:], strict=True):
        buffer.fill(given)
        graph.run_with_iobinding(binding)
        for got, plane in zip(buffer.fetch().values(), wanted, strict=True):
            np.testing.assert_array_equal(got, plane)
    assert asked == [(size, "cpu", 0)]
    assert filled == [host.ctypes.data] * 2


class Offered:
    """Stands in for a device that onnxruntime names, and for the host's memory that it reads."""

    def __init__(self, provider: str, device_id: int) -> None:
        self.ep_name, self.device_id = provider, device_id

    def memory_info(self, kind: object) -> Offered | None:
        assert kind == onnxruntime.OrtDeviceMemoryType.HOST_ACCESSIBLE
        return self if self.ep_name == "CUDAExecutionProvider" else None


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Offered, OrtValue]]:
    """What was asked of onnxruntime on a machine of two CUDA devices, with ordinary memory."""
    offers = [Offered("CPUExecutionProvider", 0)]
    offers += [Offered("CUDAExecutionProvider", number) for number in range(2)]
    made: list[tuple[Offered, OrtValue]] = []
    plain = OrtValue.ortvalue_from_shape_and_type

    def make(shape: list[int], kind: type, *, memory_info: Offered) -> OrtValue:
        made.append((memory_info, plain(shape, kind)))
        return made[-1][1]

    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: offers)
    monkeypatch.setattr(OrtValue, "ortvalue_from_shape_and_type", make)
    return made


def test_a_buffer_is_of_the_memory_that_its_device_reads(
    made: list[tuple[Offered, OrtValue]],
) -> None:
    buffer = host_buffer(6, "cuda", 1)
    [(memory, value)] = made
    assert (memory.ep_name, memory.device_id) == ("CUDAExecutionProvider", 1)
    assert buffer.shape == (6,)
    assert buffer.dtype == np.float32
    buffer[:] = 2.5
    np.testing.assert_array_equal(value.numpy(), np.full(6, 2.5, np.float32))
    made.clear()
    del value
    np.testing.assert_array_equal(buffer, np.full(6, 2.5, np.float32))


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("fault", ["old", "refused", "copied", "other device"])
def test_a_buffer_is_ordinary_memory_where_there_is_no_other(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise RuntimeError("no such allocator")

    match fault:
        case "old":
            monkeypatch.delattr(onnxruntime, "get_ep_devices")
        case "refused":
            monkeypatch.setattr(OrtValue, "ortvalue_from_shape_and_type", refused)
        case "copied":
            plain = OrtValue.numpy
            monkeypatch.setattr(OrtValue, "numpy", lambda self: plain(self).copy())
    buffer = host_buffer(6, "cuda", 2 if fault == "other device" else 1)
    assert buffer.flags.owndata
    assert (buffer.shape, buffer.dtype) == ((6,), np.float32)


def test_on_the_cpu_nothing_is_asked_of_devices(made: list[tuple[Offered, OrtValue]]) -> None:
    assert host_buffer(6, "cpu", 0).flags.owndata
    assert not made
