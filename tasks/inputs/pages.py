"""The synchronous side of a document: what a thread or a decode process calls."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from models.vision.text import Image, TextLine
from tasks.inputs.text.pictured_text import PicturePlace

Kind = Literal["image", "paged", "text", "video"]


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The text that a page carries as text, in pixels of the page's picture. Confidences are 1.0."""

    lines: tuple[TextLine, ...] = ()
    """In no particular order."""
    complete: bool = False
    """False when the page shows text that is not in `lines`, or may: it has to be read by OCR too."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a document knows of itself once it is open."""

    kind: Kind
    total: int
    """Pages."""
    text: str | None
    times: tuple[float, ...]
    places: tuple[PicturePlace, ...] = ()


class Pages(ABC):
    """An opened file. Pages count from 1.

    Constructed as `factory(blob, limits)`, which raises InputError for a file that cannot be opened. Each call raises
    InputError for a page that is not there or cannot be decoded. Calls are reads that may be repeated: after a crash
    the file is opened anew in another process, and the call made again.
    """

    kind: Kind
    total: int
    text: str | None = None
    """The whole text of a text-like file, None for anything else."""
    times: tuple[float, ...] = ()
    """Seconds from the start of a video at which each page is seen; empty for anything else."""

    places: tuple[PicturePlace, ...] = ()
    """Where in a text the pictures stand that are its pages."""

    def contents(self) -> Contents:
        return Contents(self.kind, self.total, self.text, self.times, self.places)

    @abstractmethod
    def size(self, number: int) -> tuple[int, int]:
        """Width and height in pixels of the upright page. Nothing is decoded."""

    @abstractmethod
    def text_layer(self, number: int) -> TextLayer: ...

    def size_and_text(self, number: int) -> tuple[tuple[int, int], TextLayer]:
        """Both together, in one call of another process."""
        return self.size(number), self.text_layer(number)

    @abstractmethod
    def picture(self, number: int) -> Image: ...

    @abstractmethod
    def close(self) -> None: ...
