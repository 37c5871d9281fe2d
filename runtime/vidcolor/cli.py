"""The command line ``vidcolor``: which sub-commands there are, and how they fail.

A frozen dataclass holds the options of each sub-command; tyro makes the command line and its help
of it. Only the module of the sub-command that is run is imported, and what does its work only when
it is run, so that help appears at once.
"""

from __future__ import annotations

import errno
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from vidcolor import interruption
from vidcolor.errors import (
    ArgumentError,
    PictureWarning,
    ProviderWarning,
    VidcolorError,
    is_out_of_memory,
)
from vidcolor.media.names import printable
from vidcolor.streams import BROKEN_PIPE, StandardStreams

DESCRIPTION = (
    "Carries the colours of a painted key frame through a black-and-white clip. "
    "`vidcolor COMMAND --help` explains a command, `vidcolor --version` prints the version, and "
    "`vidcolor --tyro-write-completion bash|zsh|fish FILE` writes a script by which the shell "
    "completes words."
)
PROGRAM = "vidcolor"
COMMAND_LINE = "vidcolor.commands.command_line"
"""How command lines are parsed; not imported for nothing."""
FAILED = 1
"""Exit status when the system failed: a full disk, no memory."""
BAD_INPUT = 2
"""Exit status when what was given cannot be used."""


class Command(Protocol):
    """A sub-command: its fields are its options."""

    def run(self) -> None:
        """Do it. Raises VidcolorError, and then leaves nothing half-written behind."""


class Listed(NamedTuple):
    """Where a sub-command is, and what it does, in a line."""

    module: str
    name: str
    summary: str

    def load(self) -> Callable[..., Command]:
        """Import it."""
        command: Callable[..., Command] = getattr(import_module(self.module), self.name)
        return command

    def placeholder(self) -> Callable[[], None]:
        """What stands for it in the help of all commands."""

        def listed() -> None: ...

        listed.__doc__ = self.summary
        return listed


COMMANDS = {
    "advise": Listed(
        "vidcolor.commands.advise",
        "Advise",
        "Choose the frames of a film that are worth painting, and write them as images.",
    ),
    "shots": Listed(
        "vidcolor.commands.shots",
        "Shots",
        "List where the shots of a film begin, as a text file to be corrected by hand.",
    ),
    "key": Listed(
        "vidcolor.commands.key",
        "PaintKey",
        "Make a whole key frame of one that is painted in parts.",
    ),
    "color": Listed(
        "vidcolor.commands.color",
        "Color",
        "Colour a film, or several, from some of their frames in colour.",
    ),
    "review": Listed(
        "vidcolor.commands.review",
        "Review",
        "Make a page to look at a coloured film and at how sure the model was.",
    ),
    "clean": Listed(
        "vidcolor.commands.clean",
        "Clean",
        "Remove the finished parts that are kept beside outputs, in OUTPUT.vidcolor.",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words after the program's name; None is those of the process.

    Returns:
        The exit status. Bad input and failures of the system are told in one sentence on stderr.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    return interruption.run_interruptibly(lambda: _run_on_streams(words))


def _run_on_streams(words: Sequence[str]) -> int:
    try:
        with StandardStreams():
            return _run(words)
    except BrokenPipeError:  # nobody reads the output any more, as after `| head`
        return BROKEN_PIPE


def _run(words: Sequence[str]) -> int:
    try:
        if "--version" in words:
            import_module(COMMAND_LINE).print_version(PROGRAM)
            return 0
        command = parse(words)
        interruption.check()
        _run_command(command)
    except BrokenPipeError:
        raise
    except VidcolorError as error:
        return _failed(str(error), BAD_INPUT)
    except (KeyboardInterrupt, interruption.Terminated) as end:
        return _failed(interruption.TOLD, interruption.exit_status(end))
    except OSError as error:
        what = f"{error.filename} cannot be used" if error.filename else "writing failed"
        status = BAD_INPUT if error.errno == errno.ENAMETOOLONG else FAILED
        return _failed(f"{what} ({error.strerror or error})", status)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return _failed("there is not enough memory; close other programs and try again", FAILED)
    return 0


def _run_command(command: Command) -> None:
    """What fails because of a signal, such as a graph that is ended, is not told as a failure."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = partial(_show, warnings.showwarning)
            command.run()
    except Exception:
        interruption.check()
        raise


def parse(words: Sequence[str]) -> Command:
    """The sub-command that words ask for, with its options.

    Raises:
        SystemExit: Help was asked for and is printed.
        ArgumentError: The words make no sense.
    """
    if words and words[0] not in COMMANDS and not words[0].startswith("-"):
        raise ArgumentError(f"command is {words[0]!r}, accepted are {', '.join(COMMANDS)}")
    if words[:1] == ["color"]:
        words = [words[0], *import_module("vidcolor.commands.job_file").expand_job(words[1:])]
    command_line, tyro = import_module(COMMAND_LINE), import_module("tyro")
    complete = any(word.startswith("--tyro-") for word in words)  # a script of all there is
    commands = {
        name: listed.load() if complete or words[:1] == [name] else listed.placeholder()
        for name, listed in COMMANDS.items()
    }

    def make(words: Sequence[str]) -> Command:
        command: Command = tyro.extras.subcommand_cli_from_dict(
            commands,
            args=words,
            prog=PROGRAM,
            description=DESCRIPTION,
            config=command_line.CONFIG,
        )
        return command

    program = f"{PROGRAM} {words[0]}" if words and words[0] in COMMANDS else PROGRAM
    interruption.check()
    command: Command = command_line.parse(make, words, program=program)
    return command


def _show(show: Callable[..., None], message: Warning | str, *where: Any, **more: Any) -> None:
    """A warning of ours in a sentence, any other as Python shows it."""
    if isinstance(message, (ProviderWarning, PictureWarning)):
        print(f"vidcolor: {printable(str(message))}", file=sys.stderr)
    else:
        show(message, *where, **more)


def _failed(sentence: str, status: int) -> int:
    print(f"vidcolor: {printable(sentence)}", file=sys.stderr)
    return status
