"""`python -m evaluation` measures bundles on whole clips; its sub-command `turing` asks people.

Options are parsed before anything that takes long is imported, so that --help answers at once.
"""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import getdoc

import tyro

from evaluation.options import EvaluateOptions, TuringOptions
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
    options = _parse(sys.argv[1:])
    module, _, function = ACTIONS[type(options)].partition(":")
    try:
        getattr(import_module(module), function)(options)
    except VidcolorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parse(arguments: list[str]) -> EvaluateOptions | TuringOptions:
    config = (tyro.conf.OmitArgPrefixes,)
    if arguments[:1] == ["turing"]:
        return tyro.cli(TuringOptions, prog=f"{PROG} turing", args=arguments[1:], config=config)
    return tyro.cli(
        EvaluateOptions,
        prog=PROG,
        args=arguments,
        config=config,
        description=(
            f"{getdoc(EvaluateOptions)}\n\n`{PROG} turing --help` describes the other command: a "
            "web page on which people tell real colours from a model's."
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
