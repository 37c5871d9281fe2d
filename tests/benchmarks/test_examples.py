from __future__ import annotations

from benchmarks import examples
from benchmarks.examples import Options, markdown, measure


def test_every_case_is_measured_and_told(monkeypatch):
    monkeypatch.setattr(examples, "SIZE", (224, 240))
    monkeypatch.setattr(examples, "FRAMES", 30)
    rows = list(measure(Options(workers=2, batch=2, steps=2, rounds=1, clips=1)))
    assert [row.what for row in rows] == [
        "a thread beside the training", "--workers 2", "--workers 2 --flow-cache, filled",
    ]  # fmt: skip
    assert rows[0].ratio == 1
    assert all(row.per_second > 0 for row in rows)
    assert markdown(rows).count("\n") == 4
