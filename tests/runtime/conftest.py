from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.support.forked import Programs, programs
from vidcolor.commands import command_line


@pytest.fixture(scope="session", autouse=True)
def _command_lines_parsed_once() -> Iterator[None]:
    """For each command line tyro makes the whole parser anew, which takes longer than a small film.
    The same words mean the same options, which are frozen. What is wrong is told anew."""
    parse, made = command_line.parse, {}

    def parse_once(
        make: Callable[[Sequence[str]], object], words: Sequence[str], *, program: str
    ) -> object:
        known = program, *words
        if known not in made:
            made[known] = parse(make, words, program=program)
        return made[known]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_line, "parse", parse_once)
        yield


@pytest.fixture(scope="module")
def vidcolor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Starts `vidcolor` in processes of its own."""
    with programs(tmp_path_factory.mktemp("told")) as started:
        yield started
