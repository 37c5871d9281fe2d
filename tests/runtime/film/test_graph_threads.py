"""How many threads the model's graphs have in a film."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.videos import write_clip, write_key
from vidcolor.errors import BundleNotFoundError
from vidcolor.film import color_video as color_video_module
from vidcolor.film import graph_threads as module
from vidcolor.film.color_video import color_video
from vidcolor.film.graph_threads import graph_threads
from vidcolor.inference.session import Session


@pytest.mark.parametrize(
    ("cores", "model", "precision", "jobs", "threads"),
    [
        (2, "vidcolor-2", "auto", 1, 1),
        (2, "vidcolor-2", "int8", 1, 1),
        (2, "vidcolor-2", "float32", 1, None),
        (2, "toy", "auto", 1, None),
        (1, "vidcolor-2", "auto", 1, 1),
        (1, "toy", "float32", 1, None),
        (3, "vidcolor-2", "auto", 1, None),
        (16, "toy", "auto", 1, None),
        (16, "vidcolor-2", "auto", 3, 5),
        (2, "vidcolor-2", "float32", 4, 1),
    ],
)
def test_on_two_cores_a_graph_in_8_bits_leaves_one_to_all_else(
    cores: int,
    model: str,
    precision: str,
    jobs: int,
    threads: int | None,
    toy_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "count_cores", lambda: cores)
    name = str(toy_bundle) if model == "toy" else model
    assert graph_threads(name, precision, jobs=jobs) == threads


def test_a_model_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "count_cores", lambda: 2)
    with pytest.raises(BundleNotFoundError, match="nowhere"):
        graph_threads("nowhere", "auto", jobs=1)


def test_a_film_is_coloured_with_them(
    toy_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, key = write_clip(tmp_path / "clip.mkv"), write_key(tmp_path / "key.png")
    given: list[object] = []
    load = Session.load

    def noted(*arguments: object, **options: object) -> Session:
        given.append(options["threads"])
        return load(*arguments, **options)  # type: ignore[arg-type]

    def chosen(*_: object, jobs: int) -> int:
        given.append(jobs)
        return 2

    monkeypatch.setattr(Session, "load", noted)
    monkeypatch.setattr(color_video_module, "graph_threads", chosen)
    color_video(
        clip,
        keys=key,
        output=tmp_path / "out.mkv",
        model=toy_bundle,
        scenes="none",
        skip_key_check=True,
    )
    assert given == [1, 2]
