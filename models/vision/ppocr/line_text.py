"""The text of a line, from the classes that the recogniser finds in its columns (CTC, greedy)."""

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


def is_cjk(character: str) -> bool:
    """True if `character` belongs to Chinese or Japanese writing, including its punctuation."""
    return character >= _UNSPACED[0][0] and any(first <= character <= last for first, last in _UNSPACED)


BLANK = 0


@dataclass(frozen=True, slots=True)
class RecognizedLine:
    """Text that the recogniser reads in a line crop."""

    text: str
    """May hold spaces."""
    probabilities: NDArray[np.float32]
    """One a character, 0 to 1."""
    centres: NDArray[np.float32]
    """Position of each character, as a fraction of the crop's width."""

    @property
    def confidence(self) -> float:
        """The mean probability of the characters; 0 for an empty reading."""
        return float(self.probabilities.mean()) if self.text else 0.0


def alphabet(characters: str) -> tuple[str, ...]:
    """Classes of the recogniser: the blank, the `characters` of its file (one a line), the space."""
    return ("", *characters.split("\n"), " ")


def decode(
    classes: NDArray[np.int32], probabilities: NDArray[np.float32], symbols: tuple[str, ...], columns: float
) -> RecognizedLine:
    """Collapse runs of one class to a character and drop blanks.

    `columns` is how many columns the picture itself fills; what is read in the padding behind it is dropped.
    """
    starts = np.flatnonzero(np.diff(classes, prepend=-1))
    ends = np.append(starts[1:], len(classes))
    kept = (classes[starts] != BLANK) & (starts < columns)
    starts, ends = starts[kept], ends[kept]
    text = "".join(symbols[index] for index in classes[starts])
    centres = np.minimum((starts + ends) / (2 * columns), 1).astype(np.float32)
    # Low-precision arithmetic may round a probability to just above 1.
    return RecognizedLine(text, np.minimum(probabilities[starts], 1).astype(np.float32), centres)
