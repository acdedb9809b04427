"""Characters that stand in a sentence for what must not be translated, and how engines are shown them.

A mark is one character of Unicode's private use area, so that cutting a sentence never cuts a mark. Content (a
placeholder, a code span) stands for a word; markup (`<b>`, `**`) stands between words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_CONTENT, _MARKUP = 0xE000, 0xE800

MOST = 0x800
"""Marks that one sentence can hold; no two of them have the same number."""

MARK = re.compile("[\ue000-\uefff]")


def content_mark(number: int) -> str:
    return chr(_CONTENT + number)


def markup_mark(number: int) -> str:
    return chr(_MARKUP + number)


def is_markup(mark: str) -> bool:
    return ord(mark) >= _MARKUP


def same_marks(one: str, other: str) -> bool:
    """True if both texts have the same marks, each equally often, and markup in the same order."""
    first, second = MARK.findall(one), MARK.findall(other)
    return sorted(first) == sorted(second) and list(filter(is_markup, first)) == list(filter(is_markup, second))


@dataclass(frozen=True, slots=True)
class MarkNotation:
    """What an engine leaves as it is, and is therefore shown in a mark's place."""

    content: str
    """A format with one number."""
    markup: str

    def written(self, sentence: str, plain: Callable[[str], str] = str) -> str:
        """`plain` is applied to what stands between the marks."""
        pieces = re.split(f"({MARK.pattern})", sentence)
        return "".join(
            self._one(piece) if place % 2 else plain(piece) for place, piece in enumerate(pieces) if place % 2 or piece
        )

    def read(self, translation: str, sentence: str, plain: Callable[[str], str] = str) -> str:
        """The translation of `sentence` with its marks; what looks like one that it does not have is text."""
        marks = {self._one(mark): mark for mark in MARK.findall(sentence)}
        if not marks:
            return plain(translation)
        pieces = re.split(f"({'|'.join(map(re.escape, marks))})", translation)
        return "".join(marks[piece] if place % 2 else plain(piece) for place, piece in enumerate(pieces))

    def _one(self, mark: str) -> str:
        return (self.markup if is_markup(mark) else self.content).format(ord(mark) % MOST)


WORD = MarkNotation("Xq{}q", "Xq{}q")
"""A word of no dictionary, which engines of all kinds copy. It ends with a letter: none is another's beginning."""
