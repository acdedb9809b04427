"""The loss of the network over spans on a sample of the documents that it was fitted to.

`train.py` writes it beside the weights, with the digests of the documents. Whoever computes it again gets the same,
unless the weights were changed by hand, or a feature has another meaning than when the network was fitted.
"""

import random
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from models.embedding.minilm import MiniLm
from models.extraction.network import ExtractionNetwork, FieldInputs, SpanInputs
from training.extraction.examples import TrainingExample, written_example
from training.extraction.written import Variations, WrittenDocument, written_documents

ONE_IN = 50
"""One in so many of the documents is in the sample."""


def sampled() -> list[WrittenDocument]:
    """Return the documents of the sample."""
    return [one for one in written_documents() if one.is_trained_with and one.digest % ONE_IN == 0]


def examples_of(digests: Collection[int], minilm: MiniLm) -> list[TrainingExample]:
    """Return a variation of each document with one of these digests. Only these lend their values, so that further
    documents change nothing."""
    documents = [one for one in written_documents() if one.digest in digests]
    variations = Variations(documents)
    found = []
    for document in documents:
        rng = random.Random(document.digest)
        page = variations.page(document, rng)
        if page.fields:
            found.append(written_example(page, rng, minilm))
    return found


def loss(network: ExtractionNetwork, examples: Sequence[TrainingExample]) -> float:
    """Return the mean loss of a field: the negative logarithm of the probability that the spans with its value have
    together or, if it has none, of no span. Fields in lists are not in the mean."""
    losses: list[float] = []
    for one in examples:
        spans = SpanInputs(one.still, one.labels, one.texts, one.vectors)
        scores = network.scores(spans, FieldInputs(one.kinds, one.fields, one.matches))
        asked = ~one.listed & one.answers.any(axis=1)
        right = np.where(one.answers, scores, -np.inf)
        losses += (_log_sum(scores[asked]) - _log_sum(right[asked])).tolist()
    return float(np.mean(losses))


def _log_sum(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    highest = scores.max(axis=1)
    found: NDArray[np.float32] = highest + np.log(np.exp(scores - highest[:, np.newaxis]).sum(axis=1))
    return found
