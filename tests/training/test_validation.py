from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from tests.support.footage import scene_clip
from tests.training.test_rollout import Fading
from training.models.base import Propagated
from training.sheets import GAP, write_sheet
from training.validation import FRAMES, SHEET_COLUMNS, Validation, pixel_accuracy


class Holding(Fading):
    """The previous frame's chroma as it is; it fades in training mode, which nobody may see."""

    def __init__(self) -> None:
        super().__init__()
        self.strength = torch.nn.Parameter(torch.tensor(1.0))

    def propagate(self, luma, state, memory, flows):
        chroma = state["chroma"] * (0.0 if self.training else self.strength)
        return Propagated(chroma, torch.ones_like(luma), {"chroma": chroma})


@pytest.fixture(scope="module")
def validation() -> Validation:
    clips = [scene_clip(seed, pan=3.0, frames=FRAMES + 4) for seed in range(2)]
    return Validation(clips, crop=64, flows=frozenset())


def test_figures_of_a_model_that_holds_the_colours(validation):
    figures = validation.measure(Holding().train(), batch=5)
    assert set(figures) == {"transfer_accuracy", "propagation_accuracy"}
    # Still places stay right; the longer things move, the more is wrong.
    assert 0.5 < figures["propagation_accuracy"] < figures["transfer_accuracy"] < 1


def test_figures_do_not_depend_on_the_batch(validation):
    model = Holding()
    first, second = (validation.measure(model, batch=batch) for batch in (3, 16))
    assert first == pytest.approx(second)


def test_the_model_is_left_in_its_mode(validation, tmp_path):
    model = Holding().train()
    validation.measure(model, batch=8)
    validation.sheet(model, tmp_path / "sheet.png")
    assert model.training


def test_a_sheet_shows_gray_truth_and_ours_of_each_clip(validation, tmp_path):
    sheet = validation.sheet(Holding(), tmp_path / "samples" / "sheet.png")
    rows, columns = 3 * 2, SHEET_COLUMNS
    side = 64 + GAP
    assert sheet.shape == (rows * side, columns * side, 3)
    written = cv2.imread(str(tmp_path / "samples" / "sheet.png"))
    assert np.array_equal(written[..., ::-1], sheet)
    gray, truth, ours = (sheet[r * side : r * side + 64, :64].astype(int) for r in range(3))
    assert (gray.max(axis=2) == gray.min(axis=2)).all()
    assert (truth.max(axis=2) - truth.min(axis=2)).max() > 20
    assert np.abs(truth - ours).mean() < np.abs(truth - gray).mean() / 2


def test_pictures_stand_in_their_row_and_column(tmp_path):
    luma = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 8, 8)
    chroma = torch.zeros(2, 2, 8, 8)
    sheet = write_sheet(tmp_path / "sheet.png", [(luma, chroma), (1 - luma, chroma)])
    corners = sheet[[0, 0, 8 + GAP, 8 + GAP], [0, 8 + GAP, 0, 8 + GAP], 0]
    assert corners.tolist() == [0, 255, 255, 0]


def test_pixel_accuracy_counts_the_coloured_half_that_stayed_gray():
    luma = torch.full((2, 1, 4, 4), 0.5)
    truth = torch.zeros(2, 2, 4, 4)
    truth[1, :, :2] = 0.2
    found = pixel_accuracy(luma, torch.zeros_like(truth), truth)
    assert found.tolist() == [1.0, 0.5]
