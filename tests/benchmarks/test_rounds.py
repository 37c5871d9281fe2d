from __future__ import annotations

from benchmarks.rounds import Lap, Timing, take_turns, timed


def test_cases_take_turns_and_a_first_round_does_not_count() -> None:
    order: list[str] = []
    laps = {"a": iter([9.0, 3.0, 1.0, 2.0]), "b": iter([0.0, 4.0, 6.0, 5.0])}

    def case(name: str) -> Lap:
        order.append(name)
        return Lap(next(laps[name]), peak_mib=len(order))

    timings = take_turns({name: lambda name=name: case(name) for name in "ab"}, rounds=3)
    assert "".join(order) == "abababab"
    assert timings == {"a": Timing(1, 2, None, 7), "b": Timing(4, 5, None, 8)}


def test_a_lap_is_the_time_of_one_frame() -> None:
    done = []
    lap = timed(lambda: done.append(sum(range(200_000))), frames=4)()
    assert len(done) == 1
    assert 0 < lap.milliseconds < 1000
    assert lap.core_milliseconds is not None
    assert 0 < 4 * lap.core_milliseconds < 4000
