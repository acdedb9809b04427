"""Reads picture files with Pillow. Each frame of a TIFF is a page; files of other types have one page, the frame with
which Pillow opens them. Pages are upright, in RGB."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
from numpy.typing import NDArray
from PIL import ImageChops, ImageStat
from PIL.Image import Transpose
from PIL.PngImagePlugin import PngImageFile

from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.blame import refusing
from tasks.inputs.limits import MediaLimits
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
_NEW_SUBFILE_TYPE = 254
_REDUCED = 1
"""Bit of NewSubfileType for a directory that is only a smaller copy of another one, and thus not a page (TIFF 6.0, page
36)."""
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
_DEPTHS = (255, 1023, 4095, 65535)
"""White values of 8, 10, 12 and 16 bits, all of which are stored in 16 bits."""


class PicturePages(Pages):
    """The frames of one picture file. Calls from several threads are safe.

    The constructor raises InputError if the header cannot be read, or for too many pixels or frames.
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
            size = upright_size(frame)
            picture = upright_rgb(frame)
            # Boxes are measured in the picture, and told with the size.
            if picture.shape[1::-1] != size:
                raise self._damaged(number)
            return picture

    def close(self) -> None:
        """Do nothing, because nothing but the bytes is kept between calls."""

    @contextmanager
    def _frame(self, number: int) -> Iterator[PIL.Image.Image]:
        self._check_number(number)
        # The file is opened again, because Pillow keeps decoded pixels as long as it is open.
        with self._reading(number), self._opened() as image:
            image.seek(self._frames[number - 1])
            self._check_pixels(image, number)
            yield image

    def _opened(self) -> PIL.Image.Image:
        formats = IMAGES[self._blob.media_type]
        if "HEIF" in formats:
            # Imported late, because the library is large and few processes see such a picture.
            import pillow_heif

            pillow_heif.register_heif_opener()
        return PIL.Image.open(io.BytesIO(self._blob.data), formats=formats)

    def _reading(self, number: int) -> AbstractContextManager[None]:
        return refusing(self._damaged(number))

    def _damaged(self, number: int) -> InputError:
        return self._blob.error(f"cannot be decoded as a picture{_page_suffix(number)}: it is damaged or incomplete.")

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

    def _check_pixels(self, image: PIL.Image.Image, number: int) -> None:
        self._blob.check_pixels(*image.size, self._limits.image_pixels, has="is", where=_page_suffix(number))


def _page_suffix(number: int) -> str:
    return f" at page {number}" if number > 1 else ""


def upright_size(frame: PIL.Image.Image) -> tuple[int, int]:
    """Return width and height after applying the EXIF orientation, from the header alone."""
    width, height = frame.size
    # Pillow itself turns a TIFF, and reports its size accordingly.
    sideways = frame.format != "TIFF" and _orientation(frame) in _SIDEWAYS
    return (height, width) if sideways else (width, height)


def _orientation(frame: PIL.Image.Image) -> int:
    """Return the EXIF orientation that precedes the pixels. For others, Pillow would decode a PNG."""
    exif = PIL.Image.Image.getexif(frame) if isinstance(frame, PngImageFile) else frame.getexif()
    return int(exif.get(_ORIENTATION, 1))


def upright_rgb(frame: PIL.Image.Image) -> Image:
    """Decode `frame` with the orientation applied. Transparent parts become white, or black if the visible part is
    light."""
    turn = None if frame.format == "TIFF" else _TURNS.get(_orientation(frame))
    frame.load()
    if turn is not None:
        frame = frame.transpose(turn)
    return np.ascontiguousarray(np.asarray(_convert_to_rgb(frame), dtype=np.uint8))


def _convert_to_rgb(frame: PIL.Image.Image) -> PIL.Image.Image:
    if frame.mode in {"I", "F"} or frame.mode.startswith("I;16"):
        return PIL.Image.fromarray(_scale_to_eight_bits(np.asarray(frame))).convert("RGB")
    if frame.mode in {"La", "RGBa"}:
        frame = frame.convert({"La": "LA", "RGBa": "RGBA"}[frame.mode])
    if not frame.has_transparency_data:
        return frame.convert("RGB")
    frame = frame.convert("RGBA")
    paper = PIL.Image.new("RGBA", frame.size, "black" if _is_light(frame) else "white")
    return PIL.Image.alpha_composite(paper, frame).convert("RGB")


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
