"""Decides whether a kept answer may be given to a question in other words, and learns it from compared answers.

The method is that of the paper "vCache: Verified Semantic Prompt Caching" (Schroeder et al., arXiv 2502.03771). Each
entry of the cache has a model of its own of how likely its answer is right for a question of some similarity, learned
online: questions near it are answered afresh now and then, both answers are compared, and what comes out of it is an
`Observation`. The kept answer is given only as often as keeps the share of wrong ones below a bound.

    P(right | s) = 1 / (1 + exp(-g (s - t)))      with g ≥ 0: a higher similarity never makes it less likely

A level of confidence ε leaves out the parameters (t, g) whose likelihood is less than ε times the greatest, which is
the region of Wilks for two parameters. The paper takes the worst P of the region at one ε, and what is outside of it as
wrong. Here the worst is averaged over the regions of all ε, which is never less, as they shrink with a greater ε. After
n right answers at one similarity it is n / (n + 1).

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
"""The form in which observations are stored."""
MAX_ERROR: Final = 0.01
"""The share of wrong answers among those of an entry that is borne unless a setting says otherwise."""
MIN_OBSERVATIONS: Final = 8
"""Observations without which an entry's answer is never given."""
MAX_OBSERVATIONS: Final = 256
"""Observations that are kept of an entry, the newest: a bound of 1 % needs 99 right ones in a row."""
ALWAYS_EXPLORED: Final = 0.02
"""The share of questions that are answered afresh whatever is known, as answers change."""
MIN_SIMILARITY: Final = 0.5
"""What is less alike is another question: it is neither answered from the cache nor compared."""

Decision = Literal["exploit", "explore"]
"""Give the kept answer; or answer afresh, and compare."""

_STEPS: Final = 100
"""Steps in which similarities are counted, from 0 to 1."""
_NEGLIGIBLE: Final = 1e-6
"""A ratio of likelihoods below which parameters make no difference."""


@dataclass(frozen=True, slots=True)
class Observation:
    similarity: float
    """The cosine of the two questions' vectors, 0 to 1."""
    correct: bool
    """The kept answer said the same as the fresh one."""


@dataclass(frozen=True, slots=True)
class Observations:
    """The observations of one entry, the oldest first."""

    seen: tuple[Observation, ...] = ()

    def __len__(self) -> int:
        return len(self.seen)

    def added(self, *observations: Observation) -> Self:
        """The observations with these as the newest; the oldest beyond MAX_OBSERVATIONS are dropped."""
        return type(self)((*self.seen, *observations)[-MAX_OBSERVATIONS:])

    def to_list(self) -> list[int]:
        """The stored form: VERSION, then 100 times each similarity plus 1, negative for a wrong answer."""
        return [VERSION, *((_step(each.similarity) + 1) * (1 if each.correct else -1) for each in self.seen)]

    @classmethod
    def from_list(cls, stored: Sequence[Any]) -> Self:
        """Raises ValueError for what `to_list` of this version does not make."""
        if not stored or stored[0] != VERSION or len(stored) > MAX_OBSERVATIONS + 1:
            raise ValueError(f"no observations of version {VERSION}")
        if not all(type(each) is int and 1 <= abs(each) <= _STEPS + 1 for each in stored[1:]):
            raise ValueError("an observation is no similarity")
        return cls(tuple(Observation((abs(each) - 1) / _STEPS, each > 0) for each in stored[1:]))


def decide(observations: Observations, similarity: float, max_error: float, draw: float) -> Decision:
    """Exploits so seldom that the share of wrong answers stays below `max_error`, however wrong the kept one may be: an
    answer that is wrong with a probability e is given with max_error / e at most, never where more of the fresh
    answers differed from it than not, and never with `max_error` 0.

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
    """The place of the entry to decide on among those that no veto excludes, each with its similarity: the one whose
    answer is likeliest to be right; where too little is known of all, the one of which most is known, then the nearest;
    one that mostly differed comes last. None where there is none. What is learned gathers with few entries that way."""
    ranked = [
        (_likely(seen, similarity), len(seen), similarity, place)
        for place, (seen, similarity) in enumerate(candidates)
        if similarity >= MIN_SIMILARITY
    ]
    return max(ranked)[-1] if ranked else None


def _mostly_differed(observations: Observations) -> bool:
    """Tells whether the entry's answer differed from most fresh answers."""
    return 2 * sum(each.correct for each in observations.seen) < len(observations)


def _likely(observations: Observations, similarity: float) -> float:
    """The probability that the answer is right; -1 where it is not known, -2 where most fresh answers differed."""
    if len(observations) < MIN_OBSERVATIONS:
        return -1
    return -2 if _mostly_differed(observations) else probability(observations, similarity)


def draw_of(scope: str, prompt: str, entry: str, observations: int) -> float:
    """0 ≤ draw < 1, the same for the same question in the same state: a request that is repeated is treated alike until
    something was learned of the entry."""
    parts = json.dumps([scope, prompt, entry, observations]).encode()
    return int.from_bytes(hashlib.sha256(parts).digest()[:6]) / (1 << 48)


def probability(observations: Observations, similarity: float) -> float:
    """The probability that the entry's answer is right at `similarity`; what the observations leave open counts against
    it."""
    right, wrong = _grid()
    likelihood = np.zeros(right.shape[1], np.float32)
    for table, correct in ((right, True), (wrong, False)):
        counts = Counter(_step(each.similarity) for each in observations.seen if each.correct is correct)
        likelihood += np.array(list(counts.values()), np.float32) @ table[list(counts)]
    ratio = np.exp(likelihood - likelihood.max())
    likely = np.flatnonzero(ratio > _NEGLIGIBLE)
    order = likely[np.argsort(-ratio[likely])]
    # The region of a level holds the parameters whose ratio is greater: those before its place in this order.
    worst = np.minimum.accumulate(np.exp(right[int(min(similarity, 1) * _STEPS)][order]))
    levels = ratio[order]
    return float(np.sum(worst * (levels - np.append(levels[1:], 0))))


def _step(similarity: float) -> int:
    return round(min(max(similarity, 0), 1) * _STEPS)


@cache
def _grid() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The logarithms of P(right) and P(wrong) by similarity and parameters: 2 MB, made once."""
    places = np.linspace(0, 1.1, 89)
    """Similarities at which right and wrong are as likely."""
    slopes = np.geomspace(2, 500, 24)
    place, slope = (each.ravel() for each in np.meshgrid(places, slopes))
    similarities = np.linspace(0, 1, _STEPS + 1)[:, None]
    level = np.broadcast_to(np.linspace(-6, 12, 73), (_STEPS + 1, 73))
    """The logits of what does not depend on the similarity."""
    logits = np.hstack([slope * (similarities - place), level])
    return (-np.logaddexp(0, -logits)).astype(np.float32), (-np.logaddexp(0, logits)).astype(np.float32)
