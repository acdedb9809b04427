"""Sentence embeddings: what they are, and who offers them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.host import EngineHost

DIMENSIONS = 384
LANGUAGES = frozenset({"en"})
"""ISO 639-1 codes of the languages whose sentences the engine was trained to compare."""

Vector = NDArray[np.float32]
"""float32[384] of length 1: the cosine of two texts is the dot product of their vectors."""


class Embedder(Protocol):
    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """n × 384, rows of length 1 in the order of `texts`. Raises ModelError."""


class HostedEmbedder:
    """An embedding engine behind its host. A long list waits for room in the queue instead of being refused."""

    def __init__(self, host: EngineHost[str, Vector]) -> None:
        self._host = host

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = await self._host.run_many(texts, wait=True)
        return np.stack(vectors) if vectors else np.empty((0, DIMENSIONS), np.float32)
