"""The Python half of the VapourSynth plugin ``core.vidcolor``; ``shim.c`` is the other half.

The plugin imports this package when one of its functions is called for the first time, and calls
`bind` to get the Python function behind it. Start reading at `vsvidcolor.propagate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vsvidcolor import propagate, version
from vsvidcolor.filters import answer_error, core

_FUNCTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    propagate.NAME: propagate.propagate,
    "Version": version.version,
}


def bind(name: str) -> None:
    """Hand a function over to the plugin, which calls it for ``core.vidcolor.<name>``.

    Args:
        name: One of the plugin's public functions.
    """
    function = _FUNCTIONS[name]

    def answer(**arguments: Any) -> dict[str, Any]:
        try:
            return function(**arguments)
        except Exception as error:
            return answer_error(name, error)

    core.vidcolor.Bind(func=answer)
