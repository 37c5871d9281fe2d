"""A picture is shown turned and mirrored as its display matrix says, and the matrix is kept."""

from pathlib import Path

import av
import numpy as np
import pytest

from tests.runtime.media.test_timing import recode
from tests.support.faults import write_steady
from vidcolor.media.orientation import Orientation, orientation_of
from vidcolor.media.reader import Reader

ONE = 1 << 16
MATRICES = {
    (a, b, c, d): Orientation(turns, mirrored)
    for (a, b, c, d), turns, mirrored in [
        ((1, 0, 0, 1), 0, False),
        ((0, -1, 1, 0), 1, False),
        ((-1, 0, 0, -1), 2, False),
        ((0, 1, -1, 0), 3, False),
        ((-1, 0, 0, 1), 0, True),
        ((1, 0, 0, -1), 2, True),
        ((0, 1, 1, 0), 1, True),
        ((0, -1, -1, 0), 3, True),
    ]
}


def whole(a: int, b: int, c: int, d: int) -> tuple[int, ...]:
    """The nine numbers of a display matrix."""
    return (a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 96 * ONE, 64 * ONE, 1 << 30)


def moved(stored: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """Every pixel put to where the matrix says: (x, y) goes to (a x + c y, b x + d y)."""
    places = {
        (a * x + c * y, b * x + d * y): stored[y, x]
        for y in range(stored.shape[0])
        for x in range(stored.shape[1])
    }
    columns, rows = (sorted({place[axis] for place in places}) for axis in (0, 1))
    return np.array([[places[column, row] for column in columns] for row in rows])


@pytest.mark.parametrize("matrix", MATRICES)
def test_pixels_go_where_the_matrix_says(matrix: tuple[int, int, int, int]) -> None:
    stored = np.arange(6).reshape(2, 3)
    lying = orientation_of(whole(*matrix))
    assert lying == MATRICES[matrix]
    np.testing.assert_array_equal(lying.shown(stored), moved(stored, *matrix))
    np.testing.assert_array_equal(lying.stored(lying.shown(stored)), stored)
    assert lying.is_upright == (matrix == (1, 0, 0, 1))
    assert lying.swaps_sides == (matrix[0] == 0)


def test_a_slanted_picture_counts_as_upright() -> None:
    assert orientation_of((46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30)).is_upright


def with_matrix(plain: Path, clip: Path, matrix: tuple[int, int, int, int]) -> Path:
    """The same packets, to be shown by a display matrix."""
    with av.open(plain) as given, av.open(clip, "w") as container:
        video = container.add_stream_from_template(given.streams.video[0], opaque=True)
        video.set_display_matrix(whole(*matrix))
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = video
                container.mux(packet)
    return clip


@pytest.mark.parametrize("matrix", [m for m in MATRICES if m != (1, 0, 0, 1)])
@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_the_matrix_is_kept_number_by_number(
    tmp_path: Path, ending: str, matrix: tuple[int, int, int, int]
) -> None:
    clip = with_matrix(write_steady(tmp_path / "plain.mp4"), tmp_path / "clip.mp4", matrix)
    with Reader(clip) as reader:
        before = reader.info
    with Reader(recode(clip, tmp_path / f"out{ending}")) as reader:
        after = reader.info
    assert before.display_matrix == whole(*matrix)
    assert after.display_matrix == before.display_matrix
    assert before.orientation == after.orientation == MATRICES[matrix]


def test_matroska_keeps_how_the_picture_is_shown(tmp_path: Path) -> None:
    for number, matrix in enumerate(MATRICES):
        plain = write_steady(tmp_path / f"plain{number}.mp4")
        clip = with_matrix(plain, tmp_path / f"clip{number}.mp4", matrix)
        with Reader(recode(clip, tmp_path / f"out{number}.mkv")) as reader:
            assert reader.info.orientation == MATRICES[matrix], matrix
