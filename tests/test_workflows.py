"""What the workflows name exists here, actions are pinned, and a release is checked."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def jobs(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job.get("steps", ())]


def runs() -> list[str]:
    """Every line of every `run:`."""
    given = [step["run"] for path in WORKFLOWS for step in steps(path) if "run" in step]
    return [line.strip() for text in given for line in text.splitlines()]


@pytest.fixture(scope="module")
def wheels() -> dict[str, Any]:
    """Settings of the job that builds wheels."""
    return jobs(ROOT / ".github/workflows/wheels.yml")["wheel"]


def test_the_wheels_are_tried_with_tests_and_extras_that_exist(wheels) -> None:
    settings = wheels["env"]
    tests = re.findall(r"\{project\}/(\S+)", settings["CIBW_TEST_COMMAND"])
    assert tests
    assert all((ROOT / test).is_file() for test in tests)
    extras = settings["CIBW_TEST_EXTRAS"].split(",")
    assert set(extras) <= PROJECT["optional-dependencies"].keys()


def test_the_wheels_are_for_every_python_that_the_project_needs_first(wheels) -> None:
    least = PROJECT["requires-python"].removeprefix(">=").replace(".", "")
    platforms = [job["platform"] for job in wheels["strategy"]["matrix"]["include"]]
    assert len(set(platforms)) == len(platforms) == 5
    assert wheels["env"]["CIBW_BUILD"].startswith(f"cp{least}-${{{{ matrix.platform }}}}")


def test_every_action_is_pinned_by_a_commit_and_names_its_version() -> None:
    lines = [
        line for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line
    ]
    pinned = {}
    for line in lines:
        if "./.github/" in line:
            continue
        action, commit, version = re.fullmatch(
            r"\s+- uses: ([\w./-]+)@([0-9a-f]{40}) # (v[\d.]+)", line
        ).groups()
        assert pinned.setdefault(action, (commit, version)) == (commit, version)
    assert len(pinned) >= 5


def test_every_command_of_make_is_one() -> None:
    words = [re.match(r"make (?:-t )?(.+)", line) for line in runs()]
    targets = {
        word
        for found in words
        if found
        for word in found[1].split()
        if "=" not in word and not word.startswith(('"', "-"))
    }
    known = set(re.findall(r"^([\w./-]+):", MAKEFILE, re.MULTILINE))
    assert {"lint", "test-runtime", "docs", "wheel", "test", "demo"} <= targets
    assert targets - {'python)"'} <= known


def test_files_that_are_run_exist() -> None:
    named = {word for line in runs() for word in re.findall(r"(?:\.ci|tests)/[\w/]+\.py", line)}
    assert named
    assert all((ROOT / name).is_file() for name in named)


def test_extras_that_are_installed_exist() -> None:
    named = {
        e for line in runs() for found in re.findall(r"\.\[(.+?)\]", line) for e in found.split(",")
    }
    named |= {e for found in re.findall(r"'\.\[(.+?)\]'", MAKEFILE) for e in found.split(",")}
    assert named
    assert named <= PROJECT["optional-dependencies"].keys()


DEVICES = {"cuda", "directml", "openvino", "migraphx", "webgpu"}
"""Extras in place of 'cpu', which exclude each other."""


def test_dependencies_are_constrained() -> None:
    """Each library that the project asks for has a version that it is tested with."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    held = {plain(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    extras = PROJECT["optional-dependencies"]
    asked = [
        *PROJECT["dependencies"],
        *(r for name in extras if name not in DEVICES for r in extras[name]),
    ]
    names = {plain(re.match(r"[\w.-]+", requirement)[0]) for requirement in asked} - {"vidcolor"}
    assert names <= held


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def release():
    """The script that checks a release."""
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "check_release.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOG = "# Changes\n\n## Unreleased\n\n## 1.2.0 - 2026-12-01\n\n- It flies.\n\n## 1.1.0\n\n- Old.\n"
URL = "https://host/owner/vidcolor"


def test_a_release_is_one_with_a_tag_words_and_a_source(release) -> None:
    project = {"urls": {"Source": URL}}
    assert release.faults("v1.2.0", URL, changelog=LOG, project=project) == []
    assert release.notes("v1.2.0", LOG) == "- It flies."
    assert release.notes("v1.1.0", LOG) == "- Old."


@pytest.mark.parametrize(
    ("tag", "project", "fault"),
    [
        ("1.2.0", {"urls": {"Source": URL}}, "such as v1.2.3"),
        ("v1.3.0", {"urls": {"Source": URL}}, "nothing under 1.3.0"),
        ("v1.2.0", {"urls": {"Source": "https://host/other"}}, "must have Source"),
        ("v1.2.0", {}, "must have Source"),
    ],
)
def test_what_is_missing_of_a_release_is_said(release, tag, project, fault) -> None:
    [said] = release.faults(tag, URL, changelog=LOG, project=project)
    assert fault in said


def test_the_version_comes_from_tags_or_from_where_there_are_none(tmp_path: Path) -> None:
    """A tag, a commit after it, and a folder without git: each has a version."""
    from setuptools_scm import Configuration, get_version

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools_scm"]

    def version() -> str:
        return get_version(root=str(tmp_path), **settings)

    def git(*words: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    assert isinstance(Configuration(**settings), Configuration)
    assert version() == settings["fallback_version"]
    git("init")
    (tmp_path / "file").write_text("")
    git("add", "file")
    git("commit", "-m", "first")
    assert re.match(r"0\.(1|2\.0)\.dev1\+g", version())  # the older rule, or the newer
    git("tag", "v0.2.0")
    assert version() == "0.2.0"
    git("commit", "--allow-empty", "-m", "second")
    assert re.match(r"0\.2\.1\.dev1\+g", version())
