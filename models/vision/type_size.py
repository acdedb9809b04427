"""The size in which a text is set, by the letters in it."""

from dataclasses import dataclass

_LOW, _TAILED = frozenset("acemnorsuvwxzgpqy"), frozenset("gpqyj,;Q()[]{}|/$@")

_NARROW, _WIDE = frozenset("ijltfrI.,:;'|!()[]/- "), frozenset("mwMW@%&")

_LARGER = 1.45
"""Ratio of the heights of letters from which two texts are set in two sizes."""

_WIDER = 1.2
"""Ratio of the widths of letters from which two texts are set in two sizes: a box alone is often too high, around a
rule of the table or the tail of a letter."""

_FEWEST = 3
"""Letters and digits that show in which size a text is set."""


@dataclass(frozen=True, slots=True)
class TypeSize:
    """How high the capitals of a text are, and how wide its letters, by what stands in it."""

    high: float
    wide: float
    letters: int

    @classmethod
    def of(cls, text: str, height: float, width: float) -> "TypeSize":
        """`text` without spaces, its ink `height` pixels high and its words `width` wide together."""
        letters = [letter for letter in text if letter.isalnum()]
        extent = 0.74 if letters and all(letter in _LOW for letter in letters) else 1.0
        if any(letter in _TAILED for letter in text):
            extent += 0.28
        ems = sum(0.34 if c in _NARROW else 0.92 if c in _WIDE else 0.7 if c.isupper() else 0.6 for c in text)
        return cls(height / extent, width / ems, len(letters))

    def is_another(self, other: "TypeSize") -> bool:
        if min(self.letters, other.letters) < _FEWEST:
            return False
        small, large = sorted((self, other), key=lambda size: size.high)
        return large.high >= _LARGER * small.high and large.wide >= _WIDER * small.wide
