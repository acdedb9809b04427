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
from PIL import ImageCms

from tasks.errors import InputError
from tasks.inputs import picture as picture_module
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import sniff
from tasks.inputs.picture import LIGHT_BYTES, PicturePages
from tasks.inputs.readers import IN_THREADS, Heavy
from tasks.inputs.source import Blob
from tests.conftest import each_case
from tests.hostile import jpeg_of_scans

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
    [
        (1, (5, 2)),
        (2, (5, 37)),
        (3, (5, 37)),
        (4, (5, 2)),
        (5, (2, 5)),
        (6, (2, 5)),
        (7, (37, 5)),
        (8, (37, 5)),
    ],
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


def test_an_adobe_jpeg_is_not_inverted() -> None:
    data = encoded(PIL.Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    assert b"Adobe" in data
    assert near(pixels(data)[4, 4], RED, 12)


@pytest.mark.parametrize("byte_order", ["<u2", ">u2"])
def test_sixteen_bit_grey_keeps_its_scale(byte_order: str) -> None:
    ramp = np.linspace(0, 65535, 64).reshape(1, 64).repeat(4, axis=0).astype(byte_order)
    picture = pixels(encoded(PIL.Image.fromarray(ramp), "TIFF"))
    assert np.abs(picture[0, :, 0].astype(int) - np.linspace(0, 255, 64)).max() <= 1


def test_a_sixteen_bit_grey_png_keeps_its_scale() -> None:
    ramp = np.linspace(0, 65535, 64).reshape(1, 64).astype(np.uint16)
    picture = pixels(encoded(PIL.Image.fromarray(ramp), "PNG"))
    assert (picture[0, 0, 0], picture[0, 63, 0]) == (0, 255)


@pytest.mark.parametrize("white", [255, 1023, 4095])
@pytest.mark.parametrize("codec", ["PNG", "TIFF"])
def test_fewer_bits_than_sixteen_span_black_to_white(codec: str, white: int) -> None:
    values = np.array([[0, white // 2, white]], dtype=np.uint16)
    picture = pixels(encoded(PIL.Image.fromarray(values), codec))
    assert picture[0, :, 0].tolist() == [0, 127, 255]


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("i4", 0, 255), ("i4", 0, 65535), ("f4", 0, 1), ("f4", 0, 255), ("f4", -5, 1e6)]
)
def test_32_bit_and_float_grey_spans_black_to_white(kind: str, low: float, high: float) -> None:
    values = np.array([[low, (low + high) / 2, high]], dtype=kind)
    picture = pixels(encoded(PIL.Image.fromarray(values), "TIFF"))
    assert picture[0, 0, 0] == 0
    assert 126 <= picture[0, 1, 0] <= 129
    assert picture[0, 2, 0] == 255


def test_a_float_picture_with_holes_is_read() -> None:
    values = np.array([[0.0, np.nan, 1.0, np.inf]], dtype="f4")
    assert pixels(encoded(PIL.Image.fromarray(values), "TIFF"))[0, 2, 0] == 255


@pytest.mark.parametrize("codec", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_is_on_white(codec: str) -> None:
    picture = PIL.Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 4, 8))
    read = pixels(encoded(picture, codec))
    assert near(read[4, 1], RED, 12)
    assert near(read[4, 7], WHITE)


def test_half_transparent_black_is_grey() -> None:
    assert near(pixels(encoded(PIL.Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG"))[0, 0], (127, 127, 127))


def test_grey_with_alpha_is_on_white() -> None:
    assert near(pixels(encoded(PIL.Image.new("LA", (4, 4), (0, 0)), "PNG"))[0, 0], WHITE)


@pytest.mark.parametrize("colour", ["white", "#fffbd0"])
def test_light_lettering_is_on_black(colour: str) -> None:
    picture = PIL.Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    picture.paste(colour, (0, 0, 2, 8))
    read = pixels(encoded(picture, "PNG"))
    assert read[4, 1].min() > 200
    assert near(read[4, 7], BLACK)


def test_a_light_picture_with_dark_lettering_stays_on_white() -> None:
    picture = PIL.Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    picture.paste("white", (0, 0, 4, 8))
    picture.paste("black", (4, 0, 7, 8))
    assert near(pixels(encoded(picture, "PNG"))[4, 7], WHITE)


def test_a_palette_is_looked_up() -> None:
    assert near(pixels(encoded(half_red().convert("P"), "PNG"))[10, 5], RED)


def test_a_transparent_palette_entry_is_white() -> None:
    picture = PIL.Image.new("P", (4, 4), 1)
    picture.putpalette([255, 0, 0, 0, 0, 0])
    assert near(pixels(encoded(picture, "PNG", transparency=1))[0, 0], WHITE)
    assert near(pixels(encoded(picture, "PNG"))[0, 0], BLACK)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_transparent_colour_is_white(mode: str) -> None:
    transparency = (0, 0, 0) if mode == "RGB" else 0
    assert near(pixels(encoded(PIL.Image.new(mode, (4, 4)), "PNG", transparency=transparency))[0, 0], WHITE)


@pytest.mark.parametrize(("codec", "options"), [("PNG", {}), ("TIFF", {"compression": "group4"}), ("BMP", {})])
def test_one_bit_is_black_and_white(codec: str, options: dict[str, str]) -> None:
    read = pixels(encoded(half_red().convert("1", dither=PIL.Image.Dither.NONE), codec, **options))
    assert near(read[10, 5], BLACK)
    assert near(read[10, 35], WHITE)


def test_lab_is_converted() -> None:
    lab = ImageCms.profileToProfile(
        half_red(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    assert near(pixels(encoded(lab, "TIFF"))[10, 5], RED, 16)


def test_one_pixel_is_enough() -> None:
    assert near(pixels(encoded(PIL.Image.new("RGB", (1, 1), RED), "PNG"))[0, 0], RED)


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


def test_a_thumbnail_in_a_tiff_is_no_page() -> None:
    thumbnail = PIL.Image.new("RGB", (4, 4), "blue")
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}  # type: ignore[attr-defined]
    pages = opened(encoded(half_red(), "TIFF", save_all=True, append_images=[thumbnail]))
    assert pages.total == 1
    assert pages.size(1) == (40, 20)


def test_the_frames_of_a_tiff_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_module, "_MAX_FRAMES", 3)
    frame = PIL.Image.new("RGB", (4, 4), RED)
    assert opened(encoded(frame, "TIFF", save_all=True, append_images=[frame] * 2)).total == 3
    with pytest.raises(InputError, match="'photo' has more than 3 frames"):
        opened(encoded(frame, "TIFF", save_all=True, append_images=[frame] * 3))


@pytest.mark.parametrize("number", [0, -1, 2])
def test_a_page_that_is_not_there_is_refused(number: int) -> None:
    pages = opened(encoded(half_red(), "PNG"))
    for call in (pages.size, pages.text_layer, pages.picture):
        with pytest.raises(InputError, match=f"'photo' has no page {number}; it has 1"):
            call(number)


def test_a_picture_has_no_text_layer() -> None:
    layer = opened(encoded(half_red(), "PNG")).text_layer(1)
    assert layer.lines == ()
    assert not layer.complete


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


def test_the_limit_holds_for_each_page_of_a_tiff() -> None:
    data = encoded(half_red(8, 8), "TIFF", save_all=True, append_images=[half_red(40, 20)])
    pages = opened(data, limits=MediaLimits(image_pixels=100))
    assert pages.picture(1).shape == (8, 8, 3)
    with pytest.raises(InputError, match="at page 2; the limit is"):
        pages.picture(2)


@pytest.mark.deep
@pytest.mark.parametrize("codec", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_a_truncated_file_is_the_clients_error(codec: str, shared: Path) -> None:
    with PIL.Image.open(shared / "samples" / "receipt_000.jpg") as receipt:
        data = encoded(receipt.convert("RGB"), codec)
    with pytest.raises(InputError, match="'photo' cannot be decoded as a picture: it is damaged or incomplete"):
        opened(data[: len(data) // 2]).picture(1)


@pytest.mark.parametrize("cut", [12, 20, 30])
def test_a_file_that_is_hardly_there_is_the_clients_error(cut: int) -> None:
    with pytest.raises(InputError):
        opened(encoded(half_red(), "PNG")[:cut]).picture(1)


def test_the_size_of_a_png_is_told_without_its_pixels() -> None:
    data = encoded(PIL.Image.effect_noise((60, 40), 90), "PNG")
    pages = opened(data[: len(data) // 2])
    assert pages.size(1) == (60, 40)
    with pytest.raises(InputError, match="damaged or incomplete"):
        pages.picture(1)


def test_an_orientation_behind_the_pixels_of_a_png_counts() -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
    plain = encoded(half_red(), "PNG")
    assert pixels(plain[:-12] + chunk + plain[-12:]).shape[:2] == pixels(plain).shape[:2][::-1]


@pytest.mark.parametrize(("width", "height", "side"), [(1, 60_000_000, "height"), (65_536, 1, "width")])
def test_each_side_is_limited_as_well_as_the_area(width: int, height: int, side: str) -> None:
    with pytest.raises(InputError) as caught:
        opened(png_claiming(width, height))
    assert caught.value.code == "image_too_large"
    assert caught.value.message == f"'photo' is {width} x {height} pixels; its {side} may be at most 65535."


def test_the_longest_side_of_a_jpeg_is_read() -> None:
    assert opened(encoded(PIL.Image.new("L", (65_500, 1)), "JPEG")).picture(1).shape == (1, 65_500, 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_rows_that_a_png_lacks_are_no_black_rows(mode: str) -> None:
    """Its zlib stream is whole, and ends early: Pillow would answer black for the rest."""
    picture = half_red(40, 21)
    if mode == "I;16":
        picture = PIL.Image.fromarray(np.full((21, 40), 999, np.uint16))
    data = encoded(picture if mode == "I;16" else picture.convert(mode), "PNG")
    start = data.index(b"IDAT") - 4
    length = int.from_bytes(data[start : start + 4])
    rows = zlib.decompress(data[start + 8 : start + 8 + length])
    for missing in (1, len(rows) // 2):
        short = chunk(b"IDAT", zlib.compress(rows[:-missing]))
        with pytest.raises(InputError, match="damaged or incomplete"):
            opened(data[:start] + short + data[start + 12 + length :]).picture(1)
    assert opened(data).picture(1).shape == (21, 40, 3)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 5), (8, 8), (9, 17), (40, 1), (1, 40)])
def test_an_interlaced_png_is_whole_with_all_rows_of_all_passes_and_not_without(size: tuple[int, int]) -> None:
    # Pillow writes none. Black, every pass is zeros: a filter byte and the pixels of each row.
    width, height = size
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    columns = (len(range(left, width, across)) * len(range(top, height, down)) for left, top, across, down in passes)
    filters = (len(range(top, height, down)) if left < width else 0 for left, top, _, down in passes)
    count = 3 * sum(columns) + sum(filters)
    whole, short = (
        png_claiming(width, height, zlib.compress(bytes(length))).replace(
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)),
        )
        for length in (count, count - 1)
    )
    assert not pixels(whole).any()
    with pytest.raises(InputError, match="damaged or incomplete"):
        opened(short).picture(1)


def test_a_black_png_is_a_black_picture() -> None:
    assert not pixels(encoded(PIL.Image.new("RGB", (40, 20)), "PNG")).any()


@pytest.mark.parametrize(
    "data",
    [
        png_claiming(8000, 8000, zlib.compress(bytes(1000))),
        encoded(PIL.Image.new("L", (16, 16)), "JPEG").replace(b"\0\x10\0\x10\x01", b"\x1f\x40\x1f\x40\x01"),
    ],
    ids=["png", "jpeg"],
)
def test_a_file_too_short_for_its_pixels_is_refused_before_memory_is_taken_for_them(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = list[object]()
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded.append)
    with pytest.raises(InputError, match="damaged or incomplete"):
        opened(data).picture(1)
    assert decoded == []


def test_a_jpeg_of_more_scans_than_an_encoder_makes_is_refused() -> None:
    assert opened(jpeg_of_scans(500)).picture(1).shape == (64, 64, 3)
    with pytest.raises(InputError, match="'photo' has more than 500 scans"):
        opened(jpeg_of_scans(501))


@each_case("piece", [b"\xff\xe5\0\2", b"\xff\xfe\0\2", b"\xff\xff"])
def test_a_jpeg_of_more_segments_than_an_encoder_makes_is_refused(piece: bytes) -> None:
    data = encoded(half_red(), "JPEG")
    assert opened(data[:2] + piece * 1_000 + data[2:]).total == 1
    with pytest.raises(InputError, match="is read in more than 100000 pieces"):
        opened(data[:2] + piece * 100_000 + data[2:])


@pytest.mark.parametrize("kind", [b"IDAT", b"teSt", b"tEXt"])
def test_a_png_of_more_chunks_than_an_encoder_makes_is_refused(kind: bytes) -> None:
    data = encoded(half_red(), "PNG")
    body = b"a\0b" if kind == b"tEXt" else b""
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    end = data.index(b"IEND") - 4
    assert opened(data[:end] + chunk * 1_000 + data[end:]).picture(1).size
    with pytest.raises(InputError, match="is read in more than 100000 pieces"):
        opened(data[:end] + chunk * 100_000 + data[end:]).picture(1)


@pytest.mark.parametrize("codec", ["JPEG", "PNG", "WEBP", "a profile in a PNG", "a PNG with a short profile"])
def test_a_picture_of_more_exif_tags_than_a_camera_writes_is_refused(codec: str) -> None:
    def exif(tags: int) -> bytes:
        entries = b"".join(struct.pack("<HHLL", 1 + tag, 3, 1, 1) for tag in range(tags))
        return b"Exif\0\0II*\0" + struct.pack("<LH", 8, tags) + entries + bytes(4)

    def photo(tags: int) -> PicturePages:
        if codec.startswith("a profile"):
            profile = PIL.PngImagePlugin.PngInfo()
            profile.add_text("Raw profile type exif", f"\nexif\n{len(exif(tags))}\n{exif(tags).hex()}\n", zip=True)
            return opened(encoded(half_red(), "PNG", pnginfo=profile))
        if codec.startswith("a PNG"):  # Pillow does not read the profile
            profile = PIL.PngImagePlugin.PngInfo()
            profile.add_text("Raw profile type exif", f"\nexif\n8\n{exif(1).hex()}\n")
            return opened(encoded(half_red(), "PNG", exif=exif(tags), pnginfo=profile))
        return opened(encoded(half_red(), codec, exif=exif(tags)))

    assert photo(1000).picture(1).shape == (20, 40, 3)
    with pytest.raises(InputError, match="'photo' has more than 1000 EXIF tags"):
        opened(encoded(half_red(), "PNG", exif=b"Exif\0\0" + exif(1001))).picture(1)
    with pytest.raises(InputError, match="'photo' has more than 1000 EXIF tags"):
        photo(1001).picture(1)


def test_a_jpeg_of_more_markers_than_an_encoder_makes_is_refused() -> None:
    with pytest.raises(InputError, match="'photo' has more than 100000 markers"):
        opened(jpeg_of_scans(1)[:-2] + b"\xff\x01" * 100_001 + b"\xff\xda\0\2" * 501)


def test_a_large_picture_is_looked_through_in_a_process() -> None:
    blob = Blob(jpeg_of_scans(1) + bytes(LIGHT_BYTES), "image/jpeg", "photo", "p")
    with pytest.raises(Heavy):
        IN_THREADS["image/jpeg"](blob, MediaLimits(), is_contested=False)


def test_while_keys_compete_fewer_pictures_are_decoded_in_threads() -> None:
    blob = Blob(encoded(PIL.Image.new("RGB", (1600, 1200)), "JPEG"), "image/jpeg", "photo", "p")
    assert IN_THREADS["image/jpeg"](blob, MediaLimits(), is_contested=False).size(1) == (1600, 1200)
    with pytest.raises(Heavy):
        IN_THREADS["image/jpeg"](blob, MediaLimits(), is_contested=True)


def test_what_looks_like_scans_in_metadata_and_behind_the_picture_counts_for_none() -> None:
    data = encoded(half_red(), "JPEG")
    like_scans = b"\xff\xda" * 5000
    comment = b"\xff\xfe" + struct.pack(">H", len(like_scans) + 2) + like_scans
    assert near(pixels(data[:2] + comment + data[2:] + like_scans)[10, 5], RED, 12)


def run_length_bmp() -> bytes:
    """A BMP of 2 x 1 pixels whose rows are runs (BI_RLE8)."""
    pixels = b"\2\0" + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, 2, 1, 1, 8, 1, len(pixels), 0, 0, 0, 0)
    start = 14 + len(header) + 1024
    return struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + header + bytes(1024) + pixels


@pytest.mark.parametrize(
    ("data", "is_light"),
    [
        (encoded(half_red(), "JPEG"), True),
        (encoded(half_red(), "JPEG", progressive=True), True),
        (jpeg_of_scans(17), False),
        (encoded(PIL.Image.new("L", (1000, 1000)), "PNG"), True),
        (encoded(PIL.Image.new("L", (1000, 1001)), "PNG"), False),
        (encoded(half_red(), "PNG") + bytes(4 << 20), False),
        (encoded(half_red(), "BMP"), True),
        (run_length_bmp(), False),
    ],
    ids=[
        "small",
        "progressive",
        "many scans",
        "as many pixels",
        "more pixels",
        "many bytes",
        "plain bmp",
        "run lengths",
    ],
)
def test_a_picture_is_light_by_its_bytes_pixels_and_scans(data: bytes, is_light: bool) -> None:
    assert opened(data).is_light(1_000_000) is is_light


def test_what_follows_the_end_of_a_png_is_not_read() -> None:
    padded = encoded(half_red(), "PNG") + bytes(17 << 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)  # as in processes that decode
        assert near(pixels(padded)[5, 5], RED)
