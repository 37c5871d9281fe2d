from __future__ import annotations

import pytest

from tests.support import browser


def test_a_page_runs_and_what_it_reports_fails_the_test():
    report = "one error; two is not defined"
    with browser.chromium() as chromium:
        with browser.page(chromium) as page:
            page.set_content(
                "<p>gray</p><script>document.querySelector('p').append('ish')</script>"
            )
            assert page.inner_text("p") == "grayish"
        with pytest.raises(AssertionError, match=report), browser.page(chromium) as page:
            page.set_content("<script>console.error('one error'); two()</script>")


def test_without_chromium_the_reason_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("VIDCOLOR_REQUIRE_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium on the PATH"), browser.page():
        pass
    monkeypatch.setenv("VIDCOLOR_REQUIRE_BROWSER", "1")
    with (
        pytest.raises(pytest.fail.Exception, match="VIDCOLOR_REQUIRE_BROWSER=1 asks"),
        browser.page(),
    ):
        pass
