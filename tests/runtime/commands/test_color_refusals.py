"""What ``vidcolor color`` cannot use is told in one sentence, and nothing half-written is left."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support import need
from tests.support.films import scenes, write_film, write_keys
from tests.support.videos import write_clip, write_key
from vidcolor.cli import main
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator

TOY = Path(__file__).parents[2] / "toy" / "bundle"
LENGTH = 30
KEYS = (2, 23)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good files and bad ones."""
    folder = tmp_path_factory.mktemp("refusals")
    film = scenes()
    write_film(folder / "film.mkv", film)
    for name in ("keys", "wrong", "flipped", "beyond", "twice", "gray", "aspect", "faint"):
        write_keys(folder / name, film, KEYS)
    (folder / "empty.mkv").touch()
    _write_sound(folder / "sound.mkv")
    _write_truncated(folder)
    write_clip(folder / "fields.mkv", codec="libx264", options={"x264-params": "interlaced=1"})
    write_clip(folder / "rgb.mkv", pixel_format="bgr0")
    anamorphic = {"codec": "libx264", "sample_aspect": Fraction(16, 15)}
    write_clip(folder / "wide.mp4", pts=range(LENGTH), **anamorphic)
    write_key(folder / "first.png")
    good = folder / "wrong" / "000002.png"
    good.write_bytes((folder / "keys" / "000023.png").read_bytes())
    good = folder / "flipped" / "000002.png"
    cv2.imwrite(str(good), np.ascontiguousarray(cv2.imread(str(good))[:, ::-1]))
    (folder / "beyond" / f"{LENGTH}.png").write_bytes((folder / "keys" / "000023.png").read_bytes())
    (folder / "twice" / "23.png").write_bytes((folder / "keys" / "000023.png").read_bytes())
    for key in (folder / "gray").iterdir():
        cv2.imwrite(str(key), cv2.cvtColor(cv2.imread(str(key)), cv2.COLOR_BGR2GRAY))
    faint = np.zeros((4800, 6400, 4), np.uint8)
    faint[99, 99] = (9, 99, 200, 40)
    cv2.imwrite(str(folder / "faint" / "000002.png"), faint)
    cv2.imwrite(str(folder / "aspect" / "000002.png"), np.full((64, 64, 3), (9, 99, 200), np.uint8))
    (folder / "none").mkdir()
    (folder / "cuts.txt").write_text("0 two")
    (folder / "late.txt").write_text("0 400")
    (folder / "file.mkv.vidcolor").touch()
    (folder / "told.mkv.vidcolor.json").mkdir()
    return folder


def _write_sound(path: Path) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), "s16", "stereo")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))


def _write_truncated(folder: Path) -> None:
    whole = write_clip(folder / "whole.mkv", codec="libx264", pts=range(0, 8000, 40)).read_bytes()
    (folder / "broken.mkv").write_bytes(whole[: len(whole) // 2])
    whole = write_clip(folder / "whole.mp4", codec="libx264").read_bytes()
    (folder / "broken.mp4").write_bytes(whole[: len(whole) // 2])


REFUSED = {
    "no such film": (["absent.mkv"], {}, "clip: there is no file absent.mkv"),
    "empty file": (["empty.mkv"], {}, "clip: empty.mkv cannot be read as a video"),
    "sound only": (["sound.mkv"], {}, "clip: sound.mkv holds no video"),
    "not a video": (["first.png.txt"], {}, "clip: there is no file"),
    "without its end": (["broken.mp4"], {}, "clip: broken.mp4 cannot be read as a video"),
    "breaks off": (["broken.mkv"], {"--key": "first.png"}, r"breaks off after \d+ frames.*--range"),
    "interlaced": (["fields.mkv"], {"--key": "first.png"}, "interlaced.*deinterlace it first"),
    "RGB": (["rgb.mkv"], {}, "pixel format bgr0"),
    "no keys at all": ([], {"--keys": None}, "a folder --keys or one image --key is needed"),
    "keys and a key": ([], {"--key": "first.png"}, "is needed, and not both"),
    "no such folder": ([], {"--keys": "absent"}, "keys: there is no folder absent"),
    "folder without keys": ([], {"--keys": "none"}, "none holds no image named by a frame's"),
    "two for one frame": ([], {"--keys": "twice"}, "000023.png and 23.png .* both for frame 23"),
    "beyond the film": (
        [],
        {"--keys": "beyond"},
        "a key for frame 30, the film has frames 0 to 29",
    ),
    "nothing painted": ([], {"--keys": "gray"}, "all 2 images in gray are gray"),
    "hardly painted": (
        [],
        {"--keys": "faint"},
        "key: 000002.png: nothing of it is painted, its alpha is nearly 0 everywhere",
    ),
    "another aspect": ([], {"--keys": "aspect"}, "key: aspect/000002.png is 64x64"),
    "another frame's": (
        [],
        {"--keys": "wrong"},
        "000002.png is no picture of frame 2.* frame 2[234]",
    ),
    "flipped": ([], {"--keys": "flipped"}, "it is flipped left to right"),
    "range beyond": ([], {"--range": "7-30"}, "range ends at frame 30, .* 0 to 29"),
    "no range": ([], {"--range": "9-7"}, "range is '9-7', accepted are"),
    "no such shot": ([], {"--only-shot": "4"}, "only-shot is 4, the film has 3 shots"),
    "part of a part": ([], {"--only-shot": "1", "--range": "1-2"}, "exclude each other"),
    "no list of shots": ([], {"--scenes": "cuts.txt"}, "scenes: cuts.txt holds 'two'"),
    "missing list": ([], {"--scenes": "absent.txt"}, "scenes: absent.txt cannot be read"),
    "shot beyond": ([], {"--scenes": "late.txt"}, "a shot begins at frame 400"),
    "no jobs": ([], {"--jobs": "0"}, "jobs is 0, accepted are"),
    "too small for it": (
        [],
        {"--codec": "dnxhr", "-o": "o.mov"},
        "dnxhd takes no yuv422p of 64x48",
    ),
    "aspect that is lost": (["wide.mp4"], {}, "ffv1 in .mkv cannot keep .* sample aspect 16/15"),
    "container of others": (
        [],
        {"--codec": "prores", "-o": "o.mp4"},
        "prores does not hold .* .mov",
    ),
    "work in the way": ([], {"-o": "file.mkv"}, "file.mkv.vidcolor cannot be written.* rename"),
    "report in the way": ([], {"-o": "told.mkv"}, "the report told.mkv.vidcolor.json .* rename"),
    "no such container": ([], {"-o": "out.xyz"}, r"end the name in .mp4, .mov or .mkv"),
    "no ending": ([], {"-o": "x"}, r"end the name in .mp4, .mov or .mkv"),
    "a folder": ([], {"-o": "keys"}, "output: keys is a folder"),
    "the film itself": ([], {"-o": "film.mkv"}, "film.mkv is the clip itself"),
    "too small a size": ([], {"--size": "3"}, "size is 3, accepted are"),
    "no cluster": ([], {"--cluster": "127.0.0.1:1"}, "Ray cannot be reached at 127.0.0.1:1"),
}


def command(film: list[str], more: dict[str, str | None]) -> list[str]:
    given = {"--keys": "keys", "-o": "out.mkv", "--model": str(TOY), "--provider": "cpu"}
    given |= {"--codec": "ffv1", "--scenes": "none"} if "--only-shot" not in more else {}
    if film and "--key" in more:
        more = more | {"--keys": None}
    pairs = ((name, value) for name, value in (given | more).items() if value is not None)
    return ["color", *(film or ["film.mkv"]), *(word for pair in pairs for word in pair)]


def listing(folder: Path) -> list[tuple[Path, int]]:
    return [(path, path.stat().st_size) for path in sorted(folder.rglob("*"))]


def check_sentence(told: str, message: str) -> None:
    assert told.count("\n") == 1, told
    assert "Traceback" not in told
    assert told.startswith("vidcolor: ")
    assert re.search(message, told), told


@pytest.mark.parametrize("case", REFUSED)
def test_refused(
    case: str, kept: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All of it before the first frame is coloured."""
    if case == "no cluster":
        need.ray()
    monkeypatch.chdir(kept)
    monkeypatch.delattr(Propagator, "step")
    film, more, message = REFUSED[case]
    before = listing(kept)
    assert main(command(film, more)) == 2
    check_sentence(capfd.readouterr().err, message)
    assert listing(kept) == before


@pytest.mark.parametrize("limit", [3_000, 20_000])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such limit")
def test_a_full_disk(limit: int, kept: Path, tmp_path: Path) -> None:
    """Files may not grow beyond `limit` bytes, which is what a full disk does to them."""
    film = scenes([30])
    write_film(tmp_path / "film.mkv", film)
    write_keys(tmp_path / "keys", film, [4, 21])
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "vidcolor", *command([], {})],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 2, done.stderr
    check_sentence(done.stderr, "out.mkv.* cannot be written")
    left = [path for path in sorted(tmp_path.rglob("*")) if path not in before]
    finished = {path.suffix for path in left if path.parent != tmp_path}
    assert not any(path.name.startswith(".") for path in left), left
    assert [path.name for path in left if path.parent == tmp_path] in ([], ["out.mkv.vidcolor"])
    assert finished <= {".mkv", ".npy", ".npz"}


@pytest.fixture
def locked(kept: Path) -> Iterator[Path]:
    """A folder with a film and keys that this process may not write into, whoever it is."""
    was = os.geteuid()
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        shutil.copy(kept / "film.mkv", folder)
        shutil.copytree(kept / "keys", folder / "keys")
        folder.chmod(0o555)
        if was == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(was)
        folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_a_folder_that_may_not_be_written(
    locked: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(locked)
    before = listing(locked)
    assert main(command([], {})) == 2
    check_sentence(
        capfd.readouterr().err, r"output: out\.mkv cannot be written \(Permission denied"
    )
    assert listing(locked) == before


PLACES = {
    "film": ("film.mkv", 0, r"clip: film\.mkv cannot be read"),
    "keys": ("keys", 0, r"keys: keys cannot be read"),
    "names of keys only": ("keys", 0o444, r"key.*Permission denied"),
    "a key": ("keys/000002.png", 0, r"key: .*000002\.png cannot be read"),
    "list of shots": ("cuts.txt", 0, r"scenes: cuts\.txt cannot be read"),
    "output's folder": ("out", 0o555, r"output: out/o\.mkv cannot be written \(Permission denied"),
    "output's folder, closed": ("out", 0, r"output: out/o\.mkv cannot be written \(Permission"),
    "work folder": ("out/o.mkv.vidcolor", 0o555, r"output: out/o\.mkv cannot be written \(Perm"),
    "work folder, closed": (
        "out/o.mkv.vidcolor",
        0,
        r"output: out/o\.mkv cannot be written \(Perm",
    ),
    "lock": ("out/o.mkv.vidcolor/lock", 0, r"o\.mkv\.vidcolor cannot be locked"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_places_without_rights(
    place: str, kept: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Told in a sentence before the work, which needs no step of the model."""
    Session.load(TOY, provider="cpu")  # onnxruntime warns if it has no home to write to
    name, mode, message = PLACES[place]
    was = os.geteuid()
    with tempfile.TemporaryDirectory() as closed:
        folder = Path(closed)
        folder.chmod(0o777)
        shutil.copy(kept / "film.mkv", folder)
        shutil.copytree(kept / "keys", folder / "keys")
        shutil.copytree(TOY, folder / "bundle")
        (folder / "cuts.txt").write_text("0 11")
        (folder / "out" / "o.mkv.vidcolor").mkdir(parents=True)
        (folder / "out" / "o.mkv.vidcolor" / "lock").touch()
        for path in [folder / "out", folder / "out" / "o.mkv.vidcolor"]:
            path.chmod(0o777)
        monkeypatch.chdir(folder)
        monkeypatch.delattr(Propagator, "step")
        Path(name).chmod(mode)
        if was == 0:
            os.seteuid(65534)
        try:
            more = {"-o": "out/o.mkv", "--model": "bundle", "--scenes": "cuts.txt"}
            assert main(command([], more)) == 2
        finally:
            os.seteuid(was)
            Path(name).chmod(0o777)
        check_sentence(capfd.readouterr().err, message)
