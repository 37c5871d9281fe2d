"""What figures depend on, noted beside them: the code's commit and the list of the footage."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "training" / "footage.csv"
"""The clips that the published models were trained and measured on, with their hashes."""


def provenance() -> dict[str, str]:
    """Say which code and which list of footage is in use.

    Returns:
        `commit`: that of the checkout, ending in '+' where files differ from it, or 'unknown'.
        `footage_sha256`: the SHA-256 of `training/footage.csv`.
    """
    return {
        "commit": _commit(),
        "footage_sha256": hashlib.sha256(MANIFEST.read_bytes()).hexdigest(),
    }


def _commit() -> str:
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return "unknown"
    return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", "-C", str(ROOT), *arguments],  # noqa: S607 - whichever git there is
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
