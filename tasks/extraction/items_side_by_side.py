"""Reads items that are printed side by side: the products of a shop's page, the hours of a forecast.

Each item is a column without a header. Each row is cut at wide gaps into pieces and states one property of all items:
one row has the names, and a row below has the prices. The form of a row's pieces shows which property the row states:
a currency sign belongs to prices, stars to ratings, and a degree sign to temperatures.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.fields import WantedField
from tasks.extraction.passages import Passage
from tasks.extraction.table_lists import LEAST_LIKENESS, likeness_by_words
from tasks.extraction.words_on_page import MAX_PLACED, WordOnPage, cell_of, rows_of, segments_of_row, text_of
from tasks.notation.currencies import ANY
from tasks.read_table import NO_CELL, ReadCell, ReadTable

FEWEST_BESIDE: Final = 2
"""A band begins with a row of at least this many items. A forecast states at least this many of the properties in
`_MEASURED`, and a list is filled from items only if it has at least this many fields."""
FEWEST_BELOW: Final = 3
"""Rows with one item each count only if at least this many are consecutive, and if each states at least this many
properties."""
MAX_GAP: Final = 4.0
"""Two rows of the same items are at most this far apart, in heights of a line."""
MAX_DISTANCE: Final = 1.8
"""The middles of a row of measures and of a text that belongs to it are at most this many heights of a line apart."""
SHIFT: Final = 0.15
"""A measure may be this far from the middle of its column, as a share of the distance between two columns. The boxes of
short words are not exact."""
MAX_ROWS: Final = 2_000
"""Items are searched for in at most this many rows at the beginning of a page, which limits the work."""

_NUMBER = r"\d+(?:[.,]\d+)?"
_PRICE = rf"(?:(?:{ANY}) ?)?\d{{1,3}}(?:[.,' ]?\d{{3}}){{0,6}}(?:[.,]\d\d)?(?: ?(?:{ANY}))?"
_MONEY = re.compile(rf"(?=.*(?:{ANY}))(?P<price>{_PRICE})(?: +(?P<before>{_PRICE}))?", re.IGNORECASE)
_RATED = re.compile(r"[★☆⭐*✩✭ ]*(?P<rating>[0-5](?:[.,]\d)?)(?: ?/ ?5)?[★☆⭐ ]*(?:\((?P<reviews>\d[\d., ]*)\))?")
_SIMPLE: Final = {
    "time": re.compile(
        r"(?:[01]?\d|2[0-3])[:.h][0-5]\d|(?:[01]?\d|2[0-3]) ?(?:h|Uhr|am|pm)|now|jetzt|maint(?:enant|\.)|ahora|adesso"
        r"|ora|agora|nu|teraz",
        re.IGNORECASE,
    ),
    "temperature": re.compile(r"[-–−+]?\d{1,2}(?:[.,]\d)? ?(?:[°º]+[CF]?|[oO])"),
    "percentage": re.compile(rf"{_NUMBER} ?%"),
    "speed": re.compile(rf"{_NUMBER} ?(?:km/h|mph|m/s|kt|kn)"),
    "number": re.compile(_NUMBER),
}
_IN_STOCK = re.compile(
    r"in stock|available|auf lager|lieferbar|verfügbar|en stock|disponible|disponibile|em stock|em estoque|disponível"
    r"|op voorraad|leverbaar|dostępny|w magazynie|i lager|finns i lager",
    re.IGNORECASE,
)
_SOLD_OUT = re.compile(
    r"out of stock|sold out|unavailable|ausverkauft|nicht (?:auf lager|lieferbar|verfügbar)|épuisé|indisponible|rupture"
    r"|agotado|no disponible|sin existencias|esaurito|non disponibile|esgotado|indisponível|uitverkocht"
    r"|niet (?:op voorraad|leverbaar)|niedostępny|wyprzedan|brak w magazynie|slutsåld|ej i lager",
    re.IGNORECASE,
)
_DEGREES = re.compile(r"[-–−]? ?\d+")
_BARE = re.compile(r"[-–−+]?\d{1,2}")
_FORMS: Final[dict[str, Callable[[str], object]]] = {
    "money": _MONEY.fullmatch,
    **{kind: form.fullmatch for kind, form in _SIMPLE.items() if kind != "number"},
    "rated": _RATED.fullmatch,
    "stock": lambda text: _IN_STOCK.search(text) or _SOLD_OUT.search(text),
    "number": _SIMPLE["number"].fullmatch,
}
"""Functions that check the form of a piece of a row, by the kind of row that has such pieces. If a row's pieces have
several forms, the first of these forms counts."""
_MEASURED: Final = frozenset(("time", "temperature", "low", "high", "percentage", "speed"))
"""Properties that a forecast states. Two of them show that a page has a forecast."""
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "title": ("product name", "name", "title", "description"),
    "above": ("brand", "category", "manufacturer"),
    "price": ("price", "amount", "unit price"),
    "before": ("old price", "ancien prix", "regular price", "previous price", "alter preis", "precio anterior"),
    "rating": ("rating", "note", "score"),
    "reviews": ("reviews", "review count"),
    "stock": ("in stock", "available", "availability"),
    "time": ("time", "hour", "uhrzeit", "heure", "hora", "ora"),
    "temperature": ("temperature", "temp", "degrees", "temperatur"),
    "low": ("low", "min", "minimum", "lowest", "min temperature"),
    "high": ("high", "max", "maximum", "highest", "max temperature"),
    "percentage": (
        "precipitation",
        "rain",
        "regenwahrscheinlichkeit",
        "pluie",
        "lluvia",
        "pioggia",
        "chuva",
        "neerslag",
        "probability",
        "humidity",
        "percentage",
    ),
    "speed": ("wind", "wind speed", "speed"),
    "number": ("value", "number"),
    "text": ("day", "tag", "jour", "dia", "giorno", "dag", "weekday", "date", "condition"),
    "condition": ("weather", "conditions", "wetter", "temps", "estado", "tiempo", "tempo", "weer", "pogoda", "väder"),
}
"""Possible names of each property. The name that is most like the name of a field becomes the header of the property's
column."""


class _Band(NamedTuple):
    """Successive rows whose pieces stand in the same columns; each column is an item."""

    rows: list[dict[int, list[WordOnPage]]]
    """The pieces of each row by the number of their column. A row may lack some columns."""
    edges: list[tuple[int, int]]
    """Left and right edge of each column's first piece, in pixels."""


def items_side_by_side(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield tables with one row per item, and None after each slice of work. The items are those that stand side by
    side on a page, and those that each fill one row with measures, such as the days of a forecast.

    Each list with at least two fields gets separate tables, because the header depends on the names of the fields.
    """
    wanted = [fields for fields in lists if len(fields) >= FEWEST_BESIDE]
    if not wanted or len(passage.words) > MAX_PLACED:
        return
    rows = rows_of(passage)[:MAX_ROWS]
    groups: list[list[dict[str, ReadCell]]] = []
    for band in (yield from _bands(passage, rows)):
        yield None
        items = yield from _items_of(passage, band)
        properties = {one for item in items for one in item}
        if "price" not in properties and len(properties & _MEASURED) < FEWEST_BESIDE:
            continue
        previous_group = {one for item in groups[-1] for one in item} if groups else set()
        # A page of products has many bands. A band continues the group before it if the properties of one of them
        # include all properties of the other.
        if previous_group and (properties <= previous_group or previous_group <= properties):
            groups[-1] += items
        else:
            groups.append(items)
    groups += yield from _measured_rows(passage, rows)
    for fields in wanted:
        headers: dict[str, ReadCell] = {}
        for items in groups:
            known = {one for item in items for one in item}
            stated = [one for one in NAMES if one in known]
            for one in stated:
                if one not in headers:
                    yield None
                    headers[one] = ReadCell(_header_of(one, fields))
            header = [headers[one] for one in stated]
            body = [[item.get(one, NO_CELL) for one in stated] for item in items]
            yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _header_of(stated: str, fields: Sequence[WantedField]) -> str:
    """Return the name of a property in NAMES that is most like the name of a field. If none is like the name of a
    field, return the property's first name."""
    likeness = {name: max(likeness_by_words(one.names, name) for one in fields) for name in NAMES[stated]}
    best = max(likeness, key=lambda name: likeness[name])
    return best if likeness[best] >= LEAST_LIKENESS else NAMES[stated][0]


def _bands(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Slices[list[_Band]]:
    """Return the bands of a page.

    A band ends at a wide gap. It also ends at a row of at least two pieces that does not belong to it although some of
    the pieces are in its columns. Such a row begins the next band. A row without a piece in the band's columns is
    skipped.
    """
    found: list[_Band] = []
    band: _Band | None = None
    bottom = 0
    for row in rows:
        yield
        pieces = list(segments_of_row(row))
        height = max(piece[0].height for piece in pieces)
        if band is not None and row[0].box[1] - bottom > MAX_GAP * height:
            found.append(band)
            band = None
        own = {}
        if band is not None:
            own = _by_column(pieces, band.edges, SHIFT if _is_measured(passage, pieces) else 0.0)
        if band is not None and own and _belongs(passage, pieces, own, band):
            band.rows.append(own)
        elif band is not None and not own:
            continue
        elif len(pieces) >= FEWEST_BESIDE:
            if band is not None:
                found.append(band)
            band = _new_band(pieces)
        bottom = max(bottom, *(word.box[3] for word in row)) if band is not None else bottom
    return [*found, band] if band is not None else found


def _has_pieces_between(
    pieces: Sequence[list[WordOnPage]], own: Mapping[int, list[WordOnPage]], edges: Sequence[tuple[int, int]]
) -> bool:
    """True if a row has pieces outside its columns `own`, but between the first and the last of these columns."""
    left, right = edges[min(own)][0], edges[max(own)][1]
    return any(piece not in own.values() and left < piece[0].box[0] < right for piece in pieces)


def _is_measured(passage: Passage, pieces: Sequence[list[WordOnPage]]) -> bool:
    """True if all pieces of a row are percentages, all are temperatures, or all are speeds. Some may lack their
    sign."""
    kinds = {_measured_kind(text_of(passage, piece)) for piece in pieces} - {"number"}
    return len(kinds) == 1 and kinds <= {"percentage", "temperature", "speed"}


def _belongs(
    passage: Passage, pieces: Sequence[list[WordOnPage]], own: Mapping[int, list[WordOnPage]], band: _Band
) -> bool:
    """True if a row belongs to a band: it has pieces for most of the items, or nothing but measures of some of them."""
    covers_most = 2 * len(own) > len(band.edges) and not _has_pieces_between(pieces, own, band.edges)
    return covers_most or (len(own) == len(pieces) and _is_measured(passage, pieces))


def _new_band(pieces: Sequence[list[WordOnPage]]) -> _Band:
    edges = [(piece[0].box[0], piece[-1].box[2]) for piece in pieces]
    return _Band([dict(enumerate(pieces))], edges)


def _by_column(
    pieces: Sequence[list[WordOnPage]], edges: Sequence[tuple[int, int]], shift: float
) -> dict[int, list[WordOnPage]]:
    """Return the pieces that share the left edge or the middle of a column, by the number of the column. `shift` is the
    distance at which they share it, at least, as a share of that between two columns."""
    found: dict[int, list[WordOnPage]] = {}
    middles = [(begin + end) / 2 for begin, end in edges]
    shift *= min((right - left for left, right in pairwise(middles)), default=0.0)
    for piece in pieces:
        left, right, tolerance = piece[0].box[0], piece[-1].box[2], 0.7 * piece[0].height
        middle = (left + right) / 2
        for index, (begin, _) in enumerate(edges):
            if abs(left - begin) < tolerance or abs(middle - middles[index]) < max(tolerance, shift):
                found.setdefault(index, piece)
                break
    return found


def _items_of(passage: Passage, band: _Band) -> Slices[list[dict[str, ReadCell]]]:
    """Return the properties of each item of a band."""
    lines = band.rows
    texts = []
    for line in lines:
        yield
        texts.append({index: text_of(passage, piece) for index, piece in line.items()})
    kinds = yield from _kinds_of([list(line.values()) for line in texts])
    full = [line for line in lines if 2 * len(line) > len(band.edges)]
    # There may be menus or filters beside the items. A column is an item if most rows have a piece in it and each piece
    # has the form of its row.
    own = []
    for index in range(len(band.edges)):
        yield
        if 2 * sum(index in line for line in full) > len(full) and all(
            _FORMS[kind](row[index]) for kind, row in zip(kinds, texts, strict=True) if kind in _FORMS and index in row
        ):
            own.append(index)
    texts = [{index: text for index, text in row.items() if index in own} for row in texts]
    items: dict[int, dict[str, ReadCell]] = {index: {} for index in own}
    for kind, row, row_texts in zip(kinds, lines, texts, strict=True):
        yield
        for index in filter(row_texts.__contains__, own):
            cell = cell_of(passage, row[index])
            for name, text in _properties_of(kind, row_texts[index]).items():
                items[index].setdefault(name, cell._replace(text=text))
    return list(items.values())


class _RowOfForecast(NamedTuple):
    """The texts and measures that a row states, and numbers that may be temperatures whose sign was not read."""

    texts: list[ReadCell]
    properties: dict[str, ReadCell]
    degrees: list[tuple[int, ReadCell]]
    """Temperatures with their left edge, in pixels."""
    numbers: list[tuple[int, ReadCell]]


def _measured_rows(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Slices[list[list[dict[str, ReadCell]]]]:
    """Return the items of consecutive rows that each state one item with its measures, such as the days of a
    forecast. A row of texts belongs to the nearest row of measures: a day above its weather, with the measures between
    the two."""
    measured = []
    for row in rows:
        yield
        measured.append(_measured_row(passage, row))
    runs: list[list[_RowOfForecast]] = []
    run: list[_RowOfForecast] = []
    bottom = 0
    for index, row in enumerate(rows):
        yield
        own = measured[index]
        is_near = row[0].box[1] - bottom <= MAX_GAP * row[0].height
        if not own.degrees and own.texts and run and is_near and not own.properties:
            continue
        texts = [*own.texts]
        for neighbour in (index - 1, index + 1):
            if own.degrees and _belongs_to(rows, measured, neighbour, index):
                texts = (
                    [*measured[neighbour].texts, *texts] if neighbour < index else [*texts, *measured[neighbour].texts]
                )
        item = own._replace(texts=texts)
        if run and (not _is_item(item) or not is_near):
            runs.append(run)
            run = []
        if _is_item(item):
            run.append(item)
            bottom = max(word.box[3] for word in row)
    items: list[list[dict[str, ReadCell]]] = []
    for one in [*runs, run]:
        items += [(yield from _items_of_run(one))] if len(one) >= FEWEST_BELOW else []
    return items


def _measured_row(passage: Passage, row: Sequence[WordOnPage]) -> _RowOfForecast:
    found = _RowOfForecast([], {}, [], [])
    for piece in segments_of_row(row):
        whole = _measured_kind(text_of(passage, piece))
        name: list[WordOnPage] = []
        for words in [piece] if whole else [[word] for word in piece]:
            text, cell = text_of(passage, words).strip("/|"), cell_of(passage, words)
            kind = whole or _measured_kind(text)
            if kind == "temperature":
                found.degrees.append((words[0].box[0], cell._replace(text=text)))
            elif kind == "number":
                found.numbers.append((words[0].box[0], cell._replace(text=text)))
            elif kind:
                found.properties.setdefault(kind, cell._replace(text=text))
            elif not found.degrees and sum(map(str.isalpha, text)) > 1:
                name += words
        if name:
            found.texts.append(cell_of(passage, name))
    return found


def _measured_kind(text: str) -> str:
    """Return the kind of measure that a text states, `number` for a number of a temperature's size without a unit, or
    an empty string."""
    kind = next((kind for kind, form in _SIMPLE.items() if kind in _MEASURED and form.fullmatch(text)), "")
    return kind or ("number" if _BARE.fullmatch(text) else "")


def _belongs_to(
    rows: Sequence[Sequence[WordOnPage]], measured: Sequence[_RowOfForecast], neighbour: int, index: int
) -> bool:
    """True if the row `neighbour` is one text, and the row `index` is the nearest one with temperatures."""
    if (
        not 0 <= neighbour < len(rows)
        or len(measured[neighbour].texts) != 1
        or len(list(segments_of_row(rows[neighbour]))) > 1
    ):
        return False
    middle = _middle(rows[neighbour])
    distance = abs(middle - _middle(rows[index]))
    other = 2 * neighbour - index
    is_nearest = not (
        0 <= other < len(rows) and measured[other].degrees and abs(middle - _middle(rows[other])) <= distance
    )
    return is_nearest and distance <= MAX_DISTANCE * rows[index][0].height


def _middle(row: Sequence[WordOnPage]) -> float:
    return sum(word.box[1] + word.box[3] for word in row) / (2 * len(row))


def _is_item(row: _RowOfForecast) -> bool:
    """True if a row states a name or a time, a temperature, and at least one more property."""
    has_name = bool(row.texts) or "time" in row.properties
    count = bool(row.texts) + len(row.properties) + len(row.degrees) + len(row.numbers)
    return has_name and bool(row.degrees) and count >= FEWEST_BELOW


def _items_of_run(run: Sequence[_RowOfForecast]) -> Slices[list[dict[str, ReadCell]]]:
    """Return the properties of each row's item. If most rows have two temperatures, a single one belongs to the nearer
    column of these, and a number in the other column lacks its sign."""
    ordered = []
    for row in run:
        yield
        ordered.append(sorted(row.degrees, key=lambda one: _mean([one[1].text])))
    pairs = [(one[0][0], one[-1][0]) for one in ordered if len(one) > 1]
    has_pairs = 2 * len(pairs) > len(run)
    columns = [sorted(edges)[len(pairs) // 2] for edges in zip(*pairs, strict=True)] if has_pairs else []
    items = []
    for row, degrees in zip(run, ordered, strict=True):
        yield
        item = dict(row.properties)
        item.update(zip(("text", "condition"), row.texts, strict=False))
        if len(degrees) > 1:
            item |= {"low": degrees[0][1], "high": degrees[-1][1]}
        elif not columns:
            item["temperature"] = degrees[0][1]
        else:
            for left, cell in [*row.numbers, *degrees]:
                nearest = min((0, 1), key=lambda column: abs(left - columns[column]))
                item[("low", "high")[nearest]] = cell
        items.append(item)
    return items


def _properties_of(kind: str, text: str) -> dict[str, str]:
    """Return the properties that a piece of a row states, with their texts: `4.5 (212)` is a rating of 4.5 and 212
    reviews."""
    if kind == "money" and (money := _MONEY.fullmatch(text)):
        found = {"price": money["price"], "before": money["before"]}
    elif kind == "rated" and (rated := _RATED.fullmatch(text)):
        found = {"rating": rated["rating"], "reviews": rated["reviews"]}
    elif kind == "stock":
        found = {"stock": "no" if _SOLD_OUT.search(text) else "yes"}
    else:
        found = {kind: text}
    return {name: value for name, value in found.items() if name and value}


def _kinds_of(rows: Sequence[Sequence[str]]) -> Slices[list[str]]:
    """Return the kind of each row, or an empty string for a row that states nothing about the items.

    If exactly two rows have degrees, one has the lows and the other the highs. Among the rows of texts above the first
    row of prices, the row with the longest texts is `title`. The two rows nearest to the prices are `above`, such as
    brands, except if a row is the title already.
    """
    found = []
    for row in rows:
        yield
        found.append(_kind_of(row))
    degrees = [index for index, kind in enumerate(found) if kind == "temperature"]
    if len(degrees) == len(("low", "high")):
        found[min(degrees, key=lambda index: _mean(rows[index]))] = "low"
        found[max(degrees, key=lambda index: _mean(rows[index]))] = "high"
    if "money" not in found:
        for index in [index for index, kind in enumerate(found) if kind == "text"][1:2]:
            found[index] = "condition"
        return found
    price = found.index("money")
    texts = [index for index in range(price) if found[index] == "text"]
    for index in (index for index, kind in enumerate(found) if kind == "text"):
        found[index] = ""
    if texts:
        title = max(texts, key=lambda index: sum(map(len, rows[index])))
        found[title] = "title"
        for index in texts[-2:]:
            found[index] = found[index] or "above"
    return found


def _mean(texts: Sequence[str]) -> float:
    """Return the mean of the degrees in the texts."""
    figures = [float(re.sub(r"[-–−] ?", "-", found[0])) for text in texts if (found := _DEGREES.match(text))]
    return sum(figures) / max(1, len(figures))


def _kind_of(row: Sequence[str]) -> str:
    """Return the key of the first of `_FORMS` that most texts of a row have. If there is no such form, return `text`
    for a row of words, and an empty string for any other row."""
    for kind, has_form in _FORMS.items():
        if 2 * sum(bool(has_form(text)) for text in row) > len(row):
            return kind
    return "text" if all(sum(map(str.isalpha, text)) > 1 for text in row) else ""
