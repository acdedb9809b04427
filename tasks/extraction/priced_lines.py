"""Reads the items of receipts: lines of a description and an amount, with no header above them.

A quantity with its unit price (`2 x 1.29`) is in the item's line, the line above, or the line below; arithmetic decides
which. The items end at the first sum, or where lines without a count follow counted ones. Lines with negative amounts
are discounts and not items, and lines that say `included` are items without an amount.

Below a heading that names a list, such as `Deductions`, the items go on below partial sums up to the sum of them all.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.concepts import concepts_of
from tasks.extraction.doubtful_rows import is_cancelled
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import SUMS
from tasks.extraction.passages import Passage
from tasks.extraction.stages_of_sums import is_carried
from tasks.extraction.table_lists import LEAST_LIKENESS, likeness_by_words
from tasks.extraction.words_on_page import WordOnPage, cell_of, segments_of_row
from tasks.notation.currencies import ANY, is_currency
from tasks.notation.numbers import magnitudes
from tasks.read_table import NO_CELL, ReadCell, ReadTable

FEWEST: Final = 2
"""Fewer items than this count only if a sum is printed below them."""
FEWEST_POSITIONS: Final = 3
"""The numbers 1, 2, … before the items count as line numbers only if there are at least this many items. Otherwise,
they may be counts."""
MAX_LABEL_WORDS: Final = 4
"""A sum's label has at most this many words. A longer text describes an item."""
CONCEPTS_BELOW_ITEMS: Final = SUMS | {"tax"}
"""Concepts of the labels of lines below the items."""
MAX_DISTANCE: Final = 6.0
"""Two lines are items of one list only if they are at most this far apart, in heights of a line."""
FURTHER: Final = 0.5
"""A line is further away than others if the gap above it exceeds theirs by more than this, in heights of a line."""
CENT: Final = Decimal("0.011")
"""The product of a quantity and a unit price differs from the printed amount by less than this."""

NO_AMOUNT: Final = "–"
"""Text of the cell for the amount of an item that is included in the others."""
MAX_IN_SECTION: Final = 60
"""The items of a list are searched for in at most this many rows below the heading that names it."""
MAX_HEADINGS: Final = 100
MAX_TRIED: Final = 5
"""At most MAX_HEADINGS lines above items are compared with the name of a list, and the items below at most MAX_TRIED of
them are read."""
HEADED_ROWS: Final = 3
"""A line is a heading only if one of this many rows below it ends with an amount."""
MAX_TAKEN_BACK: Final = 60
"""The item that a negative amount takes back is among this many items above it."""
ROWS_AT_ONCE: Final = 50
"""At most this many rows are read in one step."""

_Column = Literal["description", "quantity", "price", "amount", "code"]
COLUMNS: Final[dict[_Column, tuple[str, ...]]] = {
    "description": ("description", "name"),
    "quantity": ("quantity",),
    "price": ("unit price", "price"),
    "amount": ("amount", "line total", "total", "price"),
    "code": ("tax code", "vat rate"),
}
"""Names of the columns. The name that matches the list's fields best becomes the header."""

_DIGITS = r"\d{1,3}(?:[.,' ]\d{3})*[.,]\d{2}|\d+[.,]\d{2}"
_AMOUNT = re.compile(
    rf"(?P<minus>[-–−])?(?:{ANY})?(?P<digits>{_DIGITS})(?P<after>-)?(?:{ANY})?(?P<code>[A-Z*#]{{1,2}})?", re.IGNORECASE
)
_CODE = re.compile(r"[A-Z*#]|[A-Z]\d|\d[A-Z]?")
_CODE_BEFORE = re.compile(r"\(([A-Z]\d?)\)")
"""Pattern of the code of a tax before a description: `(A) RYE BREAD`."""
_TIMES = re.compile(
    r"(?<![\w.,])(?P<quantity>\d{1,4}(?:[.,]\d{1,3})?) ?(?:[^\W\d_]{1,4}\.?|[1|])?? ?[x×*@] ?"
    rf"(?:(?:{ANY}) ?)?(?P<price>\d+[.,]\d{{2,4}}) ?(?:{ANY})?(?: ?/ ?[\w]{{1,4}}\.?)?(?: ?=)?(?![\w.,])",
    re.IGNORECASE,
)
_LOOSE_TIMES = re.compile(
    rf"(?<![\w.,])(?P<quantity>\d{{1,4}}(?:[.,]\d{{1,3}})?) ?(?:[^\W\d_]{{1,12}}\.?)? ?[x×*@] ?"
    rf"(?:(?:{ANY}) ?)?(?P<price>\d{{1,9}}(?:[.,]\d{{1,4}})?) ?(?:{ANY})?(?: ?=)?(?![\w.,])",
    re.IGNORECASE,
)
"""Pattern of a quantity and a unit price whose product is the amount of the line: `11 tables x 9 €`."""
_INCLUDED = frozenset(
    fold(
        "included incl inclusive inbegriffen enthalten inklusive inkl kostenlos gratis inclus incluse compris comprise"
        " offert incluido incluida incluidos incluidas incluso inclusa compreso compresa incluído incluída inbegrepen"
        " inclusief wliczone wliczony bezpłatnie ingår"
    )
)
"""Words at the end of a line that are printed in place of its amount."""
_PERCENT = re.compile(r"(?P<rate>\d{1,3}(?:[.,]\d{1,3})?) ?%")
_PERCENTAGES = frozenset(
    fold(
        "percent percentage pct rate prozent prozentsatz satz pourcentage taux porcentaje tipo percentuale aliquota"
        " percentagem taxa procent stawka"
    )
)
"""Words in the names of fields for the percentage of an item."""
_BULLETS = frozenset("-–—•*·‣▪●○")
_NUMBERED = re.compile(r"\d{1,2}[.)]|[IVX]{1,4}[.)]|[A-Z][.)]")
_COUNT = re.compile(r"(?P<quantity>\d{1,3}) ?[x×] (?=\D)", re.IGNORECASE)
_QUANTITY = re.compile(r"\d{1,4}(?:[.,]\d{1,3})?")
_UNIT = re.compile(r"[^\W\d_]{1,6}\.?")
_COUNT_BEFORE = re.compile(r"(?P<quantity>\d{1,4})(?: |(?<!\b1)(?=[^\W\d_]{3}))")
"""Pattern of a count before a description. OCR may read both as one word: `2 Soup`, `2Soup`."""
_UNIT_PRICE_WORDS = frozenset(("à", "@", "per", "je"))
"""Words before a unit price."""


class _Figure(NamedTuple):
    text: str
    value: Decimal
    words: tuple[WordOnPage, ...]


class _Header(NamedTuple):
    name: str
    is_known: bool
    """True if the list has such a field."""
    may_be_null: bool
    """True if the field of the column may be null, or the list has no such field."""


@dataclass(slots=True)
class _Item:
    """A line of a page with the parts of an item that it contains. Missing parts are empty."""

    words: Sequence[WordOnPage] = ()
    """The words of the description."""
    count: str = ""
    """The count that was read together with the description's first word."""
    quantity: _Figure | None = None
    price: _Figure | None = None
    amount: _Figure | None = None
    code: str = ""
    code_words: Sequence[WordOnPage] = ()
    is_discount: bool = False
    included: Sequence[WordOnPage] = ()
    """The word that says that the line costs nothing of its own."""
    top: int = 0
    bottom: int = 0

    def costs(self, other: "_Item") -> bool:
        """True if the quantity times the unit price in this line is the amount in the other line."""
        if self.quantity is None or self.price is None or other.amount is None:
            return False
        return abs(self.quantity.value * self.price.value - other.amount.value) < CENT


def priced_lines(
    passage: Passage, rows: Sequence[Sequence[WordOnPage]], lists: Sequence[Sequence[WantedField]]
) -> Iterator[ReadTable | None]:
    """Yield the items of a passage as a table for each list, and None after a slice of work. The headers are those that
    the list's fields match best."""
    headings = yield from _headings_of(passage, rows)
    for fields in lists:
        yield None
        if (table := (yield from _section_of(passage, rows, headings, fields))) is not None:
            yield table
    items = _items(passage, rows)
    if not items:
        return
    is_whole = any(one.included for one in items)
    for fields in lists:
        columns = {column: _header_of(column, fields) for column in COLUMNS}
        if any(one.price for one in items):
            # The field of the unit price is not the field of the amount if there is another one.
            others = [one for one in fields if likeness_by_words(one.names, columns["price"].name) < LEAST_LIKENESS]
            amount = _header_of("amount", others) if others else columns["amount"]
            columns["amount"] = amount if amount.is_known else columns["amount"]
        shown: list[_Column] = [column for column in COLUMNS if any(_cell(passage, one, column).text for one in items)]
        body = []
        for one in items:
            row = {column: _cell(passage, one, column) for column in shown}
            # If other lines have a quantity, a line without one is a single piece, so its unit price is the line's
            # amount. A field that may be null gets only a printed value.
            for column, implied in (("quantity", ReadCell("1")), ("price", row.get("amount", NO_CELL))):
                if column in row and not row[column].text and not columns[column].may_be_null:
                    row[column] = implied
            body.append([*row.values()])
        header = [ReadCell(columns[column].name) for column in shown]
        yield ReadTable([header, *body], is_exact=False, is_whole=is_whole)


def _headings_of(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Slices[list[tuple[int, str]]]:
    """Return the index and the text of each row that may be the heading of items below it."""
    found: list[tuple[int, str]] = []
    last_amount = len(rows) + HEADED_ROWS
    for at in reversed(range(len(rows))):
        if at % ROWS_AT_ONCE == 0:
            yield
        if last_amount - at <= HEADED_ROWS and (heading := _heading_of(passage, rows[at])):
            found.append((at, heading))
        if any(_AMOUNT.fullmatch(passage.words[word.at]) for word in rows[at][-2:]):
            last_amount = at
    return found[::-1][:MAX_HEADINGS]


def _section_of(
    passage: Passage,
    rows: Sequence[Sequence[WordOnPage]],
    headings: Sequence[tuple[int, str]],
    fields: Sequence[WantedField],
) -> Slices[ReadTable | None]:
    """Return the items below the heading that names a list, if a sum below them is the sum of them all."""
    path = fields[0].path[:-1]
    names = names_of(path, {"type": "array"})
    rate = next((one for one in fields if any(not _PERCENTAGES.isdisjoint(own) for own in one.names.own)), None)
    columns: dict[_Column, _Header] = {"description": _header_of("description", fields)}
    columns["amount"] = _header_of("amount", fields)
    tried = 0
    for at, heading in headings:
        yield
        if likeness_by_words(names, heading) < LEAST_LIKENESS:
            continue
        tried += 1
        if items := _items_of_section(passage, rows[at + 1 : at + 1 + MAX_IN_SECTION]):
            body = []
            for one in items:
                percent = _take_percent(passage, one) if rate else NO_CELL
                cells = [_cell(passage, one, column) for column in columns]
                body.append([*cells, *([percent] if rate else [])])
            header = [ReadCell(one.name) for one in columns.values()]
            header += [ReadCell(" ".join(rate.names.own[0]))] if rate else []
            return ReadTable([header, *body], heading, is_exact=False, is_whole=True, of_list=path)
        if tried == MAX_TRIED:
            break
    return None


def _heading_of(passage: Passage, row: Sequence[WordOnPage]) -> str:
    """Return the first piece of a row, without its number, if it is short and has no figures; otherwise an empty
    text."""
    words = [passage.words[word.at] for word in next(segments_of_row(row))[: MAX_LABEL_WORDS + 2]]
    if len(words) > 1 and _NUMBERED.fullmatch(words[0]):
        words = words[1:]
    text = " ".join(words).rstrip(":")
    return text if len(words) <= MAX_LABEL_WORDS and not any(map(str.isdigit, text)) else ""


def _items_of_section(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> list[_Item]:
    """Return the items above the last line that is the sum of all items above it. Other sums are left out."""
    found: list[_Item] = []
    total = Decimal(0)
    complete = 0
    bottom: int | None = None
    for row in rows:
        line = _line(passage, row)
        if bottom is not None and line.top - bottom > MAX_DISTANCE * max(1, line.bottom - line.top):
            break
        bottom = line.bottom
        if line.amount is None or not line.words:
            continue
        if len(found) >= FEWEST and line.amount.value == total:
            complete = len(found)
        elif not _is_sum(passage, line):
            found.append(line)
            total += -line.amount.value if line.is_discount else line.amount.value
    for one in found[:complete]:
        if len(one.words) > 1 and _NUMBERED.fullmatch(passage.words[one.words[0].at]):
            one.words = one.words[1:]
    return found[:complete]


def _take_percent(passage: Passage, item: _Item) -> ReadCell:
    """Take the percentage at the end of an item's description out of it, and return its cell."""
    for size in (1, 2):
        own = item.words[-size:]
        if len(item.words) > size and (found := _PERCENT.fullmatch(cell_of(passage, own).text)):
            item.words = item.words[:-size]
            return cell_of(passage, own)._replace(text=found["rate"])
    return NO_CELL


def _header_of(column: _Column, fields: Sequence[WantedField]) -> _Header:
    """Return the name of a column that is most like a field's name; the column's first name if none is like a field's
    name."""
    known = ((likeness_by_words(one.names, name), name, one) for name in COLUMNS[column] for one in fields)
    likeness, name, field = max(known, key=lambda found: found[0])
    if likeness < LEAST_LIKENESS:
        return _Header(COLUMNS[column][0], is_known=False, may_be_null=True)
    return _Header(name, is_known=True, may_be_null=field.fits(None))


def _cell(passage: Passage, item: _Item, column: _Column) -> ReadCell:
    if column == "description":
        whole = cell_of(passage, item.words) if item.words else NO_CELL
        text = whole.text.removeprefix(item.count).removesuffix(":")
        return whole._replace(text=text, source=whole.text) if text != whole.text else whole
    if column == "code":
        return cell_of(passage, item.code_words)._replace(text=item.code) if item.code else NO_CELL
    if column == "amount" and item.included:
        included = cell_of(passage, item.included)
        return included._replace(text=NO_AMOUNT, source=included.text)
    found: _Figure | None = getattr(item, column)
    if found is None:
        return NO_CELL
    return cell_of(passage, found.words)._replace(text=found.text) if found.words else ReadCell(found.text)


def _items(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> list[_Item]:
    """Return the items above the first sum; nothing if there are too few items."""
    found: list[_Item] = []
    waiting: _Item | None = None
    has_sum = False
    discounts = Decimal(0)
    unlabelled: int | None = None
    for row in rows:
        line = _line(passage, row)
        height = max(1, line.bottom - line.top)
        last = waiting or (found[-1] if found else None)
        if last is not None and line.top - last.bottom > MAX_DISTANCE * height:
            waiting = None
            if found:
                break
        if line.amount is not None and line.words and is_carried(" ".join(_text_of(passage, line))):
            waiting = None
            continue
        is_labelled = _is_sum(passage, line)
        if unlabelled is None and not is_labelled and _adds_up(line, found, discounts):
            unlabelled = len(found)
        if is_labelled:
            has_sum = bool(found)
            waiting = None
            if has_sum:
                if unlabelled is not None and _adds_up(line, found, discounts):
                    unlabelled = None
                break
        elif line.included and line.words and found:
            found.append(line)
            waiting = None
        elif line.amount is None and line.quantity is None:
            waiting = line
        elif line.is_discount and (voided := _voided_by(passage, line, found)) is not None:
            waiting = None
            del found[voided]
        elif line.is_discount or (line.amount is not None and _sums_a_code(passage, line, found)):
            waiting = None
            discounts += line.amount.value if line.is_discount and line.amount else 0
        elif line.words and line.amount is not None:
            if waiting is not None and waiting.costs(line):
                line.quantity, line.price = line.quantity or waiting.quantity, line.price or waiting.price
            found.append(line)
            waiting = None
        elif line.amount is None:
            if found and line.costs(found[-1]) and found[-1].quantity is None:
                found[-1].quantity, found[-1].price = line.quantity, line.price
                waiting = None
            else:
                line.words = line.words or (waiting.words if waiting else ())
                waiting = line
        elif waiting is not None and waiting.words:
            # The description is on its own line above its figures.
            line.words = waiting.words
            line.code, line.code_words = (
                (line.code, line.code_words) if line.code else (waiting.code, waiting.code_words)
            )
            line.quantity, line.price = line.quantity or waiting.quantity, line.price or waiting.price
            found.append(line)
            waiting = None
        elif found and line.costs(found[-1]) and found[-1].quantity is None:
            found[-1].quantity, found[-1].price = line.quantity, line.price
    if unlabelled is not None:
        # No sum with a label includes the line whose amount is the sum of those above it, so it is a sum itself.
        del found[unlabelled:]
        has_sum = True
    while found and found[-1].included and not has_sum:
        found.pop()
    del found[_end_of_counted(found) :]
    if not (has_sum or len(found) >= FEWEST):
        return []
    _leave_out_positions(passage, found)
    return found


def _leave_out_positions(passage: Passage, items: Sequence[_Item]) -> None:
    """Remove the line numbers (1, 2, …) from the descriptions if all descriptions begin with them."""
    firsts = [passage.words[one.words[0].at].rstrip(".") if len(one.words) > 1 else "" for one in items]
    if len(items) >= FEWEST_POSITIONS and firsts == [str(index + 1) for index in range(len(items))]:
        for one in items:
            one.words = one.words[1:]


def _is_sum(passage: Passage, line: _Item) -> bool:
    if line.amount is None:
        return False
    words = [token for word in line.words for token in fold(passage.words[word.at]) if not is_currency(token)]
    label = tuple(word for word in words if not any(map(str.isdigit, word)))
    return 0 < len(label) <= MAX_LABEL_WORDS and not concepts_of(label).isdisjoint(CONCEPTS_BELOW_ITEMS)


def _sums_a_code(passage: Passage, line: _Item, items: Sequence[_Item]) -> bool:
    """True if a line is a sum of the items with a tax code, as in `VAT B 8.00 %`: the line has no code at its end, but
    the code of some items is among its words."""
    codes = {one.code for one in items if one.code}
    return not line.code and any(passage.words[word.at] in codes for word in line.words)


def _adds_up(line: _Item, items: Sequence[_Item], discounts: Decimal) -> bool:
    """True if the amount of a line is the sum of the amounts above it, with or without the discounts between them,
    whatever its label says."""
    amounts = [one.amount.value for one in items if one.amount]
    total = sum(amounts)
    return line.amount is not None and len(amounts) >= FEWEST and line.amount.value in (total, total - discounts)


def _voided_by(passage: Passage, line: _Item, items: Sequence[_Item]) -> int | None:
    """Return the index of the last item that a line with a negative amount takes back: `VOID Pen -20.00` below `Pen
    20.00`. The amounts are the same, and the line has the item's description, or says that something is cancelled and
    is right below the item."""
    words = _text_of(passage, line)
    for index in range(len(items) - 1, max(-1, len(items) - 1 - MAX_TAKEN_BACK), -1):
        item = items[index]
        if item.amount is None or line.amount is None or item.amount.value != line.amount.value:
            continue
        own = _text_of(passage, item)
        is_named = bool(own) and own in (words, words[-len(own) :], words[: len(own)])
        if is_named or (index == len(items) - 1 and is_cancelled(" ".join([*words, "x"]))):
            return index
    return None


def _text_of(passage: Passage, item: _Item) -> list[str]:
    return [token for word in item.words for token in fold(passage.words[word.at])]


def _end_of_counted(items: Sequence[_Item]) -> int:
    """Return the number of items above the first line that is none because it has no count: `Postage 3.50` below
    `2 x Mug 17.98`.

    All lines above it have a count, and no line below it has one. Also, a count of one is printed, so that a line
    without a count is not a single piece, or the line is further away than those above it are from each other. A single
    line above it has to have its count alone (`1 x Mug`), because a count with a unit price may be a part of a name.
    """
    end = next((index for index, one in enumerate(items) if one.quantity is None), len(items))
    if end in (0, len(items)) or any(one.quantity or one.included for one in items[end:]):
        return len(items)
    ones = [one for one in items[:end] if one.quantity and one.quantity.value == 1]
    if end < FEWEST:
        return end if ones and ones[0].price is None else len(items)
    gaps = [below.top - above.bottom for above, below in pairwise(items[: end + 1])]
    height = max(1, items[end].bottom - items[end].top)
    return end if ones or gaps[-1] > max(gaps[:-1]) + FURTHER * height else len(items)


def _line(passage: Passage, row: Sequence[WordOnPage]) -> _Item:
    """Return the parts of a line: the amount at its end, a quantity times a unit price, and the text before them."""
    line = _Item(top=min(word.box[1] for word in row), bottom=max(word.box[3] for word in row))
    rest = list(row)
    texts = [passage.words[word.at] for word in rest]
    while len(texts) > 1 and is_currency(texts[-1]):
        texts.pop()
    if len(texts) > 1 and not _INCLUDED.isdisjoint(fold(texts[-1])):
        line.words, line.included = rest[:-1], rest[-1:]
        return line
    code = texts[-1] if len(texts) > 1 and _CODE.fullmatch(texts[-1]) and _AMOUNT.fullmatch(texts[-2]) else ""
    at = len(texts) - 1 - bool(code)
    amount = _AMOUNT.fullmatch(texts[at])
    if amount and not (at and texts[at - 1].casefold() in ("x", "×", "*", "@")):
        line.code = code or amount["code"] or ""
        line.code_words = [rest[at + bool(code)]]
        is_negative = bool(amount["minus"] or amount["after"]) or (at > 0 and texts[at - 1] in ("-", "–", "−"))
        line.is_discount = is_negative
        line.amount = _figure(amount["digits"], [rest[at]])
        rest = rest[:at]
        texts = texts[:at]
    while texts and (texts[-1] == "=" or (is_currency(texts[-1]) and not _AMOUNT.fullmatch("".join(texts[-2:-1])))):
        texts.pop()
    rest = rest[: len(texts)]
    text = " ".join(texts)
    times = _TIMES.search(text) or _verified(line, _LOOSE_TIMES.search(text))
    if times:
        own = [word for n, word in enumerate(rest) if _overlaps(texts, n, times.span())]
        line.quantity, line.price = _figure(times["quantity"], own), _figure(times["price"], own)
        rest = [word for n, word in enumerate(rest) if not _overlaps(texts, n, times.span())]
    elif count := _COUNT.match(text):
        own = [word for n, word in enumerate(rest) if _overlaps(texts, n, count.span("quantity"))]
        line.quantity = _figure(count["quantity"], own)
        if found := _columns_in(line, texts, rest):
            line.price = found.price
        end = len(found.words) + 1 if found else len(rest)
        rest = [word for n, word in enumerate(rest[:end]) if not _overlaps(texts, n, (0, count.end() - 1))]
    elif found := _columns_in(line, texts, rest):
        line.quantity, line.price, line.count, rest = found.quantity, found.price, found.count, list(found.words)
    code_before = _CODE_BEFORE.fullmatch(passage.words[rest[0].at]) if len(rest) > 1 else None
    if code_before and not line.code:
        line.code, line.code_words = code_before[1], rest[:1]
    if code_before:
        rest = rest[1:]
    if len(rest) > 1 and passage.words[rest[0].at] in _BULLETS:
        rest = rest[1:]
    line.words = rest if any(character.isalpha() for word in rest for character in passage.words[word.at]) else ()
    return line


def _columns_in(line: _Item, texts: Sequence[str], words: Sequence[WordOnPage]) -> _Item | None:
    """Return the description, the quantity and the unit price before an amount that is the product of the last two:
    `Milk 2 1.29`, `Milk 2 pcs. 1.29`, `2 Milk 1.29`; None for any other line."""
    if line.amount is None or len(texts) < 3 or not re.fullmatch(_DIGITS, texts[-1]):
        return None
    price = _figure(texts[-1], words[-1:])
    for from_end in (2, 3):
        if (
            len(texts) > from_end
            and _QUANTITY.fullmatch(texts[-from_end])
            and all(map(_UNIT.fullmatch, texts[1 - from_end : -1]))
        ):
            found = _Item(
                words[:-from_end], quantity=_figure(texts[-from_end], words[-from_end : 1 - from_end]), price=price
            )
            if found.costs(line):
                return found
    if count := _COUNT_BEFORE.match(" ".join(texts)):
        is_apart = texts[0] == count["quantity"]
        end = -2 if texts[-2].casefold() in _UNIT_PRICE_WORDS else -1
        quantity = _figure(count["quantity"], words[:1])
        found = _Item(words[is_apart:end], "" if is_apart else count["quantity"], quantity, price)
        if found.words and found.costs(line):
            return found
    return None


def _verified(line: _Item, times: re.Match[str] | None) -> re.Match[str] | None:
    """Return a quantity and a unit price if their product is the amount of the line."""
    if times is None:
        return None
    product = _Item(quantity=_figure(times["quantity"], ()), price=_figure(times["price"], ()))
    return times if product.costs(line) else None


def _overlaps(texts: Sequence[str], index: int, span: tuple[int, int]) -> bool:
    start = sum(len(text) + 1 for text in texts[:index])
    return start < span[1] and span[0] < start + len(texts[index])


def _figure(text: str, words: Sequence[WordOnPage]) -> _Figure | None:
    readings = [one.value for one in magnitudes(text.replace(" ", "").replace("'", ""))]
    return _Figure(text, readings[0], tuple(words)) if readings else None
