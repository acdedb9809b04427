"""Embedding engine: all-MiniLM-L6-v2, with vectors of 384 elements, on OpenVINO."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.embedding.embedder import DIMENSIONS, Vector
from models.embedding.minilm_weights import MASKED, REMEDY, SPEC, embedding_weights, int8_remedy, read_safetensors
from models.embedding.passages import Passage, Passages, read_tokenizer
from models.embedding.pooling import mean_pooled

if TYPE_CHECKING:
    from models.embedding.minilm_network import MiniLmNetwork

MAX_TOKENS = 256
"""A text has at most this many tokens, including [CLS] and [SEP]: `max_seq_length` of the published model. Further
tokens are cut off, unless the text was divided into passages."""

INT8_LENGTHS = (4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, MAX_TOKENS)
"""Numbers of tokens to which texts are padded for the network in int8. A text is always padded to the same length,
because another length may change the last digit of float32 sums, and thus round a state to another int8. The vectors of
one text would differ by up to 0.004 from batch to batch."""


def passages(folder: Path | None = None) -> Passages:
    """Return the Passages of the model in `folder`, by default the one that embedding_weights() returns."""
    return Passages(lambda: (folder or _folder()) / "tokenizer.json", ("[CLS]", "[SEP]"), MAX_TOKENS)


def _folder() -> Path:
    """Return the folder of the weights. Raises EngineUnavailable if there is none."""
    folder = embedding_weights()
    if folder is None:
        raise EngineUnavailable(SPEC.capability, REMEDY)
    return folder


class MiniLm:
    """Implementation of `models.base.Engine` from a text to its Vector: the normalised mean of the last hidden
    states."""

    def __init__(self, folder: Path | None = None, *, threads: int = 0, is_int8: bool = False) -> None:
        """Create the engine. `folder` is the folder of the weights, by default the folder that embedding_weights()
        returns. With 0 `threads`, the runtime chooses their number. If `is_int8`, the network multiplies int8 where
        int8_remedy() returns None: its vectors have a cosine of 0.99 or more to the float32 vectors, and a text has the
        same vector in every batch, byte for byte."""
        self._folder = folder
        self._threads = threads
        self._is_int8 = is_int8
        self._tokenizer: Any = None
        self._network: MiniLmNetwork | None = None
        self._word_embeddings = self._position_embeddings = np.empty((0, DIMENSIONS), np.float32)

    def load(self) -> None:
        from models.embedding.minilm_network import MiniLmNetwork

        folder = self._folder or _folder()
        self._tokenizer = read_tokenizer(folder / "tokenizer.json")
        self._tokenizer.enable_truncation(MAX_TOKENS)
        weights = read_safetensors(folder / "model.safetensors")
        self._word_embeddings = weights["embeddings.word_embeddings.weight"]
        segment = weights["embeddings.token_type_embeddings.weight"][0]
        self._position_embeddings = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS] + segment
        # Replicas of an engine may run on processors of several kinds.
        is_int8 = self._is_int8 and int8_remedy() is None
        self._network = MiniLmNetwork(weights, threads=self._threads, is_int8=is_int8)

    def run(self, batch: Sequence[str | Passage]) -> Sequence[Vector | Exception]:
        read = iter(self._tokenizer.encode_batch_fast([item for item in batch if isinstance(item, str)]))
        passages = [next(read).ids if isinstance(item, str) else item for item in batch]
        return mean_pooled(passages, self._encode, INT8_LENGTHS if self._is_int8 else ())

    def close(self) -> None:
        self._tokenizer = self._network = None
        self._word_embeddings = self._position_embeddings = np.empty((0, DIMENSIONS), np.float32)

    def _encode(self, ids: NDArray[np.int64], is_token: NDArray[np.bool_]) -> NDArray[np.float32]:
        assert self._network is not None
        mask = np.where(is_token, np.float32(0), np.float32(MASKED))
        return self._network.encode(self._word_embeddings[ids] + self._position_embeddings[: ids.shape[1]], mask)
