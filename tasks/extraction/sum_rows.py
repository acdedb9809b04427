"""Tells the rows of a table that sum, carry, open or close an account from those that are items: by their label, and by
the cells that items have and these rows lack."""

import tomllib
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import dropwhile, islice, takewhile
from pathlib import Path
from typing import Final, Literal

from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.folding import fold, without_accents
from tasks.notation.cells import looks_numeric, moment, number
from tasks.notation.currencies import is_currency
from tasks.notation.dates import is_day_of_a_year

SUMS: Final = frozenset(
    ("total", "net", "change", "rounding", "opening_balance", "closing_balance", "net_pay", "deductions")
)
"""Concepts that label sums. A row with such a label is not an item."""
BALANCES: Final = frozenset(("opening_balance", "closing_balance", "balance"))
"""Concepts of the amounts in an account before or after its items, which are not the sums of these."""
STAGES: Final = frozenset(("tax", "discount", "deposit", "paid", "balance"))
"""Concepts of taxes, payments and other amounts below a sum."""
LONGEST_LABEL: Final = 80
"""A label has at most this many characters."""
MAX_WORDS: Final = 4
"""A sum's label has at most this many words. A longer text describes an item."""
CELLS_OF_SUM: Final = 2
"""A row that goes on from a sum has at most this many cells: its label and its amount."""
CENT: Final = 0.006
"""The error of each figure of a sum is smaller than this, in units of the currency."""
FEWEST_ADDED: Final = 2
"""A figure counts as a sum only of at least this many figures. Fewer may agree by coincidence."""
WIDE: Final = 3
"""A full row of more than this many columns with words after its first cell is an item: `Total protein` with a unit."""
FEWEST_TYPICAL: Final = 3
"""Items below a sum are recognised only if most items above it have at least this many cells."""
RowKind = Literal["item", "sum", "carried", "below"]
"""Kind of a row: an item, a sum of items, a balance or a sum that is carried to or from another page, or what follows a
sum."""
_TABLE: Final = tomllib.loads(Path(__file__).with_name("sum_rows.toml").read_text("utf-8"))


def _words_of(label: str) -> tuple[str, ...]:
    return tuple(map(without_accents, fold(label)))


_CARRIED: Final = frozenset(map(_words_of, _TABLE["carried"].split(",")))
_OF_PAGES: Final = frozenset(_words_of(_TABLE["of_pages"]))


@lru_cache(maxsize=4096)
def is_carried(label: str) -> bool:
    """True if a label says that a sum goes on to the next page, or comes from the last one: `Carried forward to
    page 2`."""
    words = _words_of(label) if len(label) <= LONGEST_LABEL else ()
    return tuple(word for word in words if word not in _OF_PAGES and not word.isdigit()) in _CARRIED


def is_carried_forward(row: Sequence[str]) -> bool:
    """True if a row has nothing but a sum of the rows above it, or of those on the last page, for the next page."""
    label, *rest = [*dropwhile(_is_no_label, row)] or [""]
    return bool(rest) and not any(map(_has_words, rest)) and is_carried(label)


def is_sum_row(row: Sequence[str], lacks_cells: bool | None = None) -> bool:
    """True if a row sums others, or opens or closes an account.

    Its first text, or all texts before its first number, are the label of a sum; or they contain a word
    for a sum, and the row lacks a cell that items have. Without `lacks_cells`, any empty cell counts as lacking.
    """
    filled = [cell for cell in row if cell]
    named = [*takewhile(lambda cell: not looks_numeric(cell), dropwhile(_is_no_label, filled))]
    words = tuple(fold(named[0])) if named else ()
    label = tuple(fold(" ".join(islice(named, MAX_WORDS + 1))))
    if len(filled) > 1 and (PHRASES.get(words) in SUMS or PHRASES.get(label) in SUMS or is_carried_forward(row)):
        return True
    lacks = "" in row if lacks_cells is None else lacks_cells
    if len(row) > WIDE and row.count("") <= 1 and any(map(_has_words, filled[1:])):
        return False
    return lacks and 0 < len(words) <= MAX_WORDS and not concepts_of(words).isdisjoint(SUMS)


def kinds_of_rows(rows: Sequence[Sequence[str]], *, comma: bool) -> list[RowKind]:
    """Return the kind of each row of a table, given the texts of its cells.

    A row is also a sum if its last figure is the sum of those above it, and it has a word for a sum, is the last row or
    lacks a cell that items have.
    Below a sum, a row is not an item if it lacks a figure that items have, if it has nothing but a label and an amount,
    or if it names a tax or a payment. `comma` states that commas are decimal signs.
    """
    first = next((index for index, row in enumerate(rows) if index and is_sum_row([*row, ""])), len(rows))
    typical = _typical_columns(rows[:first])
    figures = {index for index in typical if all(is_figure(row[index]) for row in rows[:first] if row[index])}
    fullest = max((index for index, row in enumerate(rows) if sum(map(bool, row)) > CELLS_OF_SUM), default=-1)
    found: list[RowKind] = []
    added = _AddedColumns(comma)
    for index, row in enumerate(rows):
        lacks = any(not row[column] for column in typical)
        adds_up = added.sum_to(row)
        is_poor = (lacks or index == len(rows) - 1) and added.count > FEWEST_ADDED
        if is_carried_forward(row):
            found.append("carried")
        elif is_sum_row(row, lacks_cells=lacks or adds_up) or (adds_up and is_poor):
            found.append("carried" if _is_balance(row) else "sum")
        elif (
            "item" in found
            and "sum" in found[found.index("item") :]
            and (
                any(not row[column] for column in figures)
                or (lacks and index > fullest)
                or ((lacks or len(typical) <= CELLS_OF_SUM) and is_stage(row))
            )
        ):
            found.append("below")
        else:
            found.append("item")
            added.add(row)
    return found


def further_items(rows: Sequence[Sequence[str]], kinds: Sequence[RowKind], first: int) -> set[int]:
    """Return the indices of the items below the first sum of a table on a page, whose index is `first`.

    The rows between two sums are a section of items if one of them has a cell wherever most of the items above the
    first sum have one, figures below figures. Taxes and payments, which go on from a sum, lack some of these cells.
    """
    typical = _typical_columns([row for row, kind in zip(rows[:first], kinds, strict=False) if kind == "item"])
    figures = {at for at in typical if all(is_figure(row[at]) for row in rows[:first] if row[at])}
    if len(typical) < FEWEST_TYPICAL or not figures:
        return set()
    found: set[int] = set()
    section: list[int] = []
    for index in range(first + 1, len(rows) + 1):
        if index < len(rows) and kinds[index] not in ("sum", "carried"):
            section.append(index)
            continue
        if any(_is_full(rows[at], typical, figures) for at in section):
            found.update(at for at in section if any(map(_has_words, rows[at])) and not is_stage(rows[at]))
        section = []
    return found


def _is_full(row: Sequence[str], typical: Collection[int], figures: Collection[int]) -> bool:
    """True if a row fills the `typical` columns, with figures in those of `figures` and words in one of the others."""
    return (
        not is_stage(row)
        and all(row[at] for at in typical)
        and all(is_figure(row[at]) for at in figures)
        and any(_has_words(row[at]) for at in typical if at not in figures)
    )


def _typical_columns(rows: Sequence[Sequence[str]]) -> set[int]:
    """Return the columns that more than half of the rows with several cells fill."""
    several = [row for row in rows if sum(map(bool, row)) > 1]
    filled = [sum(map(bool, column)) for column in zip(*several, strict=True)]
    return {index for index, count in enumerate(filled) if 2 * count > len(several)}


class _AddedColumns:
    """The sums of the columns of the items above a row."""

    def __init__(self, comma: bool) -> None:
        self._comma = comma
        self._sums: dict[int, float] = {}
        self.count = 0

    def add(self, row: Sequence[str]) -> None:
        self.count += 1
        for index, cell in enumerate(row):
            if cell and (value := number(cell, comma=self._comma)) is not None:
                self._sums[index] = self._sums.get(index, 0.0) + value

    def sum_to(self, row: Sequence[str]) -> bool:
        """True if the last figure of a row is the sum of at least FEWEST_ADDED figures above it."""
        values = ((index, number(cell, comma=self._comma)) for index, cell in enumerate(row) if cell)
        index, value = max(((index, value) for index, value in values if value is not None), default=(-1, 0.0))
        is_sum = abs(self._sums.get(index, 0.0) - value) < CENT * self.count
        return is_sum and value != 0 and self.count >= FEWEST_ADDED


def is_stage(row: Sequence[str]) -> bool:
    """True if a row below a sum is a tax, a payment or another amount that goes on from the sum."""
    label = next(dropwhile(_is_no_label, row), "")
    return len(label) <= LONGEST_LABEL and not concepts_of(tuple(fold(label))).isdisjoint(SUMS | STAGES)


def is_figure(text: str) -> bool:
    """True if a text is a number or a day."""
    return looks_numeric(text) or moment(text) is not None or is_day_of_a_year(text)


def _is_balance(row: Sequence[str]) -> bool:
    """True if a row opens or closes an account."""
    label = next(dropwhile(_is_no_label, row), "")
    return not concepts_of(tuple(fold(label[:LONGEST_LABEL]))).isdisjoint(BALANCES)


def _is_no_label(cell: str) -> bool:
    """True if a cell is empty, a number or a day."""
    return not any(map(str.isalpha, cell)) or _is_day(cell)


def _is_day(cell: str) -> bool:
    return not looks_numeric(cell) and (moment(cell) is not None or is_day_of_a_year(cell))


def _has_words(cell: str) -> bool:
    return any(map(str.isalpha, cell)) and not looks_numeric(cell) and not is_currency(cell) and not _is_day(cell)
