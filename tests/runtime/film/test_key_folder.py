"""Images in a folder, by the frames they are keys of."""

from pathlib import Path

import cv2
import pytest

from tests.support.videos import write_key
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.film.key_folder import find_images, find_keys


def test_numbers_in_names_are_frames(tmp_path: Path) -> None:
    found = {
        240: "000240.png", 7: "7.JPG", 0: "00.tiff", 12: "ref_000012.png", 13: "frame13.bmp",
        14: "14 copy.webp", 15: "15_painted.png", 16: "Key-0016.png", 17: "img17 (colorized).png",
        148: "painted-148.tiff", 149: "Coloured 149.png", 150: "000150_ref.png",
    }  # fmt: skip
    others = ("contact-sheet.jpg", "contact-sheet-2.jpg", "12.txt", "IMG_2043 scan2.png", "18.gif")
    for name in (*found.values(), *others):
        (tmp_path / name).touch()
    notes: list[str] = []
    keys = find_keys(tmp_path, note=notes.append)
    assert keys == {frame: tmp_path / name for frame, name in found.items()}
    assert notes == [
        f"{tmp_path / '18.gif'} is not read as a key: save it as PNG, TIFF, JPEG, WebP or BMP",
        f"{tmp_path / 'IMG_2043 scan2.png'} is not read as a key: name it by its frame's number, "
        "such as 000240.png, or say where the number is with --key-name, such as "
        '--key-name "take2_{frame}_ok.png"',
    ]


def write(path: Path, *, gray: bool = False) -> Path:
    image = cv2.imread(str(write_key(path)))
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if gray else image)
    return path


@pytest.mark.parametrize("ending", [".jpg", ".tif", ".webp"])
def test_the_one_in_colour_wins_beside_one_that_is_still_gray(tmp_path: Path, ending: str) -> None:
    gray = write(tmp_path / "000016.png", gray=True)
    painted = write((tmp_path / "000016").with_suffix(ending))
    notes: list[str] = []
    assert find_keys(tmp_path, note=notes.append) == {16: painted}
    assert notes == [f"{painted} is the key of frame 16; {gray.name} beside it is still gray"]
    write(painted, gray=True)
    assert find_images(tmp_path).keys() == {16}


def test_a_template_says_where_the_number_is(tmp_path: Path) -> None:
    for name in ("sc2_0012_v3.png", "sc2_0100_v3.PNG", "000240.png", "sc2_7_v4.png"):
        (tmp_path / name).touch()
    notes: list[str] = []
    keys = find_keys(tmp_path, name="sc2_{frame}_v3.png", note=notes.append)
    assert keys == {12: tmp_path / "sc2_0012_v3.png", 100: tmp_path / "sc2_0100_v3.PNG"}
    assert notes == [
        f"{tmp_path / name} is not read as a key: its name is not like sc2_{{frame}}_v3.png, which "
        "--key-name says"
        for name in ("000240.png", "sc2_7_v4.png")
    ]
    assert find_images(tmp_path, name="sc2_{frame}_v4") == {7: tmp_path / "sc2_7_v4.png"}
    with pytest.raises(KeyFrameError, match=r"holds no image named shot\{frame\}\.png"):
        find_keys(tmp_path, name="shot{frame}.png")


def test_where_no_name_is_a_number_the_option_is_named(tmp_path: Path) -> None:
    (tmp_path / "take2_20_ok.png").touch()
    with pytest.raises(KeyFrameError, match=r"such as 000240\.png; of other names --key-name says"):
        find_keys(tmp_path)


@pytest.mark.parametrize("name", ["ref.png", "{frame}_{frame}.png", "a/{frame}.png"])
def test_templates_that_say_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArgumentError, match=r"key-name is .*, a file's name with {frame} in"):
        find_images(tmp_path, name=name)


def test_masks_are_no_keys_and_are_told_of_only_if_they_belong_to_none(tmp_path: Path) -> None:
    keys = ("000240.png", "ref_000260.tif", "000240.strokes.png", "000240.strokes-2.png")
    masks = ("000240.mask.png", "000240.mask.jpg", "000250.mask.png", "260.mask.png")
    for name in (*keys, *masks):
        (tmp_path / name).touch()
    notes: list[str] = []
    found = {240: tmp_path / "000240.png", 260: tmp_path / "ref_000260.tif"}
    assert find_keys(tmp_path, note=notes.append) == found
    assert notes == [
        f"{tmp_path}/000240.mask.jpg is no mask of 000240.png: name that 000240.mask.png",
        f"{tmp_path}/000250.mask.png is a mask without a key: there is no key 000250.png beside it",
        f"{tmp_path}/260.mask.png is no mask of ref_000260.tif: name that ref_000260.mask.png",
    ]


def test_two_for_one_frame(tmp_path: Path) -> None:
    for name in ("7.png", "0007.png"):
        write(tmp_path / name)
    with pytest.raises(KeyFrameError, match=r"0007.png and 7.png in .* are both for frame 7"):
        find_images(tmp_path)


def test_none(tmp_path: Path) -> None:
    assert find_images(tmp_path) == {}
    with pytest.raises(KeyFrameError, match="holds no image named by a frame's number"):
        find_keys(tmp_path)
    with pytest.raises(KeyFrameError, match=r"there is no folder .*absent; .* 000240\.png"):
        find_keys(tmp_path / "absent")
