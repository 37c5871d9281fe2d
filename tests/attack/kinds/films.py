"""Damaged films of many codecs and containers."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from tests.attack import checks
from tests.attack.case import Case
from tests.attack.material import FRAMES, Material, model_arguments
from tests.attack.mutate import damage

_INTER = ("x26", "mpeg", "vp", "turned", "b-frames", "wmv", "rich")
"""How the names of films begin whose frames are made from others."""


def make(rng: random.Random, material: Material, folder: Path) -> Case:
    """A film that is damaged, cut short, or under another's ending; or damaged pictures."""
    if rng.random() < 0.05:
        return _pictures(rng, material, folder)
    name = rng.choice(list(material.films))
    data = damage(material.films[name], rng, others=list(material.films.values()))
    ending = Path(rng.choice(list(material.films)) if rng.random() < 0.03 else name).suffix
    clip = f"clip{ending}"
    (folder / clip).write_bytes(data)
    shutil.copy(material.key, folder / "key.png")
    if rng.random() < 0.08:
        return _others(rng, clip)
    output, codec = rng.choice((("out.mkv", "ffv1"), ("out.mkv", "ffv1"), ("out.mp4", "auto")))
    arguments = ["color", clip, "--key", "key.png", "--any-key", "-o", output, "--codec", codec]
    arguments += model_arguments()
    frames = None
    if rng.random() < 0.3:
        first = rng.randrange(FRAMES)
        frames = range(first, rng.randrange(first, FRAMES) + 1)
        arguments += ["--range", f"{frames[0]}-{frames[-1]}"]
    if rng.random() < 0.1:
        arguments += ["--scenes", "auto"]
    if rng.random() < 0.05:
        arguments += ["--preview"]
    exact = codec == "ffv1" and "--preview" not in arguments
    intra = not name.startswith(_INTER)
    check = checks.film(output, clip, frames=frames, exact=exact, intra=intra)
    return Case(arguments, output, check, what=f"{name} damaged")


def _pictures(rng: random.Random, material: Material, folder: Path) -> Case:
    """Numbered pictures, of which some are damaged, gone, or of another name."""
    (folder / "scan").mkdir()
    sound = material.pictures[rng.choice(("gray.png", "gray-16.png", "gray.tif"))]
    for number in range(FRAMES):
        (folder / "scan" / f"scan_{number:05}.png").write_bytes(sound)
    for _ in range(rng.choice((1, 1, 3))):
        path = folder / "scan" / f"scan_{rng.randrange(FRAMES):05}.png"
        choice = rng.random()
        if choice < 0.7:
            path.write_bytes(damage(sound, rng, others=list(material.pictures.values())))
        elif choice < 0.85:
            path.unlink(missing_ok=True)
        else:
            (folder / "scan" / rng.choice(("x.png", "scan_99999.png", "scan_²²²²².png"))).touch()
    shutil.copy(material.key, folder / "key.png")
    clip = rng.choice(("scan", "scan/scan_%05d.png", "scan/scan_00000.png"))
    arguments = ["color", clip, "--key", "key.png", "--any-key", "-o", "out.mkv"]
    arguments += ["--codec", "ffv1", *model_arguments()]
    return Case(arguments, "out.mkv", checks.readable_film("out.mkv"), what="pictures")


def _others(rng: random.Random, clip: str) -> Case:
    """The other commands that read films."""
    if rng.random() < 0.5:
        return Case(["advise", clip, "-o", "keys", *model_arguments()[:4]], "keys")
    arguments = ["key", "--clip", clip, "--paint", "key.png", "-o", "new.png"]
    arguments += ["--frame", str(rng.randrange(FRAMES))] * (rng.random() < 0.7)
    return Case(arguments, "new.png")
