"""The sound files that are damaged: tiny films, keys, work folders, reports, bundles, checkpoints.

They are made once for all inputs of a run, in a folder. The same code makes the same files.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import av
import cv2
import numpy as np

from tests.support.faults import write_steady
from tests.support.films import scenes, write_film, write_keys
from tests.support.videos import TICKS, plane, write_clip

TOY = Path(__file__).parents[1] / "toy"
SIDE, FRAMES = 32, 6
"""Of the films: pixels and frames."""
CLIPS = MappingProxyType(
    {
        "ffv1.mkv": {"codec": "ffv1"},
        "ffv1-10.mkv": {"codec": "ffv1", "pixel_format": "yuv422p10le"},
        "gray.avi": {"codec": "ffv1", "pixel_format": "gray"},
        "x264.mp4": {"codec": "libx264"},
        "x264.mkv": {"codec": "libx264", "audio": "flac"},
        "x264.ts": {"codec": "libx264", "audio": "mp2"},
        "x265.mp4": {"codec": "libx265"},
        "mpeg4.avi": {"codec": "mpeg4"},
        "x264.flv": {"codec": "libx264"},
        "turned.mp4": {"codec": "libx264", "audio": "aac", "rotation": 90},
        "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
        "mjpeg.mov": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
        "vp9.webm": {"codec": "libvpx-vp9"},
        "raw.nut": {"codec": "rawvideo"},
        "utvideo.avi": {"codec": "utvideo", "pixel_format": "yuv422p"},
    }
)
"""Films by name, as arguments of `write_clip`."""
STEADY = MappingProxyType(
    {
        "b-frames.mp4": {"codec": "libx264", "sound": "aac", "options": {"bf": "3", "g": "4"}},
        "mpeg2.ts": {"codec": "mpeg2video", "sound": "mp2"},
        "mpeg2.mpg": {"codec": "mpeg2video", "sound": "mp2"},
        "wmv2.wmv": {"codec": "wmv2", "sound": "wmav2"},
        "vp8.webm": {"codec": "libvpx", "sound": "libopus"},
        "huffyuv.avi": {"codec": "huffyuv", "pixel_format": "yuv422p", "sound": "pcm_u8"},
        "png.mov": {"codec": "png", "pixel_format": "gray", "sound": "pcm_s16le"},
    }
)
"""Films by name, as arguments of `write_steady`."""
_OPTIONS = {"x264": {"preset": "ultrafast"}, "x265": {"x265-params": "log-level=none:pools=1"}}


@dataclass(frozen=True)
class Material:
    """A folder of sound files; `make_material` fills it."""

    folder: Path

    @cached_property
    def films(self) -> dict[str, bytes]:
        """One shot of `FRAMES` frames each, whose first frame is that of `key`."""
        return _contents(self.folder / "clips")

    @cached_property
    def pictures(self) -> dict[str, bytes]:
        """Key images of frame 0 in several formats."""
        return _contents(self.folder / "pictures")

    @property
    def key(self) -> Path:
        """Frame 0 in colour, as PNG."""
        return self.folder / "pictures" / "8.png"

    @property
    def job(self) -> Path:
        """A folder with film.mkv, keys/, and the work folder of a job that was stopped."""
        return self.folder / "job"

    @cached_property
    def coloured(self) -> dict[str, bytes]:
        """What `vidcolor color` made of the job's film: out.mkv and its report."""
        return _contents(self.folder / "coloured")

    @cached_property
    def report(self) -> object:
        """The content of that report."""
        return json.loads(self.coloured["out.mkv.vidcolor.json"])

    @cached_property
    def bundles(self) -> dict[str, dict[str, bytes]]:
        """Files of the toy bundles."""
        return {name: _contents(TOY / name) for name in ("bundle", "flow")}

    @cached_property
    def colorizers(self) -> dict[str, bytes]:
        """Tiny image colorizers."""
        return _contents(self.folder / "colorizers")

    @cached_property
    def checkpoints(self) -> dict[str, dict[str, bytes]]:
        """Checkpoints of tiny networks; none, where PyTorch is not installed."""
        folder = self.folder / "checkpoints"
        return {path.name: _contents(path) for path in sorted(folder.glob("*"))}


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def color_arguments(output: str = "out.mkv") -> list[str]:
    """The command that the work folder and the report of the job come from."""
    return [
        "color", "film.mkv", "--keys", "keys", "-o", output, "--scenes", "scenes.txt",
        "--codec", "ffv1", *model_arguments(), "--quiet",
    ]  # fmt: skip


def model_arguments(model: Path | str = TOY / "bundle") -> list[str]:
    """The toy model on the CPU, at the smallest working size."""
    return ["--model", str(model), "--provider", "cpu", "--size", "32"]


def make_material(folder: Path) -> Material:
    """Write all files into an empty folder."""
    cv2.setNumThreads(1)
    clips, pictures = folder / "clips", folder / "pictures"
    for made in (clips, pictures, folder / "coloured", folder / "colorizers"):
        made.mkdir(parents=True)
    for name, options in CLIPS.items():
        more = {"options": _OPTIONS.get(name.partition(".")[0], {}), **options}
        write_clip(clips / name, width=SIDE, height=SIDE, pts=range(0, 40 * FRAMES, 40), **more)  # type: ignore[arg-type]
    for name, options in STEADY.items():
        write_steady(clips / name, width=SIDE, height=SIDE, frames=FRAMES, **options)  # type: ignore[arg-type]
    _write_rich(clips / "rich.mkv", clips / "x264.mkv")
    _write_pictures(pictures)
    _write_job(folder)
    _write_colorizers(folder / "colorizers")
    _write_checkpoints(folder / "checkpoints")
    return Material(folder)


def _write_rich(path: Path, like: Path) -> None:
    """A film with sound, subtitles, chapters, a timecode and a file attached."""
    with av.open(like) as given, av.open(path, "w") as container:
        streams = {
            stream.index: container.add_stream_from_template(stream) for stream in given.streams
        }
        streams[0].metadata["timecode"] = "10:00:00:00"
        words = container.add_mux_stream("subrip")
        words.time_base = TICKS
        container.add_attachment("font.ttf", "font/ttf", b"letters")
        titles = ({"title": "one"}, {"title": "two"})
        container.set_chapters(
            [
                {"id": n, "start": 80 * n, "end": 80 * n + 80, "time_base": TICKS, "metadata": said}
                for n, said in enumerate(titles)
            ]
        )
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
        line = av.Packet(b"Guten Tag")
        line.stream, line.time_base, line.duration = words, TICKS, 80
        line.pts = line.dts = 40
        container.mux(line)


def _write_pictures(folder: Path) -> None:
    """Frame 0 of the clips in colour."""
    with av.open(folder.parent / "clips" / "ffv1.mkv") as clip:
        luma = plane(next(clip.decode(video=0)), 0).copy()
    hue = np.broadcast_to(np.linspace(0, 170, SIDE, dtype=np.uint8), luma.shape)
    image = cv2.cvtColor(cv2.merge([hue.copy(), np.full_like(luma, 90), luma]), cv2.COLOR_HSV2BGR)
    alpha = np.dstack([image, np.where(np.arange(SIDE) < SIDE // 2, 255, 0)[None].repeat(SIDE, 0)])
    deep = image.astype(np.uint16) * 257
    for name, picture in {
        "8.png": image, "16.png": deep, "alpha.png": alpha.astype(np.uint8), "8.jpg": image,
        "8.tif": image, "16.tif": deep, "8.bmp": image, "8.webp": image, "palette.gif": image,
        "8.ppm": image, "gray.png": luma, "gray.tif": luma, "gray-16.png": luma.astype("u2") * 257,
    }.items():  # fmt: skip
        written, data = cv2.imencode(Path(name).suffix, picture)
        assert written, name
        (folder / name).write_bytes(data.tobytes())


def _write_job(folder: Path) -> None:
    """A film of two shots with three keys, coloured; and the same job, stopped near its end."""
    import contextlib
    import os

    from vidcolor.cli import main
    from vidcolor.commands.choices import read_scenes
    from vidcolor.film.color_video import color_video

    class Stopped(BaseException):
        """Ends the job as Ctrl-C does."""

    job = folder / "job"
    job.mkdir()
    scene = scenes((9, 5), height=SIDE, width=SIDE)
    with contextlib.chdir(job):
        write_film(Path("film.mkv"), scene)
        write_keys(Path("keys"), scene, (0, 4, 11))
        Path("scenes.txt").write_text("0\n9\n")
        assert main(color_arguments()) == 0
        for path in ("out.mkv", "out.mkv.vidcolor.json"):
            shutil.move(path, folder / "coloured" / path)

        def stop(stage: str, done: int, total: int | None) -> None:
            if stage == "colouring" and done == total:
                raise Stopped

        with contextlib.suppress(Stopped):
            color_video(
                "film.mkv", keys="keys", output="out.mkv", codec="ffv1", provider="cpu", size=32,
                scenes=read_scenes(Path("scenes.txt")), model=TOY / "bundle", progress=stop,
            )  # fmt: skip
    stored = list((job / "out.mkv.vidcolor").rglob("*"))
    assert any(path.suffix == ".nut" for path in stored), stored
    os.sync()


def _write_colorizers(folder: Path) -> None:
    from tests.toy import colorizers as toy

    toy.write_colorizer(folder / "planes.onnx", toy.PLANES, metadata=toy.METADATA)
    toy.write_colorizer(folder / "ab.onnx", toy.AB)
    toy.write_colorizer(folder / "rgb.onnx", toy.RGB, size=(32, 32))


def _write_checkpoints(folder: Path) -> None:
    """The smallest network of a generator and of a colorizer."""
    folder.mkdir()
    try:
        import torch
    except ImportError:
        return
    from training.checkpoint import Config, save_generator
    from training.models.unet import UNet

    torch.manual_seed(0)
    torch.set_num_threads(1)
    width = 1 / 32
    network = UNet(width=width).eval()
    config = Config(name="seeds", model="seeds", arguments={"width": width}, licence="MIT")
    save_generator(folder / "seeds", network, config=config)
