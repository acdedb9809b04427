"""The fields of a schema, each copied from the place that answers it best, with how probable that is."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from app.chat.evidence.evidence import Place, leaves
from app.chat.evidence.labels import Names, names_of
from app.chat.evidence.passages import Passage, passages_of
from app.chat.filling.features import (
    FieldText,
    Matrix,
    SpanFeatures,
    Strings,
    field_text,
    kinds_of,
    label_matches,
    meanings_of,
    renamed,
    span_features,
    types_of,
)
from app.chat.filling.listed import Listed, listed
from app.chat.filling.rules import set_apart, weigh
from app.chat.filling.spans import Reading, Span, reading_of, without_brackets
from app.chat.filling.values import is_miswritten, key_of, puts_days_first, sayings, says_nothing, values_of
from app.chat.filling.wholes import prefer_parts, whole_of
from app.chat.schema.structured import Path, schema_at
from models.embedding.embedder import DIMENSIONS, Embedder
from models.extraction.network import Network, Pieces, Questions
from models.fair_executor import FairExecutor
from tasks.precontext import Entry

_READ = ("ocr", "stt", "scraper")

Fits = Callable[[Any], bool]

MOST_FIELDS = 100
MOST_VALUES = 48
"""The likeliest values of a field that are tried on its schema."""
DEMANDED = 0.03
"""What is left of the probability that a text which has to be there is not."""
ADDRESSES = ("email", "uri", "url")
"""Formats of which one value alone on a page is likely to be meant, whatever the field is called."""
UNDECIDED = 0.5
"""A piece that is less likely than that may as well be another one of its line, if that is the place."""
TAKEN = 0.25
"""What is left of the probability of a place that a surer field has taken."""


MISWRITTEN = 0.1
"""What is left of the probability of a code whose check digits are wrong: it was misread, or is wrong on the page."""


class Wanted(NamedTuple):
    path: Path
    schema: Mapping[str, Any]
    names: Names
    fits: Fits
    may_be_left_out: bool = False
    in_list: bool = False
    """Whether there are many of it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value, None where none is said, and where it stands."""

    value: Any
    probability: float
    """What the network alone gives all places that say the same."""
    passage: Passage | None = None
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scored:
    """What was read, and how well each piece of it answers each field."""

    reading: Reading
    fields: Sequence[Wanted]
    logits: Matrix
    """Fields × (spans + 1); the last says that none answers."""
    entries: Sequence[Entry] = ()
    """That the passages are of."""
    lists: Mapping[Path, Listed] = dataclasses.field(default_factory=dict)
    """The lists of texts that were copied, by the field's path."""

    @cached_property
    def probabilities(self) -> Matrix:
        scores = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        found: Matrix = scores / scores.sum(axis=1, keepdims=True)
        return found

    @property
    def document(self) -> Entry | None:
        """The request's own text, where that was read."""
        return next((entry for entry in self.entries if not is_text(entry)), None)

    @cached_property
    def days_first(self) -> bool:
        return puts_days_first(self.reading)

    @cached_property
    def rows(self) -> Mapping[Path, int]:
        return {field.path: row for row, field in enumerate(self.fields)}

    def place(self, path: Path, value: Any, *, copied: bool = True) -> Place | None:
        """Where the field at `path` is `value`, and how probably, as far as what was read tells; None where the field
        was not asked for. `copied`: the value is this extractor's answer, no other's."""
        row = self.rows.get(without_items(path))
        if row is None:
            return None
        if (whole := self.lists.get(self.fields[row].path)) and isinstance(at := path[-1], int):
            # One piece has all items: each is right where that is.
            return self._place(whole.passage, whole.items[at].words, whole.probability, copied)
        key = key_of(value)
        saying = [at for at, said in enumerate(self._said) if key in said]
        if not saying:
            return Place(0.0, copied=copied)
        best = max(saying, key=lambda at: self.logits[row, at])
        if self.fields[row].in_list:
            # There are many of it: each is right or not by itself.
            chance = float(1 / (1 + np.exp(self.logits[row, -1] - self.logits[row, best])))
        else:
            chance = float(self.probabilities[row, saying].sum())
        if is_miswritten(value, self.fields[row].names):
            chance *= MISWRITTEN
        span = self.reading.spans[best]
        return self._place(span.passage, span.words, chance, copied)

    def _place(self, passage: Passage, words: Sequence[int], chance: float, copied: bool) -> Place:
        line = passage.lines[passage.line_at(words[0])]
        return Place(chance, self.entries[passage.entry], line.pointer, frozenset(words), copied)

    @cached_property
    def _said(self) -> list[set[Any]]:
        return [set(map(key_of, sayings(span, self.days_first))) for span in self.reading.spans]


def without_items(path: Path) -> Path:
    """The path of a field in lists, whichever of their items it is in."""
    return tuple(step for step in path if isinstance(step, str))


def fields_in(value: Any, schema: Mapping[str, Any] | None) -> list[Wanted]:
    """The texts and numbers of an answer as fields that may be looked for in what was read."""
    found: dict[Path, Wanted] = {}
    for path, leaf in leaves(value, ()):
        key = without_items(path)
        if key and key not in found and not isinstance(leaf, bool) and len(found) < MOST_FIELDS:
            asked = {"type": "string" if isinstance(leaf, str) else "number"} | dict(schema_at(schema, path))
            found[key] = Wanted(key, asked, names_of(path, asked), lambda _: True, in_list=key != path)
    return list(found.values())


def read_of(entries: Sequence[Entry], document: Entry | None) -> list[Entry]:
    """What specialists read; where they read nothing, the `document` that the request brings as its text."""
    return list(filter(is_text, entries)) or ([document] if document else [])


def is_text(entry: Entry) -> bool:
    """Whether it is what something says, read by a specialist."""
    return entry.name in _READ and entry.error is None


class Extractor:
    def __init__(self, network: Network, embedder: Embedder | None, executor: FairExecutor, most_spans: int) -> None:
        self._network = network
        self._embedder = embedder
        self._executor = executor
        self._most_spans = most_spans

    @cached_property
    def _meanings(self) -> Matrix:
        return meanings_of(self._network.meanings)

    async def score(self, entries: Sequence[Entry], fields: Sequence[Wanted]) -> Scored:
        """What `entries` read, tried on `fields`. Raises ModelError where the embedding engine fails."""
        passages = await self._executor.run(passages_of, entries)
        reading, strings, spans, texts = await self._executor.run(_prepared, passages, fields, self._most_spans)
        if not reading.spans or not fields:
            return Scored(reading, fields, np.zeros((len(fields), 1 + len(reading.spans)), np.float32), entries)
        vectors = await self._embedded(strings.texts)
        wholes = {at: whole for at, text in enumerate(texts) if (whole := whole_of(text))}
        asked = [*texts, *dict.fromkeys(wholes.values())]
        found = await self._logits(spans, strings, vectors, asked)
        logits = found[: len(texts)]
        again = await self._executor.run(_renamed, Scored(reading, fields, logits), texts)
        if again:
            rows = list(again)
            logits[rows] = (logits[rows] + await self._logits(spans, strings, vectors, list(again.values()))) / 2
        whole_logits = {at: found[asked.index(whole)] for at, whole in wholes.items()}
        await self._executor.run(_weighed, logits, fields, texts, whole_logits, reading)
        return Scored(reading, fields, logits, entries)

    async def _logits(
        self, spans: SpanFeatures, strings: Strings, vectors: Matrix, texts: Sequence[FieldText]
    ) -> Matrix:
        names = await self._embedded([text for field in texts for text in (field.name, field.full)])
        return await self._executor.run(self._scores, spans, texts, strings, vectors, names)

    async def _embedded(self, texts: Sequence[str]) -> Matrix:
        if self._embedder is None:
            return np.zeros((len(texts), DIMENSIONS), np.float32)
        return await self._embedder.embed(texts)

    def _scores(
        self, spans: SpanFeatures, fields: Sequence[FieldText], strings: Strings, vectors: Matrix, told: Matrix
    ) -> Matrix:
        names = told.reshape(len(fields), 2, DIMENSIONS)
        matches = label_matches(fields, strings, vectors, names, self._meanings)
        kinds = np.array([(*field.types, *kinds_of(field)) for field in fields], np.float32)
        pieces = Pieces(spans.still, spans.labels, spans.texts, vectors)
        return self._network.scores(pieces, Questions(kinds, names[:, 1], matches))


def _prepared(
    passages: Sequence[Passage], fields: Sequence[Wanted], most_spans: int
) -> tuple[Reading, Strings, SpanFeatures, list[FieldText]]:
    reading, strings = reading_of(passages, most_spans), Strings()
    return (
        reading,
        strings,
        span_features(reading, strings),
        [field_text(one.schema, one.names, in_list=one.in_list) for one in fields],
    )


def _renamed(scored: Scored, texts: Sequence[FieldText]) -> dict[int, FieldText]:
    """Fields that nothing is likely to answer, under another name of the same thing: the network may know that better.

    In a list, each place is likely by itself.
    """
    likeliest = scored.probabilities.max(axis=1)
    unsure = [at for at, one in enumerate(scored.fields) if likeliest[at] < UNDECIDED and not one.in_list]
    return {at: other for at in unsure if (other := renamed(texts[at]))}


def _weighed(
    logits: Matrix,
    fields: Sequence[Wanted],
    texts: Sequence[FieldText],
    wholes: Mapping[int, Matrix],
    reading: Reading,
) -> None:
    """Changes the logits by what is known of the fields whatever the network makes of them."""
    for row, field in zip(logits, texts, strict=True):
        weigh(row, field, reading)
    set_apart(logits, {at: text for at, text in enumerate(texts) if not fields[at].in_list}, reading)
    prefer_parts(logits, texts, wholes, reading)


def chosen(scored: Scored) -> dict[Path, Choice]:
    """A value for each field that has one, the surest fields first: no two have the same place if that can be helped.

    A field that may be null or left out is None where nothing answers it; one that may not has no choice where nothing
    fits its schema. Synchronous.
    """
    left = {row: _values(scored, row) for row, field in enumerate(scored.fields) if not field.in_list}
    found: dict[Path, Choice] = {}
    taken: set[tuple[int, tuple[int, ...]]] = set()
    while left:
        best = {row: max(options, key=lambda one: _free(one, taken), default=None) for row, options in left.items()}
        row = max(best, key=lambda at: _free(one, taken) if (one := best[at]) else -1.0)
        choice = best[row]
        del left[row]
        if choice is not None:
            found[scored.fields[row].path] = choice
            if choice.words:
                taken.add((id(choice.passage), choice.words))
    return {field.path: found[field.path] for field in scored.fields if field.path in found}


def listed_at(scored: Scored, choice: Choice) -> Listed | None:
    """The list whose place a choice is; None where it is none."""
    if choice.value is None or choice.passage is None:
        return None
    return listed(scored.reading, choice.passage, choice.words, choice.probability)


def _free(choice: Choice, taken: set[tuple[int, tuple[int, ...]]]) -> float:
    return choice.probability * (TAKEN if (id(choice.passage), choice.words) in taken else 1.0)


def _values(scored: Scored, row: int) -> list[Choice]:
    """What the field may be, places that say the same taken together."""
    field, chances = scored.fields[row], scored.probabilities[row]
    types, is_enum = types_of(field.schema), "enum" in field.schema
    may_be_none, none = field.may_be_left_out or field.fits(None), float(chances[-1])
    best: dict[Any, tuple[float, Span, Any]] = {}
    for at in np.argsort(-chances[:-1], kind="stable"):
        span, chance = scored.reading.spans[at], float(chances[at])
        said = list(values_of(span, field.schema, scored.days_first))
        value = next(filter(field.fits, said), None) if len(best) < MOST_VALUES else next(iter(said), None)
        if value is None:
            continue
        if says_nothing(value, in_words=may_be_none):
            none += chance
            continue
        key = key_of(value)
        if key in best:
            whole, first, kept = best[key]
            best[key] = (whole + chance, first, kept)
        elif len(best) < MOST_VALUES:
            best[key] = (chance, span, value)
    # Where a text has to be there, an empty one says that nothing is.
    nothing = None if may_be_none else ""
    if not may_be_none and types == {"string"} and not is_enum and field.fits(""):
        is_alone = len(best) == 1 and field.schema.get("format") in ADDRESSES
        may_be_none, none = True, none * (DEMANDED**2 if is_alone else DEMANDED)
    _prefer_whole(best)
    whole = sum(chance for chance, *_ in best.values()) + (none if may_be_none else 0.0) or 1.0
    found = [Choice(value, chance / whole, span.passage, span.words) for chance, span, value in best.values()]
    if may_be_none:
        found.append(Choice(nothing, none / whole))
    return found


def _prefer_whole(best: dict[Any, tuple[float, Span, Any]]) -> None:
    """A line takes the place of its likeliest piece where it is not certain which of its pieces it is; but for brackets
    at its end, a piece is whole, too, and no name is its sentence."""
    key = max(best, key=lambda one: best[one][0], default=None)
    if key is None or best[key][1].kind != "piece" or best[key][0] >= UNDECIDED:
        return
    chance, piece, value = best[key]
    inside = [(likely, span, one) for one, (likely, span, _) in best.items() if _is_in_line(span, piece)]
    whole = next((one for _, span, one in inside if span.kind in ("line", "part")), None)
    if whole is not None and (
        _bare_text(best[whole][1]) == key_of(piece.text) or _is_in_sentence(piece, best[whole][1])
    ):
        return
    if whole is not None and sum(likely for likely, *_ in inside) > UNDECIDED:
        likely, span, said = best[whole]
        best[key], best[whole] = (likely, piece, value), (chance, span, said)


def _is_in_sentence(piece: Span, line: Span) -> bool:
    """Whether the word before it says that its line is one: `from Acme GmbH`."""
    before = line.text.partition(piece.text)[0].split()
    return bool(before) and before[-1].islower()


def _bare_text(line: Span) -> Any:
    bare = without_brackets(line.text)
    return bare and key_of(bare)


def _is_in_line(one: Span, other: Span) -> bool:
    return one.passage is other.passage and one.first == one.last == other.first
