"""Converts the classes that the recogniser finds in a line's columns into text (CTC, greedy)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_UNSPACED = (
    ("\u2e80", "\u303f"),  # radicals, CJK punctuation
    ("\u3040", "\u30ff"),  # hiragana, katakana
    ("\u3100", "\u312f"),  # bopomofo
    ("\u31f0", "\u9fff"),  # katakana extensions, enclosed letters, ideographs
    ("\uf900", "\ufaff"),  # compatibility ideographs
    ("\uff00", "\uffef"),  # full and half width forms
    ("\U00020000", "\U0003ffff"),  # rare ideographs
)
BLANK = 0


def is_cjk(character: str) -> bool:
    """True if `character` belongs to Chinese or Japanese writing, including its punctuation."""
    return character >= _UNSPACED[0][0] and any(first <= character <= last for first, last in _UNSPACED)


@dataclass(frozen=True, slots=True)
class RecognizedLine:
    """Text that the recogniser reads in a line crop."""

    text: str
    """Text, which may contain spaces."""
    probabilities: NDArray[np.float32]
    """Probability of each character, 0 to 1."""
    centres: NDArray[np.float32]
    """Position of each character, as a fraction of the crop's width."""

    @property
    def confidence(self) -> float:
        """Mean probability of the characters; 0 for an empty text."""
        return float(self.probabilities.mean()) if self.text else 0.0


def alphabet(characters: str) -> tuple[str, ...]:
    """Return the recogniser's classes: the blank, the `characters` of its file (one per line), and the space."""
    return ("", *characters.split("\n"), " ")


def decode(
    classes: NDArray[np.int32], probabilities: NDArray[np.float32], symbols: tuple[str, ...], columns: float
) -> RecognizedLine:
    """Return the text: runs of one class become one character, and blanks are dropped. `columns` is the width of the
    picture itself, in columns. Characters in the padding after it are dropped."""
    starts = np.flatnonzero(np.diff(classes, prepend=-1))
    ends = np.append(starts[1:], len(classes))
    kept = (classes[starts] != BLANK) & (starts < columns)
    starts, ends = starts[kept], ends[kept]
    text = "".join(symbols[index] for index in classes[starts])
    centres = np.minimum((starts + ends) / (2 * columns), 1).astype(np.float32)
    # Arithmetic of low precision may round a probability to slightly more than 1.
    return RecognizedLine(text, np.minimum(probabilities[starts], 1).astype(np.float32), centres)
