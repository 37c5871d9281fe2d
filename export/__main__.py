"""`python -m export CHECKPOINT -o NAME`: a training checkpoint as a bundle that vidcolor runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import tyro

from export.options import Export
from vidcolor.commands import command_line
from vidcolor.errors import VidcolorError

PROGRAM = "python -m export"


def main() -> int:
    """The command line; returns the exit status."""
    words = sys.argv[1:]
    if "--version" in words:
        command_line.print_version(PROGRAM)
        return 0
    try:
        options = command_line.parse(_made, words, program=PROGRAM)
        from export.run import run  # noqa: PLC0415 - PyTorch takes seconds that --help need not wait

        run(options)
    except (VidcolorError, OSError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return command_line.BAD_INPUT
    return 0


def _made(words: Sequence[str]) -> Export:
    return tyro.cli(Export, prog=PROGRAM, args=words, config=command_line.CONFIG)


if __name__ == "__main__":
    sys.exit(main())
