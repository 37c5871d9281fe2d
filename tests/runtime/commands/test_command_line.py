"""How command lines read: groups, choices, errors in a sentence, folded help, completion."""

from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields, is_dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple, get_args, get_type_hints

import pytest

from vidcolor.cli import COMMANDS, main
from vidcolor.commands import command_line
from vidcolor.commands.color import ModelOptions, OutputOptions
from vidcolor.inference.providers import PROVIDERS
from vidcolor.inference.session import PRECISIONS
from vidcolor.media.codecs import AUTO, CODECS, PREVIEW

ROOT = Path(__file__).parents[3]
PROGRAMS = {
    **{f"vidcolor {name}": ["vidcolor", name] for name in COMMANDS},
    "python -m export": ["export"],
    "python -m evaluation": ["evaluation"],
    "python -m evaluation turing": ["evaluation", "turing"],
    "python -m training prepare": ["training", "prepare"],
    "python -m training fit": ["training", "fit"],
    "python -m training fit-matcher": ["training", "fit-matcher"],
    "python -m training fit-colorizer": ["training", "fit-colorizer"],
    "python -m training reproduce": ["training", "reproduce"],
}


class Said(NamedTuple):
    """What a program wrote, and how it ended."""

    status: int
    out: str
    err: str


def say(module: str, *words: str) -> Said:
    """Run a program in this process, as `python -m MODULE WORDS` does."""
    out, err = (TextIOWrapper(BytesIO(), encoding="utf-8") for _ in range(2))
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.setenv("COLUMNS", "80")
        patch.setattr(sys, "argv", [module, *words])
        patch.delitem(sys.modules, f"{module}.__main__", raising=False)  # as in a new process
        with pytest.raises(SystemExit) as end:
            runpy.run_module(module, run_name="__main__")
    told = [stream.detach().getvalue().decode() for stream in (out, err)]
    return Said(end.value.code or 0, *told)


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_has_no_none_in_it_and_no_line_is_too_long(program: str) -> None:
    done = say(*PROGRAMS[program], "--help")
    assert done.status == 0, done.err
    assert f"usage: {program} " in done.out
    assert not re.search(r"\{None\}|default: (None|False|''|)\)", done.out)
    prose, _, _ = done.out.partition("╭")
    lines = [line for line in prose.splitlines() if not line.startswith("    ")]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("module", ["vidcolor", "export", "evaluation", "training"])
def test_every_program_tells_its_version(module: str) -> None:
    """In a process of its own, as a user starts it."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.fullmatch(rf"(python -m )?{module} \d\S+\n", done.stdout), done
    assert (done.returncode, done.stderr) == (0, "")


def test_the_options_of_color_are_in_groups() -> None:
    printed = say("vidcolor", "color", "--help").out
    boxes = re.findall(r"╭─ (.+?) ─", printed)
    assert boxes == [
        "positional arguments",
        "options",
        "key options",
        "shot options",
        "model options",
        "finish options",
        "output options",
    ]
    assert "--direction {forward,backward,both}" in printed
    assert "--precision {auto,float32,float16,int8}" in printed


def test_choices_are_those_that_the_library_takes() -> None:
    """Some are retyped, for help imports neither FFmpeg nor onnxruntime."""
    assert set(_choices(OutputOptions, "codec")) == {AUTO, *CODECS}
    assert set(_choices(ModelOptions, "provider")) == set(PROVIDERS)
    assert set(_choices(ModelOptions, "precision")) == set(PRECISIONS)


def test_the_defaults_of_encoders_are_those_that_help_tells() -> None:
    hints = get_type_hints(OutputOptions, include_extras=True)

    def told(option: str) -> str:
        return next(
            text for extra in hints[option].__metadata__ if (text := getattr(extra, "help", None))
        )

    for name in ("libx264", "libx265", "h264-420"):
        encoder = CODECS[name].options
        assert f"{encoder['crf']} for {name}" in told("crf")
    assert f"{PREVIEW.options['crf']} for a --preview" in told("crf")
    presets = {name: CODECS[name].options["preset"] for name in ("libx264", "libx265", "h264-420")}
    assert presets == {"libx264": "veryfast", "libx265": "medium", "h264-420": "medium"}
    assert "veryfast for libx264 and a --preview, medium for libx265 and h264-420" in told("preset")


def _choices(options: type, name: str) -> tuple[str, ...]:
    found: tuple[str, ...] = get_args(get_type_hints(options)[name])
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    """A field without a docstring would have an empty line in the help."""

    def check(options: type) -> None:
        for field in fields(options):
            kind = get_type_hints(options)[field.name]
            if is_dataclass(kind):
                check(kind)
            else:
                hint = get_type_hints(options, include_extras=True)[field.name]
                texts = [getattr(extra, "help", None) for extra in hint.__metadata__]
                assert any(texts), field.name

    check(COMMANDS[name].load())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "expected one of {advise, shots, key, color, review, clean}; `vidcolor --help` lists"),
        ("colr", "command is 'colr', accepted are advise, shots, key, color, review, clean"),
        ("review", "missing from vidcolor review: OUTPUT; `vidcolor review --help` lists"),
        ("color a.mkv -o b.mkv --keyss c", "unrecognized options: --keyss, c; perhaps you meant"),
        ("color a.mkv -o b.mkv --codec x", "codec is 'x', accepted are auto, libx264, libx265"),
        ("color a.mkv -o b.mkv --size x", "size is 'x', accepted are whole numbers; `vidcolor"),
        ("color a.mkv -o b.mkv --crf x", "crf is 'x', accepted are numbers; `vidcolor color"),
        ("color a.mkv -o b.mkv --only-shot x", "only-shot is 'x', accepted are whole numbers;"),
        ("color a.mkv -o", "output has no value, one is needed; `vidcolor color --help`"),
        ("color a.mkv -o b.mkv --key", "key has no value, one is needed; `vidcolor color"),
    ],
)
def test_words_that_make_no_sense_cost_a_sentence(
    words: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"vidcolor: {sentence}")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("module", "words", "sentence"),
    [
        ("export", "", "python -m export: missing from python -m export: PATH, -o PATH"),
        ("evaluation", "--size x", "python -m evaluation: size is 'x', accepted are whole"),
        ("training", "fit --steps x -o y", "python -m training: steps is 'x', accepted are whole"),
        ("training", "fit --system x -o y", "python -m training: system is 'x', accepted are"),
    ],
)
def test_the_other_programs_say_it_likewise(module: str, words: str, sentence: str) -> None:
    done = say(module, *words.split())
    assert done.status == 2
    assert done.err.startswith(sentence)
    assert done.err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's signals")
@pytest.mark.usefixtures("heeded_signals")
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_ends_the_other_programs_with_a_line(
    name: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_: str) -> None:
        os.kill(os.getpid(), signal.Signals[name])
        time.sleep(20)

    def run(**more: Callable[[str], str]) -> int:
        return command_line.run([], program="python -m it", make=lambda _: "run", act=work, **more)

    assert run() == status
    assert capsys.readouterr().err == "python -m it: interrupted; the same command begins anew\n"
    assert run(go_on=lambda options: f"--resume {options} goes on") == status
    assert capsys.readouterr().err == "python -m it: interrupted; --resume run goes on\n"


def test_a_closed_pipe_ends_the_other_programs_quietly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after `| head`; also where a program tells failures of the system in a sentence."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        status = command_line.run(
            [],
            program="python -m other",
            make=lambda words: "run",
            act=lambda options: print(options, flush=True),
        )
        monkeypatch.undo()
    assert status == 141
    assert not capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_option(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "vidcolor"
    with pytest.raises(SystemExit) as end:
        main(["--tyro-write-completion", shell, str(script)])
    assert not end.value.code
    text = script.read_text(encoding="utf-8")
    for word in ("advise", "only-shot", "against", "colorizer", "most"):
        assert word in text


def test_help_tells_of_completion(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    help_text = " ".join(capsys.readouterr().out.split())
    assert "`vidcolor --tyro-write-completion bash|zsh|fish FILE` writes a script" in help_text


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["color", "--only"], ["--only-shot"]),
        (["color", "--direction", ""], ["forward", "backward", "both"]),
        (["rev"], ["review"]),
    ],
)
def test_bash_completes(words: list[str], completed: list[str], tmp_path: Path) -> None:
    script = tmp_path / "vidcolor"
    with pytest.raises(SystemExit):
        main(["--tyro-write-completion", "bash", str(script)])
    typed = " ".join(f"'{word}'" for word in ("vidcolor", *words))
    code = (
        f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words)}\n"
        "_tyro_vidcolor; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == completed
