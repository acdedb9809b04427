"""How much of what a question asks for stands in which piece of a text."""

import math
import re
from collections import Counter
from collections.abc import Sequence

K1, B = 1.2, 0.75
"""Saturation and length normalisation of Okapi BM25, at their usual values (Robertson & Zaragoza 2009)."""
NEIGHBOUR_SHARE = 0.3
"""Of a piece's score, what the piece before and the one after it get: an answer runs on."""

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def words(text: str) -> list[str]:
    """Case folded, without a plural s; scripts that are written without spaces character by character."""
    found = _WORD.findall(text.casefold())
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found]


def word_overlap(question: str, pieces: Sequence[str]) -> list[float]:
    """BM25 of each piece, with the rarity of words measured among these pieces. 0 where nothing overlaps."""
    counts = [Counter(words(piece)) for piece in pieces]
    lengths = [count.total() for count in counts]
    mean = max(1.0, sum(lengths) / max(1, len(lengths)))
    scores = [0.0] * len(pieces)
    for word in dict.fromkeys(words(question)):
        within = [index for index, count in enumerate(counts) if word in count]
        rarity = math.log(1 + (len(pieces) - len(within) + 0.5) / (len(within) + 0.5))
        for index in within:
            often = counts[index][word]
            scores[index] += rarity * often * (K1 + 1) / (often + K1 * (1 - B + B * lengths[index] / mean))
    return scores


def with_neighbours(scores: Sequence[float]) -> list[float]:
    padded = [0.0, *scores, 0.0]
    return [
        score + NEIGHBOUR_SHARE * (before + after)
        for before, score, after in zip(padded[:-2], scores, padded[2:], strict=True)
    ]
