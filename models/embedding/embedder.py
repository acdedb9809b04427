"""What embeds texts: the seam between those who compare texts and the engines that make vectors of them."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.concurrency import side_by_side
from models.embedding.passages import QUERY, Passage, Passages, Role
from models.fair_executor import Slices
from models.host import EngineHost

DIMENSIONS = 384
"""Numbers in a vector of every engine here."""

_AT_ONCE = 32
"""Passages of one request that are with the engine at a time: it has a batch of them while another is computed."""

LANGUAGES = frozenset({"en"})
"""ISO 639-1 codes of the languages whose sentences all-MiniLM-L6-v2 was trained to compare."""

Vector = NDArray[np.float32]
"""float32[384] of length 1: the cosine of two texts is the dot product of their vectors."""


class Embedder(Protocol):
    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """n × 384, rows of length 1 in the order of `texts`; what the engine does not read at once of a text is cut
        off. Raises ModelError."""


class PassageEmbedder(Embedder, Protocol):
    """Also for texts of any length."""

    def cuts_at_once(self) -> bool:
        """Whether `passages` need not wait for a tokenizer that is still to be read."""

    def passages(self, text: str, role: Role = QUERY) -> Slices[list[Passage]]:
        """All of `text`, in parts that are read at once. Blocks, in slices."""

    def frame(self, role: Role = QUERY) -> int:
        """Tokens of each passage that are no part of the text."""

    async def embed_passages(self, passages: Sequence[Passage]) -> NDArray[np.float32]:
        """The vectors of `passages`, as `embed` returns them."""


class HostedEmbedder:
    """An embedding engine behind its host. A long list waits for room in the queue instead of being refused. Implements
    `PassageEmbedder`."""

    def __init__(self, host: EngineHost[str | Passage, Vector], passages: Passages) -> None:
        self._host = host
        self.passages = passages.of
        self.frame = passages.frame
        self.cuts_at_once = passages.is_loaded

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return _rows(await self._host.run_many(texts, wait=True))

    async def embed_passages(self, passages: Sequence[Passage]) -> NDArray[np.float32]:
        if len(passages) <= _AT_ONCE:
            return _rows(await self._host.run_many(passages, wait=True))
        run = partial(self._host.run, wait=True)
        return _rows(await side_by_side(run, passages, at_most=_AT_ONCE))


def _rows(vectors: Sequence[Vector]) -> NDArray[np.float32]:
    if len(vectors) == 1:
        return vectors[0][np.newaxis]
    return np.stack(vectors) if vectors else np.empty((0, DIMENSIONS), np.float32)
