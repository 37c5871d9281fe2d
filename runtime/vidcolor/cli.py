"""The command line ``vidcolor``: which sub-commands there are, and what their failures look like.

A frozen dataclass holds each sub-command's options; tyro makes the command line and its help of it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn, Protocol

import tyro

from vidcolor.commands.advise import Advise
from vidcolor.commands.color import Color
from vidcolor.commands.key import PaintKey
from vidcolor.commands.review import Review
from vidcolor.errors import VidcolorError

DESCRIPTION = "Carries the colours of a painted key frame through a black-and-white clip."
BAD_INPUT = 2
"""Exit status when what was given cannot be used."""
INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 + SIGINT."""


class Command(Protocol):
    """A sub-command: its fields are its options."""

    def run(self) -> None:
        """Do it. Raises VidcolorError, and then leaves nothing half-written behind."""


COMMANDS: dict[str, Callable[..., Command]] = {
    "advise": Advise,
    "key": PaintKey,
    "color": Color,
    "review": Review,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status. Bad input is told in one sentence."""
    command = tyro.extras.subcommand_cli_from_dict(
        COMMANDS, args=arguments, prog="vidcolor", description=DESCRIPTION
    )
    signal.signal(signal.SIGTERM, _terminate)
    try:
        command.run()
    except VidcolorError as error:
        print(f"vidcolor: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("vidcolor: interrupted, no output was written", file=sys.stderr)
        return INTERRUPTED
    return 0


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave as on an error, so that what is half written is removed."""
    raise SystemExit(128 + number)
