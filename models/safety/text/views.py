"""The views of a text: the text itself, and each way of reading it that uncovers other words."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from models.safety.text.cleaning import clean
from models.safety.text.decoding import ENCODINGS, PERCENT, decoded
from models.safety.text.disguises import undisguised
from models.safety.text.lookalikes import with_latin_letters
from models.safety.text.simple_ciphers import reversed_, rot13

AS_WRITTEN = "as written"

_WORD = re.compile(r"[^\W\d_]+")

_LEAST_LETTERS = 3
"""An ASCII word makes two readings different only if it has at least this many letters."""


@dataclass(frozen=True, slots=True)
class TextView:
    name: str
    """Name of the reading: `as written`, `plain`, `decoded base64` …"""
    text: str


def views(text: str) -> Iterator[TextView]:
    """Yield `text` itself, then each reading that contains a word more often than every earlier reading.

    The work takes time linear in `text`. A reading has at most about eight times as many characters, and there are at
    most twelve. Encodings within encodings are decoded to a depth of two.
    """
    yield TextView(AS_WRITTEN, text)
    seen = _words(text)
    for name, reading in _readings(text):
        words = _words(reading)
        if any(count > seen[word] for word, count in words.items()):
            yield TextView(name, reading)
            seen |= words


def _readings(text: str) -> Iterator[tuple[str, str]]:
    cleaned = clean(text)
    yield "plain", _plain(cleaned)
    for encoding in ENCODINGS:
        reading = decoded(cleaned, encoding, _plain_with_encodings)
        if reading != cleaned:
            yield f"decoded {encoding.name}", reading
    for name, turn in (("rot13", rot13), ("reversed", reversed_)):
        turned = turn(cleaned)
        if turned is not None:
            yield name, turned


def _plain(cleaned: str) -> str:
    return undisguised(with_latin_letters(cleaned))


def _plain_with_encodings(hidden: str) -> str:
    """Return a decoded text in plain letters, with the encodings inside it decoded, too."""
    hidden = clean(hidden)
    for encoding in ENCODINGS:
        hidden = decoded(hidden, encoding, clean)
    return _plain(hidden)


def _words(text: str) -> Counter[str]:
    """Return the number of each word that could mean something by itself. Words joined by escapes ("how%20to") do not
    count, so that the reading without the escapes is judged, too."""
    found = _WORD.findall(PERCENT.sub(" ", text).casefold())
    return Counter(word for word in found if len(word) >= _LEAST_LETTERS or not word.isascii())
