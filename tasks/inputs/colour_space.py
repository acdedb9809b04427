"""Converts the pixels of pictures to the colours that a screen shows for them (sRGB), by their ICC profiles."""

import io
from functools import lru_cache

import numpy as np
import PIL.Image
from PIL import ImageCms

_SAME = 96
"""A profile whose colours differ by no more levels from those of sRGB, as those of screens and cameras do, changes too
little for a reader, and is not applied."""
_GRID_SIDE = 17
"""Levels of each of red, green and blue that are compared."""
_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow's modes of the colour spaces of profiles (ICC.1:2022, 7.2.8)."""
_GREYS = {"1", "L", "LA", "La", "I", "F"}


def to_srgb(frame: PIL.Image.Image, profile: bytes | None) -> PIL.Image.Image:
    """Convert a picture without transparency to RGB as a screen shows it. A profile for other pictures, and a damaged
    one, is not applied."""
    mode = "L" if frame.mode in _GREYS else "CMYK" if frame.mode == "CMYK" else "RGB"
    transform = _transform(profile, mode) if profile else None
    if transform is None:
        return frame.convert("RGB")
    converted = ImageCms.applyTransform(frame.convert(transform.input_mode), transform)
    assert converted is not None  # only a conversion in place returns nothing
    return converted


@lru_cache(maxsize=4)
def _transform(data: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return how pixels of this mode are converted by the profile `data`; None if they stay as they are."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        own = _MODES.get(profile.profile.xcolor_space)
        if own is None or (own != mode and (own, mode) != ("RGB", "L")):
            return None
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), own, "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None
    return transform if own == "CMYK" or _changes_much(transform) else None


def _changes_much(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.linspace(0, 255, _GRID_SIDE).round().astype(np.uint8)
    if transform.input_mode == "L":
        given, usual = levels[None], np.stack([levels[None]] * 3, 2)
    else:
        given = usual = np.stack(np.meshgrid(levels, levels, levels), 3).reshape(1, -1, 3)
    shown = np.asarray(ImageCms.applyTransform(PIL.Image.fromarray(given), transform))
    return int(np.abs(shown.astype(np.int16) - usual).max()) > _SAME
