"""Words of a private language that the code once spoke stay away: the field has a term for each.

Identifiers are compared whole; *colour* is for prose, identifiers say `color`.
"""

from __future__ import annotations

import io
import tokenize
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.support.modules import LAW, ROOT, files

RETIRED = MappingProxyType(
    {
        "Seen": "FrameInputs",
        "see": "prepare_inputs",
        "Looks": "InputCache",
        "Kept": "StepCache",
        "outlook": "prefetch",
        "lanes": "directions",
        "keyed": "has_key",
        "freight": "io_binding",
        "account": "report",
        "crew": "executor",
        "stretch": "segment",
        "stretches": "segments",
        "look_through": "scan_film",
        "own_colours": "key_chroma",
        "Painted": "FittedKey, KeyFrame or Prediction",
        "Players": "TrainState",
        "Rolling": "Unroll",
        "Ruler": "Scorer",
        "judge": "discriminator",
        "restlessness": "warping error",
        "belief": "evidence",
        "heed": "gate",
        "lean": "distance_penalty",
        "doubts": "log_errors",
        "tint": "attention_value",
        "agrees": "similarity",
        "chances": "sampling_weights",
        "forgotten": "reset",
        "led": "warped",
        "likeness": "similarity",
        "look": "prepare",
        "looks": "input_cache",
        "manual": "help_text",
        "Method": "Predictor",
        "Sheets": "ChromaWriter",
        "straight": "direct flow",
        "Survey": "FilmIndex",
        "trusts": "confidences",
        "watch": "prepare_clip",
    }
)
"""Retired word -> what is said in its place."""


@cache
def identifiers(path: Path) -> frozenset[str]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return frozenset(token.string for token in tokens if token.type == tokenize.NAME)


@pytest.mark.parametrize("word", RETIRED)
def test_a_retired_word_stays_away(word: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for package in (*LAW, "benchmarks")
        for path in files(package)
        if word in identifiers(path)
    ]
    assert not found, f"{word} is back in {found}; say {RETIRED[word]}"


def test_identifiers_say_color() -> None:
    found = {
        name: str(path.relative_to(ROOT))
        for package in LAW
        for path in files(package)
        for name in identifiers(path)
        if "colour" in name.lower()
    }
    assert not found


def test_identifiers_are_read_from_code_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text('x = "Seen"  # lanes\nfor crew in x: pass\n', encoding="utf-8")
    assert identifiers(path) == {"x", "for", "crew", "in", "pass"}
