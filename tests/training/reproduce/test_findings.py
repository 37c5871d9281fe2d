from __future__ import annotations

from dataclasses import replace

import pytest

from training.reproduce.findings import Finding, Measured, find
from training.reproduce.probes import Fetching, Tracking, Transfer

STEPS = range(1, 50)
LAW = "It collapses as (1 - eta)^t"
GRAY = [0.3] * len(STEPS)


def system(step: float, curve: list[float], **changes: object) -> Measured:
    plain = Measured(
        dt=1,
        train=Transfer(0.9, 2.0),
        test=Transfer(0.8, 3.0),
        step=step,
        curve=curve,
        gray=GRAY,
        tracking=Tracking(0.5, 0.2, 0.9),
        fetching=Fetching(0.1, 0.1),
    )
    return replace(plain, **changes)


def collapsing(**changes: object) -> Measured:
    return system(0.8, [0.8**t for t in STEPS], **changes)


def holding(**changes: object) -> Measured:
    return system(0.8, [0.8 - 0.005 * t for t in STEPS], **changes)


@pytest.fixture
def planted() -> dict[str, Measured]:
    """Systems of which everything is true that the reports say."""
    return {
        "supervised": collapsing(),
        "cgan-dt1": collapsing(tracking=Tracking(0.1, 0.7, 0.4)),
        "cgan-dt5": collapsing(tracking=Tracking(0.4, 0.3, 0.8)),
        "extended": collapsing(fetching=Fetching(0.12, 0.1)),
        "convlstm": collapsing(),
        "similarity": holding(fetching=Fetching(0.4, 0.1)),
        "flagship": holding(fetching=Fetching(0.6, 0.05)),
    }


def verdicts(systems: dict[str, Measured]) -> dict[str, bool]:
    return {finding.claim: finding.found for finding in find(systems)}


def by(systems: dict[str, Measured], word: str) -> Finding:
    (finding,) = [f for f in find(systems) if word in f.claim]
    return finding


def test_everything_is_found_again_where_everything_is_planted(planted):
    found = verdicts(planted)
    assert len(found) == 9
    assert all(found.values())


@pytest.mark.parametrize(
    ("word", "name", "change", "number"),
    [
        ("looks right", "extended", {"test": Transfer(0.55, 5.0)}, "extended 55%"),
        ("own output, collapses", "supervised", {"curve": [0.75] * 49}, "supervised 90%"),
        ("(1 - eta)^t", "cgan-dt5", {"curve": [0.3] * 49}, "cgan-dt5 0.27"),
        ("copy", "cgan-dt1", {"tracking": Tracking(0.1, 0.2, 0.4)}, "cgan-dt1 20.0%"),
        ("gray", "cgan-dt1", {"tracking": Tracking(0.1, 0.7, 0.9)}, "cgan-dt1 90.0%"),
        ("tracks", "cgan-dt5", {"tracking": Tracking(0.05, 0.3, 0.8)}, "cgan-dt5 5.0%"),
        ("not fetch", "extended", {"fetching": Fetching(0.3, 0.1)}, "extended +20.0%"),
        ("future work", "similarity", {"fetching": Fetching(0.12, 0.1)}, "similarity +2.0%"),
        ("With it", "flagship", {"curve": [0.32] * 49}, "flagship 4%"),
    ],
)
def test_each_verdict_turns_on_its_own_number(planted, word, name, change, number):
    before = verdicts(planted)
    planted[name] = replace(planted[name], **change)
    finding = by(planted, word)
    assert not finding.found
    assert number in finding.evidence
    lost = {claim for claim, found in verdicts(planted).items() if not found}
    # A system that does not collapse does not follow the law of it either.
    assert lost - {LAW} == {finding.claim} - {LAW}
    assert set(before) == set(verdicts(planted))


def test_what_did_not_run_is_not_judged(planted):
    del planted["cgan-dt5"]
    claims = " ".join(verdicts(planted))
    assert "copy" not in claims
    assert "tracks" not in claims
    assert "own output, collapses" in claims
    assert not find({})


def test_what_is_left_is_counted_beyond_gray():
    assert system(0.8, [0.8] * 20 + [0.4] * 29).left == pytest.approx((0.4 - 0.3) / (0.8 - 0.3))
    assert system(0.8, [0.1] * 49).left == 0
    assert system(0.2, [0.2] * 49).left == 0
    assert system(0.34, [0.34] * 49).left == 0


def test_distance_from_the_law():
    assert collapsing().off_law == pytest.approx(0)
    off = system(0.5, [0.5, 0.35, 0.225], gray=[0.3] * 3)
    assert off.off_law == pytest.approx((0 + 0.1 + 0.1) / 3)
