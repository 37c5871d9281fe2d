"""core.vidcolor.Version: what runs here."""

import onnxruntime
import vapoursynth as vs

import vidcolor
from vidcolor.errors import MissingLibraryError
from vidcolor.inference.bundle import MODELS
from vsvidcolor import version


def test_version_names_what_runs():
    told = vs.core.vidcolor.Version()
    assert told["version"] == vidcolor.__version__
    assert told["onnxruntime"] == onnxruntime.__version__
    assert "cpu" in told["providers"]
    assert set(told["models"]) == {path.name for path in MODELS.iterdir() if path.is_dir()}


def test_without_onnxruntime_it_says_so(monkeypatch):
    def missing():
        raise MissingLibraryError("onnxruntime is not installed")

    monkeypatch.setattr(version, "onnxruntime", missing)
    told = version.version()
    assert told["onnxruntime"] == "not installed"
    assert told["providers"] == []
