"""Does a key in made-up colours foretell the confidence of a painted one?

    python benchmarks/advice.py CLIPS

For each clip, keyed at frame 0: the mean confidence as `vidcolor advise` foretells it (made-up
colours, 128 lines, some of the frames), and as it is (painted key, 256 lines, every frame), on the
same frames. Prints how well the two agree over all frames of all clips.
"""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np

from vidcolor import Key, Propagator, Session
from vidcolor.advise.reach import Reach
from vidcolor.advise.samples import sample
from vidcolor.color import decode_luma, rgb_to_key
from vidcolor.grid import Grid
from vidcolor.media.info import Frame
from vidcolor.media.reader import Reader
from vidcolor.media.tags import coding_of
from vidcolor.working_size import WorkingSize

FRAMES = 60
"""Of each clip."""


def true_key(clip: Path) -> Key:
    """Frame 0 in its own colours."""
    with av.open(clip) as container:
        rgb = next(container.decode(video=0)).to_ndarray(format="rgb24")
    return rgb_to_key(rgb.astype(np.float32) / 255, "bt601")


def painted(clip: Path, propagator: Propagator) -> dict[int, float]:
    """Frame -> mean confidence, as the film would be coloured."""
    key, state, means = true_key(clip), None, {}
    with Reader(clip) as reader:
        fit = WorkingSize.of(reader.info.height, reader.info.width, 256)
        frames = (item for item in reader if isinstance(item, Frame))
        for number, frame in zip(range(FRAMES), frames, strict=False):
            luma = fit.downsample(decode_luma(frame.planes[0], coding_of(reader.info)))
            if state is None:
                small = fit.downsample_chroma(key.chroma, Grid(*key.luma.shape))
                state = propagator.init_state(Key(luma, small))
            else:
                _, confidence, state = propagator.step(luma, state)
                means[number] = float(confidence.mean())
    return means


def foretold(clip: Path, propagator: Propagator) -> dict[int, float]:
    """The same from made-up colours, for the frames that are tried."""
    with Reader(clip) as reader:
        fit = WorkingSize.of(reader.info.height, reader.info.width, 128)
    shot = next(sample(clip, [0], fit))
    numbers = shot.numbers.tolist()
    reach = Reach(propagator, numbers, [shot.lumas[number] for number in numbers])
    return dict(zip(numbers[1:], reach.confidence([0]).tolist()[1:], strict=True))


def main(folder: Path, every: int) -> None:
    """Compare them on every so manyth clip of a folder."""
    propagator = Propagator(Session.load())
    pairs = []
    clips = sorted(folder.glob("*.mp4"))[::every]
    for clip in clips:
        now, before = painted(clip, propagator), foretold(clip, propagator)
        pairs += [(before[number], now[number]) for number in before if number in now]
    told, true = np.array(pairs).T
    correlation = np.corrcoef(told, true)[0, 1]
    print(
        f"{len(clips)} clips, {len(pairs)} frames: correlation {correlation:.3f}, "
        f"mean confidence {told.mean():.3f} foretold, {true.mean():.3f} in truth, "
        f"mean difference of a frame {np.abs(told - true).mean():.3f}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), every=int(sys.argv[2]) if len(sys.argv) > 2 else 1)
