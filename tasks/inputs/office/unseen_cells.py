"""Judges which cells of a workbook a reader sees: by their styles, their conditional formats, and their rows and
columns (ECMA-376, part 1, 18.3 and 18.8)."""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from io import BytesIO
from itertools import accumulate
from typing import Any, NamedTuple

from lxml import etree
from openpyxl.cell.rich_text import CellRichText
from openpyxl.utils.cell import coordinate_to_tuple

from tasks.inputs.contrast import BLACK, WHITE, Color, is_seen
from tasks.inputs.office import colors, usual_sheets
from tasks.inputs.office.cell_grid import Grid, Layout
from tasks.inputs.office.colors import Grounds, Theme
from tasks.inputs.office.conditional_formats import MAX_COLUMNS, Box, Change, ConditionalFormats, boxes
from tasks.inputs.office.measures import is_tiny
from tasks.inputs.sight import Sight

_THEME = ("lt1", "dk1", "lt2", "dk2", *(f"accent{number}" for number in range(1, 7)), "hlink", "folHlink")
"""Colours of the theme by their numbers (ECMA-376, part 1, 18.8.3)."""
_FOREGROUND, _BACKGROUND = 64, 65
"""Numbers of the colours of the system among the indexed ones."""
_FIRST_NAMED = 7
"""Number of the indexed colour before the one that number formats call `Color1`."""
_NARROW = re.compile(r"0(?:\.\d{1,20})?")
"""Pattern of the width of a column that is less than a digit wide."""
_SIGN_FONT = re.compile("dings|symbol", re.IGNORECASE)
"""Pattern of the names of fonts whose letters are signs."""
_KEEPS_FIGURES = re.compile(r"(?:General|@|#,##0|0)?(?:\.0+)?|[; \"]*")
"""Pattern of formats under which a number has the figures that it has without them."""
_WHITE: Grounds = (WHITE,)
_MOST_STEPS = 5_000_000
"""Areas of tables that are looked through, and pairs of colours that are compared, for a sheet."""


class Look(NamedTuple):
    """The look of a cell's text."""

    color: Color
    fill: Grounds = ()
    """The colours of the cell, none if it has none."""
    size: float = 11.0
    is_struck: bool = False
    shows_value: bool = True

    def is_unseen(self, ground: Grounds, color: Color | None = None) -> bool:
        """True if nothing is seen where `ground` lies behind the cell, in this colour or in its own."""
        is_lost = is_tiny(self.size) or not is_seen(color or self.color, self.fill or ground)
        return is_lost or not self.shows_value

    def after(self, change: Change) -> "Look":
        """Return the look with the change of a conditional format."""
        return self._replace(
            color=change.color or self.color,
            fill=change.fill or self.fill,
            shows_value=self.shows_value and not change.hides,
        )


class Looks:
    """The looks of cells by the numbers of their styles."""

    def __init__(self, workbook: Any, unusual: Collection[int] | None = (), *, are_formulas_sure: bool = True) -> None:
        """`unusual` are the styles that may show a text otherwise than is known here, None for all."""
        self._unusual = unusual
        self.are_formulas_sure = are_formulas_sure
        """False if programs do not show the saved values of formulas."""
        self.base_size: float = workbook._fonts[0].sz or 11.0 if workbook._fonts else 11.0
        """The size in points of the font that widths of columns are counted in."""
        self.theme = Theme(workbook.loaded_theme or None)
        self._palette = list(workbook._colors)
        self._cells = [
            self._look(workbook._fonts[style.fontId], workbook._fills[style.fillId]) for style in workbook._cell_styles
        ]
        self._layouts = [
            _layout(
                workbook._fonts[style.fontId], workbook._alignments[style.alignmentId] if style.alignmentId else None
            )
            for style in workbook._cell_styles
        ]
        self._formats: list[Any] = workbook._differential_styles.styles
        self.epoch: dt.datetime = workbook.epoch

    def of(self, style: int) -> Look:
        return self._cells[style] if style < len(self._cells) else Look(BLACK)

    def layout(self, style: int) -> Layout:
        return self._layouts[style] if style < len(self._layouts) else Layout()

    def is_unusual(self, style: int) -> bool:
        return self._unusual is None or style in self._unusual

    def changes(self, format_: Any) -> tuple[Change, ...]:
        """Return what a conditional format may change, which has this number or is this one."""
        if isinstance(format_, str):
            is_number = format_.isdecimal() and len(format_) < 7
            format_ = self._formats[int(format_)] if is_number and int(format_) < len(self._formats) else None
        if format_ is None:
            return (Change(),)
        font, fill, number = format_.font, format_.fill, format_.numFmt
        code = "" if number is None else number.formatCode
        change = Change(
            None if font is None or font.color is None else self.color(font.color),
            () if fill is None else self._fill(fill, is_change=True),
            bool(code) and set(code) <= {";", '"', " "},
        )
        return (change,) if _KEEPS_FIGURES.fullmatch(code) else (change, change._replace(hides=True))

    def of_run(self, font: Any, look: Look) -> Look:
        """Return the look of a part of a cell's text, which has a font of its own."""
        if font.color is not None:
            look = look._replace(color=self.color(font.color))
        return look if font.sz is None else look._replace(size=font.sz)

    def named(self, name: str) -> Color | None:
        """Return the colour that number formats call by this name, such as `White` or `Color 2`."""
        found = re.fullmatch(r"colou?r ?(\d{1,2})", name, re.IGNORECASE)
        return self._indexed(_FIRST_NAMED + int(found[1])) if found else colors.of_css(name) if name.isalpha() else None

    def _look(self, font: Any, fill: Any) -> Look:
        return Look(self.color(font.color), self._fill(fill), font.sz or 11.0, bool(font.strike))

    def _fill(self, fill: Any, *, is_change: bool = False) -> Grounds:
        pattern = getattr(fill, "patternType", "gradient")
        if pattern == "gradient":
            return tuple(self.color(stop.color, WHITE) for stop in fill.stop) or colors.UNKNOWN
        if is_change and pattern in (None, "solid"):
            # In a conditional format, the colour of a plain fill is that of its background.
            return (self.color(fill.bgColor, WHITE),)
        if pattern in (None, "none"):
            return ()
        ink = self.color(fill.fgColor)
        return (ink,) if pattern == "solid" else (ink, self.color(fill.bgColor, WHITE))

    def color(self, color: Any, usual: Color = BLACK) -> Color:
        found = None
        if color is not None and color.type == "theme":
            found = self.theme.named(_THEME[color.theme]) if 0 <= color.theme < len(_THEME) else None
        elif color is not None and color.type == "indexed":
            found = self._indexed(color.indexed)
        elif color is not None and color.type == "rgb":
            found = colors.of_hex(str(color.rgb)[-6:])
        if found is None:
            return usual
        tint = min(max(color.tint or 0.0, -1.0), 1.0)
        return colors.lightened(found, 1 - abs(tint), max(tint, 0.0))

    def _indexed(self, index: int) -> Color | None:
        if index in (_FOREGROUND, _BACKGROUND):
            return BLACK if index == _FOREGROUND else WHITE
        return colors.of_hex(str(self._palette[index])[-6:]) if 0 <= index < len(self._palette) else None


class CellView:
    """The cells of a sheet that a reader sees."""

    def __init__(self, xml: bytes, looks: Looks, tables: Sequence[Box], strings: Sequence[object]) -> None:
        """`tables` are the areas that the styles of tables may colour, and `strings` those that cells share."""
        self._unusual_rows: set[int] = set()
        self._looks = looks
        self._tables = tables
        self._formats = ConditionalFormats(looks.changes, looks.color, xml, strings, looks.epoch)
        self._always_seen: dict[tuple[object, ...], bool] = {}
        self._calculated_anew: set[tuple[int, int]] = set()
        """The rows and columns of cells whose saved value programs do not show."""
        self._shows_zeros = True
        self._merges = _Areas(are_merges=True)
        self._covers = _Areas()
        self._steps = _MOST_STEPS
        self.grid = Grid(looks.base_size)
        self._is_unusual = not self._read(xml)

    def cover(self, areas: Iterable[Box]) -> None:
        """Note areas of cells on which something lies, before any cell is judged."""
        self._covers.areas += areas

    @property
    def note(self) -> str:
        axes = (("rows", self.grid.rows, is_tiny), ("columns", self.grid.columns, _is_narrow))
        kinds = [kind for kind, axis, is_hidden in axes if any(map(is_hidden, (axis.usual, *axis.sizes.values())))]
        return f"(hidden {' and '.join(kinds)} left out)" if kinds else ""

    def shows_row(self, number: int) -> bool:
        return not is_tiny(self.grid.rows.size(number))

    def shows_column(self, index: int) -> bool:
        return not _is_narrow(self.grid.columns.size(index + 1))

    def columns_between(self, left: int, right: int) -> int:
        """Return the number of columns that are shown after one index and before another."""
        return self._shown_before[right] - self._shown_before[left + 1]

    @cached_property
    def _shown_before(self) -> list[int]:
        """The number of columns that are shown before each index."""
        return [0, *accumulate(map(self.shows_column, range(MAX_COLUMNS)))]

    def is_struck(self, cell: Any) -> bool:
        return self._looks.of(cell._style_id).is_struck

    def sight(self, cell: Any, color_name: str = "", font: Any = None) -> Sight:
        """Return how well the text of a cell is seen, or a part of it in another font. `color_name` is that of the
        colour which the cell's format gives the text.

        Where a conditional format cannot be judged, text is seen only if it is seen with it and without it.
        """
        is_zero = isinstance(cell.value, (int, float)) and cell.value is not False and not cell.value
        if self._merges.cover(cell.row, cell.column) or (is_zero and not self._shows_zeros):
            return Sight.UNSEEN
        is_doubted = self._is_unusual or cell.row in self._unusual_rows or self._looks.is_unusual(cell._style_id)
        is_doubted = is_doubted or (cell.row, cell.column) in self._calculated_anew
        is_doubted = is_doubted or self._covers.cover(cell.row, cell.column)
        is_doubted = is_doubted or (font is not None and self._is_unusual_run(font, self._looks.of(cell._style_id)))
        own = self._sight(cell, self._looks.of(cell._style_id), color_name, font)
        return max(own, Sight.UNSURE) if is_doubted else own

    @staticmethod
    def _is_unusual_run(font: Any, look: Look) -> bool:
        """True if a part of a text is raised or lowered, may be cut as it is larger than the rest, or shows signs."""
        is_raised = font.vertAlign in ("superscript", "subscript")
        return is_raised or (font.sz or 0) > look.size or _SIGN_FONT.search(font.rFont or "") is not None

    def is_cut(self, row: Sequence[Any], index: int, text: str) -> bool:
        """True if the cell with this index in its row shows this text, which is its own, in a way that may be taken for
        another one."""
        cell = row[index]
        is_number = not isinstance(cell.value, (str, CellRichText))
        return self.grid.cuts(row, index, text, self._looks.layout(cell._style_id), is_number=is_number)

    def _sight(self, cell: Any, look: Look, color_name: str, font: Any) -> Sight:
        if font is not None:
            look = self._looks.of_run(font, look)
        color = self._looks.named(color_name) if color_name else None
        if self._is_always_seen(look, color, _WHITE, self._formats.changes):
            return Sight.SEEN
        ground = colors.UNKNOWN if self._is_in_table(cell) else _WHITE
        rules = self._formats.rules_of(cell)
        if rules is not None and self._is_always_seen(look, color, ground, rules.changes):
            return Sight.SEEN
        possible = None if rules is None else self._formats.possible_changes(cell, rules)
        unseen = {look.after(change).is_unseen(ground, color) for change in possible or ()}
        if unseen == {True}:
            return Sight.UNSEEN
        return Sight.SEEN if unseen == {False} else Sight.UNSURE

    def _is_in_table(self, cell: Any) -> bool:
        self._steps -= len(self._tables)
        return self._steps >= 0 and any(
            top <= cell.row <= bottom and left <= cell.column <= right for top, bottom, left, right in self._tables
        )

    def _is_always_seen(self, base: Look, color: Color | None, ground: Grounds, changes: frozenset[Change]) -> bool:
        """True if text is seen whichever of some conditional formats hold."""
        key = base, color, ground, changes
        if key not in self._always_seen:
            fills = {base.fill or ground, *(change.fill for change in changes if change.fill)}
            inks = {color} if color else {base.color, *(change.color for change in changes if change.color)}
            self._steps -= len(fills) * len(inks)
            self._always_seen[key] = (
                self._steps >= 0
                and not any(change.hides for change in changes)
                and not any(base._replace(color=ink, fill=fill).is_unseen(fill) for ink in inks for fill in fills)
            )
        return self._always_seen[key]

    def _read(self, xml: bytes) -> bool:
        """Return whether the sheet is usual, except for some of its rows."""
        number, is_usual = 0, True
        tags = (
            "{*}sheetFormatPr",
            "{*}col",
            "{*}row",
            "{*}mergeCell",
            "{*}conditionalFormatting",
            "{*}sparkline",
            "{*}sheetView",
        )
        reader = etree.iterparse(
            BytesIO(usual_sheets.without_plain_cells(xml, are_formulas_plain=self._looks.are_formulas_sure)),
            tag=tags,
            resolve_entities=False,
            no_network=True,
            huge_tree=True,
        )
        for _, element in reader:
            kind = etree.QName(element).localname
            if kind == "row":
                number = int(element.get("r", number + 1))
                self._read_row(element, number)
            else:
                is_usual = is_usual and usual_sheets.is_usual(element)
            match kind:
                case "sheetFormatPr":
                    self._read_defaults(element)
                case "col":
                    self._read_columns(element)
                case "mergeCell":
                    self._merges.areas += boxes(element.get("ref", ""))
                case "conditionalFormatting":
                    self._formats.add(element)
                case "sheetView":
                    self._shows_zeros = self._shows_zeros and element.get("showZeros") not in ("0", "false")
                case "sparkline":
                    self._covers.areas += boxes(element.findtext("{*}sqref", ""))
            element.clear()
        self.grid.merges = {(box[0], box[2]): box for box in self._merges.areas}
        return is_usual and usual_sheets.is_usual(reader.root)

    def _read_defaults(self, element: etree._Element) -> None:
        rows, columns = self.grid.rows, self.grid.columns
        rows.usual = _number(element.get("defaultRowHeight"), rows.usual)
        columns.usual = _number(element.get("defaultColWidth"), columns.usual)
        self.grid.are_rows_fixed = _is_on(element, "customHeight")

    def _read_columns(self, element: etree._Element) -> None:
        first, last = max(1, int(element.get("min", 1))), min(int(element.get("max", 0)), MAX_COLUMNS)
        self._steps -= last - first + 1
        if self._steps < 0:
            raise ValueError("the columns of a sheet have too many widths")
        width = 0.0 if _is_on(element, "hidden") else _number(element.get("width"), self.grid.columns.usual)
        self.grid.columns.sizes.update(dict.fromkeys(range(first, last + 1), width))

    def _read_row(self, element: etree._Element, number: int) -> None:
        height = element.get("ht")
        points = 0.0 if _is_on(element, "hidden") else _number(height, self.grid.rows.usual)
        if height is not None or not points:
            self.grid.rows.sizes[number] = points
        if not usual_sheets.is_usual(element):
            self._unusual_rows.add(number)
        for cell in element.iterchildren("{*}c"):
            formula = cell.find("{*}f")
            if formula is None:
                continue
            place = coordinate_to_tuple(cell.get("r", "A1"))
            if not cell.findtext("{*}v"):
                self.grid.uncalculated.add(place)
            elif _is_on(formula, "ca") or not self._looks.are_formulas_sure:
                self._calculated_anew.add(place)


class _Areas:
    """Areas of a sheet that cover cells. Merged cells cover all of theirs but the first."""

    def __init__(self, areas: Sequence[Box] = (), *, are_merges: bool = False) -> None:
        self.areas = list(areas)
        self._are_merges = are_merges
        self._row = 0
        self._next = 0
        self._current: list[Box] = []
        """The areas that have cells in the row, and in rows before it."""
        self._covered: set[int] = set()
        self._steps = _MOST_STEPS

    def cover(self, row: int, column: int) -> bool:
        """True if an area covers this cell. Rows must be asked for in their order.

        Any cell is covered where the areas are too many to be looked through, as they are in no ordinary sheet.
        """
        if self.areas and row != self._row and self._steps >= 0:
            self._go_to(row)
        return column in self._covered or self._steps < 0

    def _go_to(self, row: int) -> None:
        if not self._row:
            self.areas.sort()
        before, self._row = self._current, row
        self._current = [area for area in before if area[1] >= row]
        while self._next < len(self.areas) and self.areas[self._next][0] <= row:
            if self.areas[self._next][1] >= row:
                self._current.append(self.areas[self._next])
            self._next += 1
        self._covered = set()
        for top, _, left, right in self._current:
            self._steps -= right - left + 2
            if self._steps < 0:
                break
            self._covered.update(range(left + (self._are_merges and top == row), right + 1))


def _layout(font: Any, alignment: Any) -> Layout:
    size = font.sz or 11.0
    if alignment is None:
        return Layout(size)
    angle = int(alignment.textRotation or 0)
    return Layout(
        size,
        alignment.horizontal or "general",
        bool(alignment.wrap_text) or "justify" in (alignment.horizontal, alignment.vertical),
        bool(alignment.shrink_to_fit),
        angle - 90 if angle > 90 else angle,
        int(alignment.indent or 0),
    )


def _is_narrow(width: float) -> bool:
    """True if a column of this width is less than a digit wide."""
    return width < 1


def _is_on(element: etree._Element, switch: str) -> bool:
    return element.get(switch) in ("1", "true")


def _number(value: str | None, usual: float) -> float:
    try:
        return usual if value is None else float(value[:20])
    except ValueError:
        return usual
