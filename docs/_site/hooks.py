"""mkdocs hooks: pages of the site that do not lie in docs/, and links that lead out of it.

The Markdown of this repository links to files where they lie, such as ``../examples/part.vpy``, so
that it reads as it is. On the site each linked file is a page, and the links lead to the pages.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from vidcolor.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = {
    "BENCHMARKS.md": "benchmarks.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "README.md": "index.md",  # docs/index.md stands for it
    "training/README.md": "training.md",
    "training/EXPERIMENTS.md": "experiments.md",
}
"""Documents elsewhere in the repository, and their places on the site."""
PROGRAMS = {
    "vidcolor": tuple(COMMANDS),
    "evaluation": ("", "turing"),
    "export": ("",),
    "training": ("prepare", "fit", "fit-matcher", "fit-colorizer", "reproduce"),
}
LANGUAGES = {".py": "python", ".vpy": "python", ".toml": "toml", ".c": "c", ".yml": "yaml"}
WIDTH = "80"
"""Columns of a command's help."""
BOX = "╭"
"""What the first of its lists of options begins with."""

_LINK = re.compile(r"(\]\()(?!\w+:|#|/)([^)#\s]+)(#[^)\s]*)?(\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents that lie elsewhere, the files that documents link to, and the commands."""
    for source, place in PAGES.items():
        if source != "README.md":
            files.append(_page(config, place, (ROOT / source).read_text(encoding="utf-8")))
    files.append(_page(config, "commands.md", _commands()))
    linked = set()
    for document in [*ROOT.glob("docs/*.md"), *(ROOT / source for source in PAGES)]:
        for _, target, _, _ in _LINK.findall(document.read_text(encoding="utf-8")):
            path = (document.parent / target).resolve()
            if path.exists() and _place(path) not in files.src_uris:
                linked.add(path)
    for path in sorted(linked):
        files.append(_page(config, _place(path), _shown(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links that lead to files of the repository to their pages."""
    folder = (ROOT / _source(page.file.src_uri)).parent

    def point(match: re.Match[str]) -> str:
        before, target, anchor, after = match.groups()
        path = (folder / target).resolve()
        if not path.is_relative_to(ROOT) or not path.exists():
            return match[0]  # mkdocs says that it leads nowhere
        here = posixpath.dirname(page.file.src_uri)
        return f"{before}{posixpath.relpath(_place(path), here or '.')}{anchor or ''}{after}"

    return _LINK.sub(point, markdown)


def _page(config: MkDocsConfig, place: str, content: str) -> File:
    return File.generated(config, place, content=content)


def _source(place: str) -> str:
    """Where the repository has a page of the site."""
    if place.startswith("files/"):
        return place.removeprefix("files/")
    sources = (source for source, there in PAGES.items() if there == place and place != "index.md")
    return next(sources, f"docs/{place}")


def _place(path: Path) -> str:
    """Where the site has a file or folder of the repository."""
    name = path.relative_to(ROOT).as_posix()
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    if path.suffix == ".md":
        return PAGES.get(name, f"files/{name}")
    return f"files/{name}.md"


def _shown(path: Path) -> str:
    """A page that shows a file, or lists a folder."""
    name = path.relative_to(ROOT).as_posix()
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.is_file())
        return f"# {name}/\n\n" + "".join(f"- `{entry}`\n" for entry in inside)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return f"# {name}\n\n`````{LANGUAGES.get(path.suffix, 'text')}\n{text}`````\n"


def _commands() -> str:
    """The command reference: what each command says of itself."""
    parts = [(program, word) for program, words in PROGRAMS.items() for word in words]
    with ThreadPoolExecutor(2) as pool:
        helps = list(pool.map(_help, parts))
    text = [
        "# Commands",
        "What `--help` says of each command. `vidcolor` comes with the package; the others run in "
        "a checkout.",
    ]
    for (program, word), said in zip(parts, helps, strict=True):
        name = program if program == "vidcolor" else f"python -m {program}"
        usage, _, described = said.partition("\n")
        prose, frame, boxes = described.partition(BOX)
        text += [f"## {name} {word}".rstrip(), f"    {usage.removeprefix('usage: ')}"]
        text += [prose.strip("\n"), f"```text\n{frame}{boxes.strip()}\n```"]
    return "\n\n".join(text) + "\n"


def _help(part: tuple[str, str]) -> str:
    program, word = part
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", program, *([word] if word else []), "--help"],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": WIDTH, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
