"""openfaze's own text guard: rules for the clear cases, a trained head for all other cases, and a gate that
acquits harmless texts of the head's."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.embedding.embedder import Embedder, Vector
from models.safety.guard import TEXT_CODES, Judgement, Scores
from models.safety.text import interpreter_abuse
from models.safety.text.gate import Gate
from models.safety.text.head import GuardHead, worst_of
from models.safety.text.matching import best, folded
from models.safety.text.phrasebook import RULES
from models.workers.pool import Workers

LONGEST = 600
"""A text with at most this many characters is judged as a whole. The texts that the head was trained on are seldom
longer."""

_PASSAGE_CHARS = 320
"""Largest length of a passage of a longer text, in characters. A question that hides in a passage must not be too small
a part of it."""

_STEP = 160
"""Two successive passages begin at most this many characters apart, and overlap by about as many. In a text with
spaces, nearly every part up to this length is therefore complete in one passage."""

WINDOW = 16 * 1024
"""A text is read in windows of this many characters, which take some milliseconds for each regular expression."""

_WINDOW_OVERLAP = 2048
"""Neighbouring windows share this many characters, so that every part of a text up to this length is complete in one of
them."""

_LONGEST_WORD = 256
"""A window ends between words, or anywhere if its last word is longer than this."""

_PASSAGES_AT_ONCE = 64
"""Number of passages whose embeddings are compared with the head's landmarks at a time."""


@dataclass(frozen=True, slots=True)
class _SuspectPassage:
    text: str
    words: float
    """Log odds of the passage by its words alone."""


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """The result of the rules for a text, before any part of it is embedded."""

    scores: Scores
    """Highest score of each code that the rules find."""
    passages: tuple[_SuspectPassage, ...]
    """Passages that the head suspects because of their words."""
    total: int
    """Number of passages of the text."""


class OwnTextGuard:
    """openfaze's own text guard. Implements models.safety.guard.TextGuard."""

    name = "openfaze"
    codes = frozenset(TEXT_CODES)

    def __init__(
        self,
        embedder: Embedder,
        find_head: Callable[[], GuardHead],
        workers: Workers | None = None,
        find_gate: Callable[[], Gate] | None = None,
    ) -> None:
        """`find_head` and `find_gate` may read a file, so they are first called in a thread or in one of the `workers`,
        which read long texts. Without `find_gate`, the head's verdicts stand."""
        self._find_gate = find_gate
        self._workers = workers or Workers()
        self._embedder = embedder
        self._find_head = find_head

    @property
    def _head(self) -> GuardHead:
        return self._find_head()

    @property
    def thresholds(self) -> Scores:
        return dict.fromkeys(TEXT_CODES, self._head.threshold)

    async def judge(
        self,
        text: str,
        codes: Sequence[str],
        *,
        answers: str | None = None,  # noqa: ARG002 - the head has learned from questions alone
    ) -> Judgement:
        read = await self._workers.run_sized(len(text), apply_rules, text, self._find_head)
        worst = read.scores
        # If the rules have settled every requested code, the head would take time and change nothing.
        if read.passages and any(worst.get(code, 0.0) < self._head.threshold for code in codes):
            texts = list(dict.fromkeys(passage.text for passage in read.passages))
            vectors = dict(zip(texts, await self._embedder.embed(texts), strict=True))
            worst = worst_of([worst, *await asyncio.to_thread(self._judge_passages, read, vectors)])
        return Judgement({code: worst.get(code, 0.0) for code in codes})

    def _judge_passages(self, read: RuleFindings, vectors: Mapping[str, Vector]) -> list[Scores]:
        meanings: dict[str, float] = {}
        texts = list(vectors)
        for start in range(0, len(texts), _PASSAGES_AT_ONCE):
            chunk = texts[start : start + _PASSAGES_AT_ONCE]
            odds = self._head.log_odds_by_meaning(np.stack([vectors[text] for text in chunk]))
            meanings |= dict(zip(chunk, odds.tolist(), strict=True))
        scores = []
        for passage in read.passages:
            unsafe = self._head.unsafe(passage.words, meanings[passage.text], read.total)
            if not (unsafe >= self._head.threshold and read.total == 1 and self._acquits(passage.text)):
                scores.append(self._head.scores(unsafe, vectors[passage.text]))
        return scores

    def _acquits(self, text: str) -> bool:
        return self._find_gate is not None and self._find_gate().acquits(text)


def apply_rules(text: str, find_head: Callable[[], GuardHead]) -> RuleFindings:
    """Return what the rules find in a text, and the passages whose words make the head suspect them."""
    head = find_head()
    found: list[Scores] = []
    passages: list[_SuspectPassage] = []
    total = len(passages_of(text))
    for window in windows_of(text):
        matches = [*best(RULES, folded(window)), *interpreter_abuse.matches(window)]
        found += [{match.code: match.score} for match in matches]
        for piece in passages_of(window):
            words = head.log_odds_by_words(piece)
            if head.is_suspect(words, total):
                passages.append(_SuspectPassage(piece, words))
    return RuleFindings(worst_of(found), tuple(passages), total)


def windows_of(text: str) -> list[str]:
    """Return windows that cover all of `text`."""
    windows, start = [], 0
    while len(text) - start > WINDOW:
        stop = _break(text, start + WINDOW, start + WINDOW - _LONGEST_WORD)
        windows.append(text[start:stop])
        start = stop - _WINDOW_OVERLAP
    return [*windows, text[start:]]


def passages_of(text: str) -> list[str]:
    """Return passages that cover all of `text`: one passage if it is short, else passages that begin and end between
    words if there are any."""
    if len(text) <= LONGEST:
        return [text]
    passages, start = [], 0
    while len(text) - start > _PASSAGE_CHARS:
        passages.append(text[start : _break(text, start + _PASSAGE_CHARS, start + _STEP)])
        start = _break(text, start + _STEP, start + _STEP // 2)
    return [*passages, text[start:]]


def _break(text: str, stop: int, least: int) -> int:
    """Return the last place between two words in text[least:stop]; `stop` if there is none."""
    space = max(text.rfind(" ", least, stop), text.rfind("\n", least, stop))
    return space + 1 if space >= 0 else stop
