"""What the guard is worth, by nested cross-validation: heads are fitted, and all that is chosen for them is chosen,
without the examples that they are measured on; harmless themes are held back whole, with their translations."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from models.language.embedding import Embedder
from models.safety.codes import HAZARDS, TEXT_CODES
from models.safety.guard import Scores
from models.safety.text.engine import OwnTextGuard
from models.safety.text.head import head_of
from training.guard.data import Example
from training.guard.disguises import DISGUISES
from training.guard.fit import Vectors, fit

OUTER_FOLDS = 5
HAYSTACK = "within 5,000 harmless characters"
_HAYSTACK_CHARS = 5000
_HAYSTACKS = 40
"""A fold."""
_PROSE = ("long_texts", "answers", "everyday")
LONG = "5,000 characters of prose, answers and requests"


@dataclass
class Judged:
    """One example, by the head of the fold that it was held back from."""

    example: Example
    scores: Scores
    threshold: float
    disguise: str = "none"

    @property
    def codes(self) -> list[str]:
        return [code for code, score in self.scores.items() if score >= self.threshold]


@dataclass
class Remembering:
    """An Embedder that knows the examples' vectors already."""

    embedder: Embedder
    known: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = list(dict.fromkeys(text for text in texts if text not in self.known))
        self.known.update(zip(new, await self.embedder.embed(new), strict=True))
        return np.stack([self.known[text] for text in texts])


async def nested(
    examples: Sequence[Example], vectors: Vectors, embedder: Embedder, *, seed: int, disguises: Iterable[str]
) -> list[Judged]:
    """Every example once as it is, the unsafe ones once in each of `disguises`, and long harmless texts."""
    known = Remembering(embedder, {example.text: vector for example, vector in zip(examples, vectors, strict=True)})
    unsafe = [example.unsafe for example in examples]
    folds = StratifiedGroupKFold(OUTER_FOLDS, shuffle=True, random_state=seed)
    judged: list[Judged] = []
    for number, (seen, held) in enumerate(folds.split(vectors, unsafe, [one.group for one in examples])):
        stored = await asyncio.to_thread(fit, [examples[at] for at in seen], vectors[seen], seed=seed + number)
        guard = OwnTextGuard(known, cache(partial(head_of, stored)))
        threshold = stored["threshold"]
        test = [examples[at] for at in held]
        hay = list(_haystacks(test, seed))
        for example in test:
            for name in ("none", *disguises) if example.unsafe else ("none",):
                text = DISGUISES[name](example.text)
                if name == HAYSTACK:
                    around = hay[len(judged) % len(hay)]
                    text = f"{around[: len(around) // 2]}\n{text}\n{around[len(around) // 2 :]}"
                judgement = await guard.judge(text, TEXT_CODES)
                judged.append(Judged(example, judgement.scores, threshold, name))
        for text in hay:
            example = Example(text, None, "", "en", LONG)
            judged.append(Judged(example, (await guard.judge(text, TEXT_CODES)).scores, threshold))
    return judged


def _haystacks(examples: Sequence[Example], seed: int) -> Iterator[str]:
    """Harmless texts of the fold, put together at random to 5,000 characters each."""
    plain = [one.text for one in examples if one.source in _PROSE and one.language == "en"]
    generator = np.random.default_rng(seed)
    for _ in range(_HAYSTACKS):
        text = ""
        while len(text) < _HAYSTACK_CHARS:
            text += plain[generator.integers(len(plain))] + "\n"
        yield text[:_HAYSTACK_CHARS]


def tables(judged: Sequence[Judged]) -> str:
    """The figures, as Markdown."""
    plain = [one for one in judged if one.disguise == "none"]
    short = [one for one in plain if one.example.source != LONG]
    return "\n\n".join([_whole(short), _by_code(plain), _by_source(plain), _by_disguise(judged)])


def _whole(judged: Sequence[Judged]) -> str:
    bad, good = _split(judged)
    rows = [("all", bad, good), ("English", bad, [one for one in good if one.example.language == "en"])]
    lines = [
        "| harmless texts | unsafe | harmless | caught | false alarms | precision | F1 | F1, as many of each |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, unsafe, harmless in rows:
        caught, alarms = _share(unsafe), _share(harmless)
        hits, wrong = caught * len(unsafe), alarms * len(harmless)
        balanced = 2 * caught / (1 + caught + alarms)
        lines.append(
            f"| {name} | {len(unsafe)} | {len(harmless)} | {caught:.1%} | {alarms:.1%} | {hits / (hits + wrong):.2f} "
            f"| {2 * hits / (hits + wrong + len(unsafe)):.3f} | {balanced:.3f} |"
        )
    return "\n".join(lines)


def _by_code(judged: Sequence[Judged]) -> str:
    """As each code alone is asked for, and as all are."""
    bad, good = _split(judged)
    lines = [
        "| code | prompts | caught by its code | caught by any | look-alikes | false alarms, any code |",
        "|---|---|---|---|---|---|",
    ]
    for code in TEXT_CODES:
        own = [one for one in bad if one.example.code == code]
        alike = [one for one in good if one.example.source == f"look_alikes/{code}"]
        by_own = sum(code in one.codes for one in own) / len(own) if own else None
        caught = f"{by_own:.0%} | {_share(own):.0%}" if by_own is not None else "– | –"
        lines.append(f"| {code} {HAZARDS[code]} | {len(own)} | {caught} | {len(alike)} | {_share(alike):.1%} |")
    return "\n".join(lines)


def _by_source(judged: Sequence[Judged]) -> str:
    groups: Mapping[str, list[Judged]] = defaultdict(list)
    for one in judged:
        if not one.example.unsafe:
            groups[one.example.source].append(one)
            if one.example.language != "en":
                groups["in other languages than English"].append(one)
    lines = ["| harmless texts | number | false alarms |", "|---|---|---|"]
    lines += [f"| {name} | {len(found)} | {_share(found):.1%} |" for name, found in sorted(groups.items())]
    return "\n".join(lines)


def _by_disguise(judged: Sequence[Judged]) -> str:
    lines = ["| written as | unsafe prompts caught |", "|---|---|"]
    for name in DISGUISES:
        found = [one for one in judged if one.disguise == name and one.example.unsafe]
        if found:
            lines.append(f"| {name} | {_share(found):.1%} |")
    return "\n".join(lines)


def _split(judged: Sequence[Judged]) -> tuple[list[Judged], list[Judged]]:
    return [one for one in judged if one.example.unsafe], [one for one in judged if not one.example.unsafe]


def _share(judged: Sequence[Judged]) -> float:
    """Of those that have any code."""
    return sum(bool(one.codes) for one in judged) / len(judged) if judged else 0.0
