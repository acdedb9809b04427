"""Converts workbooks to Markdown with openpyxl, row by row."""

import datetime as dt
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from io import BytesIO
from itertools import repeat
from typing import Any, NamedTuple
from zipfile import ZipFile

import openpyxl
from lxml import etree
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.cell.rich_text import CellRichText
from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import ARC_STYLE, ARC_THEME

from tasks.inputs.limits import MediaLimits
from tasks.inputs.office import drawings, usual_sheets
from tasks.inputs.office.bounds import packed
from tasks.inputs.office.colors import Theme
from tasks.inputs.office.conditional_formats import Box
from tasks.inputs.office.sheet_shapes import areas_of_shapes
from tasks.inputs.office.table_styles import TableStyles
from tasks.inputs.office.unseen_cells import CellView, Looks
from tasks.inputs.office.unseen_shapes import remove_from_sheet
from tasks.inputs.pictured_text import EmbeddedPages
from tasks.inputs.sight import Sight
from tasks.inputs.source import Blob
from tasks.inputs.text import text_file
from tasks.markdown_text import escape_inline, escape_line, unsure

# Numbers and dates are shown by their format codes (ECMA-376 part 1, 18.8.31), without national conventions. Dates are
# always in ISO 8601. A number whose code asks for a fraction or has a condition is shown plainly.
_TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|([0#?.,]+(?:E[+-]?[0#?]+)?|@|General|.)')
_COLOR = re.compile(r"\[(Black|Blue|Cyan|Green|Magenta|Red|White|Yellow|Color ?\d{1,2})\]", re.IGNORECASE)
_DIGITS = re.compile(r"([0#?,]*)(?:\.([0#?]*))?(,*)(E[+-]?[0#?]+)?")
_EXACT = Context(prec=700)
"""Decimal context with enough digits for any float and for all decimals that a format code can demand."""
_PLAIN = 1e15
"""A float that is a whole number below this is shown with all its digits. Larger floats are inexact, and spreadsheets
show them with an exponent."""
_MAX_ROWS = 1_048_576
"""An Excel sheet has at most this many rows. openpyxl would count up to any number that a row claims to have."""
_MAX_COLUMNS = 16_384
_FAR_ROWS = 1_000
_FAR_COLUMNS = 100
"""Cells that this many empty rows or columns divide from all before them are out of a reader's sight."""
_FONTS = b"rPr"
"""Name of the fonts of parts of texts."""
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


def color_of(value: object, code: str) -> str:
    """Return the name of the colour that a format code gives a value; "" for none."""
    section = _section_of(value, code)
    return "" if section is None else section.color


_AT_START = re.compile(r".*\d\s*|(?:.*[\d\s])?[.,]\s*", re.DOTALL)
"""Pattern of what would be read as a part of the number that follows: figures, or a point that ends no word."""
_AT_END = re.compile(r"^\s*+[.,]?+\s*+\d.*", re.DOTALL)
"""Pattern of what would be read as a part of the number before it."""
_BUILT_IN = frozenset(BUILTIN_FORMATS.values())
_DOUBTFUL = re.compile(r"\*[\d.,+-]|\[[<>=]|\[\$-(?!(?:0?1?0?1)?[0-9A-F]{1,4}\]|x-sys)", re.IGNORECASE)
"""Pattern of a sign that fills a cell and looks like a part of a number, of a condition, and of figures or a calendar
of another kind than the usual ones."""
_ERAS = frozenset("bgeBGE")
"""Signs of date formats that count years from another one."""


@lru_cache(maxsize=512)
def _parse_doubts(code: str) -> tuple[bool, bool]:
    """Return whether a code has a doubtful part, and whether it has figures in its texts, or years of an era."""
    tokens = [token[0] for token in _TOKEN.finditer(code[:_LONGEST_CODE])]
    texts = [token for token in tokens if token[0] in '"\\123456789' or (token.startswith("[$") and token[2:3] != "-")]
    is_doubtful = len(code) > _LONGEST_CODE or any(_DOUBTFUL.match(token) for token in tokens)
    return is_doubtful, any(map(_has_figure, texts)) or not _ERAS.isdisjoint(tokens)


def _has_figure(text: str) -> bool:
    return any(sign.isdecimal() for sign in text)


def is_plain(value: object, code: str) -> bool:
    """True if a format code shows the value itself, and nothing that would be read as a part of it.

    A reader of the sheet may otherwise see another number or date than `shown` returns.
    """
    # Among the built-in codes of openpyxl is one that lacks its semicolons.
    if value is None or code in _BUILT_IN:
        return True
    is_doubtful, has_figures = _parse_doubts(code)
    if not isinstance(value, (int, float, str)):
        return not (is_doubtful or has_figures)
    section = _section_of(value, code)
    if isinstance(value, (str, bool)):
        return section is None or not _adds_figures(section)
    if is_doubtful or section is None or not (section.digits or value == 0):
        return False
    has_wrong_sign = value > 0 and section.prefix.strip() in ("-", "\u2212")
    return not (has_wrong_sign or _adds_figures(section))


def _adds_figures(section: "_FormatSection") -> bool:
    if not section.digits:
        return _has_figure(section.prefix)
    return bool(_AT_START.fullmatch(section.prefix) or _AT_END.fullmatch(section.suffix))


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
    prefix, digits, suffix, percent, *_ = section
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
    color: str
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
        elif color := _COLOR.fullmatch(token[0]):
            sections[-1].append(("color", color[1]))
        else:
            literal = next((text for text in (quoted, escaped, currency, sign) if text), "")
            unknown = sign == "/" or token[0].startswith(("[<", "[>", "[="))
            kind = "unknown" if unknown else "percent" if sign == "%" else "literal"
            sections[-1].append((kind, literal))
    return [_parse_section(tokens) for tokens in sections]


def _parse_section(tokens: list[tuple[str, str]]) -> _FormatSection | None:
    color = next((text for kind, text in tokens if kind == "color"), "")
    tokens = [token for token in tokens if token[0] != "color"]
    digits = [index for index, (kind, _) in enumerate(tokens) if kind == "digits"]
    if any(kind == "unknown" for kind, _ in tokens) or len(digits) > 1:
        return None
    at = digits[0] if digits else len(tokens)
    prefix = "".join(text for _, text in tokens[:at])
    suffix = "".join(text for _, text in tokens[at + 1 :])
    number = tokens[at][1] if digits else ""
    percents = sum(kind == "percent" for kind, _ in tokens)
    return _FormatSection(prefix, "General" if number == "@" else number, suffix, percents, color, number == "@")


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

    Hidden sheets are named and left out. So are hidden rows and columns, and cells far from the others, which a line
    mentions. Text that is tiny, or in the colour of its cell, is left out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about parts that openpyxl would lose when saving
        file = packed(members)
        archive = ZipFile(file)
        has_fonts = any(
            _FONTS in part for name, part in members.items() if name.startswith(("xl/sharedStrings", "xl/worksheets/"))
        )
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False, rich_text=has_fonts)
        counter = _Counter(pictures.blob, limits)
        looks, table_styles = _looks(archive, workbook), TableStyles(workbook)
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
            xml, tables = archive.read(sheet._worksheet_path), _tables(archive, sheet._worksheet_path, table_styles)
            shown_drawings = _drawings(archive, sheet._worksheet_path, looks.theme)
            view = CellView(xml, looks, tables, sheet._shared_strings)
            for root in shown_drawings.values():
                view.cover(areas_of_shapes(root, looks.theme, view.grid))
            parts += [f"## {name}", view.note]
            parts += _sheet_blocks(_rows(sheet, xml, has_fonts), view, counter)
            parts += _sheet_drawings(archive, shown_drawings, pictures)
    return drawings.with_strokes("\n\n".join(filter(None, parts)))


def _looks(archive: ZipFile, workbook: Any) -> Looks:
    """Return the looks of a workbook's cells. All are unusual if something of the workbook is, or if other programs
    read its styles, theme or strings from other parts of the file than openpyxl, which knows some by their names."""
    names = archive.namelist()
    styles = usual_sheets.unusual_styles(archive.read(ARC_STYLE)) if ARC_STYLE in names else frozenset()
    paths = list(_related_members(archive, "", "/officeDocument").values())
    if len(paths) != 1:
        return Looks(workbook, None)
    root = usual_sheets.parsed(archive.read(paths[0]))
    kinds = ("/styles", "/theme", "/sharedStrings")
    parts, themes, strings = (set(_related_members(archive, paths[0], kind).values()) for kind in kinds)
    is_usual = (
        usual_sheets.is_usual_workbook(root)
        and parts == {ARC_STYLE}.intersection(names)
        and themes == {ARC_THEME}.intersection(names)
        and len(strings) <= 1
        and all(usual_sheets.are_usual_strings(archive.read(name)) for name in strings)
    )
    are_formulas_sure = not usual_sheets.is_calculated_when_opened(root)
    return Looks(workbook, styles if is_usual else None, are_formulas_sure=are_formulas_sure)


def _seen(view: CellView, row: Sequence[Any], index: int) -> str:
    """Return the text of the cell that has this index in its row, as it is seen."""
    cell = row[index]
    if cell is EMPTY_CELL or cell.value is None or not view.shows_column(index):
        return ""
    value = cell.value
    if isinstance(value, CellRichText):
        parts = (("", None, part) if isinstance(part, str) else (part.text, part.font, "") for part in value)
        cut = Sight.UNSURE if view.is_cut(row, index, str(value)) else Sight.SEEN
        return "".join(
            _as_seen(drawings.struck(text) if font is not None and font.strike else text or plain, sight)
            for text, font, plain in parts
            if (sight := max(view.sight(cell, font=font), cut)) <= Sight.UNSURE
        ).strip()
    code = cell.number_format
    laid_out = shown(value, code)
    text = laid_out.strip()
    if not text or (sight := view.sight(cell, color_of(value, code))) > Sight.UNSURE:
        return ""
    is_sure = is_plain(value, code) and not view.is_cut(row, index, laid_out)
    sight = sight if is_sure else Sight.UNSURE
    return _as_seen(drawings.struck(text) if view.is_struck(cell) else text, sight)


def _as_seen(text: str, sight: Sight) -> str:
    return unsure(text) if sight == Sight.UNSURE else text


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


def _rows(sheet: Any, xml: bytes, has_fonts: bool) -> Iterator[tuple[Any, ...]]:
    """Yield the cells of each row, of none for a row that the file lacks.

    The rows of openpyxl's own sheets lose the fonts of texts that stand in the cells themselves.
    """
    workbook = sheet.parent
    parser = WorkSheetParser(
        BytesIO(xml),
        sheet._shared_strings,
        data_only=True,
        epoch=workbook.epoch,
        date_formats=workbook._date_formats,
        timedelta_formats=workbook._timedelta_formats,
        rich_text=has_fonts,
    )
    count = 0
    for number, cells in parser.parse():
        if number <= count:
            raise ValueError("a row stands behind one that comes after it")
        yield from repeat((), number - count - 1)
        yield sheet._get_row(cells)
        count = number


def _sheet_blocks(rows: Iterable[tuple[Any, ...]], view: CellView, counter: _Counter) -> Iterator[str]:
    block: list[dict[int, str]] = []
    empty_rows, last_column, is_far = 0, -1, False
    for number, row in enumerate(rows, start=1):
        if number > _MAX_ROWS:
            raise ValueError("a row has a number that no sheet has")
        counter.count_places(len(row))
        if not view.shows_row(number):
            continue
        texts = {}
        for index, text in enumerate(_seen(view, row, index) for index in range(len(row))):
            if not text:
                continue
            gap = index - last_column
            if gap > _FAR_COLUMNS and view.columns_between(last_column, index) >= _FAR_COLUMNS:
                is_far = True
            else:
                texts[index] = text
                last_column = max(last_column, index)
        counter.count_texts(texts.values())
        if texts and empty_rows >= _FAR_ROWS:
            is_far = True
            break
        empty_rows = 0 if texts else empty_rows + 1
        if texts:
            block.append(texts)
        elif block:
            yield _block_table(block, counter)
            block = []
    if block:
        yield _block_table(block, counter)
    if is_far:
        yield "(cells far from the others left out)"


def _block_table(block: list[dict[int, str]], counter: _Counter) -> str:
    """Return a block as a table, or as lines of text if it is one cell wide."""
    left, right = min(map(min, block)), max(map(max, block))
    if left == right:
        return "\n".join(escape_line(text_file.one_line(row[left])) for row in block)
    counter.count_table(right - left + 1, len(block))
    return text_file.table(
        [escape_inline(row[index]) if index in row else "" for index in range(left, right + 1)] for row in block
    )


def _drawings(archive: ZipFile, sheet: str, theme: Theme) -> dict[str, etree._Element]:
    """Return the drawings of a sheet by their names, without what is unseen of them."""
    roots: dict[str, etree._Element] = {}
    for name in _related_members(archive, sheet, "/drawing").values():
        roots[name] = etree.fromstring(archive.read(name), etree.XMLParser(resolve_entities=False, no_network=True))
        remove_from_sheet(roots[name], theme)
    return roots


def _sheet_drawings(archive: ZipFile, roots: dict[str, etree._Element], pictures: EmbeddedPages) -> Iterator[str]:
    """Yield the text boxes and pictures. openpyxl does not read these together with rows."""
    for drawing, root in roots.items():
        images = _related_members(archive, drawing, "/image")
        for anchor in root:
            yield "\n".join(map(escape_line, drawings.paragraphs(anchor)))
            for relationship, description in drawings.pictures(anchor):
                name = images.get(relationship)
                yield (
                    pictures.marked(archive.read(name), name, description) if name else text_file.unread_note("missing")
                )


def _tables(archive: ZipFile, sheet: str, styles: TableStyles) -> list[Box]:
    """Return the areas of a sheet that the styles of its tables may colour."""
    areas: list[Box] = []
    for name in _related_members(archive, sheet, "/table").values():
        root = etree.fromstring(archive.read(name), etree.XMLParser(resolve_entities=False, no_network=True))
        areas += styles.colored_areas(root)
    return areas


def _related_members(archive: ZipFile, name: str, kind: str) -> dict[str, str]:
    """Return the members to which `name` has relationships of this kind, by relationship id."""
    path = get_rels_path(name)  # type: ignore[no-untyped-call]
    known = set(archive.namelist())
    if path not in known:
        return {}
    related = get_dependents(archive, path)
    return {str(one.Id): one.target for one in related if one.Type.endswith(kind) and one.target in known}
