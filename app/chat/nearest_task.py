"""Guesses the task that a request needs where no rule speaks of one: by its likeness to examples."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.chat.inputs import Turn
from models.embedding.embedder import Embedder

NOTHING = "nothing"
"""The router's answer where the LLM needs no task."""
_TABLE = tomllib.loads((Path(__file__).parent / "planning" / "prototypes.toml").read_text("utf-8"))
NEIGHBOURS = 3
"""Examples of a task whose mean cosine is the task's score."""
LONGEST = 500
"""Characters of a request that are compared: more is a text to work on, not a question."""


@dataclass(frozen=True, slots=True)
class Prototypes:
    name: str
    examples: Mapping[str, Sequence[str]]
    """Texts of requests, by task; one of the tasks is NOTHING."""
    threshold: float
    """Least score of a task."""
    margin: float
    """Least lead over NOTHING."""


WITHOUT_MEDIA = Prototypes("without_media", **_TABLE["without_media"])
"""The examples for a question without media."""
WITH_PICTURE = Prototypes("with_picture", **_TABLE["with_picture"])
"""The examples for a question about a picture: the task beside reading it."""


class Router:
    """Asks the embedder only where the answer can matter: where `can_run` some task that it may name."""

    def __init__(self, embedder: Embedder, can_run: Callable[[str], bool]) -> None:
        self._embedder = embedder
        self._can_run = can_run
        self._embedded: dict[str, Mapping[str, NDArray[np.float32]]] = {}
        """The examples of each task, by the name of their prototypes."""

    async def nearest(self, turn: Turn, prototypes: Prototypes) -> str | None:
        """The task that its text is nearest to, None where an LLM needs none. Raises ModelError."""
        worth_asking = any(self._can_run(task) for task in prototypes.examples if task != NOTHING)
        if len(turn.text) > LONGEST or not worth_asking:
            return None
        if prototypes.name not in self._embedded:
            texts = [text for examples in prototypes.examples.values() for text in examples]
            rows = iter(await self._embedder.embed(texts))
            self._embedded[prototypes.name] = {
                task: np.stack([next(rows) for _ in examples]) for task, examples in prototypes.examples.items()
            }
        vector = await turn.vector(self._embedder)
        cosines = {task: examples @ vector for task, examples in self._embedded[prototypes.name].items()}
        scores = {task: float(np.sort(each)[-NEIGHBOURS:].mean()) for task, each in cosines.items()}
        nothing = scores.pop(NOTHING)
        task = max(scores, key=scores.__getitem__)
        is_clear = scores[task] >= max(prototypes.threshold, nothing + prototypes.margin)
        return task if is_clear and self._can_run(task) else None
