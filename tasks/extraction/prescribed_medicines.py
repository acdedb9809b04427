"""Reads the medicines of a prescription, one per line: name, strength, form, quantity, and how each is taken."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from models.fair_executor import Slices
from tasks.extraction.features import types_of
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_by_column, text_of, texts_of_rows
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal["ordinal", "name", "strength", "form", "quantity", "intake", "dose", "frequency", "duration"]

FEWEST_COLUMNS: Final = 3
"""A list must ask for at least this many columns. `listed_items` reads lists of names with one dose each."""
MAX_BELOW: Final = 4
"""At most this many lines below a medicine say how it is taken, for how long, and how much is supplied."""
ENDING_GAP: Final = 1.5
"""The largest gap between two lines of one medicine's description, in heights of a line."""
LONGEST_FORM: Final = 4
"""A form has at most this many words: `suspension for oral use`."""
LONGEST_ROW: Final = 500
"""The line of a medicine has at most this many characters. Only this many characters of each line below it are read."""

_UNIT = (
    r"(?i:(?:mg|g|[µμ]g|mcg|ug|micrograms?|mikrogramm?|microgrammes?|microgramos|microgrammi|ml|IE|IU|UI|j\.?m\.?|%|mmol|mval"
    r"|(?:units?|einheiten|unités|unidades|unità|eenheden|enheter|jednostek)\b)"
    r"(?:/(?:\d+(?:[.,]\d+)? ?)?(?:ml|h|d|g|dos\w*))?)"
)
_MEDICINE = re.compile(
    r"(?:(?P<ordinal>\d{1,2})[.)] ?|(?:Rp\.?|R/|(?P<bullet>[-–•*])) ?){0,4}"
    r"(?P<name>(?:[^\W\d_a-zß-öø-ÿ]|(?(ordinal)[^\W\d_]|(?(bullet)[^\W\d_]|(?!))))"
    rf"[\w'’-]{{2,}}(?: [^\W\d_][\w'’-]*){{0,3}}),? (?P<strength>\d+(?:[.,/]\d+)* ?{_UNIT}"
    rf"(?:/\d+(?:[.,]\d+)? ?{_UNIT})?)(?![^\W_])(?P<rest>.*)"
)
_NUMBERED = re.compile(
    r"(?P<ordinal>\d{1,2})[.)] ?(?P<name>[^\W\d_a-zß-öø-ÿ][\w'’-]{2,}(?: [^\W\d_][\w'’-]*){0,3})"
    r"(?P<rest>(?:[ ,](?! ?:).*)?)"
)
"""Pattern of a numbered medicine without a strength. Its number must follow that of the medicine above it."""
_FORM = re.compile(
    r"(?:(?:oral|nasal|eye|ear|chewable|soluble|effervescent|dispersible) )?"
    r"(?:film-?|ret(?:ard)?-?|brause-?|kau-?|tugg|depot)?(?:tab(?:s|l(?:et(?:s|ten|ter|te|ki|kom|ek)?)?)?|caps?(?:ules?)?|kaps(?:eln?|ułki?)?"
    r"|compr(?:im[ée]s?|imidos?|esse)?|cpr|cp|c[áa]psulas?|gélules?|gtt|drops|tropfen|gouttes|gotas|gocce|krople|syrup|saft"
    r"|sirop|jarabe|sciroppo|syrop|cream|creme|crème|crema|krem|salbe|ointment|pommade|pomada|maść|gel|spray|inhaler"
    r"|zetpil(?:len)?|(?:neus|oog|oor)?druppels|zalf|cr[eè]me|drank|pommade|suppo(?:sitoires?|sitori[oa]s?)?|zäpfchen|poudre"
    r"|poeder|proszek|pulver|suspension|solution|lösung|sachets?|bustine|saszetki|injection|ampullen|ampoules|patch(?:es)?|pflaster|fta|tbl)\b\.?"
    r"(?: (?:buvable|oral|orale|nasal[e]?|effervescente?s?|gastro-résistante?s?)\b)?",
    re.IGNORECASE,
)
_COUNTED = (
    rf"(?:pcs|pieces|st(?:ück|k|\.)?|szt|stuks|uds?|{_FORM.pattern}|op\b\.?|boîtes?|cajas?|packs?|packung(?:en)?"
    r"|n[123]\b)"
)
_SUPPLY = re.compile(
    r"(?:supply|abgabe|qty|qté|qtà|ctd|quantity|menge|n[or](?=[.:]* ?\d)|n[°º]|disp(?:ense)?|anzahl|quantité|cantidad"
    r"|quantità|ilość|aantal|antal|quantidade)\b[.:]* ?",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    rf"(?:\b{_SUPPLY.pattern}|[#x×] ?)"
    rf"(?P<behind>\d{{1,4}})\b(?! ?[x×])|(?<![\d.,/-])(?P<before>\d{{1,4}}) ?{_COUNTED}(?!\w)",
    re.IGNORECASE,
)
_PACKS = re.compile(
    r"(?<![\d.,/-])(?P<count>\d{1,3}) ?(?:conf|confezion[ei]|scatol[ae]|boîtes?|packs?|packung(?:en)?|cajas?"
    r"|envases?|opak|doosjes?)\b\.?",
    re.IGNORECASE,
)
"""Pattern of a number of packs, which is never taken at once."""
_SUPPLIED = re.compile(rf"(?:^|[\s,;|–—-]){_SUPPLY.pattern}(?P<count>\d{{1,4}})\b(?! ?[x×])[^,;|]*$", re.IGNORECASE)
"""Pattern of a quantity after its label at the end of a line."""
_AMOUNT = (
    rf"(?:(?:10|\d(?:[.,/]\d)?|½|¼|one|two|three|half|un[ea]?|deux|trois|dos|tres|due|tre|ein[e]?|zwei|drei|een|twee)"
    rf"(?: ?(?:[-–]|to|à|a|bis|do|tot) ?\d)? ?(?:{_FORM.pattern}|puffs?|inal(?:azion[ei])?\.?|pufs?|bouff[ée]es?"
    r"|inhalaciones|hübe?|sprays?|sachets?|ampoul\w+|units?|applications?|scoops?|dos\w*|st(?:ück|k)?\b\.?)"
    r"|\d{1,2}(?:[.,]\d)? ?ml)(?!\w)"
)
"""Pattern of the amount of a medicine that is taken at once."""
_DOSED = re.compile(
    rf"(?:(?:take|inhale|apply|inject|use|prendre|tomar|assumere|nehmen|sie) )*(?P<dose>{_AMOUNT})[ ,:]+"
    r"(?P<frequency>\S.*)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\d(?:[.,/]\d)?(?: ?[-–] ?\d(?:[.,/]\d)?){2,3}(?!\d)[^,;|]*")
_INTAKE = re.compile(
    r"(?:\b(?:S|Sig|D\.? ?S|Dos|Dosage|Dosierung|Posologie|Posologia|Posología|Dawkowanie|DS|Directions|Instructions"
    rf"|Einnahme|Pauta)\b[.:]+ ?)(?P<told>.+)|"
    rf"(?P<plain>(?<![\w.,/])(?:{_AMOUNT}(?= [^\W\d_])|take|apply|inhale|inject|insert|rinse|dissolve|use"
    r"|one|two|once|twice|as needed"
    r"|zo nodig|indien nodig|\d ?dd\b|\d ?d ?\d\b|bei bedarf|nach bedarf|täglich|1 ?[x×]|2 ?[x×]|3 ?[x×]|4 ?[x×]|every"
    r"|alle \d|tomar|prendre|prendere|au besoin|si besoin|cada|co \d|al bisogno"
    r"|\d+ (?:times|mal|fois|veces|volte|razy|keer|tabl?\w*|caps?\w*|compr\w*)"
    r" (?:a|per|pro|par|al|por|na|täglich|le|daily))\b.*)",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"(?:for|für|pendant|durante|per|por|przez|gedurende|qsp|x)? ?(?P<time>\d{1,3} (?:gg\b|days?|tage|weeks?|wochen"
    r"|jours?|días|giorni|dias|dni|dagen|months?|monate|mois|meses|mesi|miesi\w+))\b",
    re.IGNORECASE,
)
_LAST_DURATION = re.compile(rf"(?<!\w){_DURATION.pattern}[).]?$", re.IGNORECASE)
_NAMES: Final[Mapping[Column, frozenset[str]]] = {
    "strength": frozenset(
        fold(
            "strength stärke staerke wirkstärke concentration concentrazione concentración concentração dosaggio dawka "
            "sterkte styrka moc"
        )
    ),
    "form": frozenset(
        fold("form darreichungsform forme forma farmaceutica presentation vorm toedieningsvorm postać beredningsform")
    ),
    "quantity": frozenset(
        fold(
            "quantity qty supply menge anzahl packungsgröße packungsgroesse quantité cantidad quantità quantidade "
            "ilość aantal antal pack packs packages packungen boîtes boites cajas envases confezioni verpakkingen "
            "opakowania"
        )
    ),
    "duration": frozenset(
        fold("duration dauer duree durée duración duracion durata duração duracao duur czas behandlingstid")
    ),
    "intake": frozenset(
        fold(
            "instructions directions instruction posology posologie posologia posología dosierung einnahme sig "
            "usage intake dawkowanie gebruik dosering schema anweisung pauta"
        )
    ),
    "frequency": frozenset(
        fold(
            "frequency häufigkeit haeufigkeit fréquence frecuencia frequenza frequência frequentie częstotliwość "
            "frekvens"
        )
    ),
}
FREQUENCY_WORDS: Final = _NAMES["intake"] | _NAMES["frequency"]
"""Words for how a medicine is taken, in the names of fields."""
_ORDINALS: Final = frozenset(fold("number numero numéro número nr no numer nummer pos position line ligne lp"))
_WITHOUT: Final = re.compile(r"\b(?:without|not?|sans|ohne|senza|sin|sem|zonder|utan|bez)\b", re.IGNORECASE)
_DOSES: Final[Mapping[str, tuple[Column, ...]]] = {
    **dict.fromkeys(fold("dose dosis dos dosagem"), ("strength", "intake", "dose")),
    **dict.fromkeys(fold("dosage"), ("intake", "strength", "dose")),
}
"""Columns that a word in a field's name may mean. The field gets the first of these columns that no other field has."""
_MEDICINES: Final = frozenset(
    fold(
        "name nom nome naam namn nazwa drug medicine medication medikament arzneimittel wirkstoff médicament"
        " medicamento medicament farmaco fármaco lek geneesmiddel läkemedel preparat product substance item bezeichnung"
        " denominazione denomination middel spécialité especialidad produit"
    )
)


def prescribed_medicines(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield the medicines of a page as a table for each list that asks for a name, for a strength or how it is taken,
    and for at least FEWEST_COLUMNS columns in all."""
    body: list[Mapping[Column, ReadCell]] | None = None
    for fields in lists:
        columns = _columns_of(fields)
        if "name" not in columns.values() or len(columns) < FEWEST_COLUMNS:
            continue
        if not {"strength", "intake", "frequency"} & set(columns.values()):
            continue
        body = (yield from _medicines_of(passage)) if body is None else body
        if body:
            header = [ReadCell(" ".join(fields[index].names.own[0])) for index in columns]
            has_duration = "duration" in columns.values()
            medicines = [_without_duration(cells) if has_duration else cells for cells in body]
            medicines = [{**cells, **_parts_of_intake(cells)} for cells in medicines]
            if any(column == "name" and _includes_strength(fields[index]) for index, column in columns.items()):
                medicines = [{**cells, "name": _with_strength(cells)} for cells in medicines]
            rows = [[cells.get(column, NO_CELL) for column in columns.values()] for cells in medicines]
            yield ReadTable([header, *rows], is_exact=False, is_whole=True)


def _columns_of(fields: Sequence[WantedField]) -> dict[int, Column]:
    # Only the name is compared, because a description such as "without the duration" names other columns.
    words_of_fields = [{*one.names.own[0], *fold(str(one.path[-1]).replace("_", " "))} for one in fields]
    found: dict[int, Column] = {}
    for index, words in enumerate(words_of_fields):
        column = next((column for column, known in _NAMES.items() if words & known), None)
        is_dose = bool(words & _DOSES.keys())
        if column is None and not is_dose and (words & _MEDICINES or "medication" in fields[index].names.concepts):
            column = "name"
        is_ordinal = set(fields[index].names.own[0]) <= _ORDINALS
        if column is None and is_ordinal and "integer" in types_of(fields[index].schema):
            column = "ordinal"
        if column is not None and column not in found.values():
            found[index] = column
    for index, words in enumerate(words_of_fields):
        doses = next((columns for word, columns in _DOSES.items() if word in words), ())
        if "frequency" in found.values():
            doses = tuple(column for column in doses if column != "intake")
        column = next((column for column in doses if column not in found.values()), None)
        if index not in found and column is not None:
            found[index] = column
    return dict(sorted(found.items()))


def _includes_strength(name: WantedField) -> bool:
    """True if the description of a medicine's name asks for its strength, too: `name and strength, no form`."""
    description = str(name.schema.get("description", ""))
    words = set(fold(_WITHOUT.split(description)[0]))
    return not words.isdisjoint(_NAMES["strength"] | _DOSES.keys())


def _with_strength(cells: Mapping[Column, ReadCell]) -> ReadCell:
    name, strength = cells["name"], cells["strength"]
    return name._replace(text=f"{name.text} {strength.text}".strip())


def _without_duration(cells: Mapping[Column, ReadCell]) -> Mapping[Column, ReadCell]:
    """Return the cells of a medicine without the duration at the end of its intake, because the duration has a separate
    column."""
    intake = cells.get("intake")
    found = _LAST_DURATION.search(intake.text) if intake else None
    if intake is None or found is None or not found.start():
        return cells
    return {**cells, "intake": intake._replace(text=intake.text[: found.start()].rstrip(" ,;.("))}


def _parts_of_intake(cells: Mapping[Column, ReadCell]) -> Mapping[Column, ReadCell]:
    """Return the amount that is taken at once, and how often it is taken, as cells. If no amount is stated, the whole
    intake is the frequency."""
    intake = cells.get("intake")
    if intake is None:
        return {}
    found = _DOSED.fullmatch(intake.text)
    if found is None:
        return {"frequency": intake}
    return {"dose": intake._replace(text=found["dose"]), "frequency": intake._replace(text=found["frequency"])}


def _medicines_of(passage: Passage) -> Slices[list[Mapping[Column, ReadCell]]]:
    medicines: list[Mapping[Column, ReadCell]] = []
    for rows in rows_by_column(passage):
        texts = yield from texts_of_rows(passage, rows, LONGEST_ROW)
        matches: list[re.Match[str] | None] = []
        last = 0
        for text in texts:
            yield
            found = None if _INTAKE.match(text) else _MEDICINE.fullmatch(text)
            numbered = _NUMBERED.fullmatch(text) if found is None and last else None
            if numbered is not None and int(numbered["ordinal"]) == last + 1:
                found = numbered
            if found is not None and found["ordinal"]:
                last = int(found["ordinal"])
            matches.append(found)
        for index, (row, found) in enumerate(zip(rows, matches, strict=True)):
            if found is None:
                continue
            yield
            below = list(_below(passage, rows, matches, index))
            cells: dict[Column, ReadCell] = {}
            for line in (row, *below):
                text = found["rest"] if line is row else text_of(passage, line)
                text = text[:LONGEST_ROW]
                if "intake" in cells and line is not row and text[:1].islower():
                    cells["intake"] = cells["intake"]._replace(text=f"{cells['intake'].text} {text}")
                column_texts = _texts_of_columns(text, is_below=line is not row)
                cell = cell_of(passage, line)
                cells = {column: cell._replace(text=one) for column, one in column_texts.items()} | cells
            if "intake" not in cells and below and not _SUPPLY.match(text_of(passage, below[0])):
                cells["intake"] = cell_of(passage, below[0])
            own = cell_of(passage, row)
            groups = {"strength": "", **found.groupdict()}
            for column in ("ordinal", "name", "strength"):
                cells[column] = own._replace(text=groups[column] or "")
            name, _, form = (found["name"] or "").rpartition(" ")
            if name and _FORM.fullmatch(form):
                cells = {**cells, "name": own._replace(text=name), "form": own._replace(text=form)}
            medicines.append(cells)
    return medicines


def _below(
    passage: Passage, rows: Sequence[Sequence[WordOnPage]], matches: Sequence[object], at: int
) -> Iterator[Sequence[WordOnPage]]:
    """Yield the lines below a medicine that belong to it: lines close to it that are above the next medicine. If no
    medicine follows, a line belongs to it only if it is indented or states a detail, such as the quantity or how the
    medicine is taken."""
    bottom = rows[at][0].box[3]
    has_next = any(match is not None for match in matches[at + 1 : at + 2 + MAX_BELOW])
    below = slice(at + 1, at + 1 + MAX_BELOW)
    for row, match in zip(rows[below], matches[below], strict=True):
        is_indented = row[0].box[0] > rows[at][0].box[0] + row[0].height // 2
        says = _texts_of_columns(text_of(passage, row)[:LONGEST_ROW], is_below=True)
        if match is not None or row[0].box[1] - bottom > ENDING_GAP * row[0].height:
            return
        if not (has_next or is_indented or says):
            return
        bottom = row[0].box[3]
        yield row


def _texts_of_columns(text: str, *, is_below: bool) -> dict[Column, str]:
    """Return the texts of columns in the text after a medicine, or in a line below it."""
    column_texts: dict[Column, str] = {}
    if found := None if is_below else _SUPPLIED.search(text):
        column_texts["quantity"] = found["count"]
        text = text[: found.start()].rstrip(" ,;.|–—-")
    rest = text
    is_supply = is_below and _SUPPLY.match(text) is not None
    if found := None if is_supply else _SCHEME.search(text) or _INTAKE.search(text):
        groups = found.groupdict()
        instruction = groups.get("told") or groups.get("plain") or found[0]
        rest = text[: found.start()]
        if is_below and groups.get("plain") and not _QUANTITY.search(rest):
            instruction, rest = text, ""
        column_texts["intake"] = instruction.strip(" ,;.–—")
    if found := _DURATION.search(text):
        column_texts["duration"] = found["time"]
    # Below a medicine, "1 tablet" is the amount taken at once, not the quantity prescribed.
    if found := _PACKS.search(text):
        column_texts["quantity"] = found["count"]
    if (found := _QUANTITY.search(rest)) and not (is_below and found["before"]) and "quantity" not in column_texts:
        column_texts["quantity"] = found["behind"] or found["before"]
    if found := _FORM.search(rest):
        part = "" if is_below else re.split(r" [–—-] |[,;|(]", rest.lstrip(" ,;|–—-"))[0].strip(" .")
        is_form = found[0] in part and part.count(" ") < LONGEST_FORM and not any(map(str.isdigit, part))
        column_texts["form"] = part if is_form else found[0]
    return column_texts
