"""Reads lines of a quantity, a unit and a name, in this order: `250 g flour`, `6 eggs`, `2 boxes of screws`.

Recipes, packing lists and shopping lists have such lines. A line without a quantity among such lines is a name, with or
without words such as `to taste`. Text in brackets or after a comma is a note, and so is a line with an alternative (`or
2 tsp of dried yeast`). A heading names a group.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import types_of
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.names import Names, names_of
from tasks.extraction.passages import LINES_AT_ONCE, Passage
from tasks.extraction.table_lists import LEAST_LIKENESS, likeness_by_words, means_group
from tasks.extraction.units import UNITS
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_by_column, text_of
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal["quantity", "unit", "name", "note", "group"]
_Cells = dict[Column, ReadCell]

FEWEST: Final = 3
"""A run of lines is a list if at least this many of them have a quantity."""
MAX_NAMED: Final = 8
"""A name or a heading has at most this many words. A longer text is a sentence."""
ENDING_GAP: Final = 1.5
"""Largest gap between two lines of a list, in heights of a line. A wider gap ends the list."""
MAX_STRIPS: Final = 4
"""A strip is a stack of rows that overlap horizontally. A new row is compared with at most this many of the latest
strips."""
SHORTEST_HEADING: Final = 4
"""A line in capitals is the heading of a group only if it has at least this many letters."""
_FRACTIONS: Final[Mapping[str, str]] = {"½": ".5", "¼": ".25", "¾": ".75", "⅓": ".333", "⅔": ".667", "⅛": ".125"}
_VULGAR = "".join(_FRACTIONS)
_QUANTITY = re.compile(
    r"(?:(?:ca\.?|c\.|about|circa|env\.|etwa) )?"
    rf"(?P<quantity>\d{{1,6}} ?/ ?\d{{1,6}}|\d{{1,9}}(?:[.,]\d{{1,9}})?(?: ?[{_VULGAR}])?|[{_VULGAR}])"
    r"(?: ?[-–] ?\d+(?:[.,]\d+)?)?(?: ?[x×] )? ?(?P<rest>.+)"
)
_BULLET = re.compile(r"^(?:[-–—*+•·◦▪‣☐□]) ")
_MEASURES: Final = frozenset(
    fold(
        "cup cups tbsp tsp tablespoon tablespoons teaspoon teaspoons pinch clove cloves slice slices bunch can "
        "cans tin tins jar jars bottle bottles packet packets pack packs bag bags box boxes piece pieces pcs pc "
        "pair pairs roll rolls set sets sheet sheets stick sticks oz ounce ounces pint pints el tl esslöffel "
        "teelöffel tasse tassen prise prisen zehe zehen scheibe scheiben bund dose dosen glas gläser flasche "
        "flaschen päckchen packung packungen beutel karton kartons kiste kisten stück stk rolle rollen paar tasse "
        "tasses cuillère cuillères cs cc pincée gousse gousses tranche tranches botte boîte boîtes bocal bouteille "
        "bouteilles sachet sachets paquet paquets carton cartons pièce pièces rouleau rouleaux paire taza tazas "
        "cucharada cucharadas cucharadita cucharaditas pizca diente dientes rebanada manojo lata latas botella "
        "botellas sobre sobres paquete paquetes caja cajas pieza piezas unidad unidades par cucchiaio cucchiai "
        "cucchiaino cucchiaini pizzico pizzichi spicchio spicchi fetta fette mazzetto lattina barattolo bottiglia "
        "bottiglie bustina bustine pacco pacchi confezione confezioni scatola scatole pezzo pezzi chávena chávenas "
        "xícara xícaras colher colheres pitada dente dentes fatia fatias molho frasco garrafa garrafas pacote "
        "pacotes caixa caixas peça peças unidade unidades dl cl eetlepel eetlepels theelepel theelepels snufje "
        "teentje teentjes plak plakken bos blik blikken pot fles flessen pakje pakjes zakje zakjes doos dozen stuk "
        "stuks szklanka szklanki szklanek łyżka łyżki łyżek łyżeczka łyżeczki szczypta ząbek ząbki plaster plastry "
        "pęczek puszka puszki słoik butelka butelki opakowanie opakowania op paczka paczki karton sztuka sztuki "
        "sztuk szt msk tsk krm nypa klyfta klyftor skiva skivor burk burkar flaska flaskor förpackning paket låda "
        "lådor styck st"
    )
)
"""Measures in recipes and packing lists, most of which `units.toml` leaves out because fields are not named after
them."""
_NO_QUANTITY = re.compile(
    r"(?P<name>.+?),? (?P<unit>q\.? ?b\.?|to taste|nach (?:belieben|geschmack)|à volonté|selon (?:le )?goût|al gusto"
    r"|a gosto|naar smaak|do smaku|efter smak)\.?",
    re.IGNORECASE,
)
_NOTE = re.compile(r"(?P<name>[^(),;]{2,})(?: \((?P<brackets>[^()]+)\)|, (?P<behind>.+))")
_PARTS = re.compile(r", (?=\d)| (?:and|und|et|y|e|en|i|och) (?=\d)")
_SPOON = re.compile(
    r"(?:c\.? ?à ?\.?|cuill(?:ères?|erées?) à )(?:soupe|café|thé|s\b\.?|c\b\.?) "
    r"|colher(?:es)? de (?:sopa|chá|café|sobremesa) |cuchar(?:ad)?(?:it)?as? (?:soperas?|de postre|de café) ",
    re.IGNORECASE,
)
"""Pattern of a spoon whose size follows it."""
_ALTERNATIVE = re.compile(r"(?:or|oder|ou|o|of|lub|albo|eller|à défaut|ersatzweise|in alternativa)\b", re.IGNORECASE)
_NOTES: Final = frozenset(fold("note notes nota notas uwaga uwagi anmerkung hinweis bemerkung remarque opmerking"))
_BEFORE_SUBJECT = re.compile(r"(?:of|di|de|do|da|von|van|av|d['’]) ?(?=\S{2})", re.IGNORECASE)


class _MeasuredRow(NamedTuple):
    """A row of a page, read for lists with certain columns."""

    items: Sequence[_Cells] = ()
    heading: ReadCell | None = None
    """The words at the beginning of the row that are the heading of a group."""
    note: ReadCell | None = None
    """The whole row if it may be an alternative for the row above it."""
    top: int = 0
    bottom: int = 0
    height: int = 0


def measured_lines(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield, for each list of a quantity, a unit and a name, a table for each run of measured lines, and None after a
    slice of work."""
    known: dict[frozenset[Column], list[list[_MeasuredRow]]] = {}
    for fields in lists:
        columns = _columns_of(fields)
        if not columns:
            continue
        wanted = frozenset(columns.values())
        if wanted not in known:
            known[wanted] = yield from _rows_of(passage, wanted)
        names = names_of(fields[0].path[:-1], {"type": "array"})
        header = [ReadCell(" ".join(fields[index].names.own[0])) for index in columns]
        for run in _runs_of(known[wanted], wanted, names):
            if run is None:
                yield None
                continue
            body = [[cells.get(column, NO_CELL) for column in columns.values()] for cells in run]
            yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _columns_of(fields: Sequence[WantedField]) -> dict[int, Column]:
    """Return the column of each field of a list by the field's index; empty if the list wants other things.

    If the list has no field for units, a quantity that is a text includes its unit.
    """
    found: dict[int, Column] = {}
    for index, one in enumerate(fields):
        words = {word for own in one.names.own[:1] for word in own}
        if "unit" in one.names.concepts:
            found[index] = "unit"
        elif "quantity" in one.names.concepts:
            found[index] = "quantity"
        elif "notes" in one.names.concepts or words & _NOTES:
            found[index] = "note"
        elif means_group(one):
            found[index] = "group"
        elif _is_of_words(one):
            found[index] = "name"
    has_unit = "unit" in found.values() or any(
        column == "quantity" and _is_of_words(fields[index]) for index, column in found.items()
    )
    is_whole = len(found) == len(fields) == len(set(found.values()))
    return found if is_whole and has_unit and {"quantity", "name"} <= set(found.values()) else {}


def _is_of_words(field: WantedField) -> bool:
    return "string" in types_of(field.schema) and "format" not in field.schema and "enum" not in field.schema


def _rows_of(passage: Passage, wanted: frozenset[Column]) -> Slices[list[list[_MeasuredRow]]]:
    """Return the rows of each strip of a page."""
    found: list[list[_MeasuredRow]] = []
    for column in rows_by_column(passage):
        for strip in (yield from _strips(column)):
            found.append([])
            for row in strip:
                yield
                size = _heading_of(passage, row)
                found[-1].append(
                    _MeasuredRow(
                        list(_items_of(passage, row[size:], wanted)),
                        cell_of(passage, row[:size]) if size else None,
                        cell_of(passage, row) if _ALTERNATIVE.match(text_of(passage, row)) else None,
                        min(word.box[1] for word in row),
                        max(word.box[3] for word in row),
                        max(word.height for word in row),
                    )
                )
    return found


def _runs_of(
    strips: Sequence[Sequence[_MeasuredRow]], wanted: frozenset[Column], names: Names
) -> Iterator[list[_Cells] | None]:
    """Yield each run of lines with a quantity, together with the lines without a quantity between and below them. Yield
    None after each slice of work.

    A run below the heading of a group may have fewer than FEWEST lines with a quantity if the groups before it are a
    list.
    """
    for rows in strips:
        run: list[_Cells] = []
        group: ReadCell | None = None
        has_list, bottom = False, 0
        for row in [*rows, _MeasuredRow()]:
            yield None
            is_near = bool(row.height) and not row.heading and row.top - bottom <= ENDING_GAP * row.height
            if is_near and run and row.note is not None:
                if "note" in wanted:
                    run[-1] = {"note": row.note, **run[-1]}
                bottom = row.bottom
                continue
            begins = any("quantity" in cells for cells in row.items)
            if not row.items or (run and not is_near) or (not run and not begins):
                if _is_list(run) or (has_list and group is not None and run):
                    has_list = True
                    yield run
                run = []
                if row.height and (row.heading or not begins):
                    group = _group_of(row.heading, names) if row.heading else None
            if row.items and (run or begins):
                run += [cells | {"group": group} if group is not None else cells for cells in row.items]
            bottom = row.bottom if row.height else bottom


def _strips(rows: Sequence[list[WordOnPage]]) -> Slices[list[list[list[WordOnPage]]]]:
    """Return the rows of each strip of a column. Rows that are beside other rows, and neither above nor below these,
    form a separate strip."""
    found: list[list[list[WordOnPage]]] = []
    for index, row in enumerate(rows):
        if index % LINES_AT_ONCE == 0:
            yield
        left, right = row[0].box[0], row[-1].box[2]
        for strip in found[-MAX_STRIPS:]:
            last = strip[-2:]
            if left < max(one[-1].box[2] for one in last) and right > min(one[0].box[0] for one in last):
                strip.append(row)
                break
        else:
            found.append([row])
    return found


def _heading_of(passage: Passage, row: Sequence[WordOnPage]) -> int:
    """Return the number of words at the beginning of a row that are the heading of a group: the words up to a colon, or
    the whole row if it is marked, in capitals, or bold. Return 0 for a row without a heading."""
    texts = [passage.words[word.at] for word in row[: MAX_NAMED + 1]]
    ends = next((at for at, text in enumerate(texts, 1) if text.rstrip("*_").endswith(":")), 0)
    if ends and not any(map(str.isdigit, "".join(texts[:ends]))):
        return ends
    text = text_of(passage, row)
    is_marked = text.startswith("#") or (text.startswith("**") and text.endswith("**"))
    is_in_capitals = text.isupper() and sum(map(str.isalpha, text)) >= SHORTEST_HEADING and not text[0].isdigit()
    return len(row) if (is_marked or is_in_capitals) and len(row) <= MAX_NAMED else 0


def _group_of(cell: ReadCell, names: Names) -> ReadCell | None:
    """Return the heading of a group; None if the heading names the list itself."""
    text = cell.text.strip("#*_: ")
    is_list = likeness_by_words(names, text) >= LEAST_LIKENESS or "ingredients" in concepts_of(tuple(fold(text)))
    return None if not text or is_list else cell._replace(text=text)


def _is_list(run: Sequence[_Cells]) -> bool:
    return sum("quantity" in cells for cells in run) >= FEWEST


def _items_of(passage: Passage, row: Sequence[WordOnPage], wanted: frozenset[Column]) -> Iterator[_Cells]:
    """Yield the cells of each item of a row: `1 egg and 2 tsp sugar` has two items."""
    if not row:
        return
    cell = cell_of(passage, row)
    text = _BULLET.sub("", cell.text)
    parts = _PARTS.split(text)
    item_texts = parts if len(parts) > 1 and all(map(_QUANTITY.fullmatch, parts)) else [text]
    items = [_cells_of(part, cell, wanted) for part in item_texts]
    if all(items):
        yield from items


def _cells_of(text: str, cell: ReadCell, wanted: frozenset[Column]) -> _Cells:
    """Return the cells of an item by column; empty if it has no short name."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        loose = _NO_QUANTITY.fullmatch(text)
        name = loose["name"] if loose else text
        if name.count(" ") >= MAX_NAMED or name.endswith((".", ":", "!", "?")) or any(map(str.isdigit, name)):
            return {}
        unit: _Cells = {"unit": cell._replace(text=loose["unit"])} if loose else {}
        return unit | {"name": cell._replace(text=name)}
    rest, note = found["rest"], ""
    if "note" in wanted and (noted := _NOTE.fullmatch(rest)):
        rest, note = noted["name"], noted["brackets"] or noted["behind"]
    if not rest[0].isalpha() or rest.count(" ") > MAX_NAMED or rest.endswith((".", ":", "!", "?")):
        return {}
    spoon = _SPOON.match(rest)
    first, _, name = (spoon[0], " ", rest[spoon.end() :]) if spoon else rest.partition(" ")
    bare = without_accents(first.rstrip(".").casefold())
    unit_text = ""
    if name and (spoon or bare in UNITS or not _MEASURES.isdisjoint(fold(first))):
        unit_text = first.strip()
        rest = name[of.end() :] if (of := _BEFORE_SUBJECT.match(name)) else name
    quantity = _figures(found["quantity"]) if "unit" in wanted else f"{found['quantity']} {unit_text}".strip()
    cells: dict[Column, str] = {"quantity": quantity, "unit": unit_text, "name": rest, "note": note}
    return {column: cell._replace(text=cell_text) for column, cell_text in cells.items() if cell_text}


def _figures(text: str) -> str:
    """Return a quantity in figures: `1.5` for `1 ½`, `0.25` for `1/4`."""
    if "/" in text:
        over, under = map(int, text.split("/"))
        return f"{over / under:.3g}" if under else text
    whole, sign = text.rstrip(_VULGAR).strip(), text[-1]
    return f"{whole or 0}{_FRACTIONS[sign]}" if sign in _FRACTIONS else whole
