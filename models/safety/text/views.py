"""The readings of a text in which unsafe content may hide: as it is, in plain letters, and decoded."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from models.safety.text.characters import clean
from models.safety.text.ciphers import reversed_, rot13
from models.safety.text.decoding import ENCODINGS, decoded
from models.safety.text.disguises import undisguised
from models.safety.text.lookalikes import with_latin_letters

AS_WRITTEN = "as written"

_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 3
"""Letters of a word in ASCII that makes a reading another one."""


@dataclass(frozen=True, slots=True)
class View:
    name: str
    """`as written`, `plain`, `decoded base64` …"""
    text: str


def views(text: str) -> Iterator[View]:
    """`text` itself, then each reading that has words which no reading before it has.

    In time linear in `text`. A reading has at most some eight times as many characters, and there are at most twelve.
    Encodings are read two deep.
    """
    yield View(AS_WRITTEN, text)
    seen = _words(text)
    for name, reading in _readings(text):
        words = _words(reading)
        if any(count > seen[word] for word, count in words.items()):
            yield View(name, reading)
            seen |= words


def _readings(text: str) -> Iterator[tuple[str, str]]:
    cleaned = clean(text)
    yield "plain", _plain(cleaned)
    for encoding in ENCODINGS:
        reading = decoded(cleaned, encoding, _read_once_more)
        if reading != cleaned:
            yield f"decoded {encoding.name}", reading
    for name, turn in (("rot13", rot13), ("reversed", reversed_)):
        turned = turn(cleaned)
        if turned is not None:
            yield name, turned


def _plain(cleaned: str) -> str:
    return undisguised(with_latin_letters(cleaned))


def _read_once_more(hidden: str) -> str:
    """What was decoded, with what is decoded within it, in plain letters."""
    hidden = clean(hidden)
    for encoding in ENCODINGS:
        hidden = decoded(hidden, encoding, clean)
    return _plain(hidden)


def _words(text: str) -> Counter[str]:
    """How often each word is there that could mean something by itself."""
    return Counter(word for word in _WORD.findall(text.casefold()) if len(word) >= _SHORTEST or not word.isascii())
