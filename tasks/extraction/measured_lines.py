"""Reads lines of a quantity, a unit and a name, in this order: `250 g flour`, `6 eggs`, `2 boxes of screws`.

Recipes, packing lists and shopping lists have such lines. A line without a quantity among them is a name,
alone or with words such as `to taste`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.passages import Passage
from tasks.extraction.units import UNITS
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_by_column, text_of
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal["quantity", "unit", "name"]

FEWEST: Final = 3
"""Smallest number of consecutive lines with a quantity that make a list."""
MAX_NAMED: Final = 8
"""Largest number of words of a name; a longer text is a sentence."""
APART: Final = 1.5
"""Gap between two lines, in heights of a line, that ends a list."""
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
"""Measures by spoon, by piece and by package, which `units.toml` leaves out because fields are not named after them."""
_NO_QUANTITY = re.compile(
    r"(?P<name>.+?),? (?P<unit>q\.? ?b\.?|to taste|nach (?:belieben|geschmack)|à volonté|selon (?:le )?goût|al gusto"
    r"|a gosto|naar smaak|do smaku|efter smak)\.?",
    re.IGNORECASE,
)
_OF = re.compile(r"(?:of|di|de|do|da|von|van|av|d['’]) ?(?=\S{2})", re.IGNORECASE)


def measured_lines(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable]:
    """Yield the measured lines of a passage as a table for each list of a quantity, a unit and a name."""
    runs: list[list[dict[Column, ReadCell]]] | None = None
    for fields in lists:
        columns = _columns_of(fields)
        if not columns:
            continue
        runs = list(_runs_of(passage)) if runs is None else runs
        header = [ReadCell(" ".join(fields[at].names.own[0])) for at in columns]
        for run in runs:
            body = [[cells.get(column, NO_CELL) for column in columns.values()] for cells in run]
            yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _columns_of(fields: Sequence[WantedField]) -> dict[int, Column]:
    """Return the column of each field of a list by the field's index; empty if the list wants other things."""
    found: dict[int, Column] = {}
    for at, one in enumerate(fields):
        if "unit" in one.names.concepts:
            found[at] = "unit"
        elif "quantity" in one.names.concepts:
            found[at] = "quantity"
        elif _is_of_words(one):
            found[at] = "name"
    is_whole = len(found) == len(fields) == len(set(found.values()))
    return found if is_whole and len(found) == len(("quantity", "unit", "name")) else {}


def _is_of_words(one: WantedField) -> bool:
    types = one.schema.get("type", ())
    return "string" in ((types,) if isinstance(types, str) else types) and "format" not in one.schema


def _runs_of(passage: Passage) -> Iterator[list[dict[Column, ReadCell]]]:
    """Yield each run of lines with a quantity, together with the lines without one among or below them."""
    for rows in rows_by_column(passage):
        run: list[dict[Column, ReadCell]] = []
        bottom = 0
        for row in rows:
            cells = _cells_of(passage, row)
            is_near = row[0].box[1] - bottom <= APART * row[0].height
            if not cells or (run and not is_near) or (not run and "quantity" not in cells):
                if _is_list(run):
                    yield run
                run = []
            if cells and (run or "quantity" in cells):
                run.append(cells)
            bottom = max(word.box[3] for word in row)
        if _is_list(run):
            yield run


def _is_list(run: Sequence[Mapping[Column, ReadCell]]) -> bool:
    return sum("quantity" in cells for cells in run) >= FEWEST


def _cells_of(passage: Passage, row: Sequence[WordOnPage]) -> dict[Column, ReadCell]:
    """Return the cells of a line by column; empty if the line has no quantity and is not a short name either."""
    text = text_of(passage, row)
    marked = _BULLET.match(text)
    words = row[1:] if marked else row
    text = text[marked.end() :] if marked else text
    found = _QUANTITY.fullmatch(text)
    if found is None:
        loose = _NO_QUANTITY.fullmatch(text)
        name = loose["name"] if loose else text
        if name.count(" ") >= MAX_NAMED or name.endswith((".", ":", "!", "?")) or any(map(str.isdigit, name)):
            return {}
        unit: dict[Column, ReadCell] = {"unit": cell_of(passage, words)._replace(text=loose["unit"])} if loose else {}
        return unit | {"name": cell_of(passage, words)._replace(text=name)}
    rest = found["rest"]
    if not rest[0].isalpha() or rest.count(" ") > MAX_NAMED or rest.endswith((".", ":", "!", "?")):
        return {}
    cells: dict[Column, ReadCell] = {"quantity": cell_of(passage, words)._replace(text=_figures(found["quantity"]))}
    first, _, name = rest.partition(" ")
    bare = without_accents(first.rstrip(".").casefold())
    if name and (bare in UNITS or not _MEASURES.isdisjoint(fold(first))):
        cells["unit"] = cell_of(passage, words)._replace(text=first)
        rest = name[of.end() :] if (of := _OF.match(name)) else name
    return cells | {"name": cell_of(passage, words)._replace(text=rest)}


def _figures(text: str) -> str:
    """Return a quantity in figures: `1.5` for `1 ½`, `0.25` for `1/4`."""
    if "/" in text:
        over, under = map(int, text.split("/"))
        return f"{over / under:.3g}" if under else text
    whole, sign = text.rstrip(_VULGAR).strip(), text[-1]
    return f"{whole or 0}{_FRACTIONS[sign]}" if sign in _FRACTIONS else whole
