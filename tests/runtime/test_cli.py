"""The command line as a process: its help, its exit status, and its streams in any state."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import av
import pytest

import vidcolor
from tests.support.videos import write_clip
from vidcolor.cli import COMMANDS, main, parse

VIDCOLOR = [sys.executable, "-m", "vidcolor"]


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run bash, in which $VIDCOLOR is the command line; a pipeline's status is vidcolor's."""
    return subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "VIDCOLOR": " ".join(VIDCOLOR), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vidcolor {vidcolor.__version__}\n"
    assert vidcolor.__version__[0].isdigit()


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    """So it appears at once: numpy, OpenCV and FFmpeg take most of a second."""
    code = (
        "import sys; from vidcolor.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "slow = {'numpy', 'cv2', 'av', 'tqdm', 'onnxruntime'} & sys.modules.keys()\n"
        "sys.exit(f'imported {slow}' if slow else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    for name, listed in COMMANDS.items():
        assert name in done.stdout
        assert listed.summary.split()[0] in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_begins_as_its_own_help_does(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = COMMANDS[name]
    own = getattr(import_module(listed.module), listed.name).__doc__
    assert own.split()[:4] == listed.summary.split()[:4]
    with pytest.raises(SystemExit) as end:
        parse([name, "--help"])
    assert end.value.code == 0
    assert f"usage: vidcolor {name} " in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["colr"], ["--no-such"], ["color", "--no-such"]])
def test_words_that_make_no_sense_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("vidcolor: ")


def test_a_warning_of_ours_costs_a_sentence() -> None:
    script = """
import warnings
from vidcolor import cli
from vidcolor.errors import ProviderWarning

class Command:
    def run(self):
        warnings.warn("CUDA graphs are not used", ProviderWarning)
        warnings.warn("another", UserWarning)

cli._run_command(Command())
warnings.warn("later", ProviderWarning)
"""
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stderr.splitlines()
    assert said[0] == "vidcolor: CUDA graphs are not used"
    assert said[1].endswith("UserWarning: another")
    # From 3.13 on Python shows the line of such a script, too.
    assert any(line.endswith("ProviderWarning: later") for line in said[2:])


def test_an_output_that_nobody_reads_ends_quietly() -> None:
    done = shell('$VIDCOLOR --help | (read line; echo "$line"); exit ${PIPESTATUS[0]}')
    assert done.stdout == "usage: vidcolor [-h] {advise,shots,key,color,review,clean}\n"
    assert done.stderr == ""
    assert done.returncode in (0, 141), "0 if all of it fitted into the pipe"
    done = shell("$VIDCOLOR --help | true; exit ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("", "")


def test_a_pipe_whose_reader_is_gone_is_status_141() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*VIDCOLOR, "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
def test_an_output_that_is_full_costs_a_sentence() -> None:
    done = shell("$VIDCOLOR --version >/dev/full")
    assert done.returncode == 1
    assert re.fullmatch(r"vidcolor: .*\(No space left on device\)\n", done.stderr)
    done = shell("$VIDCOLOR review none.mp4 2>/dev/full")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's closed descriptors")
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("$VIDCOLOR --version >&-", 0),
        ("$VIDCOLOR --version <&- 2>&- >&-", 0),
        ("$VIDCOLOR review none.mp4 2>&-", 2),
        ("$VIDCOLOR colr >&- 2>&-", 2),
    ],
)
def test_closed_streams_change_nothing(command: str, status: int) -> None:
    done = shell(command)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


def test_a_closed_stdout_is_not_taken_by_the_next_file(tmp_path: Path) -> None:
    """Else what a library prints would land in it."""
    code = (
        "import os, sys; from vidcolor.streams import StandardStreams\n"
        "with StandardStreams():\n"
        "    with open('film', 'wb') as film: assert film.fileno() > 2\n"
        "    os.write(1, b'from C'); print('from Python')\n"
        "assert os.path.getsize('film') == 0"
    )
    done = subprocess.run(
        ["bash", "-c", 'exec "$0" -c "$1" >&- 2>err', sys.executable, code],
        cwd=tmp_path,
        check=False,
        timeout=60,
    )
    assert (done.returncode, (tmp_path / "err").read_text()) == (0, "")


def test_a_name_that_is_too_long_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "clip.mkv")
    words = ["color", str(clip), "--key", "x" * 5000, "-o", str(tmp_path / "out.mkv")]
    assert main(words) == 2
    assert "cannot be" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8"])
def test_any_code_page_will_do(encoding: str) -> None:
    """Names with letters that it lacks, and names that are no UTF-8, are printed as escapes."""
    name = b"\xe4\xb8\x80\xff.mp4"
    done = subprocess.run(
        [*(word.encode() for word in VIDCOLOR), b"review", name],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    said = done.stderr.decode(encoding)
    assert said.startswith("vidcolor: ")
    assert said.count("\n") == 1
    assert "\\udcff.mp4" in said
    help_ = subprocess.run(
        [*VIDCOLOR, "--help"],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert "advise" in help_.stdout.decode(encoding)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's signals")
@pytest.mark.usefixtures("heeded_signals")
@pytest.mark.parametrize("module", ["typeguard", "numpy._core", "numpy.linalg", "av.frame", "cv2"])
def test_an_interrupt_while_importing_ends_quietly(module: str, tmp_path: Path) -> None:
    """`-X importtime` tells on stderr what has just been imported."""
    write_clip(tmp_path / "clip.mkv")
    options = ("--key", "auto", "-o", "out.mkv")
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "vidcolor", "color", "clip.mkv", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.partition("|")[2].partition("|")[2].strip().startswith(module):
            process.send_signal(signal.SIGINT)
            break
    out, rest = process.communicate(timeout=60)
    said = "".join(line for line in rest.splitlines(keepends=True) if "import time:" not in line)
    if process.returncode == 0:  # what it was to do was done before it next asked
        assert said == ""
        assert out.startswith("usage: vidcolor color ")
    else:
        assert said == "vidcolor: interrupted, no output was written\n"
        assert out == ""
        assert process.returncode == 130


NO_MEMORY = "vidcolor: there is not enough memory; close other programs and try again\n"


class Failing:
    """A command that fails as the system fails."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def run(self) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (MemoryError(), 1, NO_MEMORY),
        (av.error.MemoryError(12, "Cannot allocate memory"), 1, NO_MEMORY),
        (RuntimeError("can't start new thread"), 1, NO_MEMORY),
        (OSError(28, "No space left on device"), 1, "vidcolor: writing failed (No space"),
        (PermissionError(13, "Permission denied", "a.png"), 1, "vidcolor: a.png cannot be used"),
        (KeyboardInterrupt(), 130, "vidcolor: interrupted, no output was written\n"),
    ],
)
def test_failures_of_the_system_cost_a_sentence(
    error: BaseException,
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vidcolor.cli.parse", lambda _: Failing(error))
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["color"]) == status
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err.startswith(said)
