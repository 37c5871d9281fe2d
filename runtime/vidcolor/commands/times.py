"""Times and numbers for people to read."""

from __future__ import annotations


def format_time(seconds: float) -> str:
    """A place in a film, such as 0:01:30.500."""
    minutes, rest = divmod(round(1000 * seconds), 60_000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest / 1000:06.3f}"


def format_duration(seconds: float) -> str:
    """How long something takes, in two units at most: '8 s', '3 min', '2 h 5 min'."""
    if round(seconds) < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def counted(count: int, what: str) -> str:
    """A number with its noun."""
    return f"{count} {what}{'s' * (count != 1)}"
