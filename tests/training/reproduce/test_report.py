from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from evaluation.pictures import depict
from evaluation.predictors import Predictor
from evaluation.scores import Scorer
from evaluation.summary import Evaluation, summarise
from tests.support.footage import scene_clip
from tests.training.reproduce.test_findings import collapsing, holding
from training.reproduce.findings import find
from training.reproduce.plots import collapse_svg, losses_svg
from training.reproduce.probes import Fetching, Transfer
from training.reproduce.report import (
    Reproduction,
    html,
    markdown,
    results,
    table_collapse,
    table_one,
)

HOLD = Predictor("hold")


@pytest.fixture(scope="module")
def reproduction() -> Reproduction:
    clip = scene_clip(frames=4)
    scores = {clip.name: {HOLD.label: Scorer(clip).score(HOLD.predict(clip))}}
    systems = {
        "cgan-dt5": replace(
            collapsing(), dt=5, train=Transfer(0.845, 1.25), test=Transfer(0.791, 1.5)
        ),
        "flagship": holding(fetching=Fetching(0.5, 0.1)),
    }
    return Reproduction(
        evaluation=Evaluation(
            command="python -m training reproduce <data>",
            versions={"numpy": "2.0"},
            provenance={"commit": "0", "footage_sha256": "0"},
            options={"size": 128, "frames": 4, "workers": 1},
            models={},
            predictors=[HOLD],
            summaries={HOLD.label: summarise(scores, HOLD.label)},
            true_cdc=0.004,
            clips=scores,
        ),
        systems=systems,
        findings=find(systems),
        losses={
            "supervised": [{"step": 10, "generator": 3.0}, {"step": 20, "generator": 2.0}],
            "cgan-dt5": [
                {"step": 10, "generator": 3.0, "discriminator": 1.4},
                {"step": 15, "transfer_accuracy": 0.5},
                {"step": 20, "generator": 2.0, "discriminator": 1.3},
            ],
        },
        trained={"cgan-dt5": 1234},
        commands=["python -m training fit videos --system cgan-dt5 -o out/cgan-dt5"],
        figures=[depict(clip, [HOLD], subject=HOLD)],
    )


def test_table_one_has_theirs_beside_ours(reproduction):
    header, cgan, flagship = table_one(reproduction)
    ours = dict(zip(header, cgan, strict=True))
    assert (ours["report"], ours["its train"], ours["its test"]) == ("CS230", "84 %", "79 %")
    assert (ours["our train"], ours["our test"], ours["L1 test"]) == ("84.5%", "79.1%", "1.50")
    assert (ours["updates"], ours["dt"]) == ("1,234", "5")
    assert flagship[1:5] == ["", "", "", "as shipped"]


def test_the_curve_at_some_frames_and_what_is_left(reproduction):
    header, cgan, flagship = table_collapse(reproduction)
    ours = dict(zip(header, cgan, strict=True))
    assert (ours["eta"], ours["frame 1"], ours["frame 7"]) == ("0.200", "80%", "21%")
    assert (ours["left"], ours["off (1 - eta)^t"]) == ("0%", "0.00")
    assert dict(zip(header, flagship, strict=True))["fetches"] == "+40.0%"


def test_a_curve_that_ends_early_has_no_figure_there(reproduction):
    short = replace(reproduction, systems={"flagship": replace(holding(), curve=[0.9] * 7)})
    header, row = table_collapse(short)
    cells = dict(zip(header, row, strict=True))
    assert (cells["frame 7"], cells["frame 14"]) == ("90%", "")


def test_markdown_and_json_hold_every_verdict(reproduction):
    text, content = markdown(reproduction), json.loads(results(reproduction))
    for finding in reproduction.findings:
        verdict = "yes" if finding.found else "no"
        assert f"| {finding.claim} | {verdict} | {finding.evidence} |" in text
    assert [f["claim"] for f in content["findings"]] == [f.claim for f in reproduction.findings]
    assert content["systems"]["flagship"]["fetched"] == pytest.approx(0.4)
    assert content["systems"]["cgan-dt5"]["test"] == {"accuracy": 0.791, "l1": 1.5}
    for line in (*reproduction.commands, reproduction.evaluation.command):
        assert f"    {line}\n" in text


def test_the_page_escapes_and_needs_no_other_file(reproduction):
    page = html(reproduction)
    assert "reproduce &lt;data&gt;" in page
    assert set(re.findall(r'src="(\w+):', page)) == {"data"}
    assert page.count("<img") == 3  # gray, truth and hold
    assert "{{" not in page


def test_curves_are_drawn_for_each_system(reproduction):
    svg = collapse_svg(reproduction.systems)
    assert svg.startswith("<svg")
    assert all(f">{name}<" in svg for name in reproduction.systems)
    assert svg.count(">(1 - 0.200)^t<") == 2


def test_losses_are_drawn_where_there_is_an_adversary(reproduction):
    svg = losses_svg(reproduction.losses)
    assert ">cgan-dt5: generator<" in svg
    assert ">cgan-dt5: discriminator<" in svg
    assert "supervised" not in svg
    assert losses_svg({"supervised": reproduction.losses["supervised"]}).startswith("<svg")
