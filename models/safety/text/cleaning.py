"""Reduces a text to ordinary characters. Invisible characters and excessive combining marks are removed, and a text
that is hidden in them becomes visible."""

import re

from models.normal_forms import normalized
from models.safety.text.lookalikes import without_enclosures

_FLAGS = re.compile("\U0001f3f4(?:\U000e0067\U000e0062(?:[\U000e0061-\U000e007a]{3}))\U000e007f")
"""Flags of England, Scotland and Wales: the only proper use of tag characters."""

_TAGS = re.compile("[\U000e0020-\U000e007e]+")

_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]+"
)

_JOINERS = re.compile("(?<![\u0590-\u109f\u1780-\u18af\ua8e0-\uaadf])[\u200c\u200d]+")
"""Pattern of joiners that do not follow a letter of a script whose spelling needs joiners."""

_LONG_FORMS = re.compile(
    "[\u2057\u2152\u2161-\u2163\u2165-\u2168\u216a\u216b\u2171-\u2173\u2175-\u2178\u217a\u217b\u2474-\u2487\u2a0c"
    "\u321d\u321e\u3300-\u33ff\ufdf0-\ufdfc]"
)
"""Pattern of the numbers, units and formulas that NFKC expands to as many as eighteen characters. They are removed,
because none of them spells a word that the guard looks for."""

_LOOSE_MARKS = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
"""Pattern of marks on Latin, Greek and Cyrillic letters. NFKC joins a mark to its letter if a language has this letter,
so that the marks which remain after NFKC belong to no language."""


def clean(text: str) -> str:
    """Return the visible part of `text` in ordinary characters. ASCII that is hidden in tags and UTF-8 that is hidden
    in variation selectors become visible where they are.

    The work takes linear time. The result has at most three times as many characters as `text`.
    """
    if text.isascii():
        return _INVISIBLE.sub("", text)
    text = _FLAGS.sub("", text)
    text = _TAGS.sub(lambda run: f" {''.join(chr(ord(c) - 0xE0000) for c in run[0])} ", text)
    text = _SELECTORS.sub(lambda run: _hidden_in_selectors(run[0]), text)
    text = _INVISIBLE.sub("", text)
    text = _JOINERS.sub("", text)
    text = _LONG_FORMS.sub(" ", without_enclosures(text))
    return _LOOSE_MARKS.sub("", normalized("NFKC", text))


def _hidden_in_selectors(run: str) -> str:
    """Return the text whose bytes are written as variation selectors 1 to 256. One or two selectors do not count,
    because emoji and ideographs have them."""
    if len(run) < 3:
        return ""
    data = bytes(ord(c) - 0xFE00 if c <= "\ufe0f" else ord(c) - 0xE0100 + 16 for c in run)
    hidden = data.decode(errors="replace")
    return f" {hidden} " if hidden.isprintable() else ""
