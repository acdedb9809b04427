"""The result of the `ocr` task. The order of the keys is part of the contract.

The result consists of dictionaries because a page has hundreds of words: building and serialising dataclasses takes
three times as long.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from typing import Any, NotRequired

from typing_extensions import TypedDict

from models.safety.personal_data import PersonalDataSpan
from models.vision.page_geometry import UPRIGHT, PageGeometry
from models.vision.text import Quad, Ruling, TextLine, Word
from tasks.inputs.printed_codes import PrintedCode
from tasks.layout.cells import Cell, Table
from tasks.layout.lines import in_reading_order
from tasks.layout.markdown import Block, blocks_of, gfm, text_of
from tasks.layout.tables import join, tables_on
from tasks.layout.tick_boxes import TickBox
from tasks.layout.ticked_lines import UprightBox, with_ticks
from tasks.markdown_text import ESCAPE, markdown_form, plain_form, positions_in_marked
from tasks.read_table import NO_CELL, ReadCell, ReadTable
from tasks.redaction import Redactor, is_within_span, replaced, spans_within
from tasks.result import (
    CORNERS,
    Bounds,
    Box,
    Result,
    ResultLine,
    SourceCode,
    SourceLine,
    bounds_of,
    lines_below,
    pieces_under,
    texts_in,
)
from tasks.wording.page_range import OcrOptions

_ILLEGIBLE = (
    "Most of the text of {where} could not be read: it is unclear, or in a script that this OCR engine does not know. "
    "The default engine reads Chinese, Japanese and languages in Latin script; for Arabic, Cyrillic, Greek, "
    "Devanagari, Korean and others, run `openfaze pull paddleocr` and set OPENFAZE_OCR_LANGUAGE."
)


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
    """Area of the table on the first page that contains it."""
    rows: list[list[OcrCell]]
    """Cells that begin in each row, from left to right."""
    markdown: str


class OcrExtras(TypedDict):
    """Parts of a result that are present only on request."""

    tables: NotRequired[list[OcrTable]]
    markdown: NotRequired[str]


class OcrSection(OcrExtras):
    """The text of one picture or page. If the only input is one picture, its tables and Markdown are not here but in
    OcrData."""

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
    """The whole result.

    `tables` are here for a single picture, and as an empty list for texts without pages. The tables of a document are
    in its sections. `markdown` is here for a single picture and for texts, with the text of the pictures in them.
    """

    extracted_text: str
    """Text of all sections and text files, joined by blank lines. Text that a video shows in several consecutive frames
    appears once."""
    sections: Sequence[OcrSection]
    width: int | None
    """Width in pixels of the picture or of the first page in `sections`; None if there is only text."""
    height: int | None
    total_pages: NotRequired[int]
    """Number of pages in the input, requested or not; absent for a picture or a text."""


@dataclass(frozen=True, slots=True)
class PageLayout:
    """The layout of a page, without its words."""

    rulings: Sequence[Ruling] = ()
    """Ruled lines, in pixels of the source."""
    geometry: PageGeometry = UPRIGHT
    codes: Sequence[PrintedCode] = ()
    """Barcodes and two-dimensional codes, with places in pixels of the source. They do not appear in the JSON."""
    boxes: Sequence[TickBox] = ()
    """Boxes and circles to be ticked. They do not appear in the JSON."""
    is_illegible: bool = False
    """True if the engine could not read most of the text on the page."""

    def numbers(self) -> list[Any]:
        marks = [[astuple(one) for one in found] for found in (self.codes, self.boxes)]
        return [self.rulings, self.geometry.numbers(), *marks, self.is_illegible]

    @classmethod
    def restored(cls, numbers: Any) -> "PageLayout":
        rulings, geometry, codes, boxes, is_illegible = numbers
        ruled: list[Ruling] = [((ax, ay), (bx, by)) for (ax, ay), (bx, by) in rulings]
        return cls(
            ruled,
            PageGeometry.restored(geometry),
            [PrintedCode(kind, text, is_gs1, _quad(quad)) for kind, text, is_gs1, quad in codes],
            [TickBox(_quad(quad), is_ticked) for quad, is_ticked in boxes],
            is_illegible,
        )


@dataclass(frozen=True)
class OcrResult(Result[OcrData]):
    layouts: Sequence[PageLayout] = ()
    """Layout of each section; empty if all are `PageLayout()`."""
    options: OcrOptions = field(default_factory=OcrOptions)
    """The optional parts that `data` contains."""
    marked: str | None = None
    """`extracted_text` with marks (`ESCAPE`) before characters that would be markup; None if it has no such
    characters."""
    unread: Sequence[str] = ()
    """Sentences about what of the files was not read."""

    def with_layout(self, options: OcrOptions) -> "OcrResult":
        """Return the result with tables and Markdown in its data if `options` ask for them."""
        if not (options.tables or options.markdown):
            return self
        sections = []
        for index in range(len(self._lines)):
            own: OcrExtras = {}
            if options.tables:
                own["tables"] = [self._ocr_table(table, index) for table in self._tables[index] if not table.continued]
            if options.markdown:
                own["markdown"] = text_of(self._blocks(index))
            sections.append(own)
        if sections and "page" not in self.data["sections"][0]:
            return replace(self, data={**self.data, **sections[0]}, options=options)
        data: OcrData = {
            **self.data,
            "sections": [{**section, **own} for section, own in zip(self.data["sections"], sections, strict=True)],
        }
        if not sections and options.tables:
            data["tables"] = []
        if options.markdown and (not sections or self.unplaced_text()):
            data["markdown"] = self._whole_markdown()
        return replace(self, data=data, options=options)

    def _whole_markdown(self) -> str:
        """Return the Markdown of a text with the pictures in it."""
        return self.text() if self.marked is None else markdown_form(self.marked)

    @cached_property
    def _pages(self) -> Sequence[PageLayout]:
        return self.layouts or [PageLayout()] * len(self.data["sections"])

    @cached_property
    def _lines(self) -> list[Sequence[TextLine]]:
        """Lines of each section on the section's upright page. They are built only once, because words are matched to
        tables by identity."""
        return [
            page.geometry.upright_lines([_text_line(line) for line in section["lines"]])
            for section, page in zip(self.data["sections"], self._pages, strict=True)
        ]

    @cached_property
    def _tables(self) -> list[list[Table]]:
        found = [
            tables_on(lines, page.geometry.upright_rulings(page.rulings))
            for lines, page in zip(self._lines, self._pages, strict=True)
        ]
        numbers = [_place_of(section).get("page", 1) for section in self.data["sections"]]
        join(found, numbers, [len(lines) for lines in self._lines])
        return found

    def _ocr_table(self, table: Table, section_index: int) -> OcrTable:
        rows: list[list[OcrCell]] = [[] for _ in range(table.rows)]
        for cell in table.cells:
            cell_section = section_index + cell.pages_on
            found: OcrCell = {
                "text": cell.text,
                "bounds": self._bounds(cell.quad, cell_section),
                "row_span": cell.row_span,
                "col_span": cell.col_span,
                "confidence": round(cell.confidence, 2),
            }
            if cell.pages_on:
                found["page"] = _place_of(self.data["sections"][cell_section])["page"]
            rows[cell.row].append(found)
        bounds, markdown = self._bounds(table.quad, section_index), "\n".join(gfm(table))
        page = _place_of(self.data["sections"][section_index]).get("page")
        if page is None:
            return {"bounds": bounds, "rows": rows, "markdown": markdown}
        return {"page": page, "bounds": bounds, "rows": rows, "markdown": markdown}

    def _bounds(self, quad: Quad, section_index: int) -> Bounds:
        """Return the bounds in the source of a place on the upright page of section `section_index`."""
        return bounds_of(self._pages[section_index].geometry.source_quad(quad), *self._size(section_index))

    def _size(self, section_index: int) -> tuple[int, int]:
        section: Mapping[str, Any] = {**self.data, **self.data["sections"][section_index]}
        return section["width"], section["height"]

    def _blocks(self, section_index: int) -> list[Block]:
        return blocks_of(self._lines[section_index], self._tables[section_index])

    def kept(self) -> Any:
        return [
            self.data,
            [page.numbers() for page in self.layouts],
            self.options.model_dump(mode="json"),
            self.marked,
            self.unread,
        ]

    @classmethod
    def restored(cls, kept: Any) -> "OcrResult":
        """Rebuild a result from the JSON that `kept` returned."""
        data, layouts, options, marked, unread = kept
        return cls(data, [PageLayout.restored(page) for page in layouts], OcrOptions(**options), marked, unread)

    def text(self) -> str:
        return self.data["extracted_text"]

    def markdown(self) -> str:
        if not self.data["sections"] or self.unplaced_text():
            return self._whole_markdown()
        return "\n\n".join(text_of(self._blocks(index)) for index in range(len(self.data["sections"])))

    def _result_lines(self) -> Iterator[ResultLine]:
        if self.unplaced_text():
            # The position of pictures inside a text is known only from the whole text.
            yield from pieces_under("", self._whole_markdown())
            return
        for section_index, section in enumerate(self.data["sections"]):
            place = _place_of(section)
            heading = f"[page {place['page']}]" if "page" in place else ""
            if "timestamp" in place:
                heading = f"[video at {place['timestamp'][0]} s]"
            for index, block in enumerate(self._blocks(section_index)):
                first, *others = block.lines
                # A blank line separates two blocks.
                yield ResultLine(f"\n{first}" if index else first, heading)
                yield from [ResultLine(line, heading) for line in others]

    def passages(self) -> Iterator[Iterator[SourceLine]]:
        """Yield the lines of each page, and finally the text that is not on any page."""
        for section_index, section in enumerate(self.data["sections"]):
            place = _place_of(section)
            boxes = self._upright_boxes(section_index)
            lines = [
                SourceLine(
                    tuple([word["text"] for word in line["words"]]),
                    f"/sections/{section_index}/lines/{index}",
                    place,
                    tuple([word["bounds"] for word in line["words"]]),
                    tuple([word["confidence"] for word in line["words"]]),
                    boxes=boxes[index] if boxes else (),
                )
                for index, line in enumerate(section["lines"])
            ]
            yield iter(self._with_ticks(lines, section_index))
        yield lines_below(self.unplaced_text(), "/extracted_text")

    def codes(self) -> Iterator[SourceCode]:
        for index, page in enumerate(self._pages):
            place = _place_of(self.data["sections"][index])
            for code in page.codes:
                bounds = bounds_of(code.quad, *self._size(index))
                yield SourceCode(code.kind, code.text, code.is_gs1, f"/sections/{index}", {**place, "bounds": bounds})

    def tables(self) -> Iterator[ReadTable]:
        pointers: dict[int, str] = {}
        for section_index, lines in enumerate(self._lines):
            for index, line in enumerate(lines):
                pointers.update(dict.fromkeys(map(id, line.words), f"/sections/{section_index}/lines/{index}"))
        for section_index, tables in enumerate(self._tables):
            for table in tables:
                if not table.continued:
                    above = min(table.lines) - 1
                    rows = [[NO_CELL] * table.columns for _ in range(table.rows)]
                    for cell in table.cells:
                        if cell.words:
                            rows[cell.row][cell.column] = self._read_cell(
                                cell, section_index, pointers[id(cell.words[0])]
                            )
                    heading = self._lines[section_index][above].text if above >= 0 else ""
                    yield ReadTable(rows, heading, is_exact=False)

    def _read_cell(self, cell: Cell, section_index: int, pointer: str) -> ReadCell:
        cell_section = section_index + cell.pages_on
        corners = [corner for word in cell.words for corner in word.quad]
        left, right = min(x for x, _ in corners), max(x for x, _ in corners)
        top, bottom = min(y for _, y in corners), max(y for _, y in corners)
        quad = cell.words[0].quad if len(cell.words) == 1 else _upright(left, top, right, bottom)
        place = {
            **_place_of(self.data["sections"][cell_section]),
            "bounds": self._bounds(quad, cell_section),
            "confidence": round(cell.confidence, 2),
        }
        lines = _lines_of(cell.words) if self._pages[cell_section].geometry.is_upright else []
        return ReadCell(cell.text, pointer, place, cell.row_span, cell.col_span, lines=lines)

    def _upright_boxes(self, section_index: int) -> list[tuple[Box, ...]]:
        """Return the boxes of each line's words on the upright page; empty if the page is already upright in the
        source."""
        if self._pages[section_index].geometry.is_upright:
            return []
        return [tuple([_box_of(word.quad) for word in line.words]) for line in self._lines[section_index]]

    def _with_ticks(self, lines: list[SourceLine], section_index: int) -> list[SourceLine]:
        """Return the lines with the signs for boxes as words, each with the bounds of its box. Lines that continue the
        options of another line are joined to it."""
        page = self._pages[section_index]
        if not page.boxes:
            return lines
        quads = page.geometry.upright([box.quad for box in page.boxes]).tolist()
        boxes = [UprightBox(_quad(quad), box.is_ticked) for quad, box in zip(quads, page.boxes, strict=True)]
        places = [bounds_of(box.quad, *self._size(section_index)) for box in page.boxes]
        found: list[SourceLine | None] = [*lines]
        for row in with_ticks(self._lines[section_index], boxes):
            for index in row.lines:
                found[index] = None
            found[row.lines[0]] = replace(
                lines[row.lines[0]],
                words=tuple([one.word.text for one in row.words]),
                bounds=tuple(
                    [places[one.number] if one.line < 0 else lines[one.line].bounds[one.number] for one in row.words]
                ),
                confidences=tuple([one.word.confidence for one in row.words]),
                boxes=tuple([_box_of(one.word.quad) for one in row.words]),
            )
        return [line for line in found if line is not None]

    def warnings(self) -> Iterator[str]:
        yield from self.unread
        poor = [index for index, page in enumerate(self.layouts) if page.is_illegible]
        if poor:
            pages = [str(_place_of(self.data["sections"][index]).get("page", 1)) for index in poor]
            where = "the picture" if "total_pages" not in self.data else f"page {', '.join(pages)}"
            yield _ILLEGIBLE.format(where=where)

    def texts_for_guard(self) -> Iterator[str]:
        return texts_in(self.data, frozenset({"sections", "tables", "markdown"}))

    def mapped(self, redactor: Redactor) -> Result[OcrData]:
        """Return the result without personal data and without codes. Words that one placeholder replaces become one
        word."""
        if self.marked is None and not self.data["sections"]:  # a text file, perhaps of JSON
            text = redactor.text(self.text())
            data: OcrData = {**self.data, "extracted_text": text}
            return replace(self, data=data, options=OcrOptions()).with_layout(self.options)
        section_redactor = Redactor()  # a separate count, because the sections repeat the text
        sections = [_redact_section(section, section_redactor) for section in self.data["sections"]]
        spans = redactor.find_spans(self.text())
        text = replaced(self.text(), spans)
        data = {**self.data, "extracted_text": text, "sections": sections}
        marked = self.marked
        if marked is not None:
            places = positions_in_marked(marked, [edge for span in spans for edge in (span.start, span.end)])
            moved = [replace(span, start=places[span.start], end=places[span.end]) for span in spans]
            marked = replaced(marked, moved)
        # All codes are left out, because patterns do not find the personal data in a code, such as the name on a
        # licence.
        layouts = [replace(page, codes=()) for page in self.layouts]
        return OcrResult(data, layouts, marked=marked, unread=self.unread).with_layout(self.options)

    def unplaced_text(self) -> str:
        """Return the part of the text that has no lines: it came from text files and office documents."""
        text = self.text()
        previous = None
        kept: list[str] = []
        done = 0
        for section in self.data["sections"]:
            written = section["text"]
            # A text that a video shows unchanged in several frames occurs only once.
            if written and ("timestamp" not in section or written != previous):
                # Sections occur in the text in order, so each is searched for after the previous one.
                position = _find_whole_lines(text, written, done)
                if position >= 0:
                    kept.append(text[done:position])
                    done = position + len(written)
            previous = written
        return "".join([*kept, text[done:]]).strip()


def page_section(
    lines: Sequence[TextLine],
    page: int,
    width: int,
    height: int,
    timestamp: float | None = None,
    geometry: PageGeometry | None = None,
) -> PageSection:
    """Build the section of a page of `width` × `height` pixels from its `lines`, which may have any order and are put
    into reading order. `geometry` is the geometry of the page; by default, it is fitted to the lines."""
    in_order = in_reading_order(lines, geometry)
    ordered = [_ocr_line(line, width, height) for line in in_order]
    text = "\n".join([line["text"] for line in ordered])
    section: PageSection = {"text": text, "lines": ordered, "page": page, "width": width, "height": height}
    if timestamp is not None:
        section["timestamp"] = timestamp
    return section


def picture_result(section: PageSection, layout: PageLayout | None = None) -> OcrResult:
    """Build the result for a single picture with its layout."""
    return OcrResult(
        {
            "extracted_text": section["text"],
            "sections": [{"text": section["text"], "lines": section["lines"]}],
            "width": section["width"],
            "height": section["height"],
        },
        (layout,) if layout else (),
    )


def document_result(
    texts: Iterable[str],
    sections: Sequence[PageSection],
    total_pages: int,
    layouts: Sequence[PageLayout] = (),
    unread: Sequence[str] = (),
) -> OcrResult:
    """Build the result for a document of `total_pages` pages, of which `sections` were read, with the layout of each
    section. A document without pages has only text. In `texts`, characters that would be markup are marked with
    `ESCAPE`. `unread` are sentences about what was not read."""
    marked = "\n\n".join(filter(None, texts))
    data: OcrData = {
        "extracted_text": plain_form(marked),
        "sections": sections,
        "width": sections[0]["width"] if sections else None,
        "height": sections[0]["height"] if sections else None,
    }
    if total_pages:
        data["total_pages"] = total_pages
    return OcrResult(data, layouts, marked=marked if ESCAPE in marked else None, unread=unread)


def _text_line(line: OcrLine) -> TextLine:
    words = [Word(word["text"], _quad_of(word["bounds"]), word["confidence"]) for word in line["words"]]
    return TextLine(tuple(words), _quad_of(line["bounds"]))


def _quad(corners: Sequence[Sequence[float]]) -> Quad:
    a, b, c, d = [(x, y) for x, y in corners]
    return a, b, c, d


def _quad_of(bounds: Bounds) -> Quad:
    a, b, c, d = [(float(bounds[name]["x"]), float(bounds[name]["y"])) for name in CORNERS]
    return a, b, c, d


def _upright(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _box_of(quad: Quad) -> Box:
    """Return the upright rectangle through the middles of the sides of `quad`, which is nearly upright."""
    xs, ys = sorted(x for x, _ in quad), sorted(y for _, y in quad)
    edges = (xs[0] + xs[1], ys[0] + ys[1], xs[2] + xs[3], ys[2] + ys[3])
    left, top, right, bottom = [round(edge / 2) for edge in edges]
    return left, top, right, bottom


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
    """Return the page and the time of a section, which all of its lines share."""
    place: dict[str, Any] = {"page": section["page"]} if "page" in section else {}
    if "timestamp" in section:
        place["timestamp"] = (section["timestamp"], section["timestamp"])
    return place


def _find_whole_lines(text: str, lines: str, start: int) -> int:
    """Return the position of `lines` in `text`, at `start` or later; −1 if they do not occur. Only whole lines are
    found, so that a picture's "5" is not found in "1500"."""
    while (position := text.find(lines, start)) >= 0:
        end = position + len(lines)
        if (position == 0 or text[position - 1] == "\n") and (end == len(text) or text[end] == "\n"):
            return position
        start = text.find("\n", position) + 1
        if not start:
            break
    return -1


def _redact_section(section: OcrSection, redactor: Redactor) -> OcrSection:
    spans = redactor.find_spans(section["text"])
    if not spans:
        return section
    lines = []
    end = -1
    for line in section["lines"]:
        start = end + 1
        end = start + len(line["text"])
        own_spans = spans_within(spans, start, end)
        lines.append(_redact_line(line, own_spans) if own_spans else line)
    return {**section, "text": "\n".join([line["text"] for line in lines]), "lines": lines}


def _redact_line(line: OcrLine, spans: Sequence[PersonalDataSpan]) -> OcrLine:
    """Merge the words that one placeholder replaces, together with adjoining characters: `Tel:[PHONE],`."""
    words = line["words"]
    merged: list[OcrWord] = []
    first = start = end = 0
    for count, word in enumerate(words, 1):
        end += len(word["text"])
        # A word is joined to the next if a span covers the space between them.
        if count == len(words) or not is_within_span(spans, end):
            own_spans = spans_within(spans, start, end)
            merged.append(_merge_words(words[first:count], own_spans) if own_spans else words[first])
            first, start = count, end + 1
        end += 1
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


def _lines_of(words: Sequence[Word]) -> list[str]:
    """Return the lines of a cell, whose words are in reading order, if there are several. A word farther left than the
    one before it begins a line."""
    lines: list[list[str]] = []
    left = math.inf
    for word in words:
        start = min(x for x, _ in word.quad)
        if start < left:
            lines.append([])
        lines[-1].append(word.text)
        left = start
    return [" ".join(line) for line in lines] if len(lines) > 1 else []
