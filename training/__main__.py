"""`python -m training fit ...`: an options dataclass for each sub-command, and what does its work.

Options are parsed before anything that takes long is imported, so that --help answers at once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import tyro

from training.data.prepare.options import PrepareOptions
from training.imports import import_at_once
from training.options import ColorizerOptions, FitOptions, MatcherOptions, RunOptions
from training.reproduce.options import ReproduceOptions
from training.systems import named
from vidcolor.commands import command_line

PROG = "python -m training"
STARTED = time.monotonic()
COMMANDS: dict[str, Callable[..., object]] = {
    "prepare": PrepareOptions,
    "fit": FitOptions,
    "fit-matcher": MatcherOptions,
    "fit-colorizer": ColorizerOptions,
    "reproduce": ReproduceOptions,
}
ACTIONS = {
    PrepareOptions: "training.data.prepare.prepare:prepare",
    FitOptions: "training.fit:fit",
    MatcherOptions: "training.match:fit_matcher",
    ColorizerOptions: "training.colorize:fit_colorizer",
    ReproduceOptions: "training.reproduce.reproduce:reproduce",
}
"""What does the work, by the options that it takes."""


def main() -> int:
    """Run one sub-command.

    Returns:
        The exit status: 0, 2 when what it was told cannot be done, or as a signal demands.
    """
    words = sys.argv[1:]
    command = words[0] if words and words[0] in COMMANDS else ""
    return command_line.run(
        words,
        program=PROG,
        make=_parse,
        act=run,
        command=command,
        go_on=_how_to_go_on,
    )


def run(options: object) -> None:
    """Do what the options of a sub-command say.

    Args:
        options: Of one of `COMMANDS`.

    Raises:
        VidcolorError: They cannot be followed.
    """
    module, _, function = ACTIONS[type(options)].partition(":")
    action = getattr(import_at_once(module), function)
    action(options, **({"started": STARTED} if isinstance(options, RunOptions) else {}))


def _how_to_go_on(options: object) -> str:
    if not isinstance(options, RunOptions):
        return "the same command goes on with what is left"
    if not (options.out / "checkpoint").exists():
        return "there is no checkpoint yet, so the same command begins anew"
    return f"the same command with --resume goes on from {options.out / 'checkpoint'}"


def _parse(arguments: Sequence[str]) -> object:
    """The options; for `fit --system NAME` that system's are the defaults."""
    if list(arguments[:1]) == ["fit"]:
        first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        first.add_argument("--system", default="")
        name = first.parse_known_args(arguments)[0].system
        if name:
            return tyro.cli(
                FitOptions,
                prog=f"{PROG} fit",
                default=named(name),
                args=arguments[1:],
                config=command_line.CONFIG,
            )
    return tyro.extras.subcommand_cli_from_dict(
        COMMANDS,
        prog=PROG,
        description="Prepare footage and train networks that carry colour on.",
        args=arguments,
        config=command_line.CONFIG,
    )


if __name__ == "__main__":
    sys.exit(main())
