"""Texts without the differences that do not matter where labels and values are compared."""

import re
import unicodedata

_TOKEN = re.compile(r"[^\W_]+")

_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "8": "b", "2": "z", "ı": "l"})


def fold(text: str) -> list[str]:
    """The runs of letters and figures in `text`, without differences of case, width or ligature."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _TOKEN.findall(text.casefold())


def look_alike(text: str) -> str:
    """The text with characters that OCR takes for each other made one; as long as `text`."""
    return text.translate(_LOOK_ALIKE)
