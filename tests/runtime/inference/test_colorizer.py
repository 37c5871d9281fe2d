"""Each kind of image colorizer, on graphs whose colours can be worked out by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from skimage.color import lab2rgb, rgb2lab

from tests.toy.colorizers import (
    AB,
    METADATA,
    PLANES,
    RGB,
    write_classifier,
    write_colorizer,
    write_doubles,
    write_two_inputs,
)
from vidcolor.errors import ArgumentError, BundleError, BundleNotFoundError
from vidcolor.inference import contract
from vidcolor.inference.colorizer import COLORIZERS, DEFAULT_COLORIZER, Colorizer
from vidcolor.inference.providers import onnxruntime


@pytest.fixture
def luma() -> np.ndarray:
    """A ramp from dark to bright with a step in it; no side is a multiple of 8."""
    ramp = np.linspace(0.1, 0.9, 90, dtype=np.float32) * np.ones((50, 1), np.float32)
    ramp[:20] *= 0.5
    return ramp


def load(path: Path, **options: object) -> Colorizer:
    return Colorizer.load(path, provider="cpu", **options)


def chroma_of(rgb: np.ndarray, kr: float, kb: float) -> np.ndarray:
    """Cb and Cr [2, h, w] of R'G'B' [h, w, 3], by BT.601's and BT.709's definition."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    return np.stack([(blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)])


def test_planes_are_taken_as_they_are(tmp_path, luma):
    path = write_colorizer(tmp_path / "own.onnx", PLANES, block=8, metadata=METADATA)
    colorizer = load(path)
    assert (colorizer.kind, colorizer.size, colorizer.multiple) == ("planes", None, 8)
    chroma = colorizer.color(luma)
    assert chroma.dtype == np.float32
    np.testing.assert_allclose(chroma, [0.2 * luma, -0.3 * luma], atol=1e-6)


def test_planes_are_turned_into_the_clips_matrix(tmp_path):
    """The same R'G'B', coded by BT.709; all within the cube, where nothing is clipped."""
    path = write_colorizer(tmp_path / "own.onnx", PLANES, metadata=METADATA)
    luma = np.full((8, 8), 0.5, np.float32)
    cb, cr = 0.2 * 0.5, -0.3 * 0.5
    red, blue = 0.5 + 1.402 * cr, 0.5 + 1.772 * cb
    green = (0.5 - 0.299 * red - 0.114 * blue) / 0.587
    wanted = chroma_of(np.array([[[red, green, blue]]]), 0.2126, 0.0722)
    chroma = load(path).color(luma, matrix="bt709")
    np.testing.assert_allclose(chroma, np.broadcast_to(wanted, (2, 8, 8)), atol=1e-5)


@pytest.mark.parametrize(
    ("matrix", "kr", "kb"), [("bt601", 0.299, 0.114), ("bt709", 0.2126, 0.0722)]
)
def test_ab_meets_the_lightness_of_the_gray_frame(tmp_path, luma, matrix, kr, kb):
    colorizer = load(write_colorizer(tmp_path / "ab.onnx", AB, block=32))
    assert colorizer.kind == "ab"
    lab = rgb2lab(np.dstack([luma] * 3).astype(np.float64))
    lab[..., 1], lab[..., 2] = 40 * luma, -30 * luma
    wanted = chroma_of(lab2rgb(lab).clip(0, 1), kr, kb)
    np.testing.assert_allclose(colorizer.color(luma, matrix=matrix), wanted, atol=2e-3)


@pytest.mark.parametrize(
    ("matrix", "kr", "kb"), [("bt601", 0.299, 0.114), ("bt709", 0.2126, 0.0722)]
)
def test_of_rgb_the_chroma_is_taken(tmp_path, luma, matrix, kr, kb):
    colorizer = load(write_colorizer(tmp_path / "rgb.onnx", RGB, block=32))
    assert colorizer.kind == "rgb"
    wanted = chroma_of(np.dstack([luma, luma / 2, luma / 4]), kr, kb)
    np.testing.assert_allclose(colorizer.color(luma, matrix=matrix), wanted, atol=1e-6)


@pytest.mark.parametrize("weights", [AB, RGB])
def test_a_graph_of_fixed_size_gets_the_frame_scaled_to_it(tmp_path, weights):
    """A smooth frame looks the same through 64x64 as through a graph of any size."""
    luma = np.linspace(0.2, 0.8, 120, dtype=np.float32) * np.ones((90, 1), np.float32)
    fixed = load(write_colorizer(tmp_path / "fixed.onnx", weights, size=(64, 64)))
    free = load(write_colorizer(tmp_path / "free.onnx", weights, size=("h", "w")))
    assert (fixed.size, free.size) == ((64, 64), None)
    apart = np.abs(fixed.color(luma) - free.color(luma))
    assert apart.max() < 0.01
    assert np.ptp(fixed.color(luma)) > 0.05


def test_float16_is_converted(tmp_path, luma):
    half = load(write_colorizer(tmp_path / "half.onnx", RGB, kind=TensorProto.FLOAT16))
    exact = load(write_colorizer(tmp_path / "exact.onnx", RGB))
    np.testing.assert_allclose(half.color(luma), exact.color(luma), atol=1e-3)


def test_a_dynamic_batch_is_one(tmp_path, luma):
    path = write_colorizer(tmp_path / "rgb.onnx", RGB, batch="batch")
    assert load(path, threads=1).color(luma).shape == (2, *luma.shape)


def test_a_folder_holds_the_graph_of_the_contract(tmp_path, luma):
    folder = tmp_path / "mine"
    folder.mkdir()
    path = contract.graph_path(folder, contract.COLORIZE, "float32")
    write_colorizer(path, PLANES, metadata=METADATA)
    np.testing.assert_array_equal(load(folder).color(luma), load(path).color(luma))


REFUSED = {
    "two inputs": (write_two_inputs, "it has 2 inputs and 1 outputs, one of each is needed"),
    "no image": (write_classifier, r"gives classes tensor\(float\) \[1, 192\]; accepted are"),
    "channels": (lambda p: write_colorizer(p, ((1.0, 0.0, 0.0),)), r"\[1, 1, h, w\]; accepted are"),
    "type": (write_doubles, r"tensor\(double\).* in float32 or float16"),
    "batch": (lambda p: write_colorizer(p, RGB, batch=4), r"takes input tensor\(float\) \[4, 3"),
    "one side": (
        lambda p: write_colorizer(p, RGB, size=(64, "w")),
        "fixes one of height and width",
    ),
    "planes of others": (lambda p: write_colorizer(p, PLANES), "is none of them: metadata lacks"),
    "no graph": (lambda p: p.write_text("a text"), "onnxruntime cannot load it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_colorizer_is_refused_when_loaded(tmp_path, case):
    write, message = REFUSED[case]
    write(tmp_path / "it.onnx")
    with pytest.raises(BundleError, match=message) as caught:
        load(tmp_path / "it.onnx")
    assert "it.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_metadata_of_another_version(tmp_path):
    path = write_colorizer(tmp_path / "new.onnx", PLANES, metadata=replace(METADATA, contract=2))
    with pytest.raises(BundleError, match=r"vidcolor.contract is '2', this vidcolor reads 1"):
        load(path)


def test_values_that_are_no_colours(tmp_path, luma):
    bytes_ = [[255 * weight for weight in row] for row in RGB]
    with pytest.raises(BundleError, match=r"goes up to 229.5, R'G'B' in \[0, 1\] is needed"):
        load(write_colorizer(tmp_path / "bytes.onnx", bytes_)).color(luma)
    broken = [[np.nan] * 3 for _ in range(2)]
    with pytest.raises(BundleError, match="output holds values that are no numbers"):
        load(write_colorizer(tmp_path / "broken.onnx", broken)).color(luma)


def test_a_graph_that_fails_is_told(tmp_path, luma):
    """64 does not divide what vidcolor pads to."""
    path = write_colorizer(tmp_path / "large.onnx", RGB, block=64)
    with pytest.raises(BundleError, match=r"large.onnx failed: "):
        load(path).color(luma)


@pytest.mark.parametrize("wrong", ["absent", "absent.onnx", "", "."])
def test_what_is_not_there(wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleNotFoundError, match=f"colorizer is '{wrong}'.*stills"):
        Colorizer.load(wrong)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"provider": "tpu"}, "provider is 'tpu', accepted are auto, cpu, cuda"),
        ({"threads": 0}, "threads is 0, accepted are whole numbers from 1"),
        ({"device_id": -1}, "device_id is -1"),
    ],
)
def test_arguments(tmp_path, change, message):
    path = write_colorizer(tmp_path / "rgb.onnx", RGB)
    with pytest.raises(ArgumentError, match=message):
        Colorizer.load(path, **change)


def test_luma_of_another_shape(tmp_path):
    colorizer = load(write_colorizer(tmp_path / "rgb.onnx", RGB))
    with pytest.raises(ArgumentError, match=r"luma must be \[h, w\] float32"):
        colorizer.color(np.zeros((1, 8, 8), np.float32))


@pytest.mark.parametrize("name", sorted(path.name for path in COLORIZERS.iterdir()))
def test_a_shipped_colorizer_is_whole_small_and_says_what_it_is(name):
    path = contract.graph_path(COLORIZERS / name, contract.COLORIZE, "float32")
    assert path.stat().st_size < 10e6
    properties = onnxruntime().InferenceSession(path).get_modelmeta().custom_metadata_map
    metadata = contract.Metadata.from_properties(properties)
    assert (metadata.name, metadata.licence) == (name, "MIT")
    card = (COLORIZERS / name / "CARD.md").read_text(encoding="utf-8")
    assert properties["vidcolor.method"] in card
    assert "permissive" in card
    assert metadata.training_data in card


def test_the_default_colorizer_colours(luma):
    """Some colour, whatever the threads, and much the same with a mirrored frame."""
    assert DEFAULT_COLORIZER in {path.name for path in COLORIZERS.iterdir()}
    frame = np.repeat(np.repeat(luma, 2, 0), 2, 1)
    once, again = (
        Colorizer.load(provider="cpu", threads=threads).color(frame) for threads in (1, 2)
    )
    np.testing.assert_array_equal(once, again)
    assert once.shape == (2, *frame.shape)
    assert 0.005 < np.abs(once).mean() < 0.3
