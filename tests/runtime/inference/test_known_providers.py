"""Execution providers that are not here, by stand-ins: what is asked for, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.support.scenes import render
from vidcolor.errors import ArgumentError, ProviderError
from vidcolor.inference import agreement, known_providers, providers
from vidcolor.inference.colorizer import Colorizer
from vidcolor.inference.known_providers import KNOWN, PROVIDERS, provider_list
from vidcolor.inference.runner import Runner
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator

OTHERS = [name for name in KNOWN if name not in ("cpu", "cuda")]


def test_names_are_those_that_are_known() -> None:
    assert ("auto", *KNOWN) == PROVIDERS


@pytest.mark.parametrize("name", OTHERS)
def test_onnxruntime_knows_them_by_these_names(name: str) -> None:
    assert KNOWN[name].execution_provider in onnxruntime.get_all_providers()


@pytest.mark.parametrize("name", [n for n in OTHERS if n not in providers.offered()])
def test_one_that_is_not_offered_is_refused_and_what_to_install_is_told(
    name: str, toy_bundle: Path
) -> None:
    said = rf"provider is '{name}', which the installed .* \(available: .*cpu.*\); install it with "
    with pytest.raises(ProviderError, match=said + r'`pip install "vidcolor\[\w+\]"`'):
        Session.load(toy_bundle, provider=name)


def test_auto_takes_none_of_them(monkeypatch: pytest.MonkeyPatch, toy_bundle: Path) -> None:
    offer(monkeypatch, "openvino")
    assert Session.load(toy_bundle).provider in ("cpu", "cuda")


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("directml", [("DmlExecutionProvider", {"device_id": 1}), "CPUExecutionProvider"]),
        ("migraphx", [("MIGraphXExecutionProvider", {"device_id": 1}), "CPUExecutionProvider"]),
        (
            "coreml",
            [("CoreMLExecutionProvider", {"ModelFormat": "MLProgram"}), "CPUExecutionProvider"],
        ),
        (
            "openvino",
            [
                ("OpenVINOExecutionProvider", {"device_type": "GPU.1", "precision": "ACCURACY"}),
                "CPUExecutionProvider",
            ],
        ),
    ],
)
def test_what_onnxruntime_is_asked_for(
    name: str, listed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_providers, "openvino_device", lambda device_id: f"GPU.{device_id}")
    assert provider_list(name, 1) == listed


def test_nodes_that_tensorrt_leaves_run_on_cuda() -> None:
    assert provider_list("tensorrt", 1) == [
        ("TensorrtExecutionProvider", {"device_id": 1}),
        *provider_list("cuda", 1),
    ]


@pytest.mark.parametrize(
    ("found", "device"), [(["CPU"], "CPU"), (["CPU", "GPU"], "GPU.0"), (["NPU", "GPU.0"], "GPU.0")]
)
def test_openvino_takes_a_gpu_where_it_has_one(
    found: list[str], device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = onnxruntime.capi._pybind_state
    monkeypatch.setattr(state, "get_available_openvino_device_ids", lambda: found, raising=False)
    assert known_providers.openvino_device(0) == device


def offer(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[dict[str, int], Any]]:
    """Have the CPU stand in for a provider; the sizes that its graphs are opened for, and they."""
    on_cpu = replace(KNOWN[name], execution_provider="CPUExecutionProvider", memory="cpu")
    monkeypatch.setitem(KNOWN, name, on_cpu)
    monkeypatch.setattr(providers, "provider_list", lambda *_, **__: ["CPUExecutionProvider"])
    opened: list[tuple[dict[str, int], Any]] = []
    open_graph = providers.open_graph

    def watched(path: Path, **options: Any) -> Any:
        graph = open_graph(path, **options)
        if options["provider"] == name:
            opened.append((options["sizes"], graph))
        return graph

    monkeypatch.setattr("vidcolor.inference.open_bundle.open_graph", watched)
    return opened


@pytest.mark.parametrize("name", OTHERS)
def test_it_colours_as_the_cpu_by_a_graph_for_each_size(
    name: str, flow_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = offer(monkeypatch, name)
    scene = render(5, 48, 64)
    painted = []
    for provider in (name, "cpu"):
        precision = KNOWN[name].precision
        session = Session.load(flow_bundle, provider=provider, precision=precision)
        assert (session.provider, session.precision) == (provider, precision)
        propagator = Propagator(session)
        steps = propagator.run(scene.luma[1:], propagator.init_state(scene.key()))
        painted.append([step.chroma for step in steps])
    np.testing.assert_array_equal(*painted)
    sizes = [(size["h"], size["w"]) for size, _ in opened]
    assert sizes == [(16, 16), (48, 64)], "a frame to try it, and the clip's"


@pytest.mark.parametrize("fault", [0.02, float("nan")])
@pytest.mark.parametrize("output", ["chroma", "next.luma"])
def test_one_that_computes_something_else_is_refused_at_once(
    output: str, fault: float, flow_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = offer(monkeypatch, "openvino")
    run = Runner.run

    def wrong(self: Runner, graph: Any, planes: Any, feeds: Any, shapes: Any) -> Any:
        fetched, outputs = run(self, graph, planes, feeds, shapes)
        if graph not in [its for _, its in opened]:
            return fetched, outputs
        if output in fetched:
            fetched[output] += np.float32(fault)
        else:
            outputs[output] = self.tensor(outputs[output].numpy() + np.float32(fault))
        return fetched, outputs

    monkeypatch.setattr(Runner, "run", wrong)
    with pytest.raises(ProviderError, match=rf"'openvino' does not .*: {output} differs"):
        Session.load(flow_bundle, provider="openvino")
    assert Session.load(flow_bundle, provider="cpu").provider == "cpu"


def test_each_size_is_compared_once(flow_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "webgpu")
    session = Session.load(flow_bundle, provider="webgpu", precision="float16")
    compared = []
    monkeypatch.setattr(agreement, "is_close", lambda *pair: compared.append(pair) or True)
    scene, propagator = render(5, 48, 64), Propagator(session)
    for _ in propagator.run(scene.luma[1:], propagator.init_state(scene.key())):
        pass
    assert len(compared) == len(("chroma", "confidence", "next.chroma", "next.luma", "next.c."))


@pytest.mark.parametrize(
    ("found", "is_close"),
    [
        ([[0.0, 100.0]], True),
        ([[0.4, 100.4]], True),  # rounding, of 100
        ([[0.6, 100.6]], False),
        ([0.0, 100.0], False),
        ([[0.0, float("nan")]], False),
    ],
)
def test_rounding_is_no_fault(found: list[Any], is_close: bool) -> None:
    assert agreement.is_close(np.array(found), np.array([[0.0, 100.0]])) == is_close


def test_what_the_graph_itself_spoils_is_not_the_providers_fault() -> None:
    spoiled = np.array([np.nan, np.inf, 1.0])
    assert agreement.is_close(spoiled, spoiled)
    assert agreement.is_close(spoiled[:2], spoiled[:2])
    assert not agreement.is_close(spoiled, np.array([np.nan, 2.0, 1.0]))


def test_one_that_cannot_run_a_graph_is_named(
    flow_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph is not to blame: the CPU has opened it."""
    offer(monkeypatch, "webgpu")
    made = onnxruntime.InferenceSession

    def failing(*arguments: Any, **options: Any) -> Any:
        if len(opened) == len(("remember", "propagate")):
            raise RuntimeError("no such kernel\nand much more")
        opened.append(arguments)
        return made(*arguments, **options)

    opened: list[Any] = []
    monkeypatch.setattr(onnxruntime, "InferenceSession", failing)
    with pytest.raises(ProviderError) as caught:
        Session.load(flow_bundle, provider="webgpu")
    assert (
        str(caught.value) == "provider 'webgpu' cannot run propagate.float32.onnx: no such kernel"
    )


def test_one_that_onnxruntime_leaves_out_is_named(
    flow_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, "directml")
    left_out = replace(KNOWN["directml"], execution_provider="DmlExecutionProvider")
    monkeypatch.setitem(KNOWN, "directml", left_out)
    monkeypatch.setattr(providers, "offered", lambda: ("cpu", "directml"))
    with pytest.raises(
        ProviderError, match="'directml', but onnxruntime could not start it: its d"
    ):
        Session.load(flow_bundle, provider="directml")


def test_where_there_is_one_device_no_other_is_accepted(
    flow_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, "coreml")
    with pytest.raises(ArgumentError, match="device_id is 1, accepted with provider 'coreml' is 0"):
        Session.load(flow_bundle, provider="coreml", device_id=1)


def test_colorizers_stay_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "openvino")
    assert Colorizer.load(provider="openvino").provider == "cpu"
