"""onnxruntime's execution providers: choose one, and open graphs on it and on nothing else.

By itself onnxruntime falls back to the CPU silently when CUDA cannot be loaded, and chooses
convolution algorithms by timing them. Here the first is reported and the second is off: colours
must not depend on how busy a device was.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcolor.checks import check_choice, check_whole
from vidcolor.cores import count_cores, may_use_all_cores
from vidcolor.errors import (
    ArgumentError,
    BundleError,
    ProviderError,
    ProviderWarning,
    VidcolorError,
)
from vidcolor.files import named_errors
from vidcolor.inference.known_providers import (
    KNOWN,
    OWN,
    PROVIDERS,
    check_device,
    provider_list,
)

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_CUDA = KNOWN["cuda"].execution_provider
SPIN = "20"
"""Microseconds that idle threads wait in a loop; `python -m benchmarks threads` compares others."""
ERRORS, FATAL = 3, 4
"""Two of onnxruntime's log severities, which go from 0, everything, to 4, fatal errors only."""
_EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path"
_INSTALL_CUDA = 'install it with `pip install "vidcolor[cuda]"`'


def start[Opened](provider: str, device_id: int, opened: Callable[[str], Opened]) -> Opened:
    """Open something on a provider. If 'auto' finds CUDA broken, warn and use the CPU.

    Args:
        provider: One of `PROVIDERS`.
        device_id: Which of the provider's devices, from 0.
        opened: Opens it on one of `KNOWN`.

    Returns:
        What `opened` returned.

    Raises:
        ArgumentError: An argument has a value that is not accepted.
        ProviderError: The provider is not available.
    """
    check_choice("provider", provider, PROVIDERS)
    check_whole("device_id", device_id, least=0)
    first, *others = candidates(provider, device_id)
    try:
        return opened(first)
    except ProviderError as error:
        if not others:
            raise
        warnings.warn(f"{error}; running on the CPU", ProviderWarning, stacklevel=3)
        return opened(others[0])


def candidates(provider: str, device_id: int) -> tuple[str, ...]:
    """The providers to try in turn.

    Args:
        provider: One of `PROVIDERS`.
        device_id: Which of the provider's devices, from 0.

    Returns:
        `provider`; for 'auto' the CPU, behind CUDA where that is there.

    Raises:
        ProviderError: `provider` is not offered here, or is 'cuda' and there is no CUDA device.
        ArgumentError: There is no device of that number.
    """
    if provider == "cpu":
        return ("cpu",)
    if provider not in ("auto", *OWN):
        check_device(provider, device_id)
        _check_offered(provider)
        return (provider,)
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


def offered() -> tuple[str, ...]:
    """The providers that the installed onnxruntime has, by our names; whether they work is open."""
    found = onnxruntime().get_available_providers()
    return tuple(name for name, known in KNOWN.items() if known.execution_provider in found)


def _check_offered(provider: str) -> None:
    available = offered()
    if provider not in available:
        raise ProviderError(
            f"provider is {provider!r}, which the installed onnxruntime does not have "
            f"(available: {', '.join(available)}); install it with {KNOWN[provider].package}"
        )


def cuda_devices() -> int:
    """How many devices the NVIDIA driver has; 0 without a driver."""
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
    path: Path,
    *,
    provider: str,
    device_id: int,
    threads: int | None,
    verbosity: int = ERRORS,
    sizes: Mapping[str, int] | None = None,
    record: bool = False,
) -> InferenceSession:
    """Open a graph in onnxruntime so that it really runs on the provider.

    Args:
        path: The ONNX file.
        provider: One of `KNOWN`.
        device_id: Which of the provider's devices, from 0.
        threads: CPU threads that share the work of one run; None leaves it to onnxruntime where
            the process may use all of the machine's cores, and else is one for each that it may.
        verbosity: The least severity that onnxruntime writes to stderr, 0 to 4.
        sizes: How long symbolic axes are, by name; the others stay open.
        record: Whether runs are to be recorded, on CUDA, and replayed.

    Raises:
        BundleError: The file is missing or no valid graph.
        ProviderError: The provider cannot be started, or cannot run a graph that the CPU can.
    """
    runtime = onnxruntime()
    with named_errors(f"{path} cannot be read", BundleError):
        if not path.is_file():
            raise BundleError(f"{path}: there is no such file, the bundle is incomplete")
        data = path.read_bytes()
    if KNOWN[provider].memory == "cuda" and hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()  # finds the CUDA libraries that pip installed
    # Some of what onnxruntime says while it opens a graph comes from the process, not the session.
    runtime.set_default_logger_severity(verbosity)
    try:
        options = session_options(runtime, threads, verbosity)
        if provider == "directml":
            options.enable_mem_pattern = False  # as DirectML asks for
        # Weights in a file beside the graph would be no part of what is digested and sent to other
        # machines. They are looked for in a folder that cannot be: below the graph's own file.
        options.add_session_config_entry(_EXTERNAL_FOLDER, os.fspath(path))
        for axis, size in (sizes or {}).items():
            options.add_free_dimension_override_by_name(axis, size)
        graph = runtime.InferenceSession(
            data,
            sess_options=options,
            providers=provider_list(provider, device_id, record=record),
            enable_fallback=0,
        )
    except Exception as error:  # onnxruntime's own classes share no other base
        raise _cannot_open(path, provider, record, error) from error
    if KNOWN[provider].execution_provider not in graph.get_providers():
        raise ProviderError(_left_out(provider))
    return graph


def _cannot_open(path: Path, provider: str, record: bool, error: Exception) -> VidcolorError:
    """What an error of onnxruntime's means."""
    why = first_line(error)
    if "external data" in str(error).lower():
        return BundleError(
            f"{path}: its weights lie in another file; save them in the graph with "
            "onnx.save(onnx.load(path), path)"
        )
    if record:
        return ProviderError(f"{path.name} cannot be recorded: {why}")
    if provider == "cuda" and "CUDA" in str(error):
        return ProviderError(f"provider 'cuda' cannot be started: {why}")
    if provider not in OWN:
        return ProviderError(f"provider {provider!r} cannot run {path.name}: {why}")
    return BundleError(f"{path}: onnxruntime cannot load it: {why}")


def _left_out(provider: str) -> str:
    """Why onnxruntime does without a provider that it has."""
    if provider == "cuda":
        return (
            "provider is 'cuda', but onnxruntime could not load the CUDA and cuDNN libraries "
            f"(available: cpu); {_INSTALL_CUDA}"
        )
    return (
        f"provider is {provider!r}, but onnxruntime could not start it: its device or its "
        f"libraries are missing; install them with {KNOWN[provider].package}"
    )


def session_options(runtime: Any, threads: int | None, verbosity: int = ERRORS) -> Any:
    """Onnxruntime's `SessionOptions`.

    Args:
        runtime: The onnxruntime package.
        threads: As in `open_graph`.
        verbosity: As in `open_graph`.
    """
    options = runtime.SessionOptions()
    options.log_severity_level = verbosity
    options.use_deterministic_compute = True
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.inter_op_num_threads = 1
    # Idle threads wait for work in a loop, by default for long, and keep other work (optical flow,
    # VapourSynth, the encoder) off their cores. The next operator comes sooner than this.
    options.add_session_config_entry("session.intra_op.spin_duration_us", SPIN)
    # Or products of numbers with signs are made unsigned on x86, which takes them twice as long.
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    if threads is None and not may_use_all_cores():
        threads = count_cores()  # onnxruntime counts those of the machine
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


def onnxruntime() -> Any:
    """The onnxruntime package, imported only when a model is loaded: that takes 0.35 s.

    Raises:
        ProviderError: It is not installed.
    """
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise ProviderError(
            'onnxruntime is not installed; install it with `pip install "vidcolor[cpu]"`, '
            'or `pip install "vidcolor[cuda]"` for NVIDIA devices'
        ) from error


def first_line(error: Exception) -> str:
    """The first line of onnxruntime's message; the others are its stack."""
    return str(error).strip().partition("\n")[0]
