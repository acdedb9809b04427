"""Ways to write a text so that a filter does not see it, for measuring what the guard sees through."""

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
    """Marks and letters that it has no signs for are left out."""
    words = ([_MORSE[letter] for letter in word if letter in _MORSE] for word in text.lower().split())
    return " / ".join(" ".join(word) for word in words if word)


def _halves(text: str) -> str:
    """Two messages, or two parts of one, joined."""
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
"""By the name in the docs' table; the last is put into a longer text by whoever measures."""
