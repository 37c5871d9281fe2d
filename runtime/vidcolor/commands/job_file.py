"""A job file: the options of ``vidcolor color`` in TOML, in place of words on a command line.

A job that is repeated, or handed on, is a file: ``vidcolor color job.toml``. Its names are those of
the options, without the dashes in front; `films` holds the films. Paths are relative to the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from vidcolor.commands.color import Color
from vidcolor.errors import ArgumentError, MediaError
from vidcolor.media.names import kind_of

ENDING = ".toml"
FILMS = "films"
_LARGEST = 1_000_000
"""Bytes of a job file."""
_LONGEST = 40
"""Characters of a name that an error message shows."""
_NAMES_OR_PATHS = {
    "key": ("auto",),
    "scenes": ("auto", "none"),
    "model": (),
    "colorizer": (),
}
"""Options that take a path or something else, and what else they take; a name that is no file
beside the job file is taken for a name."""
_EXCLUSIVE = ({"key", "keys"}, {"output", "output-folder"}, {"range", "only-shot"})
"""Options of which one is accepted."""


def expand_job(words: Sequence[str]) -> list[str]:
    """Put the options of a job file in its place.

    Args:
        words: Those behind `vidcolor color`. Where the first ends in .toml, it is a job file. Those
            behind it count more than what the file says.

    Raises:
        MediaError: The job file cannot be read.
        ArgumentError: It is no TOML, or holds what is no option.
    """
    if not words or not words[0].lower().endswith(ENDING):
        return list(words)
    path = Path(words[0])
    options = dict(_options(Color))
    behind = {_name(word) for word in words[1:]}
    expanded: list[str] = []
    for given, value in _read(path).items():
        name = given.replace("_", "-")
        if any(name in group and behind & group - {name} for group in _EXCLUSIVE):
            continue  # what is behind the file takes its place
        if name in (FILMS, "film"):
            expanded = [*map(str, _films(value, path)), *expanded]
        elif name in options:
            expanded += _words(name, value, options[name], path)
        else:
            raise ArgumentError(
                f"job: {path} holds {given[:_LONGEST]!r}, which is no option of `vidcolor color`; "
                f"accepted are {', '.join((FILMS, *options))}"
            )
    return [*expanded, *words[1:]]


def _name(word: str) -> str:
    """Of the option that a word of a command line is; empty for any other word."""
    if word.startswith("--"):
        return word[2:].partition("=")[0].replace("_", "-")
    return "output" if word.startswith("-o") else ""


def _read(path: Path) -> dict[str, Any]:
    kind = kind_of(path)
    reason = "there is no such file" if kind == "not there" else kind
    try:
        if reason is None and path.stat().st_size > _LARGEST:
            reason = "it is too large"
        if reason is None:
            return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror
    except (ValueError, RecursionError) as error:  # also a number of too many digits
        raise ArgumentError(f"job: {path} is no TOML ({' '.join(str(error).split())})") from error
    raise MediaError(f"job: {path} cannot be read ({reason})")


def _options(options: type) -> Iterator[tuple[str, Any]]:
    """Names of the options, and their types."""
    hints = get_type_hints(options, include_extras=True)
    for field in fields(options):
        hint = hints[field.name]
        kind, *extras = get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
        if is_dataclass(kind):
            assert isinstance(kind, type)  # noqa: S101  (for the type checker)
            yield from _options(kind)
        elif field.name != FILMS:
            names = (getattr(extra, "name", None) for extra in extras)
            yield next(filter(None, names), field.name).replace("_", "-"), kind


def _films(value: Any, path: Path) -> list[Path]:
    films = value if isinstance(value, list) else [value]
    if not films or not all(isinstance(film, str) for film in films):
        raise ArgumentError(
            f"job: {FILMS} in {path} must be a film's path, or a list of such, in quotes"
        )
    return [path.parent / film for film in films]


def _words(name: str, value: Any, kind: Any, path: Path) -> list[str]:
    """One option as words of a command line."""
    if get_origin(kind) is tuple:  # it may be given several times
        values = value if isinstance(value, list) else [value]
        return [word for one in values for word in _words(name, one, get_args(kind)[0], path)]
    if kind is bool:
        if not isinstance(value, bool):
            raise ArgumentError(f"job: {name} in {path} is {value!r}, accepted are true and false")
        return [f"--{name}"] if value else []
    if name == "codec-options" and isinstance(value, dict):
        value = ",".join(f"{option}={_plain(name, one, path)}" for option, one in value.items())
    text = _plain(name, value, path)
    if kind is Path or Path in get_args(kind) or name == "blend":
        text = text if text in _NAMES_OR_PATHS.get(name, ()) else str(path.parent / text)
    elif name in _NAMES_OR_PATHS and text not in _NAMES_OR_PATHS[name]:
        beside = path.parent / text
        text = str(beside) if name == "scenes" or beside.exists() else text
    return [f"--{name}={text}"]


def _plain(name: str, value: Any, path: Path) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ArgumentError(f"job: {name} in {path} is {value!r}, a text or number is accepted")
    text = str(value)
    if "\0" in text:
        raise ArgumentError(f"job: {name} in {path} holds a character 0, which no path or name may")
    return text
