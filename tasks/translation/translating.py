"""A text through an engine, batch after batch: what must survive does, or the translation is refused."""

import asyncio
import re
from collections.abc import Sequence

from models.base import EngineFailed
from models.translation.marks import MARK
from models.translation.translator import Translator
from tasks.base import Progress
from tasks.side_by_side import side_by_side
from tasks.translation.segments import Sentence, is_invented, pieces_of, respaced

_BATCHES_AT_ONCE = 2
_FRAGMENTS = re.compile(f"({MARK.pattern})")


class Translation:
    """One text, or several, on their way from one language to another."""

    def __init__(self, translator: Translator, source: str | None, target: str, progress: Progress) -> None:
        self._translator = translator
        self._source = source
        self._target = target
        self._progress = progress
        self._admitted = False

    async def of(self, texts: Sequence[str]) -> list[str]:
        """Raises ModelError; EngineFailed also where an engine adds markup or placeholders to a text without."""
        pieces = await asyncio.to_thread(lambda: [pieces_of(text) for text in texts])
        sentences = [piece for text in pieces for piece in text if isinstance(piece, Sentence)]
        done = 0

        async def translated(batch: Sequence[Sentence]) -> list[str]:
            nonlocal done
            translations = await self._batch(batch)
            done += len(batch)
            self._progress("translate", done, len(sentences))
            return translations

        batches = _batches(sentences, self._translator.batch_chars)
        results = await side_by_side(translated, batches, at_most=_BATCHES_AT_ONCE)
        remaining = iter([translation for batch in results for translation in batch])
        return ["".join(piece if isinstance(piece, str) else next(remaining) for piece in text) for text in pieces]

    async def _batch(self, sentences: Sequence[Sentence]) -> list[str]:
        """First as they are; where something was lost, with the numbers marked too; at last in fragments."""
        results = await self._kept(sentences)
        for place, result in enumerate(results):
            sentence = sentences[place].with_numbers_marked
            if result is None and sentence != sentences[place]:
                [results[place]] = await self._kept([sentence])
        return [
            await self._in_fragments(sentences[place].with_numbers_marked) if result is None else result
            for place, result in enumerate(results)
        ]

    async def _kept(self, sentences: Sequence[Sentence]) -> list[str | None]:
        """The translations, with everything in its place; None for those that did not keep it."""
        translations = await self._translate([sentence.text for sentence in sentences])

        def checked() -> list[str | None]:
            close = [respaced(one.text, translation) for one, translation in zip(sentences, translations, strict=True)]
            return [
                sentence.restored(translation) if sentence.is_kept_by(translation) else None
                for sentence, translation in zip(sentences, close, strict=True)
            ]

        return await asyncio.to_thread(checked)

    async def _in_fragments(self, sentence: Sentence) -> str:
        """What stands between the marks, each by itself: nothing can be lost."""
        parts = _FRAGMENTS.split(sentence.text)
        texts = {place: part.strip() for place, part in enumerate(parts) if any(map(str.isalpha, part))}
        translations = await self._translate([*texts.values()]) if texts else []
        for (place, text), translation in zip(texts.items(), translations, strict=True):
            if not translation.strip() or is_invented(translation, text):
                raise EngineFailed(self._translator.name)
            parts[place] = parts[place].replace(text, translation.strip())
        return sentence.restored("".join(parts))

    async def _translate(self, texts: Sequence[str]) -> list[str]:
        """The first batch is refused if the engine is overloaded; the rest wait, so that no work is thrown away."""
        wait, self._admitted = self._admitted, True
        translations = await self._translator.translate(texts, self._source, self._target, wait=wait)
        return [" ".join(translation.split()) for translation in translations]


def _batches(sentences: Sequence[Sentence], most_chars: int) -> list[list[Sentence]]:
    batches: list[list[Sentence]] = []
    room = 0
    for sentence in sentences:
        if not batches or room < len(sentence.text):
            batches.append([])
            room = most_chars
        batches[-1].append(sentence)
        room -= len(sentence.text)
    return batches
