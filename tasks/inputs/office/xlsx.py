"""Converts workbooks to Markdown with openpyxl, row by row."""

import datetime as dt
import re
import warnings
from collections.abc import Collection, Iterator
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZipFile

import openpyxl
from lxml import etree
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.cell.rich_text import CellRichText
from openpyxl.packaging.relationship import get_dependents, get_rels_path

from tasks.inputs.limits import MediaLimits
from tasks.inputs.office import drawings
from tasks.inputs.office.bounds import packed
from tasks.inputs.pictured_text import EmbeddedPages
from tasks.inputs.source import Blob
from tasks.inputs.text import text_file
from tasks.markdown_text import escape_inline, escape_line

# Numbers and dates are shown by their format codes (ECMA-376 part 1, 18.8.31), without national conventions. Dates are
# always in ISO 8601. A number whose code asks for a fraction or has a condition is shown plainly.
_TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|([0#?.,]+(?:E[+-]?[0#?]+)?|@|General|.)')
_DIGITS = re.compile(r"([0#?,]*)(?:\.([0#?]*))?(,*)(E[+-]?[0#?]+)?")
_EXACT = Context(prec=700)
"""Decimal context with enough digits for any float and for all decimals that a format code can demand."""
_PLAIN = 1e15
"""A float that is a whole number below this is shown with all its digits. Larger floats are inexact, and spreadsheets
show them with an exponent."""
_MAX_ROWS = 1_048_576
"""An Excel sheet has at most this many rows. openpyxl would count up to any number that a row claims to have."""
_MAX_COLUMNS = 16_384
_HIDING = b"hidden="
"""Attribute of rows and columns that are hidden."""
_STYLES = "xl/styles.xml"
_MOST_STYLES = 2_000
"""If the styles of a workbook cannot be read, its cells may have any of this many."""


def shown(value: object, code: str) -> str:
    """Return a cell's value as text; "" for an empty cell."""
    match value:
        case None:
            return ""
        case bool():
            return _format_text(str(value).upper(), code)
        case dt.datetime():
            return _format_date_time(value, code)
        case dt.date():
            return value.isoformat()
        case dt.time():
            return value.isoformat("auto" if value.microsecond else "seconds" if value.second else "minutes")
        case dt.timedelta():
            return _format_duration(value)
        case int() | float():
            return _format_number(value, code)
        case _:
            return _format_text(str(value), code)


def _format_date_time(value: dt.datetime, code: str) -> str:
    if value.time() == dt.time():
        return value.date().isoformat()
    clock = value.time().replace(microsecond=0)
    if value.date() == dt.date(1899, 12, 30):
        return clock.isoformat()
    return f"{value.date().isoformat()} {clock.isoformat('seconds' if clock.second or 's' in code else 'minutes')}"


def _format_duration(value: dt.timedelta) -> str:
    seconds = round(abs(value.total_seconds()))
    return f"{'-' if value < dt.timedelta() else ''}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _section_of(value: object, code: str) -> "_FormatSection | None":
    """Return the section of a format code that is for a value; None if it is not understood, or if none is for it."""
    sections = _parse_sections(code)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return sections[1 if value < 0 and len(sections) > 1 else 2 if value == 0 and len(sections) > 2 else 0]
    if isinstance(value, (str, bool)):
        # The fourth section is for texts; with fewer, the last one is if it has the place of a text.
        last = sections[:4][-1]
        return last if len(sections) > 3 or (last is not None and last.is_for_text) else None
    return sections[0]


def _format_text(value: str, code: str) -> str:
    section = _section_of(value, code)
    if section is None:
        return value
    return section.prefix + (value if section.digits else "") + section.suffix


def _format_number(value: float, code: str) -> str:
    sections = _parse_sections(code)
    section = _section_of(value, code)
    if section is None:
        return _format_general(value)
    prefix, digits, suffix, percent, _ = section
    sign = "-" if value < 0 and len(sections) == 1 else ""
    if not digits:
        return prefix + suffix
    if digits == "General":
        return sign + prefix + _format_general(abs(value)) + suffix
    return sign + prefix + _format_digits(Decimal(repr(abs(value))) * 100**percent, digits) + suffix


def _format_general(value: float) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < _PLAIN):
        return str(int(value))
    return f"{value:.15g}"


class _FormatSection(NamedTuple):
    prefix: str
    digits: str
    suffix: str
    percents: int
    is_for_text: bool


_LONGEST_CODE = 255
"""Excel accepts format codes with at most this many characters. A number with a longer code is shown plainly."""


@lru_cache(maxsize=512)
def _parse_sections(code: str) -> "list[_FormatSection | None]":
    """Return the sections of `code`, with None for one that is not understood."""
    if len(code) > _LONGEST_CODE:
        return [None]
    sections: list[list[tuple[str, str]]] = [[]]
    for token in _TOKEN.finditer(code):
        quoted, escaped, currency, sign = token.groups()
        if sign == ";":
            sections.append([])
        elif sign and (sign[0] in "0#?" or sign[0] == "." or sign in ("General", "@")):
            sections[-1].append(("digits", sign))
        else:
            literal = next((text for text in (quoted, escaped, currency, sign) if text), "")
            unknown = sign == "/" or token[0].startswith(("[<", "[>", "[="))
            kind = "unknown" if unknown else "percent" if sign == "%" else "literal"
            sections[-1].append((kind, literal))
    return [_parse_section(tokens) for tokens in sections]


def _parse_section(tokens: list[tuple[str, str]]) -> _FormatSection | None:
    digits = [index for index, (kind, _) in enumerate(tokens) if kind == "digits"]
    if any(kind == "unknown" for kind, _ in tokens) or len(digits) > 1:
        return None
    at = digits[0] if digits else len(tokens)
    prefix = "".join(text for _, text in tokens[:at])
    suffix = "".join(text for _, text in tokens[at + 1 :])
    number = tokens[at][1] if digits else ""
    percents = sum(kind == "percent" for kind, _ in tokens)
    return _FormatSection(prefix, "General" if number == "@" else number, suffix, percents, number == "@")


def _format_digits(value: Decimal, digits: str) -> str:
    """Format a non-negative value. Halves are rounded up, unlike in Python."""
    found = _DIGITS.fullmatch(digits)
    if found is None:
        return _format_general(float(value))
    whole, decimals, thousands, exponent = found[1], found[2] or "", found[3], found[4]
    if exponent:
        return f"{float(value):.{len(decimals)}E}"
    scaled = whole.rstrip(",") if not found[2] else whole
    value /= 1000 ** (len(thousands) + len(whole) - len(scaled))
    rounded = value.quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP, _EXACT)
    text = f"{rounded:{',' if ',' in scaled else ''}f}"
    number, _, fraction = text.partition(".")
    optional = len(decimals) - len(decimals.rstrip("#?"))
    kept = fraction[: len(fraction) - optional] + fraction[len(fraction) - optional :].rstrip("0")
    number = number.rjust(scaled.count("0"), "0")
    return f"{number}.{kept}" if kept else number


def xlsx_to_markdown(members: dict[str, bytes], pictures: EmbeddedPages, limits: MediaLimits) -> str:
    """Convert a workbook. Each sheet becomes a heading, a table for each block of rows that no empty row divides, and
    then text boxes and pictures. A block one column wide becomes lines. A formula is shown as the value that was last
    calculated; the value of merged cells is in the first cell. Text that is struck through is marked. Raises
    InputTooLarge for too many cells or characters.

    Hidden sheets are named and left out. So are hidden rows and columns, which a line below the heading mentions.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about parts that openpyxl would lose when saving
        archive = ZipFile(packed(members))
        counter = _Counter(pictures.blob, limits)
        workbook = None
        with pictures.leaving_out("the workbook's styles"):
            workbook, struck = _loaded(members)
        if workbook is None:
            workbook, struck = _loaded(_without_styles(members))
        parts: list[str] = []
        seen: set[str] = set()
        sheets: list[Any] = workbook.worksheets
        for sheet in sheets:
            if sheet._worksheet_path in seen:
                raise ValueError("the workbook has the same sheet twice")
            seen.add(sheet._worksheet_path)
            name = escape_inline(text_file.one_line(sheet.title))
            if sheet.sheet_state != "visible":
                parts.append(f"## {name} (hidden, left out)")
                continue
            view = _View(archive.read(sheet._worksheet_path), struck)
            parts += [f"## {name}", view.note]
            for blocks in _sheet_blocks(sheet, view, counter), _sheet_drawings(archive, sheet, pictures):
                with pictures.leaving_out(f"the sheet {name}"):
                    parts.extend(blocks)
    return drawings.with_strokes("\n\n".join(filter(None, parts)))


def _loaded(members: dict[str, bytes]) -> tuple[Any, set[int]]:
    """Return the workbook, and the numbers of the styles of cells whose text is struck through."""
    # The properties of the document are not needed, and may be malformed.
    needed = {name: data for name, data in members.items() if not name.startswith("docProps/")}
    if b"cellXfs" not in members.get(_STYLES, b""):
        raise ValueError("a workbook has styles")
    workbook: Any = openpyxl.load_workbook(
        packed(needed), read_only=True, data_only=True, keep_links=False, rich_text=True
    )
    styles = enumerate(workbook._cell_styles)
    return workbook, {number for number, style in styles if workbook._fonts[style.fontId].strike}


def _without_styles(members: dict[str, bytes]) -> dict[str, bytes]:
    """Return the members of a workbook without settings and styles, except for the format codes of numbers."""
    workbook = _parsed(members["xl/workbook.xml"])
    for child in workbook:
        if etree.QName(child).localname not in ("workbookPr", "sheets"):
            workbook.remove(child)
    styles = _parsed(members.get(_STYLES, b"<empty/>"))
    codes = [one for one in styles.iterfind("{*}numFmts/{*}numFmt") if one.get("numFmtId", "").isdecimal()]
    numbers = [one.get("numFmtId", "") for one in styles.iterfind("{*}cellXfs/{*}xf")] or ["0"] * _MOST_STYLES
    formats = (f'<xf numFmtId="{number if number.isdecimal() else 0}"/>' for number in numbers)
    plain = (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<numFmts>{''.join(etree.tostring(one, encoding='unicode', with_tail=False) for one in codes)}</numFmts>"
        "<fonts><font/></fonts><fills><fill><patternFill/></fill></fills><borders><border/></borders>"
        f"<cellStyleXfs><xf/></cellStyleXfs><cellXfs>{''.join(formats)}</cellXfs></styleSheet>"
    )
    return {**members, "xl/workbook.xml": etree.tostring(workbook), _STYLES: plain.encode()}


def _parsed(part: bytes) -> etree._Element:
    return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True))


class _View:
    """The cells of a sheet that are not hidden."""

    def __init__(self, xml: bytes, struck: set[int]) -> None:
        self._rows: set[int] = set()
        self._columns: set[int] = set()
        self._struck = struck
        if _HIDING in xml:
            self._find_hidden(xml)

    @property
    def note(self) -> str:
        kinds = [kind for kind, hidden in (("rows", self._rows), ("columns", self._columns)) if hidden]
        return f"(hidden {' and '.join(kinds)} left out)" if kinds else ""

    def shows_row(self, number: int) -> bool:
        return number not in self._rows

    def shown(self, index: int, cell: Any) -> str:
        """Return the text of a cell, whose column has this index, as it is shown."""
        if cell is EMPTY_CELL or cell.value is None or index + 1 in self._columns:
            return ""
        if isinstance(cell.value, CellRichText) and cell._style_id not in self._struck:
            return "".join(map(_part_text, cell.value)).strip()
        text = shown(cell.value, cell.number_format).strip()
        return drawings.struck(text) if cell._style_id in self._struck else text

    def _find_hidden(self, xml: bytes) -> None:
        number = 0
        for _, element in etree.iterparse(
            BytesIO(xml), tag=("{*}row", "{*}col"), resolve_entities=False, no_network=True, huge_tree=True
        ):
            is_hidden = element.get("hidden") in ("1", "true")
            if element.tag.endswith("}row"):
                number = int(element.get("r", number + 1))
                if is_hidden:
                    self._rows.add(number)
            elif is_hidden and len(self._columns) < _MAX_COLUMNS:
                last = min(int(element.get("max", 0)), _MAX_COLUMNS)
                self._columns.update(range(max(1, int(element.get("min", 1))), last + 1))
            element.clear()


def _part_text(part: Any) -> str:
    """Return a part of a text with fonts of its own."""
    if isinstance(part, str):
        return part
    return drawings.struck(part.text) if part.font is not None and part.font.strike else str(part.text)


class _Counter:
    """Counts the cells of a workbook and their characters."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._cells = limits.cells
        self._chars = 0
        self._limits = limits

    def count_texts(self, texts: Collection[str]) -> None:
        """Count the cells of a row that have `texts`. Raises InputTooLarge."""
        self._cells -= len(texts)
        # A string that several cells share takes memory for each of them once it is part of a table.
        self._chars += sum(map(len, texts))
        text_file.check_length(self._chars, self._blob, self._limits)
        if self._cells < 0:
            raise self._blob.too_large(f"has more than {self._limits.cells} cells, the limit.")


def _sheet_blocks(sheet: Any, view: _View, counter: _Counter) -> Iterator[str]:
    sheet.reset_dimensions()  # the dimensions in a file may be wrong
    block: list[dict[int, str]] = []
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > _MAX_ROWS:
            raise ValueError("a row has a number that no sheet has")
        if not view.shows_row(number):
            continue
        texts = {index: text for index, cell in enumerate(row) if (text := view.shown(index, cell))}
        counter.count_texts(texts.values())
        if texts:
            block.append(texts)
        elif block:
            yield _block_table(block)
            block = []
    if block:
        yield _block_table(block)


def _block_table(block: list[dict[int, str]]) -> str:
    """Return a block as a table, or as lines of text if it is one cell wide."""
    left, right = min(map(min, block)), max(map(max, block))
    if left == right:
        return "\n".join(escape_line(text_file.one_line(row[left])) for row in block)
    return text_file.table(
        [escape_inline(row[index]) if index in row else "" for index in range(left, right + 1)] for row in block
    )


def _sheet_drawings(archive: ZipFile, sheet: Any, pictures: EmbeddedPages) -> Iterator[str]:
    """Yield the text boxes and pictures. openpyxl does not read these together with rows."""
    for drawing in _related_members(archive, sheet._worksheet_path, "/drawing").values():
        root = _parsed(archive.read(drawing))
        images = _related_members(archive, drawing, "/image")
        for anchor in root:
            yield "\n".join(map(escape_line, drawings.paragraphs(anchor)))
            for relationship, description in drawings.pictures(anchor):
                name = images.get(relationship)
                yield (pictures.marked(archive.read(name), name, description) if name else pictures.unread("missing"))


def _related_members(archive: ZipFile, name: str, kind: str) -> dict[str, str]:
    """Return the members to which `name` has relationships of this kind, by relationship id."""
    path = get_rels_path(name)  # type: ignore[no-untyped-call]
    known = set(archive.namelist())
    if path not in known:
        return {}
    related = get_dependents(archive, path)
    return {str(one.Id): one.target for one in related if one.Type.endswith(kind) and one.target in known}
