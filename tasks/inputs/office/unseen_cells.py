"""Judges which cells of a workbook a reader sees: by their styles, their conditional formats, and their rows and
columns (ECMA-376, part 1, 18.3 and 18.8)."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any, NamedTuple

from lxml import etree
from openpyxl.utils.cell import range_boundaries

from tasks.inputs.office import colors
from tasks.inputs.office.colors import Color, Grounds, Theme
from tasks.inputs.office.measures import is_tiny

_MAX_COLUMNS = 16_384
_THEME = ("lt1", "dk1", "lt2", "dk2", *(f"accent{number}" for number in range(1, 7)), "hlink", "folHlink")
"""Colours of the theme by their numbers (ECMA-376, part 1, 18.8.3)."""
_FOREGROUND, _BACKGROUND = 64, 65
"""Numbers of the colours of the system among the indexed ones."""
_FIRST_NAMED = 7
"""Number of the indexed colour before the one that number formats call `Color1`."""
_NARROW = re.compile(r"0(?:\.\d{1,20})?")
"""Pattern of the width of a column that is less than a digit wide."""
_HIDING = re.compile(rb"""hidden=|(?:ht|width)=["'][0-2]["'.]|onditionalFormatting|tablePart|picture""")
"""Pattern of sheets with what hides cells, or lies behind them."""
_MOST_AREAS = 500
"""Conditional formats and tables of at most this many areas are judged. With more, all cells are seen."""
_MOST_LOOKS = 16
_MOST_PAIRS = 400
_MOST_JUDGEMENTS = 1_000_000
"""At most this many rules are looked at for a sheet. Cells after that are seen if a conditional format may be for
them."""
_LITERAL = re.compile(r'\s*(?:(TRUE|FALSE)(?:\(\))?|([+-]?\d{1,15}(?:\.\d{1,15})?)|"([^"]{0,255})")\s*', re.IGNORECASE)
_EFFECTS = ("colorScale", "dataBar")
"""Conditional formats that put a colour behind a cell."""


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
        is_lost = is_tiny(self.size) or not colors.is_seen(color or self.color, self.fill or ground)
        return is_lost or not self.shows_value


class Looks:
    """The looks of cells by the numbers of their styles."""

    def __init__(self, workbook: Any) -> None:
        self.theme = Theme(workbook.loaded_theme or None)
        self._palette = list(workbook._colors)
        self._cells = [
            self._look(workbook._fonts[style.fontId], workbook._fills[style.fillId]) for style in workbook._cell_styles
        ]
        self._formats: list[Any] = workbook._differential_styles.styles

    def of(self, style: int) -> Look:
        return self._cells[style] if style < len(self._cells) else Look(colors.BLACK)

    def after(self, look: Look, number: str | None) -> Look:
        """Return a look with what a conditional format changes, which has this number."""
        if number is None or not number.isdecimal() or len(number) > 6 or int(number) >= len(self._formats):
            return look
        change = self._formats[int(number)]
        if change.font is not None and change.font.color is not None:
            look = look._replace(color=self._color(change.font.color, colors.BLACK))
        if change.fill is not None:
            look = look._replace(fill=self._fill(change.fill, is_change=True))
        code = "" if change.numFmt is None else change.numFmt.formatCode
        return look._replace(shows_value=look.shows_value and not (code and set(code) <= {";", '"', " "}))

    def of_run(self, font: Any, look: Look) -> Look:
        """Return the look of a part of a cell's text, which has a font of its own."""
        if font.color is not None:
            look = look._replace(color=self._color(font.color, colors.BLACK))
        return look if font.sz is None else look._replace(size=font.sz)

    def named(self, name: str) -> Color | None:
        """Return the colour that number formats call by this name, such as `White` or `Color 2`."""
        found = re.fullmatch(r"colou?r ?(\d{1,2})", name, re.IGNORECASE)
        return self._indexed(_FIRST_NAMED + int(found[1])) if found else colors.of_css(name) if name.isalpha() else None

    def _look(self, font: Any, fill: Any) -> Look:
        size = 11.0 if font.sz is None else font.sz
        return Look(self._color(font.color, colors.BLACK), self._fill(fill), size, bool(font.strike))

    def _fill(self, fill: Any, *, is_change: bool = False) -> Grounds:
        pattern = getattr(fill, "patternType", "gradient")
        if pattern == "gradient":
            return tuple(self._color(stop.color, colors.WHITE) for stop in fill.stop) or colors.UNKNOWN
        if is_change and pattern in (None, "solid"):
            # In a conditional format, the colour of a plain fill is that of its background.
            return (self._color(fill.bgColor, colors.WHITE),)
        if pattern in (None, "none"):
            return ()
        ink = self._color(fill.fgColor, colors.BLACK)
        return (ink,) if pattern == "solid" else (ink, self._color(fill.bgColor, colors.WHITE))

    def _color(self, color: Any, usual: Color) -> Color:
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
            return colors.BLACK if index == _FOREGROUND else colors.WHITE
        return colors.of_hex(str(self._palette[index])[-6:]) if 0 <= index < len(self._palette) else None


class _CellRule(NamedTuple):
    """A rule of a conditional format."""

    priority: int
    kind: str
    operator: str
    text: str
    values: tuple[bool | float | str | None, ...]
    """The values of its formulas, None for one that is more than a value."""
    change: str | None
    """The number of the format that it gives."""
    stops: bool
    """True if no rule after it counts where it holds."""
    hides_numbers: bool
    has_effect: bool
    """True if it puts a colour that is not known behind a cell."""

    def holds(self, value: Any) -> bool | None:
        """Return whether the rule holds for a cell with this value; None if that cannot be judged."""
        text = str(value).lower()
        is_plain = bool(text.strip()) and not text.startswith("#")
        match self.kind:
            case "colorScale" | "dataBar" | "iconSet":
                return True
            case "expression" if self.values and isinstance(self.values[0], (bool, float)):
                return bool(self.values[0])
            case "cellIs" if self.values and None not in self.values:
                return _compared(value, self.operator, self.values)
            case "containsText" if self.text:
                return self.text in text
            case "notContainsText" if self.text:
                return self.text not in text
            case "beginsWith" if self.text:
                return text.startswith(self.text)
            case "endsWith" if self.text:
                return text.endswith(self.text)
            case "notContainsBlanks" | "notContainsErrors" if is_plain:
                return True
            case "containsBlanks" | "containsErrors" if is_plain:
                return False
        return None


class _Area(NamedTuple):
    """Cells that have a conditional format, or the style of a table if there is no rule."""

    top: int
    bottom: int
    left: int
    right: int
    rule: _CellRule | None


class CellView:
    """The cells of a sheet that a reader sees."""

    def __init__(self, xml: bytes, looks: Looks, tables: list[str]) -> None:
        """`tables` are the areas of the sheet's tables that have a style."""
        self._rows: set[int] = set()
        self._columns: set[int] = set()
        self._looks = looks
        self._ground: Grounds = (colors.WHITE,)
        self._areas: list[_Area] = []
        self._unseen: dict[int, bool] = {}
        self._left = _MOST_JUDGEMENTS
        self._stripe = -1
        self._in_rows: list[_Area] = []
        self._in_columns: dict[int, list[_Area]] = {}
        self._always_seen: dict[tuple[Look, int], bool] = {}
        if tables or _HIDING.search(xml):
            self._areas += _areas(" ".join(tables), None)
            self._read(xml)
        # Ordered by priority, the last goes before the others.
        self._areas.sort(key=lambda area: 1 << 40 if area.rule is None else area.rule.priority, reverse=True)
        if len(self._areas) > _MOST_AREAS:
            self._areas, self._ground = [], colors.UNKNOWN
        self._edges = sorted({edge for area in self._areas for edge in (area.top, area.bottom + 1)})

    @property
    def note(self) -> str:
        kinds = [kind for kind, hidden in (("rows", self._rows), ("columns", self._columns)) if hidden]
        return f"(hidden {' and '.join(kinds)} left out)" if kinds else ""

    def shows_row(self, number: int) -> bool:
        return number not in self._rows

    def columns_between(self, left: int, right: int) -> int:
        """Return the number of columns that are shown after one index and before another."""
        return right - left - 1 - sum(left < column - 1 < right for column in self._columns)

    def shows_column(self, index: int) -> bool:
        return index + 1 not in self._columns

    def is_struck(self, cell: Any) -> bool:
        return self._looks.of(cell._style_id).is_struck

    def shows(self, cell: Any, color_name: str = "", font: Any = None) -> bool:
        """True if the text of a cell is seen, or a part of it in another font. `color_name` is that of the colour which
        the cell's format gives the text."""
        color = self._looks.named(color_name) if color_name else None
        areas = self._areas_of(cell) if self._areas else []
        if areas or color is not None or font is not None:
            look = self._looks.of(cell._style_id)
            look = look if font is None else self._looks.of_run(font, look)
            if self._left < 0 or (color is None and self._is_always_seen(look, cell.column, areas)):
                return True
            possible = self._possible_looks(look, cell.value, areas)
            return any(not one.is_unseen(ground, color) for one, ground in possible)
        style = cell._style_id
        if style not in self._unseen:
            self._unseen[style] = self._looks.of(style).is_unseen(self._ground)
        return not self._unseen[style]

    def _areas_of(self, cell: Any) -> list[_Area]:
        stripe = bisect_right(self._edges, cell.row)
        if stripe != self._stripe:
            # Rows between two edges have the same areas.
            self._stripe, self._in_columns, self._always_seen = stripe, {}, {}
            self._in_rows = [area for area in self._areas if area.top <= cell.row <= area.bottom]
        if cell.column not in self._in_columns:
            self._left -= len(self._in_rows)
            areas = [area for area in self._in_rows if area.left <= cell.column <= area.right]
            self._in_columns[cell.column] = areas if self._left >= 0 else self._in_rows
        return self._in_columns[cell.column]

    def _is_always_seen(self, base: Look, column: int, areas: list[_Area]) -> bool:
        """True if text in a column of these rows is seen whichever of the rules hold."""
        key = base, column
        if key not in self._always_seen:
            self._left -= len(areas)
            changes = [self._changed(base, area.rule, 0) for area in areas if area.rule is not None]
            fills = {base.fill or self._ground, *(look.fill or self._ground for look in changes)}
            inks = {base.color, *(look.color for look in changes)}
            self._always_seen[key] = (
                all(look.shows_value for look in (base, *changes))
                and len(fills) * len(inks) <= _MOST_PAIRS
                and not any(base._replace(color=ink, fill=fill).is_unseen(fill) for ink in inks for fill in fills)
            )
        return self._always_seen[key]

    def _possible_looks(self, base: Look, value: Any, areas: list[_Area]) -> Iterable[tuple[Look, Grounds]]:
        """Return the looks that text may have after conditional formats, and what lies behind it."""
        ground = colors.UNKNOWN if any(area.rule is None for area in areas) else self._ground
        self._left -= len(areas)
        found = [base]
        for rule in (area.rule for area in areas if area.rule is not None):
            holds = rule.holds(value)
            if holds is False:
                continue
            changed = [self._changed(look, rule, value) for look in found]
            stops = [self._changed(base, rule, value)] if rule.stops else []
            found = stops or changed if holds else list(dict.fromkeys([*found, *changed, *stops]))
            if len(found) > _MOST_LOOKS:
                return [(base._replace(fill=()), colors.UNKNOWN)]
        return [(look, ground) for look in found]

    def _changed(self, look: Look, rule: _CellRule, value: Any) -> Look:
        if rule.hides_numbers and isinstance(value, (int, float)):
            return look._replace(shows_value=False)
        return look._replace(fill=colors.UNKNOWN) if rule.has_effect else self._looks.after(look, rule.change)

    def _read(self, xml: bytes) -> None:
        number = 0
        tags = ("{*}row", "{*}col", "{*}conditionalFormatting", "{*}picture")
        for _, element in etree.iterparse(
            BytesIO(xml), tag=tags, resolve_entities=False, no_network=True, huge_tree=True
        ):
            match etree.QName(element).localname:
                case "row":
                    number = int(element.get("r", number + 1))
                    if _is_switched_off(element) or is_tiny(_number(element.get("ht"), 15.0)):
                        self._rows.add(number)
                case "col":
                    if len(self._columns) < _MAX_COLUMNS and (
                        _is_switched_off(element) or _NARROW.fullmatch(element.get("width", ""))
                    ):
                        last = min(int(element.get("max", 0)), _MAX_COLUMNS)
                        self._columns.update(range(max(1, int(element.get("min", 1))), last + 1))
                case "conditionalFormatting":
                    if len(self._areas) <= _MOST_AREAS:
                        self._areas += _conditions(element)
                case _:
                    self._ground = colors.UNKNOWN
            element.clear()


def _is_switched_off(element: etree._Element) -> bool:
    return element.get("hidden") in ("1", "true")


def _conditions(element: etree._Element) -> Iterator[_Area]:
    """Yield the areas of a conditional format with its rules."""
    places = element.get("sqref") or " ".join(one.text or "" for one in element.iterchildren("{*}sqref"))
    for one in element.iterchildren("{*}cfRule"):
        kind = one.get("type", "")
        parts = list(one.iterchildren("{*}dataBar", "{*}iconSet"))
        rule = _CellRule(
            priority=int(_number(one.get("priority"), 0.0)),
            kind=kind,
            operator=one.get("operator", ""),
            text=one.get("text", "").lower(),
            values=tuple(_literal(formula.text or "") for formula in one.iterchildren("{*}formula", "{*}f")),
            change=one.get("dxfId"),
            stops=one.get("stopIfTrue") in ("1", "true"),
            hides_numbers=any(part.get("showValue") in ("0", "false") for part in parts),
            # A format that only newer programs know stands in the rule itself.
            has_effect=kind in _EFFECTS or one.find("{*}dxf") is not None,
        )
        yield from _areas(places, rule)


def _areas(places: str, rule: _CellRule | None) -> Iterator[_Area]:
    for place in places.split()[: _MOST_AREAS + 1]:
        try:
            left, top, right, bottom = range_boundaries(place)
        except (ValueError, TypeError):
            continue
        yield _Area(top or 1, bottom or 1 << 31, left or 1, right or _MAX_COLUMNS, rule)


def _literal(formula: str) -> bool | float | str | None:
    """Return the value of a formula that is only a value; None for other formulas."""
    found = _LITERAL.fullmatch(formula)
    if found is None:
        return None
    truth, number, text = found.groups()
    return truth.upper() == "TRUE" if truth else float(number) if number else str(text)


def _compared(value: Any, operator: str, literals: Sequence[Any]) -> bool | None:
    if isinstance(value, bool) or any(isinstance(one, bool) for one in literals):
        return None
    if isinstance(value, str):
        value, literals = value.lower(), [one.lower() if isinstance(one, str) else one for one in literals]
    if any(isinstance(one, str) != isinstance(value, str) for one in literals):
        # Excel orders all texts after all numbers.
        rank = int(isinstance(value, str))
        value, literals = rank, [int(isinstance(one, str)) for one in literals]
    elif not isinstance(value, (int, float, str)):
        return None
    first, last = literals[0], literals[-1]
    return {
        "equal": value == first,
        "notEqual": value != first,
        "lessThan": value < first,
        "lessThanOrEqual": value <= first,
        "greaterThan": value > first,
        "greaterThanOrEqual": value >= first,
        "between": first <= value <= last,
        "notBetween": not first <= value <= last,
    }.get(operator)


def _number(value: str | None, usual: float) -> float:
    try:
        return usual if value is None else float(value[:20])
    except ValueError:
        return usual
