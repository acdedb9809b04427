"""Text that holds pictures: office files, and HTML."""

from collections.abc import Callable

from models.vision.text import Image
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.office.pictures import OfficePictures
from tasks.inputs.office.zip_bounds import inflated
from tasks.inputs.pages import Pages, TextLayer
from tasks.inputs.text.pictured_text import without_marks

Converter = Callable[[dict[str, bytes], OfficePictures, MediaLimits], str]
"""From the members of an archive to Markdown, in which the marks of the pictures stand."""


class PicturedText(Pages):
    """A text whose pages are the pictures in it."""

    kind = "text"

    def __init__(self, blob: Blob, limits: MediaLimits, convert: Callable[[OfficePictures], str]) -> None:
        """Raises InputError: as `convert` does, and for a file that it cannot make sense of; InputTooLarge above
        `limits.text_chars`."""
        self._pictures = OfficePictures(blob, limits)
        try:
            marked = convert(self._pictures)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # libraries raise whatever comes of parts that are not as they should be
            raise blob.error(f"cannot be read as {blob.media_type}: it is damaged or incomplete.") from error
        self.text, self.places = without_marks(marked)
        self.total = len(self._pictures)
        if len(self.text) > limits.text_chars:
            raise InputTooLarge(
                f"'{blob.label}' has {len(self.text)} characters; the limit is {limits.text_chars} "
                "(OPENFAZE_MAX_TEXT_CHARS).",
                param=blob.param,
            )

    def size(self, number: int) -> tuple[int, int]:
        return self._pictures[number].size(1)

    def text_layer(self, number: int) -> TextLayer:
        return self._pictures[number].text_layer(1)

    def picture(self, number: int) -> Image:
        return self._pictures[number].picture(1)

    def close(self) -> None:
        """Nothing is held but the bytes of the pictures."""


class OfficeFile(PicturedText):
    """A docx, pptx or xlsx file. Its macros are not looked at.

    Raises InputError: damaged, `encrypted_document`, XML that is not safe; InputTooLarge: it unpacks to too much.
    """

    def __init__(self, blob: Blob, limits: MediaLimits, convert: Converter) -> None:
        members = inflated(blob, limits)
        super().__init__(blob, limits, lambda pictures: convert(members, pictures, limits))
