"""Defines the pages of an opened file, and the properties that are known once the file is open.

Decode processes import this module. It therefore imports neither the event loop nor anything that logs.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.vision.text import Image, Quad, Ruling, TextLine
from tasks.inputs.printed_codes import PrintedCode, find_codes
from tasks.inputs.text.text_file import PicturePlace

Kind = Literal["image", "paged", "text", "video"]


@dataclass(frozen=True, slots=True)
class PdfField:
    """The place of an interactive form's field. Its state and its text are known, whatever is drawn there."""

    quad: Quad
    is_ticked: bool | None = None
    """State of a check box or a radio button; None for other fields."""
    is_read: bool = False
    """True if all text in this place is in the text layer, or none is there."""


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The text that a page contains as characters, with places in pixels of the page's picture. Confidences are 1.0."""

    lines: tuple[TextLine, ...] = ()
    """Lines of text in no particular order."""
    complete: bool = False
    """False if the page shows, or may show, text that is not in `lines`, so that OCR has to read the page as well."""
    rulings: tuple[Ruling, ...] = ()
    """Straight lines that the file draws. If the layer is not complete, this is empty, and rulings are searched for in
    the picture."""
    has_drawings: bool = True
    """False if the page shows nothing but text, so that no code is printed on it."""
    fields: tuple[PdfField, ...] = ()
    unread: tuple[Quad, ...] | None = None
    """Places of the page that may show text which is not in `lines`, if the layer is not complete: OCR adds words only
    there. None: the whole page."""
    if_confirmed: "TextLayer | None" = None
    """The layer that holds instead if OCR reads its further words alike. The file does not say, or seems to say
    wrongly, which characters these are."""


@dataclass(frozen=True, slots=True)
class DocumentContents:
    """The properties of a document that are known once it is open."""

    kind: Kind
    total: int
    """Number of pages."""
    text: str | None
    """Whole text of a text-like file, in which characters that would be markup are marked."""
    times: tuple[float, ...] = ()
    places: tuple[PicturePlace, ...] = ()
    warnings: tuple[str, ...] = ()


class Pages(ABC):
    """An opened file. Pages count from 1.

    The constructor is called as `factory(blob, limits)` and raises InputError for a file that cannot be opened. Each
    call raises InputError for a page that is missing or cannot be decoded. Calls only read and may be repeated: after a
    crash the file is opened again in another process, and the call made again.
    """

    kind: Kind
    total: int
    text: str | None = None
    """Whole text of a text-like file, in which characters that would be markup are marked (`ESCAPE`); None for other
    files."""
    times: tuple[float, ...] = ()
    """Time of each page in seconds from the start of a video; empty for other files."""
    places: tuple[PicturePlace, ...] = ()
    """Places, in the text, of the pictures that are the pages of the file."""
    warnings: tuple[str, ...] = ()
    """Sentences for the caller about what of the file was not read."""

    def contents(self) -> DocumentContents:
        return DocumentContents(self.kind, self.total, self.text, self.times, self.places, self.warnings)

    @abstractmethod
    def size(self, number: int) -> tuple[int, int]:
        """Return width and height of the upright page in pixels, without decoding it."""

    @abstractmethod
    def text_layer(self, number: int) -> TextLayer: ...

    def size_and_text(self, number: int) -> tuple[tuple[int, int], TextLayer]:
        """Return both size and text layer in one call, because each call may cross to another process."""
        return self.size(number), self.text_layer(number)

    @abstractmethod
    def picture(self, number: int) -> Image: ...

    def codes(self, number: int) -> Sequence[PrintedCode]:
        """Return the barcodes and two-dimensional codes of a page, with places in pixels of its picture."""
        return find_codes(self.picture(number))

    @abstractmethod
    def close(self) -> None: ...
