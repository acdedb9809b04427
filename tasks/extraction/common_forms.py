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
_UNSEEN: Final = "\u00ad\u200b\u200e\u200f\u2060\ufeff"
"""Soft hyphen, spaces without width, and marks of direction, which stand within numbers and codes that were copied from
web pages. Characters that change the order of those after them are kept, because what a reader sees is then another
text."""
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
_IS_OTHER = re.compile("[\uff01-\uff5e￥￡￦" + _UNSEEN + _LOOKS_ALIKE + "]")


def in_common_forms(lines: Sequence[SourceLine]) -> Sequence[SourceLine]:
    """Return the lines in common forms. Each word keeps its place."""
    return [_plain(line) if _is_other(line) else line for line in lines]


def _is_other(line: SourceLine) -> bool:
    texts = [line.written] if line.written else line.words
    return any(not text.isascii() and _IS_OTHER.search(text) for text in texts)


def _plain(line: SourceLine) -> SourceLine:
    plain = [_in_common_forms(word) for word in line.words]
    words = [_in_latin_letters(word) for word in plain]
    # A word of unseen characters alone stays, because the words and their bounds are counted.
    return replace(
        line,
        words=tuple(word or unseen for word, unseen in zip(words, line.words, strict=True)),
        written=_in_latin_letters(_in_common_forms(line.written)) if all(words) else line.written,
        has_lookalikes=words != plain,
    )


def _in_common_forms(text: str) -> str:
    return _WITHIN_NUMBER.sub(lambda sign: chr(ord(sign[0]) - _FULL_WIDTH), text).translate(_FORMS)


def _in_latin_letters(text: str) -> str:
    return _MIXED_WORD.sub(lambda word: word[0].translate(_LOOK_ALIKE), text)
