"""Reads picture files with Pillow. Each frame of a TIFF is a page; files of other types have one page, the frame with
which Pillow opens them. Pages are upright, in RGB."""

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
from numpy.typing import NDArray
from PIL import ImageChops, ImageCms, ImageStat
from PIL.Image import Transpose
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.blame import is_fault_of_file
from tasks.inputs.colour_space import to_srgb
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.media_types import IMAGES
from tasks.inputs.pages import Kind, Pages, TextLayer
from tasks.inputs.source import Blob

# Pillow's own guard warns and raises at fixed sizes while it reads a header. The limit here is a setting, which is
# checked below.
PIL.Image.MAX_IMAGE_PIXELS = None
# Pillow warns of each odd tag, and a file may have thousands.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_MAX_FRAMES = 10_000
"""A file has at most this many frames. A few megabytes can contain a million empty TIFF directories, and skipping each
takes time."""
_MAX_SCANS = 500
"""A JPEG has at most this many scans. Each decodes the whole picture again, and encoders make a dozen."""
_MAX_READS = 100_000
"""Pillow reads a JPEG or PNG in at most this many pieces. It reads three to five pieces per segment or chunk, of which
a few megabytes can contain a million, in a loop of Python that leaves hardly any time to other threads."""
_BYTES_PER_READ = 512
_PNG_END = b"IEND\xaeB`\x82"
"""The type and the checksum of a PNG's last chunk, which is empty (RFC 2083, 4.1.4)."""
_READ_IN_PIECES = ("image/jpeg", "image/png")
_RUN_LENGTHS = (1, 2)
"""Compressions of a BMP that Pillow undoes in Python, byte by byte: BI_RLE8 and BI_RLE4."""
LIGHT_BYTES = 4 * MB
LIGHT_PIXELS = 2_500_000
"""A light picture has at most this many pixels. Pillow decodes a WebP, blends transparency and copies all pixels under
Python's lock, which takes 15 ms. A running process decodes larger pictures at least as fast, but its start takes 0.2 s.
"""
LIGHT_AMONG_KEYS = 1_000_000
"""Pixels of a light picture while keys compete."""
_LIGHT_SCANS = 16
_LIGHT_PROFILE = 8 * 1024
"""Bytes of a colour profile without large tables."""
_BYTES_TO_DECODE = 6
"""Bytes per pixel while decoding, in addition to Pillow's own four: three coefficients of a progressive JPEG, or a
WebP's canvas."""
_NEW_SUBFILE_TYPE = 254
_REDUCED = 1
"""Bit of NewSubfileType for a directory that is only a smaller copy of another one, and thus not a page (TIFF 6.0, page
36)."""
_SCAN = b"\xff\xda"
"""A JPEG's SOS marker. It cannot occur in picture data (ITU-T T.81, B.1.1.5), but it may occur in metadata."""
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""Pattern of a marker, except for stuffed bytes and restarts, which occur within picture data."""
_END = b"\xd9"
_MARKERS_WITHOUT_SEGMENT = (b"\x01", b"\xd8", _END)
"""Markers that no segment follows."""
_INFLATED_AT_MOST = 1032
"""A byte of a zlib stream expands to at most this many bytes (zlib's "Technical Details")."""
_BLOCK = 8
"""Side in pixels of the blocks in a JPEG, each of which takes at least one bit."""
_PNG_HEADER = struct.Struct(">IIBBBBB")
"""Width, height, bits per sample, colour type, compression, filter and interlacing (ISO 15948, 11.2.2)."""
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel, by colour type."""
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row of each pass of an interlaced picture, and its steps (ISO 15948, 8.2)."""
_PIECE = 1 << 20
_APP1 = b"\xff\xe1"
_EXIF = b"Exif\0\0"
_BIG_TIFF = 43
"""Version of TIFF data whose numbers of tags have 64 bits. EXIF has version 42."""
_MAX_EXIF_TAGS = 1000
"""EXIF data have at most this many tags, of which cameras write some twenty. Each takes Pillow 15 microseconds."""
_ORIENTATION = 0x0112
_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
"""Operations that make pictures upright, by EXIF orientation (EXIF 2.32, 4.6.4)."""
_SIDEWAYS = {5, 6, 7, 8}
"""EXIF orientations that exchange width and height (EXIF 2.32, 4.6.4)."""
_LIGHT = 200
"""Mean luminance of the visible part of a picture above which this part would be unreadable on white."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_METADATA = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
"""Chunks that may hold an orientation."""
_DEPTHS = (255, 1023, 4095, 65535)
"""White values of 8, 10, 12 and 16 bits, all of which are stored in 16 bits."""


class _TooManyTags(Exception):
    """Raised for EXIF data of more than `_MAX_EXIF_TAGS` tags."""


class PicturePages(Pages):
    """The frames of one picture file. Calls from several threads are safe.

    The constructor raises InputError if the header cannot be read, or for too many pixels, frames or scans. All methods
    raise it for a file of too many pieces.
    """

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limits = limits
        # A WebP's canvas is allocated before its size is known.
        self._pixels = limits.image_pixels if blob.media_type == "image/webp" else 0
        with self._reading(1):
            if blob.media_type == "image/jpeg":  # Pillow reads the EXIF data when it opens the file
                _check_exif(_exif_of_jpeg(blob.data))
        with self._reading(1), self._opened() as image:
            self._frames = self._pages_of(image)
            self._check_pixels(image, 1)
            self._check_scans(image)
            self._profile_bytes = len(image.info.get("icc_profile") or b"")
            self._pixels = image.width * image.height
            self._is_run_length = image.format == "BMP" and image.info.get("compression") in _RUN_LENGTHS
        self.total = len(self._frames)
        self.kind: Kind = "image" if self.total == 1 else "paged"

    def is_light(self, most_pixels: int) -> bool:
        """True if the picture has at most `most_pixels`, and decoding takes at most a few seconds and about 300 MB,
        even for hostile bytes."""
        return (
            not self._is_run_length
            and len(self._blob.data) <= LIGHT_BYTES
            and self._pixels <= most_pixels
            and self._blob.data.count(_SCAN) <= _LIGHT_SCANS
            and self._profile_bytes <= _LIGHT_PROFILE
        )

    def size(self, number: int) -> tuple[int, int]:
        with self._frame(number) as frame:
            return upright_size(frame)

    def text_layer(self, number: int) -> TextLayer:
        self._check_number(number)
        return TextLayer()

    def picture(self, number: int) -> Image:
        with self._frame(number) as frame:
            frame.load()
            if isinstance(frame, PngImageFile) and _lacks_rows(frame, self._blob.data):
                raise ValueError("the last rows are missing")
            return upright_rgb(frame)

    def close(self) -> None:
        """Do nothing, because nothing but the bytes is kept between calls."""

    @contextmanager
    def _frame(self, number: int) -> Iterator[PIL.Image.Image]:
        self._check_number(number)
        # The file is opened again, because Pillow keeps decoded pixels as long as it is open.
        with self._reading(number), self._opened() as image:
            image.seek(self._frames[number - 1])
            self._check_pixels(image, number)
            self._pixels = max(self._pixels, image.width * image.height)
            if least_bytes(image) > len(self._blob.data):
                raise ValueError("the file is too short for its pixels")
            yield image

    def _opened(self) -> PIL.Image.Image:
        formats = IMAGES[self._blob.media_type]
        if "HEIF" in formats:
            # Imported late, because the library is large and few processes see such a picture.
            import pillow_heif

            pillow_heif.register_heif_opener()
        pieces = self._blob.media_type in _READ_IN_PIECES
        return PIL.Image.open(_PiecesOfFile(self._blob) if pieces else io.BytesIO(self._blob.data), formats=formats)

    @contextmanager
    def _reading(self, number: int) -> Iterator[None]:
        """Turn a decoder's exceptions on damaged bytes, of which Pillow has a dozen types, into InputError."""
        try:
            yield
        except InputError:
            raise
        except _TooManyTags as error:
            raise self._blob.error(f"has more than {_MAX_EXIF_TAGS} EXIF tags.") from error
        except Exception as error:
            if not is_fault_of_file(error):
                raise
            # libjpeg, libtiff and libwebp report missing memory in the same way as damaged bytes. The pixels decoded so
            # far are still allocated. This allocation raises MemoryError if less memory is left than the libraries may
            # need.
            np.empty(self._pixels * _BYTES_TO_DECODE, np.uint8)
            raise self._blob.error(
                f"cannot be decoded as a picture{_page_suffix(number)}: it is damaged or incomplete."
            ) from error

    def _pages_of(self, image: PIL.Image.Image) -> Sequence[int]:
        """Return the indices of the frames that are pages."""
        if not isinstance(image, PIL.TiffImagePlugin.TiffImageFile):
            return (image.tell(),)
        pages: list[int] = []
        for index in range(_MAX_FRAMES + 1):
            try:
                image.seek(index)
            except EOFError:
                image.seek(0)
                return pages or (0,)
            if not image.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED:
                pages.append(index)
        raise self._blob.error(f"has more than {_MAX_FRAMES} frames.")

    def _check_number(self, number: int) -> None:
        if not 1 <= number <= self.total:
            raise self._blob.error(f"has no page {number}; it has {self.total}.")

    def _check_scans(self, image: PIL.Image.Image) -> None:
        data = self._blob.data
        if not isinstance(image, JpegImageFile) or data.count(_SCAN) <= _MAX_SCANS:
            return
        scans = 0
        for number, (marker, _) in enumerate(_markers(data)):
            scans += marker == _SCAN
            if scans > _MAX_SCANS:
                raise self._blob.error(f"has more than {_MAX_SCANS} scans.")
            if number >= _MAX_READS:
                raise self._blob.error(f"has more than {_MAX_READS} markers.")

    def _check_pixels(self, image: PIL.Image.Image, number: int) -> None:
        self._blob.check_pixels(*image.size, self._limits.image_pixels, has="is", where=_page_suffix(number))


class _PiecesOfFile(io.BytesIO):
    """The bytes of a file, which are read in at most `_MAX_READS` pieces, or one for each `_BYTES_PER_READ` bytes if
    these are more. What follows the end of a PNG is left out: Pillow takes zeros there for chunks."""

    def __init__(self, blob: Blob) -> None:
        end = blob.data.find(_PNG_END) if blob.media_type == "image/png" else -1
        super().__init__(blob.data[: end + len(_PNG_END)] if end >= 0 else blob.data)
        self._blob = blob
        self._reads = 0
        self._most_reads = max(_MAX_READS, len(blob.data) // _BYTES_PER_READ)

    def read(self, size: int | None = -1) -> bytes:
        """Read the next piece. Raises InputError."""
        self._reads += 1
        if self._reads > self._most_reads:
            most = self._most_reads
            raise self._blob.error(f"is read in more than {most} pieces: it has too many segments or chunks.")
        return super().read(size)


def _page_suffix(number: int) -> str:
    return f" at page {number}" if number > 1 else ""


def _markers(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the markers of the first picture in a JPEG, and where each of them ends."""
    place = 0
    while (marker := _MARKER.search(data, place)) and marker[1] != _END:
        yield marker[0], marker.end()
        place = marker.end()
        if marker[1] not in _MARKERS_WITHOUT_SEGMENT:
            place += int.from_bytes(data[place : place + 2])


def least_bytes(frame: PIL.Image.Image) -> int:
    """Return a lower bound of the size of a file that contains all pixels of `frame`; 0 if it is neither a PNG nor a
    JPEG. A smaller file is refused before memory is allocated."""
    if isinstance(frame, PngImageFile):
        return frame.width * frame.height // (8 * _INFLATED_AT_MOST)
    if isinstance(frame, JpegImageFile):
        return (frame.width // _BLOCK) * (frame.height // _BLOCK) // 8
    return 0


def _lacks_rows(frame: PngImageFile, data: bytes) -> bool:
    """True if the picture data ended early, so that Pillow left the last rows black.

    The data is decompressed again and counted only if one of the last two rows is black.
    """
    width, height = frame.size
    if all(frame.crop((0, row, width, row + 1)).getbbox(alpha_only=False) for row in range(max(0, height - 2), height)):
        return False
    start = len(_PNG_SIGNATURE) + 8
    _, _, bits, colour, _, _, is_interlaced = _PNG_HEADER.unpack_from(data, start)
    passes = _PASSES if is_interlaced else ((0, 0, 1, 1),)
    expected = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            expected += rows * (1 + -(-columns * bits * _SAMPLES[colour] // 8))
    return _count_inflated(data, expected) < expected


def _count_inflated(data: bytes, limit: int) -> int:
    """Count the bytes of a PNG's picture data, up to `limit`."""
    stream, count, place = zlib.decompressobj(), 0, len(_PNG_SIGNATURE)
    while count < limit and not stream.eof and len(head := data[place : place + 8]) == 8:
        length = int.from_bytes(head[:4])
        packed: bytes = data[place + 8 : place + 8 + length] if head[4:] == b"IDAT" else b""
        place += length + 12
        while packed and count < limit:
            count += len(stream.decompress(packed, _PIECE))
            packed = stream.unconsumed_tail
    return count


def upright_size(frame: PIL.Image.Image) -> tuple[int, int]:
    """Return width and height after applying the EXIF orientation, from the header alone."""
    width, height = frame.size
    # Pillow itself turns a TIFF, and reports its size accordingly.
    sideways = frame.format != "TIFF" and _read_exif(frame).get(_ORIENTATION) in _SIDEWAYS
    return (height, width) if sideways else (width, height)


def _read_exif(frame: PIL.Image.Image) -> PIL.Image.Exif:
    """Return the EXIF data. To find metadata after a PNG's pixels, Pillow would decode them, so a check for such
    metadata comes first. Raises _TooManyTags."""
    _check_exif(_exif_data(frame))
    if isinstance(frame, PngImageFile) and not _has_metadata_behind_pixels(frame):
        return PIL.Image.Image.getexif(frame)
    return frame.getexif()


def _exif_data(frame: PIL.Image.Image) -> bytes:
    """Return the EXIF data that Pillow would read from a file other than a JPEG."""
    found = frame.info.get("exif")
    if found is None and (profile := frame.info.get("Raw profile type exif")):  # as ImageMagick writes it into a PNG
        return bytes.fromhex("".join(profile.split("\n")[3:]))
    return bytes(found or b"")


def _exif_of_jpeg(data: bytes) -> bytes:
    """Return the EXIF data of a JPEG, which Pillow puts together from several segments."""
    found = []
    for marker, place in islice(_markers(data), _MAX_READS):
        if marker == _SCAN:
            break
        segment = data[place + 2 : place + int.from_bytes(data[place : place + 2])]
        if marker == _APP1 and segment.startswith(_EXIF):
            found.append(segment.removeprefix(_EXIF))
    return b"".join(found)


def _check_exif(data: bytes) -> None:
    """Check the number of tags in EXIF data. Pillow reads all of them to find the orientation. Raises _TooManyTags."""
    while data.startswith(_EXIF):
        data = data.removeprefix(_EXIF)
    order = ">" if data.startswith(b"MM") else "<"
    with suppress(struct.error):  # there are no data, or Pillow finds no tags in them, either
        version, place = struct.unpack_from(f"{order}HI", data, 2)
        [tags] = struct.unpack_from(f"{order}H", data, place)
        if tags > _MAX_EXIF_TAGS or version == _BIG_TIFF:
            raise _TooManyTags


def _has_metadata_behind_pixels(frame: PngImageFile) -> bool:
    """True if a PNG has metadata after its pixels that have not been read. Each chunk has a length, kind, data and
    checksum (ISO 15948, 5.3)."""
    file = frame.fp
    if file is None:  # the picture is loaded
        return False
    place, has_pixels = file.tell(), False
    try:
        file.seek(len(_PNG_SIGNATURE))
        while len(head := file.read(8)) == 8:
            kind = head[4:]
            has_pixels |= kind == b"IDAT"
            if has_pixels and kind in _PNG_METADATA:
                return True
            file.seek(int.from_bytes(head[:4]) + 4, io.SEEK_CUR)
    finally:
        file.seek(place)
    return False


def upright_rgb(frame: PIL.Image.Image) -> Image:
    """Decode `frame` with the orientation applied. Transparent parts become white, or black if the visible part is
    light."""
    frame.load()
    if frame.format != "TIFF" and (turn := _TURNS.get(_read_exif(frame).get(_ORIENTATION, 1))) is not None:
        frame = frame.transpose(turn)
    return np.ascontiguousarray(np.asarray(_convert_to_rgb(frame), dtype=np.uint8))


def _convert_to_rgb(frame: PIL.Image.Image) -> PIL.Image.Image:
    profile = frame.info.get("icc_profile")
    if frame.mode in {"I", "F"} or frame.mode.startswith("I;16"):
        return to_srgb(PIL.Image.fromarray(_scale_to_eight_bits(np.asarray(frame))), profile)
    if frame.mode == "LAB":
        return _lab_to_rgb(frame)
    if frame.mode in {"La", "RGBa"}:
        frame = frame.convert({"La": "LA", "RGBa": "RGBA"}[frame.mode])
    if not frame.has_transparency_data:
        return to_srgb(frame, profile)
    frame = frame.convert("RGBA")
    paper = PIL.Image.new("RGBA", frame.size, "black" if _is_light(frame) else "white")
    return to_srgb(PIL.Image.alpha_composite(paper, frame).convert("RGB"), profile)


def _is_light(frame: PIL.Image.Image) -> bool:
    """True if the visible part of an RGBA picture is nearly white on average: lettering for a dark background."""
    alpha = frame.getchannel("A")
    seen = ImageChops.multiply(frame.convert("L"), alpha)
    return bool(255 * ImageStat.Stat(seen).sum[0] > _LIGHT * ImageStat.Stat(alpha).sum[0])


def _scale_to_eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Convert grey values of more than 8 bits by their most likely scale.

    Pillow's own conversion clips at 255, which turns most such pictures white. The scale is the smallest of `_DEPTHS`
    that includes the values, or 0 to 1 for floats that fit, or else the range of the values.
    """
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        white = next(white for white in _DEPTHS if values.max() <= white)
        grey: NDArray[np.uint8] = (np.arange(65536) * 255 // white).clip(max=255).astype(np.uint8)
        return np.take(grey, values.astype(np.uint16))
    finite = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, highest = min(float(finite.min()), 0.0), float(finite.max())
    scales = (1, *_DEPTHS) if values.dtype.kind == "f" else _DEPTHS
    top = next((top for top in scales if highest <= top), highest)
    return ((finite - low) * (255 / ((top - low) or 1))).clip(0, 255).astype(np.uint8)


def _lab_to_rgb(frame: PIL.Image.Image) -> PIL.Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(frame, lab, srgb, outputMode="RGB")
    if converted is None:
        raise ValueError("the picture's LAB colours cannot be converted")
    return converted
