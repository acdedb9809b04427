"""What a text or a picture is judged by, and what judging it yields, whichever engine judges."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from models.vision.text import Image

HAZARDS: Mapping[str, str] = {
    "S1": "Violent Crimes",
    "S2": "Non-Violent Crimes",
    "S3": "Sex-Related Crimes",
    "S4": "Child Sexual Exploitation",
    "S5": "Defamation",
    "S6": "Specialized Advice",
    "S7": "Privacy",
    "S8": "Intellectual Property",
    "S9": "Indiscriminate Weapons",
    "S10": "Hate",
    "S11": "Suicide & Self-Harm",
    "S12": "Sexual Content",
    "S13": "Elections",
    "S14": "Code Interpreter Abuse",
    "S1_IMAGE": "Gore",
    "S12_IMAGE": "Nudity",
    "S15_IMAGE": "Not Safe For Work",
}
"""The name of each code, in the order in which answers and errors list them: the hazards of MLCommons' taxonomy as
Llama Guard numbers them, and three of pictures."""

CODES = tuple(HAZARDS)
TEXT_CODES = tuple(code for code in CODES if not code.endswith("_IMAGE"))
IMAGE_CODES = tuple(code for code in CODES if code.endswith("_IMAGE"))


WINDOW = 8192
"""Bytes of UTF-8 of a text that are judged together. No tokenizer of these models makes more tokens of a text than it
has bytes, so this many tokens beside the model's own instructions always suffice; of English it makes a quarter."""
OVERLAP = 1024
"""Bytes that neighbouring windows share: what is shorter stands whole in one of them."""
QUESTION = 2048
"""Bytes of a question beside an answer that is judged: its beginning and its end."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one call of a guard model judges."""

    text: str
    answers: str | None = None
    """What the user had asked, where `text` is an assistant's answer to it."""


def exchanges_of(text: str, answers: str | None) -> list[Exchange]:
    """All of `text`, each window with what it answers; none where there is nothing to read."""
    if not text or text.isspace():
        return []
    question = None if answers is None else _shortened(answers)
    return [Exchange(window, question) for window in windows_of(text)]


def windows_of(text: str) -> list[str]:
    data = _encoded(text)
    if len(data) <= WINDOW:
        return [text]
    windows, start = [], 0
    while start + WINDOW < len(data):
        stop = _character(data, start + WINDOW)
        windows.append(data[start:stop].decode())
        start = _character(data, stop - OVERLAP)
    return [*windows, data[start:].decode()]


def _shortened(question: str) -> str:
    data = _encoded(question)
    if len(data) <= QUESTION:
        return question
    begins, ends = _character(data, QUESTION // 2), _character(data, len(data) - QUESTION // 2)
    return f"{data[:begins].decode()} … {data[ends:].decode()}"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _character(data: bytes, place: int) -> int:
    """Where the character begins that the byte at `place` belongs to."""
    while data[place] & 0xC0 == 0x80:
        place -= 1
    return place


LONGEST = 64
"""Characters before a number that are looked at."""

_BETWEEN = r"[\s:=#.,\-–—_*|()\[\]\"'“”‘’/>：]"
_GOES_ON = (
    rf"{_BETWEEN}*(?:(?:no|nr|nº|n°|numbers?|nummer|num[eé]ro|número|code|id|is|are|was|ist|lautet|est|es|è|é|card|at|on)"
    rf"{_BETWEEN}+|(?:号码|號碼|番号|号|是|为|為|は|번호|는|은){_BETWEEN}*){{0,3}}\Z"
)


_LETTER = r"A-Za-z\u00c0-\u024f\u0400-\u04ff"
"""Letters of scripts that part words. Others go on without a space, or begin a word with an article."""


@cache
def label(words: str) -> re.Pattern[str]:
    """Finds one of `words` (a pattern) at the end of what stands before a number, in any case."""
    return re.compile(rf"(?<![{_LETTER}\d])(?:{words})(?![{_LETTER}]){_GOES_ON}", re.IGNORECASE)


Scores = Mapping[str, float]
"""0 to 1 for each code that was asked for: how sure the engine is that it applies."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one part of an engine made of the text, for people who ask why."""

    name: str
    """`rules`, `decoded base64`, `policy` …"""
    scores: Scores
    """Only of the codes that it says something about."""
    found: tuple[str, ...] = ()
    """The words, or the engine's own category, that the scores come from. May repeat the text: for no log."""


@dataclass(frozen=True, slots=True)
class Judgement:
    scores: Scores
    layers: tuple[Layer, ...] = ()


class Guard(Protocol):
    """What guards of texts and of pictures have in common."""

    @property
    def name(self) -> str:
        """The engine's name, as messages give it."""

    @property
    def codes(self) -> frozenset[str]:
        """Those of CODES that it can judge."""

    @property
    def thresholds(self) -> Scores:
        """The score of each of its codes from which on it applies, where the operator says nothing else."""


class TextGuard(Guard, Protocol):
    """The `text_guard` capability: codes of TEXT_CODES."""

    async def judge(self, text: str, codes: Sequence[str], *, answers: str | None = None) -> Judgement:
        """Judges all of `text`, however long it is, by `codes`, which are among its own. `answers` is what the user had
        asked, where the text is an assistant's answer to it. The same text has the same scores, alone or beside others.

        Raises ModelError.
        """


class ImageGuard(Guard, Protocol):
    """The `image_guard` capability: codes of IMAGE_CODES."""

    async def judge(self, picture: Image, codes: Sequence[str], *, wait: bool = False) -> Judgement:
        """With `wait`, a full queue is waited for instead of raising EngineOverloaded. Raises ModelError."""


class NotAVerdict(Exception):
    """A guard model's answer that is not of the form it was trained for: nothing is known of the text. Says nothing of
    the answer's words, which may be the text's."""


@dataclass(frozen=True, slots=True)
class Verdict:
    scores: Scores = field(default_factory=dict)
    """The score of each code that it says something about; 0 for the others."""
    found: tuple[str, ...] = ()
    """The model's own categories."""


def judgement_of(name: str, verdicts: Sequence[Verdict], codes: Sequence[str]) -> Judgement:
    """By `codes`: for each, a text is as bad as its worst window. The layer has the engine's `name`."""
    worst = {code: max((one.scores.get(code, 0.0) for one in verdicts), default=0.0) for code in codes}
    found = tuple(dict.fromkeys(category for one in verdicts for category in one.found))
    return Judgement(worst, (Layer(name, {code: score for code, score in worst.items() if score}, found),))
