"""Chooses the lines that answer a question, and the sentences of a summary, if no capable LLM can read the whole text.
All of them are what was read, word for word."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, islice

from app.chat.planning.function_words import content_words
from app.chat.trim import (
    MAX_EMBEDDED,
    MAX_PIECES,
    SENTENCE_END,
    join_lines,
    similarities,
    split_line,
    word_overlap,
    words,
)
from models.embedding.embedder import Embedder
from tasks.precontext import Entry
from tasks.result import ResultLine, pieces_under
from tasks.wording.message_language import language_of

MAX_PASSAGES = 6
"""An answer of passages has at most this many lines, with the line that says what they are."""
MAX_NAMED = 2
"""At most this many lines with all words of a name are quoted."""
LEAST_SIMILAR = 0.3
"""A line without a word of the question answers it only if its cosine to the question is at least this."""
_LONGEST = 200
"""A passage has at most this many characters, unless one sentence or the whole text is much longer."""
_MAX_CHARS = 1_200
"""All passages, or all sentences of a summary, have at most this many characters."""
_MAX_SUMMED_UP = 5_000
"""A summary is made of a text's first lines, up to this number."""
_PAGE_LINE = 60
"""A line with at least this many characters, without a sentence's end, goes on in the next one."""
_LEAST_WORDS = 4
"""A sentence of a summary has at least this many words, if the text has such sentences."""
_NO_TEXT = re.compile(r"#{1,6} .*|`{3,}.*|~{3,}.*|[|:\s=*_-]*")
"""Pattern of lines without content of their own: a heading, a fence, a rule."""
_MARKS = re.compile(r"^(?:[-*+•>]\s+|\|\s*)|(?<!\s)\s*+\|$")
"""Pattern of signs of Markdown at both ends of a line: a list's, a quotation's, a table's."""


async def passages_for(question: str, entries: Sequence[Entry], embedder: Embedder | None) -> list[str]:
    """Return the lines of the results that are nearest to the question, as Markdown items in their order, each run
    below its heading: a page, or a search result. Return an empty list if nothing has to do with the question.

    A short text is returned whole.
    """
    lines, scores = await asyncio.to_thread(_score, question, entries)
    if len(lines) < MAX_PASSAGES and sum(len(line.text) for line in lines) <= _MAX_CHARS:
        return list(_as_items(lines, range(len(lines))))
    nearest = sorted(range(len(lines)), key=lambda index: -scores[index])[:MAX_EMBEDDED]
    similar = await similarities(question, [lines[index].text for index in nearest], embedder) if embedder else []
    # The words of a text in another language are not those of the question, and its meaning is compared less well.
    is_foreign = language_of(question) != language_of(" ".join(line.text for line in islice(lines, 200)))
    near = {index for index, cosine in zip(nearest, similar, strict=False) if is_foreign or cosine >= LEAST_SIMILAR}
    kept = [index for index in nearest if scores[index] > 0 or index in near]
    for index, similarity in zip(nearest, similar, strict=False):
        scores[index] += max(0.0, similarity)
    return list(_as_items(lines, _best_that_fit(lines, sorted(kept, key=lambda index: -scores[index]))))


def lines_with(name: str, entries: Sequence[Entry]) -> list[str]:
    """Return the first lines of the results with all words of `name` that name something, at most MAX_NAMED."""
    wanted = set(content_words(name))
    lines = _lines_of(entry.result.pieces for entry in entries) if wanted else []
    return [*islice((line.text for line in lines if wanted <= set(words(line.text))), MAX_NAMED)]


def _score(question: str, entries: Sequence[Entry]) -> tuple[list[ResultLine], list[float]]:
    """Return the lines of the results, and how much their words overlap with the question's, at most 1."""
    lines = _lines_of(entry.result.pieces for entry in entries)
    question_words = " ".join(content_words(question)) or question
    overlaps = word_overlap(question_words, [line.text for line in lines])
    best = max(overlaps, default=0.0) or 1.0
    return lines, [overlap / best for overlap in overlaps]


def _lines_of(results: Iterable[Callable[[], Iterable[ResultLine]]]) -> list[ResultLine]:
    """Return the lines of the results that have content, without the marks of Markdown around them."""
    found: list[ResultLine] = []
    for result in results:
        lines = join_lines(result)
        longest = max(_LONGEST, sum(len(line.text) for line in lines) // MAX_PIECES)
        for line in lines:
            text = " ".join(line.text.split())
            if not _NO_TEXT.fullmatch(text):
                found += [ResultLine(part, line.heading) for part in split_line(_MARKS.sub("", text), longest)]
    return found


def _best_that_fit(lines: Sequence[ResultLine], ranked: Iterable[int]) -> list[int]:
    """Return the indexes of the best lines, in their order, that fit into an answer together with their headings."""
    kept: list[int] = []
    for index in ranked:
        chosen = [lines[one] for one in (*kept, index)]
        rows = len(chosen) + len({line.heading for line in chosen if line.heading})
        if rows < MAX_PASSAGES and sum(len(line.text) for line in chosen) <= _MAX_CHARS:
            kept.append(index)
    return sorted(kept)


def _as_items(lines: Sequence[ResultLine], indexes: Iterable[int]) -> Iterator[str]:
    for heading, run in groupby(indexes, key=lambda index: lines[index].heading):
        if heading:
            yield heading
        yield from (f"- {lines[index].text}" for index in run)


async def summary_of(entries: Sequence[Entry], most: int) -> list[str]:
    """Return at most `most` sentences of the results, in their order: the first one, and those with the words that the
    text has most often."""
    return await asyncio.to_thread(_central_sentences, entries, most)


def _central_sentences(entries: Sequence[Entry], most: int) -> list[str]:
    lines = _lines_of(partial(pieces_under, "", entry.result.text()) for entry in entries)
    texts: list[str] = []
    for before, line in zip(["", *(line.text for line in lines)], lines[:_MAX_SUMMED_UP], strict=False):
        # A sentence goes on in the next line of a page, but not in the next row of a table.
        if before and before[-1] not in ".!?:;。！？" and (line.text[0].islower() or len(before) >= _PAGE_LINE):
            texts[-1] += f" {line.text}"
        else:
            texts.append(line.text)
    parts = [part for text in texts for part in SENTENCE_END.split(text) if part]
    sentences = [part for part in parts if len(words(part)) >= _LEAST_WORDS] or texts
    content = [set(content_words(sentence)) for sentence in sentences]
    often = Counter(word for each in content for word in each)
    # The square root keeps long sentences from winning by their length alone.
    worth = [sum(often[word] for word in each) / max(1, len(each)) ** 0.5 for each in content]
    ranked = [*range(len(sentences))[:1], *sorted(range(1, len(sentences)), key=lambda index: -worth[index])][:most]
    return [sentences[index][: _MAX_CHARS // most] for index in sorted(ranked)]
