from __future__ import annotations

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.run_log import Figures, read_losses


def test_a_resumed_run_goes_on_where_its_checkpoint_was(tmp_path):
    assert read_losses(tmp_path) == []
    figures = Figures(tmp_path, step=0)
    for step in range(1, 6):
        figures.write(step, {"l1": 1.0 / step})
    figures.close()
    figures = Figures(tmp_path, step=3)
    figures.write(4, {"l1": 7.0})
    figures.close()
    lines = read_losses(tmp_path)
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert lines[-1]["l1"] == 7.0


def test_tensorboard_has_the_figures_and_the_sheets(tmp_path):
    figures = Figures(tmp_path, step=0)
    figures.write(5, {"l1": 0.5})
    figures.show(5, np.zeros((4, 6, 3), np.uint8))
    figures.close()
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("l1")] == [(5, 0.5)]
    assert (events.Images("samples")[0].height, events.Images("samples")[0].width) == (4, 6)
