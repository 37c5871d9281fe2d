"""onnxruntime's execution providers: which one to use, and graphs opened on it and on nothing else.

onnxruntime alone decides quietly: it falls back to the CPU when CUDA cannot be loaded, and picks
convolution algorithms by timing them. Here the first is noticed and the second forbidden, because
colours must not depend on how busy a device was.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcolor.checks import check_choice, check_whole
from vidcolor.errors import ArgumentError, BundleError, ProviderError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PROVIDERS = ("auto", "cpu", "cuda")

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
SPIN = "20"
"""Microseconds; `python -m benchmarks threads` compares others."""
ERRORS, FATAL = 3, 4
"""onnxruntime's log severities: errors and worse, and crashes only; 0 is everything."""
_INSTALL_CUDA = "install it with `pip install vidcolor[cuda]`"


def start[Opened](provider: str, device_id: int, opened: Callable[[str], Opened]) -> Opened:
    """What `opened` makes of 'cpu' or 'cuda'; where 'auto' finds CUDA broken, a warning and 'cpu'.

    Raises ArgumentError for arguments that are not accepted, else as `candidates` and `opened`.
    """
    check_choice("provider", provider, PROVIDERS)
    check_whole("device_id", device_id, least=0)
    first, *others = candidates(provider, device_id)
    try:
        return opened(first)
    except ProviderError as error:
        if not others:
            raise
        warnings.warn(f"{error}; running on the CPU", RuntimeWarning, stacklevel=3)
        return opened(others[0])


def candidates(provider: str, device_id: int) -> tuple[str, ...]:
    """The providers to try in turn, each 'cpu' or 'cuda'.

    Raises ProviderError when CUDA is asked for where there is none, ArgumentError for a
    `device_id` beyond the devices there are.
    """
    if provider == "cpu":
        return ("cpu",)
    built_in = _CUDA in onnxruntime().get_available_providers()
    devices = cuda_devices()
    if built_in and devices:
        if device_id >= devices:
            raise ArgumentError(
                f"device_id is {device_id}, accepted are 0 to {devices - 1}: "
                f"this machine has {devices} CUDA device{'s' * (devices > 1)}"
            )
        return ("cuda",) if provider == "cuda" else ("cuda", "cpu")
    if provider == "auto":
        return ("cpu",)
    if devices:
        raise ProviderError(
            "provider is 'cuda', but the installed onnxruntime has CPU support only "
            f"(available: cpu); {_INSTALL_CUDA} after removing onnxruntime"
        )
    raise ProviderError(
        "provider is 'cuda', but no NVIDIA driver with a CUDA device was found (available: cpu)"
    )


def cuda_devices() -> int:
    """How many devices the NVIDIA driver offers; 0 without a driver."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    count = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return 0
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def open_graph(
    path: Path, *, provider: str, device_id: int, threads: int | None, verbosity: int = ERRORS
) -> InferenceSession:
    """An onnxruntime session that runs on `provider` for certain.

    verbosity: the least severity of what onnxruntime says, on stderr.

    Raises BundleError when the file is missing or is no valid graph, ProviderError when CUDA
    cannot be started.
    """
    runtime = onnxruntime()
    if not path.is_file():
        raise BundleError(f"{path}: there is no such file, the bundle is incomplete")
    if provider == "cuda" and hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()  # finds the CUDA libraries that pip installed
    try:
        graph = runtime.InferenceSession(
            path,
            sess_options=session_options(runtime, threads, verbosity),
            providers=provider_list(provider, device_id),
            enable_fallback=0,
        )
    except Exception as error:  # onnxruntime's own classes share no other base
        if provider == "cuda" and "CUDA" in str(error):
            raise ProviderError(
                f"provider 'cuda' cannot be started: {first_line(error)}"
            ) from error
        raise BundleError(f"{path}: onnxruntime cannot load it: {first_line(error)}") from error
    if provider == "cuda" and _CUDA not in graph.get_providers():
        raise ProviderError(
            "provider is 'cuda', but onnxruntime could not load the CUDA and cuDNN libraries "
            f"(available: cpu); {_INSTALL_CUDA}"
        )
    return graph


def provider_list(provider: str, device_id: int) -> list[Any]:
    """What onnxruntime is told to run a graph on, in its own words."""
    if provider == "cpu":
        return [_CPU]
    options = {
        "device_id": device_id,
        "cudnn_conv_algo_search": "HEURISTIC",  # the default times candidates: not reproducible
        "use_tf32": 0,  # float32 means float32; who wants speed asks for float16
    }
    return [(_CUDA, options), _CPU]


def session_options(runtime: Any, threads: int | None, verbosity: int = ERRORS) -> Any:
    """How onnxruntime is told to run a graph; runtime: its package. threads: as in `open_graph`."""
    options = runtime.SessionOptions()
    options.log_severity_level = verbosity
    options.use_deterministic_compute = True
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.inter_op_num_threads = 1
    # Idle threads wait for work in a loop, by default for long, and keep whoever works beside the
    # graph (optical flow, VapourSynth, the encoder) off their cores. From one operator to the next
    # takes less than this.
    options.add_session_config_entry("session.intra_op.spin_duration_us", SPIN)
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


def onnxruntime() -> Any:
    """The onnxruntime package, imported only when a model is loaded: it costs 0.35 s.

    Raises ProviderError when it is not installed.
    """
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise ProviderError(
            "onnxruntime is not installed; install it with `pip install vidcolor[cpu]`, "
            "or `pip install vidcolor[cuda]` for NVIDIA devices"
        ) from error


def first_line(error: Exception) -> str:
    """What onnxruntime says, without its stack."""
    return str(error).strip().partition("\n")[0]
