from __future__ import annotations

import numpy as np
import pytest

from evaluation.methods import Method
from evaluation.scores import Scores
from evaluation.summary import CHAIN, ENDS, Clips, Evaluation, above, mean_curve, summarise

COUNT = 30


def scores(psnr: list[float], confidence: tuple[float, ...] | list[float] = ()) -> Scores:
    count = len(psnr)
    return Scores(
        psnr=psnr,
        accuracy=[0.9] * count,
        ciede2000=[2.0] * count,
        lab_l1=[1.0] * count,
        ssim=[0.95] * (count // 5),
        confidence=list(confidence),
        cdc=0.001,
        seconds=count / 8,
    )


def evaluation(clips: Clips, *methods: Method) -> Evaluation:
    summaries = {method.label: summarise(clips, method.label) for method in methods}
    return Evaluation(
        command="",
        versions={},
        options={},
        models={},
        methods=methods,
        summaries=summaries,
        true_cdc=0.001,
        clips=clips,
    )


def test_a_steady_method_does_not_drift():
    summary = summarise({"a": {"m": scores([30.0] * COUNT)}}, "m")
    assert (summary.psnr, summary.first, summary.last, summary.drift) == (30, 30, 30, 0)
    figures = [
        getattr(summary, name) for name in ("accuracy", "ciede2000", "lab_l1", "ssim", "cdc")
    ]
    assert figures == pytest.approx([0.9, 2.0, 1.0, 0.95, 0.001])
    assert summary.frames_per_second == pytest.approx(8)
    assert summary.against_chain is None


@pytest.mark.parametrize(("frame", "drift"), [(COUNT - 1, 2.0), (0, -2.0), (COUNT // 2, 0.0)])
def test_one_wrong_frame_is_drift_where_it_lies(frame, drift):
    psnr = [40.0] * COUNT
    psnr[frame] -= 2.0 * ENDS
    assert summarise({"a": {"m": scores(psnr)}}, "m").drift == pytest.approx(drift)


def test_clips_count_alike_however_long():
    clips = {"a": {"m": scores([20.0] * 40)}, "b": {"m": scores([40.0] * 12)}}
    assert summarise(clips, "m").psnr == 30


def test_shares_and_worst_clip_against_flow_chain():
    clips = {
        "a": {CHAIN: scores([30.0] * 10), "m": scores([31.0] * 10)},
        "b": {CHAIN: scores([30.0] * 10), "m": scores([29.0] * 8 + [30.5] * 2)},
        "c": {CHAIN: scores([30.0] * 20), "m": scores([29.0] * 2 + [40.0] * 18)},
    }
    against = summarise(clips, "m").against_chain
    assert against.frames_below == pytest.approx(10 / 40)
    assert against.clips_above == pytest.approx(2 / 3)
    assert against.worst_clip == "b"
    assert against.worst == pytest.approx(-0.7)
    assert summarise(clips, CHAIN).against_chain is None
    assert list(above(clips, "m", CHAIN)) == ["b", "a", "c"]


def test_planted_confidence_ranks_perfectly():
    falling = list(np.linspace(40, 20, COUNT))
    rising = list(np.linspace(21, 39, COUNT))
    clips = {
        "a": {"m": scores(falling, [p / 50 for p in falling])},
        "b": {"m": scores(rising, [p / 50 for p in rising])},
    }
    summary = summarise(clips, "m")
    assert summary.confidence_pooled == pytest.approx(1)
    assert summary.confidence_within == pytest.approx(1)


def test_confidence_that_only_knows_the_clip_ranks_within_none():
    clips = {
        "a": {"m": scores([20.0 + t for t in range(10)], [0.2] * 10)},
        "b": {"m": scores([40.0 + t for t in range(10)], [0.8] * 10)},
    }
    summary = summarise(clips, "m")
    assert summary.confidence_pooled > 0.8
    assert summary.confidence_within is None


def test_curves_end_where_less_than_half_of_the_clips_go():
    assert mean_curve([[1, 1], [3, 3, 3], [5, 5, 5, 5]]) == [3, 3, 4]


def test_the_subject_is_the_model_and_its_worst_clips_come_first():
    model = Method("propagation", "seeds", "x")
    clips = {
        name: {CHAIN: scores([30.0] * 10), "seeds": scores([level] * 10)}
        for name, level in (("good", 33.0), ("bad", 27.0))
    }
    found = evaluation(clips, Method(CHAIN), model)
    assert found.subject == model
    assert found.worst_first() == {"bad": -3, "good": 3}
    baselines = evaluation(clips, Method(CHAIN))
    assert baselines.subject.label == CHAIN
    assert baselines.worst_first() == {"good": 30, "bad": 30}


def test_the_error_rate_comes_from_transfer():
    model, other = Method("propagation", "seeds", "x"), Method("transfer", "seeds", "x")
    clips = {"a": {m.label: scores([30.0] * 10) for m in (Method(CHAIN), model, other)}}
    assert evaluation(clips, model, other).error_rate(model) == pytest.approx(0.1)
    assert evaluation(clips, model).error_rate(model) is None
    assert evaluation(clips, Method(CHAIN), other).error_rate(Method(CHAIN)) is None
