"""Scores every leaf of an answer against the truth about a paper."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from training.extraction.judging import is_empty, is_right

Verdict = Literal["right", "wrong", "missed", "invented"]


@dataclass(frozen=True)
class Leaf:
    pointer: str
    """JSON pointer into the answer."""
    verdict: Verdict
    got: Any
    truth: Any


def scored(got: Any, truth: Any, at: str = "") -> Iterator[Leaf]:
    """Yield the leaves of the truth, and those of the answer that it lacks.

    The rows of a list are paired by their number of right leaves. A list of texts is a set.
    """
    if isinstance(truth, dict) and set(truth) != {"any"}:
        for name, inner in truth.items():
            yield from scored(got.get(name) if isinstance(got, dict) else None, inner, f"{at}/{name}")
    elif isinstance(truth, list) and any(isinstance(row, dict) and set(row) != {"any"} for row in truth):
        yield from _scored_rows(got if isinstance(got, list) else [], truth, at)
    elif isinstance(truth, list) and truth:
        yield from _scored_set(got, truth, at)
    elif is_right(got, truth):
        yield Leaf(at, "right", got, truth)
    elif is_empty(got):
        yield Leaf(at, "missed", got, truth)
    else:
        alternatives = truth["any"] if isinstance(truth, dict) else [truth]
        yield Leaf(at, "invented" if all(map(is_empty, alternatives)) else "wrong", got, truth)


def _scored_rows(got: list[Any], truth: list[Any], at: str) -> Iterator[Leaf]:
    left = dict(enumerate(got))
    for number, row in enumerate(truth):
        right = {place: sum(leaf.verdict == "right" for leaf in scored(own, row)) for place, own in left.items()}
        best = max(right, key=lambda place: (right[place], -abs(place - number)), default=None)
        yield from scored(None if best is None else left.pop(best), row, f"{at}/{number if best is None else best}")
    for place, row in left.items():
        for pointer, value in _leaves(row, f"{at}/{place}"):
            if not is_empty(value):
                yield Leaf(pointer, "invented", value, None)


def _scored_set(got: Any, truth: list[Any], at: str) -> Iterator[Leaf]:
    left = dict(enumerate(got)) if isinstance(got, list) else {} if is_empty(got) else {0: got}
    for number, one in enumerate(truth):
        hit = next((place for place, value in left.items() if is_right(value, one)), None)
        if hit is None:
            yield Leaf(f"{at}/{number}", "missed", None, one)
        else:
            yield Leaf(f"{at}/{hit}", "right", left.pop(hit), one)
    for place, value in left.items():
        yield Leaf(f"{at}/{place}", "invented", value, None)


def _leaves(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if inside is None:
        yield at, value
    else:
        for name, inner in inside:
            yield from _leaves(inner, f"{at}/{name}")
