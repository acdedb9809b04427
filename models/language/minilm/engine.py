"""The engine that embeds texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.language.embedding import DIMENSIONS, Vector
from models.language.minilm.network import MASKED, Network
from models.language.minilm.runtimes import build_network
from models.language.minilm.weights import REMEDY, SPEC, embedding_weights, read_safetensors

MAX_TOKENS = 256
"""What the model was published with (`max_seq_length`), [CLS] and [SEP] included; the rest of a text is cut off."""

_PADDING = 1.5
"""How many times as long as the shortest a sentence may be that is computed together with it."""


class MiniLm:
    """From a text to its Vector: mean pooling over the last hidden states, normalised. Implements
    `models.base.Engine`."""

    def __init__(self, folder: Path | None = None, *, threads: int = 0) -> None:
        """`folder` as embedding_weights() finds it; `threads` 0: as many as the runtime sees fit."""
        self._folder = folder
        self._threads = threads
        self._tokenizer: Any = None
        self._network: Network | None = None
        self._words = self._places = np.empty((0, DIMENSIONS), np.float32)

    def load(self) -> None:
        from tokenizers import Tokenizer

        folder = self._folder or embedding_weights()
        if folder is None:
            raise EngineUnavailable(SPEC.capability, REMEDY)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        weights = read_safetensors(folder / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"]
        segment = weights["embeddings.token_type_embeddings.weight"][0]
        self._places = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS] + segment
        self._network = build_network(weights, threads=self._threads)

    def run(self, batch: Sequence[str]) -> Sequence[Vector | Exception]:
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(batch))]
        vectors: list[Vector | Exception] = [np.empty(0, np.float32)] * len(batch)
        for group in _of_similar_length([len(ids) for ids in tokens]):
            for index, vector in zip(group, self._embed([tokens[index] for index in group]), strict=True):
                vectors[index] = vector
        return vectors

    def close(self) -> None:
        self._tokenizer = self._network = None
        self._words = self._places = np.empty((0, DIMENSIONS), np.float32)

    def _embed(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        assert self._network is not None
        longest = max(map(len, tokens))
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.full((len(tokens), longest), MASKED, np.float32)
        for row, sentence in enumerate(tokens):
            ids[row, : len(sentence)] = sentence
            mask[row, : len(sentence)] = 0
        states = self._network.encode(self._words[ids] + self._places[:longest], mask)
        # The sum has the direction of the mean, and the length becomes 1 anyway.
        sums = np.einsum("stw,st->sw", states, (mask == 0).astype(np.float32))
        vectors: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return vectors


def _of_similar_length(lengths: Sequence[int]) -> list[list[int]]:
    """The indices of `lengths` in groups, so that short sentences are not padded to a long one's length."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not groups or lengths[index] > lengths[groups[-1][0]] * _PADDING:
            groups.append([])
        groups[-1].append(index)
    return groups
