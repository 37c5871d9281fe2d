"""What has to be true of a tag before it is published, and the changelog's words for it.

python .ci/check_release.py v0.2.0 https://host/owner/repository
python .ci/check_release.py v0.2.0 --notes
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def notes(tag: str, changelog: str) -> str:
    """The changelog's section for a tag; empty when it has none."""
    version = re.escape(tag.removeprefix("v"))
    found = re.search(
        rf"^## {version}\b[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    return found[1].strip() if found else ""


def faults(tag: str, repository: str, *, changelog: str, project: dict[str, object]) -> list[str]:
    """Sentences that say what is missing; none when all is well."""
    said = []
    if not re.fullmatch(r"v\d+\.\d+\.\d+((a|b|rc)\d+)?", tag):
        said.append(f"the tag is {tag}, such as v1.2.3 or v1.2.3rc1 is needed")
    if not notes(tag, changelog):
        said.append(f"CHANGELOG.md has nothing under {tag.removeprefix('v')}")
    urls = project.get("urls", {})
    source = urls.get("Source") if isinstance(urls, dict) else None
    if source != repository:
        said.append(f'pyproject.toml: [project.urls] must have Source = "{repository}"')
    return said


def main() -> int:
    """The command line; 1 when something is missing."""
    tag, other = sys.argv[1:]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if other == "--notes":
        print(notes(tag, changelog))
        return 0
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = faults(tag, other, changelog=changelog, project=project)
    print("\n".join(said) or "all is well", file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
