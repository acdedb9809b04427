"""Evaluates formulas of workbooks as far as conditions mostly need it: values, cells of the same sheet, operators and
some functions (ECMA-376, part 1, 18.17)."""

import math
import operator
import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from openpyxl.utils.cell import column_index_from_string

Value = bool | float | str | None
"""The value of a formula or a cell; None for an empty cell."""
_ROWS, _COLUMNS = 1_048_576, 16_384
_LONGEST = 255
"""Formulas of more characters are not evaluated."""
_DEEPEST = 12
"""Formulas with more parentheses and functions within each other are not evaluated."""
_LONGEST_TEXT = 32_767
"""A text in a workbook has at most this many characters."""
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"(?:[^"]|"")*")
    | (?P<number>(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:E[+-]?\d{1,3})?)
    | (?P<cell>\$?[A-Z]{1,3}\$?[1-9]\d{0,6})(?![\w.(!:])
    | (?P<function>[A-Z][A-Z.]{0,30})\(
    | (?P<truth>TRUE|FALSE)(?![\w.(!:])
    | (?P<sign><>|<=|>=|[-+*/^&=<>%(),])
    )\s*""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_CELL = re.compile(r"(\$?)([A-Z]+)(\$?)(\d+)", re.IGNORECASE)


class NotEvaluated(Exception):
    """Raised for formulas that are not evaluated, and for cells whose value is not known."""


class SheetError(Exception):
    """Raised for the errors of a workbook, with their name, such as `#N/A`."""


class ErrorName(str):
    """The name of an error that a cell has as its value; "" if its value is not known."""

    __slots__ = ()


class At(NamedTuple):
    """The cell that a formula is evaluated for."""

    row: int
    column: int
    down: int
    """Rows between the cell that the formula was written for and this one."""
    across: int
    cell: Callable[[int, int], Value | ErrorName]
    """Returns the value of the cell in a row and a column."""


Node = Callable[[At], Value]


class Formula:
    """A formula, for any cell."""

    def __init__(self, text: str) -> None:
        try:
            parser = _FormulaParser(text)
            self._node, self.size = parser.parsed(), parser.size
        except NotEvaluated:
            self._node, self.size = _refuse, 1

    def value(self, at: At) -> Value:
        """Return the value for a cell. Raises NotEvaluated and SheetError."""
        return self._node(at)

    def holds(self, at: At) -> bool | None:
        """Return whether the formula is true for a cell, which an error is not; None if that is not known."""
        try:
            value = self.value(at)
        except SheetError:
            return False
        except NotEvaluated:
            return None
        return None if isinstance(value, str) else bool(value)


def known(value: Value | ErrorName) -> Value:
    """Return the value of a cell. Raises NotEvaluated and SheetError."""
    if isinstance(value, ErrorName):
        raise SheetError(value) if value else NotEvaluated
    return value


def compared(one: Value, sign: str, other: Value) -> bool:
    """Return whether a comparison holds. Numbers are less than texts, and these less than truth values."""
    one, other = _beside(one, other), _beside(other, one)
    return bool(_COMPARISONS[sign]((_rank(one), one), (_rank(other), other)))


def _beside(value: Value, other: Value) -> bool | float | str:
    """Return a value for a comparison, in which an empty cell is like nothing of the other value's type."""
    if value is None:
        return "" if isinstance(other, str) else False if isinstance(other, bool) else 0.0
    return value.lower() if isinstance(value, str) else value


def _rank(value: Value) -> int:
    return 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


_COMPARISONS: dict[str, Callable[..., bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _refuse(_: At) -> NoReturn:
    raise NotEvaluated


def _number(value: Value) -> float:
    if not isinstance(value, str):
        return float(value or 0)
    # Whether a text is a number depends on the country.
    raise NotEvaluated if any(map(str.isdigit, value)) else SheetError("#VALUE!")


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}"
    return value or ""


def _calculated(sign: str, one: Value, other: Value) -> Value:
    if sign in _COMPARISONS:
        return compared(one, sign, other)
    if sign == "&":
        text = _text(one) + _text(other)
        if len(text) > _LONGEST_TEXT:
            raise SheetError("#VALUE!")
        return text
    try:
        result = _ARITHMETIC[sign](_number(one), _number(other))
    except (ArithmeticError, ValueError):
        raise SheetError("#DIV/0!") from None
    if isinstance(result, complex) or not math.isfinite(result):
        raise SheetError("#NUM!")
    return float(result)


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}
_LEVELS = (tuple(_COMPARISONS), ("&",), ("+", "-"), ("*", "/"), ("^",))
"""Operators, the loosest first."""


class _Reference:
    """A cell that a formula names."""

    def __init__(self, name: str) -> None:
        found = _CELL.fullmatch(name)
        if found is None or (column := column_index_from_string(found[2].upper())) > _COLUMNS:
            raise NotEvaluated
        self._row, self._column = int(found[4]), column
        self._is_row_fixed, self._is_column_fixed = bool(found[3]), bool(found[1])

    def place(self, at: At) -> tuple[int, int]:
        row = self._row if self._is_row_fixed else (self._row + at.down - 1) % _ROWS + 1
        column = self._column if self._is_column_fixed else (self._column + at.across - 1) % _COLUMNS + 1
        return row, column

    def __call__(self, at: At) -> Value:
        return known(at.cell(*self.place(at)))


class _FormulaParser:
    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise NotEvaluated
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise NotEvaluated
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()
        self.size = len(self._tokens)
        self._next = self._depth = 0

    def parsed(self) -> Node:
        node = self._operation()
        if self._next < len(self._tokens):
            raise NotEvaluated
        return node

    def _taken(self, *signs: str) -> str:
        """Return the next token and go on if it is one of these signs; "" if it is not."""
        kind, sign = self._tokens[self._next] if self._next < len(self._tokens) else ("", "")
        if kind != "sign" or sign not in signs:
            return ""
        self._next += 1
        return sign

    def _operation(self, level: int = 0) -> Node:
        if level == len(_LEVELS):
            return self._operand()
        node = self._operation(level + 1)
        while sign := self._taken(*_LEVELS[level]):
            node = _operation(sign, node, self._operation(level + 1))
        return node

    def _operand(self) -> Node:
        signs = 0
        while sign := self._taken("+", "-"):
            signs += sign == "-"
        node = self._primary()
        while self._taken("%"):
            node = _operation("/", node, lambda _: 100.0)
        return _operation("*", node, lambda _: (-1.0) ** signs) if signs else node

    def _primary(self) -> Node:
        if self._next == len(self._tokens):
            raise NotEvaluated
        kind, value = self._tokens[self._next]
        self._next += 1
        match kind:
            case "text":
                text = value[1:-1].replace('""', '"')
                return lambda _: text
            case "number":
                number = float(value)
                return lambda _: number
            case "truth":
                truth = value.upper() == "TRUE"
                return lambda _: truth
            case "cell":
                return _Reference(value)
            case "function":
                return _call(value.upper(), self._arguments())
        if value != "(":
            raise NotEvaluated
        (node,) = self._arguments(most=1)
        return node

    def _arguments(self, most: int = _LONGEST) -> list[Node]:
        """Return what stands in parentheses, after the opening one."""
        self._depth += 1
        nodes: list[Node] = []
        if self._depth > _DEEPEST:
            raise NotEvaluated
        if most == 1 or not self._taken(")"):
            nodes.append(self._operation())
            while len(nodes) < most and self._taken(","):
                nodes.append(self._operation())
            if not self._taken(")"):
                raise NotEvaluated
        self._depth -= 1
        return nodes


def _operation(sign: str, one: Node, other: Node) -> Node:
    return lambda at: _calculated(sign, one(at), other(at))


def _call(name: str, nodes: list[Node]) -> Node:
    """Return the call of a function."""
    if name in ("ROW", "COLUMN"):
        index = ("ROW", "COLUMN").index(name)
        if not nodes:
            return lambda at: float((at.row, at.column)[index])
        (node,) = nodes if len(nodes) == 1 else [None]
        if not isinstance(node, _Reference):
            raise NotEvaluated
        return lambda at: float(node.place(at)[index])
    least, most, function = _FUNCTIONS.get(name, (1, 0, _refuse))
    if not least <= len(nodes) <= most:
        raise NotEvaluated
    return lambda at: function(*(lambda node=node: node(at) for node in nodes))


_Argument = Callable[[], Value]
"""Returns the value of an argument, which not every function needs."""


def _all(*arguments: _Argument) -> bool:
    is_known = True
    for argument in arguments:
        try:
            if not _number(argument()):
                return False
        except NotEvaluated:
            is_known = False
    if not is_known:
        raise NotEvaluated
    return True


def _any(*arguments: _Argument) -> bool:
    return not _all(*(lambda one=one: not _number(one()) for one in arguments))


def _if(condition: _Argument, then: _Argument, otherwise: _Argument = lambda: False) -> Value:
    return then() if _number(condition()) else otherwise()


def _if_error(argument: _Argument, otherwise: _Argument) -> Value:
    try:
        return argument()
    except SheetError:
        return otherwise()


def _is_error(argument: _Argument) -> str:
    """Return the name of the error that an argument is; "" for none."""
    try:
        argument()
    except SheetError as error:
        return str(error)
    return ""


def _is(*kinds: type) -> Callable[[_Argument], bool]:
    return lambda argument: not _is_error(argument) and type(argument()) in kinds


def _search(needle: _Argument, text: _Argument) -> float:
    sought = _text(needle()).lower()
    if any(sign in sought for sign in "?*~"):
        raise NotEvaluated
    place = _text(text()).lower().find(sought)
    if place < 0:
        raise SheetError("#VALUE!")
    return place + 1.0


def _part(text: _Argument, count: _Argument, *, from_end: bool) -> str:
    whole, length = _text(text()), int(_number(count()))
    if length < 0:
        raise SheetError("#VALUE!")
    return whole[max(len(whole) - length, 0) :] if from_end else whole[:length]


def _remainder(one: _Argument, other: _Argument) -> Value:
    dividend, divisor = _number(one()), _number(other())
    if not divisor:
        raise SheetError("#DIV/0!")
    return dividend % divisor


_MANY = _LONGEST
_FUNCTIONS: dict[str, tuple[int, int, Callable[..., Value]]] = {
    "TRUE": (0, 0, lambda: True),
    "FALSE": (0, 0, lambda: False),
    "AND": (1, _MANY, _all),
    "OR": (1, _MANY, _any),
    "NOT": (1, 1, lambda one: not _number(one())),
    "IF": (2, 3, _if),
    "IFERROR": (2, 2, _if_error),
    "ISERROR": (1, 1, lambda one: bool(_is_error(one))),
    "ISERR": (1, 1, lambda one: _is_error(one) not in ("", "#N/A")),
    "ISNA": (1, 1, lambda one: _is_error(one) == "#N/A"),
    "ISBLANK": (1, 1, _is(type(None))),
    "ISNUMBER": (1, 1, _is(float)),
    "ISTEXT": (1, 1, _is(str)),
    "ISLOGICAL": (1, 1, _is(bool)),
    "LEN": (1, 1, lambda one: float(len(_text(one())))),
    "TRIM": (1, 1, lambda one: re.sub(" +", " ", _text(one())).strip(" ")),
    "LEFT": (1, 2, lambda text, count=lambda: 1.0: _part(text, count, from_end=False)),
    "RIGHT": (1, 2, lambda text, count=lambda: 1.0: _part(text, count, from_end=True)),
    "SEARCH": (2, 2, _search),
    "ABS": (1, 1, lambda one: abs(_number(one()))),
    "MOD": (2, 2, _remainder),
}
"""Functions with the least and the largest number of their arguments."""
