"""Formats and frame properties in the runtime's terms, and back."""

import pytest
import vapoursynth as vs

from vidcolor.color import Coding
from vidcolor.errors import ArgumentError
from vidcolor.grid import Grid
from vsvidcolor.props import coding_of, grid_of, tag

core = vs.core


def frame(name="YUV420P8", height=64, **props):
    clip = core.std.BlankClip(format=getattr(vs, name), width=96, height=height, length=1)
    frame = clip.get_frame(0).copy()
    for prop in ("_Range", "_ColorRange", "_Matrix"):
        frame.props.pop(prop, None)
    frame.props.update(props)
    return frame


@pytest.mark.parametrize(
    ("given", "coding"),
    [
        (frame(), Coding("bt601", full_range=False, bits=8)),
        (frame(height=720), Coding("bt709", full_range=False, bits=8)),
        (frame("YUV420P10", _Matrix=9, _Range=1), Coding("bt2020", full_range=True, bits=10)),
        (frame("RGB24"), Coding("bt601", full_range=True, bits=8)),
        (frame("GRAYH", _Matrix=1), Coding("bt709", full_range=False, bits=16, is_float=True)),
        (frame(_Matrix="left by a script"), Coding("bt601", full_range=False, bits=8)),
    ],
)
def test_coding(given, coding):
    assert coding_of(given) == coding


@pytest.mark.parametrize(
    ("given", "grid"),
    [
        (frame("YUV420P8"), Grid(64, 96, (1, 1), "left")),
        (frame("YUV422P8", _ChromaLocation=1), Grid(64, 96, (1, 0), "center")),
        (frame("GRAY8", _ChromaLocation=2), Grid(64, 96, (0, 0), "topleft")),
    ],
)
def test_grid(given, grid):
    assert grid_of(given) == grid


def test_a_location_that_is_none_is_refused():
    with pytest.raises(ArgumentError, match=r"^_ChromaLocation is 9, accepted are 0 to 5$"):
        grid_of(frame(_ChromaLocation=9))


@pytest.mark.parametrize("props", [{}, {"_Matrix": 5, "_Range": 1}, {"_ChromaLocation": 1}])
@pytest.mark.parametrize("name", ["YUV420P8", "YUV444PS", "GRAY16"])
def test_what_is_tagged_reads_as_its_source(name, props):
    source, target = frame(name, **props), frame(name)
    tag(target, source)
    assert coding_of(target) == coding_of(source)
    assert grid_of(target).axes == grid_of(source).axes
    assert target.props["_Matrix"] == props.get("_Matrix", 6)
    assert ("_ChromaLocation" in target.props) == (name == "YUV420P8")
