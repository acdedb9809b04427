"""Rules for the clear cases of S1 to S13: phrases with an intent and its object, in fourteen languages.

Precision is more important than recall, because the trained classifier judges the texts in which no phrase is found. In
languages that the classifier hardly understands, a text is judged by the rules alone.
"""

from models.safety.text.matching import PhraseMatch, best, folded
from models.safety.text.phrasebook import RULES


def matches(text: str) -> list[PhraseMatch]:
    """Return the best match of each code in `text`, the most certain first. The work takes linear time."""
    return best(RULES, folded(text))
