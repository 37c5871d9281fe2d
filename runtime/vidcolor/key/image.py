"""A key frame from an image file, fitted to the clip it colours."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.color import rgb_to_key
from vidcolor.errors import KeyFrameError, MissingLibraryError, PictureWarning
from vidcolor.files import named_errors, write_whole
from vidcolor.grid import Grid, resample
from vidcolor.interruption import check
from vidcolor.key.bars import boxes_of, cut_out, without_bars
from vidcolor.key.companions import mask_of
from vidcolor.key.decode import decode
from vidcolor.key.gray import has_strokes, is_gray, solid_strokes
from vidcolor.key.header import LARGEST_FILE, MOST_PIXELS, color_model, image_size
from vidcolor.key.profile import has_profile, to_srgb
from vidcolor.media.info import Info
from vidcolor.media.names import kind_of
from vidcolor.media.orientation import Orientation
from vidcolor.planes import Key, Plane
from vidcolor.working_size import ASPECT_TOLERANCE

_ACCEPTED = "8 or 16 bit PNG, JPEG, TIFF, BMP and WebP are accepted"


class Picture(NamedTuple):
    """The content of an image file, upright."""

    rgb: Plane
    """R'G'B' [h, w, 3] float32 in [0, 1]."""
    alpha: Plane | None
    """[h, w] float32 in [0, 1]; None if the image has none, or is opaque everywhere."""
    bits: int
    """8 or 16."""


def read_key(
    path: Path,
    *,
    info: Info,
    matrix: str,
    as_stored: bool = False,
    cropped: bool = False,
    whole: bool = False,
    masked: bool = True,
) -> Key:
    """Read an image as a key frame of a clip.

    The image's values are taken as the clip's R'G'B'; where the file has a colour profile other
    than sRGB, they are converted to sRGB first. A player turns or mirrors some clips, or shows them
    with samples that are not square. The image looks as the player shows the frame or, if samples
    are not square, has the aspect that the file stores.

    Args:
        path: PNG, JPEG, TIFF, BMP or WebP, of 8 or 16 bits. Its alpha says where it is painted.
        info: Of the clip.
        matrix: Of the clip, one of `vidcolor.color.MATRICES`.
        as_stored: The image is neither turned nor mirrored, as the frames are stored.
        cropped: Black bars around the picture are cut off; otherwise only where the image has the
            clip's aspect without them alone.
        whole: Gray parts are taken for gray, however much of the image they are. Otherwise an
            image that is mostly exactly gray is taken for a gray frame with strokes of paint on
            it, and only these are its paint.
        masked: Its mask, if there is one, is taken for alpha.

    Returns:
        A key of the image's own size, in the orientation in which the clip's frames are stored. A
        mask beside the image, see `mask_of`, says where it is painted, as alpha does.

    Raises:
        KeyFrameError: The file is missing or no such image, its aspect is not the clip's, or it is
            gray or transparent everywhere.
    """
    picture = read_picture(path)
    if masked:
        picture = _masked(picture, path)
    lying = Orientation() if as_stored else info.orientation
    key = rgb_to_key(lying.stored(picture.rgb), matrix)
    if picture.alpha is not None:
        weight = np.ascontiguousarray(lying.stored(picture.alpha))
        key = Key(key.luma, key.chroma, weight)
        if not weight.any():
            raise KeyFrameError(
                f"key: {path} is transparent everywhere, some of it must be painted"
            )
    if cropped:
        return _strokes(without_bars(key) or key, whole=whole)
    if is_gray(key):
        raise KeyFrameError(f"key: {path} is gray, a coloured picture of the first frame is needed")
    if not _fits(key.luma, info):
        for inner in (cut_out(key, box) for box in boxes_of(key)):
            if _fits(inner.luma, info):
                return _strokes(inner, whole=whole)
        if not as_stored and lying.swaps_sides and _fits(picture.rgb[..., 0], info):
            return read_key(
                path, info=info, matrix=matrix, as_stored=True, whole=whole, masked=masked
            )
        _refuse_aspect(path, key.luma, info)
    return _strokes(key, whole=whole)


def is_cut(path: Path, key: Key) -> bool:
    """Whether black bars were cut off an image when `read_key` made this key of it."""
    return sorted(image_size(path) or ()) != sorted(key.luma.shape)


def _strokes(key: Key, *, whole: bool) -> Key:
    """The key, of which only strokes are painted if it is a gray frame with strokes on it."""
    if whole or key.weight is not None or not has_strokes(key):
        return key
    return Key(key.luma, key.chroma, solid_strokes(key.chroma))


def _masked(picture: Picture, path: Path) -> Picture:
    """The picture with its mask, if there is one, as alpha."""
    mask = mask_of(path)
    if not mask.exists():
        return picture
    height, width = picture.rgb.shape[:2]
    white = read_picture(mask).rgb[..., 1]
    if abs(white.shape[1] / white.shape[0] / (width / height) - 1) > ASPECT_TOLERANCE:
        raise KeyFrameError(
            f"key: the mask {mask} is {white.shape[1]}x{white.shape[0]}, its key is "
            f"{width}x{height}; their aspects may differ by {ASPECT_TOLERANCE:.0%}"
        )
    if white.shape != (height, width):
        white = resample(white[None], Grid(*white.shape), Grid(height, width))[0].clip(0, 1)
    alpha = white if picture.alpha is None else white * picture.alpha
    if not alpha.any():
        raise KeyFrameError(
            f"key: the mask {mask} leaves nothing of {path}, it must be white where that is painted"
        )
    return Picture(picture.rgb, alpha, picture.bits)


def read_reference(path: Path, *, matrix: str) -> Key:
    """Read an image that shows no frame of the clip, to colour shots by likeness to it.

    Args:
        path: As in `read_key`, of any size and aspect. Black bars are cut off.
        matrix: Of the clip, one of `vidcolor.color.MATRICES`.

    Returns:
        A key of the image's own size and luma.

    Raises:
        KeyFrameError: The file is missing or no such image, or is gray, or transparent in parts.
    """
    picture = read_picture(path, argument="reference")
    if picture.alpha is not None:
        raise KeyFrameError(
            f"reference: {path} is transparent in parts, a whole picture is needed: crop it"
        )
    key = rgb_to_key(picture.rgb, matrix)
    if is_gray(key):
        raise KeyFrameError(f"reference: {path} is gray, a picture in colour is needed")
    return without_bars(key) or key


def is_painted(path: Path) -> bool:
    """Whether the image at `path` has colour. Raises KeyFrameError as `read_key` does."""
    picture = read_picture(path)
    # Which matrix it is makes no difference between gray and colour.
    key = rgb_to_key(picture.rgb, "bt709")
    return not is_gray(Key(key.luma, key.chroma, picture.alpha))


def read_picture(path: Path, *, argument: str = "key") -> Picture:
    """Read an image and turn it as its Exif data says.

    Args:
        path: The file.
        argument: What errors begin with.

    Raises:
        KeyFrameError: The file is missing, cannot be read, is too large, or no image of 8 or 16
            bits.
    """
    check()  # there may be a thousand
    _check_size(path, argument)
    with named_errors(f"{argument}: {path} cannot be read", KeyFrameError):
        data = np.fromfile(path, np.uint8)  # imread cannot open every name on every system
    upright = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    # Unchanged, it is not turned as its Exif data says.
    (image, whole), damage = decode(data, upright, cv2.IMREAD_UNCHANGED)
    if image is None or whole is None:
        why = f" ({damage})" if damage else ""
        raise KeyFrameError(
            f"{argument}: {path} is damaged or incomplete{why}; copy or save it anew, {_ACCEPTED}"
        )
    if image.dtype not in (np.uint8, np.uint16):
        raise KeyFrameError(f"{argument}: {path} cannot be read as an image, {_ACCEPTED}")
    if damage:
        warnings.warn(
            f"{argument}: {path} is damaged ({damage}), and taken as far as it can be read; look "
            "at it, or save it anew",
            PictureWarning,
            stacklevel=1,
        )
    bits = 8 * image.dtype.itemsize
    most = np.float32((1 << bits) - 1)
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # IMREAD_COLOR_RGB misreads 16-bit TIFF
    rgb = _in_srgb(data.tobytes(), rgb)
    alpha = (
        whole[..., 3].astype(np.float32) / most if whole.ndim == 3 and whole.shape[2] == 4 else None
    )
    if alpha is None or alpha.min() == 1:
        return Picture(rgb / most, None, bits)
    if not np.array_equal(whole[..., :3], image):
        raise KeyFrameError(
            f"{argument}: {path} has alpha and is turned by its Exif data, only one of these is "
            "accepted: save it upright"
        )
    return Picture(rgb / most, alpha, bits)


def _in_srgb(data: bytes, rgb: NDArray[Any]) -> NDArray[Any]:
    """Codes [h, w, 3] in sRGB where the file has another profile, then of 8 bits' precision."""
    if not has_profile(data):
        return rgb
    wide = rgb.dtype == np.uint16
    try:
        codes, name = to_srgb(data, np.asarray(np.rint(rgb / 257), np.uint8) if wide else rgb)
    except MissingLibraryError:  # whoever asks `note_on_profile` is told
        return rgb
    if name is None:
        return rgb
    return codes.astype(np.uint16) * 257 if wide else codes


def write_picture(path: Path, rgb: Plane, *, bits: int) -> None:
    """Write a PNG, whole or not at all.

    Args:
        path: The file to write.
        rgb: R'G'B' [h, w, 3] float32 in [0, 1].
        bits: 8 or 16.

    Raises:
        MediaError: It cannot be written.
    """
    codes = np.rint(rgb[..., ::-1] * ((1 << bits) - 1))
    _, data = cv2.imencode(".png", codes.astype(np.uint8 if bits == 8 else np.uint16))
    write_whole(path, data.tobytes())


def _check_size(path: Path, argument: str) -> None:
    """Look at the header alone: a small file may ask for more memory than there is."""
    kind = kind_of(path)
    if kind == "not there":
        raise KeyFrameError(f"{argument}: there is no file {path}")
    if kind is not None:
        raise KeyFrameError(f"{argument}: {path} is {kind}, an image file is needed")
    try:
        size = image_size(path)
        bytes_ = path.stat().st_size
    except OSError as error:
        raise KeyFrameError(f"{argument}: {path} cannot be read ({error.strerror})") from error
    if size is None:
        raise KeyFrameError(
            f"{argument}: {path} cannot be read as an image; if it is one, copy or save it anew, "
            f"{_ACCEPTED}"
        )
    if size[0] * size[1] > MOST_PIXELS or bytes_ > LARGEST_FILE:
        raise KeyFrameError(
            f"{argument}: {path} is {size[0]}x{size[1]}, at most {MOST_PIXELS // 10**6} "
            "megapixels are accepted: scale it to the clip's size"
        )
    if (model := color_model(path)) != "RGB":
        raise KeyFrameError(f"{argument}: {path} is in {model}, RGB is needed: save it in RGB")


def _fits(luma: Plane, info: Info) -> bool:
    """Whether a picture has the aspect of the clip, as it is stored or as it is shown."""
    height, width = luma.shape
    stored = info.width / info.height
    shown = float(stored * info.sample_aspect)
    return any(abs(width / height / aspect - 1) <= ASPECT_TOLERANCE for aspect in (stored, shown))


def _refuse_aspect(path: Path, luma: Plane, info: Info) -> NoReturn:
    height, width = luma.shape
    shown = float(info.width / info.height * info.sample_aspect)
    raise KeyFrameError(
        f"key: {path} is {width}x{height}, of aspect {width / height:.3f}, "
        f"the clip is {info.width}x{info.height}, of aspect {shown:.3f}; "
        f"they may differ by {ASPECT_TOLERANCE:.0%}"
    )
