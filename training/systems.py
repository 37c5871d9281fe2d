"""The systems, by name: what `python -m training fit --system NAME` takes for its defaults.

The first four are those of the two reports (*Consistent Video Colorization*, CS230, and *Video
Colorization using GANs*, CS236) at their scale: frames of 256x256, full widths, 10 epochs of 7,000
examples at batch 8, the true frame dt before as c_{t-dt}. Then what the reports name and did not
build, and what ships.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import tyro

from training.data.options import RolloutOptions
from training.options import FitOptions, ObjectiveOptions
from vidcolor.errors import ArgumentError

EPOCHS, EXAMPLES, BATCH = 10, 7000, 8
STEPS = EPOCHS * EXAMPLES // BATCH

REPORTS = FitOptions(videos=tyro.MISSING, out=tyro.MISSING, steps=STEPS, batch=BATCH)
"""What the reports' models have in common; the videos and the folder are the user's to name."""

SEQUENCES = replace(REPORTS, clip_gradients=2.0, learning_rate=5e-4)
"""What models have in common that are trained on their own output."""

SYSTEMS: MappingProxyType[str, FitOptions] = MappingProxyType({
    # G(g_t, c_{t-1}) by the mean absolute error alone.
    "supervised": replace(REPORTS, objective=ObjectiveOptions(alpha=0)),
    # The hybrid objective. From one frame to the next nearly every pixel may be copied.
    "cgan-dt1": REPORTS,
    # From so far back that it may not.
    "cgan-dt5": replace(REPORTS, rollout=RolloutOptions(dt=(5, 5))),
    # The same, also given c_1: to fetch what the frame before does not show.
    "extended": replace(REPORTS, model="extended", rollout=RolloutOptions(dt=(5, 5))),
    # Whole sequences in one pass, the LSTM's state handed from frame to frame.
    "convlstm": replace(
        SEQUENCES,
        model="convlstm",
        rollout=RolloutOptions(frames=6, own_output=True, dt=(1, 2)),
        batch=4,
    ),
    # Colour fetched from the key by likeness; each batch index follows a clip on the model's
    # own output, so that it learns to be right late as well.
    "similarity": replace(
        SEQUENCES,
        model="similarity",
        rollout=RolloutOptions(
            frames=3, own_output=True, dt=(1, 3), stream=(6, 60), reverse=True
        ),
        objective=ObjectiveOptions(matching=50.0, confidence=0.3),
        batch=4,
    ),
    # What ships as 'flagship' (training/EXPERIMENTS.md, 8).
    "flagship": replace(
        SEQUENCES,
        model="flagship",
        rollout=RolloutOptions(
            frames=3, own_output=True, dt=(1, 2), stream=(24, 100), reverse=True, crop=224,
            motion=1.0, chroma_rotation=180.0, rotated=0.25, saturation=1.3, film=0.2, cold=0.05,
        ),
        objective=ObjectiveOptions(
            alpha=0, beta=5, fidelity=0.5, matching=5, doubt=0.03, confidence=0.03
        ),
        batch=4, beta1=0.9, average=0.998, precision="bf16-mixed",
    ),
    # What ships as 'seeds' (2 in that log): the cGAN, trained on; --initial names its checkpoint.
    "seeds": replace(
        REPORTS,
        rollout=RolloutOptions(
            frames=4, own_output=True, dt=(1, 2), reverse=True, crop=128, chroma_rotation=40.0
        ),
        arguments=("width=0.125",), discriminator_width=0.125, learning_rate=6e-4,
    ),
})  # fmt: skip


def named(name: str) -> FitOptions:
    """Return the options of a system; its `videos` and `out` are missing.

    Args:
        name: One of `SYSTEMS`.

    Raises:
        ArgumentError: There is no such system.
    """
    if name not in SYSTEMS:
        raise ArgumentError(f"system is {name!r}, accepted are {', '.join(SYSTEMS)}")
    return replace(SYSTEMS[name], system=name)
