"""`python -m evaluation` measures bundles on whole clips; its sub-command `turing` asks people, and
`references` measures shots that are coloured from other shots.

Options are parsed before anything that takes long is imported, so that --help answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from inspect import getdoc

import tyro

from evaluation.options import EvaluateOptions, ReferenceOptions, TuringOptions
from vidcolor.commands import command_line

PROG = "python -m evaluation"
ACTIONS = {
    EvaluateOptions: "evaluation.evaluate:main",
    TuringOptions: "evaluation.turing:turing",
    ReferenceOptions: "evaluation.references:main",
}
"""What does the work, by the options that it takes."""
_OTHERS: dict[str, type[TuringOptions] | type[ReferenceOptions]] = {
    "turing": TuringOptions,
    "references": ReferenceOptions,
}
"""Commands besides the main one, by their names."""


def main() -> int:
    """Do what the command line says.

    Returns:
        The exit status: 0, or 2 when what it was told cannot be done.
    """
    words = sys.argv[1:]
    command = words[0] if words and words[0] in _OTHERS else ""
    return command_line.run(
        words,
        program=PROG,
        make=_parse,
        act=_run,
        command=command,
    )


def _run(options: EvaluateOptions | TuringOptions | ReferenceOptions) -> None:
    module, _, function = ACTIONS[type(options)].partition(":")
    getattr(import_module(module), function)(options)


def _parse(arguments: Sequence[str]) -> EvaluateOptions | TuringOptions | ReferenceOptions:
    if other := _OTHERS.get(next(iter(arguments), "")):
        return tyro.cli(
            other, prog=f"{PROG} {arguments[0]}", args=arguments[1:], config=command_line.CONFIG
        )
    return tyro.cli(
        EvaluateOptions,
        prog=PROG,
        args=arguments,
        config=command_line.CONFIG,
        description=(
            f"{getdoc(EvaluateOptions)}\n\n`{PROG} turing --help` describes another command: a "
            "web page on which people tell real colours from a model's. "
            f"`{PROG} references --help` describes a third: shots coloured from other shots."
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
