"""docs/filter.md: its scripts run, and what it says of arguments is so."""

import inspect
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import vapoursynth as vs

from tests.support.videos import write_clip, write_key
from vidcolor.propagate import Propagator
from vidcolor.timeline import CHUNK
from vsvidcolor.key_clip import LOADED
from vsvidcolor.propagate import propagate
from vsvidcolor.replay import BUDGET

PAGE = Path(__file__).parents[2] / "docs" / "filter.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch, toy_bundle):
    """Where the page's scripts find their files; the toy is the model they do not name."""
    write_clip(tmp_path / "old.mkv", pts=range(0, 480, 40))
    for name in ("first", "later"):
        write_key(tmp_path / f"{name}.png")
    image = cv2.imread(str(tmp_path / "first.png"))
    alpha = np.zeros(image.shape[:2], np.uint8)
    alpha[20:24] = 255
    cv2.imwrite(str(tmp_path / "strokes.png"), np.dstack((image, alpha)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(propagate.__kwdefaults__, "model", str(toy_bundle))
    yield tmp_path
    vs.clear_outputs()


def test_the_scripts_run_one_after_the_other(folder):
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    namespace = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), namespace)  # noqa: S102
        clips = [value for value in namespace.values() if isinstance(value, vs.VideoNode)]
        for clip in clips:
            clip.get_frame(0).close()
    assert vs.get_output(0).clip.get_frame(3).props["VidcolorKeyed"] == 1


def test_the_signature_is_the_functions():
    text = re.search(r"vidcolor\.Propagate\((.*?)\]\)", TEXT, re.DOTALL)[1]
    shown = re.findall(r"(\w+)(\[\])? (\w+)(?:=([^,\]\s]+))?", text)
    kinds = {"vnode": "vnode", "int": "int", "bint": "int", "string": "data", "float": "float"}
    registered = "".join(
        f"{name}:{kinds[kind]}{array}{'' if name == 'clip' else ':opt'};"
        for kind, array, name, _ in shown
    )
    assert registered == vs.core.vidcolor.Propagate.signature
    defaults = {name: parameter.default for name, parameter in parameters().items()}
    for _, _, name, default in shown:
        if default:
            assert str(defaults[name]) == default.strip('"')
        else:
            assert defaults[name] in (None, inspect.Parameter.empty)


def test_every_argument_is_explained_in_order():
    explained = re.findall(r"^\*(\w+)\*:$", TEXT, re.MULTILINE)
    assert explained == list(parameters())


@pytest.mark.parametrize(("frames", "a_frame"), [(0, 1), ([0, 199], 3)])
def test_straight_runs_and_seeks_take_the_steps_it_says(frames, a_frame, toy_bundle, monkeypatch):
    steps = []

    def counted(self, luma, state, step=Propagator.step):
        steps.append(luma)
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", counted)
    core, length, checkpoint = vs.core, 200, 10
    clip = core.std.BlankClip(format=vs.GRAY8, width=64, height=64, length=length)
    key = core.std.BlankClip(clip, format=vs.RGB24, length=a_frame // 2 + 1)
    colored = core.vidcolor.Propagate(
        clip, key, frames, model=str(toy_bundle), provider="cpu", checkpoint=checkpoint
    )
    for n in range(length):
        colored.get_frame(n).close()
    assert length // 2 < len(steps) <= a_frame * length
    sides = 1 if a_frame == 1 else 2
    for n in (60, 21, 139, 48):
        steps.clear()
        colored.get_frame(n).close()
        assert len(steps) < sides * checkpoint


def test_its_numbers_are_those_of_the_code():
    assert f"{BUDGET // 2**20} MiB" in TEXT
    assert f"{CHUNK} at a time" in " ".join(TEXT.split())
    assert LOADED == 4
    assert "the last four are kept" in TEXT


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target
    heads = {
        head.lower().replace(" ", "-") for head in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= heads


def parameters():
    return inspect.signature(propagate).parameters
