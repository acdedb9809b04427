"""Words that show whether letters form a text: frequent words, and words of the subjects that a guard looks for."""

import re
from pathlib import Path

_TOKEN = re.compile(r"[^\W\d_]+")
_VOWEL = re.compile(r"[aeiouy]")
_CONSONANT_RUN = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}")


def _words(name: str) -> frozenset[str]:
    return frozenset(Path(__file__).with_name(name).read_text("utf-8").split())


COMMON_WORDS = _words("common_words.txt")
"""The most frequent words of English texts and of instructions to a computer."""


TELLING_WORDS = _words("telling_words.txt")
"""Telling words: words of the subjects that a guard looks for, which people therefore disguise. Some are in other
languages than English."""


KNOWN_WORDS = COMMON_WORDS | TELLING_WORDS


def is_pronounceable(word: str) -> bool:
    """True if `word` has vowels and consonants like a word in Latin letters; words in other letters count as
    pronounceable."""
    word = word.casefold()
    return not word.isascii() or (bool(_VOWEL.search(word)) and not _CONSONANT_RUN.search(word))


def is_readable(text: str) -> bool:
    """True if `text`, decoded from bytes, is a text of words and not a key or a picture."""
    if not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        return False
    words = _TOKEN.findall(text)
    letters = sum(map(len, words))
    if 2 * letters < len(text.replace(" ", "")):
        return False
    if any(len(word) >= 3 and word.casefold() in KNOWN_WORDS for word in words):
        return True
    if not text.isascii():
        return letters >= 4 and max(map(len, words)) >= 2
    plain = [word for word in words if is_pronounceable(word) and _has_the_case_of_a_word(word)]
    return letters >= 12 and 3 * sum(map(len, plain)) > 2 * letters and max(map(len, words)) <= 24


def _has_the_case_of_a_word(word: str) -> bool:
    return word.islower() or word.isupper() or word.istitle()
