"""Engine that reads a part of a page together with the names of wanted fields: for each field and each token of the
page, the log-odds that the field's value begins or ends there.

The network is all-MiniLM-L6-v2, whose layers were trained further (`training/extraction/train_encoder.py`), with
embeddings of the places of tokens as in LayoutLM (Xu et al., "LayoutLM: pre-training of text and layout for document
image understanding", 2020). As in GLiNER (Zaratiana et al., "GLiNER: generalist model for named entity recognition
using bidirectional transformer", 2024), the fields are before the text, so that both are read together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineSpec
from models.embedding.minilm_weights import (
    LAYERS,
    WIDTH,
    Tensors,
    embedding_weights,
    multiplies_int8,
    read_safetensors,
)
from models.embedding.passages import read_tokenizer
from models.extraction.encoder_weights import FILE, read_weights
from models.extraction.page_tokens import Box, EncoderInput, PageTokens, Prompt, encoder_input, page_tokens
from models.hosts.host import EngineHost

if TYPE_CHECKING:
    from models.embedding.minilm_network import MiniLmNetwork

SPEC = EngineSpec("page-encoder", "extraction", "Apache-2.0", "inside openfaze")

WINDOW = 704
"""Number of tokens of a page that are read at once."""
OVERLAP = 128
"""Number of tokens that two consecutive parts of a page share, so that each value is read as a whole in one of them."""
FIELDS_AT_ONCE = 24
"""Number of fields that are read at once. Training had at most 22."""
SCORES = 3
"""Number of scores of a token for a field: a value begins with it, ends with it, contains it."""
_EPSILON = np.float32(1e-5)
_LAYER_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "out": "attention.output.dense",
    "after_attention": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "after": "output.LayerNorm",
}
"""Names of the parts of a layer in the checkpoint of all-MiniLM-L6-v2, by their names in the training."""

Scores = NDArray[np.float32]
"""Array of fields × SCORES × tokens: log-odds to no value for the first two scores, and a logit for the third."""


@dataclass(frozen=True)
class ReadPage:
    """The tokens of a page that were read, and their scores."""

    tokens: PageTokens
    scores: Scores
    runs: int
    """Number of times that the network ran."""


class PageEncoder:
    """Implementation of `models.base.Engine` from an EncoderInput to Scores. Each layer is a part of the work: all of
    them take up to a tenth of a second of all processors, for which small work of other keys need not wait."""

    def __init__(self, root: Path = Path("weights"), *, threads: int = 0, file: Path = FILE) -> None:
        """Create the engine. `root` is the weights directory. With 0 `threads`, the runtime chooses their number."""
        self._root, self._file, self._threads = root, file, threads
        self._network: MiniLmNetwork | None = None
        self._weights: Tensors = {}
        self._word_embeddings = np.empty((0, WIDTH), np.float32)

    def load(self) -> None:
        from models.embedding.minilm_network import MiniLmNetwork

        tensors = read_safetensors(embedding_weights(self._root)[0])
        self._word_embeddings = tensors["embeddings.word_embeddings.weight"]
        self._weights = read_weights(self._file)
        network = _checkpoint(self._weights)
        self._network = MiniLmNetwork(network, threads=self._threads, is_int8=multiplies_int8())

    def run(self, batch: Sequence[EncoderInput]) -> Sequence[Scores | Exception]:
        return [self._scores(one) for one in batch]

    def close(self) -> None:
        self._network = None

    def _scores(self, given: EncoderInput) -> Scores:
        assert self._network is not None
        own, page = self._weights, slice(given.page_start, None)
        states = self._word_embeddings[given.ids] + own["positions"][given.positions]
        states += own["segments"][given.segments] + own["kinds"][given.kinds]
        for name in ("rows", "lefts", "rights", "sizes"):
            states[page] += own[name][getattr(given, name)[page]]
        mask = np.zeros((1, len(states)), np.float32)
        encoded = _normed(self._network.encode(states[np.newaxis], mask)[0])
        owned = (given.owners == np.arange(1, len(given.listed) + 1)[:, np.newaxis]).astype(np.float32)
        prompts = owned @ encoded / owned.sum(axis=1, keepdims=True)
        fields = (prompts @ own["of_field.weight"].T + own["of_field.bias"]).reshape(-1, SCORES, WIDTH)
        tokens = (encoded[page] @ own["of_token.weight"].T + own["of_token.bias"]).reshape(-1, SCORES, WIDTH)
        found = fields.transpose(1, 0, 2) @ tokens.transpose(1, 2, 0) / np.float32(WIDTH**0.5)
        found += own["bias"][:, np.newaxis, np.newaxis]
        none = prompts @ own["none.weight"].T + own["none.bias"]
        found[:2] -= none.T[..., np.newaxis]
        found[:2, given.listed] += own["list_bias"][:, np.newaxis, np.newaxis]
        return np.ascontiguousarray(found.transpose(1, 0, 2))


class FieldReader:
    """Reads the words of a page for fields, by a PageEncoder in an EngineHost. The parts of a page are read one after
    the other, so that the pages of other keys have their turns in between."""

    def __init__(self, host: EngineHost[EncoderInput, Scores], root: Path = Path("weights")) -> None:
        """`root` is the weights directory."""
        self._host, self._root = host, root

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = read_tokenizer(embedding_weights(self._root)[1])
        tokenizer.no_truncation()
        return tokenizer

    def tokens_of(self, words: Sequence[str], boxes: Sequence[Box]) -> PageTokens:
        """Return the tokens of a page. Raises EngineUnavailable."""
        return page_tokens(self._tokenizer, words, boxes)

    async def read(self, tokens: PageTokens, prompts: Sequence[Prompt], most_runs: int) -> ReadPage:
        """Return the scores of `tokens`, or of the first of them if the network would run more than `most_runs` times.
        It runs at least once for each FIELDS_AT_ONCE fields. Raises ModelError."""
        groups = [slice(at, at + FIELDS_AT_ONCE) for at in range(0, len(prompts), FIELDS_AT_ONCE)]
        windows = list(_windows(len(tokens.ids)))[: max(1, most_runs // max(1, len(groups)))]
        tokens = tokens.part(0, windows[-1][1] if windows else 0)
        scores = np.full((len(prompts), SCORES, len(tokens.ids)), -np.inf, np.float32)
        for (first, last), group in product(windows, groups):
            given = encoder_input(self._tokenizer, prompts[group], tokens.part(first, last))
            part = scores[group, :, first:last]
            np.maximum(part, await self._host.run(given, wait=True), out=part)
        return ReadPage(tokens, scores, len(windows) * len(groups))


def _windows(count: int) -> Iterator[tuple[int, int]]:
    """Yield the first token of each part of a page, and the token after its last one."""
    for first in range(0, max(1, count - OVERLAP) if count else 0, WINDOW - OVERLAP):
        yield first, min(count, first + WINDOW)


def _normed(states: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = states - states.mean(axis=1, keepdims=True)
    normed: NDArray[np.float32] = centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + _EPSILON)
    return normed


def _checkpoint(weights: Tensors) -> Tensors:
    """Return the weights of the layers under the names of the checkpoint of all-MiniLM-L6-v2."""
    found = {f"embeddings.LayerNorm.{part}": weights[f"norm.{part}"] for part in ("weight", "bias")}
    for layer, (own, name), part in product(range(LAYERS), _LAYER_NAMES.items(), ("weight", "bias")):
        found[f"encoder.layer.{layer}.{name}.{part}"] = weights[f"layers.{layer}.{own}.{part}"]
    return found
