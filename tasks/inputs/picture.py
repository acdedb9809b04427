"""Picture files through Pillow: a page a frame for TIFF, the first frame of anything else."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import PIL.Image
import PIL.TiffImagePlugin

from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.blob import Blob
from tasks.inputs.document import Kind, Pages, TextLayer
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import IMAGES
from tasks.inputs.pixels import upright_rgb, upright_size

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
