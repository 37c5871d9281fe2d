"""What an example is, and how it is varied: options of `python -m training fit`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vidcolor.commands.command_line import help_text
from vidcolor.errors import ArgumentError


@help_text
@dataclass(frozen=True)
class RolloutOptions:
    """What an example is, and how it is varied."""

    frames: int = 1
    """T, the frames coloured in a row; the reports' models are trained on 1."""
    own_output: bool = False
    """Give the generator its own frame t-1 (propagation) instead of the true one (transfer, as in
    the reports)."""
    dt: tuple[int, int] = (1, 1)
    """Least and greatest distance in frames between c_{t-dt} and c_t; drawn for each example. The
    reports' models: 1 1 and 5 5."""
    key_distance: tuple[int, int] | None = None
    """Least and greatest distance in frames from the key to the rollout's start, drawn for each
    example; without it the key is c_1, the clip's first frame."""
    motion: float = 0.0
    """Draw clips in proportion to this power of how fast things move in them, in pixels a frame;
    0: all alike."""
    crop: int = 256
    """Side of the squares cut from the frames, in pixels."""
    flip: bool = True
    """Mirror half of the examples left to right."""
    reverse: bool = False
    """Play half of the examples backward."""
    chroma_rotation: float = 0.0
    """Turn each example's chroma plane by up to this many degrees (180: any hue), so that colour
    must be carried and cannot be guessed."""
    rotated: float = 1.0
    """Share of the examples that are turned so; the others teach what colours things have."""
    saturation: float = 1.0
    """Multiply each example's chroma by a factor between one over this and this."""
    film: float = 0.0
    """Share of the examples whose luma is made like old film's: grain, blur, flicker, gamma. Models
    are shown it as in use, flicker evened out."""
    stream: tuple[int, int] | None = None
    """Follow each example on for some number of frames between these two: its next rollout begins
    where the last one ended, with the generator's own state. The key is the first frame."""
    flow_cache: bool = False
    """Compute the flow to the frame before once for each clip and direction, on whole frames, keep
    it beside the decoded planes, and cut the examples' flow from it; it then differs by up to
    tenths of a pixel. Worth it where frames are drawn more than about four times, over all runs
    that share the cache; it takes 4 bytes a pixel and direction. Frames that are degraded, or that
    are not neighbours, have their own flow as ever."""
    cold: float = 0.0
    """Share of the examples that begin without history, as a shot does that has no key: with a
    state of zeros instead of the start's colours."""


def check_rollout(options: RolloutOptions) -> None:
    """Check that the options fit together.

    Raises:
        ArgumentError: It says in a sentence what is wrong.
    """
    if options.frames < 1:
        raise ArgumentError(f"frames is {options.frames}, at least 1 is needed")
    ranges = {
        "dt": (options.dt, 1),
        "key_distance": (options.key_distance or (0, 0), 0),
        "stream": (options.stream or (1, 1), 1),
    }
    for name, ((low, high), least) in ranges.items():
        if not least <= low <= high:
            raise ArgumentError(
                f"{name} is {low} {high}, two rising numbers of frames from {least} on are accepted"
            )
    if options.stream is not None and not options.own_output:
        raise ArgumentError("stream is given without own-output, but it follows the own output")
    if options.stream is not None and options.key_distance is not None:
        raise ArgumentError("stream and key_distance are both given; a stream's key is its start")
    _check_variation(options)


def _check_variation(options: RolloutOptions) -> None:
    """Raise ArgumentError for what examples cannot be varied by; what is no number among it."""
    for name in ("rotated", "film", "cold"):
        if not 0 <= getattr(options, name) <= 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, a share of 0 to 1 is needed")
    for name in ("motion", "chroma_rotation"):
        if not 0 <= getattr(options, name) < math.inf:
            raise ArgumentError(f"{name} is {getattr(options, name)}, 0 or more is accepted")
    if not 1 <= options.saturation < math.inf:
        raise ArgumentError(f"saturation is {options.saturation}, a factor from 1 on is accepted")
