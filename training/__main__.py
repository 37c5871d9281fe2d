"""`python -m training fit ...`: an options dataclass for each sub-command, and what it does."""

from __future__ import annotations

import sys

import tyro

from training.colorize import ColorizerOptions, fit_colorizer
from training.evaluate import EvaluateOptions
from training.evaluate import main as evaluate
from training.fit import fit
from training.options import FitOptions
from training.prepare import PrepareOptions, prepare
from training.turing import TuringOptions, turing
from vidcolor.errors import VidcolorError

COMMANDS = {
    "prepare": PrepareOptions,
    "fit": FitOptions,
    "fit-colorizer": ColorizerOptions,
    "evaluate": EvaluateOptions,
    "turing": TuringOptions,
}
ACTIONS = {
    PrepareOptions: prepare,
    FitOptions: fit,
    ColorizerOptions: fit_colorizer,
    EvaluateOptions: evaluate,
    TuringOptions: turing,
}


def main() -> int:
    """Run one sub-command; 2 when what it was told cannot be done."""
    options = tyro.extras.subcommand_cli_from_dict(
        COMMANDS,
        prog="python -m training",
        description="Prepare footage, train and evaluate generators that carry colour on.",
        config=(tyro.conf.OmitArgPrefixes,),
    )
    try:
        ACTIONS[type(options)](options)
    except VidcolorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
