"""Normal forms of texts for the comparison of labels and values."""

import re
import unicodedata

_TOKEN = re.compile(r"[^\W_]+")

_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "8": "b", "2": "z", "ı": "l"})


def fold(text: str) -> list[str]:
    """Return the runs of letters and figures in `text`, without differences of case, width or ligature."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _TOKEN.findall(text.casefold())


def look_alike(text: str) -> str:
    """Return the text after replacing all characters that OCR confuses by one of them, at the same length."""
    return text.translate(_LOOK_ALIKE)
