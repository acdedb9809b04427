"""Estimates the size of a text's type from its letters."""

from dataclasses import dataclass

_LOW, _TAILED = frozenset("acemnorsuvwxzgpqy"), frozenset("gpqyj,;Q()[]{}|/$@")

_NARROW, _WIDE = frozenset("ijltfrI.,:;'|!()[]/- "), frozenset("mwMW@%&")

_HEIGHT_RATIO = 1.45
"""Letters may have different sizes of type if the ratio of their heights is at least this."""

_WIDTH_RATIO = 1.2
"""Letters have different sizes only if the ratio of their widths is at least this, too. Heights alone do not suffice,
because a box is often too high: it includes a rule of a table, or the tail of a letter."""

_LEAST_LETTERS = 3
"""The size of a text can be estimated only if it has at least this many letters and digits."""


@dataclass(frozen=True, slots=True)
class TypeSize:
    """Height of a text's capitals and width of its letters, estimated from the text and the size of its box."""

    high: float
    wide: float
    letters: int

    @classmethod
    def of(cls, text: str, height: float, width: float) -> "TypeSize":
        """Estimate the size of `text` without spaces. Its ink is `height` pixels high, and its words are together
        `width` pixels wide."""
        letters = [letter for letter in text if letter.isalnum()]
        extent = 0.74 if letters and all(letter in _LOW for letter in letters) else 1.0
        if any(letter in _TAILED for letter in text):
            extent += 0.28
        ems = sum(0.34 if c in _NARROW else 0.92 if c in _WIDE else 0.7 if c.isupper() else 0.6 for c in text)
        return cls(height / extent, width / ems, len(letters))

    def is_another(self, other: "TypeSize") -> bool:
        if min(self.letters, other.letters) < _LEAST_LETTERS:
            return False
        small, large = sorted((self, other), key=lambda size: size.high)
        return large.high >= _HEIGHT_RATIO * small.high and large.wide >= _WIDTH_RATIO * small.wide
