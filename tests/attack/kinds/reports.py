"""Damaged reports of coloured films, and damaged films beside sound reports."""

from __future__ import annotations

import random
from pathlib import Path

from tests.attack import checks
from tests.attack.case import Case
from tests.attack.material import Material
from tests.attack.mutate import damage, damage_json

REVIEW = ["review", "out.mkv", "-o", "review.html", "--side", "64"]


def make(rng: random.Random, material: Material, folder: Path) -> Case:
    """A review of a film whose report, or which itself, was changed."""
    film = material.coloured["out.mkv"]
    report = material.coloured["out.mkv.vidcolor.json"]
    part = rng.random()
    if part < 0.7:
        report = damage_json(material.report, rng)
    elif part < 0.9:
        report = damage(report, rng)
    else:
        film = damage(film, rng, others=list(material.films.values()))
    (folder / "out.mkv").write_bytes(film)
    (folder / "out.mkv.vidcolor.json").write_bytes(report)
    arguments = list(REVIEW)
    if rng.random() < 0.1:
        arguments += ["--goal", str(rng.choice((0.01, 0.5, 1, 1e-300)))]
    return Case(arguments, "review.html", checks.page("review.html"))
