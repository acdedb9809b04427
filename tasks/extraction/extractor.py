"""Scores how well each candidate in the texts answers each field, by a network and by rules."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from models.embedding.embedder import DIMENSIONS, Embedder
from models.extraction.network import ExtractionNetwork, FieldInputs, SpanInputs
from models.extraction.page_encoder import FieldReader
from models.queues import Slots
from tasks.extraction.candidates import Candidates, find_candidates
from tasks.extraction.examples import Example, learn, prefer_examples
from tasks.extraction.features import (
    FieldText,
    Matrix,
    SpanFeatures,
    Strings,
    field_text,
    kinds_of,
    label_matches,
    meanings_of,
    span_features,
    types_of,
)
from tasks.extraction.fields import WantedField
from tasks.extraction.likeness import likeness_by_meaning
from tasks.extraction.page_reading import MAX_RUNS, Readings, add_spans, read_pages, span_scores
from tasks.extraction.passages import passages_to_search
from tasks.extraction.probability import FieldScores
from tasks.extraction.prompts import prompt_of
from tasks.extraction.rules import apply_rules, separate_rivals
from tasks.extraction.score_steps import ScoreSteps
from tasks.extraction.sums import prefer_sums
from tasks.extraction.units import units_after
from tasks.extraction.wholes import divide_names, lacking_part, prefer_parts, whole_of
from tasks.precontext import Entry
from tasks.schema.awaited import result_of
from tasks.schema.paths import JsonPath

MAX_SPANS = 6_000
"""At most this many spans are scored for each field. About 20 dense pages have this many."""
MAX_SCORES = 300_000
"""The number of spans times the number of fields is at most this. For 50 fields, MAX_SPANS spans are scored; for 300
fields, only the spans of about three pages."""
MAX_TOKENS = 8_000
"""At most this many tokens of labels and lines are embedded, which takes two or three seconds of a processor. Six dense
pages have this many; a line of thousands of items has 40,000."""
MAX_HEADER_TOKENS = 2_000
"""At most this many tokens of the headers of tables are embedded."""
READ = 0.55
"""Weight of the log-odds by the encoder of pages, beside the scores of the network. Of 0.45, 0.55, 0.6 and 0.7, it had
the most right fields on 110 papers of other people."""
READ_IN_LIST = 0.5
"""Weight of these log-odds for a field in a list. Of 0.3, 0.5, 0.7 and 1.2, it had the most right fields on these
papers."""
LARGEST_IN_LIST = 12.0
"""The log-odds by the encoder are at most this for a field in a list, and at least its negative: every item has its own
place, so no place has to be better than all others."""
SUMS = frozenset(("total", "net", "balance"))
"""Concepts of the sums of a paper. The encoder does not calculate, so the network and the rules choose among sums
without it: 27 instead of 10 totals of 30 scanned receipts were right."""


class Extractor:
    def __init__(
        self,
        network: ExtractionNetwork,
        embedder: Embedder | None,
        most_spans: int = MAX_SPANS,
        *,
        reader: FieldReader | None = None,
        threads: Slots | None = None,
    ) -> None:
        """Create the extractor. Without a `reader`, the network alone scores the candidates. Callers run its work in a
        thread each, of which there are `threads` (`in_turn`)."""
        self.threads = threads
        self._network = network
        self._reader = reader
        self._embedder = embedder
        self._most_spans = most_spans

    @cached_property
    def _meanings(self) -> Matrix:
        return meanings_of(self._network.meanings)

    def score(
        self,
        entries: Sequence[Entry],
        fields: Sequence[WantedField],
        examples: Sequence[Example] = (),
        steps: ScoreSteps | None = None,
    ) -> FieldScores:
        """Score every candidate in `entries` for each of `fields`. Raises ModelError if the embedding engine fails.

        Candidates in the places that fields have on `examples` are preferred. All examples together have at most as
        many candidates as the entries may have, so they at most double the work. `steps` records what each step
        changes.
        """
        taught = examples if fields else ()
        lessons = [learn(self._scored(one.entries, fields, len(examples)), one.answer) for one in taught]
        scored = self._scored(entries, fields, steps=steps)
        if not (lessons and scored.candidates.spans):
            return scored
        preferred = prefer_examples(scored.logits, fields, scored.candidates, lessons)
        if steps is not None:
            steps.reached("prefer_examples", scored.logits)
        return replace(scored, by_example=preferred)

    def _scored(
        self,
        entries: Sequence[Entry],
        fields: Sequence[WantedField],
        part: int = 1,
        steps: ScoreSteps | None = None,
    ) -> FieldScores:
        """Score the candidates in `entries` for each field. `part` divides the bound on the work: with 2, at most half
        of the work that a request may cause is done."""
        most_spans = min(self._most_spans, MAX_SCORES // max(1, len(fields))) // part
        candidates = find_candidates(passages_to_search(entries), most_spans)
        if not candidates.spans or not fields:
            none = np.zeros((len(fields), 1 + len(candidates.spans)), np.float32)
            return FieldScores(candidates, fields, none, entries)
        read: Readings = {}
        if self._reader is not None:
            prompts = [prompt_of(one.path, one.schema, in_list=one.in_list) for one in fields]
            read = read_pages(candidates.passages, prompts, self._reader, MAX_RUNS // part)
            add_spans(candidates, read, [row for row, one in enumerate(fields) if _is_text(one)])
        strings, spans, texts, wholes = _described(candidates, fields)
        vectors, left_out = self._vectors(strings, spans.labels_beside, MAX_TOKENS // part)
        all_texts = [*texts, *dict.fromkeys(wholes.values())]
        found = self._logits(spans, strings, vectors, all_texts)
        logits = found[: len(texts)]
        if steps is not None:
            steps.reached("network", logits)
        if read:
            readings = span_scores(candidates, read, len(fields))
            listed = [row for row, one in enumerate(fields) if one.in_list]
            readings[listed] = np.clip(readings[listed], -LARGEST_IN_LIST, LARGEST_IN_LIST)
            weights = np.array([_weight_of_reading(text) for text in texts], np.float32)
            logits[:, :-1] += weights[:, np.newaxis] * readings
            if steps is not None:
                steps.reached("encoder", logits)
        whole_logits = {at: found[all_texts.index(whole)] for at, whole in wholes.items()}
        _adjust(logits, fields, texts, whole_logits, candidates, steps)
        return FieldScores(candidates, fields, logits, entries, by_words_alone=left_out, is_read=bool(read))

    def _vectors(self, strings: Strings, labels: Collection[int], max_tokens: int) -> tuple[Matrix, int]:
        """Return the vectors of the texts, and the number of texts that exceed the bound. The vectors of these texts
        are zeros."""
        known = strings.most_telling(labels, max_tokens)
        vectors = np.zeros((len(strings.texts), DIMENSIONS), np.float32)
        vectors[known] = self._embedded([strings.texts[index] for index in known])
        return vectors, len(strings.texts) - len(known)

    def likeness_of_headers(self, fields: Sequence[WantedField], headers: Sequence[str]) -> Matrix:
        """Return how similar fields and column headers are in meaning, 0 to SIMILAR + 0.1: fields × headers.

        A header in any language is also compared by the English names of its concept. Raises ModelError.
        """
        texts = [field_text(one.schema, one.names) for one in fields]
        names = self._embedded([" ".join(text.names.own[0]) for text in texts]).reshape(len(fields), DIMENSIONS)
        strings = Strings()
        places = [strings.place(header) for header in headers]
        vectors, _ = self._vectors(strings, (), MAX_HEADER_TOKENS)
        both_names = np.stack([names, names], axis=1)
        matches = label_matches(texts, strings, vectors, both_names, self._meanings)
        return likeness_by_meaning(matches[:, places])

    def _logits(self, spans: SpanFeatures, strings: Strings, vectors: Matrix, texts: Sequence[FieldText]) -> Matrix:
        names = self._embedded([text for field in texts for text in (field.name, field.full)])
        names = names.reshape(len(texts), 2, DIMENSIONS)
        matches = label_matches(texts, strings, vectors, names, self._meanings)
        kinds = np.array([(*text.types, *kinds_of(text)) for text in texts], np.float32)
        pieces = SpanInputs(spans.still, spans.labels, spans.texts, vectors)
        return self._network.scores(pieces, FieldInputs(kinds, names[:, 1], matches))

    def _embedded(self, texts: Sequence[str]) -> Matrix:
        if self._embedder is None:
            return np.zeros((len(texts), DIMENSIONS), np.float32)
        return result_of(self._embedder.embed, texts)


def _weight_of_reading(field: FieldText) -> float:
    """Return the weight of the log-odds by the encoder of pages, beside the scores of the network."""
    if field.in_list:
        return READ_IN_LIST
    return READ if field.concepts.isdisjoint(SUMS) else 0.0


def _is_text(field: WantedField) -> bool:
    return not field.in_list and types_of(field.schema) == {"string"} and "format" not in field.schema


def _described(
    candidates: Candidates, fields: Sequence[WantedField]
) -> tuple[Strings, SpanFeatures, list[FieldText], dict[int, FieldText]]:
    strings = Strings()
    features = span_features(candidates, strings)
    texts = [*_with_parts(fields, [field_text(one.schema, one.names, in_list=one.in_list) for one in fields])]
    wholes = {index: whole for index, text in enumerate(texts) if (whole := whole_of(text))}
    return strings, features, texts, wholes


def _with_parts(fields: Sequence[WantedField], texts: Sequence[FieldText]) -> Iterator[FieldText]:
    """Yield the texts of the fields. If an object has fields for some parts of a value, its field for the whole value
    stands for the missing part: `name` is the last name beside French `prénom` and the first name beside Spanish
    `apellidos`, and `address` is the street beside a city or a postcode."""
    named: dict[JsonPath, set[str]] = {}
    for one, text in zip(fields, texts, strict=True):
        named.setdefault(one.path[:-1], set()).update(text.concepts if len(text.concepts) == 1 else ())
    for one, text in zip(fields, texts, strict=True):
        part = lacking_part(text, named[one.path[:-1]])
        yield replace(text, concepts=frozenset({part})) if part else text


def _adjust(
    logits: Matrix,
    fields: Sequence[WantedField],
    texts: Sequence[FieldText],
    wholes: Mapping[int, Matrix],
    candidates: Candidates,
    steps: ScoreSteps | None,
) -> None:
    """Adjust the network's logits by rules, such as parts of names and sums that agree."""

    def reached(step: str) -> None:
        if steps is not None:
            steps.reached(step, logits)

    units = units_after(candidates)
    for row, field in zip(logits, texts, strict=True):
        apply_rules(row, field, candidates, units)
    reached("apply_rules")
    paths = {index: one.path for index, one in enumerate(fields) if not one.in_list}
    single = {index: texts[index] for index in paths}
    separate_rivals(logits, single, candidates)
    reached("separate_rivals")
    prefer_parts(logits, texts, wholes, candidates)
    reached("prefer_parts")
    divide_names(logits, single, paths, candidates)
    reached("divide_names")
    prefer_sums(logits, {index: text for index, text in single.items() if text.is_number}, candidates)
    reached("prefer_sums")
