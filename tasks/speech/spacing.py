"""White space between the parts of a transcript: one space, and none where the script has none.

>>> joined_text(["Good morning.", " Who?"])
'Good morning. Who?'
>>> joined_text(["你好。", "再见。"])
'你好。再见。'
"""

import re
from collections.abc import Iterable, Iterator

# Thai, Lao, Tibetan, Burmese, Khmer; Chinese and Japanese with their punctuation, full-width signs.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff]"
)


def separator(before: str, after: str) -> str:
    """What stands between two texts that are said one after the other."""
    first, second = before.rstrip(), after.lstrip()
    if not first or not second or _UNSPACED.match(first[-1]) or _UNSPACED.match(second[0]):
        return ""
    return " "


def spaced(parts: Iterable[str]) -> Iterator[str]:
    """Each of `parts` without the white space around it, and with what separates it from the one before: joined by
    nothing, they are the text."""
    last = ""
    for part in parts:
        text = part.strip()
        yield separator(last, text) + text
        last = text or last


def joined_text(parts: Iterable[str]) -> str:
    return "".join(spaced(parts))
