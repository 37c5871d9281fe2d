"""What a film's colouring will do, and has done, in lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from vidcolor.commands.times import counted, format_duration
from vidcolor.film.plan import Plan, PlannedShot
from vidcolor.film.report import Report
from vidcolor.media.names import typed

MOST_SHOTS = 24
"""Shots that are listed; of more, those without a key alone, and the rest in a line."""

_MOST_KEYS = 8
"""Of a shot, that are listed."""


def plan_lines(plan: Plan) -> Iterator[str]:
    """What will be done."""
    auto = sum(len(shot.auto_keys) for shot in plan.shots)
    ranged = {key for shot in plan.shots for key in shot.key_ranges}
    keys = sum(len(shot.keys) for shot in plan.shots) - auto + len(ranged)
    painted = f", {auto} by the colorizer" if auto else ""
    yield (
        f"{plan.clip}: {counted(len(plan.part), 'frame')} in {counted(len(plan.shots), 'shot')}, "
        f"{counted(keys, 'key')}{painted}"
    )
    listed, rest = _listed(plan)
    for shot in listed:
        frames = f"frames {shot.frames[0]} to {shot.frames[-1]}"
        yield f"  shot {shot.number}: {frames}: {_keys(shot, plan)}"
    if rest:
        yield f"  and {counted(rest, 'shot')} more"
    without = len(plan.without_key)
    if without and plan.unkeyed == "guess" and not plan.references:
        yield (
            f"  {counted(without, 'shot')} without a key: --unkeyed auto has a colorizer paint a "
            "frame of each, --unkeyed gray leaves them gray"
        )
    yield f"  to do: {_work(plan)}"


def _listed(plan: Plan) -> tuple[tuple[PlannedShot, ...], int]:
    """The shots to list, and how many others there are."""
    if len(plan.shots) <= MOST_SHOTS:
        return plan.shots, 0
    special = [shot for shot in plan.shots if shot.lacks_key or shot.auto_keys or shot.unreached]
    listed = tuple(special[:MOST_SHOTS])
    return listed, len(plan.shots) - len(listed)


def _keys(shot: PlannedShot, plan: Plan) -> str:
    ranges = [
        f"key {key} for frames {frames[0]} to {frames[-1]}"
        for key, frames in sorted(shot.key_ranges.items(), key=lambda item: item[1].start)
    ]
    if not (shot.keys or shot.lacks_key):
        return "; ".join(ranges)
    rest = _lasting_keys(shot, plan)
    if shot.unreached:
        first, last = shot.unreached[0], shot.unreached[-1]
        rest = f"{rest}; frames {first} to {last}, to which none leads: {_from_others(shot, plan)}"
    return "; ".join((*ranges, f"other frames: {rest}")) if ranges else rest


def _lasting_keys(shot: PlannedShot, plan: Plan) -> str:
    if not shot.keys:
        return f"no key: {_from_others(shot, plan)}"
    if shot.auto_keys:
        return f"no key: the colorizer paints frame {shot.auto_keys[0]}"
    if len(shot.keys) > _MOST_KEYS:
        return f"{len(shot.keys)} keys, from {shot.keys[0]} to {shot.keys[-1]}"
    return _listing("key", shot.keys)


def _from_others(shot: PlannedShot, plan: Plan) -> str:
    """What a shot, or a part of it, is coloured from that has no key."""
    if plan.unkeyed == "gray":
        return "gray" if shot.unreached else "it stays gray"
    listings = _listing("key", shot.nearest_keys), _listing("reference", plan.references)
    pictures = " and ".join(filter(None, listings))
    verb = "coloured" if plan.references else "guessed"
    subject = "" if shot.unreached else "it is "
    return f"{subject}{verb} by likeness to {pictures}"


def _listing(what: str, names: Sequence[object]) -> str:
    if len(names) > _MOST_KEYS:
        return counted(len(names), what)
    return f"{what}{'s' * (len(names) > 1)} {', '.join(map(str, names))}" if names else ""


def _work(plan: Plan) -> str:
    frames = len(plan.part) - plan.stored
    verb = "is" if plan.stored == 1 else "are"
    stored = f", {plan.stored} {verb} kept from before" if plan.stored else ""
    work = f"{frames} of {counted(len(plan.part), 'frame')}{stored}"
    if plan.seconds is None:
        return f"{work}, {counted(plan.steps, 'step')} of the model"
    return (
        f"{work}, {plan.steps} steps of the model: about {format_duration(plan.seconds)}, by a few "
        "that were timed now; the time left is measured as it goes"
    )


def result_lines(report: Report, output: Path, seconds: float) -> Iterator[str]:
    """What was done, and what to do next.

    Args:
        report: Of the film.
        output: The film.
        seconds: That it took.
    """
    frames = counted(len(report.confidence), "frame")
    speed = len(report.confidence) / max(seconds, 1e-9)
    yield (
        f"{output}: {frames} in {format_duration(seconds)}, {speed:.1f} a second; "
        f"{_weakest(report)}"
    )
    film, page = (shlex.quote(typed(path)) for path in (output, output.with_suffix(".html")))
    yield f"next: vidcolor review {film} -o {page}"


def _weakest(report: Report) -> str:
    values = np.array(report.confidence)
    spans = report.spans
    means = [values[span.start - report.first : span.stop - report.first].mean() for span in spans]
    span = spans[int(np.argmin(means))]
    number = sum(start <= span[0] for start in report.shots) or 1
    return f"weakest is shot {number}, with a mean confidence of {min(means):.2f}"
