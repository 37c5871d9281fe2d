"""How all command lines of the project read: their help, their errors, their version.

Dataclasses hold the options; tyro makes a command line of them. It imports nothing that takes long,
so that `--help` answers at once.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from shutil import get_terminal_size
from textwrap import fill
from typing import Annotated, Any, TextIO, get_type_hints

import docstring_parser
import tyro

from vidcolor.errors import ArgumentError, VidcolorError
from vidcolor.interruption import Terminated, exit_status, raised_by_signals
from vidcolor.streams import BROKEN_PIPE, StandardStreams

CONFIG = (tyro.conf.OmitArgPrefixes, tyro.conf.DisallowNone)
"""Options of a group have no prefix; an option that is left out is left out, and not `None`."""

Switch = tyro.conf.FlagCreatePairsOff[bool]
"""An option without a value, off where it is not named."""

BAD_INPUT = 2
"""Exit status when what was given cannot be used."""

_UNSAID = {"", "False", "None", "''"}
"""Defaults that say nothing."""
_RULE = re.compile(r"^[│ ]*[─-]{3,}[│ ]*$")
_OPTION = r"(?:[^ ']*/)?(?:--)?(?P<name>[^ ':]+)"
_OWN_WORDS = (
    (
        rf"invalid choice (?P<value>.+) for argument '{_OPTION}'\. "
        r"Expected one of \((?P<those>.+?),?\)",
        "{name} is {value}, accepted are {those}",
    ),
    (
        rf"error parsing {_OPTION}: invalid literal for int\(\) with base 10: (?P<value>.+)",
        "{name} is {value}, accepted are whole numbers",
    ),
    (
        rf"error parsing {_OPTION}: could not convert string to float: (?P<value>.+)",
        "{name} is {value}, accepted are numbers",
    ),
    (
        rf"error parsing {_OPTION}: no type matching INT could .+ \[(?P<value>.+)\]",
        "{name} is {value}, accepted are whole numbers",
    ),
    (
        rf"error parsing {_OPTION}: no type matching FLOAT could .+ \[(?P<value>.+)\]",
        "{name} is {value}, accepted are numbers",
    ),
    (rf"missing value for argument '{_OPTION}'.*", "{name} has no value, one is needed"),
)
"""What tyro says, and what our own checks would say."""
_INDENT = 6
"""Columns that an option is indented by at most; what tyro says of it is indented by more."""


def help_text[T](options: type[T]) -> type[T]:
    """Class decorator for a dataclass that tyro makes a command line of.

    tyro keeps the line breaks of an attribute's docstring, which then stand in the help wherever
    they stand in the source. Here its lines are joined. A default that says nothing, such as None,
    is left out.

    Args:
        options: The dataclass. What it inherits is expected to be decorated already.

    Returns:
        The same class, with the joined texts in its annotations.
    """
    hints = get_type_hints(options, include_extras=True)
    for text in docstring_parser.parse_from_object(options).params:
        if text.description:
            joined = tyro.conf.arg(
                help=" ".join(text.description.split()), help_behavior_hint=_default
            )
            hints[text.arg_name] = Annotated[hints[text.arg_name], joined]
    options.__annotations__ = hints
    return options


def _default(label: str) -> str:
    return "" if label in _UNSAID else f"(default: {label})"


def parse(make: Callable[[Sequence[str]], Any], words: Sequence[str], *, program: str) -> Any:
    """Parse a command line, and say in a sentence what is wrong with it.

    Args:
        make: Has tyro parse words.
        words: Those behind the program's name.
        program: That name, with the sub-command.

    Raises:
        ArgumentError: The words make no sense.
        SystemExit: Help was asked for and is printed.
    """
    try:
        with redirect_stderr(StringIO()), _folded_help(words):
            return make(words)
    except SystemExit as end:
        if not end.code:
            raise
    with _very_wide(), redirect_stderr(StringIO()) as said, suppress(SystemExit):
        make(words)
    raise ArgumentError(f"{_sentence(said.getvalue())}; `{program} --help` lists what is accepted")


def run(
    words: Sequence[str],
    *,
    program: str,
    make: Callable[[Sequence[str]], Any],
    act: Callable[[Any], object],
    command: str = "",
    go_on: Callable[[Any], str] = lambda _: "the same command begins anew",
) -> int:
    """Do what a command line of `python -m` says, or tell in a sentence why not.

    Errors of vidcolor's own and of files are told so. Ctrl-C, SIGTERM and SIGHUP end it, and it is
    said how to go on.

    Args:
        words: Those behind the program's name.
        program: That name.
        make: Has tyro parse words.
        act: Does what the parsed options say.
        command: The sub-command, if words begin with one.
        go_on: Says of the options how to go on after a signal.

    Returns:
        The exit status: 0, `BAD_INPUT`, or 128 + the number of the signal that ended it.
    """

    def work() -> int:
        options = None
        try:
            with raised_by_signals():
                options = parse(make, words, program=f"{program} {command}".strip())
                act(options)
        except BrokenPipeError:
            raise
        except (VidcolorError, OSError) as error:
            print(f"{program}: {error}", file=sys.stderr)
            return BAD_INPUT
        except (KeyboardInterrupt, Terminated) as end:
            then = "" if options is None else f"; {go_on(options)}"
            print(f"{program}: interrupted{then}", file=sys.stderr)
            return exit_status(end)
        return 0

    if "--version" in words:
        print_version(program)
        return 0
    try:
        with StandardStreams():
            return work()
    except BrokenPipeError:  # nobody reads the output any more, as after `| head`
        return BROKEN_PIPE


@contextmanager
def _folded_help(words: Sequence[str]) -> Iterator[None]:
    """Fold what is printed between words: tyro leaves the long lines of a docstring."""
    if not {"-h", "--help"} & set(words) or sys.stdout is None:
        yield
        return
    printed = _Printed(sys.stdout)
    try:
        with redirect_stdout(printed):
            yield
    finally:
        print("\n\n".join(map(_folded, re.split(r"\n{2,}", printed.getvalue().strip()))))


class _Printed(StringIO):
    """Keeps what is printed, in the letters and colours of another stream."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()


def _folded(paragraph: str) -> str:
    """A paragraph of prose; what is indented or in a box stays as it is."""
    if not re.match(r"[\w`]", paragraph):
        return paragraph
    width = get_terminal_size().columns
    return fill(" ".join(paragraph.split()), width, break_on_hyphens=False)


@contextmanager
def _very_wide() -> Iterator[None]:
    """A terminal on which no line is broken."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100000"
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


def _sentence(boxed: str) -> str:
    """What tyro says in a box, in a line: its first part, and what it supposes was meant."""
    rows = boxed.splitlines()[1:-1]
    text = "\n".join(_RULE.sub("", row).strip("│").rstrip()[1:] for row in rows)
    parts = [part for part in text.split("\n\n") if part.strip()]
    first, _, listed = parts[0].partition(":\n") if parts else ("it cannot be read", "", "")
    said = " ".join(first.split()).rstrip(".")
    if names := _names(listed):
        said += f": {names}"
    meant = next((part for part in parts if part.strip().startswith("Perhaps you meant")), "")
    if names := _names(meant.partition(":\n")[2]):
        said += f"; perhaps you meant {names}"
    return _in_our_words(said[:1].lower() + said[1:])


def _in_our_words(said: str) -> str:
    for pattern, words in _OWN_WORDS:
        if match := re.fullmatch(pattern, said):
            found = match.groupdict()
            return words.format_map(found | {"those": found.get("those", "").replace("'", "")})
    return said


def _names(listed: str) -> str:
    """The options of a list, without what is said of them."""
    rows = [row for row in listed.splitlines() if row.strip()]
    own = [row.strip() for row in rows if len(row) - len(row.lstrip()) <= _INDENT]
    return ", ".join(own)


def print_version(program: str) -> None:
    """What `--version` prints."""
    print(f"{program} {import_module('vidcolor').__version__}")
