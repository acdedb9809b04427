"""Reads lists of prices: a service or a dish at the left, its price at the right, as in `Tap repair … from 150 €`."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.extraction.table_lists import LEAST_LIKENESS, likeness_by_words
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_in_columns, segments_of_row, text_of
from tasks.notation.currencies import ANY
from tasks.read_table import NO_CELL, ReadCell, ReadTable

FEWEST: Final = 3
"""At least this many prices below each other make a list. Fewer may be any two amounts on a page."""
MAX_GAP: Final = 2.5
"""Two lines of a list are at most this far apart, in heights of a line."""
MAX_WORDS: Final = 12
"""The text beside a price has at most this many words. A longer text is prose that ends with an amount."""

_LOWEST_PRICE_WORDS = r"from|starting at|ab|od|à partir de|dès|desde|a partir de|da|a partire da|vanaf|från|fr\.?"
_PRICE = re.compile(
    rf"(?:(?P<least>{_LOWEST_PRICE_WORDS}) ?)?"
    rf"(?P<price>(?:(?:{ANY}) ?)?\d{{1,3}}(?:[.,' ]?\d{{3}}){{0,6}}(?:[.,]\d\d?)?,?-? ?(?:{ANY})?)"
    r"(?: ?(?:/|per|pro|je|par|por|al|za|à) ?(?P<unit>[^\W\d_][\w²³. ]{0,20}))?",
    re.IGNORECASE,
)
_IS_MONEY = re.compile(rf"(?:^|[\s\d])(?:{ANY})(?:$|[\s\d/])|\d[.,]\d\d(?!\d)", re.IGNORECASE)
_LEADERS = re.compile(r"(?<![\s.…·_-])[\s.…·_-]{2,}+$")

_Column = Literal["name", "price", "least", "unit"]
NAMES: Final[dict[_Column, tuple[str, ...]]] = {
    "name": ("description", "name", "service"),
    "price": ("price", "amount", "unit price"),
    "least": ("from",),
    "unit": ("unit",),
}
"""Names of the columns. The name that matches the list's fields best becomes the header."""
MAX_OPEN: Final = 64
"""A price is compared with at most this many runs above it, those that began last. This limits the work for each
row."""
_LEAST_NAMES: Final = frozenset(fold("from starting minimum least ab od dès desde partir da vanaf från"))
"""Words in the name of a boolean field that is true for a minimum price, as in `from 150 €`."""


class _PriceLine(NamedTuple):
    name: Sequence[WordOnPage]
    price: Sequence[WordOnPage]


def price_lists(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield the lists of prices of a passage as tables. Each list of `lists` with a field for a price gets separate
    tables, whose headers match its fields."""
    wanted = [fields for fields in lists if any("price" in one.names.concepts for one in fields)]
    if not wanted:
        return
    runs: list[list[dict[_Column, ReadCell]]] = []
    for run in (yield from _runs_of(passage)):
        runs.append([])
        for line in run:
            yield None
            runs[-1].append(_cells_of(passage, line))
    for fields in wanted:
        names = {column: _name(column, fields) for column in NAMES}
        for rows in runs:
            shown: list[_Column] = [column for column in NAMES if any(row[column].text for row in rows)]
            header = [ReadCell(names[column]) for column in shown]
            yield ReadTable([header, *([row[column] for column in shown] for row in rows)], is_exact=False)


def _name(column: _Column, fields: Sequence[WantedField]) -> str:
    if column == "least":
        minimum = (one for one in fields if any(not _LEAST_NAMES.isdisjoint(own) for own in one.names.own))
        return next((" ".join(one.names.own[0]) for one in minimum), NAMES[column][0])
    known = {name: max(likeness_by_words(one.names, name) for one in fields) for name in NAMES[column]}
    best = max(known, key=lambda name: known[name])
    return best if known[best] >= LEAST_LIKENESS else NAMES[column][0]


def _runs_of(passage: Passage) -> Slices[list[list[_PriceLine]]]:
    """Return the runs of priced lines. The texts of a run begin at the same left edge."""
    runs: list[list[_PriceLine]] = []
    open_runs: list[list[_PriceLine]] = []
    rows = rows_in_columns(passage)
    reach = 0.0
    for row in rows:
        yield
        reach = max(reach, (1 + MAX_GAP) * max(word.height for word in row))
    for row in rows:
        yield
        top = min(word.box[1] for word in row)
        open_runs = [run for run in open_runs if top - run[-1].name[0].box[1] <= reach][-MAX_OPEN:]
        for name, price in pairwise(segments_of_row(row)):
            if not _is_priced(passage, name, price):
                continue
            line = _PriceLine(name, price)
            run = next((run for run in open_runs if _continues(run[-1], line)), None)
            if run is None:
                runs.append([line])
                open_runs.append(runs[-1])
            else:
                run.append(line)
    return [run for run in runs if len(run) >= FEWEST]


def _is_priced(passage: Passage, name: Sequence[WordOnPage], price: Sequence[WordOnPage]) -> bool:
    price_text, text = text_of(passage, price), text_of(passage, name)
    if not (_PRICE.fullmatch(price_text) and _IS_MONEY.search(price_text)):
        return False
    return len(name) <= MAX_WORDS and any(map(str.isalpha, text)) and not text.endswith(":")


def _continues(last: _PriceLine, line: _PriceLine) -> bool:
    height = line.name[0].height
    is_below = 0 < line.name[0].box[1] - last.name[0].box[1] <= (1 + MAX_GAP) * height
    return is_below and abs(line.name[0].box[0] - last.name[0].box[0]) < height


def _cells_of(passage: Passage, line: _PriceLine) -> dict[_Column, ReadCell]:
    name, price = cell_of(passage, line.name), cell_of(passage, line.price)
    found = _PRICE.fullmatch(price.text)
    assert found is not None, "A line is read only if its price has this form."
    unit = price._replace(text=found["unit"].strip()) if found["unit"] else NO_CELL
    return {
        "name": name._replace(text=_LEADERS.sub("", name.text)),
        "price": price._replace(text=found["price"]),
        "least": price._replace(text="yes" if found["least"] else "no"),
        "unit": unit,
    }
