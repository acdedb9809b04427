"""Which task a request without telling words is nearest to, by examples of each."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.language.embedding import Embedder

NOTHING = "nothing"
"""The LLM answers by itself."""


@dataclass(frozen=True, slots=True)
class Prototypes:
    name: str
    examples: Mapping[str, tuple[str, ...]]
    """By task; one of them is NOTHING."""
    threshold: float
    """Least score of a task."""
    margin: float
    """Least lead over NOTHING."""


def _read(name: str) -> Prototypes:
    row = tomllib.loads(Path(__file__).with_name("prototypes.toml").read_text("utf-8"))[name]
    examples = {task: tuple(said) for task, said in row["examples"].items()}
    return Prototypes(name, examples, row["threshold"], row["margin"])


WITHOUT_MEDIA = _read("without_media")
WITH_PICTURE = _read("with_picture")


NEIGHBOURS = 3
"""Examples of a task whose mean cosine is the task's score."""
LONGEST = 500
"""Characters of a request that are compared: more is a text to work on, not a question."""


class Router:
    """Asks the embedder only where the answer can matter: where `can_run` some task that it may name."""

    def __init__(self, embedder: Embedder, can_run: Callable[[str], bool]) -> None:
        self._embedder = embedder
        self._can_run = can_run
        self._embedded: dict[str, Mapping[str, NDArray[np.float32]]] = {}
        """The examples of each task, by the name of their prototypes."""

    async def without_media(self, text: str) -> str | None:
        """The task for a bare question, None where an LLM needs none. Raises ModelError."""
        return await self._nearest(text, WITHOUT_MEDIA)

    async def with_picture(self, text: str) -> str | None:
        """The task beside reading, for a question about a picture. Raises ModelError."""
        return await self._nearest(text, WITH_PICTURE)

    async def _nearest(self, text: str, prototypes: Prototypes) -> str | None:
        worth_asking = any(self._can_run(task) for task in prototypes.examples if task != NOTHING)
        if len(text) > LONGEST or not worth_asking:
            return None
        if prototypes.name not in self._embedded:
            texts = [text for examples in prototypes.examples.values() for text in examples]
            rows = iter(await self._embedder.embed(texts))
            self._embedded[prototypes.name] = {
                task: np.stack([next(rows) for _ in examples]) for task, examples in prototypes.examples.items()
            }
        [vector] = await self._embedder.embed([text])
        cosines = {task: examples @ vector for task, examples in self._embedded[prototypes.name].items()}
        scores = {task: float(np.sort(each)[-NEIGHBOURS:].mean()) for task, each in cosines.items()}
        nothing = scores.pop(NOTHING)
        task = max(scores, key=scores.__getitem__)
        is_clear = scores[task] >= max(prototypes.threshold, nothing + prototypes.margin)
        return task if is_clear and self._can_run(task) else None
