"""Divides labels from the values that touch them in a text: `Customer,Peter Schmidt` in a file of two columns,
`CUSTOMER=Maria Lopez`, `Total....753.60`. A tab takes the place of the sign, as in files with tabs."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from models.fair_executor import Slices
from tasks.result import SourceLine

LEAST_ROWS: Final = 3
"""A table of two columns has at least this many rows."""
_LINES_AT_ONCE: Final = 500
"""One slice of the work examines this many lines."""
_LABEL = r"\s*+[^\W\d_][\w ()/#'-]{0,60}?"
_SIGN = re.compile(rf"({_LABEL})(?:=(?![=~>])|\.{{4,}}|\N{{BOX DRAWINGS LIGHT VERTICAL}})(?=[^\s=])")
"""Pattern of a label and a sign that divides it from the value. Three dots may be an ellipsis."""
_CELLS: Final = {
    sign: re.compile(rf'({_LABEL})(?<![\d ]){sign}(?=(?:"[^"]*+"|[^\s{sign}"][^{sign}"]*+)?\s*+$)') for sign in ",;"
}
"""Pattern of a row with two cells, by the sign between them. A comma after a figure may be a decimal comma."""


def with_divided_cells(lines: Sequence[SourceLine]) -> Slices[list[SourceLine]]:
    """Return the lines with a tab between each label and the value that touches it."""
    found = yield from _all_divided(lines, _SIGN)
    for cells in _CELLS.values():
        divided = yield from _all_divided(found, cells)
        start = 0
        for index in range(len(found) + 1):
            if index == len(found) or divided[index] is found[index]:
                if index - start >= LEAST_ROWS:
                    found[start:index] = divided[start:index]
                start = index + 1
    return found


def _all_divided(lines: Sequence[SourceLine], pattern: re.Pattern[str]) -> Slices[list[SourceLine]]:
    found: list[SourceLine] = []
    for start in range(0, len(lines), _LINES_AT_ONCE):
        yield
        found += [_divided(line, pattern) for line in lines[start : start + _LINES_AT_ONCE]]
    return found


def _divided(line: SourceLine, pattern: re.Pattern[str]) -> SourceLine:
    match = pattern.match(line.written)
    if match is None:
        return line
    written = f"{match[1]}\t{line.written[match.end() :]}"
    return replace(line, words=tuple(written.split()), written=written)
