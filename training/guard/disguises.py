"""Ways to write a text so that a filter does not see it, for measuring what the guard sees through."""

import base64
import codecs
from collections.abc import Callable, Mapping

_LOOKALIKES = str.maketrans("aceopxyiAEOPCTXHKMB", "асеорхуіАЕОРСТХНКМВ")
_LEET = str.maketrans("aeiostAEIOST", "431057431057")
_ZERO_WIDTH = "\u200b"


def _spaced(text: str) -> str:
    return "   ".join(" ".join(word) for word in text.split())


def _halves(text: str) -> str:
    """As two messages, or two parts of one, are joined."""
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
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "reversed": lambda text: text[::-1],
    "within 5,000 harmless characters": lambda text: text,
}
"""By the name in the docs' table; the last is put into a longer text by whoever measures."""
