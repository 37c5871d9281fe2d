from __future__ import annotations

import csv
import hashlib
import os
import re
import subprocess
from collections import Counter

import pytest

from evaluation import provenance as module
from evaluation.provenance import MANIFEST, ROOT, provenance
from tests.support import need

ROWS = list(csv.DictReader(MANIFEST.open(encoding="utf-8")))


def test_the_manifest_lists_each_clip_once_with_its_origin():
    assert Counter(row["split"] for row in ROWS) == {"train": 443, "dev": 49}
    assert len({(row["split"], row["name"]) for row in ROWS}) == len(ROWS)
    assert len({row["sha256"] for row in ROWS}) == len(ROWS)  # no clip is in both splits
    for row in ROWS:
        assert re.fullmatch(r"[0-9a-f]{64}", row["sha256"]), row
        assert row["source_repository"].startswith("https://github.com/"), row
        assert all(row.values()), row


@pytest.mark.parametrize("split", ["dev", "train"])
def test_the_footage_is_what_the_manifest_says(split):
    need.clips(split)
    folder = module.Path(os.environ[need.CLIPS]) / split
    for row in (row for row in ROWS if row["split"] == split):
        content = (folder / row["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"], row["name"]


def test_figures_name_the_commit_and_the_manifest(monkeypatch):
    noted = provenance()
    assert noted["footage_sha256"] == hashlib.sha256(MANIFEST.read_bytes()).hexdigest()
    head = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    assert noted["commit"].rstrip("+") == (head.stdout.strip() or "unknown")
    monkeypatch.setenv("PATH", "")
    assert provenance()["commit"] == "unknown"
