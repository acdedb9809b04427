"""Turns a network's hidden states into one vector per text."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.embedding.embedder import Vector
from models.embedding.passages import Passage

_PADDING = 1.5
"""Largest length of a sentence in a group, as a multiple of the group's shortest sentence."""

Encode = Callable[[NDArray[np.int64], NDArray[np.bool_]], NDArray[np.float32]]
"""Function from tokens, and a mask that is False for padding, to the last hidden states (sentences × tokens ×
width)."""


def mean_pooled(sentences: Sequence[Passage], encode: Encode) -> list[Vector]:
    """Return the mean of each sentence's last hidden states, scaled to length 1. Sentences of similar length are
    encoded together."""
    vectors = [np.empty(0, np.float32)] * len(sentences)
    for group in _of_similar_length([len(sentence) for sentence in sentences]):
        longest = max(len(sentences[index]) for index in group)
        ids = np.zeros((len(group), longest), np.int64)
        is_token = np.zeros((len(group), longest), np.bool_)
        for row, index in enumerate(group):
            ids[row, : len(sentences[index])] = sentences[index]
            is_token[row, : len(sentences[index])] = True
        # The sum can replace the mean, because the vectors are scaled to length 1 afterwards.
        sums = np.einsum("stw,st->sw", encode(ids, is_token), is_token.astype(np.float32))
        sums /= np.linalg.norm(sums, axis=1, keepdims=True)
        for index, vector in zip(group, sums, strict=True):
            vectors[index] = vector
    return vectors


def _of_similar_length(lengths: Sequence[int]) -> list[list[int]]:
    """Return the indices of `lengths` in groups, so that short sentences are not padded to the length of a long one."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not groups or lengths[index] > lengths[groups[-1][0]] * _PADDING:
            groups.append([])
        groups[-1].append(index)
    return groups
