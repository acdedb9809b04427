"""What the `ocr` task answers. The order of the keys is part of the contract.

Dictionaries and not classes because a page has hundreds of words: built and serialised, they take a third of the
time of dataclasses.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NotRequired

from typing_extensions import TypedDict

from models.safety.personal_data import PersonalDataSpan
from models.vision.text import Quad, Ruling, TextLine, Word
from tasks.layout.cells import Table
from tasks.layout.lines import in_reading_order
from tasks.layout.markdown import Block, blocks_of, gfm, text_of
from tasks.layout.tables import join, tables_on
from tasks.redaction import Redactor, replaced
from tasks.result import CORNERS, Bounds, Result, ResultLine, SourceLine, bounds_of, lines_below, pieces_under, texts_in
from tasks.wording.page_range import PLAIN, Form


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


class OcrCell(TypedDict):
    text: str
    """Its lines, joined by a space."""
    bounds: Bounds
    """All its room."""
    row_span: int
    col_span: int
    confidence: float
    """The mean of its words'; 1.0 where it is empty."""
    page: NotRequired[int]
    """Where it stands, if not on the page of its table."""


class OcrTable(TypedDict):
    page: NotRequired[int]
    bounds: Bounds
    """On its page, the first that it stands on."""
    rows: list[list[OcrCell]]
    """In each the cells that begin there, from left to right."""
    markdown: str


class OcrExtras(TypedDict):
    """What is there where it was asked for."""

    tables: NotRequired[list[OcrTable]]
    markdown: NotRequired[str]


class OcrSection(OcrExtras):
    """The one picture, whose tables and Markdown stand beside it."""

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
    """The second at which a video's frame is seen."""


class OcrData(OcrExtras):
    """`tables` and `markdown` of a picture, and of what has no pages."""

    extracted_text: str
    """The sections and text files, joined by blank lines. What a video shows over several frames is there once."""
    sections: Sequence[OcrSection]
    width: int | None
    """Pixels of the picture or of the first page in `sections`; None where there is only text."""
    height: int | None
    total_pages: NotRequired[int]
    """Pages there are, whether they were asked for or not; absent for a picture or a text."""


@dataclass(frozen=True)
class OcrResult(Result[OcrData]):
    rulings: Sequence[Sequence[Ruling]] = ()
    """The lines that are ruled on each section."""
    form: Form = PLAIN
    """What its data tell beside the lines."""

    def in_form(self, form: Form) -> "OcrResult":
        """The same with tables and Markdown in its data, where `form` asks for them."""
        if not form:
            return self
        sections = []
        for number in range(len(self._lines)):
            own: OcrExtras = {}
            if form.tables:
                own["tables"] = [self._told(table, number) for table in self._tables[number] if not table.continued]
            if form.markdown:
                own["markdown"] = text_of(self._blocks(number))
            sections.append(own)
        if sections and "page" not in self.data["sections"][0]:
            return OcrResult({**self.data, **sections[0]}, self.rulings, form)
        data: OcrData = {
            **self.data,
            "sections": [{**section, **own} for section, own in zip(self.data["sections"], sections, strict=True)],
        }
        if not sections:
            data |= {"tables": []} if form.tables else {}
            data |= {"markdown": self.text()} if form.markdown else {}
        return OcrResult(data, self.rulings, form)

    @cached_property
    def _lines(self) -> list[list[TextLine]]:
        """Those of each section; words of its tables are known by which of them they are."""
        return [[_text_line(line) for line in section["lines"]] for section in self.data["sections"]]

    @cached_property
    def _tables(self) -> list[list[Table]]:
        rulings = self.rulings or [()] * len(self._lines)
        found = [tables_on(lines, ruled) for lines, ruled in zip(self._lines, rulings, strict=True)]
        numbers = [_place(section).get("page", 1) for section in self.data["sections"]]
        join(found, numbers, [len(lines) for lines in self._lines])
        return found

    def _told(self, table: Table, number: int) -> OcrTable:
        rows: list[list[OcrCell]] = [[] for _ in range(table.rows)]
        for cell in table.cells:
            here = number + cell.pages_on
            found: OcrCell = {
                "text": cell.text,
                "bounds": bounds_of(cell.quad, *self._size(here)),
                "row_span": cell.row_span,
                "col_span": cell.col_span,
                "confidence": round(cell.confidence, 2),
            }
            if cell.pages_on:
                found["page"] = _place(self.data["sections"][here])["page"]
            rows[cell.row].append(found)
        bounds, markdown = bounds_of(table.quad, *self._size(number)), "\n".join(gfm(table))
        page = _place(self.data["sections"][number]).get("page")
        if page is None:
            return {"bounds": bounds, "rows": rows, "markdown": markdown}
        return {"page": page, "bounds": bounds, "rows": rows, "markdown": markdown}

    def _size(self, number: int) -> tuple[int, int]:
        section: Mapping[str, Any] = {**self.data, **self.data["sections"][number]}
        return section["width"], section["height"]

    def _blocks(self, number: int) -> list[Block]:
        return blocks_of(self._lines[number], self._tables[number])

    def kept(self) -> Any:
        return [self.data, self.rulings, [self.form.tables, self.form.markdown, self.form.is_read]]

    @classmethod
    def restored(cls, kept: Any) -> "OcrResult":
        """From what `kept` gave, as JSON."""
        data, rulings, form = kept
        ruled = [[((ax, ay), (bx, by)) for (ax, ay), (bx, by) in section] for section in rulings]
        return cls(data, ruled, Form(*form))

    def text(self) -> str:
        return self.data["extracted_text"]

    def _pieces(self) -> Iterator[ResultLine]:
        if self.unplaced_text():
            # Where the pictures of a text stand in it, only the whole tells.
            yield from pieces_under("", self.text())
            return
        for number, section in enumerate(self.data["sections"]):
            place = _place(section)
            heading = f"[page {place['page']}]" if "page" in place else ""
            if "timestamp" in place:
                heading = f"[video at {place['timestamp'][0]} s]"
            for index, block in enumerate(self._blocks(number)):
                first, *others = block.lines
                # A blank line between two blocks.
                yield ResultLine(f"\n{first}" if index else first, heading)
                yield from [ResultLine(line, heading) for line in others]

    def passages(self) -> Iterator[list[SourceLine]]:
        """A page each, and then what stands on none."""
        for number, section in enumerate(self.data["sections"]):
            place = _place(section)
            yield [
                SourceLine(
                    tuple([word["text"] for word in line["words"]]),
                    f"/sections/{number}/lines/{index}",
                    place,
                    tuple([word["bounds"] for word in line["words"]]),
                    tuple([word["confidence"] for word in line["words"]]),
                )
                for index, line in enumerate(section["lines"])
            ]
        yield list(lines_below(self.unplaced_text(), "/extracted_text"))

    def said(self) -> Iterator[str]:
        return texts_in(self.data, frozenset({"sections", "tables", "markdown"}))

    def mapped(self, redactor: Redactor) -> "OcrResult":
        """Words that a placeholder stands for are one word, where they stood."""
        apart = Redactor()  # The sections say the same.
        sections = [_redacted(section, apart) for section in self.data["sections"]]
        data: OcrData = {**self.data, "extracted_text": redactor.text(self.text()), "sections": sections}
        return OcrResult(data, self.rulings).in_form(self.form)

    def unplaced_text(self) -> str:
        """The part of the text that has no lines: what came from text files, and Word's and the like."""
        text = self.text()
        before = None
        kept: list[str] = []
        done = 0
        for section in self.data["sections"]:
            written = section["text"]
            # What a video shows unchanged over several frames is in the text once.
            if written and ("timestamp" not in section or written != before):
                # Sections are in the text in their order: each is looked for after the one before it.
                at = _whole_lines(text, written, done)
                if at >= 0:
                    kept.append(text[done:at])
                    done = at + len(written)
            before = written
        return "".join([*kept, text[done:]]).strip()


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


def picture_result(section: PageSection, rulings: Sequence[Ruling] = ()) -> OcrResult:
    """The result for a picture that came alone, with the lines that are ruled on it."""
    return OcrResult(
        {
            "extracted_text": section["text"],
            "sections": [{"text": section["text"], "lines": section["lines"]}],
            "width": section["width"],
            "height": section["height"],
        },
        (rulings,),
    )


def document_result(
    texts: Iterable[str],
    sections: Sequence[PageSection],
    total_pages: int,
    rulings: Sequence[Sequence[Ruling]] = (),
) -> OcrResult:
    """The result for a document of `total_pages` pages, `sections` of which were read, with the lines that are ruled on
    each; none has only text."""
    data: OcrData = {
        "extracted_text": "\n\n".join(filter(None, texts)),
        "sections": sections,
        "width": sections[0]["width"] if sections else None,
        "height": sections[0]["height"] if sections else None,
    }
    if total_pages:
        data["total_pages"] = total_pages
    return OcrResult(data, rulings)


def _text_line(line: OcrLine) -> TextLine:
    words = [Word(word["text"], _quad(word["bounds"]), word["confidence"]) for word in line["words"]]
    return TextLine(tuple(words), _quad(line["bounds"]))


def _quad(bounds: Bounds) -> Quad:
    a, b, c, d = [(float(bounds[name]["x"]), float(bounds[name]["y"])) for name in CORNERS]
    return a, b, c, d


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


def _place(section: Mapping[str, Any]) -> dict[str, Any]:
    """What of its place holds for all its lines."""
    place: dict[str, Any] = {"page": section["page"]} if "page" in section else {}
    if "timestamp" in section:
        place["timestamp"] = (section["timestamp"], section["timestamp"])
    return place


def _whole_lines(text: str, lines: str, start: int) -> int:
    """Where `lines` stand in `text` from `start` on, as whole lines: a picture that says "5" is no part of a document's
    "1500". −1 where they do not."""
    while (at := text.find(lines, start)) >= 0:
        end = at + len(lines)
        if (at == 0 or text[at - 1] == "\n") and (end == len(text) or text[end] == "\n"):
            return at
        start = text.find("\n", at) + 1
        if not start:
            break
    return -1


def _redacted(section: OcrSection, redactor: Redactor) -> OcrSection:
    spans = redactor.spans(section["text"])
    if not spans:
        return section
    lines = []
    end = -1
    for line in section["lines"]:
        start = end + 1
        end = start + len(line["text"])
        here = [
            PersonalDataSpan(span.start - start, span.end - start, span.kind)
            for span in spans
            if start <= span.start < end
        ]
        lines.append(_redacted_line(line, here) if here else line)
    return {**section, "text": "\n".join([line["text"] for line in lines]), "lines": lines}


def _redacted_line(line: OcrLine, spans: Sequence[PersonalDataSpan]) -> OcrLine:
    """The words that a placeholder stands for become one word, together with what adjoins it: `Tel:[PHONE],`."""
    words = line["words"]
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word["text"]) + 1)
    # Each word and the next are one where something covers the space between them.
    breaks = [at for at in range(1, len(words)) if not any(one.start < starts[at] - 1 < one.end for one in spans)]
    merged = []
    for first, last in pairwise([0, *breaks, len(words)]):
        start, end = starts[first], starts[last] - 1
        here = [
            PersonalDataSpan(one.start - start, one.end - start, one.kind) for one in spans if start <= one.start < end
        ]
        merged.append(_merged(words[first:last], here) if here else words[first])
    return {
        **line,
        "text": " ".join([word["text"] for word in merged]),
        "average_confidence": round(sum([word["confidence"] for word in merged]) / len(merged), 2),
        "words": merged,
    }


def _merged(words: Sequence[OcrWord], spans: Sequence[PersonalDataSpan]) -> OcrWord:
    """One word for several, with their place and their mean confidence."""
    text = replaced(" ".join([word["text"] for word in words]), spans)
    confidence = round(sum([word["confidence"] for word in words]) / len(words), 2)
    return {
        **words[0],
        "text": text,
        "bounds": _around(words[0]["bounds"], words[-1]["bounds"]),
        "confidence": confidence,
    }


def _around(first: Bounds, last: Bounds) -> Bounds:
    """The quadrilateral from one word to another of its line."""
    if first is last:
        return first
    corners = (first["top_left"], last["top_right"], last["bottom_right"], first["bottom_left"])
    a, b, c, d = [(float(corner["x"]), float(corner["y"])) for corner in corners]
    edge = max(max(x, y) for x, y in (a, b, c, d))
    return bounds_of((a, b, c, d), int(edge), int(edge))
