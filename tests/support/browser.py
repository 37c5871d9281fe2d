"""Our web pages in headless Chromium, for tests.

with browser.page() as page:
    page.goto(path.as_uri())
    page.get_by_role("button", name="Begin").click()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support import need

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

_SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
)  # fmt: skip


@contextmanager
def page(*, width: int = 1280, height: int = 800, seconds: float = 30) -> Iterator[Page]:
    """An empty page; whoever waits in it for more than `seconds` fails.

    On leaving it an AssertionError names what the page reported to the console as errors, and what
    its scripts did not catch. Without Chromium the test is skipped, or fails, see `need.browser`.
    """
    executable = need.browser()
    from playwright.sync_api import sync_playwright

    errors: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=_SWITCHES)
        try:
            opened = chromium.new_page(viewport={"width": width, "height": height})
            opened.set_default_timeout(1000 * seconds)
            opened.on("console", listen)
            opened.on("pageerror", lambda error: errors.append(str(error)))
            yield opened
        finally:
            chromium.close()
    assert not errors, f"the page reported: {'; '.join(errors)}"
