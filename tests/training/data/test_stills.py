from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from kornia.color import rgb_to_lab

from evaluation.clips import Clip, rgb_to_codes
from tests.support.footage import SIZE, scene_clip
from training.data.pictures import find_pictures
from training.data.stills import StillSource, color_probability, true_ab
from training.models.bins import gamut_bins, soft_encode
from vidcolor.errors import ArgumentError


def flat_clip(*colours: tuple[int, int, int]) -> Clip:
    """A frame of 64x64 pixels for each R'G'B'."""
    frames = [rgb_to_codes(np.full((64, 64, 3), rgb, np.uint8)) for rgb in colours]
    luma, chroma = (np.stack(planes) for planes in zip(*frames, strict=True))
    return Clip(name="flat", luma=luma, chroma=chroma)


def test_examples_depend_on_their_place_alone():
    clips = [scene_clip(seed) for seed in range(2)]
    source = StillSource(clips, crop=64, film=0.5, seed=3)
    batch = source.batch(5, range(4))
    assert batch.luma.shape == (4, 1, 64, 64)
    assert batch.chroma.shape == (4, 2, 64, 64)
    assert len(batch.exemplar_luma) == len(batch.exemplar_chroma) == 0
    alone = StillSource(clips, crop=64, film=0.5, seed=3).batch(5, [2])
    assert torch.equal(alone.luma[0], batch.luma[2])
    assert torch.equal(alone.chroma[0], batch.chroma[2])
    assert not torch.equal(batch.luma, source.batch(6, range(4)).luma)


def test_what_is_to_be_found_is_the_lab_of_the_frame():
    clip = flat_clip((200, 80, 40))
    stills = StillSource([clip], crop=64).batch(0, [0])
    wanted = rgb_to_lab(torch.tensor([200, 80, 40]).view(1, 3, 1, 1) / 255)[:, 1:]
    ab = true_ab(stills.luma, stills.chroma)
    assert ab.shape == (1, 2, 16, 16)
    torch.testing.assert_close(ab, wanted.expand_as(ab), atol=1.0, rtol=0)  # 8-bit codes
    bins, shares = soft_encode(ab.movedim(1, -1).flatten(0, 2), gamut_bins())
    assert bins.shape == shares.shape == (16 * 16, 5)
    nearest = gamut_bins()[bins[:, 0]]
    assert torch.equal(nearest.unique(dim=0), (wanted.flatten() / 10).round()[None] * 10)


def test_an_exemplar_shows_the_same_scene_elsewhere():
    clips = [flat_clip((200, 80, 40), (40, 200, 80)), flat_clip((40, 80, 200), (120, 120, 120))]
    batch = StillSource(clips, crop=32, exemplars=True).batch(0, range(32))
    assert batch.exemplar_luma.shape == (32, 1, 32, 32)
    assert batch.exemplar_chroma.shape == (32, 2, 32, 32)

    def of_first(chroma: torch.Tensor) -> torch.Tensor:
        """Whether each is of the first clip: no colour of it is blue or gray."""
        return chroma[:, 0, 0, 0] < -0.01

    assert torch.equal(of_first(batch.chroma), of_first(batch.exemplar_chroma))
    assert 0 < of_first(batch.chroma).sum() < 32
    other_frames = (batch.chroma - batch.exemplar_chroma).abs().amax((1, 2, 3)) > 0.01
    assert 0 < other_frames.sum() < 32


def test_half_of_the_examples_are_cut_from_pictures(tmp_path):
    cv2.imwrite(str(tmp_path / "red.png"), np.full((400, 600, 3), (0, 0, 255), np.uint8))
    pictures = find_pictures([tmp_path], size=64, least=64)
    source = StillSource([flat_clip((0, 0, 255))], crop=64, pictures=pictures)
    red = source.batch(0, range(64)).chroma[:, 1, 0, 0] > 0.3
    assert 16 < red.sum() < 48


def test_colours_are_counted():
    """Three gray frames and a red one, of four that are looked at."""
    clip = flat_clip((90, 90, 90), (200, 200, 200), (255, 0, 0), (30, 30, 30))
    bins = gamut_bins()
    probability = color_probability([clip], bins)
    gray = torch.cdist(bins, torch.tensor([[0.0, 0.0]])).flatten() < 15
    red = torch.cdist(bins, torch.tensor([[80.0, 67.0]])).flatten() < 20
    assert probability[gray].sum().item() == pytest.approx(0.75, abs=0.01)
    assert probability[red].sum().item() == pytest.approx(0.25, abs=0.01)


def test_clips_too_small():
    with pytest.raises(ArgumentError, match=f"crop is 512, but the clips have at most {SIZE} pix"):
        StillSource([scene_clip()], crop=512)
