"""The colours that a screen shows for the pixels of a picture."""

import io
import struct

import numpy as np
import PIL.Image

from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import sniff
from tasks.inputs.picture import PicturePages
from tasks.inputs.source import Blob
from tests.conftest import each_case

GREY = 120
SCREEN = ((0.436, 0.222, 0.014), (0.385, 0.717, 0.097), (0.143, 0.061, 0.714))
"""Red, green and blue of sRGB in the connection space of profiles."""


def profile(
    space: bytes, gamma: float, *, padding: int = 0, primaries: tuple[tuple[float, ...], ...] = SCREEN
) -> bytes:
    """Return an ICC profile, version 2, of a screen with this gamma (ICC.1:2001-04)."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(65536 * value)) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(256 * gamma))
    tags = {b"wtpt": xyz(0.9642, 1, 0.8249)}
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for name, values in zip(b"rgb", primaries, strict=True):
            tags[bytes([name]) + b"XYZ"] = xyz(*values)
            tags[bytes([name]) + b"TRC"] = curve
    if padding:
        tags[b"text"] = b"text\0\0\0\0" + bytes(padding)
    place, table, content = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += struct.pack(">4sII", tag, place + len(content), len(data))
        content += data
    size = place + len(content)
    head = struct.pack(">I4s4s4s4s4s12x4s", size, b"\0" * 4, b"\x02\x20\0\0", b"mntr", space, b"XYZ ", b"acsp")
    illuminant = xyz(0.9642, 1, 0.8249)[8:]
    return head + bytes(68 - len(head)) + illuminant + bytes(128 - 80) + table + content


def grey_page(mode: str) -> PIL.Image.Image:
    """Return a white picture whose left half is GREY."""
    picture = PIL.Image.new("L", (64, 32), 255)
    picture.paste(GREY, (0, 0, 32, 32))
    if mode == "I;16":
        return PIL.Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    return picture.convert(mode)


def encoded(picture: PIL.Image.Image, codec: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, codec, **options)
    return buffer.getvalue()


def opened(data: bytes) -> PicturePages:
    return PicturePages(Blob(data, sniff(data) or "", "photo", "p"), MediaLimits())


def left_and_right(data: bytes) -> tuple[int, int]:
    """Return the mean levels of the two halves."""
    picture = opened(data).picture(1)
    return round(picture[8:24, 8:24].mean()), round(picture[8:24, 40:56].mean())


@each_case(
    ("codec", "mode"),
    [("JPEG", "RGB"), *((codec, mode) for codec in ("PNG", "WEBP", "TIFF", "HEIF") for mode in ("RGB", "RGBA"))],
)
def test_a_profile_in_which_letters_are_white_makes_them_white(codec: str, mode: str) -> None:
    lossless = {"lossless": True} if codec == "WEBP" else {}
    left, right = left_and_right(encoded(grey_page(mode), codec, icc_profile=profile(b"RGB ", 0.02), **lossless))
    assert left >= 250
    assert right >= 254


@each_case("mode", ["L", "P", "LA"])
def test_a_colour_profile_counts_for_grey_pictures_and_palettes_too(mode: str) -> None:
    assert left_and_right(encoded(grey_page(mode), "PNG", icc_profile=profile(b"RGB ", 0.02)))[0] >= 250
