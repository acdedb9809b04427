"""Translating texts: the `translate` task."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import TypedDict

from models.base import EngineUnavailable
from models.translation.languages import base_of, name_of
from models.translation.translator import CAPABILITY, Translator
from tasks.base import TaskRequest
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.document import Document
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source, urls_in
from tasks.translation.source_language import languages_of
from tasks.translation.translating import Translation
from tasks.wording.translation import Asked, asked_of

AUTO_DETECTED = "auto-detected"

Translators = Callable[[], Sequence[Translator]]
"""Those that can run here, the best first. Raises EngineUnavailable where there is none."""

Remedy = Callable[[str, str], str]
"""What would translate from the first tag into the second: a sentence or more."""


class TranslateResult(TypedDict):
    translated_text: str
    source_language: str
    """The code that the request gave, else `auto-detected`."""
    target_language: str
    batch_size: int
    """Texts that were translated: one, or one for each attached file."""


class TranslateTask:
    """The text that the message brings along, else that of the attached documents, into the language it names."""

    name = "translate"

    def __init__(
        self, translators: Translators, loader: MediaLoader, *, remedy: Remedy, most_chars: int = 1_000_000
    ) -> None:
        self._translators = translators
        self._remedy = remedy
        self._loader = loader
        self._most_chars = most_chars

    async def run(self, request: TaskRequest) -> TranslateResult:
        """Raises InputError (no language, an unknown one, nothing to translate), InputTooLarge, ModelError."""
        asked = await asyncio.to_thread(asked_of, request.text)
        texts = [await request.redact(text) for text in await self._texts(asked, request.sources)]
        self._check_size(texts)
        translated = await self._translated(texts, asked, request)
        return {
            "translated_text": "\n\n".join(translated),
            "source_language": asked.source or AUTO_DETECTED,
            "target_language": asked.target,
            "batch_size": len(texts),
        }

    async def _translated(self, texts: Sequence[str], asked: Asked, request: TaskRequest) -> Sequence[str]:
        sources = [asked.source] if asked.source else await languages_of("\n".join(texts))
        if sources and asked.target in (sources[0], base_of(sources[0])):
            return texts
        translator, source = await self._choose(sources, asked.target)
        return await Translation(translator, source, asked.target, request.progress).of(texts)

    async def _choose(self, sources: Sequence[str], target: str) -> tuple[Translator, str | None]:
        """The first engine that knows the pair; a short text may be in any of several languages."""
        try:
            translators = self._translators()
        except EngineUnavailable as error:
            if not sources:
                raise
            raise EngineUnavailable(CAPABILITY, await self._remedy_between(sources[0], target)) from error
        for source in sources or (None,):
            for translator in translators:
                if await translator.can(source, target):
                    return translator, source
        if not sources:
            raise InputError(
                "the language of the text cannot be told: name it, as in 'Translate from English into French'"
            )
        names = ", ".join(translator.name for translator in translators)
        raise EngineUnavailable(
            CAPABILITY,
            f"What is installed ({names}) does not translate from {name_of(sources[0])} into {name_of(target)}. "
            + await self._remedy_between(sources[0], target),
        )

    async def _remedy_between(self, source: str, target: str) -> str:
        """In a thread: it looks which sets are there."""
        return f"{await asyncio.to_thread(self._remedy, source, target)} See docs/translate.md."

    async def _texts(self, asked: Asked, sources: Sequence[Source]) -> list[str]:
        """What the message brings along, unless that only names inputs."""
        if asked.text.strip() and not _only_names(asked.text, sources):
            return [asked.text]
        if not sources:
            raise InputError(
                "task 'translate' needs a text: put it after the instruction ('Translate into French: …'), or attach it"
            )
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(await self._loader.open(source)) for source in sources]
            return [_text_of(document) for document in opened]

    def _check_size(self, texts: Sequence[str]) -> None:
        chars = sum(map(len, texts))
        if chars > self._most_chars:
            raise InputTooLarge(
                f"the text has {chars} characters, and the limit is {self._most_chars} a request "
                "(OPENFAZE_MAX_TRANSLATE_CHARS)",
                code="request_too_large",
            )


def _only_names(text: str, sources: Sequence[Source]) -> bool:
    """Whether a text is nothing but the addresses of inputs."""
    linked = {source.url for source in sources if source.url}
    rest = text
    for url in urls_in(text):
        rest = rest.replace(url, "") if url in linked else rest
    return not any(map(str.isalnum, rest))


def _text_of(document: Document) -> str:
    """Raises InputError for what another task has to read first."""
    if document.text is None:
        raise InputError(
            f"'{document.label}' is {document.media_type}, which has to be read before it can be translated: leave out "
            "the task's tag, and the full model does both",
            code="unsupported_media_type",
            param=document.param,
        )
    return document.text
