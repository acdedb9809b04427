"""Normal forms of texts for the comparison of labels and values."""

import re
import unicodedata
from functools import lru_cache

from models.normal_forms import normalized

_TOKEN = re.compile(r"[^\W_]+")

_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "8": "b", "2": "z", "ı": "l"})
_STROKES = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "æ": "ae", "œ": "oe", "ß": "ss"})


def fold(text: str) -> list[str]:
    """Return the runs of letters and digits in `text`, without differences of case, width or ligature."""
    return _TOKEN.findall(normalized("NFKC", text).casefold())


@lru_cache(maxsize=4096)
def folded_words(text: str) -> tuple[str, ...]:
    """Return the result of `fold` as a tuple. The results are kept, because some texts are folded several times."""
    return tuple(fold(text))


def look_alike(text: str) -> str:
    """Return the text in which all characters that OCR confuses with each other are the same character. The length
    stays the same."""
    return text.translate(_LOOK_ALIKE)


def without_accents(text: str) -> str:
    """Return the text without accents and strokes. Unicode does not separate the strokes of `ł` and `ø`, so these are
    replaced explicitly."""
    if text.isascii():
        return text
    letters = normalized("NFD", text.translate(_STROKES))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
