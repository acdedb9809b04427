"""Examples of what each task is asked, for the router, from prototypes.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
