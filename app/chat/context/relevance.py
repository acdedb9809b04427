"""Scores pieces of text by the words that they share with a question (BM25)."""

import math
import re
from collections import Counter
from collections.abc import Sequence

K1, B = 1.2, 0.75
"""Saturation and length normalisation of Okapi BM25, at their usual values (Robertson & Zaragoza 2009)."""
NEIGHBOUR_SHARE = 0.3
"""The neighbours of a passage get this share of its score in addition, because an answer may continue there."""
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
MAX_QUESTION_WORDS = 256
"""Only this many different words of a question are used for scoring.

If the question is longer, its first and last words are used, because the actual question is usually there.
"""
_QUESTION_CHARS = 10_000
"""The words of a long question are looked for only in this many characters at each of its ends."""


def words(text: str) -> list[str]:
    """Return the words of a text, case folded, without a plural s.

    Each Chinese, Japanese or Korean character is a word.
    """
    found = _WORD.findall(text.casefold())
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found]


def question_words(question: str) -> list[str]:
    """Return the different words of `question`, at most MAX_QUESTION_WORDS, in linear time."""
    if len(question) > 2 * _QUESTION_CHARS:
        question = f"{question[:_QUESTION_CHARS]}\n{question[-_QUESTION_CHARS:]}"
    found = list(dict.fromkeys(words(question)))
    half = MAX_QUESTION_WORDS // 2
    return found if len(found) <= MAX_QUESTION_WORDS else [*found[:half], *found[-half:]]


def word_overlap(question: str, pieces: Sequence[str]) -> list[float]:
    """Return the BM25 score of each piece, 0 if the piece shares no word with the question.

    The rarity of a word is measured among these pieces. The time is linear in the pieces' length: each piece is read
    once, and its words are looked up among the words of the question.
    """
    wanted_words = question_words(question)
    places: dict[str, list[tuple[int, int]]] = {word: [] for word in wanted_words}
    """The pieces that contain each word of the question, as pairs of a piece's index and the number of occurrences."""
    lengths: list[int] = []
    for index, piece in enumerate(pieces):
        found = words(piece)
        lengths.append(len(found))
        for word, often in Counter(word for word in found if word in places).items():
            places[word].append((index, often))
    mean = max(1.0, sum(lengths) / max(1, len(lengths)))
    scores = [0.0] * len(pieces)
    for within in places.values():
        rarity = math.log(1 + (len(pieces) - len(within) + 0.5) / (len(within) + 0.5))
        for index, often in within:
            scores[index] += rarity * often * (K1 + 1) / (often + K1 * (1 - B + B * lengths[index] / mean))
    return scores


def with_neighbours(scores: Sequence[float]) -> list[float]:
    padded = [0.0, *scores, 0.0]
    return [
        score + NEIGHBOUR_SHARE * (text_before + text_after)
        for text_before, score, text_after in zip(padded[:-2], scores, padded[2:], strict=True)
    ]
