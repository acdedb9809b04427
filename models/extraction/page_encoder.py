"""Engine that reads a page together with the names of the wanted fields: for each field and each token of the page, how
likely the field's value begins or ends there.

The network has the six layers of all-MiniLM-L6-v2, trained further by `training/extraction/train_encoder.py`. Its word
embeddings are those of all-MiniLM-L6-v2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable, Parts
from models.embedding.minilm import build_network
from models.embedding.minilm_network import LAYERS, WIDTH, MiniLmNetwork
from models.embedding.minilm_weights import REMEDY, Tensors, embedding_weights, read_safetensors
from models.embedding.passages import read_tokenizer
from models.extraction.encoder_weights import read_weights
from models.extraction.page_tokens import Box, EncoderInput, PageTokens, Prompt, encoder_input, page_tokens

FILE = Path(__file__).with_name("page_encoder.npz")
WINDOW, OVERLAP = 704, 128
"""Tokens of the page that are read at once, and tokens that two consecutive parts share."""
FIELDS_AT_ONCE = 24
MAX_RUNS = 12
"""At most this many parts of a page are read for all groups of fields together; further tokens are left out."""
PARTS = 3
"""Number of scores of a token: a value begins with it, ends with it, contains it."""
_LAYER_NAMES = (
    ("query", "attention.self.query"),
    ("key", "attention.self.key"),
    ("value", "attention.self.value"),
    ("out", "attention.output.dense"),
    ("after_attention", "attention.output.LayerNorm"),
    ("up", "intermediate.dense"),
    ("down", "output.dense"),
    ("after", "output.LayerNorm"),
)
"""Names of the parts of a layer in the training and in the checkpoint of all-MiniLM-L6-v2."""

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class PageToRead:
    words: Sequence[str]
    boxes: Sequence[Box]
    prompts: Sequence[Prompt]


@dataclass(frozen=True)
class ReadPage:
    tokens: PageTokens
    """The tokens that were read."""
    scores: Scores
    """Array of F fields × PARTS × tokens: log-odds to no value."""


class PageEncoder:
    """Implementation of `models.base.Engine` from a PageToRead to a ReadPage."""

    def __init__(self, file: Path = FILE, *, threads: int = 0, is_int8: bool = False) -> None:
        self._file, self._threads, self._is_int8 = file, threads, is_int8
        self._network: MiniLmNetwork | None = None
        self._tokenizer: Any = None
        self._own: Tensors = {}
        self._words = np.empty((0, WIDTH), np.float32)

    def load(self) -> None:
        folder = embedding_weights()
        if folder is None:
            raise EngineUnavailable("extraction", REMEDY)
        self._tokenizer = read_tokenizer(folder / "tokenizer.json")
        self._words = read_safetensors(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
        self._own = read_weights(self._file)
        self._network = build_network(_checkpoint(self._own), threads=self._threads, is_int8=self._is_int8)

    def run(self, batch: Sequence[PageToRead]) -> Sequence[ReadPage | Exception]:
        return [_finished(self.read(one)) for one in batch]

    def close(self) -> None:
        self._network = self._tokenizer = None

    def read(self, page: PageToRead) -> Parts[ReadPage]:
        tokens = page_tokens(self._tokenizer, page.words, page.boxes)
        groups = [page.prompts[at : at + FIELDS_AT_ONCE] for at in range(0, len(page.prompts), FIELDS_AT_ONCE)]
        windows = list(_windows(len(tokens.ids)))[: max(1, MAX_RUNS // max(1, len(groups)))]
        tokens = tokens.part(0, windows[-1][1]) if windows else tokens
        scores = np.full((len(page.prompts), PARTS, len(tokens.ids)), -np.inf, np.float32)
        for first, last in windows:
            part = tokens.part(first, last)
            for number, prompts in enumerate(groups):
                yield
                rows = slice(number * FIELDS_AT_ONCE, number * FIELDS_AT_ONCE + len(prompts))
                found = self._scores(encoder_input(self._tokenizer, prompts, part), prompts)
                scores[rows, :, first:last] = np.maximum(scores[rows, :, first:last], found)
        return ReadPage(tokens, scores)

    def _scores(self, given: EncoderInput, prompts: Sequence[Prompt]) -> Scores:
        assert self._network is not None
        own, page = self._own, slice(given.page_start, None)
        states = self._words[given.ids] + own["positions"][given.positions] + own["segments"][given.segments]
        states += own["kinds"][given.kinds]
        for name in ("rows", "lefts", "rights", "sizes"):
            states[page] += own[name][getattr(given, name)[page]]
        encoded = self._network.encode(states[np.newaxis], np.zeros((1, len(states)), np.float32))[0]
        encoded = encoded - encoded.mean(axis=1, keepdims=True)
        encoded /= np.sqrt(np.square(encoded).mean(axis=1, keepdims=True) + np.float32(1e-5))
        owned = (given.owners == np.arange(1, given.fields + 1)[:, np.newaxis]).astype(np.float32)
        markers = owned @ encoded / owned.sum(axis=1, keepdims=True)
        fields = (markers @ own["of_field.weight"].T + own["of_field.bias"]).reshape(-1, PARTS, WIDTH)
        tokens = (encoded[page] @ own["of_token.weight"].T + own["of_token.bias"]).reshape(-1, PARTS, WIDTH)
        found = np.einsum("fpw,tpw->fpt", fields, tokens, optimize=True) / np.float32(WIDTH**0.5)
        found += own["bias"][:, np.newaxis]
        none = markers @ own["none.weight"].T + own["none.bias"]
        found[:, :2] -= none[..., np.newaxis]
        found[[one.in_list for one in prompts], :2] += own["list_bias"][:, np.newaxis]
        return found.astype(np.float32)


def _windows(count: int) -> Iterator[tuple[int, int]]:
    first = 0
    while first < count:
        yield first, min(count, first + WINDOW)
        if first + WINDOW >= count:
            return
        first += WINDOW - OVERLAP


def _finished(work: Parts[ReadPage]) -> ReadPage:
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: ReadPage = end.value
            return found


def _checkpoint(own: Tensors) -> Tensors:
    found = {f"embeddings.LayerNorm.{part}": own[f"norm.{part}"] for part in ("weight", "bias")}
    for layer in range(LAYERS):
        for name, other in _LAYER_NAMES:
            for part in ("weight", "bias"):
                found[f"encoder.layer.{layer}.{other}.{part}"] = own[f"layers.{layer}.{name}.{part}"]
    return found
