"""Arguments that more than one function takes, checked in one sentence."""

from __future__ import annotations

from vidcolor.errors import ArgumentError


def check_choice(argument: str, value: str, accepted: tuple[str, ...]) -> None:
    """Raise ArgumentError unless `value` is one of `accepted`."""
    if value not in accepted:
        raise ArgumentError(f"{argument} is {value!r}, accepted are {', '.join(accepted)}")


def check_whole(argument: str, value: int, *, least: int) -> None:
    """Raise ArgumentError unless `value` is a whole number from `least` on."""
    if not isinstance(value, int) or value < least:
        raise ArgumentError(f"{argument} is {value!r}, accepted are whole numbers from {least}")
