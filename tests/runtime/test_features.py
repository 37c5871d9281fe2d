"""A model with a features graph colours as it would without, and computes features once, ahead."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.support.films import write_film, write_keys
from tests.support.scenes import Scene, render
from tests.support.videos import frames, plane
from vidcolor.cli import main
from vidcolor.errors import BundleError
from vidcolor.film.fingerprint import fingerprint_model
from vidcolor.inference import contract
from vidcolor.inference.bundle import DEFAULT_MODEL
from vidcolor.inference.session import Session, Tensors
from vidcolor.planes import Key
from vidcolor.propagate import FEATURES_PLANES, Propagator, Step

FRAMES = 9


@pytest.fixture(scope="module")
def scene() -> Scene:
    return render(FRAMES, 45, 61)


@pytest.fixture(scope="module")
def whole(toy_bundle: Path) -> Propagator:
    return Propagator(Session.load(toy_bundle, provider="cpu", threads=1))


@pytest.fixture(scope="module")
def split(split_bundle: Path) -> Propagator:
    return Propagator(Session.load(split_bundle, provider="cpu", threads=1))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The thread of each time that features were computed."""
    threads: list[threading.Thread] = []
    features = Session.features

    def spy(session: Session, luma: np.ndarray) -> Tensors:
        threads.append(threading.current_thread())
        return features(session, luma)

    monkeypatch.setattr(Session, "features", spy)
    return threads


def walk(propagator: Propagator, scene: Scene) -> list[Step]:
    state = propagator.init_state(scene.key())
    steps = []
    for luma in scene.luma[1:]:
        steps.append(propagator.step(luma, state))
        state = steps[-1].state
    return steps


def assert_same(steps: list[Step], expected: list[Step]) -> None:
    assert len(steps) == len(expected)
    for step, other in zip(steps, expected, strict=True):
        np.testing.assert_array_equal(step.chroma, other.chroma)
        np.testing.assert_array_equal(step.confidence, other.confidence)


def test_the_graph_gives_what_propagate_takes(split: Propagator, whole: Propagator) -> None:
    luma = np.random.default_rng(0).random((1, 1, 16, 24), np.float32)
    (features,) = split.session.features(luma).values()
    np.testing.assert_array_equal(features.numpy(), luma)
    assert not whole.session.features(luma)


def test_step_by_step(split: Propagator, whole: Propagator, scene: Scene) -> None:
    assert_same(walk(split, scene), walk(whole, scene))


def test_a_run_computes_them_ahead_and_once(
    split: Propagator, whole: Propagator, scene: Scene, computed: list[threading.Thread]
) -> None:
    propagator = Propagator(split.session)
    steps = list(propagator.run(scene.luma[1:], propagator.init_state(scene.key()), workers=2))
    assert_same(steps, walk(whole, scene))
    ahead = [thread for thread in computed if thread is not threading.current_thread()]
    assert len(ahead) == FRAMES - 1


def test_another_pass_takes_them_from_the_first(
    split: Propagator, scene: Scene, computed: list[threading.Thread]
) -> None:
    propagator = Propagator(split.session)
    state = propagator.init_state(scene.key())
    first = propagator.prepare(scene.luma[1], state)
    again = propagator.prepare(scene.luma[1], state, previous=scene.luma[2], reuse=first)
    assert again.features is first.features
    assert len(computed) == 1
    other = propagator.prepare(scene.luma[3], state, previous=scene.luma[2], reuse=first)
    assert len(computed) == 2
    (features,) = other.features.values()
    np.testing.assert_array_equal(features.numpy(), other.luma)


def test_they_count_as_memory_that_is_held(split: Propagator, scene: Scene) -> None:
    inputs = split.prepare(scene.luma[1], split.init_state(scene.key()))
    assert inputs.nbytes == 2 * inputs.luma.nbytes  # the toy's features are luma once more


def test_so_they_do_where_a_run_prepares_ahead() -> None:
    """About as many bytes as the shipped model has of them."""
    propagator = Propagator(Session.load(DEFAULT_MODEL, provider="cpu", threads=1))
    luma = render(1, 64, 96).luma[0]
    state = propagator.init_state(Key(luma, np.zeros((2, 64, 96), np.float32)))
    inputs = propagator.prepare(luma, state)
    features = sum(t.tensor_size_in_bytes() for t in inputs.features.values())
    assert features == pytest.approx(FEATURES_PLANES * luma.nbytes, rel=0.1)


def test_without_the_graph_the_bundle_is_refused(split_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(split_bundle, tmp_path / "bundle"))
    contract.graph_path(bundle, contract.OF_LUMA, "float32").unlink()
    with pytest.raises(
        BundleError, match=r"propagate\.float32\.onnx: inputs hold unknown features"
    ):
        Session.load(bundle, provider="cpu", precision="float32")


def test_a_graph_that_fails_is_named(split_bundle: Path, tmp_path: Path, scene: Scene) -> None:
    bundle = Path(shutil.copytree(split_bundle, tmp_path / "bundle"))
    path = contract.graph_path(bundle, contract.OF_LUMA, "float32")
    model = onnx.load(path)
    (name,) = (value.name for value in model.graph.output)
    del model.graph.node[:]
    model.graph.node.append(onnx.helper.make_node("Gather", ["luma", "ninth"], [name], axis=0))
    ninth = onnx.numpy_helper.from_array(np.array([9], np.int64), "ninth")
    model.graph.initializer.append(ninth)
    onnx.save(model, path)
    propagator = Propagator(Session.load(bundle, provider="cpu", precision="float32"))
    with pytest.raises(BundleError, match=r"^model 'toy-bundle' failed: "):
        propagator.step(scene.luma[1], propagator.init_state(scene.key()))


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_a_film(
    direction: str, split_bundle: Path, toy_bundle: Path, scene: Scene, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "film.mkv", scene)
    keys = write_keys(tmp_path / "keys", scene, (1, 6))
    found = []
    for bundle in (toy_bundle, split_bundle):
        output = tmp_path / "out.mkv"
        command = ["color", str(film), "--keys", str(keys), "-o", str(output), "--overwrite"]
        command += ["--model", str(bundle), "--provider", "cpu", "--direction", direction]
        assert main([*command, "--codec", "ffv1", "--size", "32"]) == 0
        found.append([plane(frame, n).tobytes() for frame in frames(output) for n in (1, 2)])
    assert found[0] == found[1]
    assert len(set(found[0])) > FRAMES


def test_what_is_kept_of_a_film_depends_on_the_graph(split_bundle: Path, tmp_path: Path) -> None:
    session = Session.load(split_bundle, provider="cpu")
    bundle = Path(shutil.copytree(split_bundle, tmp_path / "bundle"))
    assert fingerprint_model(bundle, session) == fingerprint_model(split_bundle, session)
    with contract.graph_path(bundle, contract.OF_LUMA, "float32").open("ab") as file:
        file.write(b"\0")
    assert fingerprint_model(bundle, session) != fingerprint_model(split_bundle, session)
