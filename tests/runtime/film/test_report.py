"""The account beside a coloured film."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from vidcolor.errors import MediaError
from vidcolor.film.report import Account, account_path

ACCOUNT = Account(
    film="film.mkv",
    model="flagship",
    size=256,
    keys={100: "000100.png", 130: "000130.png"},
    shots=(0, 90, 120, 500),
    confidence=(1.0, *[0.75] * 49),
    first=100,
    options={"codec": "ffv1"},
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    assert ACCOUNT.write(output) == tmp_path / "out.mp4.vidcolor.json"
    assert Account.read(output) == ACCOUNT
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4.vidcolor.json"]


def test_a_later_account_replaces_the_first(tmp_path: Path) -> None:
    ACCOUNT.write(tmp_path / "out.mp4")
    later = replace(ACCOUNT, confidence=(0.5,) * 3)
    later.write(tmp_path / "out.mp4")
    assert Account.read(tmp_path / "out.mp4") == later


def test_spans_are_the_coloured_part_of_each_shot() -> None:
    assert ACCOUNT.frames == range(100, 150)
    assert ACCOUNT.spans == (range(100, 120), range(120, 150))
    assert replace(ACCOUNT, first=0).spans == (range(50),)
    assert replace(ACCOUNT, first=120).spans == (range(120, 170),)


def test_one_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    account_path(tmp_path / "out.mp4").mkdir()
    with pytest.raises(MediaError, match="cannot be written"):
        ACCOUNT.write(tmp_path / "out.mp4")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": -1},
        {"keys": {-3: "a.png"}},
        {"shots": (0, 5, 5)},
        {"confidence": ()},
        {"confidence": (0.5, 1.5)},
        {"confidence": (float("nan"),)},
    ],
)
def test_checked_at_birth(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(ACCOUNT, **wrong)


DAMAGED = {
    "truncated": (lambda text: text[: len(text) // 2], "cannot be read"),
    "not text": (lambda text: b"\xff\xfe\xfd", "cannot be read"),
    "another file": (lambda text: '{"name": "package.json"}', "is not an account"),
    "no object": (lambda text: "[1, 2]", "is not an account"),
    "of the future": (lambda text: text.replace('"version": 1', '"version": 7'), "version 7"),
    "lacking a field": (lambda text: without(text, "shots"), "damaged"),
    "with a field too many": (lambda text: text.replace('"film"', '"reel"'), "damaged"),
    "with a list of keys": (
        lambda text: text.replace('{"100": "000100.png"', "[").replace(
            ', "130": "000130.png"}', "]"
        ),
        "damaged",
    ),
    "with words for numbers": (lambda text: text.replace("0.75", '"high"'), "damaged"),
    "beyond its range": (lambda text: text.replace("0.75", "7.5"), "damaged"),
    "not a number": (lambda text: text.replace("0.75", "NaN"), "damaged"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_damaged_is_told(case: str, tmp_path: Path) -> None:
    damage, message = DAMAGED[case]
    path = ACCOUNT.write(tmp_path / "out.mp4")
    damaged = damage(path.read_text())
    path.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    with pytest.raises(MediaError, match=message) as caught:
        Account.read(tmp_path / "out.mp4")
    assert "\n" not in str(caught.value)


def test_a_film_without_one(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"no account out\.mp4\.vidcolor\.json .* moved along"):
        Account.read(tmp_path / "out.mp4")


def without(text: str, field: str) -> str:
    content = json.loads(text)
    del content[field]
    return json.dumps(content)
