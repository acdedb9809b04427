"""Guesses which task a request needs, by its similarity to examples, if no rule has determined one."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.chat.inputs import Turn
from models.embedding.embedder import Embedder

NOTHING = "nothing"
"""Key of the example requests that an LLM can answer without any task."""
_TABLE = tomllib.loads((Path(__file__).parent / "planning" / "prototypes.toml").read_text("utf-8"))
NEIGHBOURS = 3
"""The score of a task is the mean cosine between the request and this many of the task's examples, the nearest ones."""
LONGEST = 500
"""Only requests with at most this many characters are compared with examples. For a longer text, `nearest` returns
None, because such a text is material to work on rather than a question."""


@dataclass(frozen=True, slots=True)
class Prototypes:
    name: str
    examples: Mapping[str, Sequence[str]]
    """Texts of example requests, by task. One of the tasks is NOTHING."""
    threshold: float
    """A task is chosen only if its score is at least this."""
    margin: float
    """The score of a chosen task must exceed the score of NOTHING by at least this."""


WITHOUT_MEDIA = Prototypes("without_media", **_TABLE["without_media"])
"""Examples for a question without media."""
WITH_PICTURE = Prototypes("with_picture", **_TABLE["with_picture"])
"""Examples for a question about a picture. Their tasks run in addition to reading the picture."""


class Router:
    """Finds the task nearest to a request. The embedder is called only if `can_run` is true for at least one task
    in the examples."""

    def __init__(self, embedder: Embedder, can_run: Callable[[str], bool]) -> None:
        self._embedder = embedder
        self._can_run = can_run
        self._embedded: dict[str, Mapping[str, NDArray[np.float32]]] = {}
        """Embeddings of each task's examples, by the name of the set of prototypes."""

    async def nearest(self, turn: Turn, prototypes: Prototypes) -> str | None:
        """Return the task nearest to the text of `turn`, or None if no task is clearly nearest. Raises ModelError."""
        worth_asking = any(self._can_run(task) for task in prototypes.examples if task != NOTHING)
        if len(turn.text) > LONGEST or not worth_asking:
            return None
        if prototypes.name not in self._embedded:
            texts = [text for examples in prototypes.examples.values() for text in examples]
            rows = iter(await self._embedder.embed(texts))
            self._embedded[prototypes.name] = {
                task: np.stack([next(rows) for _ in examples]) for task, examples in prototypes.examples.items()
            }
        [vector] = await self._embedder.embed([turn.text])
        cosines = {task: examples @ vector for task, examples in self._embedded[prototypes.name].items()}
        scores = {task: float(np.sort(each)[-NEIGHBOURS:].mean()) for task, each in cosines.items()}
        nothing = scores.pop(NOTHING)
        task = max(scores, key=scores.__getitem__)
        is_clear = scores[task] >= max(prototypes.threshold, nothing + prototypes.margin)
        return task if is_clear and self._can_run(task) else None
