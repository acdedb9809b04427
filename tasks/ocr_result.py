"""What the `ocr` task answers. The order of the keys is part of the contract.

Dictionaries and not classes because a page has hundreds of words: built and serialised, they take a third of the
time of dataclasses.
"""

from collections.abc import Iterable, Sequence
from typing import NotRequired, TypedDict

from models.vision.text import TextLine, Word
from tasks.bounds import Bounds, bounds_of
from tasks.layout.lines import in_reading_order


class OcrWord(TypedDict):
    text: str
    bounds: Bounds
    confidence: float
    """As the engine measured it, to two decimals; 1.0 for text that the file itself carries."""


class OcrLine(TypedDict):
    text: str
    """All its words, joined by one space."""
    bounds: Bounds
    average_confidence: float
    """The mean of the words' confidences, to two decimals."""
    words: list[OcrWord]


class OcrSection(TypedDict):
    """The one picture."""

    text: str
    """Its lines, joined by line breaks."""
    lines: list[OcrLine]


class PageSection(OcrSection):
    """A page of a document; its size is in pixels."""

    page: int
    """Counts from 1."""
    width: int
    height: int
    timestamp: NotRequired[float]
    """Of a video's frame: the second at which it is seen."""


class OcrResult(TypedDict):
    extracted_text: str
    """The sections and the text files, joined by blank lines. What a video shows unchanged over several frames is there
    once."""
    sections: Sequence[OcrSection]
    width: int | None
    """Pixels of the picture or of the first page in `sections`; None where there is only text."""
    height: int | None
    total_pages: NotRequired[int]
    """Pages there are, whether they were asked for or not; absent for a picture or a text."""


def page_section(
    lines: Sequence[TextLine], page: int, width: int, height: int, timestamp: float | None = None
) -> PageSection:
    """`lines`, in any order, of a page of `width` × `height` pixels, as a section in reading order."""
    ordered = [_line(line, width, height) for line in in_reading_order(lines)]
    text = "\n".join([line["text"] for line in ordered])
    section: PageSection = {"text": text, "lines": ordered, "page": page, "width": width, "height": height}
    if timestamp is not None:
        section["timestamp"] = timestamp
    return section


def picture_result(section: PageSection) -> OcrResult:
    """The result for a picture that came alone."""
    return {
        "extracted_text": section["text"],
        "sections": [{"text": section["text"], "lines": section["lines"]}],
        "width": section["width"],
        "height": section["height"],
    }


def document_result(texts: Iterable[str], sections: Sequence[PageSection], total_pages: int) -> OcrResult:
    """The result for a document of `total_pages` pages, `sections` of which were read; none has only text."""
    result: OcrResult = {
        "extracted_text": "\n\n".join(filter(None, texts)),
        "sections": sections,
        "width": sections[0]["width"] if sections else None,
        "height": sections[0]["height"] if sections else None,
    }
    if total_pages:
        result["total_pages"] = total_pages
    return result


def _line(line: TextLine, width: int, height: int) -> OcrLine:
    return {
        "text": line.text,
        "bounds": bounds_of(line.quad, width, height),
        "average_confidence": round(sum([word.confidence for word in line.words]) / len(line.words), 2),
        "words": [_word(word, width, height) for word in line.words],
    }


def _word(word: Word, width: int, height: int) -> OcrWord:
    return {
        "text": word.text,
        "bounds": bounds_of(word.quad, width, height),
        "confidence": round(word.confidence, 2),
    }
