"""Embedding engine: all-MiniLM-L6-v2, with vectors of 384 elements, on OpenVINO."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.embedding.embedder import DIMENSIONS, Vector
from models.embedding.minilm_weights import MASKED, embedding_weights, read_safetensors
from models.embedding.passages import Passage, Passages, read_tokenizer
from models.embedding.pooling import mean_pooled

if TYPE_CHECKING:
    from models.embedding.minilm_network import MiniLmNetwork

MAX_TOKENS = 256
"""A text has at most this many tokens, including [CLS] and [SEP]: `max_seq_length` of the published model. Further
tokens are cut off, unless the text was divided into passages."""


def passages(root: Path) -> Passages:
    """Return the Passages of the model. `root` is the weights directory."""
    return Passages(lambda: embedding_weights(root)[1], ("[CLS]", "[SEP]"), MAX_TOKENS)


class MiniLm:
    """Implementation of `models.base.Engine` from a text to its Vector: the normalised mean of the last hidden
    states."""

    def __init__(self, root: Path = Path("weights"), *, threads: int = 0) -> None:
        """Create the engine. `root` is the weights directory. With 0 `threads`, the runtime chooses their number."""
        self._root = root
        self._threads = threads
        self._tokenizer: Any = None
        self._network: MiniLmNetwork | None = None
        self._word_embeddings = self._position_embeddings = np.empty((0, DIMENSIONS), np.float32)

    def load(self) -> None:
        from models.embedding.minilm_network import MiniLmNetwork

        network, tokenizer = embedding_weights(self._root)
        self._tokenizer = read_tokenizer(tokenizer)
        self._tokenizer.enable_truncation(MAX_TOKENS)
        weights = read_safetensors(network)
        self._word_embeddings = weights["embeddings.word_embeddings.weight"]
        segment = weights["embeddings.token_type_embeddings.weight"][0]
        self._position_embeddings = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS] + segment
        self._network = MiniLmNetwork(weights, threads=self._threads)

    def run(self, batch: Sequence[str | Passage]) -> Sequence[Vector | Exception]:
        read = iter(self._tokenizer.encode_batch_fast([item for item in batch if isinstance(item, str)]))
        passages = [next(read).ids if isinstance(item, str) else item for item in batch]
        return mean_pooled(passages, self._encode)

    def close(self) -> None:
        self._tokenizer = self._network = None
        self._word_embeddings = self._position_embeddings = np.empty((0, DIMENSIONS), np.float32)

    def _encode(self, ids: NDArray[np.int64], is_token: NDArray[np.bool_]) -> NDArray[np.float32]:
        assert self._network is not None
        mask = np.where(is_token, np.float32(0), np.float32(MASKED))
        return self._network.encode(self._word_embeddings[ids] + self._position_embeddings[: ids.shape[1]], mask)
