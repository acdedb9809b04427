"""Marks, which are placeholders for the parts of a sentence that must not be translated, and their notations for
engines.

A mark is a character of Unicode's private use area, so that cutting a sentence never cuts a mark. A mark for content (a
placeholder, a code span) replaces a word; a mark for markup (`<b>`, `**`) is placed between words. An opening and a
closing mark make a pair around the words that they format, and move with these words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MAX_MARKS = 0x400
"""A sentence has at most this many marks. Each has its own number."""
_CONTENT, _MARKUP, _OPENING, _CLOSING = (0xE000 + kind * MAX_MARKS for kind in range(4))

MARK = re.compile("[\ue000-\uefff]")
_EMPTY_PAIR = re.compile(f"[{chr(_OPENING)}-{chr(_CLOSING - 1)}]\\s*[{chr(_CLOSING)}-\uefff]")


def content_mark(number: int) -> str:
    return chr(_CONTENT + number)


def markup_mark(number: int) -> str:
    return chr(_MARKUP + number)


def opening_mark(number: int) -> str:
    return chr(_OPENING + number)


def closing_mark(number: int) -> str:
    return chr(_CLOSING + number)


def number_of(mark: str) -> int:
    return ord(mark) % MAX_MARKS


def renumbered(mark: str, number: int) -> str:
    """Return the mark of the same kind with another number."""
    return chr(ord(mark) - number_of(mark) + number)


def is_markup(mark: str) -> bool:
    """True for opening and closing marks, too."""
    return ord(mark) >= _MARKUP


def pairs_of(text: str) -> dict[str, str]:
    """Return the closing mark of each opening mark of a text whose pairs are nested. In a text by an engine, which is
    translated on into a third language, they may not be: marks without a partner are left out."""
    opened: list[str] = []
    pairs = {}
    for mark in MARK.findall(text):
        if ord(mark) >= _CLOSING:
            if opened:
                pairs[opened.pop()] = mark
        elif ord(mark) >= _OPENING:
            opened.append(mark)
    return pairs


def same_marks(text: str, translation: str) -> bool:
    """True if the translation has the marks of the text, each equally often, with the pairs around some text and nested
    as they were, and with the other markup in the same order."""
    marks, translated = MARK.findall(text), MARK.findall(translation)
    if sorted(marks) != sorted(translated) or _EMPTY_PAIR.search(translation):
        return False
    pairs = pairs_of(text)
    nesting, translated_nesting = _nesting(marks, pairs), _nesting(translated, pairs)
    return (
        translated_nesting is not None
        and nesting == translated_nesting
        and [mark for mark in marks if _MARKUP <= ord(mark) < _OPENING]
        == [mark for mark in translated if _MARKUP <= ord(mark) < _OPENING]
    )


def _nesting(marks: Sequence[str], pairs: Mapping[str, str]) -> dict[str, str] | None:
    """Return the opening mark that encloses each markup mark, or "" if none does; None if the pairs are not nested."""
    opened = [""]
    enclosing = {}
    for mark in filter(is_markup, marks):
        if ord(mark) >= _CLOSING:
            if pairs.get(opened.pop()) != mark:
                return None
            continue
        enclosing[mark] = opened[-1]
        if ord(mark) >= _OPENING:
            opened.append(mark)
    return enclosing


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
        return (self.markup if is_markup(mark) else self.content).format(number_of(mark))


WORD = MarkNotation("Xq{}q", "Xq{}q")
"""Notation of a mark as a made-up word, which all kinds of engines copy. The word ends with a letter, so that the word
of one mark is never the beginning of another mark's word."""
