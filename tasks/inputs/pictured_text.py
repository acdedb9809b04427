"""Texts with embedded pictures, which are the pages to look at."""

from collections.abc import Callable

from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.blame import is_fault_of_file
from tasks.inputs.document import Pages, TextLayer
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import IMAGES, sniff
from tasks.inputs.picture import PicturePages
from tasks.inputs.source import Blob
from tasks.inputs.text.html_text import picture_mention
from tasks.inputs.text.text_file import check_length, mark, unread, without_marks

_TOO_LARGE = "above OPENFAZE_MAX_IMAGE_MEGAPIXELS"
_MIN_SIDE = 8
"""Shortest side in pixels of a picture that can hold letters; lines, bullets and spacers are smaller."""


class EmbeddedPictures:
    """The distinct pictures of a file, numbered from 1 in order of appearance."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self.blob = blob
        self._limits = limits
        self._pages: list[PicturePages] = []
        self._marks: dict[bytes, str] = {}

    def __len__(self) -> int:
        return len(self._pages)

    def __getitem__(self, number: int) -> PicturePages:
        """Return picture `number`. Raises InputError if there is none."""
        if not 1 <= number <= len(self._pages):
            raise self.blob.error(f"has no picture {number}; it has {len(self._pages)}.")
        return self._pages[number - 1]

    def marked(self, data: bytes, name: str, alt: str = "") -> str:
        """Return the text that stands for a picture: its description and mark, or a note if it cannot be read. `name`
        identifies the picture within the file."""
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


class PicturedText(Pages):
    """A text whose pages are the pictures in it."""

    kind = "text"

    def __init__(self, blob: Blob, limits: MediaLimits, convert: Callable[[EmbeddedPictures], str]) -> None:
        """Convert the file. Raises what `convert` raises, InputError for a malformed file, and InputTooLarge above
        `limits.text_chars`."""
        self._pictures = EmbeddedPictures(blob, limits)
        try:
            marked = convert(self._pictures)
        except InputError:
            raise
        except Exception as error:  # libraries raise whatever malformed parts lead to
            if not is_fault_of_file(error):
                raise
            raise blob.error(f"cannot be read as {blob.media_type}: it is damaged or incomplete.") from error
        self.text, self.places = without_marks(marked)
        self.total = len(self._pictures)
        check_length(self.text, blob, limits)

    def size(self, number: int) -> tuple[int, int]:
        return self._pictures[number].size(1)

    def text_layer(self, number: int) -> TextLayer:
        return self._pictures[number].text_layer(1)

    def picture(self, number: int) -> Image:
        return self._pictures[number].picture(1)

    def close(self) -> None:
        """Release nothing: only the bytes of the pictures are kept."""
