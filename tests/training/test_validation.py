from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from tests.support.footage import scene_clip
from tests.training.test_rollout import Fading
from training.models.base import Propagated
from training.models.lab import planes_to_rgb
from training.sheets import GAP, MARGIN, Row, write_sheet
from training.validation import FRAMES, SHEET_COLUMNS, Validation, WholeClips, pixel_accuracy


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
    assert sheet.shape == (rows * side, MARGIN + columns * side, 3)
    written = cv2.imread(str(tmp_path / "samples" / "sheet.png"))
    assert np.array_equal(written[..., ::-1], sheet)
    gray, truth, ours = (
        sheet[r * side : r * side + 64, MARGIN : MARGIN + 64].astype(int) for r in range(3)
    )
    assert (gray.max(axis=2) == gray.min(axis=2)).all()
    assert (truth.max(axis=2) - truth.min(axis=2)).max() > 20
    assert np.abs(truth - ours).mean() < np.abs(truth - gray).mean() / 2


def test_pictures_stand_in_their_row_and_column(tmp_path):
    luma = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 8, 8)
    chroma = torch.zeros(2, 2, 8, 8)
    rows = [Row("one", luma, chroma), Row("other", 1 - luma, chroma)]
    sheet = write_sheet(tmp_path / "sheet.png", rows)
    pictures = sheet[:, MARGIN:]
    corners = pictures[[0, 0, 8 + GAP, 8 + GAP], [0, 8 + GAP, 0, 8 + GAP], 0]
    assert corners.tolist() == [0, 255, 255, 0]


def test_each_row_of_a_sheet_has_its_own_label(tmp_path):
    luma, chroma = torch.zeros(1, 1, 32, 32), torch.zeros(1, 2, 32, 32)
    rows = [Row(label, luma, chroma) for label in ("gray", "true", "gray")]
    labels = np.split(write_sheet(tmp_path / "sheet.png", rows)[:, :MARGIN], 3)
    assert all((label < 128).any() for label in labels)
    assert np.array_equal(labels[0], labels[2])
    assert not np.array_equal(labels[0], labels[1])


def test_whole_clips_are_coloured_from_their_first_frame_to_their_last():
    """Held colours: PSNR as it follows from the true chroma, of the clip that moves most."""
    fast, slow = (scene_clip(seed, pan=pan, frames=14) for seed, pan in ((0, 4.0), (1, 0.0)))
    whole = WholeClips([slow, fast], count=1, frames=12, size_multiple=48, flows=frozenset())
    assert len(whole) == 1
    model = Holding().train()
    figures = whole.measure(model)
    assert model.training
    middle = np.s_[..., 16:112, 32:128]  # 96 of 128x160 pixels
    luma = torch.from_numpy(fast.luma[:12][middle] / np.float32(255)).unsqueeze(1)
    chroma = torch.from_numpy((fast.chroma[:12][middle].astype(np.float32) - 128) / 255)
    held = planes_to_rgb(luma[1:], chroma[:1].expand(11, -1, -1, -1))
    error = (held - planes_to_rgb(luma[1:], chroma[1:])).square().mean((1, 2, 3))
    psnr = -10 * torch.log10(error)
    assert figures["whole_psnr"] == pytest.approx(psnr.mean().item(), abs=1e-3)
    assert figures["whole_last"] == pytest.approx(psnr[-10:].mean().item(), abs=1e-3)
    assert (
        WholeClips([], count=3, frames=9, size_multiple=8, flows=frozenset()).measure(model) == {}
    )


def test_pixel_accuracy_counts_the_coloured_half_that_stayed_gray():
    luma = torch.full((2, 1, 4, 4), 0.5)
    truth = torch.zeros(2, 2, 4, 4)
    truth[1, :, :2] = 0.2
    found = pixel_accuracy(luma, torch.zeros_like(truth), truth)
    assert found.tolist() == [1.0, 0.5]
