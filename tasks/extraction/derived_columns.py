"""Derives columns that a table implies: the ends of ranges and of spans of time, the parts of columns that hold two
things (`Part no. / Rev`, `NW 8`, `7.1 H`), the results of the two latest days, and signed amounts from two columns for
outgoing and incoming money."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Final, NamedTuple, TypeVar

from models.fair_executor import Slices, in_slices
from tasks.extraction.concepts import concepts_of
from tasks.extraction.folding import fold
from tasks.extraction.units import unit_of
from tasks.notation.cells import is_missing, looks_numeric
from tasks.notation.currencies import is_currency
from tasks.notation.dates import find_days, is_day_of_a_year, parse_day
from tasks.read_table import NO_CELL, ReadCell

T = TypeVar("T")

LEAST_RANGES: Final = 0.6
"""A column has ranges only if at least this share of its cells are ranges or bounds. The same share applies to spans of
time, and to figures in results by day."""
LOWER: Final = ("low", "min", "from", "start", "von")
UPPER: Final = ("high", "max", "to", "end", "bis")
"""Words in the headers for the lower and for the upper ends of ranges."""
OTHER_LOWER: Final = fold(
    "lower inf inferior inferiore inférieure bajo basso bas laag onder unten nedre låg dolna dolny minimo minimum"
    " ondergrens untergrenze"
)
OTHER_UPPER: Final = fold(
    "upper sup superior superiore supérieure alto haut hoog boven oben övre hög górna górny maximo massimo maximum"
    " bovengrens obergrenze"
)
"""Words for the same in other languages, alone or after the first two words of RANGES."""
RANGES: Final = ("ref", "reference", "normal", "range", "rif", "norm")
"""Words for a range of usual values in the names of fields. They precede the words for its ends: `ref_min`."""
START: Final = ("start time", "from", "start", "beginning", "departure")
END: Final = ("end time", "to", "end", "arrival")
"""Headers of the columns for the ends of a span of time."""
LEAST_PAIRS: Final = 0.6
"""A column has pairs, or numbers with tolerances, if at least this share of its cells have both parts."""
LEAST_PARTED: Final = 2
"""A column is divided into words and figures only if it has at least this many cells that are not missing."""
WINDS: Final = frozenset(
    fold(
        "n s e w o ne nw no se sw so nne nnw nno sse ssw sso ene ese wnw wsw ono oso var variable variabel north south"
        " east west nord süd ost nordost nordwest südost südwest sud est ouest norte sur este oeste ovest sul leste"
        " nordest nordovest sudest sudovest nordeste noroeste sudeste sudoeste noord zuid oost noordoost noordwest"
        " zuidoost zuidwest północ południe wschód zachód norr söder öster väster"
    )
)
"""Names of the directions of the wind. East is E or O, and West is W or O."""
TOLERANCE: Final = ("tolerance", "uncertainty", "error", "deviation")
"""Headers of the numbers after `±`."""
FLAG: Final = ("flag",)
"""Header of the marks after numbers that are out of range: `7.1 H`."""
FEWEST_DAYS: Final = 2
"""A table has results by day only if at least this many headers are days."""
RESULTS_OF_DAYS: Final = (("value", "result"), ("previous value", "previous result", "previous period"))
"""Headers of the results of the latest day, and of the second latest day."""
RESULTS: Final = frozenset(("result", "value"))
"""Concepts of the header of a column of results without a day."""
EARLIER: Final = frozenset(("previous_period",))
"""Concepts of the header of a column of earlier results."""
SIGNED: Final = ("sign", "comparator", "qualifier")
"""Headers of the signs of bounds before numbers: `< 4`."""
COLUMNS_AT_ONCE: Final = 8
"""At most this many columns of few rows are read in one step."""
LONGEST_RANGE: Final = 60
"""A range has at most this many characters."""
LONGEST_CELL: Final = 200
"""A cell with more characters is not divided."""
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
    rf"(?:(?P<word>[^\W\d_]{{1,6}}(?:-[^\W\d_]{{1,6}}|\.)?) (?P<behind>{_FIGURE})"
    rf"(?: ?(?P<measure>[^\W\d_]{{1,5}}(?:/[^\W\d_]{{1,3}})?))?"
    rf"|(?P<before>{_FIGURE}) ?(?P<unit>[^\W\d_]{{1,6}}\.?[²³]?))"
    r"(?: ?\((?P<more>[^()]{1,12})\))?"
)
_NAME_AND_BRACKETS: Final = re.compile(r"(?P<name>[^()]+?) ?\((?P<behind>[^()]{2,20})\)")
_FLAGGED: Final = re.compile(
    r"(?P<number>[<>≤≥]? ?\d(?:[\d.,'’]){0,14}) ?(?P<flag>HH|LL|[HL↑↓▲▼]|\++|[-−–]+|\*+|\((?:HH|LL|[HL+*−–-])\))"
)
_SIGNED: Final = re.compile(r"(?P<sign>[<>]=?|[≤≥]) ?\d[\d.,'’]{0,14}(?: ?[HL*+↑↓-]{1,2})?")
_UNIT: Final = re.compile(r"(?<=\d)\s?[^\W\d_%]{1,8}(?:/[^\W\d_]{1,4})?$")
_NUMBERED: Final = re.compile(r"(?P<name>[^\W\d_][^\d\n]{0,40}?)[ .]{0,2}(?P<number>\d{1,2})")
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
_AMOUNTS: Final = frozenset(
    fold("amount amounts betrag beträge montant importe importo valor kwota bedrag belopp value sum")
)
_MINUS: Final = ("-", "−", "–")


class DerivedColumn(NamedTuple):
    forms: tuple[str, ...]
    """Texts that may serve as the header."""
    cells: list[ReadCell]
    """A cell for each row."""
    part_of: int | None = None
    """Index of the column that this column is a part of, if the parts take over that column's header; otherwise
    None."""


@dataclass(frozen=True, slots=True)
class _WholeColumn:
    """Column of a table, from which others may be derived."""

    index: int
    head: str
    cells: Sequence[ReadCell]
    counts: Counter[str]
    """Number of cells with each text. Missing cells are not counted."""
    spaced: Sequence[str]
    """Each text in `counts` with single spaces; empty if it is longer than LONGEST_CELL."""

    def read(self, reader: Callable[[str], T]) -> Slices[dict[str, T]]:
        """Return the result of `reader` for each text of `spaced`, by the same text as it is in `counts`."""
        found = yield from in_slices(reader, self.spaced)
        return dict(zip(self.counts, found, strict=True))

    def share(self, texts: Collection[str]) -> float:
        """Return the share of the cells that have one of these texts, not counting missing cells; 0 if there are no
        cells."""
        return sum(self.counts[text] for text in texts) / max(1, self.counts.total())


_Derived = Generator[DerivedColumn | None, None, None]
"""Yields the columns that are derived, and None after each slice of work."""


def derived_columns(header: Sequence[str], rows: Sequence[Sequence[ReadCell]]) -> _Derived:
    """Yield the columns that can be derived from the columns of these rows, and None after each slice of work."""
    columns = []
    for index, head in enumerate(header):
        yield from _turn(index)
        cells = yield from in_slices(itemgetter(index), rows)
        counts = Counter(cell.text for cell in cells)
        are_missing = yield from in_slices(is_missing, counts)
        for text in [text for text, missing in zip(counts, are_missing, strict=True) if missing]:
            del counts[text]
        columns.append(_WholeColumn(index, head, cells, counts, (yield from in_slices(_spaced, counts))))
    ranges = []
    for column in columns:
        yield from _turn(column.index)
        ranges += yield from _ends_of_ranges(column)
    for head, ends in ranges:
        # If there is only one column of ranges, a field such as `ref_min` means this column, whatever its header is.
        names = (head, *(RANGES if len(ranges) == 1 else ()))
        for words, others, cells in zip((LOWER, UPPER), (OTHER_LOWER, OTHER_UPPER), ends, strict=True):
            forms = [f"{name} {word}" for name in names for word in words]
            others = [*others, *(f"{name} {word}" for name in names[1:3] for word in others)]
            yield DerivedColumn((*words, *others, *forms), cells)
    has_results = any(_concepts_of_head(column.head) & RESULTS for column in columns)
    for column in columns:
        yield from _turn(column.index)
        yield from _spans_of_time(column)
        yield from _notes(column)
        yield from _halves(column)
        yield from _words_and_figures(column)
        yield from _tolerances(column)
        if not (has_results and _has_earlier_results(column)):
            yield from _flags(column)
        yield from _signs(column)
    yield from _results_of_days(columns)
    yield from _numbered(columns)
    yield from _signed_amounts(columns)


def _turn(index: int) -> Slices[None]:
    """End a slice of work before every COLUMNS_AT_ONCE-th column."""
    if index % COLUMNS_AT_ONCE == 0:
        yield


def _spaced(text: str) -> str:
    return " ".join(text.split()) if len(text) <= LONGEST_CELL else ""


def _ends_of_ranges(column: _WholeColumn) -> Slices[list[tuple[str, tuple[list[ReadCell], list[ReadCell]]]]]:
    """Return the header of a column of ranges, and the cells of their lower and upper ends; nothing for any other
    column."""
    if not column.head:
        return []
    read = yield from column.read(_ends)
    ends = {text: one for text, one in read.items() if one is not None}
    if column.share(ends) < LEAST_RANGES or not any(all(one) for one in ends.values()):
        return []
    lower = yield from _parts_of(column, {text: one[0] for text, one in ends.items()})
    upper = yield from _parts_of(column, {text: one[1] for text, one in ends.items()})
    return [(column.head, (lower, upper))]


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


def _spans_of_time(column: _WholeColumn) -> _Derived:
    """Yield the start times, the end times and the texts before them, for a column whose cells end with two times: `3.
    09:35 10:20`."""
    read = yield from column.read(_times)
    spans = {text: one for text, one in read.items() if one is not None}
    if not spans or column.share(spans) < LEAST_RANGES:
        return
    for forms, name in ((START, "start"), (END, "end"), ((column.head,), "before")):
        texts = {text: one[name] if name == "before" else _clock(one[name]) for text, one in spans.items()}
        if any(texts.values()):
            yield DerivedColumn(forms, (yield from _parts_of(column, texts)))


def _times(text: str) -> re.Match[str] | None:
    # Two numbers without a sign such as a colon in one of them are not times.
    found = _TIMES.fullmatch(text[:LONGEST_RANGE])
    return found if found and not _SIGNS_OF_TIME.isdisjoint(found["start"] + found["end"]) else None


def _clock(text: str) -> str:
    """Return a time with a colon if its sign was misread or not read: `0915` and `11;20` are 09:15 and 11:20."""
    figures = "".join(filter(str.isdigit, text))
    return text if ":" in text or "." in text or "h" in text else f"{figures[:-2]}:{figures[-2:]}"


def _notes(column: _WholeColumn) -> _Derived:
    """Yield the notes in small type below the cells of a column."""
    if any(cell.below for cell in column.cells):
        cells = yield from in_slices(
            lambda cell: cell._replace(text=cell.below, below="") if cell.below else NO_CELL, column.cells
        )
        yield DerivedColumn(("note", "remark", "detail"), cells)


def _halves(column: _WholeColumn) -> _Derived:
    """Yield both parts of a column whose header and most cells have two, separated by a slash: `TF-88 / C`."""
    names = [name.strip() for name in column.head.split("/")]
    if len(names) != 2 or not all(map(fold, names)):
        return
    read = yield from column.read(lambda text: [part.strip() for part in text.split(" / ")])
    if column.share({text for text, parts in read.items() if len(parts) == 2}) < LEAST_PAIRS:
        return
    for index, name in enumerate(names):
        parts_by_text = {
            text: parts[index] if len(parts) == 2 else text if not index else "" for text, parts in read.items()
        }
        texts = {text: "" if is_missing(part) else part for text, part in parts_by_text.items()}
        yield DerivedColumn((name,), (yield from _parts_of(column, texts)))


def _words_and_figures(column: _WholeColumn) -> _Derived:
    """Yield the words and the figures of a column whose cells all have both, and the texts in brackets after them, if
    any: `NW 8 (14)` below `Wind (gusts)`, `2 kg`."""
    if not column.head or column.counts.total() < LEAST_PARTED:
        return
    named = _NAME_AND_BRACKETS.fullmatch(column.head)
    name, suffix = (named["name"], named["behind"]) if named else (column.head, "")
    read = yield from column.read(_WORD_AND_FIGURE.fullmatch)
    parts = {
        text: (found["word"] or found["unit"], found["behind"] or found["before"], found["more"] or "")
        for text, found in read.items()
        if found
    }
    if len(parts) < len(read):
        return
    are_days = yield from column.read(lambda text: is_day_of_a_year(text) or parse_day(text) is not None)
    if any(are_days.values()):
        return
    words = {word for word, _, _ in parts.values()}
    is_unit = all(unit_of(word) for word in words) or (
        len(words) == 1 and all(found and found["unit"] for found in read.values())
    )
    kinds: tuple[str, ...] = ("unit",) if is_unit else ("currency",) if all(map(is_currency, words)) else ()
    if all(part in WINDS for word in words for part in word.casefold().split("-")):
        kinds = ("direction", f"{name} direction")
    measures = {found["measure"] for found in read.values() if found}
    measure = "".join(filter(str.isalpha, measures.pop() or "")) if len(measures) == 1 else ""
    figures = (measure, f"{name} {measure}") if measure else ()
    for index, forms in enumerate([(*kinds, name), (*figures, name), (suffix,)]):
        texts = {text: own[index] for text, own in parts.items()}
        if any(texts.values()) and forms[-1]:
            yield DerivedColumn(forms, (yield from _parts_of(column, texts)), column.index)


def _tolerances(column: _WholeColumn) -> _Derived:
    """Yield the numbers, and their tolerances, of a column of cells such as `12.1 ± 0.3`. Some cells may have no
    tolerance."""
    if not column.head:
        return
    read = yield from column.read(_halves_of_tolerance)
    pairs = {text: parts for text, parts in read.items() if len(parts) == 2}
    if pairs and column.share(pairs) >= LEAST_PAIRS:
        numbers = {text: pairs[text][0] if text in pairs else text for text in read}
        yield DerivedColumn((column.head,), (yield from _parts_of(column, numbers)), column.index)
        tolerances = {text: parts[1] for text, parts in pairs.items()}
        yield DerivedColumn(TOLERANCE, (yield from _parts_of(column, tolerances)), column.index)


def _halves_of_tolerance(text: str) -> list[str]:
    return [part.strip() for part in text.split("±")] if len(text) <= LONGEST_RANGE else []


def _flags(column: _WholeColumn) -> _Derived:
    """Yield the numbers, and the marks after those that are out of range, of a column with cells such as `7.1 H`. Some
    cells may be texts. Marks after all numbers mean something else, such as a rank's rise or fall."""
    if not column.head:
        return
    read = yield from column.read(_number_and_flag)
    pairs = {text: pair for text, pair in read.items() if pair is not None}
    if column.share(pairs) < LEAST_PAIRS or len({bool(flag) for _, flag in pairs.values()}) < len((True, False)):
        return
    for side, head in ((0, column.head), (1, *FLAG)):
        texts = {text: pairs[text][side] if text in pairs else "" if side else text for text in read}
        yield DerivedColumn((head,), (yield from _parts_of(column, texts)), column.index)


def _number_and_flag(text: str) -> tuple[str, str] | None:
    """Return the number in a text and the mark after it, empty if there is none; None for a text without a number."""
    if found := _FLAGGED.fullmatch(text):
        return found["number"], found["flag"].strip("()")
    return (text, "") if looks_numeric(text) or _SIGNED.fullmatch(text) else None


def _signs(column: _WholeColumn) -> _Derived:
    """Yield the signs of bounds in a column of numbers, some of which have one: `< 4`. Columns of ranges are left
    out."""
    if not column.head:
        return
    read = yield from column.read(_SIGNED.fullmatch)
    signs = {text: found["sign"] for text, found in read.items() if found}
    if not signs:
        return
    ranges = yield from column.read(_ends)
    numbers = yield from column.read(_number_and_flag)
    if any(ends is not None and text not in signs for text, ends in ranges.items()):
        return
    known = [text for text, number in numbers.items() if text in signs or number is not None]
    if len(known) > len(signs) and column.share(known) >= LEAST_PAIRS:
        yield DerivedColumn(SIGNED, (yield from _parts_of(column, signs)))


def _has_earlier_results(column: _WholeColumn) -> bool:
    """True if the header of a column is a day, or means earlier results. The marks after such results say nothing about
    the current ones."""
    return _day_at_end(column.head) is not None or bool(_concepts_of_head(column.head) & EARLIER)


def _concepts_of_head(head: str) -> frozenset[str]:
    return concepts_of(tuple(fold(head[:LONGEST_RANGE])))


def _results_of_days(columns: Sequence[_WholeColumn]) -> _Derived:
    """Yield the results of the latest day and of the second latest day, if the headers of several columns of numbers
    end with different days. Beside a column of results without a day, all of these days are earlier ones."""
    days = {column.index: day for column in columns if (day := _day_at_end(column.head))}
    others = [column.head for column in columns if days and column.index not in days]
    has_current = any(_concepts_of_head(head) & RESULTS for head in others)
    if len(set(days.values())) < max(1 if has_current else FEWEST_DAYS, len(days)):
        return
    for index in days:
        have_figures = yield from columns[index].read(_has_figures)
        figures = {text for text, has_figures in have_figures.items() if has_figures}
        if not figures or columns[index].share(figures) < LEAST_RANGES:
            return
    latest = sorted(days, key=lambda index: days[index], reverse=True)
    for index, forms in zip(latest, RESULTS_OF_DAYS[has_current:], strict=False):
        column = columns[index]
        numbers, marks = column.cells, None
        for found in _flags(column) if index == latest[0] or has_current else ():
            if found is None:
                yield None
            elif found.forms == FLAG:
                marks = found
            else:
                numbers = found.cells
        yield DerivedColumn((*forms, column.head), list(numbers), index)
        if marks and not has_current:
            yield marks


def _numbered(columns: Sequence[_WholeColumn]) -> _Derived:
    """Yield the cells of neighbouring columns whose headers differ only in the number at their end, as one column of
    lists: `Level 1`, `Level 2`, `Level 3`."""
    start = 0
    while start < len(columns):
        name, number = _numbered_name(columns[start].head)
        end = start + 1
        while name and end < len(columns) and _numbered_name(columns[end].head) == (name, number + end - start):
            end += 1
        if end - start > 1:
            rows = zip(*(column.cells for column in columns[start:end]), strict=True)
            yield DerivedColumn((name, f"{name}s"), (yield from in_slices(_joined, rows)))
        start = end


def _numbered_name(head: str) -> tuple[str, int]:
    found = _NUMBERED.fullmatch(head)
    return (found["name"], int(found["number"])) if found else ("", 0)


def _joined(cells: Sequence[ReadCell]) -> ReadCell:
    """Return one cell with the texts of several; NO_CELL if one of them is missing."""
    if any(is_missing(cell.text) for cell in cells):
        return NO_CELL
    text = "; ".join(cell.text for cell in cells)
    return cells[0]._replace(text=text, source=text)


def _has_figures(text: str) -> bool:
    return any(map(str.isdigit, text))


def _day_at_end(head: str) -> date | None:
    """Return the day at the end of a header; None if it ends with anything else."""
    day = next(find_days(head[-LONGEST_RANGE:]), None)
    return day.readings[0] if day and day.end == len(head[-LONGEST_RANGE:].rstrip()) else None


def _parts_of(column: _WholeColumn, texts: Mapping[str, str]) -> Slices[list[ReadCell]]:
    """Return the cells of a column, each with the part that `texts` has for its text; NO_CELL where the part is empty
    or missing."""

    def part_of(cell: ReadCell) -> ReadCell:
        text = texts.get(cell.text)
        return cell._replace(text=text, source=cell.text) if text else NO_CELL

    return (yield from in_slices(part_of, column.cells))


def is_money_of(header: Sequence[str], name: Sequence[str]) -> bool:
    """True if a header and a field name the same direction of money, and the field's name says that it is an amount:
    `Af` and `bedrag_af`."""
    bare = tuple(word for word in name if word not in _AMOUNTS)
    return tuple(header) == bare != tuple(name) and (bare in _OUT or bare in _IN)


def _signed_amounts(columns: Sequence[_WholeColumn]) -> _Derived:
    """Yield a column of amounts, negative for outgoing money, if exactly one column has outgoing money and exactly one
    has incoming money."""
    named = [tuple(word for word in fold(column.head) if word not in _CURRENCIES) for column in columns]
    outs, ins = ([columns[index] for index, words in enumerate(named) if words in known] for known in (_OUT, _IN))
    if len(outs) != 1 or len(ins) != 1:
        return
    cells = yield from in_slices(_signed_amount, zip(outs[0].cells, ins[0].cells, strict=True))
    yield DerivedColumn(("amount", "transaction amount"), cells)


def _signed_amount(out_and_in: tuple[ReadCell, ReadCell]) -> ReadCell:
    out, in_ = out_and_in
    if _has_amount(in_):
        return in_
    if not _has_amount(out):
        return NO_CELL
    is_signed = out.text.strip().startswith(_MINUS) or out.text.strip().endswith(_MINUS)
    return out if is_signed else out._replace(text=f"-{out.text.strip()}", source=out.text)


def _has_amount(cell: ReadCell) -> bool:
    return not is_missing(cell.text) and any(figure in "123456789" for figure in cell.text)
