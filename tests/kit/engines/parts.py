"""Work of an engine that comes in parts, run to its end."""

from collections.abc import Sequence
from typing import Any, TypeVar

from models.base import Engine, Unfinished

T = TypeVar("T")


def finished(engine: Engine[Any, T], items: Sequence[Any]) -> list[T | Exception]:
    """Return the engine's final results, as a host would return them."""
    results: list[T | Exception] = []
    for result in engine.run(items):
        while isinstance(result, Unfinished):
            [result] = engine.run([result.rest])
        results.append(result)
    return results
