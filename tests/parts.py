"""Work that comes in parts, done to its end."""

from collections.abc import Sequence
from typing import Any, TypeVar

from models.base import Engine, Unfinished

T = TypeVar("T")


def finished(engine: Engine[Any, T], items: Sequence[Any]) -> list[T | Exception]:
    """The engine's results, as a host would have them in the end."""
    results: list[T | Exception] = []
    for result in engine.run(items):
        while isinstance(result, Unfinished):
            [result] = engine.run([result.rest])
        results.append(result)
    return results
