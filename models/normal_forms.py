"""Unicode's normal forms of texts that anybody may have written."""

import re
import unicodedata
from typing import Literal

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

_MAX_MARKS = 30
"""At most this many combining marks follow each other, as in the Stream-Safe Text Format of Unicode's UAX #15. No
language needs more."""
_SHORT = 64
"""Number of characters of a text that is normalised in microseconds, whatever it consists of."""


def normalized(form: Form, text: str) -> str:
    """Return `text` in a normal form, in linear time. Of more than _MAX_MARKS combining marks in a row, only the first
    are kept, because Python sorts them in quadratic time, in which no other thread can run."""
    if text.isascii():
        return text
    return unicodedata.normalize(form, text if len(text) <= _SHORT else _with_few_marks(text))


def _with_few_marks(text: str) -> str:
    marks = "".join(character for character in set(text) if _becomes_mark(character))
    if not marks:
        return text
    kind = f"[{re.escape(marks)}]"
    return re.sub(f"({kind}{{{_MAX_MARKS}}}){kind}+", r"\1", text)


def _becomes_mark(character: str) -> bool:
    """True for a combining mark, and for a character that normalises to marks, such as the halfwidth `ﾞ`."""
    return unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) > 0
