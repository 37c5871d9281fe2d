from __future__ import annotations

import gc
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import need
from tests.support.in_memory import use_memory_for_temporary_files
from vidcolor.inference import contract

TESTS = Path(__file__).parent
TOY = TESTS / "toy"
SLOWEST = (
    "training/reproduce/test_reproduce.py",
    "export/test_road.py",
    "runtime/film/test_stopped.py",
    "test_attack.py",
    "vapoursynth_plugin/test_example_arguments.py",
    "runtime/commands/test_color_again.py",
    "export/test_quantise.py",
    "runtime/commands/test_color_pairs.py",
    "test_colorizer_page.py",
    "test_film.py",
    "training/test_fit_processes.py",
    "export/test_colorizer.py",
    "runtime/commands/test_color_memory.py",
    "test_wheel.py",
    "test_pages.py",
)
"""Files that take longest are run first. One that is begun last would keep a process busy while the
others have nothing left to do."""

use_memory_for_temporary_files()

# How long an example takes depends on how busy the machine is.
settings.register_profile("vidcolor", deadline=None)
settings.load_profile("vidcolor")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {TESTS / name: place for place, name in enumerate(SLOWEST)}
    assert all(path.is_file() for path in places), "SLOWEST names a file that is gone"
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    # PyTorch and the tests themselves stay until the end: Python's collector of garbage need go
    # through them neither while they are imported nor later. What the tests make it looks through
    # more rarely; it takes a tenth of the time that the export of a graph does.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[object]:
    # What a file's tests leave, such as PyTorch's caches after an export, is not gone through
    # again: VapourSynth asks the collector for a whole pass whenever it has given a clip's frames.
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            gc.collect()
            gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cuda"):
        need.cuda()


@pytest.fixture
def heeded_signals() -> Iterator[None]:
    """Ctrl-C and SIGHUP are heeded meanwhile, also by processes that are started: a shell makes
    what it runs in the background deaf to the one, and `nohup` to the other."""
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    if hasattr(signal, "SIGHUP"):
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def toy_bundle() -> Path:
    return TOY / "bundle"


@pytest.fixture(scope="session")
def flow_bundle() -> Path:
    return TOY / "flow"


@pytest.fixture(scope="session")
def split_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy bundle, with what it needs of luma alone in a graph of its own."""
    import onnx

    from export.features import split

    bundle = tmp_path_factory.mktemp("split") / "bundle"
    shutil.copytree(TOY / "bundle", bundle)
    model = onnx.load(contract.graph_path(bundle, "propagate", "float32"))
    for name, part in split(model).items():
        onnx.save(part, contract.graph_path(bundle, name, "float32"))
    return bundle
