"""What a run writes as it goes: `losses.jsonl`, and the same with sheets for TensorBoard."""

from __future__ import annotations

import json
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from evaluation.clips import Codes

LOSSES = "losses.jsonl"


class Journal:
    """Lines of figures, each with its step.

    A run resumed after `step` drops the lines of later steps, since it writes them again.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / LOSSES
        kept = [line for line in read_losses(folder) if line["step"] <= step]
        path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self._lines = path.open("a", encoding="utf-8", buffering=1)
        self._events = SummaryWriter(str(folder / "events"), purge_step=step + 1)

    def close(self) -> None:
        """Close the files."""
        self._lines.close()
        self._events.close()

    def write(self, step: int, figures: dict[str, float]) -> None:
        """One line of figures."""
        self._lines.write(json.dumps({"step": step, **figures}) + "\n")
        for name, value in figures.items():
            self._events.add_scalar(name, value, step)

    def show(self, step: int, sheet: Codes) -> None:
        """A sheet [h, w, 3] for TensorBoard."""
        self._events.add_image("samples", sheet, step, dataformats="HWC")


def read_losses(folder: Path) -> list[dict[str, float]]:
    """The lines of a run, oldest first; none when it has not begun."""
    path = folder / LOSSES
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
