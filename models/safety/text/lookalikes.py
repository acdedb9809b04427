"""Replaces letters that a reader takes for Latin letters."""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

_TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
LOOKALIKES: Mapping[str, str] = _TABLES["exact"]
"""Lookalikes of each Latin letter."""

ALMOST: Mapping[str, str] = _TABLES["almost"]
"""Characters that pass for each Latin letter only beside real Latin letters: small capitals, upside-down letters, or
letters such as those in "вомв", which imitates "bomb"."""

_EXACT = {ord(other): latin for latin, others in LOOKALIKES.items() for other in others}

_TO_LATIN = _EXACT | {ord(other): latin for latin, others in ALMOST.items() for other in others}

_TO_CYRILLIC = str.maketrans("aceopxykmiABCEHKMOPTXY", "асеорхукміАВСЕНКМОРТХУ")

_ENCLOSED = {
    first + index: chr(ord(letter) + index)
    for first, letter in (
        (0x249C, "a"),  # ⒜
        (0x24B6, "A"),  # Ⓐ
        (0x24D0, "a"),  # ⓐ
        (0x1F110, "A"),  # 🄐
        (0x1F130, "A"),  # 🄰
        (0x1F150, "A"),  # 🅐
        (0x1F170, "A"),  # 🅰
    )
    for index in range(26)
}

_FLAG_LETTERS = {0x1F1E6 + index: chr(ord("a") + index) for index in range(26)}

_FLAG = "[\U0001f1e6-\U0001f1ff]"

_SPELT_WITH_FLAGS = re.compile(f"{_FLAG}(?:\u200b?{_FLAG}){{2,}}|(?<!{_FLAG}){_FLAG}(?: {_FLAG}(?!{_FLAG})){{2,}}")

_NOT_LATIN = re.compile(f"[{re.escape(''.join(map(chr, _TO_LATIN)))}]")

_WORD = re.compile(r"[^\W_]+")

LATIN_LIKE_SCRIPTS = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "CANADIAN", "DESERET"})
"""Scripts in which a whole word may pass for a Latin word."""


def without_enclosures(text: str) -> str:
    """Return `text` with circled, squared and parenthesised letters as plain letters, and words spelt with flag
    symbols (regional indicators) in plain letters.

    Call it before NFKC, which turns `⒝` into three characters.
    """
    text = text.translate(_ENCLOSED)
    return _SPELT_WITH_FLAGS.sub(lambda run: run[0].translate(_FLAG_LETTERS), text)


def with_latin_letters(text: str) -> str:
    """Return `text` with lookalikes replaced by Latin letters in each word that mixes the two, or consists of
    lookalikes alone.

    A word in another script is not changed if much of the text is written in this script. Latin lookalikes in a
    Cyrillic word become Cyrillic.
    """
    if text.isascii() or not _NOT_LATIN.search(text):
        return text
    scripts = _Scripts.of(text)
    read: dict[str, str] = {}
    for word in set(_WORD.findall(text)):
        if not word.isascii() and (reading := _without_lookalikes(word, scripts)) != word:
            read[word] = reading
    return _WORD.sub(lambda word: read.get(word[0], word[0]), text) if read else text


@dataclass(frozen=True, slots=True)
class _Scripts:
    """The scripts, other than Latin, in which a text is written."""

    trusted: frozenset[str]
    """Scripts of a large part of the text, whose words are left unchanged."""
    genuine: frozenset[str]
    """Scripts of which more than an eighth of the letters in the text resemble no Latin letter. Words in these scripts
    are unlikely to be disguised Latin words."""
    mainly_latin: bool

    @classmethod
    def of(cls, text: str) -> Self:
        exact: Counter[str] = Counter()
        others: Counter[str] = Counter()
        unlike: Counter[str] = Counter()
        for character, count in Counter(text).items():
            if character.isalpha():
                counter = exact if ord(character) in _EXACT else others
                counter[_script(character)] += count
                if ord(character) not in _TO_LATIN:
                    unlike[_script(character)] += count
        latin = others.pop("LATIN", 0)
        return cls(
            frozenset(script for script, count in others.items() if 2 * count > latin + exact.total()),
            frozenset(script for script, count in unlike.items() if 8 * count > exact[script] + others[script]),
            latin > 2 * others.total(),
        )


def _without_lookalikes(word: str, scripts: _Scripts) -> str:
    latin = [c for c in word if _script(c) == "LATIN" and ord(c) not in _TO_LATIN]
    others = [c for c in word if ord(c) in _TO_LATIN or (c.isalpha() and _script(c) != "LATIN")]
    if not others:
        return word
    if latin:
        if all(ord(c) in _TO_LATIN for c in others):
            return word.translate(_TO_LATIN)
        if {_script(c) for c in others} == {"CYRILLIC"} and all(ord(c) in _TO_CYRILLIC for c in latin):
            return word.translate(_TO_CYRILLIC)
        return word
    other_scripts = {_script(c) for c in others} - {"LATIN"}
    passes_for_latin = not other_scripts or (scripts.mainly_latin and not other_scripts & scripts.genuine)
    table = _TO_LATIN if passes_for_latin else _EXACT
    if other_scripts <= LATIN_LIKE_SCRIPTS - scripts.trusted and all(ord(c) in table for c in others):
        return word.translate(table)
    return word


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """Return the first word of the character's name: LATIN, CYRILLIC, CJK …"""
    return unicodedata.name(character, "").partition(" ")[0]
