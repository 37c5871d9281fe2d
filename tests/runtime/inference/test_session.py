from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from vidcolor.errors import ArgumentError, BundleError, BundleNotFoundError, ProviderError
from vidcolor.inference import contract, providers
from vidcolor.inference.providers import ERRORS, cuda_devices, open_graph
from vidcolor.inference.runner import Runner
from vidcolor.inference.session import Session

Edit = Callable[[onnx.ModelProto], None]

LUMA = np.full((1, 1, 8, 16), 0.5, np.float32)
CHROMA = np.full((1, 2, 8, 16), 0.25, np.float32)


@pytest.fixture
def bundle(toy_bundle: Path, tmp_path: Path) -> Path:
    """A copy of the toy bundle, to be broken."""
    return Path(shutil.copytree(toy_bundle, tmp_path / "bundle"))


def edit(bundle: Path, graph: str, change: Edit) -> None:
    path = bundle / f"{graph}.float32.onnx"
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)


def tensor(model: onnx.ModelProto, name: str) -> onnx.TypeProto.Tensor:
    """The declared type of an input or output."""
    values = [*model.graph.input, *model.graph.output]
    return next(value.type.tensor_type for value in values if value.name == name)


@pytest.mark.parametrize("precision", contract.PRECISIONS)
def test_a_bundle_loads(toy_bundle: Path, flow_bundle: Path, precision: str) -> None:
    toy = Session.load(toy_bundle, provider="cpu", precision=precision)
    assert toy.metadata.name == "toy-bundle"
    assert toy.metadata.size_multiple == 8
    assert (toy.provider, toy.precision, toy.flows) == ("cpu", precision, frozenset())
    flow = Session.load(str(flow_bundle), provider="cpu", precision=precision, threads=1)
    assert flow.flows == {"flow.previous", "flow.key", "flow.track"}


def test_tensors_in_tensors_out(toy_bundle: Path) -> None:
    toy = Session.load(toy_bundle, provider="cpu")
    memory, state = toy.remember(LUMA, CHROMA)
    assert set(memory) == {"chroma"}
    assert set(state) == {"chroma", "luma", "confidence"}
    chroma, confidence, after = toy.propagate(LUMA, state, memory, {}, {})
    np.testing.assert_allclose(chroma, 0.98 * CHROMA, rtol=1e-6)
    np.testing.assert_allclose(confidence, np.full_like(LUMA, 0.99), rtol=1e-6)
    assert set(after) == set(state)
    np.testing.assert_array_equal(after["chroma"].numpy(), chroma)


def test_memories_stack_over_keys(toy_bundle: Path) -> None:
    toy = Session.load(toy_bundle, provider="cpu", precision="float16")
    memories = [toy.remember(LUMA, CHROMA * factor)[0] for factor in (1, -1, 2)]
    stacked = toy.stack(memories)
    array = stacked["chroma"].numpy()  # a view: `stacked` must outlive it
    assert array.dtype == np.float16
    assert array.shape == (3, 2, 8, 16)
    assert array[:, 0, 0, 0].tolist() == [0.25, -0.25, 0.5]


def test_auto_is_float32_on_the_cpu(toy_bundle: Path) -> None:
    assert Session.load(toy_bundle, provider="cpu").precision == "float32"


def test_auto_is_int8_on_the_cpu_where_the_bundle_has_it(bundle: Path) -> None:
    """Its remember graph is the float32 one."""
    quantised = contract.graph_path(bundle, "propagate", contract.INT8)
    assert quantised.name == "propagate.int8.onnx"
    shutil.copy(contract.graph_path(bundle, "propagate", "float32"), quantised)
    session = Session.load(bundle, provider="cpu")
    assert session.precision == "int8"
    memory, state = session.remember(LUMA, CHROMA)
    chroma, _, _ = session.propagate(LUMA, state, memory, {}, {})
    np.testing.assert_allclose(chroma, 0.98 * CHROMA, 1e-6)
    assert Session.load(bundle, provider="cpu", precision="float32").precision == "float32"


def test_int8_is_for_bundles_that_have_it(toy_bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"propagate\.int8\.onnx"):
        Session.load(toy_bundle, provider="cpu", precision="int8")


@pytest.mark.parametrize("model", ["no-such-model", "", "../models-elsewhere"])
def test_unknown_models(model: str) -> None:
    with pytest.raises(BundleNotFoundError, match=f"model is '{model}', accepted are a shipped"):
        Session.load(model)


def test_shipped_models_go_by_name(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("vidcolor.inference.bundle.MODELS", bundle.parent)
    assert Session.load("bundle", provider="cpu").metadata.name == "bundle"
    with pytest.raises(BundleNotFoundError, match=r"a shipped model's name \(bundle\)"):
        Session.load("other")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"provider": "tpu"}, "provider is 'tpu', accepted are auto, cpu, cuda"),
        ({"precision": "int4"}, "precision is 'int4', accepted are auto, float32, float16, int8"),
        ({"device_id": -1}, "device_id is -1, accepted are whole numbers from 0"),
        ({"threads": 0}, "threads is 0, accepted are whole numbers from 1"),
        ({"threads": 1.5}, "threads is 1.5"),
    ],
)
def test_arguments_are_checked(
    toy_bundle: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        Session.load(toy_bundle, **arguments)


@pytest.mark.parametrize("memory", ["cpu", "cuda"])
def test_other_graphs_run_where_state_stays_if_that_is_a_device(
    memory: str, toy_bundle: Path
) -> None:
    runner = Runner("toy", memory, 0)
    session = replace(Session.load(toy_bundle, provider="cpu"), _runner=runner)
    assert session.device_runner is (runner if memory == "cuda" else None)


def test_a_missing_graph(bundle: Path) -> None:
    (bundle / "propagate.float32.onnx").unlink()
    with pytest.raises(BundleError, match=r"propagate\.float32\.onnx: there is no such file"):
        Session.load(bundle, provider="cpu")


@pytest.mark.parametrize("content", [b"", b"no graph at all", None])
def test_a_damaged_graph(bundle: Path, content: bytes | None) -> None:
    path = bundle / "remember.float32.onnx"
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    with pytest.raises(BundleError, match=r"remember\.float32\.onnx: ") as caught:
        Session.load(bundle, provider="cpu")
    assert "\n" not in str(caught.value)


def _drop_metadata(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def _other_name(model: onnx.ModelProto) -> None:
    next(p for p in model.metadata_props if p.key == "vidcolor.name").value = "another"


def _rename_confidence(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        node.output[:] = ["trust2" if n == "confidence" else n for n in node.output]
        node.input[:] = ["trust2" if n == "confidence" else n for n in node.input]
    next(v for v in model.graph.output if v.name == "confidence").name = "trust2"


def _fix_height(model: onnx.ModelProto) -> None:
    tensor(model, "luma").shape.dim[2].dim_value = 64


def _one_key(model: onnx.ModelProto) -> None:
    tensor(model, "memory.chroma").shape.dim[0].dim_value = 1


def _half_state(model: onnx.ModelProto) -> None:
    tensor(model, "state.chroma").elem_type = onnx.TensorProto.FLOAT16


def _half_luma(model: onnx.ModelProto) -> None:
    model.graph.node.insert(
        0, onnx.helper.make_node("Cast", ["luma"], ["luma32"], to=onnx.TensorProto.FLOAT)
    )
    for node in model.graph.node[1:]:
        node.input[:] = ["luma32" if name == "luma" else name for name in node.input]
    tensor(model, "luma").elem_type = onnx.TensorProto.FLOAT16


@pytest.mark.parametrize(
    ("graph", "change", "message"),
    [
        ("remember", _drop_metadata, r"remember\.float32\.onnx: metadata lacks vidcolor\.name"),
        ("remember", _other_name, r"its metadata differ from those of .*remember"),
        ("propagate", _rename_confidence, r"propagate\.float32\.onnx: outputs lack confidence"),
        (
            "propagate",
            _fix_height,
            r"luma is float \[1, 1, 64, \?\], needed is float \[1, 1",
        ),
        ("propagate", _half_luma, r"luma is float16 \[1, 1, \?, \?\], needed is float"),
        ("propagate", _one_key, r"memory\.chroma is .*, a dynamic number of keys is needed"),
        ("propagate", _half_state, r"next\.chroma as float .*state\.chroma of .* is float16"),
    ],
)
def test_graphs_that_break_the_contract(
    bundle: Path, graph: str, change: Edit, message: str
) -> None:
    edit(bundle, graph, change)
    with pytest.raises(BundleError, match=message):
        Session.load(bundle, provider="cpu")


def test_a_graph_that_fails_as_it_runs_says_so_in_one_sentence(toy_bundle: Path) -> None:
    toy = Session.load(toy_bundle, provider="cpu")
    memory, state = toy.remember(LUMA, CHROMA)
    with pytest.raises(BundleError, match="model 'toy-bundle' failed: ") as caught:
        toy.propagate(np.zeros((1, 1, 24, 24), np.float32), state, memory, {}, {})
    assert "\n" not in str(caught.value)


def test_without_onnxruntime(toy_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ProviderError, match=r"pip install .vidcolor\[cpu\].*vidcolor\[cuda\]"):
        Session.load(toy_bundle)


def _pretend(monkeypatch: pytest.MonkeyPatch, *, devices: int, cuda_built_in: bool = True) -> None:
    available = ["CUDAExecutionProvider"] * cuda_built_in + ["CPUExecutionProvider"]
    monkeypatch.setattr(providers, "cuda_devices", lambda: devices)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: available)


def test_int8_is_refused_on_cuda(monkeypatch: pytest.MonkeyPatch, toy_bundle: Path) -> None:
    """Before onnxruntime is asked for a device that is not there."""
    _pretend(monkeypatch, devices=1)
    with pytest.raises(ArgumentError, match="provider 'cuda' are auto, float32, float16"):
        Session.load(toy_bundle, provider="cuda", precision="int8")


@pytest.mark.parametrize(
    ("devices", "cuda_built_in", "message"),
    [
        (0, True, r"no NVIDIA driver with a CUDA device was found \(available: cpu\)"),
        (1, False, r"onnxruntime has CPU support only \(available: cpu\); .*vidcolor\[cuda\]"),
    ],
)
def test_cuda_where_there_is_none(
    toy_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    devices: int,
    cuda_built_in: bool,
    message: str,
) -> None:
    _pretend(monkeypatch, devices=devices, cuda_built_in=cuda_built_in)
    with pytest.raises(ProviderError, match=message):
        Session.load(toy_bundle, provider="cuda")
    assert Session.load(toy_bundle, provider="auto").provider == "cpu"


def test_devices_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, devices=2)
    assert providers.candidates("auto", 1) == ("cuda", "cpu")
    assert providers.candidates("cuda", 1) == ("cuda",)
    assert providers.candidates("cpu", 7) == ("cpu",)
    with pytest.raises(ArgumentError, match=r"device_id is 2, accepted are 0 to 1: .*2 CUDA dev"):
        providers.candidates("auto", 2)


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.skipif(cuda_devices() > 0, reason="CUDA works here, so onnxruntime does not fall back")
def test_a_quiet_fallback_is_noticed(toy_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What onnxruntime does when its CUDA libraries cannot be loaded: it runs on the CPU."""
    path = toy_bundle / "remember.float32.onnx"
    with pytest.raises(ProviderError, match="could not load the CUDA and cuDNN libraries"):
        open_graph(path, provider="cuda", device_id=0, threads=None, verbosity=ERRORS)
    monkeypatch.setattr(providers, "candidates", lambda *_: ("cuda", "cpu"))
    with pytest.warns(RuntimeWarning, match="running on the CPU"):
        assert Session.load(toy_bundle, provider="auto").provider == "cpu"


@pytest.mark.parametrize(("verbosity", "says"), [(0, True), (4, False), (None, False)])
def test_verbosity_is_what_onnxruntime_says(
    verbosity: int | None, says: bool, toy_bundle: Path
) -> None:
    option = "" if verbosity is None else f", verbosity={verbosity}"
    script = f"""
from vidcolor.inference.session import Session
Session.load({str(toy_bundle)!r}, provider="cpu"{option})
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert ("session" in done.stderr.lower()) == says


@pytest.mark.parametrize("verbosity", [-1, 5, "loud"])
def test_other_verbosities_are_refused(verbosity: object, toy_bundle: Path) -> None:
    with pytest.raises(ArgumentError, match=r"^verbosity is .*, accepted are 0 to 4$"):
        Session.load(toy_bundle, verbosity=verbosity)
