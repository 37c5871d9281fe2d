"""`python -m training fit ...`: an options dataclass for each sub-command, and what it does."""

from __future__ import annotations

import argparse
import sys

import tyro

from evaluation.evaluate import EvaluateOptions
from evaluation.evaluate import main as evaluate
from evaluation.turing import TuringOptions, turing
from training.colorize import ColorizerOptions, fit_colorizer
from training.data.prepare.prepare import PrepareOptions, prepare
from training.fit import fit
from training.options import FitOptions
from training.reproduce.reproduce import ReproduceOptions, reproduce
from training.systems import named
from vidcolor.errors import VidcolorError

COMMANDS = {
    "prepare": PrepareOptions,
    "fit": FitOptions,
    "fit-colorizer": ColorizerOptions,
    "evaluate": EvaluateOptions,
    "reproduce": ReproduceOptions,
    "turing": TuringOptions,
}
ACTIONS = {
    PrepareOptions: prepare,
    FitOptions: fit,
    ColorizerOptions: fit_colorizer,
    EvaluateOptions: evaluate,
    ReproduceOptions: reproduce,
    TuringOptions: turing,
}


def main() -> int:
    """Run one sub-command; 2 when what it was told cannot be done."""
    try:
        options = _read(sys.argv[1:])
        ACTIONS[type(options)](options)
    except VidcolorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _read(arguments: list[str]) -> object:
    """The options; for `fit --system NAME` that system's are the defaults."""
    config = (tyro.conf.OmitArgPrefixes,)
    if arguments[:1] == ["fit"]:
        first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        first.add_argument("--system", default="")
        name = first.parse_known_args(arguments)[0].system
        if name:
            return tyro.cli(
                FitOptions,
                prog="python -m training fit",
                default=named(name),
                args=arguments[1:],
                config=config,
            )
    return tyro.extras.subcommand_cli_from_dict(
        COMMANDS,
        prog="python -m training",
        description="Prepare footage, train and evaluate generators that carry colour on.",
        args=arguments,
        config=config,
    )


if __name__ == "__main__":
    sys.exit(main())
