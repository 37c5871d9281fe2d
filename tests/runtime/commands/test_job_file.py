"""A job file stands for a command line: the same options, the same bytes, errors by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import films
from vidcolor.cli import main, parse
from vidcolor.commands.color import Color
from vidcolor.commands.job_file import expand_job
from vidcolor.errors import ArgumentError, MediaError

TOY = Path(__file__).parents[2] / "toy" / "bundle"
ALL = """
films = ["a.mkv", "sub/b.mkv"]
output-folder = "out"
keys = "keys"
any-key = true
colorizer = "stills"
scenes = "auto"
direction = "forward"
only_shot = 2
model = "model"
provider = "cpu"
precision = "float32"
size = 128
jobs = 2
codec = "libx264"
crf = 18
preset = "slow"
codec-options = { tune = "film", g = 48 }
preview = false
no-audio = true
keep = "1G"
quiet = true
"""


def parsed(*words: str) -> Color:
    command = parse(["color", *words])
    assert isinstance(command, Color)
    return command


def test_it_holds_every_option_and_paths_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("jobs")
    (folder / "model").mkdir(parents=True)
    (folder / "job.toml").write_text(ALL)
    assert parsed("jobs/job.toml") == parsed(
        "jobs/a.mkv", "jobs/sub/b.mkv", "--output-folder", "jobs/out", "--keys", "jobs/keys",
        "--any-key", "--colorizer", "stills", "--scenes", "auto", "--direction", "forward",
        "--only-shot", "2", "--model", "jobs/model", "--provider", "cpu", "--precision", "float32",
        "--size", "128", "--jobs", "2", "--codec", "libx264", "--crf", "18", "--preset", "slow",
        "--codec-options", "tune=film,g=48", "--no-audio", "--keep", "1G", "--quiet",
    )  # fmt: skip


def test_words_behind_it_count_more(tmp_path: Path) -> None:
    job = tmp_path / "job.toml"
    job.write_text('film = "a.mkv"\noutput = "out.mkv"\nkey = "auto"\nsize = 128\n')
    options = parsed(str(job), "--size", "64", "--preview")
    assert options.films == (tmp_path / "a.mkv",)
    assert options.output == tmp_path / "out.mkv"
    assert options.keys.image == Path("auto")
    assert options.model.size == 64
    assert options.writing.preview


def test_a_word_behind_it_takes_the_place_of_what_it_excludes(tmp_path: Path) -> None:
    job = tmp_path / "job.toml"
    job.write_text('films = "a.mkv"\nkeys = "keys"\noutput-folder = "out"\nonly-shot = 2')
    words = ("--key=first.png", "-o", "b.mkv", "--range", "3-9")
    assert parsed(str(job), *words) == parsed(str(tmp_path / "a.mkv"), *words)
    kept = parsed(str(job), "--key-name", "keys")
    assert kept.keys.folder == tmp_path / "keys"
    assert kept.output_folder == tmp_path / "out"
    job.write_text('films = "a.mkv"\nkeys = "keys"\nkey = "first.png"')
    both = parsed(str(job), "-o", "b.mkv").keys
    assert (both.folder, both.image) == (tmp_path / "keys", tmp_path / "first.png")


def test_names_that_are_no_files_stay_names(tmp_path: Path) -> None:
    job = tmp_path / "job.toml"
    job.write_text('model = "flagship"\nscenes = "cuts.txt"\n')
    assert expand_job([str(job)]) == ["--model=flagship", f"--scenes={tmp_path / 'cuts.txt'}"]
    assert expand_job(["film.mkv", "-o", "x"]) == ["film.mkv", "-o", "x"]
    assert expand_job([]) == []


def test_it_colours_as_its_words_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scene = films.scenes((9, 8))
    folder = Path("film")
    folder.mkdir()
    films.write_film(folder / "film.mkv", scene)
    films.write_keys(folder / "keys", scene, [2, 12])
    (folder / "job.toml").write_text(
        'films = "film.mkv"\nkeys = "keys"\noutput = "out.mkv"\ncodec = "ffv1"\nquiet = true\n'
        f'provider = "cpu"\nsize = 48\nmodel = "{TOY.as_posix()}"\n'
    )
    assert main(["color", "film/job.toml"]) == 0
    words = ["film/film.mkv", "--keys", "film/keys", "-o", "other.mkv", "--codec", "ffv1"]
    more = ["--provider", "cpu", "--size", "48", "--model", str(TOY), "--quiet"]
    assert main(["color", *words, *more]) == 0
    assert (folder / "out.mkv").read_bytes() == Path("other.mkv").read_bytes()


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("colour = 3", ArgumentError, r"holds 'colour', which is no option of `vidcolor color`; "),
        ("size = [1]", ArgumentError, r"size in .* is \[1\], a text or number is accepted"),
        ("size = true", ArgumentError, "size in .* is True, a text or number is accepted"),
        ('quiet = "yes"', ArgumentError, "quiet in .* is 'yes', accepted are true and false"),
        ("films = 3", ArgumentError, "films in .* must be a film's path, or a list of such"),
        ("films = []", ArgumentError, "films in .* must be"),
        ("[output]\ncodec = 'ffv1'", ArgumentError, r"output in .* is \{'codec': 'ffv1'\}, a text"),
        ("size =", ArgumentError, r"is no TOML \(\w+"),
        (f"size = {'9' * 5000}", ArgumentError, r"is no TOML \(Exceeds the limit"),
        ('output = "a\\u0000b"', ArgumentError, "output in .* holds a character 0"),
        (f"{'x' * 5000} = 1", ArgumentError, f"holds '{'x' * 40}', which is no option"),
        (None, MediaError, r"cannot be read \(there is no such file\)"),
    ],
)
def test_what_it_may_not_hold(
    tmp_path: Path, text: str | None, error: type[Exception], sentence: str
) -> None:
    job = tmp_path / "job.toml"
    if text is not None:
        job.write_text(text)
    with pytest.raises(error, match=f"^job: .*{sentence}"):
        expand_job([str(job)])
    assert main(["color", str(job)]) == 2


def test_a_value_that_no_option_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = tmp_path / "job.toml"
    job.write_text('films = "a.mkv"\noutput = "b.mkv"\ncodec = "divx"\n')
    assert main(["color", str(job)]) == 2
    assert "codec is 'divx', accepted are auto, libx264" in capsys.readouterr().err
