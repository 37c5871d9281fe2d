"""Files under wild names: on the command line, in messages, in pages and on contact sheets."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.attack import checks
from tests.attack.case import Case
from tests.attack.material import FRAMES, Material, model_arguments
from tests.attack.mutate import wild_name


def make(rng: random.Random, material: Material, folder: Path) -> Case:
    """A sound film, or one that is missing, under a name that pages and shells stumble on."""
    clip, output = wild_name(rng, ".mkv"), wild_name(rng, ".mkv")
    if rng.random() < 0.1:
        (folder / "sub").mkdir()
        clip = f"sub/{clip}"
    given, output = _as_path(clip), _as_path(output)
    choice = rng.random()
    if choice < 0.45:
        return _review(rng, material, folder, clip)
    if rng.random() < 0.9:
        (folder / clip).write_bytes(material.films["ffv1.mkv"])
    if choice < 0.6:
        keys = _as_path(wild_name(rng, ""))
        return Case(["advise", given, "-o", keys, *model_arguments()[:4]], keys.removeprefix("./"))
    key = wild_name(rng, ".png")
    (folder / key).write_bytes(material.pictures["8.png"])
    name = output.removeprefix("./")
    if choice < 0.7:
        new = wild_name(rng, ".png")
        arguments = ["key", "--clip", given, "--paint", _as_path(key), "-o", _as_path(new)]
        return Case([*arguments, "--frame", "0"], new)
    arguments = ["color", given, "--key", _as_path(key), "-o", output, "--codec", "ffv1"]
    check = checks.film(name, clip, exact=True, expected=FRAMES)
    return Case([*arguments, "--any-key", *model_arguments()], name, check)


def _as_path(name: str) -> str:
    """A name that begins like an option is none with its folder before it."""
    return f"./{name}" if name.startswith("-") else name


def _review(rng: random.Random, material: Material, folder: Path, clip: str) -> Case:
    report = json.loads(json.dumps(material.report))
    report["film"] = Path(clip).name
    report["model"] = wild_name(rng, "")
    report["keys"] = {frame: wild_name(rng, ".png") for frame in report["keys"]}
    report["options"] = {wild_name(rng, ""): wild_name(rng, "")}
    (folder / clip).write_bytes(material.coloured["out.mkv"])
    place = folder / f"{clip}.vidcolor.json"
    if len(place.name.encode("utf-8", "surrogateescape")) > 255:
        place = folder / "report-without-a-film.json"
    place.write_text(json.dumps(report), encoding="utf-8")
    page = wild_name(rng, ".html")
    arguments = ["review", _as_path(clip), "-o", _as_path(page), "--side", "64"]
    return Case(arguments, page, checks.page(page))
