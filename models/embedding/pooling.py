"""Makes one vector of each text from a network's hidden states."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.embedding.embedder import Vector
from models.embedding.passages import Passage

_PADDING = 1.5
"""How many times as long as the shortest a sentence may be that is computed together with it."""

Encode = Callable[[NDArray[np.int64], NDArray[np.bool_]], NDArray[np.float32]]
"""The last hidden states (sentences × tokens × width) of tokens, and of which of them are no padding."""


def mean_pooled(sentences: Sequence[Passage], encode: Encode) -> list[Vector]:
    """The mean of each sentence's last hidden states, at length 1. Sentences of similar length are encoded together."""
    vectors = [np.empty(0, np.float32)] * len(sentences)
    for group in _of_similar_length([len(sentence) for sentence in sentences]):
        longest = max(len(sentences[index]) for index in group)
        ids = np.zeros((len(group), longest), np.int64)
        is_token = np.zeros((len(group), longest), np.bool_)
        for row, index in enumerate(group):
            ids[row, : len(sentences[index])] = sentences[index]
            is_token[row, : len(sentences[index])] = True
        # The sum has the direction of the mean, and the length becomes 1 anyway.
        sums = np.einsum("stw,st->sw", encode(ids, is_token), is_token.astype(np.float32))
        sums /= np.linalg.norm(sums, axis=1, keepdims=True)
        for index, vector in zip(group, sums, strict=True):
            vectors[index] = vector
    return vectors


def _of_similar_length(lengths: Sequence[int]) -> list[list[int]]:
    """The indices of `lengths` in groups, so that short sentences are not padded to a long one's length."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not groups or lengths[index] > lengths[groups[-1][0]] * _PADDING:
            groups.append([])
        groups[-1].append(index)
    return groups
