"""Disguises of a text that may hide it from a filter, for measuring the guard."""

import base64
import codecs
from collections.abc import Callable, Mapping

from models.safety.text.decoding import MORSE_LETTERS

_MORSE = {letter: code for code, letter in MORSE_LETTERS.items()}
_LOOKALIKES = str.maketrans("aceopxyiAEOPCTXHKMB", "асеорхуіАЕОРСТХНКМВ")
_LEET = str.maketrans("aeiostAEIOST", "431057431057")
_ZERO_WIDTH = "\u200b"


def _spaced(text: str) -> str:
    return "   ".join(" ".join(word) for word in text.split())


def _morse(text: str) -> str:
    """Return the text in Morse code, without the characters that Morse code lacks."""
    words = ([_MORSE[letter] for letter in word if letter in _MORSE] for word in text.lower().split())
    return " / ".join(" ".join(word) for word in words if word)


def _halves(text: str) -> str:
    """Return the text split into two lines, like two messages or two parts of a message."""
    words = text.split(" ")
    return " ".join(words[: len(words) // 2]) + "\n" + " ".join(words[len(words) // 2 :])


DISGUISES: Mapping[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "capitals": str.upper,
    "zero-width characters": lambda text: _ZERO_WIDTH.join(text),
    "look-alike letters": lambda text: text.translate(_LOOKALIKES),
    "fullwidth letters": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "leetspeak": lambda text: text.translate(_LEET),
    "letters spaced apart": _spaced,
    "two lines": _halves,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "URL escapes": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "HTML entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "`\\u` escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "binary": lambda text: " ".join(f"{byte:08b}" for byte in text.encode()),
    "Morse": _morse,
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "reversed": lambda text: text[::-1],
    "within 5,000 harmless characters": lambda text: text,
}
"""Disguises by their name in the table of the docs. For the last of them, the measurement adds the longer text around
the disguised text."""
