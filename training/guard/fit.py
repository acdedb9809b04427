"""Fits the classifier head of the text guard to labelled examples.

All parameters are tuned on the given examples only, so a test on other examples remains unbiased. Each published set is
scored by models that were not trained on it, because in use the guard sees texts from unknown sources.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.safety.guard import TEXT_CODES
from models.safety.text.head import packed, terms_of, unpacked
from training.guard.data import ATTRIBUTION, MADE, REQUESTS, SETS, LabelledText

INNER_FOLDS = 4
"""Number of folds. Larger than the number of sets: each set is one fold's held-out data, and our own themes are spread
over all folds."""
MAX_ALARMS = 0.08
"""Largest share of the harmless examples that may be judged unsafe, both in the sets and among our own examples.

Many examples of a set were gathered because they look unsafe; the share among our own examples is far smaller.
"""
BLOCKED_COST = 5
"""Cost of the share of ordinary requests that are blocked, where the share of unsafe texts that pass costs 1: a request
is ordinary far more often than it is unsafe."""
TERMS = 8000
"""Number of terms of each kind in a head: the terms with the largest weights."""
_RAREST = {"words": 2, "parts": 3}
"""Smallest number of examples with a term, by kind of term."""
_TERM_SCALE = 2.0
_TERM_C = 2.0
LANDMARKS = 1200
"""Number of centres of clusters, half of them among the unsafe examples."""
_CLUSTERINGS = 5
_GAMMA = 2.5
_MEANING_C = 30.0
_CODE_C = 16.0
_EMBEDDED = 0.3
"""Share of our harmless examples for which the word model is not sure enough, so that they need the embedding model
too.

Embedding takes most of the time of a verdict. The share among passages of longer texts is smaller still.
"""

Vectors = NDArray[np.float32]
Odds = NDArray[np.float64]


@dataclass(frozen=True)
class Words:
    """The model of words: the weight of each term of both kinds."""

    words: Mapping[str, float]
    parts: Mapping[str, float]
    bias: float

    def stored(self) -> dict[str, Any]:
        return {
            "bias": round(self.bias, 4),
            "words": {term: round(weight, 3) for term, weight in sorted(self.words.items())},
            "parts": {term: round(weight, 3) for term, weight in sorted(self.parts.items())},
        }


@dataclass(frozen=True)
class Meaning:
    landmarks: Vectors
    weights: Odds
    bias: float

    def odds(self, vectors: Vectors) -> Odds:
        return np.asarray(_kernel(vectors, self.landmarks) @ self.weights + self.bias)

    def stored(self) -> dict[str, Any]:
        return {
            "gamma": _GAMMA,
            "bias": round(self.bias, 4),
            "weights": [round(float(weight), 3) for weight in self.weights],
            "landmarks": packed(self.landmarks),
        }


def fit(examples: Sequence[LabelledText], vectors: Vectors, *, seed: int) -> dict[str, Any]:
    """Return a head in the form of its file; `vectors` are the examples' embeddings."""
    unsafe = np.array([example.unsafe for example in examples])
    terms = [terms_of(example.text) for example in examples]
    of_words, of_meaning = _unseen(examples, terms, vectors, unsafe, seed)
    pair = np.stack([of_words, of_meaning], 1)
    both = LogisticRegression(C=1.0).fit(pair, unsafe, sample_weight=_even([example.source for example in examples]))
    probabilities = both.predict_proba(pair)[:, 1]
    kinds = [code for code in TEXT_CODES if any(example.code == code for example in examples)]
    chosen = np.flatnonzero([example.code is not None for example in examples])
    by_code = LogisticRegression(C=_CODE_C, max_iter=3000).fit(
        vectors[chosen], [kinds.index(str(examples[at].code)) for at in chosen]
    )
    return {
        "about": {
            "attribution": ATTRIBUTION,
            "embedding": "all-minilm-l6-v2",
            "examples": {"unsafe": int(unsafe.sum()), "harmless": int((~unsafe).sum())},
            "seed": seed,
        },
        "threshold": round(best_threshold(examples, probabilities), 3),
        "both": {
            "words": round(float(both.coef_[0][0]), 4),
            "meaning": round(float(both.coef_[0][1]), 4),
            "bias": round(float(both.intercept_[0]), 4),
        },
        "words": {
            "suspect": round(float(np.quantile(of_words[_own(examples)], 1 - _EMBEDDED)), 3),
            **fit_words(terms, unsafe).stored(),
        },
        "meaning": fit_meaning(vectors, unsafe, seed).stored(),
        "codes": {
            "names": kinds,
            "weights": [[round(float(weight), 3) for weight in row] for row in by_code.coef_],
            "biases": [round(float(bias), 3) for bias in by_code.intercept_],
        },
    }


def fit_words(terms: Sequence[tuple[frozenset[str], frozenset[str]]], unsafe: NDArray[np.bool_]) -> Words:
    kept = [_common((one[kind] for one in terms), least) for kind, least in enumerate(_RAREST.values())]
    weights, _ = _weighed(terms, unsafe, kept)
    kept = [sorted(sorted(own, key=lambda term: -abs(own[term]))[:TERMS]) for own in weights]
    weights, bias = _weighed(terms, unsafe, kept)
    return Words(weights[0], weights[1], bias)


def fit_meaning(vectors: Vectors, unsafe: NDArray[np.bool_], seed: int) -> Meaning:
    found = np.concatenate([_centres(vectors[chosen], seed) for chosen in (unsafe, ~unsafe)])
    # The landmarks are rounded as in the file, so that the weights are fitted to the values that are read later.
    landmarks = unpacked(packed(found), LANDMARKS)
    landmarks /= np.linalg.norm(landmarks, axis=1, keepdims=True)
    values, columns = np.linalg.eigh(_kernel(landmarks, landmarks))
    whitening = columns / np.sqrt(np.maximum(values, 1e-4))
    model = LogisticRegression(C=_MEANING_C, max_iter=500, tol=1e-3, class_weight="balanced")
    model.fit(_kernel(vectors, landmarks) @ whitening, unsafe)
    return Meaning(landmarks, whitening @ model.coef_[0], float(model.intercept_[0]))


def _centres(vectors: Vectors, seed: int) -> Vectors:
    """Return the centres of clusters on the sphere, half as many as there are landmarks (Lloyd's algorithm)."""
    number = LANDMARKS // 2
    centres = vectors[np.random.default_rng(seed).permutation(len(vectors))[:number]]
    for _ in range(_CLUSTERINGS):
        nearest = (vectors @ centres.T).argmax(1)
        members = scipy.sparse.csr_matrix(
            (np.ones(len(vectors), np.float32), (nearest, np.arange(len(vectors)))), shape=(number, len(vectors))
        )
        sums = members @ vectors + 1e-3 * centres  # A centre without members stays.
        centres = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(centres, np.float32)


def _unseen(
    examples: Sequence[LabelledText],
    terms: Sequence[tuple[frozenset[str], frozenset[str]]],
    vectors: Vectors,
    unsafe: NDArray[np.bool_],
    seed: int,
) -> tuple[Odds, Odds]:
    """Return the scores of each model for the examples that it was not fitted to."""
    of_words, of_meaning = np.zeros(len(examples)), np.zeros(len(examples))
    folds = np.array([_fold(example) for example in examples])
    for number in range(INNER_FOLDS):
        seen, held = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        words = fit_words([terms[at] for at in seen], unsafe[seen])
        of_words[held] = words_odds(words, [terms[at] for at in held])
        of_meaning[held] = fit_meaning(vectors[seen], unsafe[seen], seed).odds(vectors[held])
    return of_words, of_meaning


def _fold(example: LabelledText) -> int:
    if example.source in SETS:
        return SETS.index(example.source)
    return zlib.crc32(example.group.encode()) % INNER_FOLDS


def _own(examples: Sequence[LabelledText]) -> NDArray[np.bool_]:
    return np.array([example.source not in (*SETS, MADE, REQUESTS) for example in examples])


def _even(sources: Sequence[str]) -> Odds:
    """Return weights by which each set, each kind of generated examples and our own examples count equally."""
    kinds = [source if source in (*SETS, MADE, REQUESTS) else "own" for source in sources]
    sizes = Counter(kinds)
    return np.array([len(kinds) / len(sizes) / sizes[kind] for kind in kinds])


def words_odds(words: Words, terms: Sequence[tuple[frozenset[str], frozenset[str]]]) -> Odds:
    matrix = _matrix(terms, [sorted(words.words), sorted(words.parts)])
    weights = [own[term] / _TERM_SCALE for own in (words.words, words.parts) for term in sorted(own)]
    return np.asarray(matrix @ np.array(weights) + words.bias)


def _weighed(
    terms: Sequence[tuple[frozenset[str], frozenset[str]]], unsafe: NDArray[np.bool_], kept: Sequence[Sequence[str]]
) -> tuple[list[dict[str, float]], float]:
    model = LogisticRegression(C=_TERM_C, max_iter=500, tol=1e-3, class_weight="balanced")
    model.fit(_matrix(terms, kept), unsafe)
    weights = iter((model.coef_[0] * _TERM_SCALE).tolist())
    return [{term: next(weights) for term in own} for own in kept], float(model.intercept_[0])


def _matrix(
    terms: Sequence[tuple[frozenset[str], frozenset[str]]], kept: Sequence[Sequence[str]]
) -> "scipy.sparse.csr_matrix":
    """Return a bag of words for each text, scaled to unit length separately for words and for parts."""
    blocks = []
    for kind, own in enumerate(kept):
        place = {term: at for at, term in enumerate(own)}
        rows, columns, values = [], [], []
        for row, both in enumerate(terms):
            known = [place[term] for term in both[kind] if term in place]
            rows += [row] * len(known)
            columns += known
            values += [_TERM_SCALE / len(known) ** 0.5] * len(known) if known else []
        blocks.append(scipy.sparse.csr_matrix((values, (rows, columns)), shape=(len(terms), len(own))))
    return scipy.sparse.hstack(blocks).tocsr()


def _common(terms: Iterable[frozenset[str]], least: int) -> list[str]:
    counts = Counter(term for one in terms for term in one)
    return sorted(term for term, count in counts.items() if count >= least)


def _kernel(vectors: Vectors, landmarks: Vectors) -> Odds:
    return np.asarray(np.exp(-_GAMMA * (2 - 2 * vectors.astype(np.float64) @ landmarks.T.astype(np.float64))))


def best_threshold(examples: Sequence[LabelledText], probabilities: Odds) -> float:
    """Return the threshold with the least cost among those with few enough false alarms: the mean share of unsafe texts
    of a set that pass, and BLOCKED_COST times the share of ordinary requests that are blocked."""
    unsafe = np.array([example.unsafe for example in examples])
    sources = np.array([example.source for example in examples])
    harmless = probabilities[~unsafe & ~np.isin(sources, (MADE, REQUESTS))]
    ordinary = probabilities[sources == REQUESTS]
    sets = [probabilities[unsafe & (sources == name)] for name in SETS if name in sources]

    def cost(threshold: float) -> tuple[bool, float]:
        passed = np.mean([(own < threshold).mean() for own in sets])
        blocked = (ordinary >= threshold).mean()
        return bool((harmless >= threshold).mean() > MAX_ALARMS), float(passed + BLOCKED_COST * blocked)

    return min(np.linspace(0.02, 0.98, 193).tolist(), key=cost)
