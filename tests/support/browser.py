"""Our web pages in headless Chromium, for tests.

with browser.page() as page:
    page.goto(path.as_uri())
    page.get_by_role("button", name="Begin").click()

Several pages, each with a profile of its own, may be opened one after the other in one Chromium,
whose start takes seconds of a processor:

with browser.chromium() as chromium:
    with browser.page(chromium) as page:
        ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from tests.support import need

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

_SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
)  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium of our own; a process can have one at a time.

    Without Chromium the test is skipped, or fails, see `need.browser`.
    """
    executable = need.browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=_SWITCHES)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def page(
    within: Browser | None = None, *, width: int = 1280, height: int = 800, seconds: float = 30
) -> Iterator[Page]:
    """An empty page; whoever waits in it for more than `seconds` fails.

    On leaving it an AssertionError names what the page reported to the console as errors, and what
    its scripts did not catch.

    Args:
        within: The Chromium that shows it; one of its own if None.
        width: Of its window, in pixels.
        height: Likewise.
        seconds: That anything on the page may take.
    """
    errors: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    with nullcontext(within) if within else chromium() as shown_by:
        opened = shown_by.new_page(viewport={"width": width, "height": height})
        try:
            opened.set_default_timeout(1000 * seconds)
            opened.on("console", listen)
            opened.on("pageerror", lambda error: errors.append(str(error)))
            yield opened
        finally:
            opened.close()
    assert not errors, f"the page reported: {'; '.join(errors)}"
