"""The result of the `ocr` task. The order of the keys is part of the contract.

The result consists of dictionaries because a page has hundreds of words: building and serialising dataclasses takes
three times as long.
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
    """The engine's confidence, rounded to two decimals; 1.0 for text that the file itself carries."""


class OcrLine(TypedDict):
    text: str
    """The words of the line, joined by spaces."""
    bounds: Bounds
    average_confidence: float
    """Mean confidence of the words, rounded to two decimals."""
    words: list[OcrWord]


class OcrCell(TypedDict):
    text: str
    """The lines of the cell, joined by spaces."""
    bounds: Bounds
    """The whole area of the cell."""
    row_span: int
    col_span: int
    confidence: float
    """Mean confidence of the words; 1.0 for an empty cell."""
    page: NotRequired[int]
    """Page of the cell, if it is not the table's first page."""


class OcrTable(TypedDict):
    page: NotRequired[int]
    bounds: Bounds
    """Area of the table on the first page it stands on."""
    rows: list[list[OcrCell]]
    """Cells that begin in each row, from left to right."""
    markdown: str


class OcrExtras(TypedDict):
    """Parts of a result that are present only on request."""

    tables: NotRequired[list[OcrTable]]
    markdown: NotRequired[str]


class OcrSection(OcrExtras):
    """The text of one picture; tables and Markdown of a single picture stand beside it in the result."""

    text: str
    """The lines of the section, joined by line breaks."""
    lines: list[OcrLine]


class PageSection(OcrSection):
    """The text of one page of a document; the size is in pixels."""

    page: int
    """Page number, counted from 1."""
    width: int
    height: int
    timestamp: NotRequired[float]
    """Time of a video's frame in seconds."""


class OcrData(OcrExtras):
    """The whole result; `tables` and `markdown` are here for a single picture and for texts without pages."""

    extracted_text: str
    """Text of all sections and text files, joined by blank lines. Text that a video shows in several consecutive frames
    appears once."""
    sections: Sequence[OcrSection]
    width: int | None
    """Width in pixels of the picture or of the first page in `sections`; None if there is only text."""
    height: int | None
    total_pages: NotRequired[int]
    """Number of pages in the input, requested or not; absent for a picture or a text."""


@dataclass(frozen=True)
class OcrResult(Result[OcrData]):
    rulings: Sequence[Sequence[Ruling]] = ()
    """Ruled lines of each section."""
    form: Form = PLAIN
    """The optional parts that `data` contains."""

    def in_form(self, form: Form) -> "OcrResult":
        """Return the result with tables and Markdown in its data if `form` asks for them."""
        if not form:
            return self
        sections = []
        for number in range(len(self._lines)):
            own: OcrExtras = {}
            if form.tables:
                own["tables"] = [
                    self._ocr_table(table, number) for table in self._tables[number] if not table.continued
                ]
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
        """Lines of each section. Words are matched to tables by identity, so the lines are built once."""
        return [[_text_line(line) for line in section["lines"]] for section in self.data["sections"]]

    @cached_property
    def _tables(self) -> list[list[Table]]:
        rulings = self.rulings or [()] * len(self._lines)
        found = [tables_on(lines, ruled) for lines, ruled in zip(self._lines, rulings, strict=True)]
        numbers = [_place_of(section).get("page", 1) for section in self.data["sections"]]
        join(found, numbers, [len(lines) for lines in self._lines])
        return found

    def _ocr_table(self, table: Table, number: int) -> OcrTable:
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
                found["page"] = _place_of(self.data["sections"][here])["page"]
            rows[cell.row].append(found)
        bounds, markdown = bounds_of(table.quad, *self._size(number)), "\n".join(gfm(table))
        page = _place_of(self.data["sections"][number]).get("page")
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
        """Rebuild a result from the JSON that `kept` returned."""
        data, rulings, form = kept
        ruled = [[((ax, ay), (bx, by)) for (ax, ay), (bx, by) in section] for section in rulings]
        return cls(data, ruled, Form(*form))

    def text(self) -> str:
        return self.data["extracted_text"]

    def _result_lines(self) -> Iterator[ResultLine]:
        if self.unplaced_text():
            # The position of pictures inside a text is known only from the whole text.
            yield from pieces_under("", self.text())
            return
        for number, section in enumerate(self.data["sections"]):
            place = _place_of(section)
            heading = f"[page {place['page']}]" if "page" in place else ""
            if "timestamp" in place:
                heading = f"[video at {place['timestamp'][0]} s]"
            for index, block in enumerate(self._blocks(number)):
                first, *others = block.lines
                # A blank line separates two blocks.
                yield ResultLine(f"\n{first}" if index else first, heading)
                yield from [ResultLine(line, heading) for line in others]

    def passages(self) -> Iterator[list[SourceLine]]:
        """Yield the lines of each page, and finally the text that stands on no page."""
        for number, section in enumerate(self.data["sections"]):
            place = _place_of(section)
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
        """Return the result without personal data. Words that one placeholder replaces become one word."""
        apart = Redactor()  # a separate count, because the sections repeat the text
        sections = [_redact_section(section, apart) for section in self.data["sections"]]
        data: OcrData = {**self.data, "extracted_text": redactor.text(self.text()), "sections": sections}
        return OcrResult(data, self.rulings).in_form(self.form)

    def unplaced_text(self) -> str:
        """Return the part of the text that has no lines: it came from text files and office documents."""
        text = self.text()
        before = None
        kept: list[str] = []
        done = 0
        for section in self.data["sections"]:
            written = section["text"]
            # A text that a video shows unchanged in several frames occurs once.
            if written and ("timestamp" not in section or written != before):
                # Sections occur in the text in order, so each is searched for after the previous one.
                at = _find_whole_lines(text, written, done)
                if at >= 0:
                    kept.append(text[done:at])
                    done = at + len(written)
            before = written
        return "".join([*kept, text[done:]]).strip()


def page_section(
    lines: Sequence[TextLine], page: int, width: int, height: int, timestamp: float | None = None
) -> PageSection:
    """Build a section in reading order from the `lines`, given in any order, of a page of `width` × `height` pixels."""
    ordered = [_ocr_line(line, width, height) for line in in_reading_order(lines)]
    text = "\n".join([line["text"] for line in ordered])
    section: PageSection = {"text": text, "lines": ordered, "page": page, "width": width, "height": height}
    if timestamp is not None:
        section["timestamp"] = timestamp
    return section


def picture_result(section: PageSection, rulings: Sequence[Ruling] = ()) -> OcrResult:
    """Build the result for a single picture with its ruled lines."""
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
    """Build the result for a document of `total_pages` pages, of which `sections` were read, with the ruled lines of
    each section. A document without pages has only text."""
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
    words = [Word(word["text"], _quad_of(word["bounds"]), word["confidence"]) for word in line["words"]]
    return TextLine(tuple(words), _quad_of(line["bounds"]))


def _quad_of(bounds: Bounds) -> Quad:
    a, b, c, d = [(float(bounds[name]["x"]), float(bounds[name]["y"])) for name in CORNERS]
    return a, b, c, d


def _ocr_line(line: TextLine, width: int, height: int) -> OcrLine:
    return {
        "text": line.text,
        "bounds": bounds_of(line.quad, width, height),
        "average_confidence": round(sum([word.confidence for word in line.words]) / len(line.words), 2),
        "words": [_ocr_word(word, width, height) for word in line.words],
    }


def _ocr_word(word: Word, width: int, height: int) -> OcrWord:
    return {
        "text": word.text,
        "bounds": bounds_of(word.quad, width, height),
        "confidence": round(word.confidence, 2),
    }


def _place_of(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page and the time that hold for all lines of a section."""
    place: dict[str, Any] = {"page": section["page"]} if "page" in section else {}
    if "timestamp" in section:
        place["timestamp"] = (section["timestamp"], section["timestamp"])
    return place


def _find_whole_lines(text: str, lines: str, start: int) -> int:
    """Return the position of `lines` in `text`, from `start` on, as whole lines, so that a picture's "5" is not found
    in "1500". −1 if they do not occur."""
    while (at := text.find(lines, start)) >= 0:
        end = at + len(lines)
        if (at == 0 or text[at - 1] == "\n") and (end == len(text) or text[end] == "\n"):
            return at
        start = text.find("\n", at) + 1
        if not start:
            break
    return -1


def _redact_section(section: OcrSection, redactor: Redactor) -> OcrSection:
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
        lines.append(_redact_line(line, here) if here else line)
    return {**section, "text": "\n".join([line["text"] for line in lines]), "lines": lines}


def _redact_line(line: OcrLine, spans: Sequence[PersonalDataSpan]) -> OcrLine:
    """Merge the words that one placeholder replaces, with what adjoins them: `Tel:[PHONE],`."""
    words = line["words"]
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word["text"]) + 1)
    # A word is joined to the next if a span covers the space between them.
    breaks = [at for at in range(1, len(words)) if not any(one.start < starts[at] - 1 < one.end for one in spans)]
    merged = []
    for first, last in pairwise([0, *breaks, len(words)]):
        start, end = starts[first], starts[last] - 1
        here = [
            PersonalDataSpan(one.start - start, one.end - start, one.kind) for one in spans if start <= one.start < end
        ]
        merged.append(_merge_words(words[first:last], here) if here else words[first])
    return {
        **line,
        "text": " ".join([word["text"] for word in merged]),
        "average_confidence": round(sum([word["confidence"] for word in merged]) / len(merged), 2),
        "words": merged,
    }


def _merge_words(words: Sequence[OcrWord], spans: Sequence[PersonalDataSpan]) -> OcrWord:
    """Merge words into one that has their common bounds and mean confidence."""
    text = replaced(" ".join([word["text"] for word in words]), spans)
    confidence = round(sum([word["confidence"] for word in words]) / len(words), 2)
    return {
        **words[0],
        "text": text,
        "bounds": _enclosing_bounds(words[0]["bounds"], words[-1]["bounds"]),
        "confidence": confidence,
    }


def _enclosing_bounds(first: Bounds, last: Bounds) -> Bounds:
    """Return the quadrilateral from the first word of a line to the last."""
    if first is last:
        return first
    corners = (first["top_left"], last["top_right"], last["bottom_right"], first["bottom_left"])
    a, b, c, d = [(float(corner["x"]), float(corner["y"])) for corner in corners]
    edge = max(max(x, y) for x, y in (a, b, c, d))
    return bounds_of((a, b, c, d), int(edge), int(edge))
