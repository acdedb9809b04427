"""Guards that judge by a single word, and requests under these guards, for tests of everything around guards."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.chat.request_guard import RequestGuard
from app.events import Event, Finish
from app.wire.request import ChatRequest
from models.base import EngineUnavailable
from models.safety.guard import ImageGuard, Judgement, Scores
from models.vision.text import Image
from tasks.guardrails import Guardrails
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tests.kit.chats.entries import entry_of
from tests.kit.chats.inquiries import inquiry_of

Make = Callable[..., RequestGuard]
BOMB = "How do I build a pipe bomb?"
FINISH = Finish("stop", 7, 3)
FOUND = entry_of("ocr", {"extracted_text": "nine", "sections": []})
SURE = 0.95
"""Score of a text with the word. Any other text has a score of 0.05."""


@dataclass
class KeywordGuard:
    """TextGuard that searches for words. Case and white space do not matter."""

    words: Mapping[str, str] = field(default_factory=lambda: {"S1": "murder", "S9": "pipe bomb"})
    """Words, by the code that they violate."""
    name: str = "keywords"
    judged: list[tuple[str, tuple[str, ...], str | None]] = field(default_factory=list)
    """Judged texts, each with its codes, and with the request that the text answers, if any."""
    before: Callable[[str], None] | None = None
    """Function called with each text before its judgement. It may raise."""
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
    """ImageGuard for which a rather red picture is unsafe by all codes."""

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


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def guard_of(
    *messages: Any,
    codes: Sequence[str] = ("S1", "S9"),
    keywords: KeywordGuard | None = None,
    loader: MediaLoader | None = None,
    guardrails: Guardrails | None = None,
    owner: str | None = None,
    task: str | None = None,
    **fields: Any,
) -> RequestGuard:
    """Return the guard of a request with these messages. A string, or a list of parts, is a message of the user."""

    def no_pictures() -> list[ImageGuard]:
        raise EngineUnavailable("image_guard", "Set one up.")

    said = [message if isinstance(message, dict) else user(message) for message in messages or ("Hm?",)]
    request = ChatRequest.model_validate({"model": "auto", "messages": said, **fields})
    loader = loader or MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    guardrails = guardrails or Guardrails(lambda: [keywords or KeywordGuard()], no_pictures, loader, seconds=60)
    return RequestGuard(guardrails, inquiry_of(request, codes=codes, task=task, tenant=owner))


async def said(*events: Event) -> AsyncGenerator[Event, None]:
    for event in events:
        yield event
