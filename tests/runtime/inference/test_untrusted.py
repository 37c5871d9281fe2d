"""Models of anybody's: whatever they hold or give, one sentence with their name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.runtime.inference.hostile import Spoil, add_to, set_constant, spoiled
from tests.support.scenes import Scene, render
from tests.support.videos import write_clip, write_key
from tests.toy.colorizers import AB, METADATA, PLANES, RGB, write_colorizer
from vidcolor.cli import main
from vidcolor.errors import BundleError
from vidcolor.inference import contract
from vidcolor.inference.colorizer import Colorizer
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator, Step

NAN, INFINITE = float("nan"), float("inf")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return render(6, 45, 61)


def walk(bundle: Path, scene: Scene) -> tuple[list[Step], str]:
    """The steps of frames 1, 2, ... until the model fails, which it must; and how it fails."""
    propagator = Propagator(Session.load(bundle, provider="cpu", threads=1))
    state, steps = propagator.init_state(scene.key()), []
    for luma in scene.luma[1:]:
        try:
            steps.append(propagator.step(luma, state))
        except BundleError as error:
            return steps, str(error)
        state = steps[-1].state
    pytest.fail("the model did not fail")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (add_to("chroma", NAN), "chroma holds values that are no numbers, numbers from -0.5 to"),
        (add_to("chroma", INFINITE), "chroma holds values that are no numbers"),
        (add_to("chroma", -INFINITE), "chroma holds values that are no numbers"),
        (add_to("chroma", 128), "chroma holds values from 12"),
        (add_to("chroma", -1.2), "numbers from -0.5 to 0.5 are needed"),
        (add_to("confidence", NAN), "confidence holds values that are no numbers, numbers from 0"),
        (
            add_to("confidence", 0.02),
            "confidence holds values from 1.01 to 1.01, numbers from 0",
        ),
        (add_to("confidence", -1), "confidence holds values from -0.01 to -0.01, numbers from 0"),
    ],
)
def test_values_that_mean_nothing_fail_at_their_frame(
    spoil: Spoil, said: str, toy_bundle: Path, tmp_path: Path, scene: Scene
) -> None:
    steps, error = walk(spoiled(toy_bundle, tmp_path, spoil, graphs=("propagate",)), scene)
    assert not steps
    assert error.startswith("model 'toy-bundle': ")
    assert said in error


def test_one_bad_pixel_is_enough(toy_bundle: Path, tmp_path: Path, scene: Scene) -> None:
    def spoil(model: onnx.ModelProto) -> None:
        """0 / 0 where luma is 0, which one pixel is."""
        for node in model.graph.node:
            node.output[:] = ["honest" if name == "chroma" else name for name in node.output]
            node.input[:] = ["honest" if name == "chroma" else name for name in node.input]
        model.graph.node.extend([
            helper.make_node("Div", [contract.LUMA, contract.LUMA], ["one"]),
            helper.make_node("Mul", ["honest", "one"], [contract.CHROMA]),
        ])  # fmt: skip

    dark = Scene(np.maximum(scene.luma, np.float32(0.1)), scene.chroma)
    dark.luma[3, 44, 60] = 0
    steps, error = walk(spoiled(toy_bundle, tmp_path, spoil, graphs=("propagate",)), dark)
    assert len(steps) == 2, "frames 1 and 2 were coloured, frame 3 was not"
    assert "chroma holds values that are no numbers" in error


def test_what_is_out_of_range_by_rounding_is_clipped(
    toy_bundle: Path, tmp_path: Path, scene: Scene
) -> None:
    """The toy's confidence is multiplied by 1.0006 at each frame: then it is 1.0006, 1.0012, ..."""
    spoil = set_constant("fade", 1.0006)
    [first], error = walk(spoiled(toy_bundle, tmp_path, spoil, graphs=("propagate",)), scene)
    assert (first.confidence == 1).all()
    assert "confidence holds values from 1.001 to 1.001" in error


def test_the_command_line_names_the_model_and_leaves_no_output(
    toy_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = spoiled(toy_bundle, tmp_path, add_to("chroma", NAN), graphs=("propagate",))
    film, out = write_clip(tmp_path / "film.mkv"), tmp_path / "out.mkv"
    key = write_key(tmp_path / "key.png")
    words = ["color", str(film), "--key", str(key), "-o", str(out), "--size", "32", "--quiet"]
    assert main([*words, "--model", str(bundle)]) == 2
    said = capsys.readouterr().err
    assert "model 'toy-bundle': chroma holds values that are no numbers" in said
    assert said.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize("jobs", [1, 3])
def test_weights_beside_the_graph_are_refused(
    jobs: int, toy_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are no part of what is digested; also from the folder that they lie in."""

    def spoil(model: onnx.ModelProto) -> None:
        big = numpy_helper.from_array(np.zeros((1, 2, 1, 2000), np.float32), "big")
        model.graph.initializer.append(big)
        model.graph.node.append(helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0))
        for node in model.graph.node:
            node.output[:] = ["honest" if name == "chroma" else name for name in node.output]
            node.input[:] = ["honest" if name == "chroma" else name for name in node.input]
        model.graph.node.append(helper.make_node("Add", ["honest", "sum"], ["chroma"]))

    bundle = spoiled(toy_bundle, tmp_path, spoil, graphs=("propagate",))
    path = contract.graph_path(bundle, "propagate", "float32")
    Session.load(bundle, provider="cpu")
    model = onnx.load(path)
    onnx.save(
        model,
        path,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=1000,
    )
    assert (bundle / "weights.bin").exists()
    monkeypatch.chdir(bundle)
    with pytest.raises(
        BundleError, match=r"propagate\.float32\.onnx: its weights lie in another file; save them"
    ):
        Session.load(bundle, provider="cpu", threads=jobs)
    onnx.save(onnx.load(path), path)  # the remedy that is told
    Session.load(bundle, provider="cpu", threads=jobs)


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes of a file by as many others: what no library would write."""
    data = path.read_bytes()
    assert old in data
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize("graph", contract.GRAPHS)
@pytest.mark.parametrize("old", [b"vidcolor.licence", b"toy-bundle", b"next.luma"])
def test_names_that_are_no_text(graph: str, old: bytes, toy_bundle: Path, tmp_path: Path) -> None:
    bundle = spoiled(toy_bundle, tmp_path, lambda _: None, graphs=())
    for name in contract.GRAPHS if old == b"toy-bundle" else (graph,):
        rewrite(contract.graph_path(bundle, name, "float32"), old, b"\xff" + old[1:])
    with pytest.raises(BundleError) as caught:
        Session.load(bundle, provider="cpu")
    assert "\n" not in str(caught.value)
    assert ".float32.onnx" in str(caught.value)


def test_a_colorizer_whose_names_are_no_text(tmp_path: Path) -> None:
    path = write_colorizer(tmp_path / "it.onnx", RGB)
    rewrite(path, b"output", b"\xff\xfetput")
    with pytest.raises(BundleError, match=r"it\.onnx") as caught:
        Colorizer.load(path, provider="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size_multiple", "²"),
        ("size_multiple", "8" * 5000),
        ("size_multiple", str(10**12)),
        ("contract", "1" * 5000),
        ("contract", "¹"),
        ("name", "x" * 10**6),
    ],
)
def test_metadata_that_no_exporter_writes(
    name: str, value: str, toy_bundle: Path, tmp_path: Path
) -> None:
    def spoil(model: onnx.ModelProto) -> None:
        entry = next(p for p in model.metadata_props if p.key == f"vidcolor.{name}")
        entry.value = value

    bundle = spoiled(toy_bundle, tmp_path, spoil, graphs=contract.GRAPHS)
    with pytest.raises(BundleError, match=rf"metadata vidcolor\.{name} ") as caught:
        Session.load(bundle, provider="cpu")
    assert len(str(caught.value)) < 400


def test_a_graph_with_many_inputs_of_long_names(toy_bundle: Path, tmp_path: Path) -> None:
    def spoil(model: onnx.ModelProto) -> None:
        model.graph.input.extend(
            helper.make_tensor_value_info(f"{n}\n" + "x" * 1000, TensorProto.FLOAT, [1])
            for n in range(500)
        )

    bundle = spoiled(toy_bundle, tmp_path, spoil, graphs=("propagate",))
    with pytest.raises(BundleError, match=r"inputs hold unknown .* and 492 more$") as caught:
        Session.load(bundle, provider="cpu")
    assert "\n" not in str(caught.value)


def test_damaged_graphs_cost_a_sentence_each(toy_bundle: Path, tmp_path: Path) -> None:
    """Bytes changed, cut out or repeated at random places, with a fixed seed."""
    random = np.random.default_rng(7)
    bundle = spoiled(toy_bundle, tmp_path, lambda _: None, graphs=())
    refused: list[str] = []
    for round_ in range(150):
        path = contract.graph_path(bundle, contract.GRAPHS[round_ % 2], "float32")
        whole = path.read_bytes()
        data = bytearray(whole)
        for _ in range(int(random.integers(1, 8))):
            at, kind = int(random.integers(len(data))), int(random.integers(3))
            length = int(random.integers(1, 9))
            if kind == 0:
                data[at] = int(random.integers(256))
            elif kind == 1:
                del data[at : at + length]
            else:
                data[at:at] = data[at : at + length]
        path.write_bytes(bytes(data))
        try:
            Session.load(bundle, provider="cpu", threads=1, verbosity=4)
        except BundleError as error:
            refused.append(str(error))
        finally:
            path.write_bytes(whole)
    assert len(refused) > 100
    assert not [error for error in refused if "\n" in error or len(error) > 2000]


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([[128 * w for w in row] for row in PLANES], r"goes up to .*, Cb and Cr in \[-0.5, 0.5\]"),
        ([[128 * w for w in row] for row in AB], "goes up to .*, a and b in CIE Lab's units"),
    ],
)
def test_a_colorizer_whose_values_are_none_of_its_kind(
    weights: list[list[float]], said: str, tmp_path: Path, scene: Scene
) -> None:
    metadata = METADATA if len(weights[0]) == 1 else None
    path = write_colorizer(tmp_path / "it.onnx", weights, metadata=metadata)
    with pytest.raises(BundleError, match=said):
        Colorizer.load(path, provider="cpu").color(scene.luma[0])
