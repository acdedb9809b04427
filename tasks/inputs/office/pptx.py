"""Converts presentations to Markdown with python-pptx."""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from pptx.package import Package
from pptx.slide import Slide

from tasks.inputs.limits import MediaLimits
from tasks.inputs.office import drawings
from tasks.inputs.office.bounds import packed
from tasks.inputs.pictured_text import EmbeddedPages
from tasks.inputs.text import text_file
from tasks.markdown_text import escape_inline, escape_line, escape_part, is_safe, link

_DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_REPEATED = ("dt", "ftr", "sldNum")
"""Types of placeholders that repeat the same text on every slide: date, footer and slide number."""
_BULLETS = ("{*}buNone", "{*}buChar", "{*}buBlip", "{*}buAutoNum")
_DEEPEST_LEVEL = 8
"""Deepest level of a paragraph; the first is 0 (ECMA-376, part 1, 20.1.10.72)."""
_EMU = re.compile(r"-?\d{1,15}")
_OUTLINE = (None, "obj", "body")
"""Types of placeholders whose paragraphs are bulleted by default; None is a placeholder without a type."""


def pptx_to_markdown(members: dict[str, bytes], pictures: EmbeddedPages, limits: MediaLimits) -> str:
    """Convert a presentation to Markdown.

    Each slide becomes a heading with its number and title, followed by the slide's shapes in order, its charts as
    tables, its pictures, and the speaker's notes. A hidden slide becomes only a heading that says so. Shapes that are
    hidden or off the slide are left out.
    """
    presentation = Package.open(packed(members)).presentation_part.presentation
    parts: list[str] = []
    seen: set[str] = set()
    length = 0
    for number, slide in enumerate(presentation.slides, start=1):
        if slide.part.partname in seen:
            raise ValueError("a presentation has no slide twice")
        seen.add(slide.part.partname)
        size = presentation.slide_width or 0, presentation.slide_height or 0
        for part in _Slide(slide, pictures, limits, size, number).parts():
            # The length is checked, because slides may share charts and notes, whose text is then repeated.
            length += len(part)
            text_file.check_length(length, pictures.blob, limits)
            parts.append(part)
    return drawings.with_strokes("\n\n".join(filter(None, parts)))


class _Slide:
    def __init__(
        self, slide: Slide, pictures: EmbeddedPages, limits: MediaLimits, size: tuple[int, int], number: int
    ) -> None:
        """`size` is the width and height of the slide in EMU."""
        self._number = number
        self._slide = slide
        self._size = size
        self._pictures = pictures
        self._limits = limits

    def parts(self) -> Iterator[str]:
        if self._slide._element.get("show") in ("0", "false"):
            yield f"## Slide {self._number} (hidden, left out)"
            return
        with self._pictures.leaving_out(f"a part of slide {self._number}"):
            yield from self._shown_parts(self._slide._element)

    def _shown_parts(self, element: etree._Element) -> Iterator[str]:
        title = self._slide.shapes.title
        heading = escape_inline(text_file.one_line(title.text_frame.text)) if title is not None else ""
        yield f"## Slide {self._number}: {heading}" if heading else f"## Slide {self._number}"
        for background in element.iter("{*}bg"):
            yield from self._pictures_in(background)
        for shape in self._slide.shapes:
            is_title = title is not None and shape._element is title._element
            if not is_title and not _is_off_slide(shape._element, self._size):
                yield from self._readable(shape)
        for alternative in element.iter(f"{{{_COMPATIBILITY}}}AlternateContent"):
            for choice in alternative.iterchildren(f"{{{_COMPATIBILITY}}}Choice"):
                yield "\n".join(map(escape_line, drawings.paragraphs(choice)))
                yield from self._pictures_in(choice)
        if self._slide.has_notes_slide:
            frame = self._slide.notes_slide.notes_text_frame
            notes = "\n".join(map(escape_line, drawings.paragraphs(frame._element))) if frame is not None else ""
            yield notes and f"Notes: {notes}"

    def _readable(self, shape: Any) -> list[str]:
        """Return the parts of a shape; of one that python-pptx cannot read, the paragraphs in it."""
        kind = "chart" if shape._element.find(".//{*}graphicData/{*}chart") is not None else "shape"
        parts = ["\n".join(map(escape_line, drawings.paragraphs(shape._element)))]
        with self._pictures.leaving_out(f"a {kind} on slide {self._number}"):
            parts[:] = self._shape(shape)
        return parts

    def _shape(self, shape: Any) -> Iterator[str]:
        element = shape._element
        if _is_hidden(element):
            return
        if element.tag.endswith("}grpSp"):
            for inner in shape.shapes:
                yield from self._readable(inner)
            return
        kind = _placeholder_type(element)
        if kind in _REPEATED:
            return
        if getattr(shape, "has_table", False):
            # The elements are read directly, because python-pptx would count the rows again for each row.
            yield text_file.table([_cell_text(cell) for cell in row.tc_lst] for row in shape.table._tbl.tr_lst)
        elif getattr(shape, "has_chart", False):
            yield _chart(shape.chart._chartSpace)
        elif shape.has_text_frame:
            yield "\n".join(_outline_lines(shape.text_frame, bulleted=kind in _OUTLINE and shape.is_placeholder))
        for diagram in element.iter(f"{{{_DIAGRAM}}}relIds"):
            yield self._diagram(diagram.get(f"{{{_RELATIONSHIPS}}}dm"))
        yield from self._pictures_in(element)

    def _pictures_in(self, element: etree._Element) -> Iterator[str]:
        for relationship, description in drawings.pictures(element):
            try:
                part = self._slide.part.related_part(relationship)
            except KeyError:
                yield self._pictures.unread("missing")
            else:
                yield self._pictures.marked(part.blob, str(part.partname).rpartition("/")[2], description)

    def _diagram(self, relationship: str | None) -> str:
        try:
            data = self._slide.part.related_part(relationship or "").blob
        except KeyError:
            return ""
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
        return "\n".join(f"- {escape_line(text)}" for text in drawings.paragraphs(root))


def _is_hidden(shape: etree._Element) -> bool:
    """True if a shape, or a group of shapes, is switched off."""
    return any(
        properties.get("hidden") in ("1", "true")
        for about in shape.iterchildren(
            "{*}nvSpPr", "{*}nvPicPr", "{*}nvGraphicFramePr", "{*}nvGrpSpPr", "{*}nvCxnSpPr"
        )
        for properties in about.iterchildren("{*}cNvPr")
    )


def _is_off_slide(shape: etree._Element, size: tuple[int, int]) -> bool:
    """True if a shape that states its place lies wholly beside the slide of this width and height."""
    for frame in shape.iterfind("{*}spPr/{*}xfrm"), shape.iterfind("{*}grpSpPr/{*}xfrm"), shape.iterfind("{*}xfrm"):
        for place in frame:
            offset, extent = place.find("{*}off"), place.find("{*}ext")
            if offset is None or extent is None:
                continue
            stated = [offset.get("x", ""), offset.get("y", ""), extent.get("cx", ""), extent.get("cy", "")]
            if not all(_EMU.fullmatch(one) for one in stated):  # a unit of length
                continue
            left, top, width, height = map(int, stated)
            return left >= size[0] or top >= size[1] or left + width <= 0 or top + height <= 0
    return False


def _placeholder_type(shape: etree._Element) -> str | None:
    """Return the placeholder type of a shape: None if the placeholder states none, "" if it is not a placeholder."""
    for properties in shape.iterchildren("{*}nvSpPr", "{*}nvPicPr", "{*}nvGraphicFramePr"):
        for placeholder in properties.iter("{*}ph"):
            kind: str | None = placeholder.get("type")
            return kind
    return ""


def _outline_lines(frame: Any, *, bulleted: bool) -> Iterator[str]:
    """Yield the paragraphs of a text frame. Bulleted and numbered paragraphs become list items."""
    numbers: dict[int, int] = {}
    for paragraph in frame.paragraphs:
        text = _text_with_links(paragraph)
        if not text:
            continue
        level = min(paragraph.level, _DEEPEST_LEVEL)
        numbers = {deeper: number for deeper, number in numbers.items() if deeper <= level}
        kind = next((child.tag.rpartition("}")[2] for child in paragraph._p.iter(*_BULLETS)), "")
        if kind == "buAutoNum":
            numbers[level] = numbers.get(level, 0) + 1
            yield f"{'   ' * level}{numbers[level]}. {text}"
        elif kind == "buNone" or not (bulleted or kind or level):
            yield text
        else:
            yield f"{'  ' * level}- {text}"


def _text_with_links(paragraph: Any) -> str:
    """Return a paragraph's text as Markdown: with its links, and with characters escaped that would be markup."""
    text = drawings.paragraph_text(paragraph._p)
    parts: list[str] = []
    for run in paragraph.runs:
        address, linked = run.hyperlink.address, text_file.one_line(run.text.replace("\u2011", "-"))
        if address and linked and linked in text and is_safe(address):
            before, _, text = text.partition(linked)
            parts += [escape_part(before, begins=not parts), link(escape_part(linked, begins=False), address)]
    return "".join([*parts, escape_part(text, begins=not parts)])


def _cell_text(cell: Any) -> str:
    return "" if cell.is_spanned else escape_inline(" ".join(drawings.paragraphs(cell)))


def _chart(chart: etree._Element) -> str:
    """Return the series of a chart of any kind as tables, one for each of its plots."""
    titles = chart.iterfind("{*}chart/{*}title")
    title = " ".join(text for one in titles for text in drawings.paragraphs(one) or _points(one).values())
    tables = []
    for plot in chart.iterfind("{*}chart/{*}plotArea/*"):
        series = plot.findall("{*}ser")
        labels = _category_labels(series[0]) if series else {}
        columns = [_points(*one.iterchildren("{*}val", "{*}yVal")) for one in series]
        places = sorted({place for column in (labels, *columns) for place in column})
        header = ["", *(" ".join(_points(*one.iterchildren("{*}tx")).values()) for one in series)]
        rows = [[labels.get(at, ""), *(_format_number(column.get(at, "")) for column in columns)] for at in places]
        if series:
            tables.append(text_file.table([[*map(escape_inline, row)] for row in (header, *rows)]))
    if not tables:
        raise ValueError("a chart has series")
    return "\n\n".join([f"Chart: {escape_inline(text_file.one_line(title))}".rstrip(), *tables])


def _category_labels(series: etree._Element) -> dict[int, str]:
    """Return the label of each category, after the labels of its groups; of a scatter chart, the values along its other
    axis."""
    levels = [_points(level) for level in series.iterfind("{*}cat//{*}lvl")]
    if not levels:
        return _points(*series.iterchildren("{*}cat", "{*}xVal"))
    labels, groups = {}, [""] * len(levels)
    for at in sorted({place for level in levels for place in level}):
        groups = [level.get(at, group) for level, group in zip(levels, groups, strict=True)]
        labels[at] = " / ".join(filter(None, reversed(groups)))
    return labels


def _points(*parts: etree._Element) -> dict[int, str]:
    """Return the texts of the points in parts of a chart, by their places."""
    points = (point for part in parts for point in part.iter("{*}pt", "{*}tx"))
    return {
        int(point.get("idx", "0")): point.findtext("{*}v", "") for point in points if point.find("{*}v") is not None
    }


def _format_number(value: str) -> str:
    try:
        return f"{float(value):.15g}"
    except ValueError:
        return value
