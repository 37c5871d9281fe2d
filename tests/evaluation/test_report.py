from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from evaluation.clips import CODING, Clip
from evaluation.pictures import STRIP_EVERY, Pictures, depict
from evaluation.predictors import Predictor
from evaluation.report import COLUMNS, html_report, markdown_table, table, to_json
from evaluation.scores import Scorer, frame_rgb
from evaluation.summary import Evaluation, summarise
from tests.support.footage import FRAMES, scene_clip
from vidcolor.color import decode_chroma

HOLD, CHAIN = Predictor("hold"), Predictor("flow chain")


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [scene_clip(seed, pan=pan) for seed, pan in ((0, 0.0), (1, 3.0))]


@pytest.fixture(scope="module")
def evaluation(clips, toy_bundle) -> Evaluation:
    toys = [Predictor(kind, "toy", str(toy_bundle), "cpu") for kind in ("propagation", "transfer")]
    methods = [HOLD, CHAIN, *toys]
    scores = {
        clip.name: {m.label: Scorer(clip).score(m.predict(clip)) for m in methods} for clip in clips
    }
    return Evaluation(
        command="python -m evaluation <toy>",
        versions={"numpy": "2.0"},
        provenance={"commit": "0123abc+", "footage_sha256": "4567def"},
        options={"size": 128, "frames": FRAMES, "workers": 1},
        models={"toy": {"name": "toy"}},
        predictors=methods,
        summaries={method.label: summarise(scores, method.label) for method in methods},
        true_cdc=0.004,
        clips=scores,
    )


@pytest.fixture(scope="module")
def pictures(clips, evaluation) -> Pictures:
    return depict(clips[1], evaluation.predictors, subject=CHAIN)


def decode(uri: str, kind: str) -> bytes:
    head, _, content = uri.partition(",")
    assert head == f"data:{kind};base64"
    return base64.b64decode(content)


def test_the_table_has_a_row_for_each_method(evaluation):
    header, *rows = table(evaluation)
    assert header == ["method", *COLUMNS]
    assert [row[0] for row in rows] == ["hold", "flow chain", "toy", "toy transfer"]
    assert all(len(row) == len(header) for row in rows)
    cells = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    hold = evaluation.summaries["hold"]
    assert cells["hold"]["PSNR dB"] == f"{hold.psnr:.2f}"
    assert cells["hold"]["worst clip, dB"] == f"{hold.against_chain.worst:+.2f}"
    assert cells["hold"]["confidence, pooled"] == cells["flow chain"]["clips above it"] == ""
    assert (
        cells["toy"]["confidence, pooled"] == f"{evaluation.summaries['toy'].confidence_pooled:.2f}"
    )


def test_markdown(evaluation):
    lines = markdown_table(evaluation).splitlines()
    assert lines[1] == "| --- |" + " ---: |" * len(COLUMNS)
    assert [line.count("|") for line in lines[:6]] == [len(COLUMNS) + 2] * 6
    assert f"`{evaluation.command}`" in lines
    assert "2 clips, short side 128" in lines[-1]


def test_json_holds_every_frame(evaluation):
    content = json.loads(to_json(evaluation))
    assert content["versions"] == {"numpy": "2.0"}
    assert content["provenance"]["commit"] == "0123abc+"
    assert content["summaries"]["toy"]["against_chain"]["worst_clip"] in evaluation.clips
    frames = content["clips"]["scene-1"]["toy"]["frames"]
    for name in ("psnr", "accuracy", "ciede2000", "lab_l1", "confidence"):
        assert len(frames[name]) == FRAMES - 1
    assert frames["psnr"] == pytest.approx(evaluation.clips["scene-1"]["toy"].psnr, rel=1e-4)
    of_clip = content["clips"]["scene-1"]["toy"]["summary"]
    assert of_clip["psnr"] == pytest.approx(np.mean(frames["psnr"]), rel=1e-4)


def test_html_needs_nothing_but_itself(evaluation, pictures):
    html = html_report(evaluation, [pictures])
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', html) == []
    assert html.count('src="data:image/jpeg') == len(pictures.strips)
    assert html.count("<video") == html.count('src="data:video/mp4') == 1
    assert html.count("<svg") == html.count("</svg>") == 1
    assert "&lt;toy&gt;" in html
    assert "commit 0123abc+" in html
    eta = 1 - evaluation.summaries["toy transfer"].accuracy
    assert f"toy: (1 - {eta:.3f})^t" in html


def test_html_lists_the_worst_clip_first(evaluation):
    worst, best = evaluation.worst_first()
    html = html_report(evaluation, [])
    assert html.index(f"<td>{worst}") < html.index(f"<td>{best}")


def test_html_without_models_or_flow_chain(evaluation):
    alone = replace(
        evaluation,
        predictors=[HOLD],
        summaries={"hold": evaluation.summaries["hold"]},
        clips={name: {"hold": methods["hold"]} for name, methods in evaluation.clips.items()},
    )
    assert "<th>above flow chain</th>" not in html_report(alone, [])
    assert "<th>above flow chain</th>" in html_report(evaluation, [])


def test_strips_show_each_method_every_seventh_frame(clips, evaluation, pictures):
    clip = clips[1]
    assert pictures.columns == [0, STRIP_EVERY]
    assert list(pictures.strips) == ["gray", "truth", "hold", "flow chain", "toy", "toy transfer"]
    rows = {}
    for label, uri in pictures.strips.items():
        jpeg = np.frombuffer(decode(uri, "image/jpeg"), np.uint8)
        rows[label] = cv2.cvtColor(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        assert rows[label].shape == (96, 240, 3)
    truth = frame_rgb(clip.luma[STRIP_EVERY], clip.chroma[STRIP_EVERY])
    small = cv2.resize(truth, (120, 96), interpolation=cv2.INTER_AREA)

    def distance(label: str) -> float:
        return float(np.abs(rows[label][:, 120:].astype(float) - small).mean())

    assert distance("truth") < 5
    assert distance("truth") < distance("flow chain") < distance("hold") < distance("gray")


def test_the_video_shows_gray_the_subject_and_the_truth(clips, pictures):
    clip = clips[1]
    with av.open(io.BytesIO(decode(pictures.video, "video/mp4"))) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == len(clip)
    last = frames[-1].astype(float)
    assert last.shape == (128, 3 * 160, 3)
    before, after, truth = np.split(last, 3, axis=1)
    assert np.ptp(before, axis=-1).mean() < 6
    painted = list(CHAIN.predict(clip))[-1].chroma
    codes = np.rint(255 * painted + 128).clip(0, 255).astype(np.uint8)
    assert np.abs(after - frame_rgb(clip.luma[-1], codes)).mean() < 8
    true = frame_rgb(
        clip.luma[-1], np.rint(255 * decode_chroma(*clip.chroma[-1], CODING) + 128).astype(np.uint8)
    )
    assert np.abs(truth - true).mean() < 8
    assert np.abs(after - truth).mean() > 1


def test_odd_sides_make_a_video_too():
    clip = scene_clip(frames=3)
    odd = Clip("odd", clip.luma[:, :127, :159], clip.chroma[:, :, :127, :159])
    shown = depict(odd, [HOLD], subject=HOLD)
    with av.open(io.BytesIO(decode(shown.video, "video/mp4"))) as container:
        assert container.streams.video[0].width == 3 * 159 - 1
