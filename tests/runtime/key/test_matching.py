"""Keys held against frames: painted, graded and enlarged ones belong, all others do not."""

import cv2
import numpy as np
import pytest

from tests.support import need
from tests.support.scenes import render
from tests.support.videos import frames, picture, plane
from vidcolor.key.matching import MATCHING, best_frame, check_key

HEIGHT, WIDTH = 108, 192


@pytest.fixture(scope="module")
def clip():
    return render(12, HEIGHT, WIDTH, seed=2, pan=2.0).luma


@pytest.fixture(scope="module")
def frame(clip):
    return clip[0]


def resized(luma, width=WIDTH, height=HEIGHT):
    return cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)


def painted_over(luma, share=0.33):
    """Flat discs over about a third of it, as opaque paint leaves them."""
    rng, out = np.random.default_rng(1), luma.copy()
    height, width = luma.shape
    covered = np.zeros(luma.shape, np.uint8)
    while covered.mean() < share:
        at = int(rng.integers(width)), int(rng.integers(height))
        level = float(rng.random())
        cv2.circle(out, at, height // 9, level, -1)
        cv2.circle(covered, at, height // 9, 1, -1)
    return out


def tinted(luma):
    """A hue that runs from left to right, by a layer that changes luma."""
    ramp = np.linspace(0.4, 1, luma.shape[1], dtype=np.float32)
    return luma * ramp


def jpeg(luma):
    _, data = cv2.imencode(
        ".jpg", np.rint(255 * luma).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 60]
    )
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key,
        painted_over,
        jpeg,
        lambda key: resized(key, 3 * WIDTH, 3 * HEIGHT),
        lambda key: resized(key, WIDTH // 2, HEIGHT // 2),
        lambda key: np.full_like(key, 0.5),  # flat: there is nothing to compare
    ],
)
def test_a_key_of_the_frame_belongs(change, frame):
    verdict = check_key(change(frame), frame)
    assert verdict.fault is None
    assert verdict.ncc > 2 * MATCHING or change is painted_over


@pytest.mark.parametrize("change", [lambda key: key**0.5, lambda key: 0.5 * key, tinted])
def test_another_grade_is_a_warning(change, frame):
    verdict = check_key(change(frame), frame)
    assert verdict.fault is None
    assert "has another grade than the frame" in verdict.warning
    assert check_key(frame, frame).warning is None


def shifted(key):
    wide = np.pad(key, ((0, 0), (12, 0)), mode="edge")
    return np.ascontiguousarray(wide[:, :WIDTH])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda key: key[:, ::-1], "is flipped left to right: turn it back"),
        (lambda key: key[::-1], "is flipped upside down: turn it back"),
        (lambda key: key[::-1, ::-1], "is turned by 180 degrees: turn it back"),
        (lambda key: 1 - key, "is a negative of the frame"),
        (shifted, "is shifted by 6.2% of the frame's width right: move it back"),
        (lambda key: resized(key[8:-8, 14:-15]), "shows only a part of the frame, 86% of its"),
        (
            lambda key: resized(np.pad(key, ((14, 14), (25, 25)))),
            "shows more than the frame, which is 78% of its sides: crop it",
        ),
        (lambda key: render(1, HEIGHT, WIDTH, seed=9).luma[0], "shows another frame"),
    ],
)
def test_what_is_wrong_with_a_key_is_told(change, fault, frame):
    verdict = check_key(np.ascontiguousarray(change(frame)), frame)
    assert verdict.fault.startswith(fault)
    assert verdict.ncc < MATCHING


def test_a_flat_frame_says_nothing(frame):
    assert check_key(frame, np.full((64, 96), 0.3, np.float32)).fault is None


def test_the_best_frame_is_found(clip):
    for number in (0, 5, 11):
        found = best_frame(painted_over(resized(clip[number], 2 * WIDTH, 2 * HEIGHT)), clip)
        assert found.frame == number
    assert best_frame(render(1, HEIGHT, WIDTH, seed=9).luma[0], clip) is None
    assert best_frame(clip[0], []) is None


def test_small_pictures_are_compared_too():
    one = picture(0).astype(np.float32)[:40, :40] / 255
    assert check_key(one, one).ncc == pytest.approx(1)
    assert check_key(np.ascontiguousarray(one[:, ::-1]), one).fault.startswith("is flipped")


def test_footage():
    """The numbers in the module's docstring."""
    lumas = [plane(frames(path)[0], 0).astype(np.float32) / 255 for path in need.clips()[::10]]
    for number, luma in enumerate(lumas):
        assert check_key(painted_over(luma), luma).ncc > 0.4
        height, width = luma.shape
        others = (resized(other, width, height) for n, other in enumerate(lumas) if n != number)
        assert max(check_key(other, luma).ncc for other in others) < 0.12
