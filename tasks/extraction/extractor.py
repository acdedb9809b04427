"""Scores of every span in the texts that were read as the value of every field, by a network."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from models.embedding.embedder import DIMENSIONS, Embedder
from models.extraction.network import ExtractionNetwork, FieldInputs, SpanInputs
from models.fair_executor import FairExecutor, Slices
from tasks.extraction.candidates import Candidates, find_candidates
from tasks.extraction.features import (
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
)
from tasks.extraction.fields import WantedField
from tasks.extraction.passages import passages_of
from tasks.extraction.probability import FieldScores
from tasks.extraction.rules import apply_rules, separate_rivals
from tasks.extraction.wholes import prefer_parts, whole_of
from tasks.precontext import Entry

UNDECIDED = 0.5
"""Probability of the likeliest span below which a field is tried again under another name."""


class Extractor:
    def __init__(
        self, network: ExtractionNetwork, embedder: Embedder | None, executor: FairExecutor, most_spans: int
    ) -> None:
        self._network = network
        self._embedder = embedder
        self._executor = executor
        self._most_spans = most_spans

    @cached_property
    def _meanings(self) -> Matrix:
        return meanings_of(self._network.meanings)

    async def score(self, entries: Sequence[Entry], fields: Sequence[WantedField]) -> FieldScores:
        """Score every candidate in `entries` for each of `fields`. Raises ModelError if the embedding engine fails."""
        candidates, strings, spans, texts = await self._executor.run(_prepare, entries, fields, self._most_spans)
        if not candidates.spans or not fields:
            return FieldScores(
                candidates, fields, np.zeros((len(fields), 1 + len(candidates.spans)), np.float32), entries
            )
        vectors = await self._embedded(strings.texts)
        wholes = {at: whole for at, text in enumerate(texts) if (whole := whole_of(text))}
        asked = [*texts, *dict.fromkeys(wholes.values())]
        found = await self._logits(spans, strings, vectors, asked)
        logits = found[: len(texts)]
        again = await self._executor.run(_under_other_names, FieldScores(candidates, fields, logits), texts)
        if again:
            rows = list(again)
            logits[rows] = (logits[rows] + await self._logits(spans, strings, vectors, list(again.values()))) / 2
        whole_logits = {at: found[asked.index(whole)] for at, whole in wholes.items()}
        await self._executor.run(_adjust, logits, fields, texts, whole_logits, candidates)
        return FieldScores(candidates, fields, logits, entries)

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
        pieces = SpanInputs(spans.still, spans.labels, spans.texts, vectors)
        return self._network.scores(pieces, FieldInputs(kinds, names[:, 1], matches))


def _prepare(
    entries: Sequence[Entry], fields: Sequence[WantedField], most_spans: int
) -> Slices[tuple[Candidates, Strings, SpanFeatures, list[FieldText]]]:
    passages = passages_of(entries)
    yield
    candidates = yield from find_candidates(passages, most_spans)
    strings = Strings()
    features = yield from span_features(candidates, strings)
    return candidates, strings, features, [field_text(one.schema, one.names, in_list=one.in_list) for one in fields]


def _under_other_names(scored: FieldScores, texts: Sequence[FieldText]) -> dict[int, FieldText]:
    """Return the fields without a likely answer, by row, under another name that the network may know better.

    Fields of lists are left out, because each of their places has a probability of its own.
    """
    likeliest = scored.probabilities.max(axis=1)
    unsure = [at for at, one in enumerate(scored.fields) if likeliest[at] < UNDECIDED and not one.in_list]
    return {at: other for at in unsure if (other := renamed(texts[at]))}


def _adjust(
    logits: Matrix,
    fields: Sequence[WantedField],
    texts: Sequence[FieldText],
    wholes: Mapping[int, Matrix],
    candidates: Candidates,
) -> None:
    """Apply the rules that hold for any scores of the network to the logits."""
    for row, field in zip(logits, texts, strict=True):
        apply_rules(row, field, candidates)
    separate_rivals(logits, {at: text for at, text in enumerate(texts) if not fields[at].in_list}, candidates)
    prefer_parts(logits, texts, wholes, candidates)
