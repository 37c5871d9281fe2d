from __future__ import annotations

import csv
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from evaluation.clips import PREPARED, load_split, scaled_rgb
from evaluation.options import ClipOptions
from tests.support.footage import write_video
from tests.support.scenes import render
from tests.support.waiting import DEADLINE
from training import __main__ as command
from training.data.options import RolloutOptions
from training.data.prepare.manifest import MANIFEST
from training.data.prepare.options import PrepareOptions
from training.data.prepare.prepare import prepare
from training.fit import fit
from training.options import FitOptions
from training.run_log import read_losses
from vidcolor.errors import ArgumentError

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five good videos in classes, one with a cut and a copy; a gray, a still and a broken one."""
    folder = tmp_path_factory.mktemp("footage") / "footage"
    for seed in range(4):
        rgb = render(10, 64, 80, seed=seed, pan=2).rgb("bt601")
        write_video(folder / "waving" / f"{seed}.mkv", rgb)
    cut = [render(10, 64, 80, seed=seed, pan=2).rgb("bt601") for seed in (10, 11)]
    write_video(folder / "cut.mkv", np.concatenate([*cut, render(3, 64, 80, seed=12).rgb()]))
    shutil.copy(folder / "waving" / "2.mkv", folder / "copy.mkv")
    write_video(folder / "gray.mkv", cut[0][..., :1].repeat(3, axis=-1))
    write_video(folder / "still.mkv", cut[1][:1].repeat(10, axis=0))
    (folder / "broken.mkv").write_bytes((folder / "cut.mkv").read_bytes()[:300])
    return folder


@pytest.fixture(scope="module")
def options(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> PrepareOptions:
    return PrepareOptions(
        videos=(videos,),
        out=tmp_path_factory.mktemp("prepared") / "data",
        size="64x64",
        fps=25.0,
        shortest=6,
        test=0.3,
    )


@pytest.fixture(scope="module")
def data(options: PrepareOptions) -> Path:
    prepare(options)
    return options.out


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / MANIFEST).open(newline="") as file:
        return list(csv.DictReader(file))


def content(folder: Path) -> dict[str, bytes]:
    """Every file but the journal, whose lines come in the order of the work."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != PREPARED]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def rows_of(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The manifest's lines by the video's path and the shot's number."""
    return {(r["source"].removeprefix("footage/"), r["shot"]): r for r in manifest(folder)}


KEPT = [("copy.mkv", "0"), ("cut.mkv", "0"), ("cut.mkv", "1")] + [
    (f"waving/{n}.mkv", "0") for n in (0, 1, 3)
]


def test_the_manifest_says_what_became_of_each_shot(data):
    rows = rows_of(data)
    assert [key for key, row in rows.items() if row["kept"] == "yes"] == KEPT
    left_out = {key: row["reason"] for key, row in rows.items() if row["kept"] == "no"}
    assert left_out.pop(("broken.mkv", "")).startswith("it ")
    assert left_out.pop(("gray.mkv", "0")).startswith("near-gray: mean chroma 0.")
    assert left_out == {
        ("cut.mkv", "2"): "short: 3 frames, 6 are needed",
        ("still.mkv", "0"): "still: 0.00% of it changes, 1.00% is needed",
        ("waving/2.mkv", ""): "the same file as footage/copy.mkv",
    }
    second = rows["cut.mkv", "1"]
    assert second["start_seconds"] == "0.4"
    assert {k: second[k] for k in ("frames", "width", "height", "fps")} == {
        "frames": "10", "width": "64", "height": "64", "fps": "25",
    }  # fmt: skip


def test_each_kept_shot_is_a_pair_and_nothing_else_is_there(data):
    files = content(data)
    kept = [row for row in manifest(data) if row["kept"] == "yes"]
    expected = {row["file"] for row in kept}
    assert set(files) == expected | {f"gray/{file}" for file in expected} | {MANIFEST}
    for row in kept:
        assert row["file"].startswith(f"{row['split']}/footage/")
        assert row["sha256"] == hashlib.sha256(files[row["file"]]).hexdigest()
        with av.open(data / row["file"]) as colour, av.open(data / "gray" / row["file"]) as gray:
            pairs = list(zip(colour.decode(video=0), gray.decode(video=0), strict=True))
        assert len(pairs) == 10
        for one, other in pairs:
            luma, cb, cr = one.to_ndarray().astype(int)
            assert np.abs(luma - other.to_ndarray(format="gray")).mean() < 2
            assert np.hypot(cb - 128, cr - 128).mean() > 10


def test_no_video_is_in_both_splits(data):
    splits: dict[str, set[str]] = {}
    for row in manifest(data):
        if row["kept"] == "yes":
            splits.setdefault(row["source"], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values())
    assert {split for found in splits.values() for split in found} == {"train", "test"}


def test_it_does_nothing_twice(data, options, monkeypatch, capsys):
    before = content(data)
    monkeypatch.setattr(
        "training.data.prepare.prepare.read_shots", lambda *_, **__: pytest.fail("again")
    )
    prepare(options)
    assert content(data) == before
    assert "9 videos, 2 of them skipped; " in capsys.readouterr().out


def test_more_workers_give_the_same(data, options, tmp_path):
    prepare(replace(options, workers=3, out=tmp_path / "data"))
    assert content(tmp_path / "data") == content(data)


KILLED = """
import os, sys, signal
from pathlib import Path
from training.data.prepare import manifest, prepare as module
from training.data.prepare.options import PrepareOptions

def die_at(owner, name, count, half=False):
    known = getattr(owner, name)
    calls = []
    def call(*arguments, **options):
        calls.append(1)
        if len(calls) == count:
            if half:
                arguments[0]._file.write(b'{"video": "footage/cut.mkv", "rows": [')
                arguments[0]._file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return known(*arguments, **options)
    setattr(owner, name, call)

videos, out, point = sys.argv[1:]
if point == "while a clip is written":
    die_at(module.ShotWriter, "add", 15)
elif point == "between the two clips of a shot":
    die_at(Path, "replace", 6)
elif point == "before the journal":
    die_at(manifest.PrepareLog, "add", 4)
elif point == "in the middle of the journal's line":
    die_at(manifest.PrepareLog, "_write", 4, half=True)
else:
    die_at(manifest.PrepareLog, "_write", 1, half=True)
module.prepare(PrepareOptions(
    videos=(Path(videos),), out=Path(out), size="64x64", fps=25.0, shortest=6, test=0.3))
"""


@pytest.mark.parametrize(
    ("point", "done"),
    [
        ("while a clip is written", None),
        ("between the two clips of a shot", 8),
        ("before the journal", 3),
        ("in the middle of the journal's line", 2),
        ("at the very beginning", 0),
    ],
)
def test_killed_at_any_point_it_goes_on_to_the_same_bytes(data, options, tmp_path, point, done):
    out = tmp_path / "data"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(options.videos[0]), str(out), point],
        check=False, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=DEADLINE,
        capture_output=True, text=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (out / MANIFEST).exists()
    whole = [line for line in (out / PREPARED).read_bytes().splitlines(True) if line[-1:] == b"\n"]
    if done is not None:
        assert len(whole) == (done + 1 if done else 0)  # and the line of the terms
    prepare(replace(options, out=out))
    assert content(out) == content(data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"seed": 1}, "seed is 1, but .* was begun with 0"), ({"size": "32"}, "size is 32, but")],
)
def test_other_data_needs_another_folder(data, options, changes, message):
    before = content(data)
    with pytest.raises(ArgumentError, match=message):
        prepare(replace(options, **changes))
    assert content(data) == before


def test_other_videos_need_another_folder(data, options, videos, tmp_path):
    folder = tmp_path / "footage"
    shutil.copytree(videos, folder)
    prepare(replace(options, videos=(folder,)))  # the same ones elsewhere are the same
    (folder / "still.mkv").unlink()
    with pytest.raises(ArgumentError, match=r"videos is 8 files .* was begun with 9 files"):
        prepare(replace(options, videos=(folder,)))


def test_of_a_video_that_ends_in_damage_nothing_is_left(options, videos, tmp_path, monkeypatch):
    """Its first shot is whole and worth keeping."""
    seen = []

    def scale(frame, **size):
        seen.append(frame)
        if len(seen) == 18:
            raise av.error.InvalidDataError(1, f"rotten in {tmp_path}", "")
        return scaled_rgb(frame, **size)

    monkeypatch.setattr("training.data.prepare.shots.scaled_rgb", scale)
    folder = tmp_path / "footage"
    folder.mkdir()
    shutil.copy(videos / "cut.mkv", folder)
    prepare(replace(options, videos=(folder,), out=tmp_path / "data"))
    assert len(seen) == 18
    assert set(content(tmp_path / "data")) == {MANIFEST}
    (row,) = manifest(tmp_path / "data")
    assert row["kept"] == "no"
    assert row["reason"].startswith("it cannot be decoded (rotten in")


def test_a_clip_that_was_taken_away_is_missed(data, options, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    gone = next((tmp_path / "data" / "train").rglob("*.mp4"))
    gone.unlink()
    with pytest.raises(ArgumentError, match=f"out: {gone} is gone, put it back or take an empty"):
        prepare(replace(options, out=tmp_path / "data"))


def test_long_shots_make_several_clips(options, tmp_path):
    out = tmp_path / "data"
    prepare(replace(options, out=out, shortest=2, longest=4))
    rows = rows_of(out)
    shots = [rows["waving/0.mkv", str(shot)] for shot in range(3)]
    assert [row["frames"] for row in shots] == ["4", "4", "2"]
    assert [row["start_seconds"] for row in shots] == ["0.0", "0.16", "0.32"]


def test_fit_trains_on_the_colour_clips(data, tmp_path, monkeypatch):
    clips = ClipOptions(size=64, cache=tmp_path / "cache")
    split = load_split([data / "train"], options=clips)
    every = split.train + split.validation + split.test
    in_train = [row for row in manifest(data) if row["kept"] == "yes" and row["split"] == "train"]
    assert len(every) == len(in_train)
    assert all(np.abs(clip.chroma.astype(int) - 128).mean() > 5 for clip in every)
    fit(
        FitOptions(
            videos=(data / "train",),
            out=tmp_path / "run",
            model="flagship",
            arguments=("width=16", "match_width=8"),
            discriminator_width=1 / 32,
            clips=clips,
            rollout=RolloutOptions(crop=64),
            batch=2,
            steps=2,
            log_every=1,
            checkpoint_steps=9,
            accelerator="cpu",
            threads=1,
        )
    )
    assert [line["step"] for line in read_losses(tmp_path / "run") if "l1" in line] == [1, 2]


def test_fit_does_not_take_the_gray_clips_or_the_tests(data, tmp_path):
    with pytest.raises(ArgumentError, match=r"holds prepared clips.*data/train"):
        load_split([data], options=ClipOptions(cache=tmp_path))


def test_folders_split_as_in_moments_in_time(options, videos, tmp_path):
    moments = tmp_path / "Moments_in_Time_256x256_30fps"
    for split, numbers in (("training", (0, 1)), ("validation", (3,))):
        (moments / split / "baking").mkdir(parents=True)
        for n in numbers:
            shutil.copy(videos / "waving" / f"{n}.mkv", moments / split / "baking")
    out = tmp_path / "data"
    prepare(replace(options, videos=(moments,), out=out, split="folders"))
    below = f"{moments.name}/training/baking"
    assert sorted(path for path in content(out) if "gray" not in path) == [
        MANIFEST,
        f"test/{moments.name}/validation/baking/3.mkv.shot-000.mp4",
        f"train/{below}/0.mkv.shot-000.mp4",
        f"train/{below}/1.mkv.shot-000.mp4",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"videos": ()}, "videos: no folder is given"),
        ({"size": "wide"}, "size is 'wide'"),
        ({"fps": 0.0}, "fps is 0, 1 to 240 is accepted"),
        ({"crf": 52}, "crf is 52, 0 to 51 is accepted"),
        ({"shortest": 301}, "shortest is 301, 1 to 300 is accepted"),
        ({"test": 0.6}, "test is 0.6, 0 to 0.5"),
        ({"workers": 0}, "workers is 0, 1 to 64"),
        ({"least_motion": -1.0}, "least_motion is -1, 0 to 1"),
    ],
)
def test_options_that_cannot_be(options, tmp_path, changes, message):
    with pytest.raises(ArgumentError, match=message):
        prepare(replace(options, out=tmp_path / "data", **changes))
    assert not (tmp_path / "data").exists()


def test_folders_that_cannot_be(options, videos, tmp_path):
    with pytest.raises(ArgumentError, match=r"lies in .*, take a folder beside it"):
        prepare(replace(options, out=videos / "data"))
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(ArgumentError, match="holds other things"):
        prepare(replace(options, out=tmp_path))
    (tmp_path / "footage").mkdir()
    shutil.copy(videos / "cut.mkv", tmp_path / "footage")
    with pytest.raises(ArgumentError, match=r"both be called footage/cut.mkv"):
        prepare(replace(options, videos=(videos, tmp_path / "footage"), out=tmp_path / "data"))


def test_the_command(videos, tmp_path, monkeypatch, capsys):
    arguments = ["prepare", str(videos), "-o", str(tmp_path / "data"), "--size", "32",
                 "--fps", "keep", "--shortest", "6"]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["training", *arguments])
    assert command.main() == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "9 videos, 2 of them skipped; 5 clips for training and 1 for the test; "
        "shots left out: 1 near-gray, 1 short, 1 still",
        str(tmp_path / "data" / MANIFEST),
    ]
    assert "skipped footage/broken.mkv: it " in captured.err
    sizes = {(row["width"], row["height"]) for row in manifest(tmp_path / "data") if row["shot"]}
    assert sizes == {("40", "32")}
