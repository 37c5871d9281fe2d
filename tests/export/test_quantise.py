"""The int8 graph: where it computes in 8 bits, and that it is as wide as real frames need."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import ModelProto
from torch import Tensor, nn

from evaluation.clips import load_clip
from export import bundle as bundle_module
from export.bundle import CARD, write_bundle
from export.features import split
from export.graphs import ExportError
from export.parity import TOLERANCES
from export.quantise import CLIPS, calibration_feeds, to_int8
from tests.support.videos import write_clip
from training.models.base import Generator, Propagated, Remembered, Tensors
from vidcolor.errors import ArgumentError
from vidcolor.inference import contract
from vidcolor.inference.session import Session


class Wide(Generator):
    """Narrow, wide, of one pixel, channel by channel, and a wide last one; and an attention."""

    size_multiple = 8
    color_space = "YCbCr"
    flows = frozenset({contract.FLOW_PREVIOUS, contract.FLOW_KEY})

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(1, 16, 3, padding=1)
        self.middle = nn.Conv2d(16, 64, 3, padding=1)
        self.mix = nn.Conv2d(64, 64, 1)
        self.each = nn.Conv2d(64, 64, 3, padding=1, groups=64)
        self.compare = nn.Conv2d(16, 48, 1)
        self.leave = nn.Conv2d(64, 16, 3, padding=1)
        with torch.no_grad():
            self.leave.weight[2:] *= 1e4  # channels that nobody looks at

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        return Remembered({"chroma": chroma.unsqueeze(1)}, {"chroma": chroma})

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        narrow = torch.relu(self.enter(luma))
        wide = torch.relu(self.mix(torch.relu(self.middle(narrow))))
        told = self.leave(torch.relu(wide + self.each(wide)))[:, :2]
        places = torch.nn.functional.avg_pool2d(self.compare(narrow), 8).flatten(2)
        best = (places.transpose(1, 2) @ places).amax((1, 2)).view(-1, 1, 1, 1)
        chroma = (state["chroma"] + 0.01 * told / best.abs()).clamp(-0.5, 0.5)
        return Propagated(chroma, torch.sigmoid(told[:, :1]), {"chroma": chroma})


@pytest.fixture(scope="module")
def wide() -> Wide:
    torch.manual_seed(0)
    return Wide().eval()


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_clip(folder / "clip.mkv", pts=range(0, 640, 40), width=88, height=64)
    return folder


@pytest.fixture(scope="module")
def made(wide, metadata, config, videos, tmp_path_factory) -> tuple[Path, ModelProto]:
    """A bundle, and its int8 graph before that was cut in two."""
    target, whole = tmp_path_factory.mktemp("bundles") / "wide", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle_module, "split", lambda model: whole.append(model) or split(model))
        write_bundle(wide, target, metadata=metadata, config=config, calibrate=[videos])
    return target, *whole


@pytest.fixture(scope="module")
def bundle(made) -> Path:
    return made[0]


@pytest.fixture(scope="module")
def quantised(made) -> ModelProto:
    return made[1]


def exact_of(bundle: Path) -> ModelProto:
    return onnx.load(contract.graph_path(bundle, "propagate", "float32"))


def coded_inputs(model: ModelProto, operator: str) -> list[list[str]]:
    """What makes the first two inputs of each such node."""
    makers = {name: node.op_type for node in model.graph.node for name in node.output}
    makers |= {tensor.name: "float32" for tensor in model.graph.initializer}
    return [
        [makers.get(name, "input") for name in node.input[:2]]
        for node in model.graph.node
        if node.op_type == operator
    ]


def test_convolutions_of_many_channels_and_sums_between_them_compute_in_8_bits(quantised):
    weights = [weight for _, weight in coded_inputs(quantised, "Conv")]
    assert weights.count("float32") == 2  # of luma alone, and what gives no other convolution
    coded = [t for t in quantised.graph.initializer if t.data_type == onnx.TensorProto.INT8]
    shapes = {tuple(t.dims) for t in coded if len(t.dims) == 4}
    assert shapes == {(64, 16, 3, 3), (64, 64, 1, 1), (64, 1, 3, 3), (32, 64, 3, 3)}
    decoded = ["DequantizeLinear"] * 2
    assert decoded in coded_inputs(quantised, "Add")
    cut = [node.name for node in quantised.graph.node if node.op_type == "Relu"]
    assert not [name for name in cut if "mix" in name]


def test_vectors_are_compared_in_8_bits_the_second_ones_with_a_sign_and_7(wide, quantised):
    assert coded_inputs(quantised, "MatMul") == [["DequantizeLinear"] * 2]
    nodes = quantised.graph.node
    product = next(node for node in nodes if node.op_type == "MatMul")
    takers = [node.op_type for node in nodes if product.output[0] in node.input]
    assert "QuantizeLinear" not in takers
    decode = next(node for node in nodes if product.input[1] in node.output)
    known = {t.name: onnx.numpy_helper.to_array(t) for t in quantised.graph.initializer}
    scale, zero = (known[name] for name in decode.input[1:])
    assert (zero.dtype, int(zero)) == (np.int8, 0)
    luma = torch.linspace(0, 1, 256 * 352).view(1, 1, 256, 352)
    places = wide.compare(torch.relu(wide.enter(luma))).detach()
    assert 64 * scale > 0.5 * places.abs().max()  # 127 would be all of the range


def test_it_has_the_borders_and_the_metadata_of_the_float32_graph(bundle, quantised):
    exact = exact_of(bundle)
    assert list(quantised.graph.input) == list(exact.graph.input)
    assert list(quantised.graph.output) == list(exact.graph.output)
    assert list(quantised.metadata_props) == list(exact.metadata_props)


def test_it_colours_nearly_as_float32_does_and_is_what_a_cpu_takes(bundle):
    session = Session.load(bundle, provider="cpu")
    assert session.precision == contract.INT8
    random = np.random.default_rng(0)
    luma = random.random((1, 1, 64, 88), np.float32)
    chroma = 0.4 * random.random((1, 2, 64, 88), np.float32)
    flows = {name: np.zeros((1, 2, 64, 88), np.float32) for name in session.flows}
    painted = []
    sessions = [
        Session.load(bundle, provider="cpu", precision=precision)
        for precision in ("float32", contract.INT8)
    ]
    for session in sessions:
        memory, state = session.remember(luma, chroma)
        features = session.features(luma)
        painted.append(session.propagate(luma, state, memory, flows, features)[1])
    apart = np.abs(painted[0] - painted[1]).max()
    assert 0 < apart < 0.02  # 0 would mean that nothing was quantised
    assert [bool(session.features(luma)) for session in sessions] == [False, True]
    card = (bundle / CARD).read_text()
    assert "| int8 | " in card
    assert contract.INT8 in TOLERANCES


def test_activations_are_as_wide_as_on_the_clips(videos, bundle):
    """Of brighter frames than were shown, what is beyond the range is cut off."""
    feeds = list(calibration_feeds(bundle, [videos]))
    assert feeds
    assert feeds[0].keys() == {v.name for v in exact_of(bundle).graph.input}
    assert feeds[0]["luma"].shape[2:] == (256, 352)
    dark = [{**feed, "luma": feed["luma"] * 0.1} for feed in feeds]
    exact = exact_of(bundle)
    apart = []
    for shown in (feeds, dark):
        graphs = (exact, to_int8(exact, shown))
        sessions = (
            onnxruntime.InferenceSession(g.SerializeToString(), providers=["CPUExecutionProvider"])
            for g in graphs
        )
        there, here = (session.run(["confidence"], feeds[0])[0] for session in sessions)
        apart.append(np.abs(there - here).mean())
    assert apart[1] > 2 * apart[0]


def test_a_few_of_many_videos_are_enough_and_a_worn_one_is_named(bundle, tmp_path, monkeypatch):
    for number in range(3 * CLIPS):
        (tmp_path / f"{number:02d}.mkv").touch()
    good = write_clip(tmp_path.with_suffix(".mkv"), pts=range(0, 640, 40), width=16, height=16)
    opened = []

    def load(path, *, name, options):
        opened.append(path.stem)
        if path.stem == "23":
            raise OSError("worn out")
        return load_clip(good, name=name, options=replace(options, size=16))

    monkeypatch.setattr("export.quantise.load_clip", load)
    with pytest.raises(ExportError, match=r"^calibrate: .*23\.mkv cannot be decoded: worn out"):
        list(calibration_feeds(bundle, [tmp_path]))
    assert len(opened) == CLIPS
    assert opened[0] == "00"


def test_a_folder_without_videos_leaves_nothing_behind(
    wide, bundle, metadata, config, shelf, monkeypatch
):
    graphs = {n: onnx.load(contract.graph_path(bundle, n, "float32")) for n in contract.GRAPHS}
    monkeypatch.setattr(bundle_module, "export_graphs", lambda *_, **__: graphs)  # takes seconds
    with pytest.raises(ArgumentError, match="holds no video"):
        write_bundle(wide, shelf / "wide", metadata=metadata, config=config, calibrate=[shelf])
    assert not [*shelf.iterdir()]


def test_what_computes_in_parts_is_traced_so_for_cpus(
    bundle, videos, metadata, config, shelf, monkeypatch
):
    class InParts(Wide):
        def compute_in_parts(self, parts: int) -> bool:
            self.parts = parts
            return True

    class EnoughError(Exception):
        """The rest is not of interest."""

    def quantise(model, feeds):
        raise EnoughError(model.producer_name)

    exact, traced = exact_of(bundle), ModelProto(producer_name="traced")
    graphs = {"remember": exact, "propagate": exact}
    monkeypatch.setattr(bundle_module, "export_graphs", lambda *_: graphs)
    monkeypatch.setattr(bundle_module, "check_graphs", lambda _: None)
    monkeypatch.setattr(bundle_module, "to_int8", quantise)
    generator, asked = InParts(), []
    monkeypatch.setattr(
        bundle_module, "export_propagate", lambda g, _: asked.append(g.parts) or traced
    )
    with pytest.raises(EnoughError, match="traced"):
        write_bundle(
            generator, shelf / "parts", metadata=metadata, config=config, calibrate=[videos]
        )
    assert asked == [bundle_module.PARTS]
