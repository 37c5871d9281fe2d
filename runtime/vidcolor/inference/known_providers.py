"""What vidcolor knows of onnxruntime's execution providers; docs/platforms.md: which were tried.

Of a provider that is not the CPU or CUDA nobody here has seen much. So it gets a graph of fixed
sizes, and its first results are compared with others' (`vidcolor.inference.agreement`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from vidcolor.errors import ArgumentError

ProviderName = Literal[
    "auto", "cpu", "cuda", "tensorrt", "directml", "coreml", "openvino", "migraphx", "webgpu"
]
PROVIDERS: tuple[str, ...] = get_args(ProviderName)
"""What `provider` accepts. 'auto' is CUDA where it works, else the CPU."""


@dataclass(frozen=True)
class KnownProvider:
    """An execution provider."""

    execution_provider: str
    """Onnxruntime's name of it."""
    package: str
    """What to install for it, in words."""
    precision: str = "float32"
    """Of the graphs that it takes unless told otherwise; the CPU takes int8 where there is one."""
    memory: str = "cpu"
    """Where state and memory lie between runs, as onnxruntime names devices."""
    is_device: bool = True
    """Whether its graphs leave the CPU's cores to other work."""
    has_devices: bool = True
    """Whether there can be several, which a number tells apart."""


_INSTEAD = "after removing onnxruntime"
KNOWN: Mapping[str, KnownProvider] = {
    "cpu": KnownProvider("CPUExecutionProvider", '`pip install "vidcolor[cpu]"`', is_device=False),
    "cuda": KnownProvider(
        "CUDAExecutionProvider",
        f'`pip install "vidcolor[cuda]"` {_INSTEAD}',
        precision="float16",
        memory="cuda",
    ),
    "tensorrt": KnownProvider(
        "TensorrtExecutionProvider",
        f'`pip install "vidcolor[cuda]"` {_INSTEAD}, and NVIDIA\'s TensorRT',
        precision="float16",
        memory="cuda",
    ),
    "directml": KnownProvider(
        "DmlExecutionProvider",
        f'`pip install "vidcolor[directml]"` {_INSTEAD}, on Windows',
        precision="float16",
    ),
    "coreml": KnownProvider(
        "CoreMLExecutionProvider",
        '`pip install "vidcolor[cpu]"`, on macOS',
        has_devices=False,
    ),
    "openvino": KnownProvider(
        "OpenVINOExecutionProvider",
        f'`pip install "vidcolor[openvino]"` {_INSTEAD}',
        is_device=False,  # unless there is a GPU of Intel's
    ),
    "migraphx": KnownProvider(
        "MIGraphXExecutionProvider",
        f'`pip install "vidcolor[migraphx]"` {_INSTEAD}, on Linux',
        precision="float16",
    ),
    "webgpu": KnownProvider(
        "WebGpuExecutionProvider",
        f'`pip install "vidcolor[webgpu]"` {_INSTEAD}',
        has_devices=False,
    ),
}
"""By our short names; 'auto' is none of them."""

OWN = ("cpu", "cuda")
"""Those that vidcolor is made for; all others are compared with them."""


def check_device(provider: str, device_id: int) -> None:
    """Raise ArgumentError if the provider has no devices to number, and another than 0 is named."""
    if device_id and not KNOWN[provider].has_devices:
        raise ArgumentError(
            f"device_id is {device_id}, accepted with provider {provider!r} is 0: it has one device"
        )


def provider_list(provider: str, device_id: int, *, record: bool = False) -> list[Any]:
    """Onnxruntime's `providers` argument: the provider, and what runs nodes that it does not take.

    Args:
        provider: One of `KNOWN`.
        device_id: Which of its devices, from 0.
        record: Whether CUDA is to record runs; then it must take all nodes.
    """
    cpu = KNOWN["cpu"].execution_provider
    if provider == "cpu":
        return [cpu]
    options = _options(provider, device_id) | ({"enable_cuda_graph": 1} if record else {})
    chosen = (KNOWN[provider].execution_provider, options)
    if provider == "tensorrt":
        return [chosen, *provider_list("cuda", device_id)]
    return [chosen, cpu]


def _options(provider: str, device_id: int) -> dict[str, Any]:
    match provider:
        case "cuda":
            return {
                "device_id": device_id,
                # The default times candidates, which is not reproducible.
                "cudnn_conv_algo_search": "HEURISTIC",
                "use_tf32": 0,  # float32 means float32; who wants speed asks for float16
            }
        case "coreml":
            return {"ModelFormat": "MLProgram"}
        case "openvino":
            # Without a precision its GPUs take 16 bits for float32, which must mean float32.
            return {"device_type": openvino_device(device_id), "precision": "ACCURACY"}
        case "webgpu":
            return {}
    return {"device_id": device_id}


def openvino_device(device_id: int) -> str:
    """OpenVINO's name of its GPU of that number; the CPU where it has no GPU.

    Its own choice, AUTO, begins on one device and goes on on another, with other colours.
    """
    from onnxruntime.capi import _pybind_state  # noqa: PLC0415 - takes as long as onnxruntime

    found: list[str] = _pybind_state.get_available_openvino_device_ids()
    return f"GPU.{device_id}" if any(name.startswith("GPU") for name in found) else "CPU"
