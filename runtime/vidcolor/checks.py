"""Checks of arguments that more than one function takes."""

from __future__ import annotations

from collections.abc import Sequence

from vidcolor.errors import ArgumentError


def check_choice(argument: str, value: str, accepted: Sequence[str]) -> None:
    """Raise ArgumentError unless `value` is one of `accepted`."""
    if value not in accepted:
        raise ArgumentError(f"{argument} is {value!r}, accepted are {', '.join(accepted)}")


def check_whole(argument: str, value: int, *, least: int) -> None:
    """Raise ArgumentError unless `value` is a whole number of at least `least`."""
    if not isinstance(value, int) or value < least:
        raise ArgumentError(f"{argument} is {value!r}, accepted are whole numbers from {least}")
