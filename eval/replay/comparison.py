"""Compares two results of `eval.replay run` paper by paper, and says whether the later may replace the earlier."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eval.replay.answers import ScoredPaper
from eval.replay.papers import CLOSED

SURE = 0.9
"""A field with at least this probability is accepted unseen."""
LEAST_CHANGE = -0.005
"""The lower bound of the change of the share of right fields must be at least this."""
MOST_SECONDS = 0.3
"""A paper must take at most this processor time on average, in seconds. The encoder and the embedder are not counted:
their time was measured when their results were computed, and depends on what else ran then."""
RESAMPLES = 5_000
BOUNDS = (2.5, 97.5)
"""Percentiles of the resamples between which 95 % of them are."""
MOST_SHOWN = 12


@dataclass(frozen=True)
class Totals:
    papers: int
    fields: int
    right: int
    wrong: int
    missed: int
    invented: int
    sure: int
    sure_and_wrong: int
    """Number of the sure fields that are not right."""
    seconds: float
    """Mean processor time of a paper, without the encoder and the embedder."""
    engine_seconds: float
    """Mean processor time of the encoder and the embedder for a paper."""
    refused: int

    @property
    def share(self) -> float:
        return self.right / max(1, self.fields)


@dataclass(frozen=True)
class Change:
    """Change of the share of right fields, with the bounds of 95 %."""

    mean: float
    low: float
    high: float


def totals(papers: Sequence[ScoredPaper]) -> Totals:
    leaves = [leaf for paper in papers for leaf in paper.leaves]
    counts = Counter(leaf.verdict for leaf in leaves)
    sure = [leaf for leaf in leaves if leaf.probability is not None and leaf.probability >= SURE]
    return Totals(
        len(papers),
        len(leaves),
        counts["right"],
        counts["wrong"],
        counts["missed"],
        counts["invented"],
        len(sure),
        sum(leaf.verdict != "right" for leaf in sure),
        sum(paper.seconds - paper.engine_seconds for paper in papers) / max(1, len(papers)),
        sum(paper.engine_seconds for paper in papers) / max(1, len(papers)),
        sum(bool(paper.error) for paper in papers),
    )


def paired(before: Sequence[ScoredPaper], after: Sequence[ScoredPaper]) -> list[tuple[ScoredPaper, ScoredPaper]]:
    """Return the papers that are in both results."""
    own = {(paper.set, paper.name): paper for paper in after}
    return [(paper, own[paper.set, paper.name]) for paper in before if (paper.set, paper.name) in own]


def change(pairs: Sequence[tuple[ScoredPaper, ScoredPaper]]) -> Change:
    """Return the change of the share of right fields. The bounds are of a bootstrap over papers, each with both of its
    answers (Efron and Tibshirani, "An introduction to the bootstrap", 1993)."""
    counts = np.array([(_right(one), len(one.leaves), _right(two), len(two.leaves)) for one, two in pairs], float)
    drawn = np.random.default_rng(1).multinomial(len(pairs), [1 / len(pairs)] * len(pairs), RESAMPLES)
    low, high = np.percentile(_difference(drawn @ counts), BOUNDS)
    return Change(float(_difference(counts.sum(axis=0, keepdims=True))[0]), float(low), float(high))


def _difference(sums: np.ndarray) -> np.ndarray:
    found: np.ndarray = sums[:, 2] / sums[:, 3] - sums[:, 0] / sums[:, 1]
    return found


def _right(paper: ScoredPaper) -> int:
    return sum(leaf.verdict == "right" for leaf in paper.leaves)


def table(papers: Sequence[ScoredPaper]) -> Iterator[str]:
    """Yield a line of totals for each set, and one for all papers."""
    yield (
        f"{'set':10}{'papers':>7}{'fields':>7}{'right':>8}{'wrong':>7}{'missed':>8}{'invented':>9}"
        f"{'≥ 0.9':>7}{'of them not right':>18}{'s':>6}{'+ engines':>10}{'refused':>8}"
    )
    for name in (*dict.fromkeys(paper.set for paper in papers), "all"):
        own = totals([paper for paper in papers if name in (paper.set, "all")])
        yield (
            f"{name:10}{own.papers:7}{own.fields:7}{own.share:8.2%}{own.wrong:7}{own.missed:8}{own.invented:9}"
            f"{own.sure:7}{own.sure_and_wrong:18}{own.seconds:6.2f}{own.engine_seconds:10.2f}{own.refused:8}"
        )


def report(before: Sequence[ScoredPaper], after: Sequence[ScoredPaper]) -> Iterator[str]:
    """Yield the lines of the comparison."""
    pairs = paired(before, after)
    if not pairs:
        yield "The results have no paper in common."
        return
    left_out = len(before) + len(after) - 2 * len(pairs)
    if left_out:
        yield f"{left_out} papers are in one of the results only, and left out."
    yield "before"
    yield from table([one for one, _ in pairs])
    yield "after"
    yield from table([two for _, two in pairs])
    yield "change of the share of right fields, with the bounds of 95 %"
    for name in (*dict.fromkeys(one.set for one, _ in pairs), "all"):
        found = change([pair for pair in pairs if name in (pair[0].set, "all")])
        yield f"{name:10}{found.mean:+8.2%}  ({found.low:+.2%} to {found.high:+.2%})"
    yield from _most_changed(pairs)
    yield verdict(pairs)


def _most_changed(pairs: Sequence[tuple[ScoredPaper, ScoredPaper]]) -> Iterator[str]:
    changed = [(_right(two) - _right(one), one, two) for one, two in pairs if one.set not in CLOSED]
    changed = sorted((one for one in changed if one[0]), key=lambda one: (-abs(one[0]), one[1].name))
    for more, one, two in changed[:MOST_SHOWN]:
        right, fields = (f"{_right(one)} → {_right(two)}", f"{len(one.leaves)} → {len(two.leaves)}")
        yield f"  {more:+} right: {one.set}/{one.name} ({right} of {fields}){' ' + two.error if two.error else ''}"


def verdict(pairs: Sequence[tuple[ScoredPaper, ScoredPaper]]) -> str:
    """Return the line that says whether the gate holds."""
    old, new = totals([one for one, _ in pairs]), totals([two for _, two in pairs])
    found = change(pairs)
    checks = {
        f"lower bound {found.low:+.2%} ≥ {LEAST_CHANGE:.1%}": found.low >= LEAST_CHANGE,
        f"wrong at ≥ {SURE}: {new.sure_and_wrong} ≤ {old.sure_and_wrong}": new.sure_and_wrong <= old.sure_and_wrong,
        f"{new.seconds:.2f} s ≤ {MOST_SECONDS} s a paper": new.seconds <= MOST_SECONDS,
    }
    engines = f"and {new.engine_seconds:.2f} s of engines, before {old.engine_seconds:.2f} s"
    told = "; ".join(f"{'' if holds else 'NOT '}{check}" for check, holds in checks.items())
    return f"The gate {'holds' if all(checks.values()) else 'DOES NOT HOLD'}: {told}, {engines}"
