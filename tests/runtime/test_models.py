"""The bundles that ship with the package."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from skimage import data

from tests.support.scenes import Scene
from vidcolor.color import rgb_to_key
from vidcolor.errors import ArgumentError, BundleNotFoundError
from vidcolor.film.keys import read_references
from vidcolor.inference import contract
from vidcolor.inference.bundle import ALIASES, DEFAULT_MODEL, MODELS, find_bundle
from vidcolor.inference.colorizer import find_colorizer
from vidcolor.inference.session import Session
from vidcolor.planes import Plane
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

SHIPPED = sorted(path.name for path in MODELS.iterdir() if path.is_dir())
MEGABYTES = 20
"""At most so much for the float32 graphs of a bundle."""


STEP = 5
"""Pixels that the camera moves to the right from frame to frame."""


@pytest.fixture(scope="module")
def pan() -> Scene:
    """The camera passes over a photograph: at the right edge comes what the key has not seen."""
    photograph = rgb_to_key(data.astronaut()[120:280].astype(np.float32) / 255, "bt601")
    views = [slice(20 + STEP * t, 20 + STEP * t + 240) for t in range(8)]
    return Scene(
        luma=np.stack([photograph.luma[:, view] for view in views]),
        chroma=np.stack([photograph.chroma[:, :, view] for view in views]),
    )


@pytest.fixture(scope="module")
def color(pan: Scene) -> Callable[..., list[tuple[Plane, Plane]]]:
    """Chroma and confidence of the scene's frames 1, 2, ..., computed once for the same options."""

    @cache
    def steps(model: str, precision: str, threads: int) -> list[tuple[Plane, Plane]]:
        session = Session.load(model, provider="cpu", precision=precision, threads=threads)
        propagator = Propagator(session)
        state, colored = propagator.init_state(pan.key()), []
        for luma in pan.luma[1:]:
            chroma, confidence, state = propagator.step(luma, state)
            colored.append((chroma, confidence))
        return colored

    def color(
        model: str = DEFAULT_MODEL, *, precision: str = "auto", threads: int = 1
    ) -> list[tuple[Plane, Plane]]:
        return steps(model, precision, threads)

    return color


def test_the_default_model_ships():
    assert DEFAULT_MODEL in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_bundle_is_whole_small_and_says_what_it_is(name):
    bundle = MODELS / name
    session = Session.load(name, provider="cpu")
    assert session.metadata.name == name
    assert session.metadata.licence.startswith("MIT")
    size = sum(contract.graph_path(bundle, g, "float32").stat().st_size for g in contract.GRAPHS)
    assert size < MEGABYTES * 1e6
    card = (bundle / "CARD.md").read_text(encoding="utf-8")
    assert "permissive" in card
    assert card.startswith(f"# {name}\n")
    assert session.metadata.training_data in card


@pytest.mark.parametrize(("alias", "name"), [("flagship", DEFAULT_MODEL), ("seeds", "unet-2019")])
def test_other_names_lead_to_the_same_bundle(alias, name):
    assert ALIASES[alias] == name
    assert find_bundle(alias) == find_bundle(name) == MODELS / name


def test_what_it_says_of_itself_has_the_name_that_it_ships_under():
    """Whichever name it was asked for by, and the one that it was exported under."""
    session = Session.load("seeds", provider="cpu")
    with pytest.raises(ArgumentError, match="the model unet-2019 remembers no pictures"):
        read_references(
            ["still.png"], session=session, working_size=WorkingSize.of(48, 64, 48), matrix="bt709"
        )


def test_a_name_that_does_not_ship_is_refused_with_those_that_do():
    with pytest.raises(BundleNotFoundError, match=r"'vidcolor-0', .*unet-2019, vidcolor-2"):
        find_bundle("vidcolor-0")


@pytest.mark.parametrize("path", [".", "..", "../mine", "./vidcolor-2"])
def test_a_path_is_never_looked_for_among_those_that_ship(tmp_path, monkeypatch, path):
    """So a command in a bundle's own folder takes it by --model . there."""
    folder = tmp_path / "models" / "mine"
    (folder / "vidcolor-2").mkdir(parents=True)
    monkeypatch.chdir(folder)
    with pytest.raises(BundleNotFoundError, match="the path of a folder with a bundle"):
        find_bundle(path)
    (folder / path / "colorize.float32.onnx").touch()
    assert find_bundle(path).resolve() == (folder / path).resolve()
    assert find_colorizer(path).resolve() == (folder / path / "colorize.float32.onnx").resolve()


def test_whose_weights_others_made_is_said():
    """The trunk of the default model is under Apache-2.0, whose notice ships with the package."""
    session = Session.load(provider="cpu")
    assert "Apache-2.0" in session.metadata.licence
    assert "EfficientNet-Lite0" in (MODELS / DEFAULT_MODEL / "CARD.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_colours_do_not_depend_on_the_number_of_threads(name, color):
    once, again = (color(name, threads=threads) for threads in (1, 2))
    for (chroma, confidence), (other, sure) in zip(once, again, strict=True):
        assert np.array_equal(chroma, other)
        assert np.array_equal(confidence, sure)


@pytest.mark.parametrize("name", SHIPPED)
def test_float16_colours_as_float32_does(name, color):
    exact, half = (color(name, precision=p) for p in contract.PRECISIONS)
    apart = max(np.abs(e[0] - h[0]).max() for e, h in zip(exact, half, strict=True))
    assert 0 < apart < 0.02  # export's tolerance; 0 would mean that float16 was not used


def test_the_default_model_has_int8_for_cpus_which_colours_as_float32_does(color):
    assert Session.load(provider="cpu").precision == contract.INT8
    exact, coded = (color(precision=p) for p in ("float32", contract.INT8))
    apart = [np.abs(e[0] - c[0]) for e, c in zip(exact, coded, strict=True)]
    assert 0 < max(difference.max() for difference in apart) < 0.05  # export's tolerance
    assert max(difference.mean() for difference in apart) < 0.5 / 255  # half a code value


def test_the_default_model_carries_colour(pan, color):
    """From the third frame on, far better than the key's colours left where they were."""
    painted = [chroma for chroma, _ in color()]
    for chroma, truth in zip(painted[2:], pan.chroma[3:], strict=True):
        held = np.square(pan.chroma[0] - truth).mean()
        assert np.square(chroma - truth).mean() < held / 4


def test_the_default_model_is_less_sure_of_what_the_key_has_not_seen(color):
    _, confidence = color()[-1]
    new = STEP * 7
    assert confidence[:, -new:].mean() < 0.8 * confidence[:, :-new].mean()
