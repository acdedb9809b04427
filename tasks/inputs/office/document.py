"""Opens office files as Markdown with pictures."""

from tasks.inputs import media_types
from tasks.inputs.limits import MediaLimits
from tasks.inputs.office.bounds import MALFORMED, inflated
from tasks.inputs.pictured_text import EmbeddedPages, PicturedText
from tasks.inputs.source import Blob


class OfficeFile(PicturedText):
    """A docx, pptx or xlsx file. Macros are ignored.

    The constructor raises InputError for a damaged file, `encrypted_document` and unsafe XML, and InputTooLarge for a
    file that unpacks to too much.
    """

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        members = inflated(blob, limits)

        def converted(pictures: EmbeddedPages) -> str:
            for name, data in members.items():
                if data == MALFORMED:
                    pictures.warn(f"its part {name[:100]} is damaged and was not read")
            # The libraries are imported when the first file needs them.
            match blob.media_type:
                case media_types.DOCX:
                    from tasks.inputs.office.docx import docx_to_markdown

                    return docx_to_markdown(members, pictures)
                case media_types.PPTX:
                    from tasks.inputs.office.pptx import pptx_to_markdown

                    return pptx_to_markdown(members, pictures, limits)
                case _:
                    from tasks.inputs.office.xlsx import xlsx_to_markdown

                    return xlsx_to_markdown(members, pictures, limits)

        super().__init__(blob, limits, converted)
