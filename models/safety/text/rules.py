"""The clear cases of S1 to S13, by phrases: an intent and its object, in fourteen languages.

Precision before recall: what a phrase does not settle is for the trained head. Beside the languages that the head
hardly reads, the rules are what a text is judged by.
"""

from models.safety.text.matching import ASKED, SAID, Match, Table, folded
from models.safety.text.phrases import LANGUAGES

__all__ = ["ASKED", "SAID", "Match", "matches"]


def matches(text: str) -> list[Match]:
    """The best match of each code in `text`, the surest first. In linear time."""
    return best(LANGUAGES, folded(text))


def best(tables: tuple[Table, ...], text: bytes) -> list[Match]:
    """Of all that `tables` find in a folded text, the best of each code."""
    found: dict[str, Match] = {}
    for table in tables:
        for match in table.matches(text):
            if match.code not in found or match.score > found[match.code].score:
                found[match.code] = match
    return sorted(found.values(), key=lambda match: -match.score)
