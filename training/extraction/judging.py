"""Judges the answer about a paper whose fields are known, field by field.

In a truth, `{"any": [x, y]}` means that each of the values is right. Numbers are compared by value, texts without case,
spaces and punctuation. The rows of a list are paired by their number of right cells.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "right",
    "request refused",
    "not printed as read",
    "not found",
    "another value",
    "another number",
    "more than the value",
    "part of the value",
    "invented",
    "row not found",
    "row too many",
]


@dataclass(frozen=True)
class Verdict:
    """The judgement of one leaf of an answer. `pointer` is a JSON pointer into the answer."""

    pointer: str
    kind: Kind
    got: Any
    truth: Any


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def letters(value: Any) -> str:
    """Return the letters, digits and marks of a value, in one case."""
    text = unicodedata.normalize("NFKC", str(value)).casefold()
    return "".join(character for character in text if unicodedata.category(character)[0] in "LNM")


def alternatives(truth: Any) -> list[Any]:
    return list(truth["any"]) if isinstance(truth, dict) and set(truth) == {"any"} else [truth]


def is_right(got: Any, truth: Any) -> bool:
    return any(_equal(got, one) for one in alternatives(truth))


def _equal(got: Any, truth: Any) -> bool:
    if is_empty(truth) or is_empty(got):
        return is_empty(got) and is_empty(truth)
    if isinstance(truth, bool) or isinstance(got, bool):
        return got is truth
    if isinstance(truth, int | float):
        return isinstance(got, int | float) and abs(got - truth) <= 0.005
    return letters(got) == letters(truth)


def judged(got: Any, truth: Any, text: str, at: str = "") -> Iterator[Verdict]:
    """Yield a verdict for each leaf of the truth, and for each leaf of the answer that has no counterpart there.

    `text` holds the letters of what was read.
    """
    if len(alternatives(truth)) == 1 and isinstance(truth, dict):
        for name, inner in truth.items():
            yield from judged(got.get(name) if isinstance(got, dict) else None, inner, text, f"{at}/{name}")
    elif isinstance(truth, list) and truth:
        yield from _judged_rows(got if isinstance(got, list) else [], truth, text, at)
    else:
        yield Verdict(at, _kind(got, truth, text), got, truth)


def _judged_rows(got: list[Any], truth: list[Any], text: str, at: str) -> Iterator[Verdict]:
    left = dict(enumerate(got))
    for number, row in enumerate(truth):
        scores = {place: _right_share(found, row, text) for place, found in left.items()}
        best = max(scores, key=lambda place: (scores[place], -abs(place - number)), default=None)
        if best is None:
            yield from (Verdict(f"{at}/{number}{rest}", "row not found", None, leaf) for rest, leaf in _leaves(row))
        else:
            yield from judged(left.pop(best), row, text, f"{at}/{best}")
    for place, row in left.items():
        yield from (Verdict(f"{at}/{place}{rest}", "row too many", leaf, None) for rest, leaf in _leaves(row))


def _right_share(got: Any, truth: Any, text: str) -> float:
    kinds = [verdict.kind == "right" and not is_empty(verdict.truth) for verdict in judged(got, truth, text)]
    return sum(kinds) / len(kinds)


def _leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and set(value) != {"any"}:
        for name, inner in value.items():
            yield from _leaves(inner, f"{at}/{name}")
    else:
        yield at, value


def _kind(got: Any, truth: Any, text: str) -> Kind:
    if is_right(got, truth):
        return "right"
    wanted = [one for one in alternatives(truth) if not is_empty(one)]
    if not wanted:
        return "invented"
    if is_empty(got):
        is_text = isinstance(wanted[0], str)
        return "not printed as read" if is_text and not any(letters(one) in text for one in wanted) else "not found"
    if isinstance(wanted[0], int | float):
        return "another number"
    if any(letters(one) in letters(got) for one in wanted):
        return "more than the value"
    if any(letters(got) in letters(one) for one in wanted):
        return "part of the value"
    return "another value"
