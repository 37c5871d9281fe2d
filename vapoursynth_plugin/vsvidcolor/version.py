"""``core.vidcolor.Version()``: what runs here."""

from __future__ import annotations

from typing import Any

from vidcolor import __version__
from vidcolor.errors import VidcolorError
from vidcolor.inference.bundle import MODELS
from vidcolor.inference.known_providers import KNOWN
from vidcolor.inference.providers import candidates, onnxruntime


def version() -> dict[str, Any]:
    """Tell what runs here: the function behind ``core.vidcolor.Version``.

    Returns:
        ``version`` of vidcolor; that of ``onnxruntime``, or 'not installed'; the ``providers`` that
        work; the names of the shipped ``models``.
    """
    try:
        runtime = onnxruntime().__version__
    except VidcolorError:
        runtime = "not installed"
    return {
        "version": __version__,
        "onnxruntime": runtime,
        "providers": [provider for provider in KNOWN if _works(provider)],
        "models": sorted(path.name for path in MODELS.glob("*") if path.is_dir()),
    }


def _works(provider: str) -> bool:
    try:
        onnxruntime()
        candidates(provider, 0)
    except VidcolorError:
        return False
    return True
