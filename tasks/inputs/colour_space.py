"""Converts the pixels of pictures to the colours that a screen shows for them (sRGB).

A file may say that its numbers are other colours than usual: by an ICC profile, or by the chunks `gAMA`, `cHRM` and
`cICP` of a PNG. Letters whose numbers differ from those of their paper may then have the colour of the paper, or the
other way round.
"""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import PIL.Image
from PIL import ImageCms

_SCREEN_GAMMA = 2.2
"""Exponent by which screens turn values into light."""
_GAMMA_TOLERANCE = 0.05
"""A PNG's gamma is the usual one if its product with that of screens differs from 1 by at most this (libpng's
PNG_GAMMA_THRESHOLD)."""
_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""The chromaticities of white, red, green and blue on a screen (ITU-R BT.709), in the order of `cHRM`."""
_FAR = 0.15
"""Chromaticities that differ from these by more belong to no usual screen, scanner or camera."""
_LIKE_SRGB = (1, 2, 6, 13, 14, 15)
"""Codes of the transfer functions (ITU-T H.273, table 3) of which screens show about what they show for sRGB, and 2 for
one that is not given."""
_CICP = b"\0\0\0\4cICP"
"""Length and type of a `cICP` chunk, which precede its primaries, transfer function, matrix and range."""
_SAME = 24
"""Colours of a profile that differ by no more levels from those of sRGB are left as they are, such as those of the
sRGB profiles of different makers."""
_LARGE_PROFILE = 64 * 1024
"""A larger profile may change only a few colours, between the ones that are compared."""
_GRID_SIDE = 33
"""Levels of each of red, green and blue that are compared."""
_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow's modes of the colour spaces of profiles (ICC.1:2022, 7.2.8)."""


def unknown_colours(info: Mapping[Any, Any], data: bytes) -> str:
    """Return what is to be said of a PNG or HEIF of which is not known what screens show; "" for others. `info` is its
    metadata as Pillow gives them, `data` the file."""
    transfer = (info.get("nclx_profile") or {}).get("transfer_characteristics", 2)
    place = data.find(_CICP, 0, data.find(b"IDAT"))
    if place >= 0:
        transfer = data[place + len(_CICP) + 1]
    if transfer not in _LIKE_SRGB:
        return f"has colours with the transfer function {transfer} of ITU-T H.273, such as those of HDR; send sRGB."
    if info.get("icc_profile") or "srgb" in info:
        return ""
    primaries = info.get("chromaticity", _PRIMARIES)
    if any(abs(one - usual) > _FAR for one, usual in zip(primaries, _PRIMARIES, strict=True)):
        return "has colours that no screen shows (cHRM); send sRGB."
    return ""


def to_srgb(frame: PIL.Image.Image, info: Mapping[Any, Any]) -> PIL.Image.Image:
    """Convert a picture without transparency, in one of the modes L, RGB and CMYK, to RGB as a screen shows it. `info`
    is the metadata of its file."""
    profile = info.get("icc_profile")
    if profile:
        return _by_profile(frame, profile)
    frame = frame.convert("RGB")
    curve = _curve(info)
    return frame.point(curve * 3) if curve else frame


def _by_profile(frame: PIL.Image.Image, data: bytes) -> PIL.Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        mode = _MODES.get(profile.profile.xcolor_space)
        if mode is None or (mode != "RGB" and mode != frame.mode):
            return frame.convert("RGB")  # viewers ignore the profile of a picture of another kind, too
        frame = frame.convert(mode)
        transform = ImageCms.buildTransform(profile, srgb, mode, "RGB")
        if mode != "CMYK" and len(data) <= _LARGE_PROFILE and _changes_little(transform, mode):
            return frame.convert("RGB")
        converted = ImageCms.applyTransform(frame, transform)
    except (OSError, ImageCms.PyCMSError):
        return frame.convert("RGB")  # viewers ignore a damaged profile, too
    assert converted is not None  # only a conversion in place returns nothing
    return converted


def _changes_little(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    levels = np.linspace(0, 255, _GRID_SIDE).round().astype(np.uint8)
    if mode == "L":
        colours = np.arange(256, dtype=np.uint8)[None]
        usual = np.stack([colours] * 3, 2)
    else:
        usual = colours = np.stack(np.meshgrid(levels, levels, levels), 3).reshape(1, -1, 3)
    shown = np.asarray(ImageCms.applyTransform(PIL.Image.fromarray(colours), transform))
    return int(np.abs(shown.astype(np.int16) - usual).max()) <= _SAME


def _curve(info: Mapping[Any, Any]) -> list[int]:
    """Return what a screen shows for each of the 256 values, by a PNG's `gAMA`. The list is empty if that changes
    nothing, or if a colour space is given, which overrides gamma (PNG, third edition, 4.3)."""
    exponent = 1.0 if "srgb" in info else (info.get("gamma") or 0) * _SCREEN_GAMMA
    if exponent <= 0 or abs(exponent - 1) <= _GAMMA_TOLERANCE:
        return []
    return [round(255 * (value / 255) ** (1 / exponent)) for value in range(256)]
