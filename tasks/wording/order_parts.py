"""Finds parts of an order by its words alone: the text to translate in "How do you say good night in Dutch?".

The model is a linear tagger (Collins 2002): each word gets the tag that its letters, its neighbours, its place and the
tag before it make likeliest. `python -m training.orders.fit` makes its weights from labelled orders: a wrong part is
mended by adding orders, never by a rule here.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tasks.wording.named_languages import roles_in
from tasks.wording.viterbi import best_tags

Part = str
"""Name of a part; empty for words that belong to none."""
BUCKETS: Final = 1 << 15
"""Number of weights of a part. Features share them by their hash (Weinberger et al. 2009)."""
MODEL_FILE: Final = Path(__file__).with_name("order_parts.npz")
"""Weights of a byte each, as `training.orders.fit` writes them."""
# A character of a script without spaces, a word with its marks, or another sign.
_WORD: Final = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]|[\w\u0300-\u036f\u0610-\u0652\u0900-\u0dff\u0e00-\u0eff]+|\n|[^\w\s]"
)


@dataclass(frozen=True, slots=True)
class OrderWord:
    start: int
    end: int
    text: str
    """The word in small letters."""
    language: str
    """Role of the language that the word names; empty if it names none."""

    @property
    def kind(self) -> str:
        """The sign itself; of a word, its script, or that it is a number."""
        first = self.text[0]
        if not first.isalnum():
            return self.text
        return "digit" if first.isdigit() else f"letter {ord(first) >> 7}"


_OUTSIDE: Final = OrderWord(0, 0, " ", "")


def words_of(order: str) -> list[OrderWord]:
    roles = roles_in(order)
    return [OrderWord(*one.span(), one[0].lower(), roles.get(one.start(), "")) for one in _WORD.finditer(order)]


def features_of(words: Sequence[OrderWord]) -> list[list[int]]:
    """Return the buckets of each word's features."""
    padded = [_OUTSIDE, _OUTSIDE, *words, _OUTSIDE, _OUTSIDE]
    return [
        [
            zlib.crc32(name.encode("utf-8", "surrogatepass")) % BUCKETS
            for name in _feature_names(padded[index : index + 5], index, len(words) - index)
        ]
        for index in range(len(words))
    ]


def _feature_names(window: Sequence[OrderWord], index: int, left: int) -> Iterator[str]:
    """Yield the features of the word in the middle of five, `left` words before the end."""
    second, before, own, after, fourth = window
    text = own.text
    yield "bias"
    yield f"place {min(index, 3)}"
    yield f"left {min(left, 3)}"
    for name, word in (("-2", second), ("-1", before), ("0", own), ("1", after), ("2", fourth)):
        yield f"{name} {word.text}"
        yield f"{name} language {word.language}"
    yield f"-1 0 {before.text} {text}"
    yield f"0 1 {text} {after.text}"
    yield f"-1 1 {before.text} {after.text}"
    yield f"languages {before.language} {own.language} {after.language}"
    yield f"before language {before.text} {own.language}"
    yield f"language after {own.language} {after.text}"
    yield f"kinds {before.kind} {own.kind} {after.kind}"
    for name, word in (("-1", before), ("1", after)):
        yield f"{name} begins {word.text[:4]}"
        yield f"{name} ends {word.text[-3:]}"
    for length in range(1, min(6, len(text))):
        yield f"begins {text[:length]}"
        yield f"ends {text[-length:]}"


@dataclass(frozen=True, slots=True)
class PartTagger:
    parts: tuple[Part, ...]
    """Names of parts, the empty one first."""
    weights: NDArray[np.float32]
    """Matrix of BUCKETS × parts."""
    moves: NDArray[np.float32]
    """Weight of each part after each other one; the last row is the beginning of an order."""

    @classmethod
    def load(cls, path: Path = MODEL_FILE) -> Self:
        stored = np.load(path)
        weights = stored["weights"].astype(np.float32) * stored["scale"]
        return cls(tuple(stored["parts"].tolist()), weights, stored["moves"])

    def tags(self, features: Sequence[Sequence[int]]) -> list[int]:
        """Return the index of each word's part: together, the likeliest ones."""
        if not features:
            return []
        return best_tags([self.weights[row].sum(0) for row in features], self.moves[-1], self.moves[:-1])

    def text_of(self, order: str, part: Part) -> str:
        """Return the text from the first to the last word of a part; empty if the order has no such part."""
        words = words_of(order)
        tags = self.tags(features_of(words))
        own = [word for word, tag in zip(words, tags, strict=True) if self.parts[tag] == part]
        return order[own[0].start : own[-1].end] if own else ""


@cache
def part_tagger() -> PartTagger:
    return PartTagger.load()
