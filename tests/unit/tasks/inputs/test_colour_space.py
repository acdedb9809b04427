"""The colours that a screen shows for the pixels of a picture."""

import io
import struct
import zlib

import numpy as np
import PIL.Image
from PIL import ImageCms

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


def is_certain(data: bytes) -> bool:
    return opened(data).text_layer(1).is_certain


def with_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return png[:33] + chunk + png[33:]


@each_case(
    ("codec", "mode"),
    [("JPEG", "RGB"), *((codec, mode) for codec in ("PNG", "WEBP", "TIFF", "HEIF") for mode in ("RGB", "RGBA"))],
)
def test_a_profile_in_which_letters_are_white_makes_them_white(codec: str, mode: str) -> None:
    lossless = {"lossless": True} if codec == "WEBP" else {}
    left, right = left_and_right(encoded(grey_page(mode), codec, icc_profile=profile(b"RGB ", 0.02), **lossless))
    assert left >= 250
    assert right >= 254


@each_case("mode", ["L", "LA", "1", "I;16"])
def test_a_grey_profile_counts_for_grey_pictures(mode: str) -> None:
    left, right = left_and_right(encoded(grey_page(mode), "PNG", icc_profile=profile(b"GRAY", 0.02)))
    assert left >= (250 if mode != "1" else 110)
    assert right >= 254


@each_case("mode", ["L", "P", "LA"])
def test_a_colour_profile_counts_for_grey_pictures_and_palettes_too(mode: str) -> None:
    assert left_and_right(encoded(grey_page(mode), "PNG", icc_profile=profile(b"RGB ", 0.02)))[0] >= 250


@each_case(
    "data",
    [
        profile(b"GRAY", 0.02),
        profile(b"RGB ", 2.2),
        b"damaged" * 40,
        profile(b"RGB ", 2.2)[:150],
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
)
def test_profiles_of_other_pictures_damaged_ones_and_usual_ones_change_nothing(data: bytes) -> None:
    assert left_and_right(encoded(grey_page("RGB"), "PNG", icc_profile=data)) == (GREY, 255)


def test_a_profile_may_give_white_to_a_colour() -> None:
    all_red = ((0.93, 0.98, 0.81), (0.02, 0.01, 0.01), (0.0142, 0.01, 0.0049))
    page = PIL.Image.new("RGB", (64, 32), "red")
    shown = opened(encoded(page, "PNG", icc_profile=profile(b"RGB ", 2.2, primaries=all_red))).picture(1)
    assert shown.min() > 240


def test_a_picture_with_a_large_profile_is_not_light() -> None:
    small, large = (
        opened(encoded(grey_page("RGB"), "PNG", icc_profile=profile(b"RGB ", 2.2, padding=padding)))
        for padding in (0, 100_000)
    )
    assert small.is_light(10_000)
    assert not large.is_light(10_000)


def test_a_cmyk_picture_with_a_profile_of_a_screen_is_read_without_it() -> None:
    picture = PIL.Image.new("CMYK", (64, 32), (0, 0, 0, 255))
    assert opened(encoded(picture, "JPEG", icc_profile=profile(b"RGB ", 0.02))).picture(1).max() < 40


@each_case("mode", ["RGB", "RGBA", "L", "P", "1", "I;16"])
def test_a_picture_without_metadata_is_certain(mode: str) -> None:
    assert is_certain(encoded(grey_page(mode), "PNG"))


@each_case("gamma", [1.8, 2.2])
@each_case("codec", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_a_profile_of_a_usual_screen_leaves_a_picture_certain(gamma: float, codec: str) -> None:
    data = encoded(grey_page("RGB"), codec, icc_profile=profile(b"RGB ", gamma))
    assert is_certain(data)
    assert abs(left_and_right(data)[0] - GREY) < 3


@each_case(
    "data",
    [
        profile(b"RGB ", 0.02),
        profile(b"GRAY", 2.2),
        profile(b"RGB ", 2.2, padding=100_000),
        profile(b"RGB ", 2.2)[:150],
        b"damaged" * 40,
    ],
)
@each_case("codec", ["JPEG", "PNG"])
def test_other_profiles_make_a_picture_uncertain(data: bytes, codec: str) -> None:
    assert not is_certain(encoded(grey_page("RGB"), codec, icc_profile=data))


LINEAR = struct.pack(">I", 100_000)
SCREEN_GAMMA = struct.pack(">I", 45_455)
ALL_WHITE = struct.pack(">8I", 31270, 32900, 31300, 32900, 30000, 60000, 15000, 6000)
PROFILE = b"x\0\0" + zlib.compress(profile(b"RGB ", 2.2))


@each_case(
    ("chunks", "certain"),
    [
        ([(b"gAMA", SCREEN_GAMMA)], True),
        ([(b"gAMA", LINEAR)], False),
        ([(b"gAMA", LINEAR), (b"sRGB", b"\0")], True),
        ([(b"gAMA", SCREEN_GAMMA), (b"gAMA", SCREEN_GAMMA)], False),
        ([(b"cHRM", ALL_WHITE), (b"gAMA", SCREEN_GAMMA)], False),
        ([(b"cHRM", ALL_WHITE), (b"sRGB", b"\0")], True),
        ([(b"cICP", bytes([1, 13, 0, 1]))], True),
        ([(b"cICP", bytes([9, 16, 0, 1]))], False),
        ([(b"cICP", bytes([9, 18, 0, 1]))], False),
        ([(b"iCCP", PROFILE)], True),
        ([(b"iCCP", PROFILE), (b"iCCP", PROFILE)], False),
        ([(b"iCCP", PROFILE), (b"cICP", bytes([1, 13, 0, 1]))], False),
    ],
)
def test_a_png_is_certain_if_all_viewers_know_its_colours(chunks: list[tuple[bytes, bytes]], certain: bool) -> None:
    data = encoded(grey_page("RGB"), "PNG")
    for kind, content in chunks:
        data = with_chunk(data, kind, content)
    assert is_certain(data) is certain


@each_case("kind", [b"gAMA", b"iCCP", b"sRGB"])
def test_colours_named_behind_the_pixels_of_a_png_make_it_uncertain(kind: bytes) -> None:
    data = encoded(grey_page("RGB"), "PNG")
    content = {b"gAMA": SCREEN_GAMMA, b"iCCP": PROFILE, b"sRGB": b"\0"}[kind]
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    assert not is_certain(data[:-12] + chunk + data[-12:])


def segment(number: int, of: int, content: bytes) -> bytes:
    """Return a part of a profile in a JPEG (ICC.1:2022, B.4)."""
    return b"\xff\xe2" + struct.pack(">H", len(content) + 16) + b"ICC_PROFILE\0" + bytes([number, of]) + content


@each_case(
    ("numbers", "certain"),
    [([(1, 1)], True), ([(1, 2), (2, 2)], True), ([(2, 2), (1, 2)], False), ([(0, 1)], False), ([(2, 1)], False)],
)
def test_a_jpeg_is_certain_if_the_parts_of_its_profile_are_in_order(
    numbers: list[tuple[int, int]], certain: bool
) -> None:
    data, whole = encoded(grey_page("RGB"), "JPEG"), profile(b"RGB ", 2.2)
    half = len(whole) // 2
    parts = {1: whole[:half], 2: whole[half:]} if len(numbers) == 2 else dict.fromkeys((0, 1, 2), whole)
    profiles = b"".join(segment(number, of, parts[number]) for number, of in numbers)
    assert is_certain(data[:2] + profiles + data[2:]) is certain


def test_a_profile_shortly_before_the_pixels_makes_a_jpeg_uncertain() -> None:
    data = encoded(grey_page("RGB"), "JPEG")
    place = data.index(b"\xff\xda")
    assert not is_certain(data[:place] + segment(1, 1, profile(b"RGB ", 2.2)) + data[place:])


@each_case("codec", ["PNG", "WEBP"])
def test_an_animation_is_uncertain(codec: str) -> None:
    other = PIL.Image.new("RGB", (64, 32), "white")
    assert not is_certain(encoded(grey_page("RGB"), codec, save_all=True, append_images=[other]))
    assert is_certain(encoded(grey_page("RGB"), codec))


def test_a_bmp_with_a_fourth_byte_is_uncertain_where_viewers_disagree() -> None:
    pixels = bytes(4 * 64 * 32)
    head = struct.pack("<IiiHHIIiiII", 124, 64, 32, 1, 32, 0, len(pixels), 0, 0, 0, 0) + bytes(124 - 40)
    masked = struct.pack("<2sIHHI", b"BM", 14 + 124 + len(pixels), 0, 0, 14 + 124) + head + pixels
    assert is_certain(encoded(grey_page("RGB"), "BMP"))
    assert not is_certain(masked)
