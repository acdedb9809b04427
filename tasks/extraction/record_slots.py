"""Fills lists of objects from records that repeat on a page (`repeated_records`).

A slot consists of pieces at the same place of all records, such as the dates at the beginning of each. A text that is
the same in all records is the label of the piece after it. Slots are assigned to the fields of a list by labels,
kinds of pieces, forms of texts and order.
"""

import math
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.column_values import UNREADABLE, emptiest, values_of_column
from tasks.extraction.concepts import CONCEPTS, PHRASES
from tasks.extraction.dated_entries import LEGAL_FORM, PLACE_OF_WORK, MonthForm, in_month_form, month_form
from tasks.extraction.features import types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.line_pieces import Piece, PiecedLine, ends_of, is_now
from tasks.extraction.names import Names
from tasks.extraction.repeated_records import Run
from tasks.extraction.table_lists import is_total, likeness_by_words
from tasks.extraction.units import unit_of, units_named
from tasks.extraction.words_on_page import WordOnPage
from tasks.notation.cells import is_missing

MAX_SLOTS: Final = 60
LEAST_FIT: Final = 0.6
CONSTANT: Final = 0.6
"""Least share of the records with the same text in a slot. From this share on, the text counts as a label."""
LEAST_COVERAGE: Final = 0.2
SAME_UNIT: Final = 1.5
"""Weight of a slot whose figures have the unit in the field's name. It is on the scale of a label's likeness."""
NUMBERS: Final = frozenset(("number", "integer"))
FULL_ENOUGH: Final = 0.6
"""Least number of values of an item, as a share of the values of a typical record."""

_TABLE: Final = tomllib.loads(Path(__file__).with_name("record_fields.toml").read_text("utf-8"))
_TOPICS_OF: Final[dict[str, set[str]]] = defaultdict(set)
"""Topics of lists, by the word that names the topic."""
for _topic, _words in _TABLE.pop("topics").items():
    for _word in _words.split():
        _TOPICS_OF[_word].add(_topic)
_LONGEST_TOPIC: Final = max(map(len, _TOPICS_OF))
SHORTEST_STEM: Final = 5
"""Least number of letters of a word that names a topic in compounds and inflected forms, too."""
_ROWS: Final[Mapping[str, Mapping[str, str]]] = _TABLE
_ROLES: Final[dict[str, list[str]]] = defaultdict(list)
for _role, _row in _ROWS.items():
    for _name in _row["names"].split():
        _ROLES[_name].append(_role)

_SELDOM: Final = frozenset(("date", "time", "money", "measure", "number", "period", "score", "email", "phone", "code"))
"""Kinds of slots of which a record seldom has two."""
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "amount": ("money", "decimal", "number", "figure"),
    "count": ("number", "figure", "measure", "mark"),
    "date": ("date", "day", "moment", "period.first", "period"),
    "time": ("time", "times.first", "times.last", "times"),
    "number": ("code", "number", "phone", "moment"),
    "text": ("text", "text()", "code", "section"),
}
_KIND_OF: Final = {"email": "email", "website": "uri", "telephone": "phone", "mobile": "phone", "fax": "phone"}
WEIGHTS: Final[Mapping[str, float]] = {
    "bias": -2.5, "label": 1.25, "kind": 2.0, "role": 1.0, "unique": 0.7, "coverage": 1.0, "title": 0.8, "order": 0.8,
    "constant": -1.0, "whole": -0.3, "other": -1.5, "texture": 1.0, "strange": -0.6, "fit": 1.0, "long": -0.5,
}  # fmt: skip
"""Weight of each feature of a slot and a field, in the score of their assignment."""
RUN_WEIGHTS: Final[Mapping[str, float]] = {
    "apart": 0.67, "count": 2.19, "explained": 1.99, "filled": 3.49,
    "full": 3.01, "heading": 3.84, "kept": 0.97, "labels": -1.34, "lines": -0.14, "regular": 2.55,
    "single": -1.0, "typed": 0.22, "worth": 7.2,
}  # fmt: skip
"""Weight of each feature of a run, in the score of its records as the items of a list."""


CHANCE: Final = (1.54, 1.05, -0.0, 0.75, 0.12, -0.82, -3.34)
"""Weights of the logistic regression for a value's probability: the run's score, the slot's worth, the share of fields
filled, how regular the records are, the heading, the number of records, and the intercept."""


class SlotCell(NamedTuple):
    text: str
    words: tuple[int, ...]


class SlotTexts:
    """The texts of a slot, in the order of the records."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    @cached_property
    def is_missing(self) -> Sequence[bool]:
        return [*map(is_missing, self.texts)]

    @cached_property
    def is_empty(self) -> bool:
        """True if no record has a value."""
        return all(map(is_missing, self.texts))

    @cached_property
    def is_constant(self) -> bool:
        """True if there is one text, in one or more records."""
        present = filter(None, self.texts)
        first = next(present, None)
        return first is not None and all(text == first or _folded(text) == _folded(first) for text in present)

    @cached_property
    def chars(self) -> int:
        return sum(map(len, self.texts))


@dataclass
class Slot:
    """The pieces at one place of all records."""

    kind: str
    cells: list[SlotCell | None]
    pieces: list[frozenset[tuple[int, int]]]
    """Line and index of the pieces that each record has in the slot."""
    label: str = ""
    order: float = 0.0
    is_whole: bool = False
    """True if the slot joins several pieces."""
    is_rest: bool = False
    sign: str = ""
    """Name of the sign between the slot and the piece before it."""
    unit: str = ""
    """Unit that the slot's figures have in common, wherever they stand in the records; empty if the slot is a place."""

    @cached_property
    def coverage(self) -> float:
        return sum([cell is not None for cell in self.cells]) / len(self.cells)

    @cached_property
    def printed(self) -> Sequence[str | None]:
        """The text of each record, or None for a record without one."""
        return [(cell.text or None) if cell else None for cell in self.cells]

    @cached_property
    def as_printed(self) -> SlotTexts:
        return SlotTexts([cell.text if cell else "" for cell in self.cells])

    @cached_property
    def in_one_line(self) -> SlotTexts:
        if not any("\n" in text for text in self.as_printed.texts):
            return self.as_printed
        return SlotTexts([text.replace("\n", " ") for text in self.as_printed.texts])

    def asked_by(self, field: "FieldOfList") -> SlotTexts:
        """Return the texts with months in the form that a field asks for."""
        if field.is_list:
            return self.as_printed
        form = field.month_form
        if form is None:
            return self.in_one_line
        return SlotTexts([in_month_form(text, form) or text for text in self.in_one_line.texts])

    @cached_property
    def organised(self) -> float:
        """Share of the texts that name an organisation."""
        texts = [*filter(None, self.as_printed.texts)]
        return sum(map(is_organisation, texts)) / len(texts) if texts else 0.0

    @cached_property
    def short(self) -> float:
        """Share of the texts that are short, have no digits and begin with a capital letter."""
        texts = [*filter(None, self.as_printed.texts)]
        are_short = [text.count(" ") < 3 and text[:1].isupper() and not any(map(str.isdigit, text)) for text in texts]
        return sum(are_short) / len(texts) if texts else 0.0


@dataclass(slots=True)
class RecordTemplate:
    """The slots of a run's records."""

    run: Run
    slots: list[Slot]
    regular: float
    """Regularity of the records, 0 to 1: mean coverage of the slots, each weighted by its coverage."""

    @property
    def size(self) -> int:
        """Number of slots times records."""
        return len(self.slots) * len(self.run.records)


def template_of(run: Run) -> RecordTemplate:
    """Return the slots of the records of a run."""
    lines = [_roles(record) for record in run.records]
    slots = [*_slots(run, lines, _constant_labels(run, lines))]
    _label_by_header(run, slots)
    single = [slot for slot in slots if not slot.is_whole and "." not in slot.kind]
    weights = [len(run.records) * slot.coverage for slot in single]
    regular = sum(weight * slot.coverage for weight, slot in zip(weights, single, strict=True)) / max(1.0, sum(weights))
    slots.sort(key=lambda slot: (-slot.coverage, slot.order))
    return RecordTemplate(run, slots[:MAX_SLOTS], regular)


def _label_by_header(run: Run, slots: Sequence[Slot]) -> None:
    """Label slots of the first lines of records by the header's pieces directly above them."""
    header = run.above
    if header is None or sum(piece.sign == "gap" for piece in header.pieces) < 1:
        return
    if any(piece.kind != "text" for piece in header.pieces):
        return
    heads: list[tuple[int, int, str]] = []
    for text, words in _segments(header):
        heads.append((words[0].box[0], words[-1].box[2], text))
    boxes = {word.at: word.box for record in run.records for word in record[0].words}
    for slot in slots:
        spans = [
            (boxes[cell.words[0]][0], boxes[cell.words[-1]][2])
            for cell in slot.cells
            if cell and cell.words and cell.words[0] in boxes and cell.words[-1] in boxes
        ]
        if slot.label or not spans or 2 * len(spans) < sum(cell is not None for cell in slot.cells):
            continue
        left, right = sum(one for one, _ in spans) / len(spans), sum(other for _, other in spans) / len(spans)
        over = [(min(right, end) - max(left, start), text) for start, end, text in heads]
        best = max(over, default=(0, ""))
        if best[0] > 0:
            slot.label = best[1]


def _segments(line: PiecedLine) -> Iterator[tuple[str, Sequence[WordOnPage]]]:
    texts = line.text.split("\t")
    at = 0
    for text in texts:
        size = text.count(" ") + 1
        yield text, line.words[at : at + size]
        at += size


def _roles(record: Sequence[PiecedLine]) -> list[tuple[object, ...]]:
    """Return a key for each line of a record, by which the same line is found in the other records."""
    counts: dict[object, int] = defaultdict(int)
    found: list[tuple[object, ...]] = []
    left = min(line.left for line in record)
    for at, line in enumerate(record):
        if at == 0:
            found.append(("first",))
            continue
        first = line.pieces[0] if line.pieces else None
        shape: tuple[object, ...] = (
            ("label", *_folded(first.label))
            if first and first.label
            else (
                "mark" if line.mark else first.kind if first else "",
                line.left - left > line.height,
            )
        )
        counts[shape] += 1
        found.append((*shape, counts[shape]))
    return found


_Key = tuple[object, ...]


def _keys_of(role: tuple[object, ...], line: PiecedLine) -> list[_Key]:
    counts: dict[object, int] = defaultdict(int)
    found: list[_Key] = []
    for piece in line.pieces:
        kind = f"{piece.kind}()" if piece.kind == "text" and piece.in_brackets else piece.kind
        own: _Key = (role, kind, *_folded(piece.label))
        counts[own] += 1
        found.append((*own, counts[own]))
    return found


def _constant_labels(run: Run, lines: Sequence[Sequence[tuple[object, ...]]]) -> dict[tuple[int, int, int], str]:
    """Return the labels of pieces, by record, line and piece: a text that is the same in most records is the label of
    the piece after it. The text itself gets a sign as its label."""
    if len(run.records) < 2:
        return {}
    texts: dict[_Key, list[tuple[int, int, int, str]]] = defaultdict(list)
    for number, (record, roles) in enumerate(zip(run.records, lines, strict=True)):
        for at, (line, role) in enumerate(zip(record, roles, strict=True)):
            for place, (piece, key) in enumerate(zip(line.pieces, _keys_of(role, line), strict=True)):
                if piece.kind == "text":
                    texts[key].append((number, at, place, " ".join(_folded(piece.text))))
    found: dict[tuple[int, int, int], str] = {}
    size = len(run.records)
    for occurrences in texts.values():
        texts_of_group = [text for *_, text in occurrences]
        common = max(set(texts_of_group), key=lambda text: (texts_of_group.count(text), text))
        if texts_of_group.count(common) < max(2, CONSTANT * size) or len(common.split()) > 4:
            continue
        for number, at, place, text in occurrences:
            if text != common:
                continue
            record = run.records[number]
            pieces = record[at].pieces
            label = pieces[place].text
            if place + 1 < len(pieces) and pieces[place + 1].sign in ("", "gap", "colon"):
                found[number, at, place + 1] = label
                found[number, at, place] = "\x00"
            elif place == 0 and len(pieces) == 1 and at + 1 < len(record) and record[at + 1].pieces:
                found[number, at + 1, 0] = label
                found[number, at, place] = "\x00"
    return found


def _slots(
    run: Run, lines: Sequence[Sequence[tuple[object, ...]]], labels: Mapping[tuple[int, int, int], str]
) -> Iterator[Slot]:
    size = len(run.records)
    found: dict[_Key, Slot] = {}

    def put(
        key: _Key,
        number: int,
        kind: str,
        cell: SlotCell,
        own: Sequence[tuple[int, int]],
        order: float,
        label: str = "",
        *,
        whole: bool = False,
        rest: bool = False,
        sign: str = "",
        unit: str = "",
    ) -> None:
        slot = found.get(key)
        if slot is None:
            slot = found[key] = Slot(kind, [None] * size, [frozenset()] * size, label, order, whole, rest, sign, unit)
        if slot.cells[number] is None:
            slot.cells[number] = cell
            slot.pieces[number] = frozenset(own)
            slot.label = slot.label or label

    for number, (record, roles) in enumerate(zip(run.records, lines, strict=True)):
        units: Counter[str] = Counter()
        for at, (line, role) in enumerate(zip(record, roles, strict=True)):
            if "[" in line.mark:
                put(
                    (role, "box"),
                    number,
                    "box",
                    SlotCell(
                        "no" if line.mark.endswith("[ ]") or line.mark.endswith("[]") else "yes", (line.words[0].at,)
                    ),
                    [(at, -1)],
                    at,
                )
            elif line.mark and any(map(str.isalnum, line.mark)):
                figures = line.mark.strip("().§# ")
                put((role, "mark"), number, "mark", SlotCell(figures, (line.words[0].at,)), [(at, -1)], at)
            keys = _keys_of(role, line)
            pieces = line.pieces
            label_of = [piece.label or labels.get((number, at, place), "") for place, piece in enumerate(pieces)]
            kept = [place for place in range(len(pieces)) if label_of[place] != "\x00"]
            counts: dict[object, int] = defaultdict(int)
            for place in kept:
                piece, key, label = pieces[place], keys[place], label_of[place]
                kind = f"{piece.kind}()" if piece.kind == "text" and piece.in_brackets else piece.kind
                if label:
                    key = ("labelled", kind, *_folded(label))
                order = at + place / 30
                own = [(at, place)]
                put(key, number, kind, SlotCell(_bare(piece), piece.words), own, order, label, sign=piece.sign)
                for part, text in _parts_of(piece.kind, piece.text):
                    if part == "figure":
                        counts[role, label] += 1
                        part_key: _Key = (
                            role if not label else "labelled",
                            "figure",
                            *_folded(label),
                            counts[role, label],
                        )
                        put(part_key, number, "figure", SlotCell(text, piece.words), own, order, label)
                        if unit := unit_of(_unit_text(piece.text)) if piece.kind == "measure" else "":
                            units[unit] += 1
                            unit_key: _Key = ("unit", unit, units[unit])
                            put(unit_key, number, "figure", SlotCell(text, piece.words), own, order, unit=unit)
                    else:
                        put((*key, part), number, f"{kind}.{part}", SlotCell(text, piece.words), own, order, label)
            for name, places in _chunks(pieces, kept):
                label = label_of[places[0]]
                counts[name, label] += 1
                cell = _joined(line, [pieces[place] for place in places])
                key = ("labelled" if label else role, name, *_folded(label), counts[name, label])
                own = [(at, place) for place in places]
                put(key, number, "text", cell, own, at + places[0] / 30, label, whole=True)
        below = [line for line in record[1:] if line.pieces]
        if below:
            text = "\n".join(line.text[len(line.mark) :].strip().replace("\t", " ") for line in below)
            words = tuple(word.at for line in below for word in line.words)
            own = [(at, place) for at, line in enumerate(record) if at for place in range(len(line.pieces))]
            put(("below",), number, "text", SlotCell(text, words), own, 1.0, whole=True, rest=True)
    if any(run.sections):
        for number, section in enumerate(run.sections):
            if section is not None:
                put(
                    ("section",),
                    number,
                    "section",
                    SlotCell(section.text.replace("\t", " "), tuple(word.at for word in section.words)),
                    [(-1, 0)],
                    -1.0,
                )
    for slot in found.values():
        if slot.coverage >= LEAST_COVERAGE or size < 4:
            yield slot


def _bare(piece: Piece) -> str:
    """Return the text of a piece; empty for a word such as `today`, which says that a period has not ended."""
    return "" if piece.kind == "moment" and is_now(piece.text) else piece.text


@lru_cache(maxsize=4096)
def _parts_of(kind: str, text: str) -> Sequence[tuple[str, str]]:
    """Return the parts of a piece that may be separate values, each with the name of the part."""
    if kind in ("period", "times", "score"):
        first, last = ends_of(text) if kind == "period" else _halves(text)
        return [("first", first), *([("last", last)] if last else [])] if first or kind == "period" else []
    if kind in ("number", "decimal"):
        return [("figure", text)]
    if kind not in ("measure", "money"):
        return []
    figures = "".join(character for character in text if character in "0123456789.,'’ -–−½/").strip(" /")
    unit = _unit_text(text)
    return [*([("figure", figures)] if figures.strip(" -/") else []), *([("unit", unit)] if unit else [])]


def _unit_text(text: str) -> str:
    return text.strip("0123456789.,'’ -–−+<>≤≥~½")


def _halves(text: str) -> tuple[str, str]:
    for sign in ("–", "—", "-", " bis ", " to ", " à ", " a ", " do ", " tot ", ":"):
        first, found, last = text.partition(sign)
        if found and last.strip() and any(map(str.isdigit, first)):
            return first.strip(), last.strip()
    return "", ""


def _chunks(pieces: Sequence[Piece], kept: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    """Yield the pieces of a line that may be one text, by how closely they are joined."""
    for name, weak in (
        ("run", ("",)),
        ("chunk", ("", "comma", "open", "slash", "dash", "at", "close")),
        ("strip", None),
    ):
        group: list[int] = []
        for place in [*kept, None]:
            joins = (
                bool(group)
                and place is not None
                and place == group[-1] + 1
                and (weak is None or (pieces[place].sign in weak and not pieces[place].label))
            )
            if place is not None and joins:
                group.append(place)
                continue
            if len(group) > 1 and any(pieces[one].kind == "text" for one in group):
                yield name, group
                if weak is not None:
                    # A chunk often begins with a day or a period, which is in a slot of its own.
                    typed = next((n for n, one in enumerate(group) if pieces[one].kind == "text"), 0)
                    if typed and len(group) - typed > 1:
                        yield f"{name} of text", group[typed:]
            group = [place] if place is not None else []


def _joined(line: PiecedLine, pieces: Sequence[Piece]) -> SlotCell:
    text = line.text[pieces[0].start : pieces[-1].end].replace("\t", " ")
    if text.count("(") > text.count(")"):
        text += ")"
    return SlotCell(text, tuple(word for piece in pieces for word in piece.words))


@lru_cache(maxsize=4096)
def is_organisation(text: str) -> bool:
    return LEGAL_FORM.search(text) is not None or PLACE_OF_WORK.search(text) is not None


class FieldKind(NamedTuple):
    """The kinds of slots that a field of a list may take."""

    kinds: Mapping[str, float]
    """Weight of each kind of slot, 0 to 1."""
    roles: frozenset[str]


@lru_cache(maxsize=1024)
def _roles_named(names: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    found: list[str] = []
    for own in names:
        for word in (*own, "".join(own)):
            found += [role for role in _ROLES.get(without_accents(word), ()) if role not in found]
    return tuple(found)


def _label_likeness(names: Names, label: str, roles: frozenset[str]) -> float:
    """Return how well a label matches a field: by its words, its concepts, and the roles that its words name."""
    words = _folded(label)
    likeness = min(likeness_by_words(names, label), 2.0)
    if likeness < 1 and words and len(words) <= 3 and roles & set(_roles_named((words,))):
        return 1.2
    return likeness


def kind_of_field(one: WantedField) -> FieldKind:
    types, form = types_of(one.schema), one.schema.get("format")
    roles = _roles_named(one.names.own)
    kinds: dict[str, float] = {}

    def add(names: Sequence[str], most: float, step: float = 0.12) -> None:
        for at, name in enumerate(names):
            kinds[name] = max(kinds.get(name, 0.0), most - step * at)

    is_number = bool(types & {"number", "integer"})
    for role in roles:
        row = _ROWS[role]
        add(row.get("counts" if is_number and "counts" in row else "pieces", "").split(), 0.9)
    concepts = one.names.concepts
    if form == "date" or wants_iso(one.schema):
        add(_GROUPS["date"], 1.0)
    elif form in ("time", "email", "uri"):
        add(_GROUPS["time"] if form == "time" else (form,), 1.0)
    elif "array" in types:
        add(("text",), 0.8)
    elif is_number:
        kind = next((CONCEPTS[name].kind for name in sorted(concepts)), "")
        if kind in ("amount", "count"):
            add(_GROUPS[kind], 0.95)
        add(("number", "money", "decimal", "figure"), 0.6, 0.03)
        add(("mark", "score", "moment", "measure", "time"), 0.3, 0.0)
        if any(units_named(own) for own in one.names.own):
            add(("figure", "number"), 0.95)
        kinds = {name: weight for name, weight in kinds.items() if name not in ("text", "text()", "code")}
    elif "enum" in one.schema or "boolean" in types:
        add(("box", "text", "text()", "code", "money.unit", "measure.unit", "number", "measure"), 0.7, 0.05)
    else:
        for name in sorted(concepts):
            add((_KIND_OF[name],) if name in _KIND_OF else _GROUPS[CONCEPTS[name].kind], 0.95)
        if not any(kinds.get(kind, 0) >= 0.8 for kind in kinds if not kind.startswith(("text", "code"))):
            add(("text", "text()"), 0.8, 0.1)
        elif not concepts:
            add(("text",), 0.6)
        add(("text", "text()", "code", "measure", "number"), 0.35, 0.05)
    return FieldKind(kinds, frozenset(roles))


@dataclass(frozen=True, slots=True)
class FieldOfList:
    """A field of a list's objects, with the requirements on its slot that follow from its schema and names."""

    wanted: WantedField
    kind: FieldKind
    month_form: MonthForm | None
    is_list: bool
    is_boolean: bool
    is_strict: bool
    """True if only a few values are possible."""
    is_text: bool
    """True if every text is possible."""
    is_needed: bool
    """True if the schema does not allow null."""
    is_long: bool
    """True if the field may take the rest of a record."""
    units: frozenset[str]
    """Units that the field's numbers may have; empty if its name states none."""

    @classmethod
    def of(cls, one: WantedField) -> "FieldOfList":
        types, concepts = types_of(one.schema), one.names.concepts
        is_list, is_boolean = "array" in types, "boolean" in types
        is_strict = "enum" in one.schema or is_boolean
        return cls(
            one,
            kind_of_field(one),
            month_form(one),
            is_list,
            is_boolean,
            is_strict,
            types == {"string"} and not is_strict and "format" not in one.schema,
            not one.fits(None),
            is_list or not concepts.isdisjoint(("description", "notes")),
            frozenset().union(*(units_named(own) for own in one.names.own)) if types & NUMBERS else frozenset(),
        )


class ListToFill:
    """A list of objects that may be filled from records."""

    def __init__(self, fields: Sequence[WantedField], names: Names, others: Sequence[Names]) -> None:
        """`names` are those of the list, and `others` those of the schema's other lists."""
        self.fields = [*map(FieldOfList.of, fields)]
        self.names = names
        self.others = others
        self.wanting = {kind: sum(one.kind.kinds.get(kind, 0) >= 0.6 for one in self.fields) for kind in _SELDOM}
        """Number of fields that want each of the kinds of which a record seldom has two."""
        self.first_text = next(
            (
                at
                for at, one in enumerate(self.fields)
                if types_of(one.wanted.schema) == {"string"} and one.kind.kinds.get("text", 0) >= 0.7
            ),
            -1,
        )
        self._likeness: dict[str, Sequence[float]] = {"": [0.0] * len(self.fields)}

    def likeness_of(self, label: str) -> Sequence[float]:
        """Return how well a label matches each field. Many runs have the same labels."""
        if label not in self._likeness:
            self._likeness[label] = [_label_likeness(one.wanted.names, label, one.kind.roles) for one in self.fields]
        return self._likeness[label]

    def heading_of(self, run: Run) -> float:
        """Return how well the headings above a run name the list, from 0 to 1; -1 if they name another list."""
        own = max((_heading_likeness(self.names, text) for text in run.headings[:1]), default=0.0)
        far = max((_heading_likeness(self.names, text) for text in run.headings[1:]), default=0.0)
        foreign = max(
            (_heading_likeness(other, text) for other in self.others for text in run.headings[:1]), default=0.0
        )
        if foreign >= 1 and own < foreign:
            return -1.0
        return min(own, 2.0) / 2 if own >= 0.6 else 0.7 * min(far, 2.0) / 2 if far >= 0.6 else 0.0


class RecordFilling(NamedTuple):
    """An assignment of slots to the fields of a list (by the field's index), with the input of the calibration."""

    template: RecordTemplate
    slots: Mapping[int, Slot]
    values: Mapping[int, Sequence[Any]]
    worth: Mapping[int, float]
    """Score of the assignment of a slot to each field, by the field's index."""
    kept: Sequence[int]
    """Indices of the records that are items of the list."""
    of_run: Mapping[str, float]

    @property
    def score(self) -> float:
        return sum(RUN_WEIGHTS[name] * value for name, value in self.of_run.items())

    def chance(self, at: int) -> float:
        """Return the calibrated probability that a value of a field is right."""
        of_run = (self.of_run["filled"], self.of_run["regular"], self.of_run["heading"], self.of_run["count"])
        signs = (self.score / 10, self.worth[at] / 4, *of_run, 1.0)
        return 1 / (1 + math.exp(-sum(weight * sign for weight, sign in zip(CHANCE, signs, strict=True))))

    @property
    def mean(self) -> float:
        """Mean probability of the values."""
        return sum(map(self.chance, self.slots)) / len(self.slots)


def fill_from(
    template: RecordTemplate, wanted: ListToFill, days: Sequence[date], comma: bool, *, is_rough: bool = False
) -> Slices[RecordFilling | None]:
    """Assign the slots of records to the fields of a list; None if the records answer too few of its fields."""
    run, size = template.run, len(template.run.records)
    fields = wanted.fields
    worth: dict[tuple[int, int], float] = {}
    claims: dict[tuple[int, int], float] = {}
    values: dict[tuple[int, int], Sequence[Any]] = {}
    usual = [slot for slot in template.slots if slot.coverage >= 0.5]
    count_of = Counter(slot.kind for slot in usual)
    orders = sorted({slot.order for slot in usual})
    middle = 0.5 if orders else 0.0
    places = {order: (place + 0.5) / len(orders) for place, order in enumerate(orders)}
    first = min((slot.order for slot in usual if slot.kind == "text"), default=-1.0)
    labelled = [wanted.likeness_of(slot.label) for slot in template.slots]
    for at, field in enumerate(fields):
        yield
        one, kinds = field.wanted, field.kind.kinds
        place_of_field = (at + 0.5) / len(fields)
        for number, slot in enumerate(template.slots):
            weight = kinds.get(slot.kind, 0.0)
            likeness = labelled[number][at] if not slot.unit else SAME_UNIT if slot.unit in field.units else 0.0
            if slot.unit and not likeness:
                continue
            if weight <= 0 and likeness < 1:
                continue
            if slot.is_rest and not field.is_long:
                weight -= 0.3
            is_plain = slot.kind in ("text", "text()")
            if field.is_text and slot.kind in _SELDOM and weight < 0.3 and likeness < 1:
                continue
            fit = 1.0
            if is_rough:
                texts = slot.as_printed
                if texts.is_empty:
                    continue
                column: Sequence[Any] = slot.printed
            else:
                texts = slot.asked_by(field)
                column = values_of_column(texts.texts, one, comma_likely=comma, known_days=days)
                if field.is_boolean:
                    column = _presence(one, texts.texts, column)
                    texts = SlotTexts(["yes"] * size)
                present = [value for value, missing in zip(column, texts.is_missing, strict=True) if not missing]
                fit = (len(present) - present.count(UNREADABLE)) / len(present) if present else 0.0
                if fit < LEAST_FIT:
                    continue
            claim = WEIGHTS["label"] * likeness + WEIGHTS["kind"] * weight + WEIGHTS["fit"] * fit
            if weight >= 0.7 and field.kind.roles and not is_plain:
                claim += WEIGHTS["role"]
            if slot.label and likeness < 0.6:
                claim += WEIGHTS["strange"]
                if max(labelled[number]) >= 1:
                    claim += WEIGHTS["other"]
            if not is_rough:
                claim += WEIGHTS["texture"] * _texture(field, slot)
            place = places.get(slot.order, middle)
            known = WEIGHTS["order"] * (1 - abs(place_of_field - place)) + WEIGHTS["coverage"] * slot.coverage
            if slot.kind in _SELDOM and count_of[slot.kind] == 1 == wanted.wanting[slot.kind]:
                known += WEIGHTS["unique"]
            if at == wanted.first_text and slot.order == first and slot.kind == "text":
                known += WEIGHTS["title"]
            if size > 2 and not field.is_strict and texts.is_constant:
                known += WEIGHTS["constant"]
            if slot.is_whole:
                known += WEIGHTS["whole"]
            if texts.chars > 60 * size:
                known += WEIGHTS["long"]
            claims[at, number] = claim
            worth[at, number] = WEIGHTS["bias"] + claim + known
            values[at, number] = column
            if not is_rough:
                yield
    chosen = _assigned(worth, claims, template.slots)
    if not chosen:
        return None
    kept = [number for number in range(size) if any(values[pair][number] not in (None, UNREADABLE) for pair in chosen)]
    if any(run.sections):
        headings = [section.text if section is not None else "" for section in run.sections]
        kept = [number for number in kept if not _is_of_other_topic(wanted.names, headings[number])]
    needed = [pair for pair in chosen if fields[pair[0]].is_needed]
    kept = [
        number
        for number in kept
        if not needed or sum(values[pair][number] not in (None, UNREADABLE) for pair in needed) * 2 >= len(needed)
    ]
    answered = [
        sum(values[pair][number] is not None and values[pair][number] is not UNREADABLE for pair in chosen)
        for number in range(size)
    ]
    typical = median([answered[number] for number in kept] or [0])
    # The items end at the first sum.
    sums = [
        number + (at > 0)
        for number, record in enumerate(run.records)
        for at, line in enumerate(record)
        if number + at > min(kept, default=0) and _is_total(line.text)
    ]
    kept = [number for number in kept if number < min(sums, default=size)]
    # A numbered step or a bullet is an item even if it says little, as long as it has what every item must have.
    is_marked = bool(needed) and all(record[0].mark for record in run.records)
    kept = [
        number
        for number in kept
        if answered[number] >= FULL_ENOUGH * typical
        or (is_marked and all(values[pair][number] not in (None, UNREADABLE) for pair in needed))
    ]
    if not kept:
        return None
    slots = {at: template.slots[number] for at, number in chosen}
    if not is_rough:
        slots = _extended(run, fields, slots)
        for at, number in chosen:
            if slots[at] is not template.slots[number]:
                joined = slots[at].asked_by(fields[at]).texts
                values[at, number] = values_of_column(joined, fields[at].wanted, comma_likely=comma, known_days=days)
    cells = [cell.text for slot in slots.values() for number in kept if (cell := slot.cells[number])]
    used = [len(frozenset().union(*(slot.pieces[number] for slot in slots.values()))) for number in kept]
    piece_counts = [sum(len(line.pieces) + bool(line.mark) for line in run.records[number]) for number in kept]
    must = needed or chosen
    of_run = {
        "worth": sum(max(-1.0, min(worth[pair], 4.0)) for pair in chosen) / len(fields) / 4,
        "heading": wanted.heading_of(run),
        "filled": len(chosen) / len(fields),
        "regular": template.regular,
        "count": min(math.log(len(kept)), 2.0),
        "apart": run.apart,
        "single": float(len(kept) == 1),
        "explained": min(1.0, sum(used) / max(1, sum(piece_counts))),
        "full": sum(values[pair][number] not in (None, UNREADABLE) for pair in must for number in kept)
        / len(must)
        / len(kept),
        "labels": sum(_folded(text) in PHRASES or text.endswith(":") for text in cells) / max(1, len(cells)),
        "typed": sum("text" not in slot.kind for slot in slots.values()) / len(fields),
        "lines": min(run.lines / len(run.records), 8) / 8,
        "kept": len(kept) / size,
    }
    return RecordFilling(
        template,
        slots,
        {at: values[at, number] for at, number in chosen},
        {at: worth[at, number] for at, number in chosen},
        kept,
        of_run,
    )


@lru_cache(maxsize=4096)
def _folded(text: str) -> tuple[str, ...]:
    """Return the words of a text. Many runs of a page have the same lines."""
    return tuple(fold(text))


@lru_cache(maxsize=1024)
def _is_total(line: str) -> bool:
    return is_total(line.split("\t"))


@lru_cache(maxsize=8192)
def _heading_likeness(names: Names, text: str) -> float:
    """Return how well a heading names a list."""
    bare = text.strip("#*_ :")
    likeness = likeness_by_words(names, bare)
    if likeness < 1.5 and not _topics(tuple(fold(bare))).isdisjoint(
        _topics(tuple(word for own in names.own for word in own))
    ):
        return 1.5
    return likeness


def _is_of_other_topic(names: Names, heading: str) -> bool:
    """True if a heading names a topic that is not the list's: `Education` above the records of `jobs`."""
    own, heading_topics = _topics(tuple(word for name in names.own for word in name)), _topics(tuple(fold(heading)))
    return bool(own and heading_topics) and own.isdisjoint(heading_topics)


def _topics(words: tuple[str, ...]) -> frozenset[str]:
    found: set[str] = set()
    for word in map(without_accents, words):
        for end in {len(word), *range(SHORTEST_STEM, min(len(word), _LONGEST_TOPIC + 1))}:
            found |= _TOPICS_OF.get(word[:end], set())
    return frozenset(found)


_ORGANISATION: Final = frozenset(
    (
        "employer",
        "company",
        "school",
        "seller",
        "buyer",
        "bank",
        "insurer",
        "issuer",
        "hotel",
        "carrier",
        "manufacturer",
        "publisher",
        "authority",
        "organizer",
    )
)
_PLACE: Final = frozenset(
    ("city", "place_name", "country", "state", "birth_place", "departure_place", "arrival_place", "issue_place")
)
_LONG: Final = frozenset(("description", "notes", "subject"))


def _texture(field: FieldOfList, slot: Slot) -> float:
    """Return how well the texts of a slot fit the look of a field's values: an organisation, a place, a long text."""
    if not slot.kind.startswith("text"):
        return 0.0
    concepts = field.wanted.names.concepts
    if concepts & _ORGANISATION or "organisation" in field.kind.roles:
        return slot.organised
    if concepts & _PLACE or "place" in field.kind.roles:
        return (0.7 if slot.sign in ("comma", "open", "at", "bar") else 0.2) * slot.short - slot.organised
    return -0.5 * slot.organised


def _presence(one: WantedField, texts: Sequence[str], column: Sequence[Any]) -> list[Any]:
    """Return the values of a boolean field: True for each record with a text, if all texts are the same name of the
    field."""
    distinct_texts = {text for text in texts if text}
    if len(distinct_texts) == 1 and likeness_by_words(one.names, *distinct_texts) >= 1:
        return [bool(text) for text in texts]
    return list(column)


def _extended(run: Run, fields: Sequence[FieldOfList], slots: Mapping[int, Slot]) -> dict[int, Slot]:
    """Return the slots, with text fields extended by the pieces before and after them that no other field
    takes: pieces that follow at once or after a comma."""
    taken = [frozenset().union(*(slot.pieces[number] for slot in slots.values())) for number in range(len(run.records))]
    found = dict(slots)
    for at, slot in slots.items():
        may_be_joined = slot.kind in ("text", "text()", "number", "code", "measure") and not slot.is_rest
        if not may_be_joined or not fields[at].is_text:
            continue
        if slot.kind != "text" and "text" in "".join(
            other.kind for place, other in slots.items() if place != at and other.pieces == slot.pieces
        ):
            continue
        cells, pieces = list(slot.cells), list(slot.pieces)
        for number, cell in enumerate(slot.cells):
            if cell is None or not pieces[number]:
                continue
            places = sorted(pieces[number])
            line = run.records[number][places[-1][0]]
            first, last = places[0][1], places[-1][1]
            if first < 0 or places[0][0] != places[-1][0]:
                continue
            row = places[-1][0]
            while last + 1 < len(line.pieces):
                piece = line.pieces[last + 1]
                is_joined = piece.sign == "" or (piece.sign == "comma" and slot.kind == "text")
                if (
                    not is_joined
                    or piece.label
                    or (row, last + 1) in taken[number]
                    or piece.kind in _APART
                    or piece.in_brackets != line.pieces[last].in_brackets
                ):
                    break
                last += 1
            while first > 0 and slot.kind == "text":
                piece = line.pieces[first]
                before = line.pieces[first - 1]
                if (
                    piece.sign
                    or piece.label
                    or before.label
                    or (row, first - 1) in taken[number]
                    or before.kind in _APART
                    or piece.in_brackets != before.in_brackets
                ):
                    break
                first -= 1
            if (first, last) != (places[0][1], places[-1][1]):
                cells[number] = _joined(line, line.pieces[first : last + 1])
                pieces[number] = frozenset((row, place) for place in range(first, last + 1))
                taken[number] |= pieces[number]
        if cells != list(slot.cells):
            found[at] = replace(slot, cells=cells, pieces=pieces)
    return found


_APART: Final = frozenset(("period", "date", "email", "uri", "phone", "money", "times", "score"))


def _assigned(
    worth: Mapping[tuple[int, int], float],
    claims: Mapping[tuple[int, int], float],
    slots: Sequence[Slot],
) -> list[tuple[int, int]]:
    """Return the field and the slot of each assignment, by field. The likeliest are chosen first,
    so that no piece is in two fields.

    `worth` has the score of each field and slot, and `claims` the part of the score that does not depend on the slot's
    place.
    """
    order = sorted(worth, key=lambda pair: (-worth[pair], pair))
    found: list[tuple[int, int]] = []
    used: list[set[tuple[int, int, str]]] = [set() for _ in range(len(slots[0].cells))] if slots else []
    fields: set[int] = set()
    for at, number in order:
        slot = slots[number]
        if at in fields or worth[at, number] < -1.0:
            continue
        part = "figure" if slot.kind == "figure" else slot.kind.partition(".")[2]
        clash = 0
        for taken, own in zip(used, slot.pieces, strict=True):
            clash += any(
                (*piece, "") in taken
                or (*piece, part) in taken
                or (not part and any((*piece, one) in taken for one in ("first", "last", "figure", "unit")))
                for piece in own
            )
        if clash * 4 > sum(cell is not None for cell in slot.cells):
            continue
        found.append((at, number))
        fields.add(at)
        for taken, own in zip(used, slot.pieces, strict=True):
            taken |= {(*piece, part) for piece in own}
    return _in_order(found, claims, slots)


def _in_order(
    pairs: list[tuple[int, int]], claims: Mapping[tuple[int, int], float], slots: Sequence[Slot]
) -> list[tuple[int, int]]:
    """Return the assignments. Two fields with equal claims exchange slots if this puts both
    slots in the order of the fields."""
    found = dict(pairs)
    for first in sorted(found):
        for second in sorted(found):
            one, other = slots[found[first]], slots[found[second]]
            if first >= second or one.kind != other.kind or one.order <= other.order:
                continue
            turned = (first, found[second]), (second, found[first])
            if not all(pair in claims for pair in turned):
                continue
            now = sum(claims[pair] for pair in ((first, found[first]), (second, found[second])))
            if sum(claims[pair] for pair in turned) >= now - 0.3:
                found[first], found[second] = found[second], found[first]
    return sorted(found.items())


def item_of(filling: RecordFilling, fields: Sequence[WantedField], number: int) -> dict[int, Any] | None:
    """Return the values of a record by field; None if a required value is missing."""
    found: dict[int, Any] = {}
    for at, one in enumerate(fields):
        value = filling.values[at][number] if at in filling.values else None
        if value is None or value is UNREADABLE:
            value = emptiest(one)
            if value is UNREADABLE:
                if not one.may_be_left_out:
                    return None
                continue
            if value is not None and one.may_be_left_out:
                continue
        found[at] = value
    return found
