"""`python -m evaluation` measures bundles on whole clips; its sub-command `turing` asks people.

Options are parsed before anything that takes long is imported, so that --help answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from inspect import getdoc

import tyro

from evaluation.options import EvaluateOptions, TuringOptions
from vidcolor.commands import command_line
from vidcolor.errors import VidcolorError

PROG = "python -m evaluation"
ACTIONS = {
    EvaluateOptions: "evaluation.evaluate:main",
    TuringOptions: "evaluation.turing:turing",
}
"""What does the work, by the options that it takes."""


def main() -> int:
    """Do what the command line says.

    Returns:
        The exit status: 0, or 2 when what it was told cannot be done.
    """
    words = sys.argv[1:]
    if "--version" in words:
        command_line.print_version(PROG)
        return 0
    try:
        options = command_line.parse(_parse, words, program=_program(words))
        module, _, function = ACTIONS[type(options)].partition(":")
        getattr(import_module(module), function)(options)
    except VidcolorError as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        return command_line.BAD_INPUT
    return 0


def _program(words: Sequence[str]) -> str:
    return f"{PROG} turing" if list(words[:1]) == ["turing"] else PROG


def _parse(arguments: Sequence[str]) -> EvaluateOptions | TuringOptions:
    if list(arguments[:1]) == ["turing"]:
        return tyro.cli(
            TuringOptions, prog=_program(arguments), args=arguments[1:], config=command_line.CONFIG
        )
    return tyro.cli(
        EvaluateOptions,
        prog=PROG,
        args=arguments,
        config=command_line.CONFIG,
        description=(
            f"{getdoc(EvaluateOptions)}\n\n`{PROG} turing --help` describes the other command: a "
            "web page on which people tell real colours from a model's."
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
