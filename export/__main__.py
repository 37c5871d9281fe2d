"""`python -m export CHECKPOINT -o NAME`: a training checkpoint as a bundle that vidcolor runs."""

from __future__ import annotations

import sys

import tyro

from export.options import Export
from vidcolor.errors import VidcolorError


def main() -> int:
    """The command line; returns the exit status."""
    options = tyro.cli(Export, prog="python -m export")
    from export.run import run  # noqa: PLC0415 - PyTorch takes seconds that --help need not wait

    try:
        run(options)
    except (VidcolorError, OSError) as error:
        print(f"python -m export: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
