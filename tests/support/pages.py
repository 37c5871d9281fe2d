"""What the Markdown pages tell to type, and the Python that they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

PROGRAMS = ("vidcolor", "python", "python3", "make", "vspipe", "pip", "uv", "uvx", "git", "source")


def lines(path: Path, pattern: str = "|".join(PROGRAMS)) -> list[str]:
    """Return the shell lines of a page as they stand there.

    Args:
        path: The page.
        pattern: A regular expression of the programs that count.

    Returns:
        Each line that is indented by four spaces and begins with such a program, with its pipes;
        what goes on after a backslash is on the same line.
    """
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(rf"^ {{4}}((?:{pattern}) .*)$", text, re.MULTILINE)


def commands(path: Path) -> list[list[str]]:
    """The words of each command in a page, up to the first pipe, without its comment."""
    return [shlex.split(line.partition(" | ")[0], comments=True) for line in lines(path)]


def arguments(path: Path, *program: str) -> list[list[str]]:
    """The words behind a program's name in each of its commands in a page.

    Args:
        path: The page.
        *program: Its name: 'vidcolor', or 'python', '-m', 'evaluation'.
    """
    begin, found = list(program), commands(path)
    return [words[len(begin) :] for words in found if words[: len(begin)] == begin]


def blocks(path: Path) -> list[str]:
    """The blocks of Python in a page."""
    text = path.read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
