"""Whether `--help` of a command explains each option of a dataclass."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import get_type_hints

ENTRY = r" --([a-z0-9-]+)(?:, --no-[a-z-]+)? (?=((?:(?! --[a-z]).)*))"
"""An option's name and explanation in the help, its lines joined."""


def option_names(options: type, *, positional: str) -> set[str]:
    hints = get_type_hints(options)
    nested = {f.name for f in fields(options) if is_dataclass(hints[f.name])}
    own = {f.name.replace("_", "-") for f in fields(options)} - nested - {positional}
    return own.union(*(option_names(hints[name], positional=positional) for name in nested))


def check_manual(printed: str, options: type, *, joined: str, positional: str = "videos") -> None:
    """What was printed explains every option in four words or more, `joined` among them."""
    text = " ".join(re.sub("[─-╿|+]|-{3,}", " ", printed).split())
    words: dict[str, int] = {}
    for match in re.finditer(ENTRY, text):  # explanations name other options, too
        words[match[1]] = max(words.get(match[1], 0), len(match[2].split()))
    assert all(words[name] >= 4 for name in option_names(options, positional=positional))
    assert joined in text  # joined across the source's line break
    assert "{None}" not in text
    assert "default: None" not in text
