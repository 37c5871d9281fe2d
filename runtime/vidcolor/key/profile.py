"""Colour profiles (ICC) in image files: what they say is applied, or the user is told."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import MissingLibraryError
from vidcolor.optional import require

_MARKS = (b"iCCP", b"ICC_PROFILE\0", b"ICCP")
"""What comes before a profile in PNG, in JPEG and in WebP."""
_TIFF = (b"II*\0", b"MM\0*")
_HEAD = 1 << 18
"""Bytes of a file that are searched for them; profiles come before the picture."""


def has_profile(data: bytes) -> bool:
    """Whether an image file seems to hold a colour profile. data: its first bytes, or all."""
    # A TIFF has its tags anywhere: Pillow is asked.
    return data.startswith(_TIFF) or any(mark in data[:_HEAD] for mark in _MARKS)


def to_srgb(data: bytes, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], str | None]:
    """Convert a picture to sRGB if its file has another colour profile.

    Args:
        data: The file.
        rgb: [h, w, 3], of 8 bits: its values as they are stored.

    Returns:
        The picture in sRGB; and the name of the profile it had, None if that was none or sRGB.

    Raises:
        MissingLibraryError: Pillow is not installed.
    """
    image, cms = _pillow("Image"), _pillow("ImageCms")
    try:
        with image.open(BytesIO(data)) as opened:
            stored = opened.info.get("icc_profile")
        if not stored:
            return rgb, None
        profile = cms.ImageCmsProfile(BytesIO(stored))
        name = " ".join(cms.getProfileDescription(profile).split())
        if "sRGB" in name or profile.profile.xcolor_space.strip() != "RGB":
            return rgb, None
        converted = cms.profileToProfile(
            image.fromarray(rgb),
            profile,
            cms.createProfile("sRGB"),
            renderingIntent=cms.Intent.RELATIVE_COLORIMETRIC,
        )
    except (OSError, ValueError, SyntaxError, cms.PyCMSError):  # a damaged profile says nothing
        return rgb, None
    return np.asarray(converted), name


def note_on_profile(path: Path) -> str | None:
    """What to tell of the profile of an image that `read_picture` can read, if anything."""
    data = path.read_bytes()
    if not has_profile(data):
        return None
    try:
        _, name = to_srgb(data, np.zeros((1, 1, 3), np.uint8))
    except MissingLibraryError:
        if data.startswith(_TIFF):
            return None
        return "has a colour profile, which is not applied: Pillow is not installed"
    return None if name is None else f"has the colour profile {name!r}, it is converted to sRGB"


def _pillow(module: str) -> Any:
    return require(
        f"PIL.{module}", library="Pillow", extra="film", purpose="applying colour profiles"
    )
