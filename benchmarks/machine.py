"""What is measured and on what: a model on a provider, and the machine in words."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import NamedTuple

import cv2
import onnxruntime

from vidcolor.cores import count_cores
from vidcolor.inference import contract
from vidcolor.inference.bundle import find_bundle
from vidcolor.inference.providers import cuda_devices
from vidcolor.inference.session import Session

_CPUINFO = Path("/proc/cpuinfo")


class Model(NamedTuple):
    """A bundle on a provider."""

    path: str
    """A shipped model's name, or a bundle's folder."""
    provider: str
    precision: str

    @property
    def place(self) -> str:
        """Where it runs, in words."""
        return f"{self.provider} {self.precision}"

    @property
    def filter_options(self) -> dict[str, str | int]:
        """What the filter is told, so that it takes this precision."""
        options: dict[str, str | int] = {"model": self.path, "provider": self.provider}
        if self.precision != contract.INT8:  # which it takes by itself
            options["fp16"] = int(self.precision == "float16")
        return options

    def load(self, threads: int | None = None) -> Session:
        """Its session."""
        return Session.load(
            self.path, provider=self.provider, precision=self.precision, threads=threads
        )


def models(name: str) -> list[Model]:
    """The model wherever it runs here: on the CPU and, where there is one, on CUDA."""
    path = str(Path(name).resolve()) if Path(name).is_dir() else name
    found = [Model(path, "cpu", "float32")]
    if contract.has_int8(find_bundle(path)):
        found.insert(0, Model(path, "cpu", contract.INT8))
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers() and cuda_devices():
        found += [Model(path, "cuda", precision) for precision in ("float32", "float16")]
    return found


def describe() -> dict[str, str]:
    """Cores and versions; no names of machines."""
    return {
        "processor": f"{count_cores()} cores, {_processor()}",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "onnxruntime": onnxruntime.__version__,
        "OpenCV": cv2.__version__,
        "VapourSynth": _vapoursynth(),
    }


def _vapoursynth() -> str:
    try:
        import vapoursynth as vs  # noqa: PLC0415 - of no use on CUDA alone
    except ImportError:
        return "none"
    return str(vs.core.core_version).partition(".")[0]


def _processor() -> str:
    lines = _CPUINFO.read_text().splitlines() if _CPUINFO.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "an unknown processor"
