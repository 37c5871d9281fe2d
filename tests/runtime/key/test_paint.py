"""Keys fitted to their frames: whole ones as they are, painted parts spread along luma."""

import numpy as np
import pytest

from tests.support import need
from tests.support.scenes import render
from vidcolor.errors import KeyFrameError
from vidcolor.grid import Grid, resample
from vidcolor.key.paint import Paint
from vidcolor.key.scribbles import spread
from vidcolor.planes import Key
from vidcolor.working_size import WorkingSize

need.scipy()

HEIGHT, WIDTH = 64, 88
FIT = WorkingSize.of(HEIGHT, WIDTH, 32)
TARGET = Grid(HEIGHT, WIDTH, (1, 1), "left")


@pytest.fixture(scope="module")
def key():
    return render(1, HEIGHT, WIDTH, seed=3).key()


@pytest.fixture(scope="module")
def small(key):
    return FIT.downsample(key.luma)


def test_a_whole_key_is_taken_as_it_is(key, small):
    paint = Paint.of(key)
    fitted = paint.small(small, FIT)
    grid = Grid(HEIGHT, WIDTH)
    assert fitted.luma is small
    assert fitted.chroma.tobytes() == FIT.downsample_chroma(key.chroma, grid).tobytes()
    assert paint.full(fitted, key.luma, FIT, TARGET).tobytes() == (
        resample(key.chroma, grid, TARGET).tobytes()
    )


def parts(key):
    """A key that is painted on its left half but for a hole, softly at the right, red beneath."""
    weight = np.zeros(key.luma.shape, np.float32)
    weight[:, :40], weight[20:28, 12:24], weight[10:20, 60:] = 1, 0, 0.5
    chroma = np.where(weight > 0, key.chroma, np.float32(0.4))
    return Key(key.luma, chroma, weight)


def test_painted_parts_are_spread_at_working_size_by_the_frames_luma(key, small):
    fitted = Paint.of(parts(key)).small(small, FIT)
    weight = resample(parts(key).weight[None], Grid(HEIGHT, WIDTH), FIT.working)[0]
    own = FIT.downsample_chroma(key.chroma, Grid(HEIGHT, WIDTH))
    assert np.abs(fitted.chroma - own)[:, weight > 0.999].max() < 1e-6
    want = spread(small, own, weight)
    assert np.abs(fitted.chroma - want).max() < 0.05  # at rims own has also seen what is beyond
    assert np.abs(fitted.chroma - want).mean() < 1e-3


def test_in_its_own_frame_solid_paint_is_kept(key, small):
    paint = Paint.of(parts(key))
    fitted = paint.small(small, FIT)
    full = paint.full(fitted, key.luma, FIT, TARGET)
    own = resample(key.chroma, Grid(HEIGHT, WIDTH), TARGET)
    assert np.array_equal(full[:, :8, :19], own[:, :8, :19])
    around = FIT.upsample(fitted.chroma, small, key.luma, (1, 1), "left")
    bare = np.s_[:, 12:, 32:]
    assert np.array_equal(full[bare], around[bare])
    assert np.abs(full[:, 11:13, 7:11] - own[:, 11:13, 7:11]).max() < 0.1  # in the hole


def test_what_lies_under_no_paint_does_not_matter(key, small):
    one = parts(key)
    other = Key(one.luma, np.where(one.weight > 0, one.chroma, np.float32(-0.5)), one.weight)
    first, second = (Paint.of(each).small(small, FIT).chroma for each in (one, other))
    assert first.tobytes() == second.tobytes()


def test_a_key_without_paint_is_told(key, small):
    bare = Key(key.luma, key.chroma, np.zeros_like(key.luma))
    with pytest.raises(KeyFrameError, match="nothing of it is painted"):
        Paint.of(bare).small(small, FIT)


def test_weight_has_the_keys_size(key):
    with pytest.raises(ValueError, match="weight is"):
        Key(key.luma, key.chroma, key.luma[:9])
