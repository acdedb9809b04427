"""Picture files through Pillow: a page a frame for TIFF, the first frame of anything else; any mode
becomes upright RGB."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
from numpy.typing import NDArray
from PIL import ImageChops, ImageCms, ImageOps, ImageStat
from PIL.PngImagePlugin import PngImageFile

from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.document import Kind, Pages, TextLayer
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import IMAGES
from tasks.inputs.source import Blob

# Pillow's own guard warns and raises at fixed sizes while a header is read. Ours is a setting and checked below.
PIL.Image.MAX_IMAGE_PIXELS = None

_MAX_FRAMES = 10_000
"""A file of a few megabytes can hold a million empty TIFF directories, each of which costs time to skip."""
_NEW_SUBFILE_TYPE = 254
_REDUCED = 1
"""Bit of NewSubfileType: the directory is a smaller copy of another one (TIFF 6.0, page 36), not a page."""


class PicturePages(Pages):
    """The frames of one picture file. Calls from several threads do not disturb each other.

    Raises InputError when the header cannot be read or claims too many pixels.
    """

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limits = limits
        with self._reading(1), self._opened() as image:
            self._frames = self._pages_of(image)
            self._check_pixels(image, 1)
        self.total = len(self._frames)
        self.kind: Kind = "image" if self.total == 1 else "paged"

    def size(self, number: int) -> tuple[int, int]:
        with self._frame(number) as frame:
            return upright_size(frame)

    def text_layer(self, number: int) -> TextLayer:
        self._check_number(number)
        return TextLayer()

    def picture(self, number: int) -> Image:
        with self._frame(number) as frame:
            return upright_rgb(frame)

    def close(self) -> None:
        """Nothing is held between calls but the bytes."""

    @contextmanager
    def _frame(self, number: int) -> Iterator[PIL.Image.Image]:
        self._check_number(number)
        # Opened anew: Pillow keeps the decoded pixels as long as the file is open.
        with self._reading(number), self._opened() as image:
            image.seek(self._frames[number - 1])
            self._check_pixels(image, number)
            yield image

    def _opened(self) -> PIL.Image.Image:
        formats = IMAGES[self._blob.media_type]
        if "HEIF" in formats:
            # Only here, for it is large, and not every process sees such a picture.
            import pillow_heif

            pillow_heif.register_heif_opener()
        return PIL.Image.open(io.BytesIO(self._blob.data), formats=formats)

    @contextmanager
    def _reading(self, number: int) -> Iterator[None]:
        """Whatever a decoder raises on damaged bytes (Pillow's raise a dozen kinds) is the client's error."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            raise self._blob.error(
                f"cannot be decoded as a picture{_page(number)}: it is damaged or incomplete."
            ) from error

    def _pages_of(self, image: PIL.Image.Image) -> Sequence[int]:
        """Indices of the frames that are pages."""
        if not isinstance(image, PIL.TiffImagePlugin.TiffImageFile):
            return (image.tell(),)
        pages: list[int] = []
        for index in range(_MAX_FRAMES):
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

    def _check_pixels(self, image: PIL.Image.Image, number: int) -> None:
        self._blob.check_pixels(*image.size, self._limits.image_pixels, has="is", where=_page(number))


def _page(number: int) -> str:
    return f" at page {number}" if number > 1 else ""


_ORIENTATION = 0x0112
_SIDEWAYS = {5, 6, 7, 8}
"""EXIF orientations that exchange width and height (EXIF 2.32, 4.6.4)."""
_LIGHT = 200
"""Mean luminance of what is visible above which white paper would not show it."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_METADATA = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
"""Chunks that may hold an orientation."""
_DEPTHS = (255, 1023, 4095, 65535)
"""Whites of 8, 10, 12 and 16 bits, all of which are stored in 16."""


def upright_size(frame: PIL.Image.Image) -> tuple[int, int]:
    """Width and height after the EXIF orientation is applied, from the header alone."""
    width, height = frame.size
    # Pillow turns a TIFF by itself and says its size accordingly.
    sideways = frame.format != "TIFF" and _exif(frame).get(_ORIENTATION) in _SIDEWAYS
    return (height, width) if sideways else (width, height)


def _exif(frame: PIL.Image.Image) -> PIL.Image.Exif:
    """To see what may stand behind a PNG's pixels, Pillow decodes them."""
    if isinstance(frame, PngImageFile) and not _has_metadata_behind_pixels(frame):
        return PIL.Image.Image.getexif(frame)
    return frame.getexif()


def _has_metadata_behind_pixels(frame: PngImageFile) -> bool:
    """Walks over the chunks: length, kind, data and checksum each (ISO 15948, 5.3)."""
    file = frame.fp
    assert file is not None
    place, behind = file.tell(), False
    try:
        file.seek(len(_PNG_SIGNATURE))
        while len(head := file.read(8)) == 8:
            kind = head[4:]
            behind |= kind == b"IDAT"
            if behind and kind in _PNG_METADATA:
                return True
            file.seek(int.from_bytes(head[:4]) + 4, io.SEEK_CUR)
    finally:
        file.seek(place)
    return False


def upright_rgb(frame: PIL.Image.Image) -> Image:
    """Decode `frame`: orientation applied, what is transparent on white, or on black if what is visible is light."""
    frame.load()
    # In place: it would copy what it need not turn.
    ImageOps.exif_transpose(frame, in_place=True)
    return np.ascontiguousarray(np.asarray(_rgb(frame), dtype=np.uint8))


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
        paper = PIL.Image.new("RGBA", frame.size, "black" if _is_light(frame) else "white")
        frame = PIL.Image.alpha_composite(paper, frame)
    return frame.convert("RGB")


def _is_light(frame: PIL.Image.Image) -> bool:
    """Whether what is visible of an RGBA picture is nearly white, on the mean: lettering for a dark background."""
    alpha = frame.getchannel("A")
    seen = ImageChops.multiply(frame.convert("L"), alpha)
    return bool(255 * ImageStat.Stat(seen).sum[0] > _LIGHT * ImageStat.Stat(alpha).sum[0])


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey values of more than 8 bits, on the scale they are most likely meant on.

    Pillow's own conversion clips at 255, which turns most such pictures white. The scale is the smallest of
    `_DEPTHS` that holds the values, and 0 to 1 for floats that fit; else the values' own range.
    """
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        white = next(white for white in _DEPTHS if values.max() <= white)
        grey: NDArray[np.uint8] = (np.arange(65536) * 255 // white).clip(max=255).astype(np.uint8)
        return np.take(grey, values.astype(np.uint16))
    finite = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, high = min(float(finite.min()), 0.0), float(finite.max())
    scales = (1, *_DEPTHS) if values.dtype.kind == "f" else _DEPTHS
    top = next((top for top in scales if high <= top), high)
    return ((finite - low) * (255 / ((top - low) or 1))).clip(0, 255).astype(np.uint8)


def _lab_to_rgb(frame: PIL.Image.Image) -> PIL.Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(frame, lab, srgb, outputMode="RGB")
    if converted is None:
        raise ValueError("the picture's LAB colours cannot be converted")
    return converted
