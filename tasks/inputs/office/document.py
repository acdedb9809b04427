"""Opens office files as Markdown with pictures."""

from collections.abc import Callable

from tasks.inputs.limits import MediaLimits
from tasks.inputs.office.bounds import MALFORMED, inflated
from tasks.inputs.pictured_text import EmbeddedPages, PicturedText
from tasks.inputs.source import Blob

Converter = Callable[[dict[str, bytes], EmbeddedPages, MediaLimits], str]
"""Function that converts the members of an archive to Markdown with the marks of the pictures."""


class OfficeFile(PicturedText):
    """A docx, pptx or xlsx file. Macros are ignored.

    The constructor raises InputError for a damaged file, `encrypted_document` and unsafe XML, and InputTooLarge for a
    file that unpacks to too much.
    """

    def __init__(self, blob: Blob, limits: MediaLimits, convert: Converter) -> None:
        members = inflated(blob, limits)

        def converted(pictures: EmbeddedPages) -> str:
            for name, data in members.items():
                if data == MALFORMED:
                    pictures.warn(f"its part {name[:100]} is damaged and was not read")
            return convert(members, pictures, limits)

        super().__init__(blob, limits, converted)
