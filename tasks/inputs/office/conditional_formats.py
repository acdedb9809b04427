"""Judges which looks conditional formats may give the cells of a sheet (ECMA-376, part 1, 18.3.1.18 and 18.18.12).

A condition that cannot be judged may hold or not.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from io import BytesIO
from itertools import islice, pairwise
from typing import Any, NamedTuple

from lxml import etree
from openpyxl.styles import Color as CellColor
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries
from openpyxl.utils.datetime import to_excel

from tasks.inputs.contrast import Color, mixed
from tasks.inputs.office.colors import Grounds
from tasks.inputs.office.formulas import At, ErrorName, Formula, NotEvaluated, SheetError, Value, compared, known

MAX_COLUMNS = 16_384
_MOST_AREAS = 5_000
"""Conditional formats of at most this many areas are judged. With more, all of them may hold anywhere."""
_MOST_CHANGES = 500
"""At most this many different changes are held. With more, any cell may be unseen."""
_MOST_LOOKS = 64
"""If a cell may have more looks, one of them may be unseen."""
_MOST_STEPS = 3_000_000
_MOST_JUDGEMENTS = 1_500_000
"""Areas that are looked through, and parts of formulas that are evaluated, for a sheet. After that, all conditional
formats may hold."""
_MOST_VALUES = 200_000
"""The values of at most this many cells of a sheet are known to formulas."""
_NOT_KNOWN = ErrorName()
_MOST_COLORS = 20
"""At most this many colours of a rule are looked at."""
_SCALE_STEPS = 4
"""Colours that are looked at between two of a scale."""
_COMPARISONS = {
    "equal": "=",
    "notEqual": "<>",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}


class Change(NamedTuple):
    """The properties of a cell that a conditional format changes, without those that it leaves as they are."""

    color: Color | None = None
    fill: Grounds = ()
    hides: bool = False

    def under(self, other: "Change") -> "Change":
        """Return both changes, the other one with priority."""
        return Change(other.color or self.color, other.fill or self.fill, other.hides or self.hides)


Box = tuple[int, int, int, int]
"""The first and the last row, and the first and the last column of an area."""


class _ConditionalRule(NamedTuple):
    priority: int
    kind: str
    sign: str
    text: str
    formulas: tuple[Formula, ...]
    changes: tuple[Change, ...]
    """The changes of which it makes one."""
    stops: bool
    """True if no rule after it counts where it holds."""
    anchor: tuple[int, int] | None
    """The row and the column of the cell that its formulas are written for, if that is known."""

    @property
    def size(self) -> int:
        return 1 + sum(formula.size for formula in self.formulas)

    def holds(self, value: Value | ErrorName, at: At) -> bool | None:
        """Return whether the rule holds for a cell with this value; None if that cannot be judged."""
        match self.kind:
            case "colorScale" | "dataBar" | "iconSet":
                return isinstance(value, float)
            case "cellIs":
                return self._compares(value, at)
        # Programs differ in whether they go by the formula of a rule about texts or by its text.
        verdicts = {formula.holds(at) for formula in self.formulas[:1]}
        if self.text:
            verdicts.add(self._has_text("" if value is None else str(value).lower()))
        return verdicts.pop() if len(verdicts) == 1 else None

    def _compares(self, found: Value | ErrorName, at: At) -> bool | None:
        try:
            value = known(found)
            bounds = [formula.value(at) for formula in self.formulas[:2]]
        except SheetError:
            return False
        except NotEvaluated:
            return None
        if self.sign in ("between", "notBetween") and len(bounds) == 2:
            first, last = bounds if compared(bounds[0], "<=", bounds[1]) else reversed(bounds)
            is_between = compared(value, ">=", first) and compared(value, "<=", last)
            return is_between == (self.sign == "between")
        return compared(value, _COMPARISONS[self.sign], bounds[0]) if bounds and self.sign in _COMPARISONS else None

    def _has_text(self, text: str) -> bool | None:
        match self.kind:
            case "containsText":
                return self.text in text
            case "notContainsText":
                return self.text not in text
            case "beginsWith":
                return text.startswith(self.text)
            case "endsWith":
                return text.endswith(self.text)
        return None


class _Area(NamedTuple):
    """Cells that have a conditional format."""

    top: int
    bottom: int
    left: int
    right: int
    rule: _ConditionalRule


class CellRules(NamedTuple):
    """The rules for a cell, and what they may change."""

    by_priority: tuple[_ConditionalRule, ...]
    changes: frozenset[Change]


class ConditionalFormats:
    """The conditional formats of a sheet."""

    def __init__(
        self,
        changes_of: Callable[[Any], tuple[Change, ...]],
        color_of: Callable[[Any], Color],
        xml: bytes,
        strings: Sequence[object],
        epoch: dt.datetime,
    ) -> None:
        """`changes_of` returns what a format of openpyxl's may change, or one with a number; `xml` is the sheet,
        `strings` are those that its cells share, and days are counted from the `epoch`."""
        self.changes: frozenset[Change] = frozenset()
        """All changes of the sheet."""
        self._changes_by = changes_of
        self._color_of = color_of
        self._xml, self._strings, self._epoch = xml, strings, epoch
        self._elsewhere: Value | ErrorName = None
        self._areas: list[_Area] = []
        self._is_complete = True
        self._steps, self._judgements = _MOST_STEPS, _MOST_JUDGEMENTS
        self._stripe = -1
        self._in_columns: dict[int, CellRules] = {}
        self._change_sets: dict[frozenset[Change], frozenset[Change]] = {}

    def add(self, element: etree._Element) -> None:
        """Add the rules of an element `conditionalFormatting`."""
        places = element.get("sqref") or " ".join(one.text or "" for one in element.iterchildren("{*}sqref"))
        areas = [] if len(self._areas) > _MOST_AREAS else list(boxes(places))
        for one in element.iterchildren("{*}cfRule"):
            changes = tuple(self._changes_of(one)) or (Change(),)
            self.changes = _joined(self.changes, changes)
            self._is_complete = self._is_complete and len(self._areas) + len(areas) <= _MOST_AREAS
            if self._is_complete:
                rule = self._rule(one, changes, areas)
                self._areas += [_Area(*box, rule) for box in areas]

    def rules_of(self, cell: Any) -> CellRules | None:
        """Return the rules for a cell, None if they are not known."""
        stripe = bisect_right(self._edges, cell.row)
        if stripe != self._stripe:
            self._stripe, self._in_columns = stripe, {}
        if cell.column not in self._in_columns:
            areas = self._stripes[stripe]
            self._steps -= len(areas)
            if self._steps < 0 or not self._is_complete:
                return None
            rules = tuple(area.rule for area in areas if area.left <= cell.column <= area.right)
            changes: frozenset[Change] = frozenset()
            for rule in rules:
                changes = _joined(changes, rule.changes)
            # Equal sets are one, because they are keys for every cell.
            self._in_columns[cell.column] = CellRules(rules, self._change_sets.setdefault(changes, changes))
        return self._in_columns[cell.column]

    def possible_changes(self, cell: Any, rules: CellRules) -> set[Change] | None:
        """Return the changes of a cell's look that are possible by its rules; None if that is not known."""
        value = _value_of(cell, self._epoch)
        possible, ended = {Change()}, set[Change]()
        for rule in rules.by_priority:
            self._judgements -= rule.size + len(rule.changes) * len(possible)
            if self._judgements < 0 or len(possible) + len(ended) > _MOST_LOOKS:
                return None
            holds = self._holds(rule, cell, value)
            if holds is False:
                continue
            changed = {change.under(before) for change in rule.changes for before in possible}
            unchanged = set() if holds else possible
            if rule.stops:
                ended |= changed
                possible = unchanged
            else:
                possible = unchanged | changed
            if not possible:
                break
        return possible | ended

    def _holds(self, rule: _ConditionalRule, cell: Any, value: Value | ErrorName) -> bool | None:
        own = cell.row, cell.column
        anchor = rule.anchor or own

        def value_at(row: int, column: int) -> Value | ErrorName:
            if rule.anchor is None:
                return _NOT_KNOWN
            return value if (row, column) == own else self._values.get((row, column), self._elsewhere)

        return rule.holds(value, At(*own, own[0] - anchor[0], own[1] - anchor[1], value_at))

    @cached_property
    def _values(self) -> dict[tuple[int, int], Value | ErrorName]:
        values = _values_of(self._xml, self._strings)
        if len(values) > _MOST_VALUES:
            self._elsewhere = _NOT_KNOWN
        return values

    @cached_property
    def _edges(self) -> list[int]:
        """The rows between which all cells of a column have the same areas."""
        return sorted({edge for area in self._areas for edge in (area.top, area.bottom + 1)})

    @cached_property
    def _stripes(self) -> list[list[_Area]]:
        """The areas between two edges, in the order of their priority."""
        stripes: list[list[_Area]] = [[] for _ in range(len(self._edges) + 1)]
        for area in sorted(self._areas, key=lambda area: area.rule.priority):
            first, last = (bisect_right(self._edges, row) for row in (area.top, area.bottom))
            self._steps -= last - first + 1
            if self._steps < 0:
                break
            for stripe in stripes[first : last + 1]:
                stripe.append(area)
        return stripes

    def _rule(self, element: etree._Element, changes: tuple[Change, ...], areas: list[Box]) -> _ConditionalRule:
        # Programs differ in the cell that formulas are written for if it is not the first one of all.
        top, left = (min((box[side] for box in areas), default=0) for side in (0, 2))
        return _ConditionalRule(
            priority=_whole(element.get("priority", "")),
            kind=element.get("type", ""),
            sign=element.get("operator", ""),
            text=element.get("text", "").lower(),
            formulas=tuple(Formula(one.text or "") for one in element.iterchildren("{*}formula", "{*}f")),
            changes=changes,
            stops=element.get("stopIfTrue") in ("1", "true"),
            anchor=(top, left) if areas and (areas[0][0], areas[0][2]) == (top, left) else None,
        )

    def _changes_of(self, rule: etree._Element) -> Iterator[Change]:
        """Yield the changes of which a rule makes one."""
        kind = rule.get("type", "")
        if any(one.get("showValue") in ("0", "false") for one in rule.iterchildren("{*}dataBar", "{*}iconSet")):
            yield Change(hides=True)
        elif kind == "colorScale":
            for one in pairwise(self._colors_in(rule)):
                yield from (Change(fill=(mixed(*one, step / _SCALE_STEPS),)) for step in range(_SCALE_STEPS + 1))
        elif kind == "dataBar":
            # A bar may be too short to lie behind the text.
            yield Change()
            yield from (Change(fill=(color,)) for color in self._colors_in(rule))
        elif (own := rule.find("{*}dxf")) is not None:
            # A format that only newer programs know stands in the rule itself.
            try:
                yield from self._changes_by(DifferentialStyle.from_tree(own))  # type: ignore[arg-type]
            except (TypeError, ValueError, KeyError):
                yield Change(hides=True)
        else:
            yield from self._changes_by(rule.get("dxfId", ""))

    def _colors_in(self, rule: etree._Element) -> Iterator[Color]:
        for one in islice(rule.iter("{*}color", "{*}fillColor"), _MOST_COLORS):
            try:
                yield self._color_of(CellColor.from_tree(one))  # type: ignore[arg-type]
            except (TypeError, ValueError, KeyError):
                continue


def _joined(some: frozenset[Change], more: tuple[Change, ...]) -> frozenset[Change]:
    """Return all these changes; with too many, one in their place that hides a cell."""
    if some.issuperset(more):
        return some
    return some.union(more) if len(some) < _MOST_CHANGES else some.union({Change(hides=True)})


def boxes(places: str) -> Iterator[Box]:
    """Yield the areas that a text names, such as `A1:B9 D4`."""
    for place in places.split(maxsplit=_MOST_AREAS + 1)[: _MOST_AREAS + 1]:
        try:
            left, top, right, bottom = range_boundaries(place)
        except (ValueError, TypeError):
            continue
        yield top or 1, bottom or 1 << 31, left or 1, right or MAX_COLUMNS


def _value_of(cell: Any, epoch: dt.datetime) -> Value | ErrorName:
    value = cell.value
    if cell.data_type == "e":
        return ErrorName(value)
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        return float(to_excel(value, epoch))  # type: ignore[no-untyped-call]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if value is None or isinstance(value, (bool, float)) else str(value)


def _values_of(xml: bytes, strings: Sequence[object]) -> dict[tuple[int, int], Value | ErrorName]:
    """Return the values of the cells of a sheet: of one more than may be known if it has too many."""
    values: dict[tuple[int, int], Value | ErrorName] = {}
    row = column = 0
    for event, element in etree.iterparse(
        BytesIO(xml),
        events=("start", "end"),
        tag=("{*}row", "{*}c"),
        resolve_entities=False,
        no_network=True,
        huge_tree=True,
    ):
        is_row = element.tag.endswith("}row")
        if event == "end":
            if not is_row:
                values[row, column] = _raw_value(element, strings)
            element.clear()
        elif is_row:
            # Rows and cells without a number follow the ones before them.
            row, column = _whole(element.get("r", str(row + 1))), 0
        elif place := element.get("r"):
            try:
                row, column = coordinate_to_tuple(place)
            except (ValueError, TypeError):
                column += 1
        else:
            column += 1
        if len(values) > _MOST_VALUES:
            break
    return values


def _raw_value(cell: etree._Element, strings: Sequence[object]) -> Value | ErrorName:
    text = cell.findtext("{*}v") or ""
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(one.text or "" for one in cell.iterfind("{*}is//{*}t"))
    if not text and kind != "str":
        # The result of a formula that was not calculated is not known.
        return None if cell.find("{*}f") is None else _NOT_KNOWN
    try:
        match kind:
            case "n":
                return float(text)
            case "s":
                return str(strings[int(text)])
            case "b":
                return text in ("1", "true")
            case "str":
                return text
            case "e":
                return ErrorName(text)
    except (ValueError, IndexError):
        return _NOT_KNOWN
    return _NOT_KNOWN


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
