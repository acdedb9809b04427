"""The pictures in an office file, as pages that OCR can read."""

from tasks.errors import InputError
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import IMAGES
from tasks.inputs.pictures.picture import PicturePages
from tasks.inputs.sniff import sniff
from tasks.inputs.text.html_text import picture_mention
from tasks.inputs.text.pictured_text import mark, unread

_MIN_SIDE = 8
"""Pixels: lines, bullets and spacers are thinner, letters are not."""


class OfficePictures:
    """Each picture once, numbered from 1 in the order in which the file shows them."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self.blob = blob
        self._limits = limits
        self._pages: list[PicturePages] = []
        self._marks: dict[bytes, str] = {}

    def __len__(self) -> int:
        return len(self._pages)

    def __getitem__(self, number: int) -> PicturePages:
        """Raises InputError where there is no picture `number`."""
        if not 1 <= number <= len(self._pages):
            raise self.blob.error(f"has no picture {number}; it has {len(self._pages)}.")
        return self._pages[number - 1]

    def marked(self, data: bytes, name: str, alt: str = "") -> str:
        """What stands for a picture in the text: what its author says of it, and its mark; a mention where it cannot
        be read. `name` is the picture's own within the file."""
        media_type = sniff(data[:64])
        if media_type not in IMAGES:
            kind = media_type.removeprefix("image/") if media_type else name.rpartition(".")[2][:20]
            return " ".join(filter(None, [picture_mention(alt), unread(kind.upper())]))
        if data not in self._marks:
            self._marks[data] = self._mark(data, media_type, name)
        return " ".join(filter(None, [picture_mention(alt), self._marks[data]]))

    def _mark(self, data: bytes, media_type: str, name: str) -> str:
        blob = Blob(data, media_type, f"{self.blob.label}: {name}", self.blob.param)
        try:
            pages = PicturePages(blob, self._limits)
            width, height = pages.size(1)
        except InputError as error:
            return unread(_TOO_LARGE if error.code == "image_too_large" else "damaged")
        if min(width, height) < _MIN_SIDE:
            return ""
        self._pages.append(pages)
        return mark(len(self._pages))


_TOO_LARGE = "above OPENFAZE_MAX_IMAGE_MEGAPIXELS"
