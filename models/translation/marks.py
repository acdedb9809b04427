"""Marks, which are placeholders for the parts of a sentence that must not be translated, and their notations for
engines.

A mark is a character of Unicode's private use area, so that cutting a sentence never cuts a mark. A mark for content (a
placeholder, a code span) replaces a word; a mark for markup (`<b>`, `**`) is placed between words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_CONTENT, _MARKUP = 0xE000, 0xE800

MAX_MARKS = 0x800
"""A sentence has at most this many marks. Each has its own number."""

MARK = re.compile("[\ue000-\uefff]")


def content_mark(number: int) -> str:
    return chr(_CONTENT + number)


def markup_mark(number: int) -> str:
    return chr(_MARKUP + number)


def is_markup(mark: str) -> bool:
    return ord(mark) >= _MARKUP


def same_marks(text: str, other_text: str) -> bool:
    """True if both texts have the same marks, each equally often, and markup in the same order."""
    marks, other_marks = MARK.findall(text), MARK.findall(other_text)
    return sorted(marks) == sorted(other_marks) and list(filter(is_markup, marks)) == list(
        filter(is_markup, other_marks)
    )


@dataclass(frozen=True, slots=True)
class MarkNotation:
    """Notation of marks in an engine's input: strings that the engine does not translate."""

    content: str
    """Format string with one number."""
    markup: str

    def written(self, sentence: str, plain: Callable[[str], str] = str) -> str:
        """Return the sentence with its marks in this notation. `plain` is applied to the text between the marks."""
        pieces = re.split(f"({MARK.pattern})", sentence)
        return "".join(
            self._one(piece) if index % 2 else plain(piece) for index, piece in enumerate(pieces) if index % 2 or piece
        )

    def read(self, translation: str, sentence: str, plain: Callable[[str], str] = str) -> str:
        """Return the translation of `sentence` with its marks. Notations of marks that `sentence` does not have are
        kept as text."""
        marks = {self._one(mark): mark for mark in MARK.findall(sentence)}
        if not marks:
            return plain(translation)
        pieces = re.split(f"({'|'.join(map(re.escape, marks))})", translation)
        return "".join(marks[piece] if index % 2 else plain(piece) for index, piece in enumerate(pieces))

    def _one(self, mark: str) -> str:
        return (self.markup if is_markup(mark) else self.content).format(ord(mark) % MAX_MARKS)


WORD = MarkNotation("Xq{}q", "Xq{}q")
"""Notation of a mark as a made-up word, which all kinds of engines copy. The word ends with a letter, so that the word
of one mark is never the beginning of another mark's word."""
