"""Saturation and hue, exactly, in the planes."""

import numpy as np
import pytest

from vidcolor.color import key_to_rgb
from vidcolor.errors import ArgumentError
from vidcolor.grade import Grade, Grades
from vidcolor.planes import Key


@pytest.fixture
def chroma() -> np.ndarray:
    return np.random.default_rng(0).random((2, 6, 8), np.float32) * np.float32(0.6) - 0.3


@pytest.mark.parametrize("grade", [Grade(), Grade(hue=360), Grade(hue=-360), Grade(1, 0)])
def test_a_neutral_grade_changes_no_bit(grade: Grade, chroma: np.ndarray) -> None:
    assert grade.is_neutral
    assert grade.apply(chroma).tobytes() == chroma.tobytes()


@pytest.mark.parametrize(
    ("hue", "cb", "cr"), [(90, 0.0, 0.2), (180, -0.2, 0.0), (-90, 0.0, -0.2), (30, 0.173205, 0.1)]
)
def test_hue_turns_blue_towards_red(hue: float, cb: float, cr: float) -> None:
    blue = np.array([0.2, 0.0], np.float32)[:, None, None]
    np.testing.assert_allclose(Grade(hue=hue).apply(blue)[:, 0, 0], [cb, cr], atol=1e-6)


def test_the_direction_is_the_one_the_docs_name() -> None:
    """From blue to magenta, which is nearer to red."""
    luma = np.full((1, 1), 0.4, np.float32)
    blue = np.array([0.2, -0.02], np.float32)[:, None, None]
    red, green, _ = np.moveaxis(key_to_rgb(Key(luma, Grade(hue=40).apply(blue)), "bt709"), -1, 0)
    assert red > 0.5 > green


def test_saturation_multiplies(chroma: np.ndarray) -> None:
    np.testing.assert_array_equal(Grade(0.5).apply(chroma), chroma / 2)
    assert not Grade(0).apply(chroma).any()
    loud = Grade(3).apply(chroma)
    np.testing.assert_array_equal(loud, np.clip(np.float32(3) * chroma, -0.5, 0.5))
    assert np.abs(loud).max() == 0.5


def test_both_at_once_are_one_after_the_other(chroma: np.ndarray) -> None:
    both = Grade(0.7, 25).apply(chroma)
    np.testing.assert_allclose(both, Grade(0.7).apply(Grade(hue=25).apply(chroma)), atol=1e-6)
    np.testing.assert_allclose(np.hypot(*both), 0.7 * np.hypot(*chroma), atol=1e-6)
    assert both.dtype == np.float32


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"saturation": -0.1}, "saturation is -0.1, accepted are 0 to 1000"),
        ({"saturation": float("inf")}, "saturation is inf, accepted are 0 to 1000"),
        ({"saturation": 1e39}, r"saturation is 1e\+39, accepted are 0 to 1000"),
        ({"hue": 361}, "hue is 361, accepted are degrees from -360 to 360"),
        ({"hue": float("nan")}, "hue is nan, accepted are degrees from -360 to 360"),
    ],
)
def test_other_values_are_refused(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{sentence}$"):
        Grade(**values)


def test_the_last_value_for_a_frame_counts() -> None:
    grades = Grades([(None, 0.8), (range(4, 9), 1.5), (range(7, 8), 0)], [(range(2, 5), -20)])
    assert [grades.at(n).saturation for n in (0, 4, 7, 8, 9)] == [0.8, 1.5, 0, 1.5, 0.8]
    assert [grades.at(n).hue for n in (1, 2, 4, 5)] == [0, -20, -20, 0]
    assert Grades().at(0).is_neutral
    with pytest.raises(ArgumentError, match="saturation is -1, accepted are 0 to 1000"):
        Grades(saturation=[(None, -1)])
    with pytest.raises(ArgumentError, match="hue is 400, accepted are degrees"):
        Grades(hue=[(range(3), 400)])
