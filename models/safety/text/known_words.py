"""Words that tell whether letters are a text: frequent ones, and those of the subjects that a guard looks for."""

import re
from pathlib import Path

_TOKEN = re.compile(r"[^\W\d_]+")
_VOWEL = re.compile(r"[aeiouyáéíóúàèìòùäëïöüâêîôûãõå]")
_HEAP = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}")


def _words(name: str) -> frozenset[str]:
    return frozenset(Path(__file__).with_name(name).read_text("utf-8").split())


COMMON = _words("common_words.txt")
"""The most frequent words of English, and of orders to a machine."""


TELLING = _words("telling_words.txt")
"""Words of the subjects that a guard looks for, some in other languages: what people disguise."""


KNOWN = COMMON | TELLING


def is_pronounceable(word: str) -> bool:
    """Has the vowels and consonants of a word in Latin letters; words in other letters count as such."""
    word = word.casefold()
    return not word.isascii() or (bool(_VOWEL.search(word)) and not _HEAP.search(word))


def is_readable(text: str) -> bool:
    """Whether bytes that were decoded to `text` were a text: words and what stands between them, no key or picture."""
    if not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        return False
    words = _TOKEN.findall(text)
    letters = sum(map(len, words))
    if 2 * letters < len(text.replace(" ", "")):
        return False
    if any(len(word) >= 3 and word.casefold() in KNOWN for word in words):
        return True
    if not text.isascii():
        return letters >= 4 and max(map(len, words)) >= 2
    plain = [word for word in words if is_pronounceable(word) and _has_the_case_of_a_word(word)]
    return letters >= 12 and 3 * sum(map(len, plain)) > 2 * letters and max(map(len, words)) <= 24


def _has_the_case_of_a_word(word: str) -> bool:
    return word.islower() or word.isupper() or word.istitle()
