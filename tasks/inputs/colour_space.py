"""Converts the pixels of pictures to the colours that a screen shows for them (sRGB).

A file may say that its numbers are other colours than usual: by an ICC profile, or by the chunks `gAMA`, `cHRM` and
`cICP` of a PNG. Letters whose numbers differ from those of their paper may then have the colour of the paper, or the
other way round.
"""

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageCms

_SCREEN_GAMMA = 2.2
"""Exponent by which screens turn values into light."""
_GAMMA_TOLERANCE = 0.05
"""A PNG's gamma is the usual one if its product with that of screens differs from 1 by at most this (libpng's
PNG_GAMMA_THRESHOLD)."""
_USUAL_GAMMAS = 0.75, 1.35
"""Products of a PNG's gamma and that of screens whose effect hides no letters. Old Macs had 1.22."""
_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""The chromaticities of white, red, green and blue on a screen (ITU-R BT.709), in the order of `cHRM`."""
_FAR = 0.15
"""Chromaticities that differ from these by more belong to no usual screen, scanner or camera."""
_LIKE_SRGB = (1, 2, 6, 13, 14, 15)
"""Codes of the transfer functions (ITU-T H.273, table 3) of which screens show about what they show for sRGB; 2 stands
for one that is not given."""
_SAME_GREYS, _SAME_COLOURS = 24, 96
"""Profiles whose greys and other colours differ by no more levels from those of sRGB are left as they are. These are
the profiles of screens, cameras and scanners."""
_LARGE_PROFILE = 64 * 1024
"""A larger profile may change only a few colours, between the ones that are compared."""
_GRID_SIDE = 33
"""Levels of each of red, green and blue that are compared."""
_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow's modes of the colour spaces of profiles (ICC.1:2022, 7.2.8)."""


class _Conversion(NamedTuple):
    transform: ImageCms.ImageCmsTransform | None
    """The conversion of pixels. There is none if viewers ignore the profile, or if it changes too little."""
    is_certain: bool
    """True if all viewers show about the same colours."""


def are_certain(info: Mapping[Any, Any], mode: str) -> bool:
    """Return whether viewers show the colours of a picture that `to_srgb` gives, or similar ones. `info` is the
    metadata of its file as Pillow gives them, `mode` Pillow's mode of its pixels."""
    transfer = (info.get("nclx_profile") or {}).get("transfer_characteristics", 2)
    if transfer not in _LIKE_SRGB:
        return False
    if profile := info.get("icc_profile"):
        return _conversion(profile, mode_of(mode)).is_certain
    if "srgb" in info:
        return True
    primaries = info.get("chromaticity", _PRIMARIES)
    least, most = _USUAL_GAMMAS
    return least <= (_exponent(info) or 1) <= most and all(
        abs(one - usual) <= _FAR for one, usual in zip(primaries, _PRIMARIES, strict=True)
    )


def is_like_srgb(code_points: bytes) -> bool:
    """Return whether the contents of a PNG's `cICP` say that its values are about those of sRGB."""
    return code_points[1:2] in map(int.to_bytes, _LIKE_SRGB)


def to_srgb(frame: PIL.Image.Image, info: Mapping[Any, Any]) -> PIL.Image.Image:
    """Convert a picture without transparency, in one of the modes L, RGB and CMYK, to RGB as a screen shows it. `info`
    is the metadata of its file."""
    if profile := info.get("icc_profile"):
        transform = _conversion(profile, frame.mode).transform
        if transform is None:
            return frame.convert("RGB")
        converted = ImageCms.applyTransform(frame.convert(transform.input_mode), transform)
        assert converted is not None  # only a conversion in place returns nothing
        return converted
    exponent = _exponent(info)
    frame = frame.convert("RGB")
    if exponent <= 0 or abs(exponent - 1) <= _GAMMA_TOLERANCE:
        return frame
    return frame.point([round(255 * (value / 255) ** (1 / exponent)) for value in range(256)] * 3)


def mode_of(mode: str) -> str:
    """Return the mode in which pixels of a file's mode are converted: L, RGB or CMYK."""
    if mode in {"1", "L", "LA", "La", "I", "F"} or mode.startswith("I;16"):
        return "L"
    return "CMYK" if mode == "CMYK" else "RGB"


def _conversion(data: bytes, mode: str) -> _Conversion:
    """Return how pixels of this mode are converted by the profile `data`."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        own = _MODES.get(profile.profile.xcolor_space)
        if own is None or (own != mode and (own, mode) != ("RGB", "L")):
            return _Conversion(None, is_certain=False)
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), own, "RGB")
        if own != "CMYK" and len(data) <= _LARGE_PROFILE and _changes_little(transform):
            return _Conversion(None, is_certain=True)
    except (OSError, ImageCms.PyCMSError):
        return _Conversion(None, is_certain=False)
    return _Conversion(transform, is_certain=False)


def _changes_little(transform: ImageCms.ImageCmsTransform) -> bool:
    greys = np.arange(256, dtype=np.uint8)[None]
    usual = np.stack([greys] * 3, 2)
    if transform.input_mode == "L":
        return _difference(transform, greys, usual) <= _SAME_GREYS
    levels = np.linspace(0, 255, _GRID_SIDE).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), 3).reshape(1, -1, 3)
    is_same = _difference(transform, usual, usual) <= _SAME_GREYS
    return is_same and _difference(transform, colours, colours) <= _SAME_COLOURS


def _difference(transform: ImageCms.ImageCmsTransform, colours: NDArray[np.uint8], usual: NDArray[np.uint8]) -> int:
    shown = np.asarray(ImageCms.applyTransform(PIL.Image.fromarray(colours), transform))
    return int(np.abs(shown.astype(np.int16) - usual).max())


def _exponent(info: Mapping[Any, Any]) -> float:
    """Return the product of a PNG's gamma and that of screens; 0 without a gamma, or if a colour space is given, which
    overrides gamma (PNG, third edition, 4.3)."""
    return 0.0 if "srgb" in info else (info.get("gamma") or 0) * _SCREEN_GAMMA
