"""What a text or a picture is judged by, and what judging it yields, whichever engine judges."""

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
"""The name of each code, in the order in which answers and errors list them: the hazards of MLCommons' taxonomy as
Llama Guard numbers them, and three of pictures."""

CODES = tuple(HAZARDS)

TEXT_CODES = tuple(code for code in CODES if not code.endswith("_IMAGE"))

IMAGE_CODES = tuple(code for code in CODES if code.endswith("_IMAGE"))

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


class HazardGuard(Protocol):
    """What guards of texts and of pictures have in common."""

    @property
    def name(self) -> str:
        """The engine's name, as messages give it."""

    @property
    def codes(self) -> frozenset[str]:
        """The codes, of CODES, that the guard can judge."""

    @property
    def thresholds(self) -> Scores:
        """The score of each of its codes from which on it applies, where the operator says nothing else."""


class TextGuard(HazardGuard, Protocol):
    """The `text_guard` capability: codes of TEXT_CODES."""

    async def judge(self, text: str, codes: Sequence[str], *, answers: str | None = None) -> Judgement:
        """Judges all of `text`, however long it is, by `codes`, which are among its own. `answers` is what the user had
        asked, where the text is an assistant's answer to it. The same text has the same scores, alone or beside others.

        Raises ModelError.
        """


class ImageGuard(HazardGuard, Protocol):
    """The `image_guard` capability: codes of IMAGE_CODES."""

    async def judge(self, picture: Image, codes: Sequence[str], *, wait: bool = False) -> Judgement:
        """With `wait`, a full queue is waited for instead of raising EngineOverloaded. Raises ModelError."""
