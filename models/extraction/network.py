"""A small network that scores spans of a text as values of a schema's fields.

Its inputs describe a span's form and place, how well the labels around the span match the field's name, and the meaning
of the span's line and of these labels (sentence embeddings). `training/extraction` trains it.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from models.extraction.stored_model import StoredModel

Matrix = NDArray[np.float32]

FILE = Path(__file__).with_name("extractor.npz")


@dataclass(frozen=True, slots=True)
class SpanInputs:
    """Input of the network for S spans, and for the L texts in and around them."""

    still: Matrix
    """Matrix of S × features that do not depend on a field."""
    labels: NDArray[np.int32]
    """Array of S × label positions (such as left or above) with the index of the text that is the label, or −1 without
    a label."""
    texts: NDArray[np.int32]
    """Array of S × 2: indices of the texts of a span's first and last lines."""
    vectors: Matrix
    """Matrix of L × 384: embeddings of the texts; zeros without an embedding engine."""


@dataclass(frozen=True, slots=True)
class FieldInputs:
    """Input of the network for F fields."""

    kinds: Matrix
    """Matrix of F × features of the fields' schemas."""
    vectors: Matrix
    """Matrix of F × 384: embeddings of the fields' names and descriptions."""
    matches: Matrix
    """Array of F × (L + 1) × features of a field and a text. The last text is the placeholder for a missing label."""


class ExtractionNetwork(StoredModel):
    """Network that scores spans as values of fields. The scores are logits: one for each span, and one for no span."""

    SLOTS: ClassVar[int] = 5
    """Number of label positions of a span."""
    WIDTH: ClassVar[int] = 384
    """Number of elements in an embedding."""

    def __init__(self, file: Path = FILE) -> None:
        super().__init__(file)

    @cached_property
    def _weights(self) -> dict[str, Matrix]:
        return {name: array.astype(np.float32) for name, array in self._arrays.items() if array.dtype.kind == "f"}

    @property
    def meanings(self) -> dict[str, Matrix]:
        """Mean embedding of the words that mean a concept, by the concept's name."""
        return dict(zip(map(str, self._arrays["concepts"]), self._weights["meanings"], strict=True))

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Return three numbers of features: of a span, of a field, and of a pair of a field and a text."""
        weights = self._weights
        named = len(weights["pair"]) // self.SLOTS
        return len(weights["still"]), len(weights["whole"]) - named - weights["field"].shape[1], named

    def scores(self, spans: SpanInputs, fields: FieldInputs) -> Matrix:
        """Return the scores of S spans for F fields, F × (S + 1). It takes about 20 ms for 300
        spans and 10 fields."""
        weights = self._weights
        vectors = np.vstack([spans.vectors, np.zeros((1, spans.vectors.shape[1]), np.float32)])
        known = vectors @ weights["text"]
        field = fields.vectors @ weights["field"]
        label_scores = nearest_label(spans.labels)
        seen = known[np.stack([spans.texts[:, 0], spans.texts[:, 1], label_scores, spans.labels[:, 2]], axis=1)]
        best = np.zeros((len(field), fields.matches.shape[2]), np.float32)
        for row, match in enumerate(fields.matches):
            best[row] = match[label_scores].max(axis=0, initial=0)
        whole = np.concatenate([fields.kinds, best, field], axis=1)
        own = spans.still @ weights["still"] + seen.reshape(len(seen), -1) @ weights["seen"]
        field_terms = whole @ weights["whole"] + weights["bias"]
        scores = np.empty((len(field), len(seen) + 1), np.float32)
        lines, line_index = _distinct(np.concatenate([spans.texts, spans.labels[:, 1:]], axis=1))
        named, name_index = _distinct(np.stack([spans.labels[:, 0], label_scores], axis=1))
        size = weights["pair"].shape[0] // self.SLOTS
        first, last, neighbour, above = np.split(weights["meaning"], 4)
        neighbourhoods = np.concatenate([first, last, above])
        for row, vector in enumerate(field):
            match = fields.matches[row]
            line_terms = match[lines[:, 2:]].reshape(len(lines), -1) @ weights["pair"][size:]
            line_terms += (known[lines[:, [0, 1, 3]]] * vector).reshape(len(lines), -1) @ neighbourhoods
            name_terms = match[named[:, 0]] @ weights["pair"][:size] + (known[named[:, 1]] * vector) @ neighbour
            pair = line_terms[line_index] + name_terms[name_index]
            hidden = np.maximum(own + field_terms[row] + pair, 0) @ weights["second"] + weights["second_bias"]
            scores[row, :-1] = np.maximum(hidden, 0) @ weights["last"]
            largest = scores[row, :-1].max(initial=0)
            none = np.maximum(np.append(whole[row], largest) @ weights["none"] + weights["none_bias"], 0)
            scores[row, -1] = none @ weights["none_last"]
        return scores


def _distinct(rows: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the distinct rows, and the index of each row among them. The network computes only distinct rows, because
    the spans of a line share most of their texts."""
    found, places = np.unique(rows, axis=0, return_inverse=True)
    return found, places.reshape(-1)


def nearest_label(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return each span's label: the one before it in its line or, if there is none, the one left of its line; -1 if
    there is neither."""
    return np.where(labels[:, 0] >= 0, labels[:, 0], labels[:, 1])
