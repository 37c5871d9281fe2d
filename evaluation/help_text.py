"""Options whose docstrings run over several lines, made fit for `--help`."""

from __future__ import annotations

from typing import Annotated, get_type_hints

import docstring_parser
import tyro


def help_text[T](options: type[T]) -> type[T]:
    """Class decorator for a dataclass that tyro makes a command line of.

    tyro keeps the line breaks of an attribute's docstring, which then stand in the help wherever
    they stand in the source. Here its lines are joined.

    Args:
        options: The dataclass. What it inherits is expected to be decorated already.

    Returns:
        The same class, with the joined texts in its annotations.
    """
    hints = get_type_hints(options, include_extras=True)
    for text in docstring_parser.parse_from_object(options).params:
        if text.description:
            joined = tyro.conf.arg(help=" ".join(text.description.split()))
            hints[text.arg_name] = Annotated[hints[text.arg_name], joined]
    options.__annotations__ = hints
    return options
