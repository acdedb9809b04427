"""Measurement of the guard on strangers' texts.

For each published set, a head is fitted to the other sets and to four fifths of our own harmless themes, which also
determine its parameters. It is measured on the texts of the set and of the remaining themes.
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedding.embedder import Embedder
from models.safety.guard import HAZARDS, TEXT_CODES, Scores
from models.safety.text.engine import OwnTextGuard
from models.safety.text.head import head_of
from training.guard.data import MADE, REQUESTS, SETS, LabelledText
from training.guard.fit import Vectors, fit

_SHARES = 5
"""Number of parts of our own harmless themes; one part is held back with each set."""
_HAYSTACK_CHARS = 5000
_HAYSTACKS = 40
"""Number of long texts per fold."""
_PROSE = ("long_texts", "answers", "everyday")
_DRAWN = 200
"""Number of unsafe texts that are drawn at random from the first of SETS, to be judged within a long text."""
LONG = "5,000 characters of prose, answers and requests"


@dataclass
class Judged:
    """The scores for an example by a head that was not fitted to it."""

    example: LabelledText
    scores: Scores
    threshold: float
    set: str
    """The name of the set that was held back."""
    is_within: bool = False
    """True if the example was judged in the middle of a long harmless text."""

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


async def left_out(
    examples: Sequence[LabelledText], vectors: Vectors, embedder: Embedder, *, seed: int
) -> list[Judged]:
    """Judge each set, our own harmless texts, long harmless texts, and some unsafe prompts within these."""
    known = Remembering(embedder, {example.text: vector for example, vector in zip(examples, vectors, strict=True)})
    judged: list[Judged] = []
    for number, name in enumerate(SETS):
        held = [_is_held(example, number) for example in examples]
        seen = np.flatnonzero(~np.array(held))
        stored = await asyncio.to_thread(fit, [examples[at] for at in seen], vectors[seen], seed=seed)
        test = [example for example, is_held in zip(examples, held, strict=True) if is_held]
        judged += await _judged_by(stored, test, name, known, seed=seed)
    return judged


async def _judged_by(
    stored: Mapping[str, Any],
    test: Sequence[LabelledText],
    name: str,
    embedder: Embedder,
    *,
    seed: int,
) -> list[Judged]:
    """Return the examples judged by the head in `stored`, for which the set `name` was held back."""
    guard = OwnTextGuard(embedder, cache(partial(head_of, stored)))
    hay = list(_haystacks(test, seed))
    drawn = _drawn(test, seed)
    judged: list[Judged] = []

    async def judge(example: LabelledText, text: str, *, is_within: bool = False) -> None:
        scores = (await guard.judge(text, TEXT_CODES)).scores
        judged.append(Judged(example, scores, stored["threshold"], name, is_within))

    for example in test:
        await judge(example, example.text)
    for number, example in enumerate(drawn):
        around = hay[number % len(hay)]
        text = f"{around[: len(around) // 2]}\n{example.text}\n{around[len(around) // 2 :]}"
        await judge(example, text, is_within=True)
    for text in hay:
        await judge(LabelledText(text, False, None, "", "en", LONG), text)
    return judged


def _drawn(test: Sequence[LabelledText], seed: int) -> list[LabelledText]:
    unsafe = [example for example in test if example.source == SETS[0] and example.unsafe]
    return [unsafe[at] for at in np.random.default_rng(seed).permutation(len(unsafe))[:_DRAWN]]


def _is_held(example: LabelledText, number: int) -> bool:
    if example.source in (*SETS, MADE):
        return example.source == SETS[number]
    return zlib.crc32(example.group.encode()) % _SHARES == number


def _haystacks(examples: Sequence[LabelledText], seed: int) -> Iterator[str]:
    """Return texts of 5,000 characters, each composed of harmless texts of the fold at random."""
    plain = [one.text for one in examples if one.source in _PROSE and one.language == "en"]
    generator = np.random.default_rng(seed)
    for _ in range(_HAYSTACKS):
        text = ""
        while len(text) < _HAYSTACK_CHARS:
            text += plain[generator.integers(len(plain))] + "\n"
        yield text[:_HAYSTACK_CHARS]


def tables(judged: Sequence[Judged]) -> str:
    """The figures, as Markdown."""
    plain = [one for one in judged if not one.is_within]
    return "\n\n".join([_by_set(plain), _by_code(plain), _by_source(plain), _within(judged)])


def _by_set(judged: Sequence[Judged]) -> str:
    lines = [
        "| set left out | unsafe | harmless | caught | false alarms | precision | F1 |",
        "|---|---|---|---|---|---|---|",
    ]
    scores = []
    for name in SETS:
        bad = [one for one in judged if one.example.source == name and one.example.unsafe]
        good = [one for one in judged if one.example.source == name and not one.example.unsafe]
        good = good or [one for one in judged if one.set == name and _is_own(one)]
        caught, alarms = _share(bad), _share(good)
        hits, wrong = caught * len(bad), alarms * len(good)
        scores.append(2 * hits / (hits + wrong + len(bad)))
        lines.append(
            f"| {name} | {len(bad)} | {len(good)} | {caught:.1%} | {alarms:.1%} | {hits / (hits + wrong):.2f} "
            f"| {scores[-1]:.3f} |"
        )
    good = [one for one in judged if not one.example.unsafe and (one.example.source in SETS or _is_own(one))]
    lines.append(f"| together | | {len(good)} | | {_share(good):.1%} | | mean {np.mean(scores):.3f} |")
    return "\n".join(lines)


def _is_own(one: Judged) -> bool:
    return one.example.source not in (*SETS, MADE, REQUESTS, LONG)


def _by_code(judged: Sequence[Judged]) -> str:
    """Return a table of the results for each code alone, and for all codes together."""
    lines = [
        "| code | unsafe | caught by its code | caught by any | look-alikes | false alarms, any code |",
        "|---|---|---|---|---|---|",
    ]
    for code in TEXT_CODES:
        own = [one for one in judged if one.example.code == code]
        alike = [one for one in judged if one.example.source == f"look_alikes/{code}"]
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


def _within(judged: Sequence[Judged]) -> str:
    within = [one for one in judged if one.is_within]
    drawn = {one.example.text for one in within}
    alone = [one for one in judged if not one.is_within and one.example.text in drawn]
    return f"Of {len(within)} unsafe texts: {_share(alone):.1%} caught alone, {_share(within):.1%} within {LONG}."


def _share(judged: Sequence[Judged]) -> float:
    """Return the share of `judged` that have at least one code."""
    return sum(bool(one.codes) for one in judged) / len(judged) if judged else 0.0
