from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from evaluation.clips import Clip
from tests.support.footage import SIZE, scene_clip
from training.data.pairs import DISTANCE, PairSource
from training.data.pictures import find_pictures
from vidcolor.errors import ArgumentError


def numbered(frames: int, *, name: str = "numbered", first: int = 0) -> Clip:
    """A clip whose luma is the frame's number and whose chroma says it, too."""
    numbers = np.arange(first, first + frames, dtype=np.uint8)
    luma = np.broadcast_to(numbers[:, None, None], (frames, 64, 64)).copy()
    return Clip(name=name, luma=luma, chroma=np.stack([luma, luma], 1))


def test_examples_depend_on_their_place_alone():
    clips = [scene_clip(seed) for seed in range(2)]
    source = PairSource(clips, crop=64, scale=2, film=0.5, seed=3)
    batch = source.batch(5, range(4))
    assert [tuple(t.shape) for t in batch] == 2 * [(4, 1, 64, 64), (4, 2, 64, 64)]
    assert 0 <= batch.luma.min() < batch.luma.max() <= 1
    (alone,) = (PairSource(clips, crop=64, scale=2, film=0.5, seed=3).batch(5, [2]),)
    assert all(torch.equal(one[0], all_[2]) for one, all_ in zip(alone, batch, strict=True))
    assert not torch.equal(batch.luma, source.batch(6, range(4)).luma)


def test_a_key_is_neither_near_nor_very_far():
    batch = PairSource([numbered(200)], crop=32, augment=False).batch(0, range(200))
    apart = ((batch.luma - batch.exemplar_luma)[:, 0, 0, 0] * 255).round()
    assert apart.abs().min() == DISTANCE[0]
    assert 95 <= apart.abs().max() <= DISTANCE[1]
    assert apart.min() < 0 < apart.max()  # before the frame and after it


def test_without_variation_a_square_is_what_the_frame_has():
    clip = scene_clip(2)
    batch = PairSource([clip], crop=SIZE, augment=False).batch(0, range(6))
    for luma, chroma in zip(batch.luma, batch.chroma, strict=True):
        codes = (luma[0] * 255).round().byte().numpy()
        cut = [
            (n, x)
            for n in range(len(clip))
            for x in range(clip.luma.shape[2] - SIZE + 1)
            if np.array_equal(clip.luma[n, :, x : x + SIZE], codes)
        ]
        assert len(cut) == 1
        ((n, x),) = cut
        truth = (clip.chroma[n, :, :, x : x + SIZE].astype(np.float32) - 128) / 255
        assert np.allclose(chroma, truth)


def disc(radius: int) -> Clip:
    """A bright disc in the middle of dark frames, none of which moves."""
    plane = np.full((128, 128), 40, np.uint8)
    cv2.circle(plane, (64, 64), radius, 200, -1)
    luma = np.stack([plane] * 8)
    return Clip(name="disc", luma=luma, chroma=np.stack([luma, 255 - luma], 1))


def test_things_are_at_another_scale_in_the_key():
    """By up to 2 either way; the area of a disc tells."""
    source = PairSource([disc(16)], crop=128, scale=2.0)
    batch = source.batch(0, range(64))

    def radius(chroma: torch.Tensor) -> torch.Tensor:
        return ((chroma[:, 0] > 0).float().sum((1, 2)) / torch.pi).sqrt()

    here, there = radius(batch.chroma), radius(batch.exemplar_chroma)
    ratio = there / here
    assert 0.47 < ratio.min() < 0.6
    assert 1.7 < ratio.max() < 2.1
    assert (torch.minimum(here, there) - 16).abs().max() < 1  # nothing is made smaller than it was
    same = PairSource([disc(16)], crop=128).batch(0, range(16))
    assert (radius(same.chroma) / radius(same.exemplar_chroma) - 1).abs().max() < 0.05


def test_colours_stay_with_what_has_them():
    """Turned, moved, scaled and mirrored alike: luma before exposure says what chroma is."""
    clip = disc(20)
    batch = PairSource([clip], crop=96, scale=2.0).batch(1, range(16))
    for luma, chroma in ((batch.luma, batch.chroma), (batch.exemplar_luma, batch.exemplar_chroma)):
        inside = chroma[:, :1] > 0.25
        outside = chroma[:, :1] < -0.3
        for one, within, without in zip(luma, inside, outside, strict=True):
            assert one[within].min() > one[without].max()


def test_frame_and_key_are_exposed_differently():
    batch = PairSource([disc(16)], crop=128).batch(2, range(16))
    assert (batch.luma.amin((1, 2, 3)) - batch.exemplar_luma.amin((1, 2, 3))).abs().mean() > 0.01
    plain = PairSource([disc(16)], crop=128, augment=False).batch(2, range(16))
    assert torch.equal(plain.luma, plain.exemplar_luma)


def test_keys_of_another_shot_of_the_same_video():
    shots = [
        numbered(8, name="film.shot-001.mp4"),
        numbered(8, name="film.shot-002.mp4", first=100),
        numbered(8, name="other.mp4", first=200),
    ]
    source = PairSource(shots, crop=32, other_shots=0.5, augment=False)
    batch = source.batch(0, range(120))
    hundreds = [
        (planes[:, 0, 0, 0] * 255).round().div(100, rounding_mode="floor").int().tolist()
        for planes in (batch.luma, batch.exemplar_luma)
    ]
    pairs = list(zip(*hundreds, strict=True))
    assert set(pairs) == {(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)}
    several = [pair for pair in pairs if pair != (2, 2)]
    assert 0.3 < sum(a != b for a, b in several) / len(several) < 0.7


def test_half_of_the_pairs_are_of_pictures(tmp_path):
    picture = np.zeros((80, 80, 3), np.uint8)
    picture[..., 2] = 255  # red, where the clip is gray
    cv2.imwrite(str(tmp_path / "red.png"), picture)
    gray = numbered(8, first=120)
    gray = replace(gray, chroma=np.full_like(gray.chroma, 128))
    pictures = find_pictures([tmp_path], size=80, least=32)
    batch = PairSource([gray], crop=32, pictures=pictures).batch(0, range(60))
    red = batch.chroma.abs().mean((1, 2, 3)) > 0.1
    assert 0.3 < red.float().mean() < 0.7
    assert torch.equal(red, batch.exemplar_chroma.abs().mean((1, 2, 3)) > 0.1)


@pytest.mark.parametrize("clip", [numbered(4), numbered(20)])
def test_clips_that_cannot_be_used(clip):
    with pytest.raises(ArgumentError, match="crop is 65, but no clip has so many pixels"):
        PairSource([clip], crop=65)
    if len(clip) == DISTANCE[0]:
        with pytest.raises(ArgumentError, match="more than 4 frames"):
            PairSource([clip], crop=64)
