"""The interface between callers that compare texts and engines that turn texts into vectors."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.concurrency import side_by_side
from models.embedding.passages import Passage, Passages
from models.hosts.host import EngineHost

DIMENSIONS = 384
"""Number of elements in every engine's vectors."""

_TEXTS_AT_ONCE = 32
"""At most this many texts of one request are sent to the engine at a time. The engine serves the calls of one key in
order of arrival. If all texts of a long list were sent together, a short list would wait for the end of the long
one."""

MAX_REMEMBERED = 4096
"""The vectors of at most this many texts are remembered, which takes up to 8 MB. Names of fields recur, and so do
labels on papers of one kind."""
LONGEST_REMEMBERED = 40
"""Texts with more characters than this are not remembered, because they hardly ever recur."""

LONGEST_TEXT = 16_000
"""At most this many characters at the beginning of a text are read. They have more tokens than the 512 that engines
use. An engine would tokenize a longer text in one step, at up to 1.5 s and 250 MB per million characters."""

Vector = NDArray[np.float32]
"""Vector of a text, float32[384] of length 1: the cosine similarity of two texts is the dot product of their
vectors."""


class Embedder(Protocol):
    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of n × 384 with a row of length 1 for each of `texts`, in order. The part of a text beyond
        the engine's limit is cut off. Raises ModelError."""


class PassageEmbedder:
    """An Embedder whose engine runs in an EngineHost, and which also embeds texts of any length, divided into passages.
    The items of a long list wait for room in the queue instead of being refused. The vectors of the most recent short
    texts are remembered."""

    def __init__(self, host: EngineHost[str | Passage, Vector], passages: Passages) -> None:
        self._host = host
        self._remembered: OrderedDict[str, Vector] = OrderedDict()
        self.passages = passages.of
        """Function that divides all of each text into passages short enough for the engine."""
        self.frame = passages.frame
        """Function that returns the number of tokens that each passage has in addition to its text."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        texts = [text[:LONGEST_TEXT] for text in texts]
        found = {text: self._remembered[text] for text in texts if text in self._remembered}
        # Texts of similar length fill a batch with the least padding.
        lacking = sorted({text for text in texts if text not in found}, key=lambda text: (len(text), text))
        for start in range(0, len(lacking), _TEXTS_AT_ONCE):
            part = lacking[start : start + _TEXTS_AT_ONCE]
            found.update(zip(part, await self._host.run_many(part, wait=True), strict=True))
        for text, vector in found.items():
            if len(text) <= LONGEST_REMEMBERED:
                # The vector is copied, because it is a row of a batch's array. Without a copy, the whole array would
                # stay in memory.
                self._remembered[text] = self._remembered[text] if text in self._remembered else vector.copy()
                self._remembered.move_to_end(text)
        while len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return _rows([found[text] for text in texts])

    async def embed_passages(self, passages: Sequence[Passage]) -> NDArray[np.float32]:
        """Return the vectors of `passages`, like `embed`."""
        run = partial(self._host.run, wait=True)
        return _rows(await side_by_side(run, passages, at_most=_TEXTS_AT_ONCE))


def _rows(vectors: Sequence[Vector]) -> NDArray[np.float32]:
    if len(vectors) == 1:
        return vectors[0][np.newaxis]
    return np.stack(vectors) if vectors else np.empty((0, DIMENSIONS), np.float32)
