"""Every kind of picture comes out upright, RGB and of the size that was said before decoding."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pillow_heif
import pytest

from tasks.errors import InputError
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import sniff
from tasks.inputs.picture import PicturePages
from tasks.inputs.source import Blob
from tests.conftest import each_case

pillow_heif.register_heif_opener()  # for the pictures that the tests make

RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)


def encoded(picture: PIL.Image.Image, codec: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, codec, **options)
    return buffer.getvalue()


def opened(data: bytes, *, limits: MediaLimits | None = None) -> PicturePages:
    return PicturePages(Blob(data, sniff(data) or "", "photo", "p"), limits or MediaLimits())


def pixels(data: bytes) -> np.ndarray:
    pages = opened(data)
    picture = pages.picture(1)
    assert picture.dtype == np.uint8
    assert picture.shape == (*pages.size(1)[::-1], 3)
    return picture


def near(value: np.ndarray, colour: tuple[int, int, int], tolerance: int = 6) -> bool:
    return bool(np.abs(value.astype(int) - colour).max() <= tolerance)


def half_red(width: int = 40, height: int = 20) -> PIL.Image.Image:
    """Red left half, white right half."""
    picture = PIL.Image.new("RGB", (width, height), WHITE)
    picture.paste(RED, (0, 0, width // 2, height))
    return picture


@pytest.mark.parametrize("codec", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "HEIF"])
def test_each_format_is_read(codec: str) -> None:
    picture = pixels(encoded(half_red(), codec, quality=95))
    assert near(picture[10, 5], RED, 12)
    assert near(picture[10, 35], WHITE, 12)


@each_case("codec", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
@each_case(
    ("orientation", "red_at"),
    [(1, (5, 2)), (2, (5, 37)), (3, (5, 37)), (4, (5, 2)), (5, (2, 5)), (6, (2, 5)), (7, (37, 5)), (8, (37, 5))],
)
def test_the_exif_orientation_is_applied(codec: str, orientation: int, red_at: tuple[int, int]) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    picture = pixels(encoded(half_red(), codec, exif=exif.tobytes()))
    assert picture.shape[:2] == ((20, 40) if orientation < 5 else (40, 20))
    assert near(picture[red_at], RED, 16)
    assert near(picture[::-1, ::-1][red_at], WHITE, 16)


def test_cmyk_is_converted() -> None:
    picture = PIL.Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert near(pixels(encoded(picture, "TIFF"))[4, 4], RED)


@pytest.mark.parametrize("codec", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_is_on_white(codec: str) -> None:
    picture = PIL.Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 4, 8))
    read = pixels(encoded(picture, codec))
    assert near(read[4, 1], RED, 12)
    assert near(read[4, 7], WHITE)


@pytest.mark.parametrize("colour", ["white", "#fffbd0"])
def test_light_lettering_is_on_black(colour: str) -> None:
    picture = PIL.Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    picture.paste(colour, (0, 0, 2, 8))
    read = pixels(encoded(picture, "PNG"))
    assert read[4, 1].min() > 200
    assert near(read[4, 7], BLACK)


@pytest.mark.parametrize(("codec", "options"), [("PNG", {}), ("TIFF", {"compression": "group4"}), ("BMP", {})])
def test_one_bit_is_black_and_white(codec: str, options: dict[str, str]) -> None:
    read = pixels(encoded(half_red().convert("1", dither=PIL.Image.Dither.NONE), codec, **options))
    assert near(read[10, 5], BLACK)
    assert near(read[10, 35], WHITE)


@pytest.mark.parametrize("codec", ["WEBP", "PNG"])
def test_an_animation_shows_its_first_frame(codec: str) -> None:
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    pages = opened(encoded(frames[0], codec, save_all=True, append_images=frames[1:], duration=100, lossless=True))
    assert pages.total == 1
    assert near(pages.picture(1)[4, 4], RED)


def test_a_tiff_of_several_frames_has_pages_of_their_own_sizes() -> None:
    frames = [PIL.Image.new("RGB", (10 * n, 5), colour) for n, colour in ((1, "red"), (2, "lime"), (3, "blue"))]
    pages = opened(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    assert pages.total == 3
    assert [pages.size(n) for n in (3, 1, 2)] == [(30, 5), (10, 5), (20, 5)]
    assert near(pages.picture(2)[0, 0], (0, 255, 0))
    assert near(pages.picture(1)[0, 0], RED)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int, packed: bytes = b"", *, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG of these pixels according to its header, and of this zlib stream."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_the_pixels_that_a_header_claims_are_limited_before_decoding() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as caught:
            opened(png_claiming(50_000, 50_000))
    assert caught.value.code == "image_too_large"
    assert caught.value.message == (
        "'photo' is 50000 x 50000 pixels (2500 megapixels); the limit is 64 megapixels (OPENFAZE_MAX_IMAGE_MEGAPIXELS)."
    )


@pytest.mark.parametrize("codec", ["JPEG", "WEBP", "BMP", "TIFF", "HEIF"])
def test_the_limit_holds_for_each_format(codec: str) -> None:
    data = encoded(half_red(), codec)
    assert opened(data, limits=MediaLimits(image_pixels=800)).size(1) == (40, 20)
    with pytest.raises(InputError) as caught:
        opened(data, limits=MediaLimits(image_pixels=799))
    assert caught.value.code == "image_too_large"


def test_a_picture_of_another_size_than_its_header_says_is_damaged() -> None:
    # The clean aperture (ISO/IEC 14496-12, 12.1.4) of an odd size, made larger than the picture.
    data = encoded(half_red(39, 19), "HEIF").replace(b"clap\0\0\0", b"clap\0\0\1")
    with pytest.raises(InputError, match="'photo' cannot be decoded as a picture: it is damaged or incomplete"):
        opened(data).picture(1)


@pytest.mark.deep
@pytest.mark.parametrize("codec", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_a_truncated_file_is_the_clients_error(codec: str, shared: Path) -> None:
    with PIL.Image.open(shared / "samples" / "receipt_000.jpg") as receipt:
        data = encoded(receipt.convert("RGB"), codec)
    with pytest.raises(InputError, match="'photo' cannot be decoded as a picture: it is damaged or incomplete"):
        opened(data[: len(data) // 2]).picture(1)
