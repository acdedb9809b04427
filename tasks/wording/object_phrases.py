"""Extracts the things to find from a request: "find the red car and two dogs" yields "red car" and "dogs".

English, German, French, Spanish, Italian, Portuguese and Dutch are understood. In other languages, only the detector's
own names of labels are recognised, by `tasks/detection/vocabulary.py`.
"""

import re
from collections.abc import Iterator

from tasks.notation.words import NUMBERS
from tasks.wording.phrases import PHRASES, compiled

_VERB = rf"\b(?:{PHRASES['objects']['before']})(?=[\s:]|(?<=['’]))"

_END = rf"[.?!;\n(\[\"“]|\b(?:{PHRASES['objects']['after']})\b"
_AND = r"(?<!\s)\s*+(?:,|;|/|&|\+|:|\b(?:and|or|as well as|und|oder|sowie|et|ou|y|e|o|en)\b)\s*"

_FUNCTION_WORDS = frozenset(PHRASES["little"]["objects"].split())
_EVERYTHING = rf"\b(?:{PHRASES['objects']['everything']})\b"

_LONGEST_LIST = 400
"""The objects of a verb are searched for in this many characters after it."""
_MAX_WORDS = 6
"""A phrase has at most this many words. A longer one is a sentence that was not understood."""


_MAX_CHARS = 4000


def instruction_in(text: str) -> str:
    """Return a text, or only the beginning and the end of a long one, where users put instructions. Searching the
    middle would take too long."""
    half = _MAX_CHARS // 2
    return text if len(text) <= _MAX_CHARS else f"{text[:half]}\n{text[-half:]}"


def asks(text: str) -> bool:
    """True if `text` asks to find something, in a language that is understood here."""
    return compiled(_VERB).search(text) is not None


def phrases_in(text: str) -> list[str]:
    """Return the things that `text` asks for, in its words and order; none if it asks for everything.

    "Detect all objects." gives none; "Find objects: cars, dogs" gives "cars" and "dogs".
    """
    return [phrase for phrase in dict.fromkeys(_find_phrases(text)) if not compiled(_EVERYTHING).search(phrase)]


def listed_in(text: str) -> list[str]:
    """Split a text that may be nothing but a list: "person", "cars and dogs"."""
    return [phrase for phrase in map(_strip_small_words, compiled(_AND).split(text.strip())) if phrase]


def _find_phrases(text: str) -> Iterator[str]:
    for verb in compiled(_VERB).finditer(text):
        rest = text[verb.end() : verb.end() + _LONGEST_LIST].lstrip()
        # Some end words can also begin a phrase: "Where are there …", "is there a …", "find me the …".
        end = compiled(_END).search(rest)
        while end and not _strip_small_words(rest[: end.start()]):
            rest = rest[end.end() :].lstrip() if end[0].isalpha() else ""
            end = compiled(_END).search(rest) if rest else None
        span = rest[: end.start()] if end else rest
        another = compiled(_VERB).search(span)
        if another:
            span = span[: another.start()]
        for part in compiled(_AND).split(span):
            phrase = _strip_small_words(part)
            if phrase and len(phrase.split()) <= _MAX_WORDS:
                yield phrase


def _strip_small_words(words: str) -> str:
    """Remove punctuation, and articles, quantities and the like at the ends."""
    kept = re.sub(r"[^\w\s'’-]", " ", re.sub(r"^(?:l|d)['’]", "", words.strip(), flags=re.IGNORECASE)).split()
    while kept and (kept[0].lower() in _FUNCTION_WORDS or kept[0].isdecimal() or kept[0].lower() in NUMBERS):
        kept.pop(0)
        if kept:
            kept[0] = re.sub(r"^(?:l|d)['’]", "", kept[0], flags=re.IGNORECASE)
    while kept and kept[-1].lower() in _FUNCTION_WORDS:
        kept.pop()
    return " ".join(kept)
