"""`python -m export CHECKPOINT -o NAME`: a training checkpoint as a bundle that vidcolor runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import tyro

from export.options import Export
from training.imports import import_at_once
from vidcolor.commands import command_line

PROGRAM = "python -m export"


def main() -> int:
    """The command line; returns the exit status."""
    return command_line.run(
        sys.argv[1:],
        program=PROGRAM,
        make=_made,
        act=_run,
    )


def _run(options: Export) -> None:
    # Now, since PyTorch takes seconds that --help need not wait.
    import_at_once("export.run").run(options)


def _made(words: Sequence[str]) -> Export:
    return tyro.cli(Export, prog=PROGRAM, args=words, config=command_line.CONFIG)


if __name__ == "__main__":
    sys.exit(main())
