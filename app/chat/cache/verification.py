"""Decides whether a cached answer may be returned for a rephrased question, and learns from comparisons of answers.

The method is that of the paper "vCache: Verified Semantic Prompt Caching" (Schroeder et al., arXiv 2502.03771). Each
entry of the cache has its own model of the probability that its answer is right, given a question's similarity. The
model is learned online: some similar questions are answered again, both answers are compared, and the outcome is an
`Observation`. The cached answer is returned only so often that the share of wrong answers stays below a bound.

    P(right | s) = 1 / (1 + exp(-g (s - t)))      with g ≥ 0: a higher similarity never lowers P

A level of confidence ε excludes the parameters (t, g) whose likelihood is less than ε times the greatest likelihood;
the others are the region of Wilks for two parameters. The paper takes the worst P in the region at one ε, and counts
everything outside the region as wrong. Here the worst P is averaged over the regions of all ε. The average is never
less than the paper's value, because the regions shrink as ε grows. After n right answers at one similarity, the average
is n / (n + 1).

    >>> seen = Observations().added(*[Observation(0.9, correct=True)] * 40)
    >>> round(probability(seen, 0.9), 2), round(probability(seen, 0.8), 2)
    (0.97, 0.0)
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

VERSION: Final = 1
"""Version of the form in which observations are stored."""
MAX_ERROR: Final = 0.01
"""Default bound on the share of wrong answers among the answers returned from one entry."""
MIN_OBSERVATIONS: Final = 8
"""An entry's answer may be returned only after this many observations."""
MAX_OBSERVATIONS: Final = 256
"""The newest observations of an entry are kept, up to this number. With an error bound of 1 %, an answer is returned as
often as possible after some 100 right answers in a row."""
ALWAYS_EXPLORED: Final = 0.02
"""At least this share of questions is answered again, because answers change."""
MIN_SIMILARITY: Final = 0.5
"""A cached answer is returned or compared only if both questions are at least this similar."""

Decision = Literal["exploit", "explore"]
"""Choice between returning the cached answer ("exploit") and answering again to compare both answers ("explore")."""

_STEPS: Final = 100
"""Similarities from 0 to 1 are rounded to this many steps."""
_NEGLIGIBLE: Final = 1e-6
"""Parameters are ignored if their likelihood, relative to the greatest one, is not above this ratio, because they make
no difference."""


@dataclass(frozen=True, slots=True)
class Observation:
    similarity: float
    """Cosine of the two questions' vectors, from 0 to 1."""
    correct: bool
    """True if the cached answer agreed with the new answer."""


@dataclass(frozen=True, slots=True)
class Observations:
    """Observations of one entry, the oldest first."""

    seen: tuple[Observation, ...] = ()

    def __len__(self) -> int:
        return len(self.seen)

    def added(self, *observations: Observation) -> Self:
        """Return the observations with `observations` as the newest. The oldest beyond MAX_OBSERVATIONS are dropped."""
        return type(self)((*self.seen, *observations)[-MAX_OBSERVATIONS:])

    def to_list(self) -> list[int]:
        """Return the stored form: VERSION, and then for each observation its similarity in hundredths plus 1, which is
        negative for a wrong answer."""
        return [VERSION, *((_step(each.similarity) + 1) * (1 if each.correct else -1) for each in self.seen)]

    @classmethod
    def from_list(cls, stored: Sequence[Any]) -> Self:
        """Return the observations in `stored`. Raises ValueError for a list not made by `to_list` of this version."""
        if not stored or stored[0] != VERSION or len(stored) > MAX_OBSERVATIONS + 1:
            raise ValueError(f"no observations of version {VERSION}")
        if not all(type(each) is int and 1 <= abs(each) <= _STEPS + 1 for each in stored[1:]):
            raise ValueError("an observation is not a similarity")
        return cls(tuple(Observation((abs(each) - 1) / _STEPS, each > 0) for each in stored[1:]))


def decide(observations: Observations, similarity: float, max_error: float, draw: float) -> Decision:
    """Decide between "exploit" and "explore", so that the share of wrong answers stays below `max_error`.

    A cached answer that is wrong with probability e is returned with probability max_error / e at most. It is never
    returned if most new answers differed from it, if it has fewer than MIN_OBSERVATIONS, if the similarity is below
    MIN_SIMILARITY, or if `max_error` is 0.

    `draw` is at least 0 and below 1; `draw_of` makes one.
    """
    if max_error <= 0 or len(observations) < MIN_OBSERVATIONS or not similarity >= MIN_SIMILARITY:
        return "explore"
    if _mostly_differed(observations):
        return "explore"
    error = 1 - probability(observations, similarity)
    given = min(1 - ALWAYS_EXPLORED, max_error / max(error, 1e-9))
    return "exploit" if draw >= 1 - given else "explore"


def choose(candidates: Sequence[tuple[Observations, float]]) -> int | None:
    """Return the index of the entry to decide on, or None if no entry is similar enough.

    Each candidate is an entry's observations and its similarity. The entry whose answer is most probably right is
    chosen. If no entry has enough observations, the entry with the largest number of observations is chosen; among
    equals, the most similar one. An entry whose answer mostly differed is the last choice. In this way, observations
    accumulate at few entries.
    """
    ranked = [
        (_likely(seen, similarity), len(seen), similarity, index)
        for index, (seen, similarity) in enumerate(candidates)
        if similarity >= MIN_SIMILARITY
    ]
    return max(ranked)[-1] if ranked else None


def _mostly_differed(observations: Observations) -> bool:
    """True if the entry's answer differed from most new answers."""
    return 2 * sum(each.correct for each in observations.seen) < len(observations)


def _likely(observations: Observations, similarity: float) -> float:
    """Return the probability that the answer is right; -1 if it is unknown, -2 if most new answers differed."""
    if len(observations) < MIN_OBSERVATIONS:
        return -1
    return -2 if _mostly_differed(observations) else probability(observations, similarity)


def draw_of(scope: str, prompt: str, entry: str, observations: int) -> float:
    """Return a pseudo-random number, at least 0 and below 1, that is always equal for the same question in the same
    state.

    A repeated request therefore gets the same decision until the entry has a new observation.
    """
    parts = json.dumps([scope, prompt, entry, observations]).encode()
    return int.from_bytes(hashlib.sha256(parts).digest()[:6]) / (1 << 48)


def probability(observations: Observations, similarity: float) -> float:
    """Return the probability that the entry's answer is right at `similarity`. Uncertainty lowers it."""
    right, wrong = _grid()
    likelihood = np.zeros(right.shape[1], np.float32)
    for table, correct in ((right, True), (wrong, False)):
        counts = Counter(_step(each.similarity) for each in observations.seen if each.correct is correct)
        likelihood += np.array(list(counts.values()), np.float32) @ table[list(counts)]
    ratio = np.exp(likelihood - likelihood.max())
    likely = np.flatnonzero(ratio > _NEGLIGIBLE)
    order = likely[np.argsort(-ratio[likely])]
    # The region of a level contains the parameters with greater likelihood ratios. In this order, they come before the
    # level.
    worst = np.minimum.accumulate(np.exp(right[int(min(similarity, 1) * _STEPS)][order]))
    levels = ratio[order]
    return float(np.sum(worst * (levels - np.append(levels[1:], 0))))


def _step(similarity: float) -> int:
    return round(min(max(similarity, 0), 1) * _STEPS)


@cache
def _grid() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the logarithms of P(right) and P(wrong) by similarity and parameters: 2 MB, computed once."""
    places = np.linspace(0, 1.1, 89)
    """Similarities at which a right and a wrong answer are equally probable."""
    slopes = np.geomspace(2, 500, 24)
    place, slope = (each.ravel() for each in np.meshgrid(places, slopes))
    similarities = np.linspace(0, 1, _STEPS + 1)[:, None]
    level = np.broadcast_to(np.linspace(-6, 12, 73), (_STEPS + 1, 73))
    """Logits of a probability that does not depend on the similarity."""
    logits = np.hstack([slope * (similarities - place), level])
    return (-np.logaddexp(0, -logits)).astype(np.float32), (-np.logaddexp(0, logits)).astype(np.float32)
