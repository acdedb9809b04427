"""Guards that go by a single word, for tests of everything around them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from models.safety.guard import Judgement, Scores
from models.vision.text import Image

SURE = 0.95
"""The score of what has the word; 0.05 that of anything else."""


@dataclass
class KeywordGuard:
    """A TextGuard. Case and white space around words do not matter."""

    words: Mapping[str, str] = field(default_factory=lambda: {"S1": "murder", "S9": "pipe bomb"})
    """By code."""
    name: str = "keywords"
    judged: list[tuple[str, tuple[str, ...], str | None]] = field(default_factory=list)
    """Text, codes, what it answers."""
    before: Callable[[str], None] | None = None
    """Called with each text; may raise."""
    hangs: bool = False
    cancelled: int = 0

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(self.words)

    @property
    def thresholds(self) -> Scores:
        return dict.fromkeys(self.words, 0.5)

    @property
    def texts(self) -> list[str]:
        return [text for text, _, _ in self.judged]

    async def judge(self, text: str, codes: Sequence[str], *, answers: str | None = None) -> Judgement:
        self.judged.append((text, tuple(codes), answers))
        if self.before is not None:
            self.before(text)
        if self.hangs:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled += 1
        said = " ".join(text.lower().split())
        return Judgement({code: SURE if self.words[code] in said else 1 - SURE for code in codes})


@dataclass
class RedGuard:
    """An ImageGuard: what is rather red is unsafe by all its codes."""

    codes: frozenset[str] = frozenset({"S12_IMAGE"})
    name: str = "red"
    seen: list[tuple[int, int]] = field(default_factory=list)
    """Width and height of each picture."""

    @property
    def thresholds(self) -> Scores:
        return dict.fromkeys(self.codes, 0.5)

    async def judge(self, picture: Image, codes: Sequence[str], *, wait: bool = False) -> Judgement:
        height, width, _ = picture.shape
        self.seen.append((width, height))
        red, green, _ = picture.reshape(-1, 3).mean(axis=0)
        return Judgement(dict.fromkeys(codes, SURE if red > 2 * green else 1 - SURE))
