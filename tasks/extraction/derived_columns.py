"""Derives columns that a table implies: the ends of ranges and of spans of time, the parts of columns that hold two
things (`Part no. / Rev`, `NW 8`, `7.1 H`), the results of the latest day, and signed amounts from two columns for
outgoing and incoming money."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from tasks.extraction.folding import fold
from tasks.extraction.units import unit_of
from tasks.notation.cells import is_missing, looks_numeric
from tasks.notation.currencies import is_currency
from tasks.notation.dates import find_days, is_day_of_a_year, parse_day
from tasks.read_table import NO_CELL, ReadCell

LEAST_RANGES: Final = 0.6
"""A column has ranges if at least this share of its cells are ranges or bounds."""
LOWER: Final = ("low", "min", "from", "start", "von")
UPPER: Final = ("high", "max", "to", "end", "bis")
"""Words in the headers for the lower and for the upper ends of ranges."""
RANGES: Final = ("ref", "reference", "normal", "range", "rif", "norm")
"""Words for a range of usual values in the names of fields. They precede the words for its ends: `ref_min`."""
START: Final = ("start time", "from", "start", "beginning", "departure")
END: Final = ("end time", "to", "end", "arrival")
"""Headers of the columns for the ends of a span of time."""
LEAST_PAIRS: Final = 0.6
"""A column has pairs, or numbers with tolerances, if at least this share of its cells have both parts."""
LEAST_PARTED: Final = 2
"""A column is divided into words and figures only if it has at least this many cells."""
TOLERANCE: Final = ("tolerance", "uncertainty", "error", "deviation")
"""Headers of the numbers behind `±`."""
FLAG: Final = ("flag",)
"""Header of the marks after numbers that are out of range: `7.1 H`."""
FEWEST_DAYS: Final = 2
"""A table has results by day if at least this many headers are different days."""
RESULTS_OF_DAYS: Final = (("value", "result"), ("previous value", "previous result"))
"""Headers of the results of the latest day, and of the day before it."""
LONGEST_RANGE: Final = 60
"""A range has at most this many characters."""
_RANGE: Final = re.compile(
    r"(\S.{0,30}?) ?(?:[-–—…]|\.\.+| (?:to|bis|à|au|al|tot|do|until|hasta|fino a) ) ?(\S.{0,30})"
)
_BOUND: Final = re.compile(
    r"(?P<upper>[<≤]=?|bis|unter|up to|below|less than|max\.?|jusqu'à|inférieur à|hasta|inferior a|inf\. a|fino a"
    r"|inferiore a|até|tot|onder|do|poniżej|under) ?(?P<most>\S.{0,30})"
    r"|(?P<lower>[>≥]=?|ab|über|from|above|more than|min\.?|over|desde|superior a|sup\. a|superiore a|dès"
    r"|supérieur à|vanaf|boven|od|powyżej|över) ?(?P<least>\S.{0,30})",
    re.IGNORECASE,
)
_TIME: Final = r"(?:[01]?\d|2[0-4])[:.h;]?[0-5]\d"
_TIMES: Final = re.compile(rf"(?P<before>|\S.{{0,30}}? )(?P<start>{_TIME})(?: ?[-–—] ?| )(?P<end>{_TIME})")
_SIGNS_OF_TIME: Final = frozenset(":.h;")
_FIGURE = r"[-+−–]?\d(?:[\d.,'’]| (?=\d{3}(?!\d))){0,14}"
_WORD_AND_FIGURE: Final = re.compile(
    rf"(?:(?P<word>[^\W\d_]{{1,6}}\.?) (?P<behind>{_FIGURE})|(?P<before>{_FIGURE}) ?(?P<unit>[^\W\d_]{{1,6}}\.?[²³]?))"
    r"(?: ?\((?P<more>[^()]{1,12})\))?"
)
_NAME_AND_BRACKETS: Final = re.compile(r"(?P<name>[^()]+?) ?\((?P<behind>[^()]{2,20})\)")
_FLAGGED: Final = re.compile(
    r"(?P<number>[<>≤≥]? ?\d(?:[\d.,'’]){0,14}) ?(?P<flag>HH|LL|[HL↑↓▲▼]|\++|-+|\*+|\((?:HH|LL|[HL+*-])\))"
)
_UNIT: Final = re.compile(r"(?<=\d)\s?[^\W\d_%]{1,8}(?:/[^\W\d_]{1,4})?$")
_CURRENCIES: Final = frozenset(fold("eur gbp usd chf pln sek nok dkk czk huf ron cad aud nzd sgd myr"))


def _phrases(listed: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(fold(phrase)) for phrase in listed.split(","))


_OUT: Final = _phrases(
    """debit, debits, money out, paid out, out, outgoing, withdrawal, withdrawals, expenses, soll, ausgaben, ausgang,
    belastung, lastschrift, débit, débits, dépenses, sorties, cargo, cargos, debe, dare, addebiti, uscite, saídas,
    débito, débitos, af, uitgaven, debet, wypłaty, obciążenia, wydatki"""
)
_IN: Final = _phrases(
    """credit, credits, money in, paid in, in, incoming, deposit, deposits, receipts, income, haben, einnahmen, eingang,
    gutschrift, crédit, crédits, recettes, entrées, abono, abonos, haber, avere, accrediti, entrate, entradas, crédito,
    créditos, bij, ontvangsten, wpłaty, uznania, przychody"""
)
"""Headers of columns for outgoing money, and of columns for incoming money."""
_MINUS: Final = ("-", "−", "–")


class DerivedColumn(NamedTuple):
    forms: tuple[str, ...]
    """Texts that may serve as the header."""
    cells: list[ReadCell]
    """A cell for each row."""
    part_of: int | None = None
    """Index of the column of which this one is a part, if the parts take over the header of that column; else None."""


def derived_columns(header: Sequence[str], rows: Sequence[Sequence[ReadCell]]) -> Iterator[DerivedColumn | None]:
    """Yield the columns that can be derived from the columns of these rows, and None after each slice of work."""
    ranges = []
    for index, head in enumerate(header):
        yield None
        if column := _ends_of_ranges(head, [row[index] for row in rows]):
            ranges.append(column)
    for head, ends in ranges:
        # If there is only one column of ranges, a field such as `ref_min` means it, whatever its header.
        names = (head, *(RANGES if len(ranges) == 1 else ()))
        for words, cells in zip((LOWER, UPPER), ends, strict=True):
            yield DerivedColumn((*words, *(f"{name} {word}" for name in names for word in words)), cells)
    for index, head in enumerate(header):
        cells = [row[index] for row in rows]
        for found in (
            _spans_of_time(head, cells),
            _notes(cells),
            _halves(head, cells),
            _words_and_figures(index, head, cells),
            _tolerances(index, head, cells),
            _flags(index, head, cells),
        ):
            yield None
            yield from found
    yield None
    yield from _results_of_days(header, rows)
    yield None
    yield from _signed_amounts(header, rows)


def _ends_of_ranges(head: str, cells: Sequence[ReadCell]) -> tuple[str, list[list[ReadCell]]] | None:
    """Return the header of a column of ranges, and the cells of their lower and upper ends; None for any other
    column."""
    present = [cell for cell in cells if not is_missing(cell.text)]
    ends = {cell.text: _ends(" ".join(cell.text.split())) for cell in present}
    known_ends = [one for cell in present if (one := ends[cell.text]) is not None]
    if not head or len(known_ends) < LEAST_RANGES * len(present) or not any(all(one) for one in known_ends):
        return None
    found: list[list[ReadCell]] = [[], []]
    for cell in cells:
        for own, end in zip(found, ends.get(cell.text) or ("", ""), strict=True):
            own.append(cell._replace(text=end, source=cell.text) if end else NO_CELL)
    return head, found


def _ends(text: str) -> tuple[str, str] | None:
    """Return the lower and the upper end of a range of numbers or dates; None for any other text."""
    if len(text) > LONGEST_RANGE:
        return None
    if bound := _BOUND.fullmatch(text):
        ends = bound["least"] or "", bound["most"] or ""
    elif found := _RANGE.fullmatch(text):
        ends = found[1].strip(), found[2].strip()
    else:
        return None
    ends = _UNIT.sub("", ends[0]), _UNIT.sub("", ends[1])
    known_ends = [end for end in ends if end]
    are_days = all(parse_day(end) or is_day_of_a_year(end) for end in known_ends)
    return ends if are_days or all(map(looks_numeric, known_ends)) else None


def _spans_of_time(head: str, cells: Sequence[ReadCell]) -> Iterator[DerivedColumn]:
    """Yield the times of a column whose cells end with two of them, as in `3. 09:35 10:20`, and what precedes them."""
    matches = [_TIMES.fullmatch(" ".join(cell.text.split())[:LONGEST_RANGE]) for cell in cells]
    # Two numbers without a sign such as a colon in one of them are not times.
    found = [one if one and not _SIGNS_OF_TIME.isdisjoint(one["start"] + one["end"]) else None for one in matches]
    present = sum(not is_missing(cell.text) for cell in cells)
    if sum(map(bool, found)) < max(1, LEAST_RANGES * present):
        return
    for forms, name in ((START, "start"), (END, "end"), ((head,), "before")):
        texts = [_clock(one[name]) if one and name != "before" else one[name] if one else "" for one in found]
        if any(texts):
            yield DerivedColumn(forms, _parts_of(cells, texts))


def _clock(text: str) -> str:
    """Return a time with the sign that was not read: `0915` and `11;20` are 09:15 and 11:20."""
    figures = "".join(filter(str.isdigit, text))
    return text if ":" in text or "." in text or "h" in text else f"{figures[:-2]}:{figures[-2:]}"


def _notes(cells: Sequence[ReadCell]) -> Iterator[DerivedColumn]:
    """Yield the notes in small type below the cells of a column."""
    if any(cell.below for cell in cells):
        found = [cell._replace(text=cell.below, below="") if cell.below else NO_CELL for cell in cells]
        yield DerivedColumn(("note", "remark", "detail"), found)


def _halves(head: str, cells: Sequence[ReadCell]) -> Iterator[DerivedColumn]:
    """Yield both parts of each column whose header and cells have two, separated by a slash: `TF-88 / C`."""
    names = [name.strip() for name in head.split("/")]
    present = [cell for cell in cells if not is_missing(cell.text)]
    pairs = {cell.text: cell.text.split(" / ") for cell in present}
    are_two = [cell for cell in present if len(pairs[cell.text]) == len(names)]
    if len(names) != 2 or not all(map(fold, names)) or len(are_two) < max(1, LEAST_PAIRS * len(present)):
        return
    for index, name in enumerate(names):
        found = []
        for cell in cells:
            parts = pairs.get(cell.text, [""])
            text = parts[index].strip() if len(parts) == 2 else cell.text if not index else ""
            found.append(cell._replace(text=text, source=cell.text) if text and not is_missing(text) else NO_CELL)
        yield DerivedColumn((name,), found)


def _words_and_figures(column_index: int, head: str, cells: Sequence[ReadCell]) -> Iterator[DerivedColumn]:
    """Yield the words, the figures, and the text in brackets after them, of a column whose cells have these:
    `NW 8 (14)` below `Wind (gusts)`, `2 kg`."""
    named = _NAME_AND_BRACKETS.fullmatch(head)
    name, suffix = (named["name"], named["behind"]) if named else (head, "")
    present = [cell for cell in cells if not is_missing(cell.text)]
    parts = {cell.text: _WORD_AND_FIGURE.fullmatch(" ".join(cell.text.split())) for cell in present}
    if not head or len(present) < LEAST_PARTED or not all(parts.values()):
        return
    if any(is_day_of_a_year(cell.text) or parse_day(cell.text) for cell in present):
        return
    parts_by_text = {
        text: (found["word"] or found["unit"], found["behind"] or found["before"], found["more"])
        for text, found in parts.items()
        if found
    }
    words = {word for word, _, _ in parts_by_text.values()}
    kinds = ("unit",) if all(unit_of(word) for word in words) else ("currency",) if all(map(is_currency, words)) else ()
    for index, forms in enumerate([(*kinds, name), (name,), (suffix,)]):
        texts = [parts_by_text.get(cell.text, ("", "", ""))[index] or "" for cell in cells]
        if any(texts) and forms[-1]:
            yield DerivedColumn(forms, _parts_of(cells, texts), column_index)


def _tolerances(column_index: int, head: str, cells: Sequence[ReadCell]) -> Iterator[DerivedColumn]:
    """Yield the numbers, and their tolerances, of a column of cells such as `12.1 ± 0.3`. Some cells may have no
    tolerance."""
    present = [cell for cell in cells if not is_missing(cell.text)]
    parts = {cell.text: cell.text.split("±") for cell in present if len(cell.text) <= LONGEST_RANGE}
    pairs = {text: (own[0].strip(), own[1].strip()) for text, own in parts.items() if len(own) == 2}
    if head and sum(cell.text in pairs for cell in present) >= max(1, LEAST_PAIRS * len(present)):
        numbers = [pairs[cell.text][0] if cell.text in pairs else cell.text for cell in cells]
        tolerances = [pairs[cell.text][1] if cell.text in pairs else "" for cell in cells]
        yield DerivedColumn((head,), _parts_of(cells, numbers), column_index)
        yield DerivedColumn(TOLERANCE, _parts_of(cells, tolerances), column_index)


def _flags(column_index: int, head: str, cells: Sequence[ReadCell]) -> Iterator[DerivedColumn]:
    """Yield the numbers, and the marks after those that are out of range, of a column with cells such as `7.1 H`. Marks
    after all numbers mean something else, such as a rank's rise or fall."""
    present = [cell for cell in cells if not is_missing(cell.text)]
    matches = {cell.text: _FLAGGED.fullmatch(" ".join(cell.text.split())) for cell in present}
    are_numbers = all(found or looks_numeric(text) for text, found in matches.items())
    if not head or not are_numbers or len({*map(bool, matches.values())}) < len((True, False)):
        return
    flagged = [matches.get(cell.text) for cell in cells]
    numbers = [found["number"] if found else cell.text for found, cell in zip(flagged, cells, strict=True)]
    yield DerivedColumn((head,), _parts_of(cells, numbers), column_index)
    flags = [found["flag"].strip("()") if found else "" for found in flagged]
    yield DerivedColumn(FLAG, _parts_of(cells, flags), column_index)


def _results_of_days(header: Sequence[str], rows: Sequence[Sequence[ReadCell]]) -> Iterator[DerivedColumn]:
    """Yield the results of the latest day and of the day before, if the headers of several columns of numbers are
    days."""
    days = {index: day for index, head in enumerate(header) if (day := _day_at_end(head))}
    if len(set(days.values())) < max(FEWEST_DAYS, len(days)) or not all(_has_numbers(rows, index) for index in days):
        return
    latest = sorted(days, key=lambda index: days[index], reverse=True)
    for index, forms in zip(latest, RESULTS_OF_DAYS, strict=False):
        cells = [row[index] for row in rows]
        flags = [*_flags(index, header[index], cells)] if index == latest[0] else []
        numbers, marks = [column.cells for column in flags] or (cells, [])
        yield DerivedColumn((*forms, header[index]), list(numbers), index)
        if marks:
            yield DerivedColumn(FLAG, list(marks), index)


def _day_at_end(head: str) -> date | None:
    """Return the day at the end of a header; None if it ends with anything else."""
    day = next(find_days(head[-LONGEST_RANGE:]), None)
    return day.readings[0] if day and day.end == len(head[-LONGEST_RANGE:].rstrip()) else None


def _has_numbers(rows: Sequence[Sequence[ReadCell]], index: int) -> bool:
    texts = [row[index].text for row in rows if not is_missing(row[index].text)]
    return bool(texts) and sum(any(map(str.isdigit, text)) for text in texts) >= LEAST_RANGES * len(texts)


def _parts_of(cells: Sequence[ReadCell], texts: Sequence[str]) -> list[ReadCell]:
    """Return the cells with only a part of their texts; missing cells for empty parts."""
    return [
        cell._replace(text=text, source=cell.text) if text else NO_CELL for cell, text in zip(cells, texts, strict=True)
    ]


def _signed_amounts(header: Sequence[str], rows: Sequence[Sequence[ReadCell]]) -> Iterator[DerivedColumn]:
    """Yield a column of amounts, negative for outgoing money, if exactly one column has outgoing money and exactly one
    has incoming money."""
    named = [tuple(word for word in fold(head) if word not in _CURRENCIES) for head in header]
    outs, ins = ([index for index, words in enumerate(named) if words in known] for known in (_OUT, _IN))
    if len(outs) != 1 or len(ins) != 1:
        return
    cells = []
    for row in rows:
        out, in_ = row[outs[0]], row[ins[0]]
        if _has_amount(in_):
            cells.append(in_)
        elif _has_amount(out):
            is_signed = out.text.strip().startswith(_MINUS) or out.text.strip().endswith(_MINUS)
            cells.append(out if is_signed else out._replace(text=f"-{out.text.strip()}", source=out.text))
        else:
            cells.append(NO_CELL)
    yield DerivedColumn(("amount", "transaction amount"), cells)


def _has_amount(cell: ReadCell) -> bool:
    return not is_missing(cell.text) and any(figure in "123456789" for figure in cell.text)
