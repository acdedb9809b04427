"""Measures how often a verified cache hits, and how often a hit is wrong, on 20,000 requests, by the bound on errors.

    .venv/bin/python -m bench.cache_simulation            # docs/images/cache-simulation.png, and a table
    .venv/bin/python -m bench.cache_simulation --requests 2000 --picture ""

No user asked these questions: subjects and wordings by this project are combined at random, so that it is known which
questions mean the same (cache_simulation.toml). The embedding engine, the vetoes and the decision are the real ones.
There are three streams of the same questions: in the first, few meanings are asked often (Zipf's law); in the second,
the meanings that are asked change over time; in the third, all questions of one meaning follow each other. Verification
is assumed to be right. The first stream is also run without vetoes, so that only the learned decision prevents errors.

A question that the LLM answers becomes an entry, unless the entry that it is compared with has the same answer. A
question with exactly the words of an earlier question would be a hit of the exact cache, so another question is drawn
in its place.
"""

import argparse
import hashlib
import random
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from app.chat.cache.rephrased import CANDIDATES
from app.chat.cache.verification import Observation, Observations, choose, decide, draw_of
from app.chat.cache.vetoes import find_veto, gist
from models.embedding.minilm import MiniLm

BOUNDS: Final = (0.01, 0.02, 0.05)
STREAMS: Final = ("zipf", "drifting", "sorted")
NEIGHBOURS: Final = 4
"""Number of nearest entries that are compared without vetoes; the one with the most observations is chosen."""

TABLE: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Asked:
    question: str
    meaning: int
    """Number of the meaning. All questions of one meaning have the same answer."""


def questions(length: int, seed: int = 7) -> list[Asked]:
    """Return different questions. A few meanings occur often, the other meanings rarely."""
    drawn = random.Random(seed)
    meanings = [
        (intent["wordings"], subject) for intent in TABLE["intents"] for subject in TABLE["subjects"][intent["subject"]]
    ]
    drawn.shuffle(meanings)
    asked: dict[str, Asked] = {}
    weights = list(accumulate(1 / (rank + 1) for rank in range(len(meanings))))
    tries = 0
    while len(asked) < length:
        meaning = drawn.choices(range(len(meanings)), cum_weights=weights)[0]
        wordings, subject = meanings[meaning]
        question = worded(drawn.choice(wordings).format(subject), drawn)
        asked.setdefault(question, Asked(question, meaning))
        tries += 1
        assert tries < 60 * length, "there are not enough wordings"
    return list(asked.values())


def order(kind: str, asked: Sequence[Asked], seed: int = 8) -> list[int]:
    """Return the order of the questions in a stream: as they were drawn; with each meaning limited to a fifth of the
    stream; or with one meaning after the other."""
    drawn = random.Random(seed)
    if kind == "zipf":
        return list(range(len(asked)))
    if kind == "sorted":
        return sorted(range(len(asked)), key=lambda place: asked[place].meaning)
    centres = [drawn.random() for _ in range(1 + max(each.meaning for each in asked))]
    times = [centres[each.meaning] + drawn.uniform(-0.1, 0.1) for each in asked]
    return sorted(range(len(asked)), key=times.__getitem__)


def worded(question: str, drawn: random.Random) -> str:
    if drawn.random() < 0.3:
        question = question.rstrip("?.")
    text = f"{drawn.choice(TABLE['openers'])}{question}{drawn.choice(TABLE['closers'])}"
    return text.lower() if drawn.random() < 0.2 else text


def embedded(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors of `texts`. They are stored in a temporary file, because they take minutes."""
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    kept = Path(tempfile.gettempdir()) / f"openfaze-simulation-{digest}.npy"
    if not kept.is_file():
        engine = MiniLm(threads=1)
        engine.load()
        parts = [
            np.stack([np.asarray(each) for each in engine.run(texts[at : at + 256])])
            for at in range(0, len(texts), 256)
        ]
        engine.close()
        np.save(kept, np.vstack(parts))
    vectors: NDArray[np.float32] = np.load(kept)
    return vectors


@dataclass(slots=True)
class Entry:
    question: str
    meaning: int
    seen: Observations


@dataclass(frozen=True, slots=True)
class Outcome:
    hits: NDArray[np.bool_]
    """True for each request that was a hit."""
    errors: NDArray[np.bool_]
    entries: int


def simulate(asked: Sequence[Asked], vectors: NDArray[np.float32], max_error: float, *, vetoes: bool = True) -> Outcome:
    entries: list[Entry] = []
    by_gist: defaultdict[bytes, list[int]] = defaultdict(list)
    known = np.empty_like(vectors)
    hits, errors = np.zeros(len(asked), bool), np.zeros(len(asked), bool)
    for number, (each, vector) in enumerate(zip(asked, vectors, strict=True)):
        alike = by_gist[gist(each.question)]
        if vetoes:
            near = [one for one in alike[-CANDIDATES:] if find_veto(entries[one].question, each.question) is None]
        else:
            similarities = known[: len(entries)] @ vector
            near = np.argsort(-similarities)[:NEIGHBOURS].tolist()
        chosen = choose([(entries[one].seen, float(known[one] @ vector)) for one in near])
        if chosen is None:
            alike.append(len(entries))
            known[len(entries)] = vector
            entries.append(Entry(each.question, each.meaning, Observations()))
            continue
        place = near[chosen]
        if place in alike:  # the entry is now the last used one
            alike.append(alike.pop(alike.index(place)))
        entry, similarity = entries[place], float(known[place] @ vector)
        correct = entry.meaning == each.meaning
        draw = draw_of("simulation", each.question, entry.question, len(entry.seen))
        if decide(entry.seen, similarity, max_error, draw) == "exploit":
            hits[number], errors[number] = True, not correct
            continue
        entry.seen = entry.seen.added(Observation(similarity, correct))
        if not correct:
            alike.append(len(entries))
            known[len(entries)] = vector
            entries.append(Entry(each.question, each.meaning, Observations()))
    return Outcome(hits, errors, len(entries))


def interval(count: int, of: int) -> tuple[float, float]:
    """Interval of Clopper and Pearson at 95 %."""
    low = float(beta.ppf(0.025, count, of - count + 1)) if count else 0.0
    return low, float(beta.ppf(0.975, count + 1, of - count)) if count < of else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--picture", default="docs/images/cache-simulation.png")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    asked = questions(arguments.requests)
    vectors = embedded([each.question for each in asked])
    print("stream    vetoes  bound  hits, %             wrong, %            wrong of hits, %  hits at last, %  entries")
    runs = [(kind, vetoes, bound) for vetoes in (True, False) for kind in STREAMS for bound in BOUNDS]
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        waiting = {}
        for kind, vetoes, bound in runs:
            if vetoes or kind == "zipf":
                places = order(kind, asked)
                parts = ([asked[place] for place in places], vectors[places], bound)
                waiting[kind, vetoes, bound] = pool.submit(simulate, *parts, vetoes=vetoes)
        for (kind, vetoes, bound), outcome in waiting.items():
            print(_row(kind, bound, outcome.result(), vetoes=vetoes), flush=True)
    if arguments.picture:
        plot({run: outcome.result() for run, outcome in waiting.items()}, Path(arguments.picture))


def _row(kind: str, bound: float, outcome: Outcome, *, vetoes: bool) -> str:
    total, hits, errors = len(outcome.hits), int(outcome.hits.sum()), int(outcome.errors.sum())
    shares = [
        f"{100 * count / total:5.2f} ({100 * low:.2f}-{100 * high:.2f})".ljust(20)
        for count in (hits, errors)
        for low, high in [interval(count, total)]
    ]
    late = 100 * outcome.hits[-total // 4 :].mean()
    wrong = 100 * errors / max(1, hits)
    told = f"{kind:9} {'with' if vetoes else 'without':7} {100 * bound:3.0f} %  {''.join(shares)}"
    return f"{told}{wrong:16.2f}  {late:15.1f}  {outcome.entries:7}"


def plot(outcomes: Mapping[tuple[str, bool, float], Outcome], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, len(STREAMS), figsize=(11, 6), sharex=True, sharey="row", layout="constrained")
    colours = dict(zip(BOUNDS, ("#1b6ca8", "#e08e0b", "#b3261e"), strict=True))
    for (kind, vetoes, bound), outcome in outcomes.items():
        column = STREAMS.index(kind)
        seen = np.arange(1, len(outcome.hits) + 1)
        style = "-" if vetoes else ":"
        label = f"bound {100 * bound:.0f} %{'' if vetoes else ', no vetoes'}"
        axes[0, column].plot(seen, 100 * outcome.hits.cumsum() / seen, style, color=colours[bound], label=label)
        places = np.unique(np.linspace(len(seen) // 20, len(seen), 60).astype(int))
        counted = outcome.errors.cumsum()
        spans = np.array([interval(int(counted[place - 1]), int(place)) for place in places])
        axes[1, column].plot(places, 100 * counted[places - 1] / places, style, color=colours[bound])
        axes[1, column].fill_between(
            places, 100 * spans[:, 0], 100 * spans[:, 1], color=colours[bound], alpha=0.15, lw=0
        )
        axes[1, column].axhline(100 * bound, color=colours[bound], lw=0.7, ls="--")
        axes[0, column].set_title(kind)
        axes[1, column].set_xlabel("requests")
    axes[0, 0].set_ylabel("hits so far, %")
    axes[1, 0].set_ylabel("wrong answers so far, % of requests")
    axes[0, 0].legend(fontsize=7)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
