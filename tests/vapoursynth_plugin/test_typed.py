"""The types say what the plugin takes and gives."""

import inspect
import re
from pathlib import Path
from typing import get_args, get_overloads, get_type_hints

import pytest
import vapoursynth as vs

from vsvidcolor.propagate import propagate
from vsvidcolor.typed import Options, Versions, Vidcolor, vidcolor

ROOT = Path(__file__).parents[2]
core = vs.core


def test_it_is_the_plugin_itself():
    assert vidcolor().Propagate.signature == core.vidcolor.Propagate.signature


def test_the_options_are_those_that_the_plugin_registers():
    registered = re.findall(r"(\w+):([\w\[\]]+)(:opt)?;", core.vidcolor.Propagate.signature)
    optional = [name for name, _, is_optional in registered if is_optional]
    assert [name for name, _, is_optional in registered if not is_optional] == ["clip"]
    assert {*Options.__annotations__, "key", "confidence"} == set(optional)
    assert list(inspect.signature(propagate).parameters) == [name for name, _, _ in registered]
    for form in get_overloads(Vidcolor.Propagate):
        taken = list(inspect.signature(form).parameters)
        assert taken == ["self", "clip", "key", "confidence", "options"]


def test_the_default_of_each_option_is_of_its_type():
    kinds = get_type_hints(Options)
    for name, parameter in inspect.signature(propagate).parameters.items():
        if name in kinds and parameter.default is not None:
            options = get_args(kinds[name]) or (kinds[name],)
            types = tuple(kind for kind in options if isinstance(kind, type))
            assert parameter.default in options or isinstance(parameter.default, types)


def test_version_gives_what_its_type_says():
    assert core.vidcolor.Version().keys() <= Versions.__annotations__.keys()
    assert {"version", "onnxruntime"} <= core.vidcolor.Version().keys()


USE = """
import vapoursynth as vs
from vsvidcolor.typed import vidcolor

def use(clip: vs.VideoNode) -> None:
    reveal_type(vidcolor().Propagate(clip, clip, frames=[0, 9], direction="both", size=128))
    reveal_type(vidcolor().Propagate(clip, key=clip, confidence=True))
    reveal_type(vidcolor().Version()["onnxruntime"])
    vidcolor().Propagate(clip, clip, direction="up")
    vidcolor().Propagate(clip, clip, colour=1)
    vidcolor().Propagate()
"""


def test_a_type_checker_knows_the_plugin(tmp_path, monkeypatch):
    mypy = pytest.importorskip("mypy.api")
    monkeypatch.chdir(ROOT)
    (tmp_path / "script.py").write_text(USE)
    text, problems, _ = mypy.run([str(tmp_path / "script.py")])
    assert problems == ""
    # What is wrong elsewhere depends on the types that other libraries have; `make lint` tells.
    lines = [line for line in text.splitlines() if "script.py:" in line]
    said = [re.sub(r"^.*?:(\d+): ", r"\1 ", line) for line in lines]
    revealed = [line for line in said if "Revealed" in line]
    assert re.fullmatch(r'6 note: Revealed type is ".*VideoNode"', revealed[0])
    assert re.fullmatch(r'7 note: Revealed type is ".*list\[.*VideoNode\]"', revealed[1])
    assert re.fullmatch(r'8 note: Revealed type is "(builtins\.)?str"', revealed[2])
    wrong = {int(line.split()[0]) for line in said if " error: " in line}
    assert wrong == {9, 10, 11}
