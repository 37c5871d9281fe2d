"""``vidcolor advise film.mkv -o keys/``."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from vidcolor.advise.contact_sheet import NEXT, PAINTED, TO_PAINT, Card, check_library, draw_sheets
from vidcolor.advise.own_files import is_own, sign
from vidcolor.advise.plan import ShotPlan, keep_most_helpful, plan_shot
from vidcolor.advise.samples import sample
from vidcolor.advise.stills import write_stills
from vidcolor.advise.worth import LEAST_WORTH, WORTH
from vidcolor.commands.advise import Advise
from vidcolor.commands.choices import parse_scenes
from vidcolor.commands.painted_keys import check_painted
from vidcolor.commands.progress import Bar, ProgressBars
from vidcolor.commands.times import counted, format_time
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.files import check_writable, named_errors, write_errors, write_whole
from vidcolor.film.arguments import Scenes
from vidcolor.film.key_folder import find_images
from vidcolor.film.shots import find_shots
from vidcolor.inference.session import Session
from vidcolor.key.image import is_painted
from vidcolor.media.info import Info
from vidcolor.media.names import printable
from vidcolor.media.reader import Reader
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

SHEET = "contact-sheet.jpg"
"""Name of the contact sheet; further ones are numbered from 2."""
_SHEETS = ("contact-sheet.jpg", "contact-sheet-[0-9]*.jpg")

_HIGHEST_GOAL = 0.95
"""No model is surer than this of frames that are no keys."""


def advise_film(options: Advise) -> None:
    """Raises VidcolorError. Images appear whole, or not at all."""
    _check(options)
    scenes = parse_scenes(options.scenes)
    propagator = Propagator(Session.load(options.model, provider=options.provider))
    with Reader(options.film, progressive=options.progressive) as reader:
        info = reader.info
    images = find_images(options.output) if options.output.is_dir() else {}
    painted = [frame for frame, path in images.items() if is_painted(path)]
    _check_keys(options, {frame: images[frame] for frame in painted}, info)
    plans = _plan(options, propagator, info, painted, scenes)
    film = range(plans[-1].frames.stop)
    if beyond := [frame for frame in sorted(painted) if frame not in film]:
        raise KeyFrameError(
            f"output: {images[beyond[0]]} is named as a key of frame {beyond[0]}, "
            f"the film has frames 0 to {film[-1]}"
        )
    if scenes and not isinstance(scenes, str) and max(scenes) not in film:
        raise ArgumentError(
            f"scenes: a shot begins at frame {max(scenes)}, the film has frames 0 to {film[-1]}"
        )
    chosen = sorted(choice.frame for plan in plans for choice in plan.choices)
    images = {frame: path for frame, path in images.items() if frame in film}
    images |= {n: options.output / f"{n:06d}.png" for n in chosen if n not in images}
    with named_errors(f"output: {options.output} cannot be made"):
        options.output.mkdir(exist_ok=True)
    with _progress(options, info, "writing frames") as progress:
        stills = _stills(options, {n: images[n] for n in chosen})
        times = write_stills(
            options.film,
            stills,
            progressive=options.progressive,
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
    _write_sheets(options, cards, plans)
    if not options.quiet:
        _report(options, cards, plans, chosen)


def _stills(options: Advise, chosen: Mapping[int, Path]) -> dict[int, Path]:
    """The images to write: new ones, and those that were written before and are unchanged."""
    stills = {}
    for frame, path in chosen.items():
        if not path.exists() or is_own(path):
            stills[frame] = path
        else:
            _note(
                options,
                f"{path} is gray, and not as advise would write it: it is left as it is; to have "
                "it written anew, rename or remove it",
            )
    return stills


def _check(options: Advise) -> None:
    if not 0 < options.goal <= _HIGHEST_GOAL:
        raise ArgumentError(
            f"goal is {options.goal}, accepted are numbers above 0 and up to {_HIGHEST_GOAL}"
        )
    if options.most is not None and options.most < 1:
        raise ArgumentError(f"most is {options.most}, accepted are whole numbers from 1")
    with write_errors(options.output):
        _check_output(options)
    check_library()


def _check_output(options: Advise) -> None:
    if options.output.is_dir():
        check_writable(options.output / SHEET)
        sheets = (path for name in _SHEETS for path in options.output.glob(name))
        for path in sorted(sheets):
            if not is_own(path):
                raise ArgumentError(
                    f"output: {path} exists already, and was not written by advise, or was changed "
                    "since; rename or remove it"
                )
        return
    if options.output.exists():
        raise ArgumentError(f"output: {options.output} is a file, the name of a folder is needed")
    if not options.output.parent.is_dir():
        raise ArgumentError(
            f"output: there is no folder {options.output.parent} to make {options.output.name} in"
        )
    check_writable(options.output)


def _working_size(options: Advise, info: Info) -> WorkingSize:
    return WorkingSize.of(info.height, info.width, options.size)


def _check_keys(options: Advise, painted: Mapping[int, Path], info: Info) -> None:
    """Check that images in colour are keys of their frames; raises KeyFrameError."""
    with _progress(options, info, "looking at keys") as progress:
        notes = check_painted(
            painted,
            film=options.film,
            info=info,
            working_size=_working_size(options, info),
            progressive=options.progressive,
            compare=not options.any_key,
            progress=progress,
        )
    for note in notes:
        _note(options, note)


def _note(options: Advise, text: str) -> None:
    if not options.quiet:
        print(f"vidcolor: note: {printable(text)}", file=sys.stderr)


def _plan(
    options: Advise,
    propagator: Propagator,
    info: Info,
    painted: Collection[int],
    scenes: Scenes | None,
) -> list[ShotPlan]:
    """What every shot needs besides the painted keys."""
    working_size = _working_size(options, info)
    most = options.most or (1 if painted else None)
    shots = _shots(options, scenes)
    with _progress(options, info, "trying keys") as progress:
        plans = [
            plan_shot(
                number,
                shot,
                propagator=propagator,
                painted=[frame for frame in painted if frame in shot.frames],
                goal=options.goal,
                worth=LEAST_WORTH if painted else WORTH,
                most=most,
            )
            for number, shot in enumerate(
                sample(
                    options.film,
                    shots,
                    working_size,
                    progressive=options.progressive,
                    always=painted,
                    progress=progress,
                ),
                1,
            )
        ]
    if most is not None:
        keep_most_helpful(plans, most)
    return plans


def _shots(options: Advise, scenes: Scenes | None) -> Sequence[int]:
    if scenes == "none":
        return [0]
    if scenes is not None and scenes != "auto":
        return scenes
    with ProgressBars(quiet=options.quiet, leave=False) as bars:
        return find_shots(options.film, progressive=options.progressive, progress=bars)


def _progress(options: Advise, info: Info, doing: str) -> Bar:
    return Bar(doing, info.frame_count, quiet=options.quiet, leave=False)


def _write_sheets(options: Advise, cards: Sequence[Card], plans: Sequence[ShotPlan]) -> None:
    frames = plans[-1].frames.stop
    summary = f"{_counted(cards)}  ·  {counted(len(plans), 'shot')}  ·  {counted(frames, 'frame')}"
    for number, sheet in enumerate(draw_sheets(options.film.name, summary, cards), 1):
        name = Path(SHEET)
        numbered = f"{name.stem}-{number}{name.suffix}" if number > 1 else SHEET
        write_whole(options.output / numbered, sign(sheet))


def _report(
    options: Advise, cards: Sequence[Card], plans: Sequence[ShotPlan], chosen: Collection[int]
) -> None:
    for card in cards:
        if card.frame in chosen:
            print(f"{card.image}  {card.time}  shot {card.shot}  {card.purpose}")
    if not chosen:
        print(
            f"no further key would help: nearly every frame has a confidence of {options.goal:g}; "
            "a higher --goal asks for more"
        )
    print(f"{options.output / SHEET}: {_counted(cards)}, in {counted(len(plans), 'shot')}")


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
        time=format_time(seconds),
        shot=plan.number,
        frames=plan.frames,
        status=status,
        purpose=purpose,
        curve=plan.curve,
        keys=plan.keys,
    )


def _counted(cards: Sequence[Card]) -> str:
    painted = sum(card.status == PAINTED for card in cards)
    to_paint = f"{counted(len(cards) - painted, 'frame')} to paint"
    return f"{to_paint}, {painted} painted" if painted else to_paint
