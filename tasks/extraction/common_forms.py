"""Writes the lines of a text with common digits, letters and signs instead of full-width ones, with Latin letters
instead of Cyrillic, Greek and other ones that look like them, and without characters that nobody sees.

Chinese and Japanese documents print `１２，３４５` where others print `12,345`. Full-width punctuation stays as it is
outside such numbers, because a comma between two words is not one within a number.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from models.safety.text.lookalikes import LATIN_LIKE_SCRIPTS, LOOKALIKES
from tasks.result import SourceLine

_FULL_WIDTH: Final = 0xFEE0
"""Distance of a full-width character from the common one in Unicode ("Halfwidth and Fullwidth Forms", U+FF01 to
U+FF5E)."""
_ALWAYS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz%+$"
_UNSEEN_RANGES: Final = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x180B, 0x180F), (0x200B, 0x200B), (0x200E, 0x200F), (0x2060, 0x2064)),
    *((0x206A, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0000, 0xE0FFF)),
)
_UNSEEN: Final = "".join(chr(code) for first, last in _UNSEEN_RANGES for code in range(first, last + 1))
"""Characters that nobody sees (Unicode, Default_Ignorable_Code_Point): soft hyphen, spaces without width, marks of
direction, tags and others. They stand within numbers and codes that were copied from web pages. Joiners are kept, of
which letters of some scripts depend, and so are characters that change the order of those after them, because what a
reader sees is then another text."""
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI"})
"""Classes of characters without which no line is reordered, however it is embedded or isolated (UAX #9, 3.3)."""
_MINUS = re.compile(r"(?<![\w.,])[\u2010\u2011\ufe63\uff0d](?=[\s$€£¥₩]{0,2}\d|[$€£¥₩]$)")
_DASH = re.compile(r"(?<![\w.,])[\u2012\u2014\u2015](?=[$€£¥₩]?\d)")
"""Patterns of hyphens and dashes that stand for a minus sign, before a number."""
_FORMS: Final = (
    {ord(sign) + _FULL_WIDTH: sign for sign in _ALWAYS}
    | {ord("￥"): "¥", ord("￡"): "£", ord("￦"): "₩"}
    | dict.fromkeys(map(ord, _UNSEEN))
)
_WITHIN_NUMBER = re.compile("(?<=[０-９])[，．－／：](?=[０-９])")
_SCRIPTS: Final = (*(LATIN_LIKE_SCRIPTS - {"GREEK"}), "GREEK CAPITAL", "GREEK SMALL LETTER OMICRON")
"""Beginnings of the names of letters that are replaced. Other small Greek letters are meant as such: `TNFα`."""
_LOOK_ALIKE: Final = {
    ord(other): latin
    for latin, others in LOOKALIKES.items()
    for other in others
    if unicodedata.name(other, "").startswith(_SCRIPTS)
}
"""Letters of other scripts that are printed like Latin ones. They are replaced only within words that have Latin
letters and no others: what looks like `Total` is the label that a reader sees. Addresses and codes stay as they are,
because another letter makes another address."""
_LOOKS_ALIKE = "".join(map(chr, _LOOK_ALIKE))
_MIXED_WORD = re.compile(
    f"(?<![\\w@.])(?:[A-Za-z]+[{_LOOKS_ALIKE}]|[{_LOOKS_ALIKE}]+[A-Za-z])[A-Za-z{_LOOKS_ALIKE}]*(?![\\w@]|\\.\\w)"
)
_IS_OTHER = re.compile(
    f"[\uff01-\uff5e￥￡￦{_UNSEEN}{_LOOKS_ALIKE}\u2010-\u2012\u2014\u2015\ufe63]|{_REORDERING.pattern}"
)


def in_common_forms(lines: Sequence[SourceLine]) -> Sequence[SourceLine]:
    """Return the lines in common forms. Each word keeps its place."""
    return [_plain(line) if _is_other(line) else line for line in lines]


def _is_other(line: SourceLine) -> bool:
    texts = [line.written] if line.written else line.words
    return any(not text.isascii() and _IS_OTHER.search(text) for text in texts)


def _plain(line: SourceLine) -> SourceLine:
    line = _without_idle_controls(line)
    plain = [_in_common_forms(word) for word in line.words]
    words = [_in_latin_letters(word) for word in plain]
    # A word of unseen characters alone stays, because the words and their bounds are counted.
    return replace(
        line,
        words=tuple(word or unseen for word, unseen in zip(words, line.words, strict=True)),
        written=_in_latin_letters(_in_common_forms(line.written)) if all(words) else line.written,
        has_lookalikes=words != plain,
    )


def _without_idle_controls(line: SourceLine) -> SourceLine:
    """Return a line that is written from left to right without the characters that would reorder others."""
    text = line.written or " ".join(line.words)
    if not _REORDERING.search(text) or not _RIGHT_TO_LEFT.isdisjoint(map(unicodedata.bidirectional, text)):
        return line
    words = tuple(_REORDERING.sub("", word) or word for word in line.words)
    written = _REORDERING.sub("", line.written)
    # A word of such characters alone stays, because the words and their bounds are counted.
    return replace(line, words=words, written=written if len(written.split()) == len(words) else line.written)


def _in_common_forms(text: str) -> str:
    text = _MINUS.sub("-", _DASH.sub("–", text))
    return _WITHIN_NUMBER.sub(lambda sign: chr(ord(sign[0]) - _FULL_WIDTH), text).translate(_FORMS)


def _in_latin_letters(text: str) -> str:
    return _MIXED_WORD.sub(lambda word: word[0].translate(_LOOK_ALIKE), text)
