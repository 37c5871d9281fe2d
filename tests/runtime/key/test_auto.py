"""`--key auto`: a clip that comes without any colour is coloured."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.videos import HEIGHT, STEADY, WIDTH, frames, plane, write_clip
from tests.toy.colorizers import AB, METADATA, PLANES, write_colorizer
from vidcolor.cli import main
from vidcolor.color import Coding, decode_luma, encode_chroma
from vidcolor.grid import Grid, resample
from vidcolor.inference.colorizer import Colorizer
from vidcolor.inference.session import Session
from vidcolor.key.auto import auto_first_key, auto_key
from vidcolor.planes import Key
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

TOY = Path(__file__).parents[2] / "toy" / "bundle"
FULL = 2


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mkv", tags=(1, 1, 1, FULL, 1))
    write_colorizer(tmp_path / "planes.onnx", PLANES, metadata=METADATA)
    write_colorizer(tmp_path / "ab.onnx", AB)
    Path("text.onnx").write_text("no graph")
    return tmp_path


def color(*more: str) -> int:
    options = ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1", "--quiet"]
    return main(["color", "clip.mkv", "--key", "auto", "-o", "out.mkv", *options, *more])


@pytest.mark.parametrize("colorizer", ["planes.onnx", "ab.onnx"])
def test_the_key_is_the_colorizers_and_the_rest_is_carried(folder: Path, colorizer: str) -> None:
    """Held against the loop of `vidcolor.propagate`, begun with the first frame as coloured."""
    assert color("--colorizer", colorizer, "--size", "48") == 0
    coding, layout = Coding("bt709", full_range=True), ((1, 1), "left")
    fit, painter = WorkingSize.of(HEIGHT, WIDTH, 48), Colorizer.load(colorizer, provider="cpu")
    propagator = Propagator(Session.load(TOY, provider="cpu"))
    state = None
    for before, after in zip(frames(folder / "clip.mkv"), frames(folder / "out.mkv"), strict=True):
        np.testing.assert_array_equal(plane(after, 0), plane(before, 0))
        luma = decode_luma(plane(before, 0), coding)
        small = fit.downsample(luma)
        if state is None:
            painted = fit.upsample(painter.color(small, matrix="bt709"), small, luma)
            whole = Grid(HEIGHT, WIDTH)
            state = propagator.init_state(Key(small, fit.downsample_chroma(painted, whole)))
            chroma = resample(painted, whole, fit.grid(*layout))
        else:
            chroma, _, state = propagator.step(small, state)
            chroma = fit.upsample(chroma, small, luma, *layout)
        for index, codes in enumerate(encode_chroma(chroma, coding), start=1):
            np.testing.assert_array_equal(plane(after, index), codes)
            assert np.abs(codes.astype(int) - 128).max() > 10  # there is colour to speak of


def test_the_shipped_colorizer_is_the_default(folder: Path) -> None:
    assert color() == 0
    first = frames(folder / "out.mkv")[0]
    assert len(frames(folder / "out.mkv")) == len(STEADY)
    assert max(np.abs(plane(first, i).astype(int) - 128).max() for i in (1, 2)) > 3


def test_a_key_of_any_frame(folder: Path) -> None:
    """At the clip's own size, with the frame's own luma; of the first frame by the clip's path."""
    painter, fit = Colorizer.load("planes.onnx", provider="cpu"), WorkingSize.of(HEIGHT, WIDTH, 32)
    luma = decode_luma(plane(frames(Path("clip.mkv"))[0], 0), Coding("bt709", full_range=True))
    key = auto_key(luma, colorizer=painter, working_size=fit, matrix="bt709")
    assert key.luma is luma
    assert key.chroma.shape == (2, HEIGHT, WIDTH)
    first = auto_first_key(Path("clip.mkv"), colorizer=painter, size=32)
    np.testing.assert_array_equal(first.chroma, key.chroma)


@pytest.mark.parametrize(
    ("colorizer", "message"),
    [
        ("absent.onnx", r"colorizer is 'absent.onnx', accepted are .*\(stills, stills-2\)"),
        ("text.onnx", "text.onnx: onnxruntime cannot load it"),
        (str(TOY / "propagate.float32.onnx"), "is no image colorizer: it has 5 inputs"),
    ],
)
def test_bad_input_is_told_in_one_sentence(
    folder: Path, colorizer: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    assert color("--colorizer", colorizer) == 2
    told = capfd.readouterr().err
    assert re.fullmatch(f"vidcolor: .*{message}.*\n", told), told
    assert sorted(folder.rglob("*")) == before
