from __future__ import annotations

import sys

import pytest

from vidcolor.errors import MissingLibraryError
from vidcolor.optional import require


def test_a_module_that_is_there_is_imported() -> None:
    found = require("json.decoder", library="JSON", extra="json", purpose="reading")
    assert found is sys.modules["json.decoder"]


def test_a_library_that_is_missing_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(
        MissingLibraryError,
        match=r"^drawing needs Pillow, which is not installed; install it with "
        r'`pip install "vidcolor\[film\]"`$',
    ):
        require("PIL", library="Pillow", extra="film", purpose="drawing")
