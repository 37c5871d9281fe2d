"""What the workflows name exists here."""

import re
import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheels():
    """Settings of the job that builds wheels."""
    text = (ROOT / ".github/workflows/wheels.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["jobs"]["wheel"]


def test_the_wheels_are_tried_with_tests_and_extras_that_exist(wheels):
    settings = wheels["env"]
    tests = re.findall(r"\{project\}/(\S+)", settings["CIBW_TEST_COMMAND"])
    assert tests
    assert all((ROOT / test).is_file() for test in tests)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = settings["CIBW_TEST_EXTRAS"].split(",")
    assert set(extras) <= project["optional-dependencies"].keys()


def test_the_wheels_are_for_every_python_that_the_project_needs_first(wheels):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = project["requires-python"].removeprefix(">=").replace(".", "")
    platforms = [job["platform"] for job in wheels["strategy"]["matrix"]["include"]]
    assert len(set(platforms)) == len(platforms) == 5
    assert wheels["env"]["CIBW_BUILD"].startswith(f"cp{least}-${{{{ matrix.platform }}}}")
