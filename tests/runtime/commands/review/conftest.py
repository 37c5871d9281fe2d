"""A coloured film, its review page, and the page opened in a real browser from the file system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.runtime.commands.review.film import open_page, report, settle, write_coloured
from tests.support import browser
from vidcolor.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_coloured(tmp_path_factory.mktemp("film") / "out.mp4")
    report().write(path)
    return path


@pytest.fixture(scope="session")
def made(coloured: Path) -> Path:
    path = coloured.with_name("review.html")
    assert main(["review", str(coloured), "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One for all files in this folder. Not shared by more: a process has one."""
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def opened(chromium: Browser, made: Path) -> Iterator[Page]:
    """Leaving it fails if the page reported an error."""
    with browser.page(chromium) as page:
        open_page(page, made)
        yield page


@pytest.fixture
def page(opened: Page, made: Path) -> Page:
    """Back at the beginning, stopped, divided in the middle."""
    if opened.url != made.as_uri():
        open_page(opened, made)
    opened.evaluate(
        "stop(); divide(50); seek(0); order = -1; document.activeElement.blur(); notes.clear();"
        "localStorage.clear(); showNotes(); if (uncertain) toggleUncertain()"
    )
    settle(opened)
    return opened
