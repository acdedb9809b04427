"""Reads items that are printed side by side: the products of a shop's page, the hours of a forecast.

Each item is a column without a header, and each row states one property of all items: the names stand beside each
other, and the prices below them. The form of a row's pieces shows which property it is: prices, ratings, hours, degrees
or percentages.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tasks.extraction.fields import WantedField
from tasks.extraction.passages import Passage
from tasks.extraction.table_lists import LIKELY, likeness_by_words
from tasks.extraction.words_on_page import MOST_PLACED, WordOnPage, cell_of, rows_of, segments_of_row, text_of
from tasks.notation.currencies import ANY
from tasks.read_table import NO_CELL, ReadCell, ReadTable

FEWEST_BESIDE: Final = 2
"""Smallest number of items side by side."""
FEWEST_BELOW: Final = 3
"""Smallest number of consecutive rows with one item each, and smallest number of properties in such a row."""
FAR: Final = 4.0
"""Largest gap between two rows of the same items, in heights of a line."""
MOST_ROWS: Final = 2_000
"""Number of rows at the beginning of a page in which such items are looked for."""

_NUMBER = r"\d+(?:[.,]\d+)?"
_PRICE = rf"(?:(?:{ANY}) ?)?\d{{1,3}}(?:[.,' ]?\d{{3}})*(?:[.,]\d\d)?(?: ?(?:{ANY}))?"
_MONEY = re.compile(rf"(?=.*(?:{ANY}))(?P<price>{_PRICE})(?: +(?P<before>{_PRICE}))?", re.IGNORECASE)
_RATED = re.compile(r"[★☆⭐*✩✭ ]*(?P<rating>[0-5](?:[.,]\d)?)(?: ?/ ?5)?[★☆⭐ ]*(?:\((?P<reviews>\d[\d., ]*)\))?")
_SIMPLE: Final = {
    "time": re.compile(
        r"(?:[01]?\d|2[0-3])[:.h][0-5]\d|(?:[01]?\d|2[0-3]) ?(?:h|Uhr|am|pm)|now|jetzt|maintenant|ahora|adesso|ora"
        r"|agora|nu|teraz",
        re.IGNORECASE,
    ),
    "temperature": re.compile(r"[-–−+]?\d{1,2}(?:[.,]\d)? ?[°º]+[CF]?"),
    "percentage": re.compile(rf"{_NUMBER} ?%"),
    "speed": re.compile(rf"{_NUMBER} ?(?:km/h|mph|m/s|kt|kn)"),
    "number": re.compile(_NUMBER),
}
_HERE = re.compile(
    r"in stock|available|auf lager|lieferbar|verfügbar|en stock|disponible|disponibile|em stock|em estoque|disponível"
    r"|op voorraad|leverbaar|dostępny|w magazynie|i lager|finns i lager",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"out of stock|sold out|unavailable|ausverkauft|nicht (?:auf lager|lieferbar|verfügbar)|épuisé|indisponible|rupture"
    r"|agotado|no disponible|sin existencias|esaurito|non disponibile|esgotado|indisponível|uitverkocht"
    r"|niet (?:op voorraad|leverbaar)|niedostępny|wyprzedan|brak w magazynie|slutsåld|ej i lager",
    re.IGNORECASE,
)
_DEGREES = re.compile(r"[-–−]? ?\d+")
_FORMS: Final[dict[str, Callable[[str], object]]] = {
    "money": _MONEY.fullmatch,
    **{kind: form.fullmatch for kind, form in _SIMPLE.items() if kind != "number"},
    "rated": _RATED.fullmatch,
    "stock": lambda text: _HERE.search(text) or _GONE.search(text),
    "number": _SIMPLE["number"].fullmatch,
}
"""Forms of what a row tells, the most telling first."""
_MEASURED: Final = frozenset(("time", "temperature", "low", "high", "percentage", "speed"))
"""Forms that no other table has."""
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
}
"""Names of what a row tells: the one that the list's fields know best heads its column."""


class _Band(NamedTuple):
    """Rows of pieces that stand below each other."""

    rows: list[dict[int, list[WordOnPage]]]
    """The pieces of each row by column."""
    edges: list[tuple[int, int]]
    """Left and right of each column's first piece."""


def items_side_by_side(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable]:
    """Yield the items of a page that stand side by side, as a table for each list with at least two fields."""
    wanted = [fields for fields in lists if len(fields) >= FEWEST_BESIDE]
    if not wanted or len(passage.words) > MOST_PLACED:
        return
    rows = rows_of(passage)[:MOST_ROWS]
    groups: list[list[dict[str, ReadCell]]] = []
    for band in _bands(passage, rows):
        items = _items_of(passage, band)
        told = {kind for item in items for kind in item}
        if "price" not in told and len(told & _MEASURED) < FEWEST_BESIDE:
            continue
        before = {kind for item in groups[-1] for kind in item} if groups else set()
        if before and (told <= before or before <= told):
            groups[-1] += items
        else:
            groups.append(items)
    groups += _measured_rows(passage, rows)
    for fields in wanted:
        for items in groups:
            kinds = [kind for kind in NAMES if any(kind in item for item in items)]
            header = [ReadCell(_name(kind, fields)) for kind in kinds]
            body = [[item.get(kind, NO_CELL) for kind in kinds] for item in items]
            yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _name(kind: str, fields: Sequence[WantedField]) -> str:
    known = {name: max(likeness_by_words(one.names, name) for one in fields) for name in NAMES[kind]}
    best = max(known, key=lambda name: known[name])
    return best if known[best] >= LIKELY else NAMES[kind][0]


def _bands(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Iterator[_Band]:
    band: _Band | None = None
    bottom = 0
    for row in rows:
        pieces = list(segments_of_row(row))
        height = max(piece[0].height for piece in pieces)
        if band is not None and row[0].box[1] - bottom > FAR * height:
            yield band
            band = None
        own = _in_columns(pieces, band.edges) if band is not None else {}
        if band is not None and own and _belongs(passage, pieces, own, band):
            band.rows.append(own)
        elif band is not None and not own:
            continue
        elif len(pieces) >= FEWEST_BESIDE:
            if band is not None:
                yield band
            band = _begun(pieces)
        bottom = max(bottom, *(word.box[3] for word in row)) if band is not None else bottom
    if band is not None:
        yield band


def _is_between(
    pieces: Sequence[list[WordOnPage]], own: Mapping[int, list[WordOnPage]], edges: Sequence[tuple[int, int]]
) -> bool:
    """True if a row has pieces between the columns that belong to none of them."""
    left, right = edges[min(own)][0], edges[max(own)][1]
    return any(piece not in own.values() and left < piece[0].box[0] < right for piece in pieces)


def _is_measured(passage: Passage, pieces: Sequence[list[WordOnPage]]) -> bool:
    """True if all pieces of a row have one of the forms of figures: a row may tell something of a few items only."""
    texts = [text_of(passage, piece) for piece in pieces]
    return any(all(map(_SIMPLE[kind].fullmatch, texts)) for kind in ("percentage", "temperature", "speed"))


def _belongs(
    passage: Passage, pieces: Sequence[list[WordOnPage]], own: Mapping[int, list[WordOnPage]], band: _Band
) -> bool:
    """True if a row tells something of most items of a band, or measures of a few of them and nothing else."""
    is_of_most = 2 * len(own) > len(band.edges) and not _is_between(pieces, own, band.edges)
    return is_of_most or (len(own) == len(pieces) and _is_measured(passage, pieces))


def _begun(pieces: Sequence[list[WordOnPage]]) -> _Band:
    edges = [(piece[0].box[0], piece[-1].box[2]) for piece in pieces]
    return _Band([dict(enumerate(pieces))], edges)


def _in_columns(pieces: Sequence[list[WordOnPage]], edges: Sequence[tuple[int, int]]) -> dict[int, list[WordOnPage]]:
    """Return the pieces that begin where a column begins, or have its middle, by column."""
    found: dict[int, list[WordOnPage]] = {}
    for piece in pieces:
        left, right, near = piece[0].box[0], piece[-1].box[2], 0.7 * piece[0].height
        for at, (begin, end) in enumerate(edges):
            if abs(left - begin) < near or abs(left + right - begin - end) < 2 * near:
                found.setdefault(at, piece)
                break
    return found


def _items_of(passage: Passage, band: _Band) -> list[dict[str, ReadCell]]:
    """Return what the rows of a band tell of each item, by kind."""
    lines = band.rows
    texts = [{at: text_of(passage, piece) for at, piece in line.items()} for line in lines]
    kinds = _kinds_of([list(line.values()) for line in texts])
    full = [line for line in lines if 2 * len(line) > len(band.edges)]
    # Other things may stand beside the items: a column counts if most rows have it, each in its row's form.
    own = [
        at
        for at in range(len(band.edges))
        if 2 * sum(at in line for line in full) > len(full)
        and all(_FORMS[kind](row[at]) for kind, row in zip(kinds, texts, strict=True) if kind in _FORMS and at in row)
    ]
    texts = [{at: text for at, text in row.items() if at in own} for row in texts]
    items: dict[int, dict[str, ReadCell]] = {at: {} for at in own}
    for kind, row, said in zip(kinds, lines, texts, strict=True):
        for at in filter(said.__contains__, own):
            cell = cell_of(passage, row[at])
            for name, text in _told(kind, said[at]).items():
                items[at].setdefault(name, cell._replace(text=text))
    return list(items.values())


def _measured_rows(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Iterator[list[dict[str, ReadCell]]]:
    """Yield the items of consecutive rows that each tell measures of one item, as the days of a forecast."""
    run: list[dict[str, ReadCell]] = []
    bottom = 0
    for row in rows:
        item = _measured_item(passage, row)
        is_near = row[0].box[1] - bottom <= FAR * row[0].height
        if run and (not item or not is_near):
            if len(run) >= FEWEST_BELOW:
                yield run
            run = []
        if item:
            run.append(item)
        bottom = max(word.box[3] for word in row)
    if len(run) >= FEWEST_BELOW:
        yield run


def _measured_item(passage: Passage, row: Sequence[WordOnPage]) -> dict[str, ReadCell]:
    """Return what a row tells of an item: a name, and at least two measures, a temperature among them."""
    found: dict[str, ReadCell] = {}
    degrees: list[ReadCell] = []
    for word in row:
        text, cell = passage.words[word.at].strip("/|"), cell_of(passage, [word])
        kind = next((kind for kind, form in _SIMPLE.items() if form.fullmatch(text)), "")
        if kind == "temperature":
            degrees.append(cell._replace(text=text))
        elif kind in _MEASURED:
            found.setdefault(kind, cell._replace(text=text))
        elif not found and not degrees and sum(map(str.isalpha, text)) > 1:
            name = found.pop("text", None)
            found["text"] = cell._replace(text=f"{name.text} {text}") if name else cell
    if not degrees or len(degrees) + len(found) < FEWEST_BELOW or not {"text", "time"} & found.keys():
        return {}
    if len(degrees) == 1:
        return found | {"temperature": degrees[0]}
    ordered = sorted(degrees, key=lambda cell: _mean([cell.text]))
    return found | {"low": ordered[0], "high": ordered[-1]}


def _told(kind: str, text: str) -> dict[str, str]:
    """Return the texts of a piece in the form of its kind, by what they tell."""
    if kind == "money" and (money := _MONEY.fullmatch(text)):
        found = {"price": money["price"], "before": money["before"]}
    elif kind == "rated" and (rated := _RATED.fullmatch(text)):
        found = {"rating": rated["rating"], "reviews": rated["reviews"]}
    elif kind == "stock":
        found = {"stock": "no" if _GONE.search(text) else "yes"}
    else:
        found = {kind: text}
    return {name: said for name, said in found.items() if name and said}


def _kinds_of(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return what each row tells; empty for a row that tells nothing of the items."""
    found = [_kind_of(row) for row in rows]
    degrees = [at for at, kind in enumerate(found) if kind == "temperature"]
    if len(degrees) == len(("low", "high")):
        found[min(degrees, key=lambda at: _mean(rows[at]))] = "low"
        found[max(degrees, key=lambda at: _mean(rows[at]))] = "high"
    if "money" not in found:
        return found
    price = found.index("money")
    texts = [at for at in range(price) if found[at] == "text"]
    for at in (at for at, kind in enumerate(found) if kind == "text"):
        found[at] = ""
    if texts:
        title = max(texts, key=lambda at: sum(map(len, rows[at])))
        found[title] = "title"
        for at in texts[-2:]:
            found[at] = found[at] or "above"
    return found


def _mean(texts: Sequence[str]) -> float:
    figures = [float(re.sub(r"[-–−] ?", "-", found[0])) for text in texts if (found := _DEGREES.match(text))]
    return sum(figures) / max(1, len(figures))


def _kind_of(row: Sequence[str]) -> str:
    for kind, has_form in _FORMS.items():
        if 2 * sum(bool(has_form(text)) for text in row) > len(row):
            return kind
    return "text" if all(sum(map(str.isalpha, text)) > 1 for text in row) else ""
