"""Turns a network's hidden states into one vector per text."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.embedding.embedder import Vector
from models.embedding.passages import Passage

_MAX_LENGTH_RATIO = 1.5
"""The texts of a group are at most this many times as long as the group's shortest text."""

Encode = Callable[[NDArray[np.int64], NDArray[np.bool_]], NDArray[np.float32]]
"""Function that takes token ids and a mask, which is False for padding (texts × tokens), and returns the last hidden
states (texts × tokens × width)."""


def mean_pooled(passages: Sequence[Passage], encode: Encode) -> list[Vector]:
    """Return one vector per passage: the mean of its last hidden states, scaled to length 1.

    Passages of similar length are encoded together, each padded to the length of the longest of its group.
    """
    vectors = [np.empty(0, np.float32)] * len(passages)
    lengths = [len(passage) for passage in passages]
    for length, group in _grouped_by_similar_length(lengths):
        ids = np.zeros((len(group), length), np.int64)
        is_token = np.zeros((len(group), length), np.bool_)
        for row, index in enumerate(group):
            ids[row, : len(passages[index])] = passages[index]
            is_token[row, : len(passages[index])] = True
        # The sum can replace the mean, because the vectors are scaled to length 1 afterwards.
        sums = np.einsum("stw,st->sw", encode(ids, is_token), is_token.astype(np.float32))
        sums /= np.linalg.norm(sums, axis=1, keepdims=True)
        for index, vector in zip(group, sums, strict=True):
            vectors[index] = vector
    return vectors


def _grouped_by_similar_length(lengths: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Yield each group's largest length and its indices in `lengths`. Groups keep short texts from being padded to the
    length of a long one."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not groups or lengths[index] > lengths[groups[-1][0]] * _MAX_LENGTH_RATIO:
            groups.append([])
        groups[-1].append(index)
    for group in groups:
        yield lengths[group[-1]], group
