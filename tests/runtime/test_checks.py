from __future__ import annotations

import pytest

from vidcolor.checks import check_choice, check_whole
from vidcolor.errors import ArgumentError


def test_what_is_accepted_passes() -> None:
    check_choice("provider", "cpu", ("auto", "cpu"))
    check_whole("threads", 1, least=1)


def test_what_is_not_accepted_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"^provider is 'tpu', accepted are auto, cpu$"):
        check_choice("provider", "tpu", ("auto", "cpu"))
    for value in (0, 1.5, "2", None):
        with pytest.raises(ArgumentError, match=f"^threads is {value!r}, accepted are whole"):
            check_whole("threads", value, least=1)
