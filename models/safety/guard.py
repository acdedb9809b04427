"""The codes by which texts and pictures are judged, and the form of a judgement. Both are the same for all engines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
"""Name of each code, in the order of answers and errors: the hazards of MLCommons' taxonomy with Llama Guard's numbers,
and three hazards of pictures."""

CODES = tuple(HAZARDS)

TEXT_CODES = tuple(code for code in CODES if not code.endswith("_IMAGE"))

IMAGE_CODES = tuple(code for code in CODES if code.endswith("_IMAGE"))

Scores = Mapping[str, float]
"""Score of each code that was asked for, from 0 to 1: the engine's certainty that the code applies."""


@dataclass(frozen=True, slots=True)
class Judgement:
    scores: Scores


class HazardGuard(Protocol):
    """Common interface of guards of texts and of pictures."""

    @property
    def name(self) -> str:
        """Name of the engine in messages."""

    @property
    def codes(self) -> frozenset[str]:
        """The codes among CODES that the guard can judge."""

    @property
    def thresholds(self) -> Scores:
        """Least score at which each of the guard's codes applies, unless the operator sets another threshold."""


class TextGuard(HazardGuard, Protocol):
    """The `text_guard` capability, which judges by codes of TEXT_CODES."""

    async def judge(self, text: str, codes: Sequence[str], *, answers: str | None = None) -> Judgement:
        """Judge all of `text`, however long it is, by `codes`, which are among the guard's own. `answers` is the user's
        question if the text is an assistant's answer to it. A text has the same scores whether it is judged alone or
        together with others.

        Raises ModelError.
        """


class ImageGuard(HazardGuard, Protocol):
    """The `image_guard` capability, which judges by codes of IMAGE_CODES."""

    async def judge(self, picture: Image, codes: Sequence[str], *, wait: bool = False) -> Judgement:
        """Judge `picture` by `codes`. If the queue is full, the call waits if `wait` is true, and raises
        EngineOverloaded if not. Raises ModelError."""
