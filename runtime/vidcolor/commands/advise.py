"""``vidcolor advise film.mkv -o keys/``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro
from tqdm import tqdm

from vidcolor.advise.contact_sheet import NEXT, PAINTED, TO_PAINT, Card, check_library, draw_sheets
from vidcolor.advise.plan import ShotPlan, keep_most_helpful, plan_shot
from vidcolor.advise.samples import sample
from vidcolor.advise.stills import write_stills
from vidcolor.advise.worth import GOAL, LEAST_WORTH, WORTH
from vidcolor.commands.progress import ProgressBars
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.files import check_writable, named_errors, write_whole
from vidcolor.film.key_folder import find_images
from vidcolor.film.shots import find_shots
from vidcolor.inference.bundle import DEFAULT_MODEL
from vidcolor.inference.session import Session
from vidcolor.key.image import is_painted, read_key
from vidcolor.media.reader import Info, Reader
from vidcolor.media.tags import coding_of
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

SHEET = "contact-sheet.jpg"
"""Name of the contact sheet; further ones are numbered from 2."""

_HIGHEST_GOAL = 0.95
"""No model is surer than this of frames that are no keys."""


@dataclass(frozen=True)
class Advise:
    """Choose the frames of a film that are worth painting, and write them as images to paint on.

    The film is cut into shots, and keys are tried out in each of them, gray and small, to see how
    far the model's confidence holds: as few frames are chosen as give every shot the confidence
    that is asked for. They are written in gray under their numbers, such as 000240.png, beside a
    contact sheet that says what each is for. Paint them, and keep their names.

    Run it again when some are painted: it says which further frame would help most, and writes
    it. Images in colour are never overwritten.

    For example:

        vidcolor advise film.mkv -o keys/
        vidcolor advise film.mkv -o keys/ --most 20
    """

    film: tyro.conf.Positional[Path]
    """The video: what FFmpeg reads, in gray or YUV of 8 to 16 bits, not interlaced."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The folder for the frames; it is made if there is none."""
    goal: float = GOAL
    """The confidence that every frame should have, of 1; more of it takes more keys."""
    most: int | None = None
    """At most so many frames; the default is as many as it takes and, once there are painted ones,
    the one that would help most."""
    model: str = DEFAULT_MODEL
    """A shipped model's name, or the folder of a model bundle."""
    provider: str = "auto"
    """What the model runs on: auto, cpu or cuda; auto is CUDA where it works, else the CPU."""
    size: int = 128
    """Short side, in pixels, that keys are tried out on; on more it is much the same."""
    progressive: tyro.conf.FlagCreatePairsOff[bool] = False
    """Take frames that are flagged as interlaced for progressive ones."""
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False
    """Show no progress and no summary."""

    def run(self) -> None:
        """Raises VidcolorError. Images appear whole, or not at all."""
        self._check()
        propagator = Propagator(Session.load(self.model, provider=self.provider))
        with Reader(self.film, progressive=self.progressive) as reader:
            info = reader.info
        images = find_images(self.output) if self.output.is_dir() else {}
        painted = self._painted(images, info)
        plans = self._plan(propagator, info, painted)
        film = range(plans[-1].frames.stop)
        if beyond := [frame for frame in sorted(painted) if frame not in film]:
            raise KeyFrameError(
                f"output: {images[beyond[0]]} is named as a key of frame {beyond[0]}, "
                f"the film has frames 0 to {film[-1]}"
            )
        chosen = sorted(choice.frame for plan in plans for choice in plan.choices)
        images = {frame: path for frame, path in images.items() if frame in film}
        images |= {n: self.output / f"{n:06d}.png" for n in chosen if n not in images}
        with named_errors(f"output: {self.output} cannot be made"):
            self.output.mkdir(exist_ok=True)
        with self._progress(info, "writing frames") as progress:
            stills = {n: images[n] for n in chosen if images[n].suffix.lower() == ".png"}
            times = write_stills(
                self.film,
                stills,
                progressive=self.progressive,
                times_of=images,
                progress=progress,
            )
        cards = [
            _card(
                plan,
                frame,
                images[frame],
                times[frame],
                painted=frame in painted,
                again=bool(painted),
            )
            for plan in plans
            for frame in sorted(images)
            if frame in plan.frames
        ]
        self._write_sheets(cards, plans)
        if not self.quiet:
            self._report(cards, plans, chosen)

    def _check(self) -> None:
        if not 0 < self.goal <= _HIGHEST_GOAL:
            raise ArgumentError(
                f"goal is {self.goal}, accepted are numbers above 0 and up to {_HIGHEST_GOAL}"
            )
        if self.most is not None and self.most < 1:
            raise ArgumentError(f"most is {self.most}, accepted are whole numbers from 1")
        with named_errors(f"output: {self.output} cannot be written to"):
            self._check_output()
        check_library()

    def _check_output(self) -> None:
        if self.output.is_dir():
            check_writable(self.output / SHEET)
            return
        if self.output.exists():
            raise ArgumentError(f"output: {self.output} is a file, the name of a folder is needed")
        if not self.output.parent.is_dir():
            raise ArgumentError(
                f"output: there is no folder {self.output.parent} to make {self.output.name} in"
            )
        check_writable(self.output)

    def _working_size(self, info: Info) -> WorkingSize:
        return WorkingSize.of(info.height, info.width, self.size)

    def _painted(self, images: Mapping[int, Path], info: Info) -> list[int]:
        """Frames of the images in colour; raises KeyFrameError for one that is no key."""
        painted = [frame for frame, path in images.items() if is_painted(path)]
        for frame in painted:
            read_key(images[frame], info=info, matrix=coding_of(info).matrix)
        return painted

    def _plan(self, propagator: Propagator, info: Info, painted: Collection[int]) -> list[ShotPlan]:
        """What every shot needs besides the painted keys."""
        working_size = self._working_size(info)
        most = self.most or (1 if painted else None)
        with ProgressBars(quiet=self.quiet, leave=False) as bars:
            shots = find_shots(self.film, progressive=self.progressive, progress=bars)
        with self._progress(info, "trying keys") as progress:
            plans = [
                plan_shot(
                    number,
                    shot,
                    propagator=propagator,
                    painted=[frame for frame in painted if frame in shot.frames],
                    goal=self.goal,
                    worth=LEAST_WORTH if painted else WORTH,
                    most=most,
                )
                for number, shot in enumerate(
                    sample(
                        self.film,
                        shots,
                        working_size,
                        progressive=self.progressive,
                        always=painted,
                        progress=progress,
                    ),
                    1,
                )
            ]
        if most is not None:
            keep_most_helpful(plans, most)
        return plans

    def _progress(self, info: Info, doing: str) -> tqdm[NoReturn]:
        # None: shown on a terminal only.
        return tqdm(
            desc=doing,
            total=info.frame_count,
            unit="frame",
            disable=self.quiet or None,
            leave=False,
        )

    def _write_sheets(self, cards: Sequence[Card], plans: Sequence[ShotPlan]) -> None:
        frames = plans[-1].frames.stop
        summary = f"{_counted(cards)}  ·  {_number(len(plans), 'shot')}  ·  {frames} frames"
        for number, sheet in enumerate(draw_sheets(self.film.name, summary, cards), 1):
            name = Path(SHEET)
            numbered = f"{name.stem}-{number}{name.suffix}" if number > 1 else SHEET
            write_whole(self.output / numbered, sheet)

    def _report(
        self, cards: Sequence[Card], plans: Sequence[ShotPlan], chosen: Collection[int]
    ) -> None:
        for card in cards:
            if card.frame in chosen:
                print(f"{card.image}  {card.time}  shot {card.shot}  {card.purpose}")
        if not chosen:
            print(
                f"no further key would help: nearly every frame has a confidence of {self.goal:g}; "
                "a higher --goal asks for more"
            )
        print(f"{self.output / SHEET}: {_counted(cards)}, in {_number(len(plans), 'shot')}")


def _card(
    plan: ShotPlan, frame: int, image: Path, seconds: float, *, painted: bool, again: bool
) -> Card:
    """The card of one frame; again: whether there are painted frames already."""
    purposes = {choice.frame: choice.purpose for choice in plan.choices}
    if painted:
        status, purpose = PAINTED, "a key already"
    else:
        status = NEXT if again and frame in purposes else TO_PAINT
        purpose = purposes.get(frame, "chosen before; it waits for its colours")
    return Card(
        image=image,
        frame=frame,
        time=_time(seconds),
        shot=plan.number,
        frames=plan.frames,
        status=status,
        purpose=purpose,
        curve=plan.curve,
        keys=plan.keys,
    )


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(1000 * seconds), 60_000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest / 1000:06.3f}"


def _counted(cards: Sequence[Card]) -> str:
    painted = sum(card.status == PAINTED for card in cards)
    to_paint = f"{_number(len(cards) - painted, 'frame')} to paint"
    return f"{to_paint}, {painted} painted" if painted else to_paint


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
