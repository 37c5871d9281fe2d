"""``vidcolor review out.mp4 -o review.html``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import tyro
from tqdm import tqdm

from vidcolor.advise.preview import Preview, encode_preview
from vidcolor.advise.review_page import GENERATOR, Second, build_page, weakest_frames
from vidcolor.advise.worth import GOAL
from vidcolor.errors import ArgumentError, MediaError
from vidcolor.files import check_writable, named_errors, write_whole
from vidcolor.film.report import Report, report_path
from vidcolor.media.reader import Reader

LARGEST = 96 * 2**20
"""Bytes of a preview that is put into the page; browsers grow slow on larger pages."""
_HEAD = 1000
"""Characters of a page that say what made it."""


@dataclass(frozen=True)
class Review:
    """Make a page to look at a coloured film: before and after, and how sure the model was.

    The page needs neither a network nor a server: open it in a browser. It plays a small copy of
    the film with a slider between gray and colour, or between two versions of the film. It shows
    where in the picture, and where along the film, confidence is low. Shots take flags and notes,
    and markers go to an editing program as EDL, CSV, FCPXML or XML.

    For example:

        vidcolor review out.mkv -o review.html
        vidcolor review new.mkv --against old.mkv -o review.html
    """

    colored: tyro.conf.Positional[Path]
    """What `vidcolor color` wrote, with its report, OUTPUT.vidcolor.json, beside it."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("review.html")
    """The page to write."""
    against: Path | None = None
    """A second version of the same frames to compare with. Its report is read, too, if it has
    one."""
    goal: float = GOAL
    """The confidence that every frame should have, of 1; what has less stands out."""
    side: int = 480
    """Short side, in pixels, of the copy in the page."""
    no_audio: tyro.conf.FlagCreatePairsOff[bool] = False
    """Leave the film's sound out of the page."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Replace whatever has the page's name. A review page is replaced anyway."""
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show no progress and no summary."""

    def run(self) -> None:
        """Raises VidcolorError, and then leaves no page behind."""
        with named_errors(f"output: {self.output} cannot be written"):
            self._check()
            report = Report.read(self.colored)
            second = None if self.against is None else self._read_second(self.against, report)
            with TemporaryDirectory(prefix=".review-", dir=self.output.parent) as folder:
                copy = Path(folder) / "preview.mp4"
                preview = self._encode(report, copy)
                is_large = copy.stat().st_size > LARGEST
                page = build_page(
                    report,
                    preview,
                    title=self.colored.name,
                    goal=self.goal,
                    video=self._preview_path.name if is_large else copy.read_bytes(),
                    second=second,
                )
                write_whole(self.output, page.encode())
                if is_large:
                    copy.replace(self._preview_path)
        if not self.quiet:
            also = f", with {self._preview_path.name} beside it" if is_large else ""
            print(f"{self.output}: {len(report.confidence)} frames{also}")

    @property
    def _preview_path(self) -> Path:
        """Where a copy of the film goes that is too large to be part of the page."""
        return self.output.with_suffix(".preview.mp4")

    def _check(self) -> None:
        if not self.colored.name:
            raise ArgumentError(
                f"colored: {self.colored} is a folder, the name of a coloured film is needed"
            )
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
        is_own = self._is_own()
        for path in (self.output, self._preview_path):
            if path.exists() and not self.overwrite and not is_own:
                raise ArgumentError(f"output: {path} exists already; --overwrite replaces it")
            check_writable(path)

    def _is_own(self) -> bool:
        """Whether the page that is there was made by this command."""
        if not self.output.is_file():
            return False
        with self.output.open(encoding="utf-8", errors="replace") as page:
            return GENERATOR in page.read(_HEAD)

    def _read_second(self, against: Path, report: Report) -> Second:
        """What is known of the second version, before the work begins."""
        if not against.is_file():
            raise ArgumentError(f"against: there is no file {against}")
        second = Report.read(against) if report_path(against).is_file() else None
        if second is not None and second.frames != report.frames:
            raise ArgumentError(
                f"against: {against} has the film's frames {second.first} to "
                f"{second.frames[-1]}, {self.colored} has {report.first} to {report.frames[-1]}; "
                "a version of the same frames is needed"
            )
        with Reader(against) as reader:
            return Second(against.name, second, reader.info.orientation)

    def _encode(self, report: Report, copy: Path) -> Preview:
        # None: shown on a terminal only.
        with tqdm(
            total=len(report.confidence), unit="frame", disable=self.quiet or None
        ) as progress:
            preview = encode_preview(
                self.colored,
                copy,
                side=self.side,
                pictures_of=weakest_frames(report).values(),
                against=self.against,
                audio=not self.no_audio,
                progress=progress,
            )
        frames = len(preview.times) - 1
        if frames != len(report.confidence):
            raise MediaError(
                f"output: {self.colored} has {frames} frames, its report is of "
                f"{len(report.confidence)}; colour the film again"
            )
        return preview
