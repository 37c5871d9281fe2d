from __future__ import annotations

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.journal import Journal, read_losses


def test_a_resumed_run_goes_on_where_its_checkpoint_was(tmp_path):
    assert read_losses(tmp_path) == []
    journal = Journal(tmp_path, step=0)
    for step in range(1, 6):
        journal.write(step, {"l1": 1.0 / step})
    journal.close()
    journal = Journal(tmp_path, step=3)
    journal.write(4, {"l1": 7.0})
    journal.close()
    lines = read_losses(tmp_path)
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert lines[-1]["l1"] == 7.0


def test_tensorboard_has_the_figures_and_the_sheets(tmp_path):
    journal = Journal(tmp_path, step=0)
    journal.write(5, {"l1": 0.5})
    journal.show(5, np.zeros((4, 6, 3), np.uint8))
    journal.close()
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("l1")] == [(5, 0.5)]
    assert (events.Images("samples")[0].height, events.Images("samples")[0].width) == (4, 6)
