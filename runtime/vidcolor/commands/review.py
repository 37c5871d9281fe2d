"""``vidcolor review out.mp4 -o review.html``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from vidcolor.advise.preview import Preview, encode_preview
from vidcolor.advise.review_page import build_page, weakest_frames
from vidcolor.advise.stills import write_file
from vidcolor.advise.worth import GOAL
from vidcolor.errors import ArgumentError, MediaError
from vidcolor.film.report import Account

LARGEST = 96 * 2**20
"""Bytes of a preview that is put into the page; browsers grow slow on larger pages."""


@dataclass(frozen=True)
class Review:
    """Make a page to look at a coloured film: before and after, and how sure the model was.

    The page needs neither a network nor a server: open it in a browser. It plays a small copy of
    the film with a slider between gray and colour, and shows the confidence along the film with
    cuts and keys, the weakest shots first, and which keys would help most.
    """

    coloured: tyro.conf.Positional[Path]
    """What `vidcolor color` wrote, with its account, OUTPUT.vidcolor.json, beside it."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("review.html")
    """The page to write."""
    goal: float = GOAL
    """The confidence that every frame should have, of 1; what has less stands out."""
    side: int = 480
    """Short side, in pixels, of the copy in the page."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Replace the page if there is one."""
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show no progress and no summary."""

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no page behind."""
        self._check()
        account = Account.read(self.coloured)
        copy = self.output.with_name(f".{self.output.stem}.{os.getpid()}.partial.mp4")
        try:
            preview = self._encode(account, copy)
            large = copy.stat().st_size > LARGEST
            page = build_page(
                account,
                preview,
                title=self.coloured.name,
                goal=self.goal,
                video=self._beside.name if large else copy.read_bytes(),
            )
            write_file(self.output, page.encode())
            if large:
                copy.replace(self._beside)
        finally:
            copy.unlink(missing_ok=True)
        if not self.quiet:
            also = f", with {self._beside.name} beside it" if large else ""
            print(f"{self.output}: {len(account.confidence)} frames{also}")

    @property
    def _beside(self) -> Path:
        """Where a copy lies that the page cannot hold."""
        return self.output.with_suffix(".preview.mp4")

    def _check(self) -> None:
        if not 0 < self.goal <= 1:
            raise ArgumentError(f"goal is {self.goal}, accepted are numbers above 0 and up to 1")
        if self.side < 64:
            raise ArgumentError(f"side is {self.side}, accepted are whole numbers from 64")
        if not self.output.parent.is_dir():
            raise ArgumentError(
                f"output: there is no folder {self.output.parent} to write {self.output.name} into"
            )
        if self.output.suffix.lower() not in (".html", ".htm"):
            raise ArgumentError(
                f"output: {self.output} should end in .html, for browsers to open it"
            )
        for path in (self.output, self._beside):
            if path.exists() and not self.overwrite:
                raise ArgumentError(f"output: {path} exists already; --overwrite replaces it")

    def _encode(self, account: Account, copy: Path) -> Preview:
        # None: shown on a terminal only.
        with tqdm(
            total=len(account.confidence), unit="frame", disable=self.quiet or None
        ) as progress:
            preview = encode_preview(
                self.coloured,
                copy,
                side=self.side,
                pictures_of=weakest_frames(account).values(),
                progress=progress,
            )
        frames = len(preview.times) - 1
        if frames != len(account.confidence):
            raise MediaError(
                f"output: {self.coloured} has {frames} frames, its account is of "
                f"{len(account.confidence)}; colour the film again"
            )
        return preview
