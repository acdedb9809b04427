"""Any Pillow mode to upright RGB."""

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageCms, ImageOps

from models.vision.text import Image

_ORIENTATION = 0x0112
_SIDEWAYS = {5, 6, 7, 8}
"""EXIF orientations that exchange width and height (EXIF 2.32, 4.6.4)."""


def upright_size(frame: PIL.Image.Image) -> tuple[int, int]:
    """Width and height after the EXIF orientation is applied, from the header alone."""
    width, height = frame.size
    # Pillow turns a TIFF by itself and says its size accordingly.
    sideways = frame.format != "TIFF" and frame.getexif().get(_ORIENTATION) in _SIDEWAYS
    return (height, width) if sideways else (width, height)


def upright_rgb(frame: PIL.Image.Image) -> Image:
    """Decode `frame`: orientation applied, what is transparent on white."""
    frame.load()
    return np.ascontiguousarray(np.asarray(_rgb(ImageOps.exif_transpose(frame)), dtype=np.uint8))


def _rgb(frame: PIL.Image.Image) -> PIL.Image.Image:
    if frame.mode == "RGB" and not frame.has_transparency_data:
        return frame
    if frame.mode in {"I", "F"} or frame.mode.startswith("I;16"):
        return PIL.Image.fromarray(_eight_bits(np.asarray(frame))).convert("RGB")
    if frame.mode == "LAB":
        return _lab_to_rgb(frame)
    if frame.mode in {"La", "RGBa"}:
        frame = frame.convert({"La": "LA", "RGBa": "RGBA"}[frame.mode])
    if frame.has_transparency_data:
        frame = frame.convert("RGBA")
        paper = PIL.Image.new("RGBA", frame.size, "white")
        frame = PIL.Image.alpha_composite(paper, frame)
    return frame.convert("RGB")


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey values of more than 8 bits, on the scale they are most likely meant on.

    Pillow's own conversion clips at 255, which turns most such pictures white. The scale is 0 to 65535 for 16
    bits; for 32 bits and floats, 0 to 1, 0 to 255 or 0 to 65535 where the values fit, else their own range.
    """
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return (values.astype(np.uint16) // 257).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, high = float(finite.min()), float(finite.max())
    top = next((top for top in (1, 255, 65535) if high <= top), high)
    if values.dtype.kind != "f" and top == 1:
        top = 255
    low = min(low, 0.0)
    return ((finite - low) * (255 / ((top - low) or 1))).clip(0, 255).astype(np.uint8)


def _lab_to_rgb(frame: PIL.Image.Image) -> PIL.Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(frame, lab, srgb, outputMode="RGB")
    if converted is None:
        raise ValueError("the picture's LAB colours cannot be converted")
    return converted
