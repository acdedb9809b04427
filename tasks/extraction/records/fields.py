"""Compares the fields of a list with the columns of records: by label, kind of piece, texts and place."""

import json
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from tasks.extraction.column_values import UNREADABLE, has_decimal_commas, is_read, values_of_column
from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.features import types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold, folded_words, without_accents
from tasks.extraction.likeness import likeness_by_words, likeness_of_label
from tasks.extraction.names import Names
from tasks.extraction.records.columns import Column, RecordTable
from tasks.extraction.records.repetition import Run
from tasks.extraction.units import units_named
from tasks.extraction.weights import weighted, weights_of
from tasks.extraction.yes_and_no import answer_of, is_turned
from tasks.notation.cldr import month_named

NUMBERS: Final = frozenset(("number", "integer"))
SINGLE_KINDS: Final = frozenset(("date", "time", "money", "measure", "number", "period", "email", "phone", "code"))
"""Kinds of columns of which a record seldom has two."""
TEXT_KINDS: Final = frozenset(("text", "text()"))
SUITABLE: Final = 0.6
"""Least weight of a kind of column that suits a field well."""
LEAST_FIT: Final = 0.6
"""A column may fill a field only if at least this share of its texts are values of the field."""
NAMED, FARTHER = 0.6, 0.7
"""A heading names a list if its likeness is at least NAMED. The likeness of a heading counts FARTHER if another heading
is nearer to the records."""
MAX_LIKENESS: Final = 2.0
"""Largest likeness of a label or heading. A higher likeness counts as this."""
SAME_ROLE, SAME_UNIT, SAME_TOPIC = 1.2, 1.5, 1.5
"""Likeness of a label that names a role of the field, of figures with the unit in the field's name, and of a heading
with the topic of the list."""
MAX_WORDS_OF_ROLE: Final = 3
SHORTEST_STEM: Final = 5
"""Least number of letters of a word that names a topic in compounds and inflected forms, too."""
LONG_TEXT: Final = 60
"""The texts of a column are long if they have more characters than this per record."""
MAX_TRUTHS: Final = 3
"""A column of texts that name or deny a boolean field has at most this many different texts."""
USUAL: Final = 0.5
"""Least coverage of a column that a record usually has."""

_ROLES: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    Path(__file__).with_name("fields.toml").read_text("utf-8")
)
"""Properties of each role that a field may have in a record, such as `departure`: the words that name it (`names`) and
the kinds of columns that suit it (`pieces`)."""
_ROLES_BY_WORD: Final[dict[str, list[str]]] = defaultdict(list)
for _role, _row in _ROLES.items():
    for _name in _row["names"].split():
        _ROLES_BY_WORD[_name].append(_role)
_TOPICS_BY_WORD: Final[dict[str, set[str]]] = defaultdict(set)
for _topic, _words in tomllib.loads(Path(__file__).with_name("topics.toml").read_text("utf-8")).items():
    for _word in _words.split():
        _TOPICS_BY_WORD[_word].add(_topic)
_LONGEST_WORD: Final = max(map(len, _TOPICS_BY_WORD))
_KINDS_OF_CONCEPTS: Final[Mapping[str, tuple[str, ...]]] = {
    "amount": ("money", "decimal", "number", "figure"),
    "count": ("number", "figure", "measure", "mark"),
    "date": ("date", "day", "moment", "period.first", "period"),
    "time": ("time",),
    "number": ("code", "number", "phone", "moment"),
    "text": ("text", "text()", "code", "section"),
}
"""Kinds of columns that suit a concept, by the concept's kind, the likeliest first."""
_KIND_OF_CONCEPT: Final = {"email": "email", "website": "uri", "telephone": "phone", "mobile": "phone", "fax": "phone"}
_ORGANISATIONS: Final = frozenset(
    ("employer", "company", "school", "seller", "buyer", "bank", "insurer", "issuer", "hotel", "carrier")
) | {"manufacturer", "publisher", "authority", "organizer"}
_PLACES: Final = frozenset(
    ("city", "place_name", "country", "state", "birth_place", "departure_place", "arrival_place", "issue_place")
)
_SIGNS_BEFORE_PLACES: Final = frozenset(("comma", "open", "at", "bar"))
_LEGAL_FORM: Final = re.compile(
    r"(?<![^\W_])(?:GmbH|mbH|AG|KG|OHG|UG|e\.?K|e\.?V|eG|Ltd|Limited|LLP|LLC|Inc|PLC|plc|Corp|Co|S\.?A\.?S?|S\.?L\.?U?"
    r"|SARL|EURL|S\.?r\.?l|S\.?p\.?A|Lda|B\.?V|N\.?V|sp\. ?z ?o\. ?o|AB|A/S|AS|Oy)(?![^\W_])\.?|&|^Fa\. |^Firma "
)
_PLACE_OF_WORK: Final = re.compile(
    r"(?-i:(?<![^\W_])(?:TU|FH|TH|HTW|HTWK|ETH|RWTH|KIT|MIT|Uni)(?![^\W_]))|sixth form"
    r"|universi[td]|uniwersytet|politechni|politecnic|hogeschool|högskola|hochschule|(?:real|haupt|grund|berufs|fach)schule|gymnasium|school|college|lycée|liceo"
    r"|istituto|instituto|institut|escola|szkoła|hospital|klinik|academy|akademi",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_YEAR_FIRST = re.compile(r"(?<![A-Za-z])[YJRAÅ]{4}-M{2}(?![A-Za-z])", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"(?<![A-Za-z])M{2}/[YJRAÅ]{4}(?![A-Za-z])", re.IGNORECASE)


class MatchFeatures(NamedTuple):
    """Features of a column and a field, or the weights of these features in the score of their match, which is the
    log-odds that the field's values stand in the column."""

    label: float
    """Likeness of the column's label and the field's names, or SAME_UNIT."""
    kind: float
    """Weight of the column's kind for the field (`kind_weights`)."""
    readable: float
    """Share of the column's texts that are values of the field."""
    role: float
    """1 if the column's kind is not a text and suits the field, and the field has a role such as `departure`."""
    foreign_label: float
    """1 if the column has a label that does not match the field."""
    label_of_other: float
    """1 if the column's label does not match the field, but it matches another field of the list."""
    look: float
    """Agreement of the field with the look of the texts, which may be that of names of organisations or places."""
    order: float
    """Nearness of the column's place among the columns to the field's place among the fields."""
    coverage: float
    """Share of the records that have the column."""
    unique: float
    """1 if the column is the only usual one of its kind, and the field is the only field that this kind suits well."""
    title: float
    """1 if the column is the first text of a record, and the field is the list's first field for a text."""
    constant: float
    """1 if all records have the same text in the column, although the field may have many values."""
    mixed: float
    """1 if the column has pieces of several kinds."""
    least: float
    """1 if the column has the least of several amounts, and the list has only one field for amounts; -1 if it has
    several."""
    long: float
    """1 if the column's texts are long."""
    bias: float = 1.0

    @property
    def claim(self) -> "MatchFeatures":
        """The features of the column's label and kind, and of the look of its texts, without those of its place."""
        return self._replace(
            order=0.0, coverage=0.0, unique=0.0, title=0.0, constant=0.0, mixed=0.0, least=0.0, long=0.0, bias=0.0
        )


WEIGHTS: Final = weights_of("match", MatchFeatures)


class Match(NamedTuple):
    """The score of a column for a field, with the values that the column would give the field."""

    values: Sequence[Any]
    """The value of each record: None for a record without a text, UNREADABLE for a text without a value."""
    score: float
    claim: float
    """Part of the score for the column's label and kind, and for the look of its texts."""
    features: MatchFeatures


class Reading(NamedTuple):
    """The days and the decimal sign of the page of a run."""

    days: Sequence[date]
    """Days that the passage mentions. A date without a year gets the year that brings it nearest to one of them."""
    comma_likely: bool
    """True if commas are the decimal signs of the passage's other numbers."""


@dataclass(frozen=True)
class FieldOfList:
    """A field of a list's objects, with what its schema and its names demand of a column."""

    wanted: WantedField
    kind_weights: Mapping[str, float]
    """Suitability of each kind of column for the field, from 0 to 1. A kind that is missing does not suit the field."""
    roles: frozenset[str]
    """Roles that the field's names name, such as `departure`."""
    types: frozenset[str]
    units: frozenset[str]
    """Units that the field's numbers may have; empty if its names state none."""
    month_form: str
    """Form of months that the field's description demands, such as `{:04}-{:02}`; empty if it demands none."""

    @cached_property
    def key(self) -> str:
        """Key that is the same for fields which have the same values in the same texts."""
        names = str(self.wanted.names.own) if "boolean" in self.types else ""
        schema = {key: value for key, value in self.wanted.schema.items() if key not in ("title", "description")}
        return f"{json.dumps(schema, sort_keys=True, default=str)} {self.month_form} {names}"

    @cached_property
    def has_few_values(self) -> bool:
        """True if the schema states the possible values."""
        return "enum" in self.wanted.schema or "boolean" in self.types

    @cached_property
    def is_free_text(self) -> bool:
        """True if the field is for texts, and the schema states neither their format nor the possible values."""
        return self.types == {"string"} and not self.has_few_values and "format" not in self.wanted.schema

    @cached_property
    def is_required(self) -> bool:
        """True if the schema does not allow null."""
        return not self.wanted.fits(None)

    @cached_property
    def is_figure(self) -> bool:
        """True if the field's values are numbers or days."""
        return bool(self.types & NUMBERS) or wants_iso(self.wanted.schema)

    def label_likeness(self, label: str) -> float:
        """Return how well a label matches the field, by its words, its concepts, and the roles that its words name."""
        words = folded_words(label)
        likeness = min(likeness_of_label(self.wanted.names, label), MAX_LIKENESS)
        if likeness < 1 and 0 < len(words) <= MAX_WORDS_OF_ROLE and self.roles.intersection(_roles_of((words,))):
            return SAME_ROLE
        return likeness


def field_of_list(wanted: WantedField) -> FieldOfList:
    """Return a field with what its schema and its names demand."""
    types, roles = types_of(wanted.schema), _roles_of(wanted.names.own)
    units = frozenset().union(*map(units_named, wanted.names.own)) if types & NUMBERS else frozenset()
    description = str(wanted.schema.get("description", ""))
    form = "{0:04}-{1:02}" if _YEAR_FIRST.search(description) else ""
    form = form or ("{1:02}/{0:04}" if _MONTH_FIRST.search(description) else "")
    weights = _kind_weights(wanted, roles, types)
    return FieldOfList(wanted, weights, frozenset(roles), frozenset(types), units, form)


@lru_cache(maxsize=1024)
def _roles_of(names: tuple[tuple[str, ...], ...]) -> Sequence[str]:
    """Return the roles that the words of the names stand for, each word alone or all words of one name written
    together."""
    words = [without_accents(word) for name in names for word in (*name, "".join(name))]
    return tuple(dict.fromkeys(role for word in words for role in _ROLES_BY_WORD.get(word, ())))


def _kind_weights(wanted: WantedField, roles: Sequence[str], types: Collection[str]) -> Mapping[str, float]:
    """Return the weights of kinds of columns for a field, from 0 to 1, by its roles, its schema and its concepts."""
    weights: dict[str, float] = {}

    def raise_to(first: float, kinds: Sequence[str], step: float = 0.12) -> None:
        # The least weight is `first` for the first kind, and `step` lower for each further kind.
        for rank, kind in enumerate(kinds):
            weights[kind] = max(weights.get(kind, 0.0), first - step * rank)

    concepts, form, is_number = wanted.names.concepts, wanted.schema.get("format"), not NUMBERS.isdisjoint(types)
    for role in roles:
        raise_to(0.9, _ROLES[role]["pieces"].split())
    if form == "date" or wants_iso(wanted.schema):
        raise_to(1.0, _KINDS_OF_CONCEPTS["date"])
    elif form == "time":
        raise_to(1.0, _KINDS_OF_CONCEPTS["time"])
    elif form in ("email", "uri"):
        raise_to(1.0, (form,))
    elif "array" in types:
        raise_to(0.8, ("text",))
    elif is_number:
        kind_of_concept = next((CONCEPTS[concept].kind for concept in sorted(concepts)), "")
        if kind_of_concept in ("amount", "count"):
            raise_to(0.95, _KINDS_OF_CONCEPTS[kind_of_concept])
        raise_to(0.6, ("number", "money", "decimal", "figure"), step=0.03)
        raise_to(0.3, ("mark", "moment", "measure", "time"), step=0.0)
        if any(map(units_named, wanted.names.own)):
            raise_to(0.95, ("figure", "number"))
        for kind in (*TEXT_KINDS, "code"):
            weights.pop(kind, None)
    elif "enum" in wanted.schema or "boolean" in types:
        kinds_of_choice = ("box", "text", "text()", "code", "money.unit", "measure.unit", "number", "measure")
        raise_to(0.7, kinds_of_choice, step=0.05)
    else:
        for concept in sorted(concepts):
            own = (_KIND_OF_CONCEPT[concept],) if concept in _KIND_OF_CONCEPT else None
            raise_to(0.95, own or _KINDS_OF_CONCEPTS[CONCEPTS[concept].kind])
        if not any(weight >= 0.8 and not kind.startswith(("text", "code")) for kind, weight in weights.items()):
            raise_to(0.8, ("text", "text()"), step=0.1)
        elif not concepts:
            raise_to(0.6, ("text",))
        raise_to(0.35, ("text", "text()", "code", "measure", "number"), step=0.05)
    return weights


class ListToFill:
    """A list of objects that may be filled from records."""

    def __init__(self, fields: Sequence[WantedField], names: Names, names_of_others: Sequence[Names]) -> None:
        """`names` are the names of the list, and `names_of_others` those of the schema's other lists."""
        self.fields = [field_of_list(field) for field in fields]
        self.names = names
        self._names_of_others = names_of_others
        self.counts_of_kinds = {
            kind: sum(field.kind_weights.get(kind, 0) >= SUITABLE for field in self.fields) for kind in SINGLE_KINDS
        }
        """Number of the list's fields that each kind of column suits well."""
        self.title = next(
            (
                index
                for index, field in enumerate(self.fields)
                if field.types == {"string"} and field.kind_weights.get("text", 0) >= 0.7
            ),
            -1,
        )
        """Index of the first field with a text, which the first text of a record often fills; -1 if there is none."""
        self._likenesses: dict[str, Sequence[float]] = {"": [0.0] * len(self.fields)}

    def likenesses(self, label: str) -> Sequence[float]:
        """Return how well a label matches each field."""
        if label not in self._likenesses:
            self._likenesses[label] = [field.label_likeness(label) for field in self.fields]
        return self._likenesses[label]

    def heading_likeness(self, run: Run) -> float:
        """Return how well the headings above a run name the list, from 0 to 1; -1 if they name another list."""
        nearest, farther = run.headings[:1], run.headings[1:]
        likeness = _best_likeness([self.names], nearest)
        of_others = _best_likeness(self._names_of_others, nearest)
        if of_others >= 1 and likeness < of_others:
            return -1.0
        if likeness < NAMED:
            likeness = FARTHER * _best_likeness([self.names], farther)
            return min(likeness, FARTHER * MAX_LIKENESS) / 2 if likeness >= FARTHER * NAMED else 0.0
        return min(likeness, MAX_LIKENESS) / 2

    def has_other_topic(self, heading: str) -> bool:
        """True if the list and a heading name topics, and have none in common: `Education` above records of `jobs`."""
        own, others = self._topics, _topics(tuple(fold(heading)))
        return bool(own and others) and own.isdisjoint(others)

    @cached_property
    def _topics(self) -> frozenset[str]:
        return _topics(tuple(word for name in self.names.own for word in name))


def _best_likeness(lists: Sequence[Names], headings: Sequence[str]) -> float:
    return max((heading_likeness(names, heading) for names in lists for heading in headings), default=0.0)


@lru_cache(maxsize=8192)
def heading_likeness(names: Names, heading: str) -> float:
    """Return how well a heading names a list, from 0 to 3: by its words, or by the topics that both name:
    `Berufserfahrung` for `jobs`."""
    text = heading.strip("#*_ :")
    likeness = likeness_of_label(names, text)
    words = tuple(fold(text))
    if likeness < SAME_TOPIC and _topics(words) & _topics(tuple(word for name in names.own for word in name)):
        return SAME_TOPIC
    return likeness


@lru_cache(maxsize=4096)
def _topics(words: tuple[str, ...]) -> frozenset[str]:
    """Return the topics that words name. A name of a topic may also be the beginning of a longer word."""
    topics: set[str] = set()
    for word in map(without_accents, words):
        for length in {len(word), *range(SHORTEST_STEM, min(len(word), _LONGEST_WORD + 1))}:
            topics |= _TOPICS_BY_WORD.get(word[:length], set())
    return frozenset(topics)


def matches_of(table: RecordTable, wanted: ListToFill, reading: Reading) -> dict[tuple[int, int], Match]:
    """Return the matches of all fields with the columns that may fill them, by the index of the field and of the
    column."""
    columns = table.columns
    usual = [column for column in columns if column.coverage >= USUAL]
    orders = sorted({column.order for column in usual})
    places = {order: (rank + 0.5) / len(orders) for rank, order in enumerate(orders)}
    kinds = Counter(column.kind for column in usual)
    first_text = min((column.order for column in usual if column.kind == "text"), default=-1.0)
    figures = [column.texts for column in columns if column.kind in ("money", "decimal", "number")]
    reading = reading._replace(comma_likely=has_decimal_commas(figures, likely=reading.comma_likely))
    read: dict[tuple[str, int], Sequence[Any]] = {}
    found: dict[tuple[int, int], Match] = {}
    for index, field in enumerate(wanted.fields):
        for number, column in enumerate(columns):
            kind_weight = field.kind_weights.get(column.kind, 0.0)
            likenesses = wanted.likenesses(column.label)
            likeness = likenesses[index]
            if column.unit:
                likeness = SAME_UNIT if column.unit in field.units else 0.0
            if likeness < 1 and (kind_weight <= 0 or column.unit):
                continue
            if field.is_free_text and column.kind in SINGLE_KINDS and kind_weight < 0.3 and likeness < 1:
                continue
            if (field.key, number) not in read:
                read[field.key, number] = values_for(field, column, reading)
            values = read[field.key, number]
            readable = _readable_share(values, field, column)
            if readable < LEAST_FIT:
                continue
            distance = abs((index + 0.5) / len(wanted.fields) - places.get(column.order, 0.5))
            is_foreign = bool(column.label) and likeness < NAMED
            is_only = column.kind in SINGLE_KINDS and kinds[column.kind] == wanted.counts_of_kinds[column.kind] == 1
            has_several_amounts = wanted.counts_of_kinds["money"] != 1
            features = MatchFeatures(
                label=likeness,
                kind=kind_weight,
                readable=readable,
                role=float(kind_weight >= 0.7 and bool(field.roles) and column.kind not in TEXT_KINDS),
                foreign_label=float(is_foreign),
                label_of_other=float(is_foreign and max(likenesses) >= 1),
                look=_look(field, column),
                order=1 - distance,
                coverage=column.coverage,
                unique=float(is_only),
                title=float(column.kind == "text" and column.order == first_text and index == wanted.title),
                constant=float(len(column.cells) > 2 and not field.has_few_values and column.is_constant),
                mixed=float(column.is_mixed),
                least=(-1.0 if has_several_amounts else 1.0) if column.is_least else 0.0,
                long=float(sum(map(len, column.texts)) > LONG_TEXT * len(column.cells)),
            )
            score, claim = weighted(WEIGHTS, features), weighted(WEIGHTS, features.claim)
            found[index, number] = Match(values, score, claim, features)
    return found


def values_for(field: FieldOfList, column: Column, reading: Reading) -> Sequence[Any]:
    """Return the value of each record for a field: None for an empty text, UNREADABLE for a text without a value."""
    texts = column.texts
    if "array" not in field.types:
        texts = [text.replace("\n", " ") for text in texts]
    if field.month_form:
        texts = [_in_month_form(text, field.month_form) or text for text in texts]
    if "boolean" in field.types and (truths := _truths(field, column)):
        return truths
    return values_of_column(texts, field.wanted, comma_likely=reading.comma_likely, known_days=reading.days)


def _readable_share(values: Sequence[Any], field: FieldOfList, column: Column) -> float:
    """Return the share of a column's texts that are values of a field."""
    if "boolean" in field.types:
        return sum(map(is_read, values)) / len(values)
    present = [value for value, is_missing in zip(values, column.is_missing, strict=True) if not is_missing]
    return (len(present) - present.count(UNREADABLE)) / len(present) if present else 0.0


def _truths(field: FieldOfList, column: Column) -> Sequence[Any]:
    """Return the values of a boolean field in texts that name it or deny it: `In stock`, `Not in stock`. Records
    without the text have the value False if all others have True. The result is empty for other texts."""
    texts = {text for text in column.texts if text}
    named = {text for text in texts if likeness_by_words(field.wanted.names, text) >= NAMED}
    if not named or len(texts) > MAX_TRUTHS:
        return []
    truths: dict[str, Any] = {}
    for text in texts:
        answer = answer_of(text)
        own = not is_turned(text) if text in named or is_turned(text) else UNREADABLE
        truths[text] = own if answer is None else answer
    without_text = False if set(truths.values()) == {True} else None
    return [truths.get(text, without_text) for text in column.texts]


def _in_month_form(text: str, form: str) -> str | None:
    """Return the month and the year that a text states, written in a form; None for any other text."""
    year = _YEAR.search(text)
    rest = _YEAR.sub(" ", text).strip(" -./")
    words = rest.split()
    month = int(rest) if rest.isdecimal() and len(rest) <= 2 else month_named(words[0]) if words else None
    return form.format(int(year[0]), month) if year is not None and month else None


def _look(field: FieldOfList, column: Column) -> float:
    """Return how well the texts of a column look like values of a field, from -1 to 1: like organisations, like places
    or, for any other field, not like organisations."""
    if not column.kind.startswith("text"):
        return 0.0
    texts = [text for text in column.texts if text]
    organisations = sum(map(_is_organisation, texts)) / max(1, len(texts))
    concepts = field.wanted.names.concepts
    if concepts & _ORGANISATIONS or "organisation" in field.roles:
        return organisations
    if concepts & _PLACES or "place" in field.roles:
        names = sum(text.count(" ") < 3 and text[:1].isupper() and not any(map(str.isdigit, text)) for text in texts)
        after_sign = 0.7 if column.sign in _SIGNS_BEFORE_PLACES else 0.2
        return after_sign * names / max(1, len(texts)) - organisations
    return -0.5 * organisations


@lru_cache(maxsize=4096)
def _is_organisation(text: str) -> bool:
    return _LEGAL_FORM.search(text) is not None or _PLACE_OF_WORK.search(text) is not None
