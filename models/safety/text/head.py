"""The trained part of openfaze's own guard, its head. From a passage's words and meaning, the head computes the
probability that the passage is unsafe, P(unsafe). From this probability, it computes the score of each code.

The probability comes from two models with different inputs, and a third that combines their results:

- words: a linear model over the words, pairs of words and parts of words in a text (logistic regression);
- meaning: a weighted sum of Gaussian kernels around landmarks among the sentence embeddings (logistic regression on a
  Nyström map; Williams & Seeger 2001), k(x, l) = exp(−γ·|x − l|²);
- both: P(unsafe) by logistic regression over the results of the two, fitted on their results for held-out texts
  (stacking; Wolpert 1992), which makes the result a probability.

A linear model over the embedding determines the hazards. It gives each code a probability p. The likeliest code gets
the score P(unsafe), and every other code P(unsafe)·∛(p / p of the likeliest), so that a text with two hazards has both
codes.

training/guard makes the file with the trained models.
"""

import base64
import itertools
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedding.embedder import Vector
from models.normal_forms import normalized
from models.safety.guard import Scores

_WORD = re.compile(r"[^\W\d_]{2,}")

_PART_LENGTHS = (3, 4, 5)
"""Lengths of the parts of a word, in characters: parts distinguish "trafficking" from "traffic", and still recognise
"traffickers"."""

_MAX_WORD_CHARS = 24
"""Only this many characters of a word are used, which bounds the work for a hash or a key. Real words are shorter."""

_PRIOR_SHARING = 0.65
"""The prior odds of a passage are those of its text, divided by this power of the number of passages. With 0, each
passage has the prior odds of the whole text; with 1, the passages share them equally. The value was chosen by the
verdicts on harmless documents (docs/guard-engines.md)."""
_BYTE_SCALE = 127
"""Factor by which the elements of unit vectors are multiplied to store them as bytes. The error of an element is at
most 0.004."""
FILE = Path(__file__).with_name("head.json")


def terms_of(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words, the pairs of neighbouring words and the parts of words in `text`, each once. Case, accents,
    digits and punctuation do not count. A part at the beginning or end of a word has a space there."""
    words = [word[:_MAX_WORD_CHARS] for word in _WORD.findall(_plain(text))]
    pairs = map(" ".join, itertools.pairwise(words))
    return frozenset([*words, *pairs]), frozenset(part for word in frozenset(words) for part in _parts(word))


def _plain(text: str) -> str:
    """Return `text` in lower case without accents and apostrophes, so that "don't" is one word however it is
    written."""
    decomposed = normalized("NFKD", text.lower())
    if not decomposed.isascii():
        decomposed = "".join(character for character in decomposed if not unicodedata.combining(character))
    return decomposed.replace("'", "").replace("’", "")


def _parts(word: str) -> Iterator[str]:
    bounded = f" {word} "
    for length in _PART_LENGTHS:
        for start in range(len(bounded) - length + 1):
            yield bounded[start : start + length]


@dataclass(frozen=True)
class Linear:
    """A weighted sum of the terms in a text, divided by the root of the number of known terms."""

    weights: Mapping[str, float]

    def log_odds(self, terms: frozenset[str]) -> float:
        found = [self.weights[term] for term in terms if term in self.weights]
        return sum(found) / len(found) ** 0.5 if found else 0.0


@dataclass(frozen=True)
class GuardHead:
    about: Mapping[str, Any]
    """Origin of the head: the data with their attributions, the seed, the sizes."""
    words: Linear
    parts: Linear
    words_bias: float
    landmarks: NDArray[np.float32]
    """Matrix of n landmarks × 384."""
    gamma: float
    landmark_weights: NDArray[np.float32]
    meaning_bias: float
    both: tuple[float, float, float]
    """Weight of words, weight of meaning, and the intercept."""
    suspect: float
    """A text of one passage is embedded only if its log odds by words are at least this. The head counts other texts as
    safe by their words alone, because embedding takes most of the time of a verdict."""
    codes: tuple[str, ...]
    code_weights: NDArray[np.float32]
    """Matrix of codes × 384."""
    code_biases: NDArray[np.float32]
    threshold: float
    """A text counts as unsafe if its P(unsafe) is at least this."""

    def log_odds_by_words(self, text: str) -> float:
        """Log odds that a text is unsafe, by its words alone."""
        words, parts = terms_of(text)
        return self.words.log_odds(words) + self.parts.log_odds(parts) + self.words_bias

    def log_odds_by_meaning(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log odds that each text is unsafe, by its meaning alone: n numbers for n × 384."""
        squares = 2 - 2 * vectors @ self.landmarks.T
        odds: NDArray[np.float32] = np.exp(-self.gamma * squares) @ self.landmark_weights + self.meaning_bias
        return odds

    def unsafe(self, words: float, meaning: float, passages: int = 1) -> float:
        """P(unsafe) of one of a text's `passages` passages. A long text has more chances to look unsafe by accident, so
        its prior odds are divided among its passages. The divisor is smaller than their number, because passages of one
        text are alike."""
        words_weight, meaning_weight, bias = self.both
        odds = words_weight * words + meaning_weight * meaning + bias - _PRIOR_SHARING * np.log(passages)
        return float(1 / (1 + np.exp(-odds)))

    def is_suspect(self, words: float, passages: int) -> bool:
        """True if a passage has to be embedded, because its log odds by words are high."""
        return words >= self.suspect + float(np.log(passages))

    def scores(self, unsafe: float, vector: Vector) -> Scores:
        """Score of each of `codes` for a text that is unsafe with the probability `unsafe`."""
        odds = self.code_weights @ vector + self.code_biases
        relative = np.exp((odds - odds.max()) / 3)
        return dict(zip(self.codes, (unsafe * relative).tolist(), strict=True))


@cache
def load_head(path: Path = FILE) -> GuardHead:
    return head_of(json.loads(path.read_text(encoding="utf-8")))


def head_of(stored: Mapping[str, Any]) -> GuardHead:
    words, meaning, kinds = stored["words"], stored["meaning"], stored["codes"]
    landmarks = unpacked(meaning["landmarks"], len(meaning["weights"]))
    return GuardHead(
        about=stored["about"],
        words=Linear(words["words"]),
        parts=Linear(words["parts"]),
        words_bias=words["bias"],
        landmarks=landmarks / np.linalg.norm(landmarks, axis=1, keepdims=True),
        gamma=meaning["gamma"],
        landmark_weights=np.array(meaning["weights"], np.float32),
        meaning_bias=meaning["bias"],
        both=(stored["both"]["words"], stored["both"]["meaning"], stored["both"]["bias"]),
        suspect=words["suspect"],
        codes=tuple(kinds["names"]),
        code_weights=np.array(kinds["weights"], np.float32),
        code_biases=np.array(kinds["biases"], np.float32),
        threshold=stored["threshold"],
    )


def packed(vectors: NDArray[np.float32]) -> str:
    """Return unit vectors, one per row, as one byte per element in base64."""
    return base64.b64encode(np.rint(vectors * _BYTE_SCALE).astype(np.int8).tobytes()).decode()


def unpacked(text: str, rows: int) -> NDArray[np.float32]:
    bytes_ = np.frombuffer(base64.b64decode(text), np.int8)
    return (bytes_.reshape(rows, -1) / _BYTE_SCALE).astype(np.float32)


def worst_of(all_scores: Sequence[Scores]) -> dict[str, float]:
    """Return the highest score of each code."""
    worst: dict[str, float] = {}
    for scores in all_scores:
        for code, score in scores.items():
            worst[code] = max(score, worst.get(code, 0.0))
    return worst
