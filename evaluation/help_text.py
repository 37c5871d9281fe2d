"""Options whose docstrings run over several lines, made fit for `--help`."""

from __future__ import annotations

from typing import Annotated, get_type_hints

import docstring_parser
import tyro


def manual[T](options: type[T]) -> type[T]:
    """Class decorator for a dataclass that tyro makes a command line of.

    tyro keeps the line breaks of an attribute's docstring, which then falls in the help's lines
    wherever it falls in the source's; here its lines are joined.
    """
    hints = get_type_hints(options, include_extras=True)
    for text in docstring_parser.parse_from_object(options).params:
        if text.description and "\n" in text.description:
            joined = tyro.conf.arg(help=" ".join(text.description.split()))
            hints[text.arg_name] = Annotated[hints[text.arg_name], joined]
    options.__annotations__ = hints
    return options
