"""The `translate` task, which translates texts."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import chain
from typing import NotRequired

from typing_extensions import TypedDict

from models.base import EngineFailed, EngineUnavailable
from models.concurrency import EngineAdmission, side_by_side
from models.translation.capability import TRANSLATE, remedy_into
from models.translation.languages import base_of, detected, name_of, tag_of_code
from models.translation.llm import NAME as LLM
from models.translation.llm import NotTranslated
from models.translation.marks import MARK
from models.translation.translator import CAPABILITY, Translator
from models.workers.pool import Workers
from tasks.base import Parts, Progress, Specialist, TaskRequest
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.document import Document
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.result import Result, ResultLine, SourceLine, lines_below, pieces_under
from tasks.tools import Tool
from tasks.translation.segments import Sentence, is_invented, joined, pieces_of, respaced
from tasks.wording.translation import TranslateOptions, listed_texts, parse_translation

MAX_CHARS = 1_000_000
"""One request may have at most this many characters translated. A long novel has about this many, and takes hours on a
CPU."""
_BATCHES_AT_ONCE = 2
"""Number of batches of a request that are translated at a time."""
_FRAGMENTS = re.compile(f"({MARK.pattern})")
_SAMPLE = 4000
"""The language of a text is detected from at most this many characters at its beginning."""
_LEAST_CERTAIN = 0.9
"""The detector's first language is taken as certain if its probability is at least this. It is 0.71 for Esperanto in
"See you!"."""
_LEAST_POSSIBLE = 0.04
"""If the first language is not certain, the likeliest languages with at least this probability are tried, up to
_GUESSES."""
_GUESSES = 3
"""At most this many languages are tried."""
_PAIRS_SHOWN = 30
"""An error lists at most this many pairs of languages of each engine. `/ready` lists all of them."""
_OWN_CODES = {"als": "gsw"}
"""Codes of the detector that differ from ISO 639-3, by the detector's code. `als` stands for Alemannic, as in the
address of Wikipedia in that language."""
AUTO_DETECTED = "auto-detected"


class Translation:
    """The translation of one or several texts from one language into another."""

    def __init__(
        self,
        translator: Translator,
        source: str | None,
        target: str,
        progress: Progress,
        workers: Workers,
    ) -> None:
        self._translator = translator
        self._source = source
        self._target = target
        self._progress = progress
        self._workers = workers
        self._admission = EngineAdmission()

    async def of(self, texts: Sequence[Sequence[str | Sentence]]) -> list[str]:
        """Translate the texts, which are given in pieces. Raises ModelError, such as EngineFailed or NotTranslated if
        an engine adds markup or placeholders that a text does not have."""
        sentences = [piece for text in texts for piece in text if isinstance(piece, Sentence)]
        done = 0

        async def translated(batch: Sequence[Sentence]) -> list[str]:
            nonlocal done
            translations = await self._batch(batch)
            done += len(batch)
            self._progress("translate", done, len(sentences))
            return translations

        batches = _split_into_batches(sentences, self._translator.batch_chars)
        results = await side_by_side(translated, batches, at_most=_BATCHES_AT_ONCE)
        translations = [translation for batch in results for translation in batch]
        joined_texts, end = [], 0
        for text in texts:
            start, end = end, end + sum(isinstance(piece, Sentence) for piece in text)
            own = translations[start:end]
            joined_texts.append(await self._workers.run_sized(sum(map(len, own)), joined, text, own))
        return joined_texts

    async def _batch(self, sentences: Sequence[Sentence]) -> list[str]:
        """Translate whole sentences.

        If a translation lacks a mark or a number, the sentence is translated again with its numbers replaced by marks.
        If a mark is lost again, the text between the marks is translated in fragments.
        """
        results = await self._translate_checked(sentences)
        for index, result in enumerate(results):
            sentence = sentences[index].with_numbers_marked
            if result is None and sentence != sentences[index]:
                [results[index]] = await self._translate_checked([sentence])
        return [
            await self._in_fragments(sentences[index].with_numbers_marked) if result is None else result
            for index, result in enumerate(results)
        ]

    async def _translate_checked(self, sentences: Sequence[Sentence]) -> list[str | None]:
        """Translate sentences. The result is None for each sentence whose marks were lost or changed."""
        translations = await self._translate([sentence.text for sentence in sentences])

        def checked() -> list[str | None]:
            close = [respaced(one.text, translation) for one, translation in zip(sentences, translations, strict=True)]
            return [
                sentence.restored(translation) if sentence.is_kept_by(translation) else None
                for sentence, translation in zip(sentences, close, strict=True)
            ]

        return await asyncio.to_thread(checked)

    async def _in_fragments(self, sentence: Sentence) -> str:
        """Translate each piece of text between marks separately, so that no mark can be lost."""
        parts = _FRAGMENTS.split(sentence.text)
        texts = {index: part.strip() for index, part in enumerate(parts) if any(map(str.isalpha, part))}
        translations = await self._translate([*texts.values()]) if texts else []
        for (index, text), translation in zip(texts.items(), translations, strict=True):
            if not translation.strip() or is_invented(translation, text):
                name = self._translator.name
                raise NotTranslated(name) if name == LLM else EngineFailed(name)
            parts[index] = parts[index].replace(text, translation.strip())
        return sentence.restored("".join(parts))

    async def _translate(self, texts: Sequence[str]) -> list[str]:
        wait = self._admission.waits()
        translations = await self._translator.translate(texts, self._source, self._target, wait=wait)
        return [" ".join(translation.split()) for translation in translations]


async def _with_pairs(translator: Translator) -> str:
    """Return the translator's name and its pairs of languages, as a text for an error."""
    pairs = await translator.pairs()
    more = f" and {len(pairs) - _PAIRS_SHOWN} more pairs" if len(pairs) > _PAIRS_SHOWN else ""
    return f"{translator.name}: {', '.join(pairs[:_PAIRS_SHOWN])}{more}"


def _split_into_batches(sentences: Sequence[Sentence], max_chars: int) -> list[list[Sentence]]:
    batches: list[list[Sentence]] = []
    room = 0
    for sentence in sentences:
        if not batches or room < len(sentence.text):
            batches.append([])
            room = max_chars
        batches[-1].append(sentence)
        room -= len(sentence.text)
    return batches


async def languages_of(pieces: Iterable[str | Sentence]) -> list[str]:
    """Return the tags of the languages that the sentences may be in, the most likely first.

    There is one tag if the detector is certain, a few for a short text, and none for a text without words.
    """
    return await asyncio.to_thread(_languages_of, pieces)


def _languages_of(pieces: Iterable[str | Sentence]) -> list[str]:
    words: list[str] = []
    chars = 0
    for piece in pieces:
        if isinstance(piece, Sentence) and chars < _SAMPLE:
            words += MARK.sub(" ", piece.text).split()
            chars += len(piece.text)
    bare = " ".join(words)[:_SAMPLE]
    if not any(map(str.isalpha, bare)):
        return []
    guesses = detected(bare, _GUESSES)
    if guesses and guesses[0][1] >= _LEAST_CERTAIN:
        guesses = guesses[:1]
    tags = (tag_of_code(_OWN_CODES.get(code, code)) for code, score in guesses if score >= _LEAST_POSSIBLE)
    return [tag for tag in tags if tag]


Translators = Callable[[], Sequence[Translator]]
"""Function that returns the available translators, the best first. Raises EngineUnavailable if there are none."""

Remedy = Callable[[str], str]
"""Function that takes the tag of the target language, and returns sentences on what to install for it."""


class TranslatedData(TypedDict):
    translated_text: str | list[str]
    """The translation; a list if the text is a JSON list of texts."""
    source_language: str
    """Language code that the request gave, or else `auto-detected`."""
    target_language: str
    batch_size: int
    """Number of translated texts: 1, the number of attached files, or the length of the list."""


class TranslateData(TranslatedData):
    results: NotRequired[list[TranslatedData]]
    """The translations into all target languages, the first included; absent if there is only one."""


class TranslateResult(Result[TranslateData]):
    def text(self) -> str:
        results: Sequence[TranslatedData] = self.data.get("results") or [self.data]
        texts = (one["translated_text"] for one in results)
        return "\n\n".join(text if isinstance(text, str) else "\n".join(text) for text in texts)

    def _result_lines(self) -> Iterator[ResultLine]:
        return pieces_under(f"{self.data['source_language']} → {self.data['target_language']}", self.text())

    def passages(self) -> Iterator[Iterator[SourceLine]]:
        yield lines_below(self.data, left_out=frozenset({"batch_size", "results"}))


class TranslateTask:
    """Translates the text in the options or, without one, the texts of the attached documents."""

    name = "translate"

    def __init__(
        self,
        translators: Translators,
        loader: MediaLoader,
        *,
        remedy: Remedy,
        most_chars: int = MAX_CHARS,
    ) -> None:
        self._translators = translators
        self._remedy = remedy
        self._loader = loader
        self._most_chars = most_chars

    async def run(self, request: TaskRequest[TranslateOptions]) -> TranslateResult:
        """Translate the request's texts. Raises InputError (no text, an unknown language of a text),
        InputTooLarge and ModelError."""
        options = request.options
        texts = [await request.redact(text) for text in await self._texts(options.text, request.sources)]
        self._check_size(texts * len(options.targets))
        is_list = not isinstance(options.text, str)
        if not is_list and len(texts) == 1 and (listed := await asyncio.to_thread(listed_texts, texts[0])):
            texts, is_list = listed, True
        workers = self._loader.workers
        pieces = [await workers.run_sized(len(text), pieces_of, text) for text in texts]
        results: list[TranslatedData] = []
        for target in options.targets:
            translated = await self._translated(pieces, options.source_language, target, request) or texts
            results.append(
                {
                    "translated_text": list(translated) if is_list else "\n\n".join(translated),
                    "source_language": options.source_language or AUTO_DETECTED,
                    "target_language": target,
                    "batch_size": len(pieces),
                }
            )
        data: TranslateData = {**results[0]}  # type: ignore[typeddict-item]
        if len(results) > 1:
            data["results"] = results
        return TranslateResult(data)

    async def _translated(
        self,
        pieces: Sequence[Sequence[str | Sentence]],
        source: str | None,
        target: str,
        request: TaskRequest[TranslateOptions],
    ) -> Sequence[str]:
        """Return the translations of texts, which are given in pieces; none if they are in the target language."""
        sources = [source] if source else await languages_of(chain.from_iterable(pieces))
        if sources and target in (sources[0], base_of(sources[0])):
            return ()
        translator, source = await self._choose(sources, target)
        return await Translation(translator, source, target, request.progress, self._loader.workers).of(pieces)

    async def _choose(self, sources: Sequence[str], target: str) -> tuple[Translator, str | None]:
        """Return the best translator into the target language, and the source language that it translates from. This is
        the likeliest of the possible source languages that have a translator."""
        try:
            translators = self._translators()
        except EngineUnavailable as error:
            if not sources:
                raise
            raise EngineUnavailable(CAPABILITY, await self._remedy_into(target)) from error
        for source in sources or (None,):
            for translator in translators:
                if await translator.can_translate(source, target):
                    return translator, source
        if not sources:
            raise InputError(
                "the language of the text could not be recognised: name it, as in 'Translate from English into French'"
            )
        installed = "; ".join([await _with_pairs(translator) for translator in translators])
        raise EngineUnavailable(
            CAPABILITY,
            f"No installed engine ({installed}) translates from {name_of(sources[0])} into {name_of(target)}. "
            + await self._remedy_into(target),
        )

    async def _remedy_into(self, target: str) -> str:
        """Return what to install for a language. The look-up runs in a thread, because it reads the disk."""
        return f"{await asyncio.to_thread(self._remedy, target)} See docs/translate.md."

    async def _texts(self, text: str | Sequence[str], sources: Sequence[Source]) -> list[str]:
        """Return the given text or texts or, without any, the texts of the documents."""
        if not isinstance(text, str):
            return list(text)
        if text.strip():
            return [text]
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
                f"the text has {chars} characters; the limit is {self._most_chars} a request",
                code="request_too_large",
            )


def _text_of(document: Document) -> str:
    """Return the document's text. Raises InputError if another task has to read it first."""
    if document.text is None:
        raise InputError(
            f"'{document.label}' is {document.media_type}, which has to be read before it can be translated: leave out "
            "the task's tag, and the full model does both",
            code="unsupported_media_type",
            param=document.param,
        )
    return document.text


def _build(parts: Parts) -> TranslateTask:
    return TranslateTask(
        partial(parts.engines.use_all, TRANSLATE),
        parts.loader,
        remedy=partial(remedy_into, weights_dir=parts.config.weights_dir),
    )


TASK = Specialist(
    TranslateTask.name,
    _build,
    TranslateOptions,
    parse_translation,
    Tool("Translate a text or a document.", TranslateData, input="source or text"),
    reads=frozenset({"document", "table"}),
    with_texts=TranslateOptions.of_texts,
    uses=(TRANSLATE,),
    order=70,
)
