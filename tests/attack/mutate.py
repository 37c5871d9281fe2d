"""Damage to bytes and to JSON, drawn from random numbers."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Values at which counts and sizes go wrong."""
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, 1e-320, 10**12, 10**30, "@digits@", 2**63,
    float("nan"), float("inf"), -float("inf"), "", "0", "-1", "²", "1e3", "NaN", "auto", "\0",
    "x" * 5000, "<!--<script>", "</script><b>", "../../x", "é\u202eabc", "\ud800", [], {}, [[]],
    [None], [1, 2, 3], {"a": 1}, [[[[[[]]]]]],
)  # fmt: skip
"""JSON values of every type, and some that no field expects."""


def damage(data: bytes, rng: random.Random, *, others: Sequence[bytes] = ()) -> bytes:
    """The bytes with one to a few kinds of damage.

    Args:
        data: Of a whole file.
        rng: Random numbers.
        others: Files that pieces may come from.
    """
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        rng.choice(_DAMAGES)(changed, rng)
    if others and rng.random() < 0.05:
        other = rng.choice(others)
        at = rng.randrange(len(changed) + 1)
        changed[at:] = other[min(at, len(other)) :]
    return bytes(changed)


def _place(data: bytearray, rng: random.Random) -> int:
    """An offset, a header's more often than another."""
    span = len(data) if rng.random() < 0.6 else min(len(data), rng.choice((16, 64, 512, 2048)))
    return rng.randrange(max(1, span))


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if data:
            data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: random.Random) -> None:
    at, count = _place(data, rng), rng.choice((1, 2, 4, 16, 200))
    data[at : at + count] = rng.randbytes(min(count, len(data) - at))


def _number(data: bytearray, rng: random.Random) -> None:
    size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    number = rng.choice(NUMBERS) & (256**size - 1)
    at = _place(data, rng)
    if at + size <= len(data):
        data[at : at + size] = number.to_bytes(size, order)


def _zeros(data: bytearray, rng: random.Random) -> None:
    at, count = _place(data, rng), rng.choice((4, 64, 1024))
    count = min(count, len(data) - at)
    data[at : at + count] = bytes(count)


def _truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.choice((rng.randrange(len(data) + 1), _place(data, rng))) :]


def _remove(data: bytearray, rng: random.Random) -> None:
    at = _place(data, rng)
    del data[at : at + rng.choice((1, 4, 100, 2000))]


def _repeat(data: bytearray, rng: random.Random) -> None:
    at, count = _place(data, rng), rng.choice((1, 8, 300, 4000))
    data[at:at] = data[at : at + count]


def _insert(data: bytearray, rng: random.Random) -> None:
    at = _place(data, rng)
    data[at:at] = rng.randbytes(rng.choice((1, 4, 100)))


def _swap(data: bytearray, rng: random.Random) -> None:
    count = rng.choice((4, 64, 512))
    one, other = sorted((_place(data, rng), _place(data, rng)))
    if one + count <= other and other + count <= len(data):
        a, b = data[one : one + count], data[other : other + count]
        data[one : one + count], data[other : other + count] = b, a


def _append(data: bytearray, rng: random.Random) -> None:
    data += rng.choice((rng.randbytes(rng.choice((1, 100, 5000))), bytes(data)))


_DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip, _flip, _flip, _overwrite, _number, _number, _zeros, _truncate, _remove, _repeat,
    _insert, _swap, _append,
)  # fmt: skip


def damage_json(content: Any, rng: random.Random) -> bytes:
    """JSON text whose values, or whose text, were changed."""
    if rng.random() < 0.02:
        depth = rng.choice((500, 100_000))
        return b"[" * depth + b"]" * rng.choice((0, depth))
    content = json.loads(json.dumps(content))
    for _ in range(rng.choice((1, 1, 2, 4))):
        content = _change_value(content, rng)
    ascii_only = rng.random() < 0.5
    text = json.dumps(content, ensure_ascii=ascii_only).replace('"@digits@"', "9" * 5000)
    data = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.2:
        data = damage(data, rng)
    return text.encode("utf-16") if rng.random() < 0.01 and ascii_only else data


def _change_value(content: Any, rng: random.Random) -> Any:
    """A value somewhere in the content replaced, removed, renamed or repeated."""
    places = list(_places(content))
    if not places or rng.random() < 0.02:
        return deepcopy(rng.choice(VALUES))
    holder, name = rng.choice(places)
    action = rng.random()
    if action < 0.65:
        holder[name] = deepcopy(rng.choice(VALUES))
    elif action < 0.8:
        del holder[name]
    elif isinstance(holder, dict):
        other = rng.choice(("", "-1", "²", "x" * 300, "9" * 5000, "\ud800", "first"))
        holder[other] = deepcopy(holder[name])  # in two places, it could get into itself
    else:
        holder[name:name] = [deepcopy(holder[name]) for _ in range(rng.choice((1, 50)))]
    return content


def _places(content: Any) -> Any:
    """Each holder of a value with its name or index there."""
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for name, value in items:
            yield content, name
            yield from _places(value)


def wild_name(rng: random.Random, ending: str) -> str:
    """A file's name of at most 200 bytes with characters that pages, shells and systems stumble on.

    Bytes that are not UTF-8 are in it as Python has them in names of files.
    """
    pieces = (
        "<!--<script>", "</script>", "<b>", "&amp;", "&", '"', "'", "`", "${x}", "{{ x }}", "%41",
        "%", "#", "?", " ", "\n", "\t", "\r", "\\", ":", ";", "|", "*", "-o", "--help", "é", "ß",
        "日本", "\u202e", "\u2028", "\ufeff", "😀", "\x01", "\x1b[31m", "\x7f", "a" * 60, "..",
        ".", "con", "]]>", "javascript:alert(1)", "onerror=x", "\udcff", "\udce9t\udce9",
    )  # fmt: skip
    name = "".join(rng.choice(pieces) for _ in range(rng.choice((1, 2, 4, 7))))
    name += "".join(rng.choices(string.ascii_letters, k=rng.randrange(4)))
    data = name.encode("utf-8", "surrogateescape")[:200].replace(b"/", b"_").replace(b"\0", b"_")
    name = data.decode("utf-8", "surrogateescape")
    return (name if name.strip(".") else "x" + name) + ending
