from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from evaluation import __main__ as command
from evaluation.clips import load_clip
from evaluation.options import ClipOptions, TuringOptions
from evaluation.predictors import Predictor
from evaluation.scores import frame_rgb, prediction_rgb
from evaluation.turing import make_pair, turing
from tests.support import browser
from tests.support.footage import write_video
from tests.support.scenes import render
from vidcolor.errors import ArgumentError, BundleNotFoundError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SECONDS = 0.7
FRAMES = 10
NAMES = [f"footage/{seed}.mkv" for seed in range(4)]


@pytest.fixture(scope="module")
def options(tmp_path_factory, toy_bundle) -> TuringOptions:
    folder = tmp_path_factory.mktemp("turing")
    for seed in range(4):
        rgb = render(FRAMES, 64, 96, seed=seed, pan=2).rgb("bt601")
        write_video(folder / "footage" / f"{seed}.mkv", rgb)
    return TuringOptions(
        clips=folder / "footage",
        bundle=str(toy_bundle),
        out=folder / "page" / "turing.html",
        seconds=SECONDS,
        size=64,
        provider="cpu",
        cache=folder / "cache",
    )


@pytest.fixture(scope="module")
def written(options) -> Path:
    turing(options)
    return options.out


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@contextmanager
def begun(path: Path, chromium: Browser, *, seed: int = 7) -> Iterator[Page]:
    with browser.page(chromium) as page:
        page.goto(path.as_uri())
        begin(page, seed=seed)
        yield page


def begin(page: Page, *, seed: int) -> None:
    page.get_by_label("Seed of the order").fill(str(seed))
    page.get_by_role("button", name="Begin").click()


def drawn(page: Page) -> list[list[str]]:
    return page.evaluate("trials.map((trial) => [trial.pair.clip, trial.real])")


def test_a_pair_is_the_truth_above_what_the_model_makes_of_it(options):
    path = options.clips / "1.mkv"
    method = Predictor("propagation", "toy", options.bundle, "cpu")
    pair = make_pair("1", path, method=method, options=options)
    head, _, content = pair.video.partition(",")
    assert head == "data:video/mp4;base64"
    with av.open(io.BytesIO(base64.b64decode(content))) as container:
        assert container.streams.video[0].average_rate == 25
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    clip = load_clip(path, name="1", options=ClipOptions(size=64, cache=options.cache))
    painted = list(method.predict(clip))
    assert len(frames) == len(painted) == FRAMES - 1
    for t, frame in enumerate(frames):
        real, coloured = frame[:64].astype(float), frame[64:].astype(float)
        luma = clip.luma[t + 1]
        true = frame_rgb(luma, clip.chroma[t + 1])
        assert np.abs(real - true).mean() < 5
        assert np.abs(coloured - prediction_rgb(luma, painted[t])).mean() < 5
    assert np.abs(coloured - true).mean() > 20


def test_all_pairs_answered_by_keys_and_by_mouse(written, chromium):
    with begun(written, chromium) as page:
        order = drawn(page)
        assert sorted(name for name, _ in order) == NAMES
        for number, (_, real) in enumerate(order):
            assert page.inner_text("#count") == f"Pair {number + 1} of 4"
            assert page.get_by_role("button", name="Left").is_disabled()
            page.keyboard.press("ArrowLeft")  # too early: it must not count
            page.keyboard.press("Enter")  # 'Show the pair' has the focus
            page.wait_for_selector("#stage.shown")
            fooled = number == 2
            side = {"left": "right", "right": "left"}[real] if fooled else real
            if number % 2:
                page.get_by_role("button", name=side.title()).click()
            else:
                page.keyboard.press(f"Arrow{side.title()}")
        # 1 of 4: (1/4 + z²/8 ± z √(3/64 + z²/64)) / (1 + z²/4) with z = 1.96.
        assert page.inner_text("#rate") == "25.0 %"
        assert "in 1 of 4 pairs. 95 % confidence interval: 4.6 % to 69.9 %" in page.inner_text(
            "#told"
        )
        assert "The interval holds 50 %" in page.inner_text("#meaning")
        with page.expect_download() as download:
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
        saved = json.loads(Path(download.value.path()).read_text())
        assert download.value.suggested_filename == "turing-7.json"
    assert (saved["model"], saved["seed"], saved["seconds"]) == ("toy-bundle", 7, SECONDS)
    assert saved["outcome"].pop("interval") == pytest.approx([0.0456, 0.6994], abs=1e-4)
    assert saved["outcome"] == {
        "fooled": 1, "pairs": 4, "rate": 0.25, "confidence": 0.95, "method": "Wilson",
    }  # fmt: skip
    assert [[given["clip"], given["real"]] for given in saved["answers"]] == order
    assert [given["fooled"] for given in saved["answers"]] == [False, False, True, False]
    assert [given["answer"] == given["real"] for given in saved["answers"]] == [
        True,
        True,
        False,
        True,
    ]
    assert saved["started"] < saved["finished"]


LOOK = """async () => {
  const seen = () => ["left", "right"].map((side) => getComputedStyle(at(side)).visibility);
  const before = seen();
  await show();
  const during = seen();
  while (phase === "shown") await new Promise(requestAnimationFrame);
  return [before, during, seen(), video.paused];
}"""


def test_time_hides_the_clips_and_the_answer_still_counts(written, chromium):
    with begun(written, chromium) as page:
        hidden, visible = ["hidden"] * 2, ["visible"] * 2
        assert page.evaluate(LOOK) == [hidden, visible, hidden, True]
        assert page.inner_text("#state") == "Time is up: which one was it?"
        page.keyboard.press("ArrowRight")
        given = page.evaluate("answers[0]")
        assert (given["answer"], given["while_shown"]) == ("right", False)
        assert given["milliseconds"] >= 1000 * SECONDS
        assert page.inner_text("#count") == "Pair 2 of 4"
        # An answer in time ends the pair at once, and time does not go on against the next one.
        given = page.evaluate("show().then(() => answer('left')).then(() => answers[1])")
        assert (given["answer"], given["while_shown"]) == ("left", True)
        page.wait_for_timeout(1000 * SECONDS + 200)
        assert page.evaluate("[phase, answers.length]") == ["ready", 2]


def test_the_real_clip_is_on_its_side(written, options, chromium):
    """What is on the two canvases, against the footage."""
    with begun(written, chromium, seed=1) as page:
        for name, real in drawn(page)[:2]:
            page.get_by_role("button", name="Show the pair").click()
            page.wait_for_selector("#stage.shown")
            shown = {
                side: canvas(page.evaluate(f"screens.{side}.toDataURL()"))
                for side in ("left", "right")
            }
            page.keyboard.press("ArrowLeft")
            path = options.clips.parent / name
            clip = load_clip(path, name="", options=ClipOptions(size=64, cache=options.cache))
            truth = [frame_rgb(*planes) for planes in zip(clip.luma, clip.chroma, strict=True)]
            error = {
                side: min(float(np.abs(picture - true).mean()) for true in truth)
                for side, picture in shown.items()
            }
            assert min(error, key=error.get) == real
            assert error[real] < 8


def canvas(uri: str) -> np.ndarray:
    png = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
    return cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB).astype(float)


def test_what_the_page_draws_and_counts(written, chromium):
    with browser.page(chromium) as page:
        page.goto(written.as_uri())
        draws = (
            "seeds.map((seed) => draw(randomFrom(seed)).map((one) => [one.pair.clip, one.real]))"
        )
        orders = page.evaluate(f"(seeds) => {draws}", [7, 7, *range(100)])
        assert page.evaluate("wilson(0, 10)") == pytest.approx([0, 3.8415 / 13.8415], abs=1e-5)
        assert page.evaluate("wilson(10, 10)") == pytest.approx([10 / 13.8415, 1], abs=1e-5)
        # (1/2 + z²/20 ± z √(1/40 + z²/400)) / (1 + z²/10)
        assert page.evaluate("wilson(5, 10)") == pytest.approx([0.236593, 0.763407], abs=1e-6)
        assert page.get_by_label("Seed of the order").input_value().isdecimal()
        begin(page, seed=7)
        assert drawn(page) == orders[0] == orders[1]
    assert all(sorted(name for name, _ in order) == NAMES for order in orders)
    assert len({tuple(name for name, _ in order) for order in orders}) == 24  # all there are
    sides = [side for order in orders[2:] for _, side in order]
    assert 160 < sides.count("left") < 240  # of 400


def test_the_page_needs_nothing_else(written):
    text = re.sub(r"data:video/mp4;base64,[\w+/=\\]+", "", written.read_text())
    assert not re.search(r"https?:|<link|src=|@import|url\(", text)
    assert len(text) < 40_000


def test_the_command(options, tmp_path, monkeypatch, capsys):
    out = tmp_path / "new" / "page.html"
    arguments = [
        "turing", "--clips", str(options.clips), "--bundle", options.bundle, "-o", str(out),
        "--pairs", "2", "--seconds", "0.2", "--size", "64", "--provider", "cpu",
        "--cache", str(options.cache),
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["evaluation", *arguments])
    assert command.main() == 0
    assert capsys.readouterr().out == f"{out}\n"
    page = out.read_text()
    assert "You will see 2 pairs" in page
    assert "shown for 0.2 seconds" in page
    assert page.count("data:video/mp4") == 2
    assert [path.name for path in out.parent.iterdir()] == ["page.html"]


def test_the_seed_draws_the_videos(options):
    chosen = []
    for seed in range(6):
        few = replace(options, pairs=1, seed=seed, seconds=0.2)
        turing(few)
        chosen.append(re.findall(r'"clip": "([^"]+)"', few.out.read_text()))
    turing(options)
    assert len({tuple(names) for names in chosen}) > 1
    assert all(len(names) == 1 for names in chosen)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"pairs": 0}, ArgumentError, "pairs is 0, 1 to 500 is accepted"),
        ({"seed": -1}, ArgumentError, "seed is -1, 0 to 4294967295 is accepted"),
        ({"seconds": 0.0}, ArgumentError, "seconds is 0, 0.2 to 60 is accepted"),
        ({"size": 8}, ArgumentError, "size is 8, 16 to 1080"),
        ({"clips": Path("nowhere")}, ArgumentError, "nowhere is not a folder"),
        ({"bundle": "no-such-model"}, BundleNotFoundError, "no-such-model"),
    ],
)
def test_what_cannot_be_done(options, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        turing(replace(options, out=tmp_path / "page.html", **changes))
    assert not list(tmp_path.iterdir())


def test_clips_that_cannot_be_shown(options, tmp_path):
    out = tmp_path / "page.html"
    with pytest.raises(ArgumentError, match=r"is a folder, the page's file is needed"):
        turing(replace(options, out=tmp_path))
    (film := tmp_path / "film.mkv").write_bytes(b"a film")
    with pytest.raises(ArgumentError, match=r"out: .*film.mkv should end in .html"):
        turing(replace(options, out=film))
    assert film.read_bytes() == b"a film"
    folder = tmp_path / "clips"
    write_video(folder / "short.mkv", render(2, 64, 96).rgb("bt601"))
    with pytest.raises(ArgumentError, match=r"short.mkv has 2 frames; a key and two"):
        turing(replace(options, clips=folder, out=out))
    (folder / "short.mkv").write_bytes(b"no video")
    with pytest.raises(ArgumentError, match=r"short.mkv cannot be decoded"):
        turing(replace(options, clips=folder, out=out))
    assert not out.exists()
