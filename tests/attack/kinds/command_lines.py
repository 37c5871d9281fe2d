"""Options with wild values."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.attack import checks
from tests.attack.case import Case
from tests.attack.material import TOY, Material

VALUES = (
    "", " ", "0", "-0", "-1", "1", "2", "3", "31", "32", "33", "100", "4097", "65536", "9" * 20,
    "1" * 5000, "1e3", "1.5", "nan", "inf", "-inf", "1e309", "0x10", "²", "١", "1_0", " 5 ",
    "true", "None", "auto", "none", "cpu", "cuda", "CPU", "float16", "int8", "both", "backward",
    "0-2", "2-0", "3-3", "0-99", "-1-3", "0-", "-", "--", "a-b", "0-2-4", "²-³", "x" * 5000,
    "é", "\udcff", "\x01", "[]", "{}", "None None", "../..", ".", "..", "/", "~", "nowhere",
    "nowhere/deeper", "/dev/zero", "/dev/null", "/proc/self/mem", "/proc/self/environ", "pipe",
    "folder", "empty", "text.txt", "clip.mkv", "key.png", "keys", "loop", "broken", "a" * 300,
    "flagship", "toy", "stills", "10G", "1T", "-1M", "9" * 30 + "K", "1e3M",
    "ffv1", "libx264", "prores", "dnxhr", "h264", "rawvideo", "h264-420", "guess", "gray", "slow",
    "crf=9", "tune=film,g=0", "=", "a=", ",,", "job.toml", "wild.toml",
)  # fmt: skip
_PLACES = (
    "", ".", "..", "folder", "nowhere/x.mkv", "clip.mkv", "key.png", "x", "x.", ".mkv",
    "x.xyz", "x.mkv", "x.mp4", "x.mov", "x.MKV", "x.avi", "x.webm", "x.png", "x.html", "x.gif",
    "x.ts", "x.txt", "x.mkv/", "folder/x.mkv", "text.txt/x.mkv", "loop", "broken",
    "a" * 260 + ".mkv", "é\udcff.mkv", "/proc/x.mkv", "/dev/full/x.mkv", "-", "out.mkv",
)  # fmt: skip
"""Outputs; none of them is a device, which some root might replace."""
OPTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "color": (
            "--keys", "--key", "--any-key", "--scenes", "--direction", "--range", "--only-shot",
            "--preview", "--model", "--colorizer", "--provider", "--precision", "--size", "--jobs",
            "--codec", "--overwrite", "--quiet", "--output", "--keep", "--progressive",
            "--no-audio", "--unkeyed", "--crf", "--preset", "--codec-options",
        ),
        "advise": (
            "--goal", "--most", "--model", "--provider", "--size", "--quiet", "--output",
            "--scenes",
        ),
        "shots": (
            "--threshold", "--shortest", "--progressive", "--overwrite", "--quiet", "--output",
        ),
        "key": (
            "--paint", "--clip", "--frame", "--whole", "--overwrite", "--quiet", "--output",
        ),
        "review": ("--goal", "--side", "--overwrite", "--quiet", "--output"),
        "clean": ("--quiet",),
    }
)  # fmt: skip
"""By sub-command; `--cluster` is not among them, for it takes Ray many seconds to say no."""
_FLAGS = {
    "--progressive", "--no-audio", "--any-key", "--preview", "--overwrite", "--quiet", "--whole",
}  # fmt: skip


def make(rng: random.Random, material: Material, folder: Path) -> Case:
    """A sound command of which one to a few options have other values."""
    _furnish(folder, material)
    name = rng.choice(("color", "color", "color", "advise", "shots", "key", "review", "clean"))
    arguments = _sound(name)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        _change(arguments, name, rng)
    _keep_inside(arguments)
    output = _output_of(arguments) if name != "clean" else "out.mkv"
    check = None
    if name == "color" and "--range" not in arguments and "--only-shot" not in arguments:
        check = _readable(arguments, output)
    return Case(arguments, output, check, what=name)


def _furnish(folder: Path, material: Material) -> None:
    (folder / "clip.mkv").write_bytes(material.films["ffv1.mkv"])
    (folder / "key.png").write_bytes(material.pictures["8.png"])
    for name, data in material.coloured.items():
        (folder / name).write_bytes(data)
    shutil.copytree(TOY / "bundle", folder / "toy")
    shutil.copytree(material.job / "out.mkv.vidcolor", folder / "out.mkv.vidcolor")
    for name in ("folder", "keys"):
        (folder / name).mkdir()
    (folder / "keys" / "000002.png").write_bytes(material.pictures["8.png"])
    (folder / "empty").write_bytes(b"")
    (folder / "text.txt").write_text("0 3\n")
    (folder / "job.toml").write_text(
        'film = "clip.mkv"\nkey = "key.png"\noutput = "new.mkv"\nmodel = "toy"\nprovider = "cpu"\n'
    )
    (folder / "wild.toml").write_bytes(b'size = 1e999\n"\\ud800" = [{}]\n\xff')
    (folder / "loop").symlink_to("loop")
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")


def _sound(name: str) -> list[str]:
    model = ["--model", "toy", "--provider", "cpu"]
    return {
        "color": [
            "color", "clip.mkv", "--key", "key.png", "--any-key", "--output", "new.mkv",
            "--size", "32", "--codec", "ffv1", *model,
        ],
        "advise": ["advise", "clip.mkv", "--output", "new", *model],
        "shots": ["shots", "clip.mkv", "--output", "new.txt"],
        "key": ["key", "key.png", "--paint", "key.png", "--output", "new.png", "--whole"],
        "review": ["review", "out.mkv", "--output", "new.html", "--side", "64"],
        "clean": ["clean", "out.mkv"],
    }[name]  # fmt: skip


def _change(arguments: list[str], name: str, rng: random.Random) -> None:
    option = rng.choice(OPTIONS[name])
    value = rng.choice(_PLACES if option == "--output" else VALUES)
    choice = rng.random()
    if choice < 0.04:
        arguments.insert(rng.randrange(len(arguments) + 1), rng.choice(VALUES))
    elif choice < 0.06 and len(arguments) > 1:
        del arguments[rng.randrange(1, len(arguments))]
    elif choice < 0.08:
        arguments.append(rng.choice(("--help", "--version", "--nonsense", "-h", "-o", "-x")))
    elif choice < 0.16:
        arguments[1:2] = [rng.choice(VALUES)]
    elif option in _FLAGS:
        arguments.append(option)
    elif option in arguments and choice < 0.9:
        at = arguments.index(option) + 1
        arguments[at : at + 1] = [value]
    else:
        arguments += [option, value]


def _keep_inside(arguments: list[str]) -> None:
    """No output but those of `_PLACES`: nothing outside of the folder is to be written to."""
    for at, word in enumerate(arguments[1:], 1):
        if arguments[at - 1] in ("--output", "-o") and word in VALUES:
            arguments[at] = "new.mkv"


def _output_of(arguments: list[str]) -> str | None:
    places = [at for at, word in enumerate(arguments) if word in ("--output", "-o")]
    if not places or places[-1] + 1 >= len(arguments):
        return None
    return os.path.normpath(arguments[places[-1] + 1])


def _readable(arguments: list[str], output: str | None) -> checks.Check | None:
    if output is None or {"--help", "-h", "--version"} & set(arguments):
        return None
    return checks.readable_film(output)
