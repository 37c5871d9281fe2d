"""What was measured as Markdown tables, as JSON and as a picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl

from benchmarks import length, seek, speed, threads

mpl.use("Agg")
import matplotlib.pyplot as plt

FILM = 150_000
"""Frames of a feature film: 104 minutes."""


class Results(NamedTuple):
    """Everything one run measured; what it was not asked for is empty."""

    machine: dict[str, str]
    model: str
    options: dict[str, Any]
    speed: list[speed.Row]
    length: list[length.Row]
    seek: list[seek.Row]
    threads: list[threads.Row]


def markdown(results: Results) -> str:
    """The tables, with the machine above them."""
    parts = ["; ".join(f"{name}: {text}" for name, text in results.machine.items())]
    parts[0] += f"; model: {results.model}"
    for place, size in dict.fromkeys((row.place, row.size) for row in results.speed):
        rows = [row for row in results.speed if (row.place, row.size) == (place, size)]
        parts.append(f"### {place}, short side {size}\n\n{_speed(rows)}")
    if results.speed:
        parts.append(f"### A film of {FILM:,} frames at 1080p, in hours\n\n{_film(results.speed)}")
    if results.length:
        parts.append(f"### Time and memory against length\n\n{_length(results.length)}")
    if results.seek:
        parts.append(f"### A seek against distance\n\n{_seek(results.seek)}")
    if results.threads:
        parts.append(f"### Threads\n\n{_threads(results.threads)}")
    return "\n\n".join(parts) + "\n"


def _film(rows: list[speed.Row]) -> str:
    """Shots are independent of each other, so machines share a film without loss."""
    machines = (1, 4, 16)
    return _table(
        ["", "short side", *(f"{n} machine{'s' * (n > 1)}" for n in machines)],
        [
            [
                f"{row.what}, {row.place}",
                f"{row.size}",
                *(f"{row.timing.milliseconds * FILM / 3.6e6 / n:.1f}" for n in machines),
            ]
            for row in rows
            if row.clip == "1080p" and row.what in (speed.FILTER, speed.COMMAND)
        ],
        left={0},
    )


def _threads(rows: list[threads.Row]) -> str:
    return _table(
        ["", "short side", "threads", "waiting us", "ms", "median", "core ms"],
        [
            [
                row.what,
                *_text(row.size, row.threads),
                row.spin,
                *_text(row.timing.milliseconds, row.timing.median),
                _or_nothing("{:.0f}", row.timing.core_milliseconds),
            ]
            for row in rows
        ],
        left={0},
    )


def _speed(rows: list[speed.Row]) -> str:
    """Beside a row that is no faster or slower for the size of the clip stands no clip."""
    least = next(row for row in rows if row.what == speed.GRAPH).timing.milliseconds
    return _table(
        ["", "clip", "ms", "median", "frames/s", "x session.run", "core ms", "MiB", "limited by"],
        [
            [
                row.what,
                row.clip,
                f"{row.timing.milliseconds:.1f}",
                f"{row.timing.median:.1f}",
                f"{1e3 / row.timing.milliseconds:.1f}",
                f"{row.timing.milliseconds / least:.2f}",
                _or_nothing("{:.0f}", row.timing.core_milliseconds),
                _or_nothing("{:.0f}", row.timing.peak_mib),
                speed.LIMITS[row.what],
            ]
            for row in rows
        ],
        left={0, 1, 8},
    )


def _length(rows: list[length.Row]) -> str:
    return _table(
        ["", "short side", "frames", "ms a frame", "peak MiB"],
        [
            [
                f"{row.what}, {row.place}",
                *_text(row.size, row.frames, row.milliseconds),
                _or_nothing("{:.0f}", row.peak_mib),
            ]
            for row in rows
        ],
        left={0},
    )


def _seek(rows: list[seek.Row]) -> str:
    return _table(
        ["", "short side", "frames away", "ms"],
        [
            [f"{row.where}, {row.place}", *_text(row.size, row.distance, row.milliseconds)]
            for row in rows
        ],
        left={0},
    )


def _text(*numbers: float) -> list[str]:
    return [f"{number:.1f}" if isinstance(number, float) else f"{number:,}" for number in numbers]


def _or_nothing(form: str, number: float | None) -> str:
    return "" if number is None else form.format(number)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], left: set[int]) -> str:
    rule = [":---" if column in left else "---:" for column in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def write_json(results: Results, path: Path) -> None:
    """The numbers, for whoever compares runs."""

    def plain(value: Any) -> Any:
        if hasattr(value, "_asdict"):
            return {name: plain(part) for name, part in value._asdict().items()}
        return [plain(part) for part in value] if isinstance(value, list) else value

    path.write_text(json.dumps(plain(results), indent=1) + "\n")


def draw(results: Results, path: Path) -> None:
    """Frames a second of each row, and time and memory against length."""
    groups = list(dict.fromkeys((row.place, row.size) for row in results.speed))
    panels: list[Callable[[Any], None]] = [
        partial(_bars, group=group, rows=results.speed) for group in groups
    ]
    if results.length:
        panels.append(lambda axes: _lines(axes, results.length))
    if not panels:
        return
    figure, axes = plt.subplots(len(panels), 1, figsize=(9, 3.6 * len(panels)), squeeze=False)
    for panel, place in zip(panels, axes[:, 0], strict=True):
        panel(place)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _bars(axes: Any, *, group: tuple[str, int], rows: list[speed.Row]) -> None:
    own = [row for row in rows if (row.place, row.size) == group][::-1]
    axes.barh(
        [f"{row.what} {row.clip}" for row in own],
        [1e3 / row.timing.milliseconds for row in own],
        color=["tab:gray" if row.what == speed.CHAIN else "tab:blue" for row in own],
    )
    axes.set_title(f"{group[0]}, short side {group[1]}")
    axes.set_xlabel("frames/s")


def _lines(axes: Any, rows: list[length.Row]) -> None:
    for kind in dict.fromkeys((row.what, row.place) for row in rows):
        own = [row for row in rows if (row.what, row.place) == kind]
        label = ", ".join(kind)
        peaks = [r.peak_mib or float("nan") for r in own]
        axes.plot([r.frames for r in own], peaks, "o-", label=f"{label}: MiB")
        axes.plot(
            [r.frames for r in own],
            [r.milliseconds for r in own],
            "s--",
            label=f"{label}: ms a frame",
        )
    axes.set(xscale="log", yscale="log", xlabel="frames")
    axes.legend()
