"""Converts workbooks to Markdown with openpyxl, row by row."""

import datetime as dt
import re
import warnings
from collections.abc import Collection, Iterator
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import openpyxl
from lxml import etree
from openpyxl.cell.read_only import EMPTY_CELL
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
_WHITE = re.compile(r"(?:[0-9A-F]{2})?(?:F[C-F]){3}", re.IGNORECASE)
_WHITE_INDEXES = (1, 9)
"""Numbers of white among the indexed colours (ECMA-376, part 1, 18.8.27)."""
_TINY = 1
"""Text of at most this many points is too small to be seen."""
_FLAT = re.compile(r"0(?:\.\d{1,20})?")
_HIDING = re.compile(rb"""hidden=|(?:ht|width)=["']0["'.]""")
"""Pattern of sheets with rows or columns that are hidden, or less than a point or a digit wide."""
_SHOWS_NOTHING = re.compile(r'(?:\s|"")*(?:;(?:\s|"")*){3}')
"""Pattern of number formats whose four parts, for numbers and texts, are empty."""
_BACKGROUNDS = (b"conditionalFormatting", b"tablePart", b"drawing", b"picture")
"""Names of what may lie behind the cells of a sheet."""
_POSITIONS_PER_CELL = 20
"""At most this many positions are visited per permitted cell, because a row may have its only cell in column 16,384."""

_SIGNS_OF_A_CELL = 3
"""Number of signs that divide a cell of a table from the next one: a stroke between two spaces."""


def shown(value: object, code: str) -> str:
    """Return a cell's value as text; "" for an empty cell."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
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
            return str(value)


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


def _format_number(value: float, code: str) -> str:
    sections = _parse_sections(code)
    index = 1 if value < 0 and len(sections) > 1 else 2 if value == 0 and len(sections) > 2 else 0
    section = sections[index]
    if section is None:
        return _format_general(value)
    prefix, digits, suffix, percent = section
    sign = "-" if value < 0 and index == 0 else ""
    if not digits:
        return prefix + suffix
    if digits == "General":
        return sign + prefix + _format_general(abs(value)) + suffix
    return sign + prefix + _format_digits(Decimal(repr(abs(value))) * 100**percent, digits) + suffix


def _format_general(value: float) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < _PLAIN):
        return str(int(value))
    return f"{value:.15g}"


_LONGEST_CODE = 255
"""Excel accepts format codes with at most this many characters. A number with a longer code is shown plainly."""


@lru_cache(maxsize=512)
def _parse_sections(code: str) -> list[tuple[str, str, str, int] | None]:
    """Return prefix, digits, suffix and number of per-cent signs of each section of `code`; None for a section that is
    not understood."""
    if len(code) > _LONGEST_CODE:
        return [None]
    sections: list[list[tuple[str, str]]] = [[]]
    for token in _TOKEN.finditer(code):
        quoted, escaped, currency, sign = token.groups()
        if sign == ";":
            sections.append([])
        elif sign and (sign[0] in "0#?" or sign[0] == "." or sign in ("General", "@")):
            sections[-1].append(("digits", "General" if sign == "@" else sign))
        else:
            literal = next((text for text in (quoted, escaped, currency, sign) if text), "")
            unknown = sign == "/" or token[0].startswith(("[<", "[>", "[="))
            sections[-1].append(("unknown" if unknown else "literal", literal))
    return [_parse_section(tokens) for tokens in sections]


def _parse_section(tokens: list[tuple[str, str]]) -> tuple[str, str, str, int] | None:
    digits = [index for index, (kind, _) in enumerate(tokens) if kind == "digits"]
    if any(kind == "unknown" for kind, _ in tokens) or len(digits) > 1:
        return None
    at = digits[0] if digits else len(tokens)
    prefix = "".join(text for _, text in tokens[:at])
    suffix = "".join(text for _, text in tokens[at + 1 :])
    return prefix, tokens[at][1] if digits else "", suffix, (prefix + suffix).count("%")


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
    InputTooLarge for too many cells, empty positions or characters.

    Hidden sheets are named and left out. So are hidden rows and columns, which a line below the heading mentions, and
    white text on white cells.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about parts that openpyxl would lose when saving
        file = packed(members)
        archive = ZipFile(file)
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        counter = _Counter(pictures.blob, limits)
        looks = _Looks(workbook)
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
            view = _View(archive.read(sheet._worksheet_path), looks)
            parts += [f"## {name}", view.note]
            parts += [*_sheet_blocks(sheet, view, counter), *_sheet_drawings(archive, sheet, pictures)]
    return drawings.with_strokes("\n\n".join(filter(None, parts)))


class _Looks:
    """The styles of cells, by their numbers, that change whether a reader sees the text as valid."""

    def __init__(self, workbook: Any) -> None:
        self.struck: set[int] = set()
        self.white: set[int] = set()
        for number, style in enumerate(workbook._cell_styles):
            font, fill = workbook._fonts[style.fontId], workbook._fills[style.fillId]
            if font.strike:
                self.struck.add(number)
            pattern = getattr(fill, "patternType", "gradient")
            is_on_white = pattern in (None, "none") or (pattern == "solid" and _is_white(fill.fgColor))
            if (_is_white(font.color) and is_on_white) or (font.sz is not None and font.sz <= _TINY):
                self.white.add(number)


def _is_white(color: Any) -> bool:
    if color is None:
        return False
    if color.type == "theme":
        return color.theme == 0 and not color.tint
    if color.type == "indexed":
        return color.indexed in _WHITE_INDEXES
    return color.type == "rgb" and _WHITE.fullmatch(str(color.rgb)) is not None


class _View:
    """The cells of a sheet that a reader sees."""

    def __init__(self, xml: bytes, looks: _Looks) -> None:
        self._rows: set[int] = set()
        self._columns: set[int] = set()
        self.struck = looks.struck
        # A rule, a table's style or a picture may put a colour behind a cell.
        self.white = set() if any(name in xml for name in _BACKGROUNDS) else looks.white
        if _HIDING.search(xml):
            self._find_hidden(xml)

    @property
    def note(self) -> str:
        kinds = [kind for kind, hidden in (("rows", self._rows), ("columns", self._columns)) if hidden]
        return f"(hidden {' and '.join(kinds)} left out)" if kinds else ""

    def shows_row(self, number: int) -> bool:
        return number not in self._rows

    def shown(self, index: int, cell: Any) -> str:
        """Return the text of a cell, whose column has this index, as it is seen."""
        if cell is EMPTY_CELL or cell.value is None or index + 1 in self._columns or cell._style_id in self.white:
            return ""
        if _SHOWS_NOTHING.fullmatch(cell.number_format):
            return ""
        text = shown(cell.value, cell.number_format).strip()
        return drawings.struck(text) if cell._style_id in self.struck else text

    def _find_hidden(self, xml: bytes) -> None:
        number = 0
        for _, element in etree.iterparse(
            BytesIO(xml), tag=("{*}row", "{*}col"), resolve_entities=False, no_network=True, huge_tree=True
        ):
            is_flat = any(_FLAT.fullmatch(element.get(side, "")) for side in ("ht", "width"))
            is_hidden = is_flat or element.get("hidden") in ("1", "true")
            if element.tag.endswith("}row"):
                number = int(element.get("r", number + 1))
                if is_hidden:
                    self._rows.add(number)
            elif is_hidden and len(self._columns) < _MAX_COLUMNS:
                last = min(int(element.get("max", 0)), _MAX_COLUMNS)
                self._columns.update(range(max(1, int(element.get("min", 1))), last + 1))
            element.clear()


class _Counter:
    """Counts the cells of a workbook, their characters, and the empty positions between them."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limit = limits.cells
        self._cells = limits.cells
        self._places = limits.cells * _POSITIONS_PER_CELL
        self._chars = 0
        self._signs = 0
        self._limits = limits

    def count_places(self, width: int) -> None:
        """Count a row of `width` positions, before its cells are looked at. Raises InputTooLarge."""
        self._places -= width + 1
        self._check()

    def count_texts(self, texts: Collection[str]) -> None:
        """Count the cells of a row that have `texts`. Raises InputTooLarge."""
        self._cells -= len(texts)
        # A string that several cells share takes memory for each of them once it is part of a table.
        self._chars += sum(map(len, texts))
        text_file.check_length(self._chars, self._blob, self._limits)
        self._check()

    def count_table(self, width: int, rows: int) -> None:
        """Count the signs between the cells of a table, before it is built. Raises InputTooLarge."""
        self._signs += rows * width * _SIGNS_OF_A_CELL
        text_file.check_length(self._signs, self._blob, self._limits)

    def _check(self) -> None:
        if min(self._cells, self._places) < 0:
            positions = self._limit * _POSITIONS_PER_CELL
            raise self._blob.too_large(
                f"has more than {self._limit} cells, or {positions} together with empty places between them, the limit."
            )


def _sheet_blocks(sheet: Any, view: _View, counter: _Counter) -> Iterator[str]:
    sheet.reset_dimensions()  # the dimensions in a file may be wrong
    block: list[dict[int, str]] = []
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > _MAX_ROWS:
            raise ValueError("a row has a number that no sheet has")
        counter.count_places(len(row))
        if not view.shows_row(number):
            continue
        texts = {index: text for index, cell in enumerate(row) if (text := view.shown(index, cell))}
        counter.count_texts(texts.values())
        if texts:
            block.append(texts)
        elif block:
            yield _block_table(block, counter)
            block = []
    if block:
        yield _block_table(block, counter)


def _block_table(block: list[dict[int, str]], counter: _Counter) -> str:
    """Return a block as a table, or as lines of text if it is one cell wide."""
    left, right = min(map(min, block)), max(map(max, block))
    if left == right:
        return "\n".join(escape_line(text_file.one_line(row[left])) for row in block)
    counter.count_table(right - left + 1, len(block))
    return text_file.table(
        [escape_inline(row[index]) if index in row else "" for index in range(left, right + 1)] for row in block
    )


def _sheet_drawings(archive: ZipFile, sheet: Any, pictures: EmbeddedPages) -> Iterator[str]:
    """Yield the text boxes and pictures. openpyxl does not read these together with rows."""
    for drawing in _related_members(archive, sheet._worksheet_path, "/drawing").values():
        root = etree.fromstring(archive.read(drawing), etree.XMLParser(resolve_entities=False, no_network=True))
        images = _related_members(archive, drawing, "/image")
        for anchor in root:
            yield "\n".join(map(escape_line, drawings.paragraphs(anchor)))
            for relationship, description in drawings.pictures(anchor):
                name = images.get(relationship)
                yield (
                    pictures.marked(archive.read(name), name, description) if name else text_file.unread_note("missing")
                )


def _related_members(archive: ZipFile, name: str, kind: str) -> dict[str, str]:
    """Return the members to which `name` has relationships of this kind, by relationship id."""
    path = get_rels_path(name)  # type: ignore[no-untyped-call]
    known = set(archive.namelist())
    if path not in known:
        return {}
    related = get_dependents(archive, path)
    return {str(one.Id): one.target for one in related if one.Type.endswith(kind) and one.target in known}
