"""The interface of translation engines, which return one sentence for each sentence that they get."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.base import EngineUnavailable
from models.hosts.host import EngineHost
from models.translation.languages import base_of

CAPABILITY = "translate"

Pair = tuple[str, str]
"""Tags of the source and the target language."""
_SCRIPTS = {"zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "zh-MO": "zh-Hant"}
"""Script of a language in a region where it differs from the language's usual script."""


@dataclass(frozen=True, slots=True)
class TranslationJob:
    """Sentences of one text, for one engine."""

    sentences: tuple[str, ...]
    """Sentences without line breaks; they may hold marks (models/translation/marks.py)."""
    source: str | None
    """Name of the source language in the engine's own notation; None: the engine detects it."""
    target: str


class Translator(Protocol):
    @property
    def name(self) -> str:
        """Name of the engine, as in the catalog."""

    @property
    def batch_chars(self) -> int:
        """Best number of characters per call."""

    async def pairs(self) -> Sequence[str]:
        """Return the pairs of languages that the engine translates, in readable form: `en → es`. Raises
        EngineUnavailable."""

    async def can_translate(self, source: str | None, target: str) -> bool:
        """True if the engine translates between these tags, perhaps by way of other languages. Raises
        EngineUnavailable."""

    async def translate(
        self, sentences: Sequence[str], source: str | None, target: str, *, wait: bool = False
    ) -> list[str]:
        """Return a translation for each of `sentences`, in order. Engines keep marks if they can, so the caller must
        check them.

        With `wait`, the call waits while the queue is full. Raises ModelError.
        """


Router = Callable[[str | None, str], Sequence[TranslationJob] | None]
"""Function that returns the route from a source to a target language: a job without sentences for each hop, or None if
there is no route. It is called in a thread, may read files, and raises EngineUnavailable."""


class HostedTranslator:
    """A translator whose engine runs in an EngineHost. It translates by way of other languages if there is no direct
    route."""

    def __init__(
        self,
        host: EngineHost[TranslationJob, Sequence[str]],
        route: Router,
        pairs: Callable[[], Sequence[str]],
        *,
        batch_chars: int,
    ) -> None:
        self.name = host.spec.name
        self.batch_chars = batch_chars
        self._host = host
        self._route = route
        self._pairs = pairs

    async def pairs(self) -> Sequence[str]:
        return await asyncio.to_thread(self._pairs)

    async def can_translate(self, source: str | None, target: str) -> bool:
        return await asyncio.to_thread(self._route, source, target) is not None

    async def translate(
        self, sentences: Sequence[str], source: str | None, target: str, *, wait: bool = False
    ) -> list[str]:
        hops = await asyncio.to_thread(self._route, source, target)
        if hops is None:
            raise EngineUnavailable(CAPABILITY, f"'{self.name}' does not translate from {source} into {target}.")
        texts = list(sentences)
        for hop in hops:
            texts = list(await self._host.run(TranslationJob(tuple(texts), hop.source, hop.target), wait=wait))
            wait = True
        return texts


def shortest_route(pairs: Collection[Pair], source: str | None, target: str) -> list[TranslationJob] | None:
    """Return the route with the fewest hops over `pairs`; None if there is none. If no pair has the tag's region, the
    region is ignored: `pt` serves `pt-PT`."""
    start = _serving_tag(source, {origin for origin, _ in pairs})
    end = _serving_tag(target, {to for _, to in pairs})
    if start is None or end is None:
        return None
    previous: dict[str, str] = {start: start}
    queue = deque([start])
    while queue and end not in previous:
        tag = queue.popleft()
        for next_tag in sorted(to for origin, to in pairs if origin == tag and to not in previous):
            previous[next_tag] = tag
            queue.append(next_tag)
    if end not in previous or end == start:
        return None
    hops: list[TranslationJob] = []
    while end != start:
        hops.append(TranslationJob((), previous[end], end))
        end = previous[end]
    return hops[::-1]


def reachable(pairs: Collection[Pair]) -> list[str]:
    """Return every pair of languages that `pairs` or chains of them translate, in readable form: `en → es`."""
    targets: dict[str, set[str]] = {}
    for source, target in pairs:
        targets.setdefault(source, set()).add(target)
    found = []
    for start in sorted(targets):
        seen, queue = {start}, [start]
        while queue:
            new = targets.get(queue.pop(), set()) - seen
            seen |= new
            queue += new
        found += [pair_name(start, end) for end in sorted(seen) if base_of(end) != base_of(start)]
    return found


def pair_name(source: str, target: str) -> str:
    return f"{source} → {target}"


def _serving_tag(tag: str | None, tags: Collection[str]) -> str | None:
    """Return the tag in `tags` that serves `tag`: itself, its language with the script, or the language alone; None if
    there is none."""
    while tag is not None and tag not in tags:
        tag = _SCRIPTS.get(tag) or tag.rpartition("-")[0] or None
    return tag
