"""Bad input: one sentence when the filter is made, before any frame is fetched."""

import re

import numpy as np
import pytest
import vapoursynth as vs

from vsvidcolor.arguments import key_frames

core = vs.core


def blank(name="YUV420P8", width=96, height=64, length=2):
    return core.std.BlankClip(format=getattr(vs, name), width=width, height=height, length=length)


@pytest.fixture(scope="module")
def arguments(toy_bundle):
    key = blank("RGB24", length=1)
    return {"clip": blank(), "key": key, "model": str(toy_bundle), "provider": "cpu"}


def variable(first, second):
    return core.std.Splice([first, second], mismatch=True)


CONVERT = "changes its format or size .* convert it, for instance with core.resize.Bicubic"
KINDS = "8 to 16 bits or half or single float"


@pytest.mark.parametrize(
    ("argument", "make", "sentence"),
    [
        ("clip", lambda: blank("RGB24"), f"clip is RGB24, accepted are GRAY and YUV of {KINDS}"),
        ("clip", lambda: blank("GRAY32"), f"clip is Gray32, accepted are GRAY and YUV of {KINDS}"),
        ("clip", lambda: blank(width=30), "clip is 30x64, accepted are at least 32 pixels"),
        (
            "clip",
            lambda: variable(blank(), blank("GRAY8")),
            f"clip {CONVERT}",
        ),
        (
            "clip",
            lambda: variable(blank(), blank(width=64)),
            f"clip {CONVERT}",
        ),
        ("key", lambda: variable(blank(), blank("GRAY8")), f"key {CONVERT}"),
        ("key", lambda: blank("GRAY8"), f"key is Gray8, accepted are RGB and YUV of {KINDS}"),
        (
            "key",
            lambda: blank("RGB24", 64, 64),
            "key is 64x64, of aspect 1.000, clip is 96x64, of aspect 1.500; they may differ by 2%",
        ),
        (
            "frames",
            lambda: [0, 1],
            "frames holds 2 numbers, accepted is one for each frame of key, 1",
        ),
        ("frames", lambda: 2, "frames holds 2, accepted are frames of clip, 0 to 1"),
        ("frames", lambda: [-1], "frames holds -1, accepted are frames of clip, 0 to 1"),
        ("scenes", lambda: [0, 2], "scenes holds 2, accepted are frames of clip, 0 to 1"),
        ("direction", lambda: "up", "direction is 'up', accepted are forward, backward, both"),
        ("confidence", lambda: 2, "confidence is 2, accepted are 0 and 1"),
        ("saturation", lambda: -0.5, "saturation is -0.5, accepted are 0 to 1000$"),
        (
            "saturation",
            lambda: float("nan"),
            "saturation is nan, accepted are 0 to 1000$",
        ),
        (
            "saturation",
            lambda: 1e300,
            r"saturation is 1e\+300, accepted are 0 to 1000",
        ),
        ("hue", lambda: -400.0, "hue is -400.0, accepted are degrees from -360 to 360"),
        (
            "hue",
            lambda: [1.0, 2.0],
            "hue holds 2 numbers, accepted are one for all frames, or one for each of ranges, "
            "which holds 0",
        ),
        ("ranges", lambda: [0, 2], "ranges holds 2, accepted are frames of clip, 0 to 1"),
        (
            "ranges",
            lambda: [1, 0],
            r"ranges is \[1, 0\], accepted are a first and a last frame",
        ),
        ("ranges", lambda: 1, r"ranges is \[1\], accepted are a first and a last frame for each"),
        ("checkpoint", lambda: 0, "checkpoint is 0, accepted are whole numbers from 1"),
        ("size", lambda: 31, "size is 31, accepted are whole numbers from 32"),
        ("device_id", lambda: -1, "device_id is -1, accepted are whole numbers from 0"),
        ("num_streams", lambda: 0, "num_streams is 0, accepted are whole numbers from 1"),
        ("verbosity", lambda: -1, "verbosity is -1, accepted are 0 to 4"),
        ("verbosity", lambda: 5, "verbosity is 5, accepted are 0 to 4"),
        ("fp16", lambda: 2, "fp16 is 2, accepted are 0 and 1"),
        ("provider", lambda: "tpu", "provider is 'tpu', accepted are auto, cpu, cuda"),
        ("model", lambda: "nosuch", "model is 'nosuch', accepted are a shipped model's name"),
        ("model", lambda: "", "model is '', accepted are a shipped model's name"),
    ],
)
def test_one_sentence_names_argument_value_and_what_is_accepted(
    argument, make, sentence, arguments
):
    with pytest.raises(vs.Error) as caught:
        core.vidcolor.Propagate(**(arguments | {argument: make()}))
    text = str(caught.value)
    assert re.match(f"Propagate: {sentence}", text), text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("argument", "clip"),
    [
        ("clip", variable(blank(width=64), blank("GRAY8"))),
        ("clip", blank("RGB24")),
        ("clip", blank("RGB30")),
        ("clip", blank("RGBS")),
        ("key", variable(blank("RGB24", 48, 32, 1), blank("RGB48", length=1))),
    ],
)
def test_what_is_said_to_convert_a_clip_does_when_it_is_typed(argument, clip, arguments):
    given = arguments | {argument: clip, "frames": [0, 1] if argument == "key" else None}
    with pytest.raises(vs.Error, match="convert it, for instance") as caught:
        core.vidcolor.Propagate(**given)
    typed = re.search(r"core\.resize.*$", str(caught.value))[0]
    converted = eval(typed, {"core": core, "vs": vs, argument: clip})  # noqa: S307
    if clip.width:  # of one size, so it is the family that is to change
        assert converted.format == clip.format.replace(color_family=vs.YUV)
    elif argument == "clip":
        given["key"] = core.resize.Bicubic(given["key"], width=1920, height=1080)
    core.vidcolor.Propagate(**(given | {argument: converted})).get_frame(1).close()


def test_references_of_several_sizes_are_clips_of_their_own(arguments):
    pictures = [blank("RGB24", length=1), blank("RGB24", 48, 32, 1)]
    with pytest.raises(vs.Error, match="give each picture as a clip of its own"):
        core.vidcolor.Propagate(**arguments, references=[variable(*pictures)])


def test_a_frame_has_one_key(arguments):
    with pytest.raises(vs.Error, match=r"^Propagate: frames holds 1 more than once"):
        core.vidcolor.Propagate(**(arguments | {"key": blank("RGB24", length=2), "frames": [1, 1]}))


class Number(int):
    """A whole number that counts how often it is compared."""

    compared = 0

    def __eq__(self, other):
        Number.compared += 1
        return int(self) == int(other)

    __hash__ = int.__hash__


def test_keys_for_every_frame_of_a_film_are_checked_in_a_few_comparisons_each():
    """With each compared to all others, the keys of half an hour took half a minute."""
    frames = [Number(n) for n in range(2000)]
    assert key_frames(frames, blank("RGB24", length=2000), blank(length=2000)) == frames
    assert Number.compared < 20_000


def test_a_broken_bundle_is_named(arguments, toy_bundle, tmp_path):
    for path in toy_bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[:400])
    with pytest.raises(vs.Error, match=rf"^Propagate: {tmp_path}.*remember.float32.onnx: .*load"):
        core.vidcolor.Propagate(**(arguments | {"model": str(tmp_path)}))


@pytest.mark.parametrize("argument", ["clip", "key"])
def test_missing_arguments_are_vapoursynths_business(argument, arguments):
    given = {name: value for name, value in arguments.items() if name != argument}
    with pytest.raises(vs.Error, match=argument):
        core.vidcolor.Propagate(**given)


@pytest.mark.parametrize("argument", ["clip", "key"])
def test_no_frame_is_fetched_when_the_filter_is_made(argument, arguments):
    def fetch(n, f):
        raise RuntimeError("a frame was fetched")

    source = core.std.ModifyFrame(arguments[argument], arguments[argument], fetch)
    colored = core.vidcolor.Propagate(**(arguments | {argument: source}))
    with pytest.raises(vs.Error, match="a frame was fetched"):
        colored.get_frame(0)


@pytest.mark.parametrize("tags", [(8, 1, 1), (12, 1, 1), (14, 9, 16)])
def test_a_matrix_that_is_refused_is_converted_as_the_refusal_says(tags, arguments):
    props = dict(zip(("_Matrix", "_Primaries", "_Transfer"), tags, strict=True))
    clip = core.std.SetFrameProps(blank(), **props)
    colored = core.vidcolor.Propagate(**(arguments | {"clip": clip}))
    with pytest.raises(vs.Error, match=rf"matrix is {tags[0]} \(.*; convert it first") as told:
        colored.get_frame(0)
    command = str(told.value).rpartition("such as with ")[2]
    converted = eval(command, {"core": core, "clip": clip})  # noqa: S307
    colored = core.vidcolor.Propagate(**(arguments | {"clip": converted}))
    assert colored.get_frame(0).props["_Matrix"] == 1


@pytest.mark.parametrize(
    ("argument", "props", "sentence"),
    [
        ("clip", {"_Matrix": 8}, "the clip's matrix is 8 (YCgCo), accepted are 1 (bt709)"),
        ("key", {"_Matrix": 8}, "key: the clip's matrix is 8 (YCgCo), accepted are 1"),
        ("blend", {"_Matrix": 8}, "blend: the clip's matrix is 8 (YCgCo), accepted are 1"),
        ("clip", {"_Matrix": 10}, "the clip's matrix is 10 (BT.2020 with constant"),
        ("clip", {"_ChromaLocation": 9}, "_ChromaLocation is 9, accepted are 0 to 5"),
        ("key", {"_ChromaLocation": 9}, "key: _ChromaLocation is 9, accepted are 0 to 5"),
    ],
)
def test_properties_that_mean_nothing_fail_their_frame(argument, props, sentence, arguments):
    source = core.std.SetFrameProps(blank(), **props)
    blend = {"blend": source, "weight": 0.5} if argument == "blend" else {}
    colored = core.vidcolor.Propagate(**(arguments | {argument: source} | blend))
    with pytest.raises(vs.Error, match=f"^Propagate: frame 0: {re.escape(sentence)}"):
        colored.get_frame(0)


@pytest.mark.parametrize(("form", "plane"), [("RGBS", 0), ("YUV444PS", 1)])
def test_a_key_of_floats_that_are_no_numbers_is_named(form, plane, arguments):
    def spoil(n, f):
        f = f.copy()
        np.asarray(f[plane])[3, 5] = np.nan
        return f

    key = blank(form, length=1)
    key = core.std.ModifyFrame(key, key, spoil)
    colored = core.vidcolor.Propagate(**(arguments | {"key": key}))
    with pytest.raises(vs.Error, match=r"^Propagate: frame 0: key: .* got nan to nan$"):
        colored.get_frame(1)


def test_ranges_are_for_saturation_and_hue(arguments):
    """They do not say which frames are coloured, which is what one might take them for."""
    with pytest.raises(vs.Error) as caught:
        core.vidcolor.Propagate(**arguments, ranges=[0, 1])
    assert str(caught.value) == (
        "Propagate: ranges is given without saturation and hue, whose numbers it is for; to colour "
        "only some frames, give clip[first : last + 1] as clip"
    )
    core.vidcolor.Propagate(**arguments, ranges=[0, 1], saturation=1.0)
    with pytest.raises(vs.Error, match="ranges holds 2 ranges, accepted are as many as there are"):
        core.vidcolor.Propagate(**arguments, ranges=[0, 0, 1, 1], saturation=1.0)
