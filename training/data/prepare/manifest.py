"""What became of each video: in a journal while the work goes on, and in a manifest at its end."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from evaluation.clips import PREPARED
from vidcolor.errors import ArgumentError

MANIFEST = "manifest.csv"


@dataclass(frozen=True)
class ManifestRow:
    """A line of the manifest: a shot, or a video that gave none."""

    source: str
    """The video: the name of the folder that was searched, and the path below it."""
    shot: int | None = None
    """Its number in the video, from 0; None where the whole video is left out."""
    start_seconds: float | None = None
    """Where it begins in the video."""
    frames: int = 0
    width: int = 0
    height: int = 0
    fps: str = ""
    """A whole number or a fraction."""
    chroma: float | None = None
    """See `training.data.prepare.shot_writer.ShotFigures`."""
    motion: float | None = None
    kept: bool = False
    reason: str = ""
    """Why it is left out."""
    sha256: str = ""
    """Of the colour clip."""
    split: str = ""
    """'train' or 'test', drawn when all videos are done."""
    file: str = ""
    """The colour clip in the data's folder; the gray one has the same name below `gray`."""


class PrepareLog:
    """Videos that are done, with their rows, in the order in which they were done.

    A video is in it or not: a line that was being written when the process died does not count,
    and is written over. `terms` are what the rows depend on; ArgumentError when the folder's
    journal was begun on others.
    """

    def __init__(self, folder: Path, *, terms: Mapping[str, object]) -> None:
        self._path = folder / PREPARED
        self.done: dict[str, list[ManifestRow]] = {}
        """Rows by video."""
        lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
        whole = [line for line in lines if line.endswith(b"\n")]
        for line in whole[1:]:
            entry = json.loads(line)
            self.done[entry["video"]] = [ManifestRow(**row) for row in entry["rows"]]
        if whole:
            self._check(folder, json.loads(whole[0]), terms)
        folder.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab")
        self._file.truncate(sum(map(len, whole)))
        if not whole:
            self._write(terms)

    def add(self, video: str, rows: Sequence[ManifestRow]) -> None:
        """Note that a video is done. It is on disk when this returns.

        Args:
            video: Its name.
            rows: Its lines of the manifest.
        """
        self._write({"video": video, "rows": [asdict(row) for row in rows]})
        self.done[video] = list(rows)

    def close(self) -> None:
        """Close the log's file; nothing is lost."""
        self._file.close()

    def _write(self, entry: Mapping[str, object]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _check(
        self, folder: Path, before: Mapping[str, object], terms: Mapping[str, object]
    ) -> None:
        for name, value in terms.items():
            if before.get(name) != value:
                raise ArgumentError(
                    f"{name} is {value}, but {folder} was begun with {before.get(name)}; another "
                    "folder is needed, or what it was begun with"
                )


def write_manifest(path: Path, rows: Iterable[ManifestRow]) -> None:
    """Write the manifest, a CSV file with a header, whole or not at all.

    Args:
        path: The file.
        rows: Its lines, in order.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(ManifestRow)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {name: "" if value is None else value for name, value in asdict(row).items()}
        writer.writerow(cells | {"kept": "yes" if row.kept else "no"})
    partial = path.with_suffix(".part")
    partial.write_text(text.getvalue(), encoding="utf-8")
    partial.replace(path)
