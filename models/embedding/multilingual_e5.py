"""Embedding engine: multilingual-e5-small, with vectors of 384 elements for texts in about a hundred languages, on
onnxruntime.

The network was trained on pairs of a question and a passage that answers it, each with a prefix. Vectors of texts
without a prefix are worse. The prefix "query: " is also for texts that are compared with each other
(https://arxiv.org/abs/2402.05672).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineSpec
from models.devices.device import CPU
from models.devices.onnx_sessions import onnx_session
from models.embedding.embedder import Vector
from models.embedding.passages import QUERY, Passage, Passages, Role, read_tokenizer
from models.embedding.pooling import mean_pooled
from models.hosts.workplace import CardMemory
from models.weights.files import WEIGHT_SETS

WEIGHTS = WEIGHT_SETS["multilingual-e5-small"]
SPEC = EngineSpec(WEIGHTS.name, "embedding", WEIGHTS.licence, f"`openfaze pull {WEIGHTS.name}`")
CARD = CardMemory(base=550, item=40, items=32)

MAX_TOKENS = 512
"""A text has at most this many tokens, including the marks and the prefix."""
PREFIXES: Mapping[Role, str] = {"query": "query:", "passage": "passage:"}
"""Prefixes of texts by role. A space follows each prefix."""
_NETWORK, _TOKENIZER = (file.path for file in WEIGHTS.files)


def passages(root: Path) -> Passages:
    """Return the Passages of the model below `root`, the weights directory."""
    return Passages(lambda: root / _TOKENIZER, ("<s>", "</s>"), MAX_TOKENS, PREFIXES)


class MultilingualE5:
    """Implementation of `models.base.Engine` from a text to its Vector: the normalised mean of the last hidden
    states."""

    def __init__(self, root: Path, *, device: str = CPU, threads: int = 0) -> None:
        """`root` is the weights directory."""
        self._root = root
        self._device = device
        self._threads = threads
        self._tokenizer: Any = None
        self._session: Any = None
        self._input_names: frozenset[str] = frozenset()

    def load(self) -> None:
        self._tokenizer = read_tokenizer(self._root / _TOKENIZER)
        self._tokenizer.enable_truncation(MAX_TOKENS)
        network = self._root / _NETWORK
        self._session = onnx_session(
            network, SPEC.capability, device=self._device, threads=self._threads, card_mb=CARD.most
        )
        self._input_names = frozenset(taken.name for taken in self._session.get_inputs())

    def run(self, batch: Sequence[str | Passage]) -> Sequence[Vector | Exception]:
        """Return a vector for each item of `batch`. An item that is a text, and not a Passage, has the role of a
        query."""
        texts = [f"{PREFIXES[QUERY]} {item}" for item in batch if isinstance(item, str)]
        read = iter(self._tokenizer.encode_batch_fast(texts))
        return mean_pooled([next(read).ids if isinstance(item, str) else item for item in batch], self._encode)

    def close(self) -> None:
        self._tokenizer = self._session = None

    def _encode(self, ids: NDArray[np.int64], is_token: NDArray[np.bool_]) -> NDArray[np.float32]:
        given = {"input_ids": ids, "attention_mask": is_token.astype(np.int64), "token_type_ids": np.zeros_like(ids)}
        taken = {name: value for name, value in given.items() if name in self._input_names}
        states: NDArray[np.float32] = self._session.run(["last_hidden_state"], taken)[0]
        return states
