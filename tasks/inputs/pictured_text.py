"""Opens texts with embedded pictures and attached files. The pages of such a text are its pictures and the pages of its
attached files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.blame import is_fault_of_file, refusing
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import IMAGES, TEXTS, sniff
from tasks.inputs.pages import Pages, TextLayer
from tasks.inputs.picture import PicturePages
from tasks.inputs.source import Blob
from tasks.inputs.text.html_text import picture_mention
from tasks.inputs.text.text_file import check_length, mark, read_text, unread_note, without_marks
from tasks.markdown_text import escape_part, plain_form

_TOO_LARGE = "above OPENFAZE_MAX_IMAGE_MEGAPIXELS"
_MIN_SIDE = 8
"""A picture can contain letters only if its sides have at least this many pixels. Lines, bullets and spacers are
smaller."""
_MAX_WARNINGS = 20


Open = Callable[[Blob, MediaLimits], Pages]
Opener = Callable[[str], Open | None]
"""Function that returns the reader of attached files of a media type, or None if such files are not read."""


class EmbeddedPages:
    """The pages within a file, numbered from 1 in order of appearance: its distinct pictures, and the pages of its
    attached files."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self.blob = blob
        self._limits = limits
        self._pages: list[tuple[Pages, int]] = []
        self._marks: dict[bytes, str] = {}
        self.warnings: list[str] = []

    def __len__(self) -> int:
        return len(self._pages)

    def __getitem__(self, number: int) -> tuple[Pages, int]:
        """Return the file that has page `number`, and the page's number there. Raises InputError if there is none."""
        if not 1 <= number <= len(self._pages):
            raise self.blob.error(f"has no page {number}; it has {len(self._pages)}.")
        return self._pages[number - 1]

    def warn(self, what: str) -> None:
        """Warn the caller of `what` was not read in the file. At most _MAX_WARNINGS different ones are kept."""
        warning = f"'{self.blob.label}': {what}."
        if warning not in self.warnings and len(self.warnings) < _MAX_WARNINGS:
            self.warnings.append(warning)

    @contextmanager
    def leaving_out(self, part: str) -> Iterator[None]:
        """Leave out a part of the file that cannot be read, and warn of it, if a library fails in the block."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # libraries raise many types of exceptions for malformed parts
            if not is_fault_of_file(error):
                raise
            self.warn(f"{part} could not be read in full")

    def marked(self, data: bytes, name: str, alt: str = "") -> str:
        """Return the text that stands for a picture: its description and mark, or a note if the picture cannot be read.
        `name` identifies the picture within the file."""
        media_type = sniff(data[:64])
        if media_type not in IMAGES:
            kind = media_type.removeprefix("image/") if media_type else name.rpartition(".")[2][:20]
            note = self.unread(escape_part(kind.upper(), begins=False))
            return " ".join(filter(None, [picture_mention(alt), note]))
        if data not in self._marks:
            self._marks[data] = self._mark(data, media_type, name)
        return " ".join(filter(None, [picture_mention(alt), self._marks[data]]))

    def _mark(self, data: bytes, media_type: str, name: str) -> str:
        blob = Blob(data, media_type, f"{self.blob.label}: {name}", self.blob.param)
        try:
            pages = PicturePages(blob, self._limits)
            width, height = pages.size(1)
        except InputError as error:
            return self.unread(_TOO_LARGE if error.code == "image_too_large" else "damaged")
        if min(width, height) < _MIN_SIDE:
            return ""
        return self.marked_file(pages)

    def unread(self, why: str) -> str:
        """Return the note for a picture that cannot be read, and warn of it."""
        self.warn(f"a picture was not read: {plain_form(why)}")
        return unread_note(why)

    def attached(self, blob: Blob, open_file: Open | None) -> str:
        """Return the text of an attached file with the marks of its pages, or a note if it is not read. Files without a
        reader are read if they are texts."""
        try:
            if open_file is not None:
                return self.marked_file(open_file(blob, self._limits))
            if blob.media_type in TEXTS:
                return escape_part(read_text(blob, self._limits).strip(), begins=True)
        except InputError as error:
            return self.unread_file(blob, str(error.code))
        return self.unread_file(blob, blob.media_type)

    def unread_file(self, blob: Blob, why: str) -> str:
        """Return the note for an attached file that is not read, and warn of it."""
        name = blob.label.removeprefix(f"{self.blob.label}: ")
        self.warn(f"the attached file '{name}' was not read: {why}")
        return f"[attachment not read: {why}]"

    def marked_file(self, pages: Pages) -> str:
        """Return the text that stands for an attached file: its own text, if any, with the marks of its pages."""
        self.warnings += pages.warnings[: _MAX_WARNINGS - len(self.warnings)]
        marks = {index: self._marked_page(pages, index) for index in range(1, pages.total + 1)}
        if pages.text is None:
            return "\n\n".join(marks.values())
        pieces, end = [], 0
        for place in pages.places:
            pieces += [pages.text[end : place.offset], marks[place.number]]
            end = place.offset
        return "".join([*pieces, pages.text[end:]])

    def _marked_page(self, pages: Pages, number: int) -> str:
        self._pages.append((pages, number))
        return mark(len(self._pages))

    def close(self) -> None:
        for pages in {id(pages): pages for pages, _ in self._pages}.values():
            pages.close()


class PicturedText(Pages):
    """A text whose pages are the pictures in it and the pages of its attached files."""

    kind = "text"

    def __init__(self, blob: Blob, limits: MediaLimits, convert: Callable[[EmbeddedPages], str]) -> None:
        """Convert the file. Raises what `convert` raises, InputError for a malformed file, and InputTooLarge above
        `limits.text_chars`."""
        self._pages = EmbeddedPages(blob, limits)
        try:
            with refusing(blob.error(f"cannot be read as {blob.media_type}: it is damaged or incomplete.")):
                self.text, self.places = without_marks(convert(self._pages))
                check_length(len(plain_form(self.text)), blob, limits)
        except Exception:
            self._pages.close()
            raise
        self.total = len(self._pages)
        self.warnings = tuple(self._pages.warnings)

    def size(self, number: int) -> tuple[int, int]:
        pages, own = self._pages[number]
        return pages.size(own)

    def text_layer(self, number: int) -> TextLayer:
        pages, own = self._pages[number]
        return pages.text_layer(own)

    def picture(self, number: int) -> Image:
        pages, own = self._pages[number]
        return pages.picture(own)

    def close(self) -> None:
        self._pages.close()
