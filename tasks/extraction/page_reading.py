"""Reads pages for fields with the encoder of pages: scores spans by their first and last tokens, and finds spans that
are not candidates yet."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from models.extraction.page_encoder import FIELDS_AT_ONCE, FieldReader, ReadPage
from models.extraction.page_tokens import PageTokens, Prompt
from tasks.extraction.boxes import box_of
from tasks.extraction.candidates import Candidates, CandidateSpan, span_at
from tasks.extraction.features import Matrix
from tasks.extraction.passages import Passage
from tasks.schema.awaited import result_of

LARGEST = 40.0
"""Log-odds of a span are at most this, and at least its negative. With 12, two good places were often equal: of the
2,370 single fields of 110 papers of other people, 17 fewer were right."""
INSIDE = 0.5
"""Weight of the mean score of a span's tokens, beside those of its first and last ones."""
FIRSTS = 3
"""A value that is not a candidate yet begins at one of so many likeliest tokens."""
MAX_WORDS = 25
"""Such a value has at most this many words."""
LEAST = 2.0
"""Such a value has at least these log-odds."""
UNREAD = -4.0
"""Log-odds of a span that was not read, because the texts are too long: those of most spans are lower."""
MAX_RUNS = 12
"""At most this many parts of pages are read for a request; each has up to WINDOW tokens and FIELDS_AT_ONCE fields."""

Readings = Mapping[int, ReadPage]
"""Scores of the tokens of each passage that was read, by the passage's identity."""


def read_pages(passages: Sequence[Passage], prompts: Sequence[Prompt], reader: FieldReader, most_runs: int) -> Readings:
    """Read the first passages whose words have places, in at most `most_runs` parts. Raises ModelError."""
    found: dict[int, ReadPage] = {}
    for passage in passages:
        if most_runs < ceil(len(prompts) / FIELDS_AT_ONCE):
            break
        tokens = _tokens_of(passage, reader)
        if tokens is not None:
            page = result_of(reader.read, tokens, prompts, most_runs)
            found[id(passage)] = page
            most_runs -= page.runs
    return found


def _tokens_of(passage: Passage, reader: FieldReader) -> PageTokens | None:
    boxes = []
    for word in range(len(passage.words)):
        box = box_of(passage, [word])
        if box is None:
            return None
        boxes.append(box)
    return reader.tokens_of(passage.words, boxes) if boxes else None


def span_scores(candidates: Candidates, read: Readings, fields: int) -> Matrix:
    """Return log-odds of fields × spans to no value. A number has the better score of itself and its figures alone, for
    the encoder may have found `47,14` in `EUR 47,14`."""
    found = np.full((fields, len(candidates.spans)), UNREAD, np.float32)
    of_numbers = [index for index, span in enumerate(candidates.spans) if span.number is not None]
    for indices, has_part in ((range(len(candidates.spans)), str.isalnum), (of_numbers, str.isdecimal)):
        places: dict[int, list[tuple[int, int, int]]] = {}
        for index in indices:
            span = candidates.spans[index]
            page = read.get(id(span.passage))
            if page is not None and (ends := _tokens_at(span, page.tokens, has_part)):
                places.setdefault(id(span.passage), []).append((index, *ends))
        for passage, own in places.items():
            index, first, last = np.array(own).T
            scores = read[passage].scores
            sums = np.cumsum(np.pad(scores[:, 2], ((0, 0), (1, 0))), axis=1)
            means = (sums[:, last + 1] - sums[:, first]) / (last + 1 - first)
            odds = np.clip(scores[:, 0, first] + scores[:, 1, last] + INSIDE * means, -LARGEST, LARGEST)
            found[:, index] = odds if has_part is str.isalnum else np.maximum(found[:, index], odds)
    return found


def add_spans(candidates: Candidates, read: Readings, rows: Sequence[int]) -> None:
    """Add the spans that the encoder finds likely for one of the fields in `rows` and that are not candidates yet."""
    seen = {(id(span.passage), span.words) for span in candidates.spans}
    starts: dict[int, list[tuple[int, int]]] = {}
    for index, segment in enumerate(candidates.segments):
        starts.setdefault(id(segment.passage), []).append((segment.words[0], index))
    for passage, page in read.items():
        own = sorted(starts.get(passage, ()))
        for row in rows if own and len(page.tokens.ids) else ():
            for words in _likely_words(page, row):
                key = passage, tuple(words)
                first = bisect_right(own, (words[0], len(candidates.segments))) - 1
                last = bisect_right(own, (words[-1], len(candidates.segments))) - 1
                if key not in seen and first >= 0:
                    seen.add(key)
                    candidates.spans.append(span_at(candidates, [one for _, one in own[first : last + 1]], words))


def _likely_words(page: ReadPage, row: int) -> list[range]:
    begins, ends = page.scores[row, 0], page.scores[row, 1]
    found = []
    for first in np.argsort(-begins)[:FIRSTS]:
        stop = int(np.searchsorted(page.tokens.words, page.tokens.words[first] + MAX_WORDS))
        last = int(first + ends[first:stop].argmax())
        if begins[first] + ends[last] >= LEAST:
            found.append(range(int(page.tokens.words[first]), int(page.tokens.words[last]) + 1))
    return found


def _tokens_at(
    span: CandidateSpan, tokens: PageTokens, has_part: Callable[[str], bool] = str.isalnum
) -> tuple[int, int] | None:
    """Return the first and last tokens of a span, signs left out; None if it has none that was read.

    Words at either end without a character for which `has_part` is true are left out, too, such as the signs of `€ 130`
    and of `82 %`.
    """
    words, pieces = span.passage.words, [piece for piece in span.text.split() if any(map(has_part, piece))]
    own = [word for word in span.words if any(map(has_part, words[word]))]
    first = next((found for word in own if len(found := _places(tokens, word))), None)
    last = next((found for word in reversed(own) if len(found := _places(tokens, word))), None)
    if not pieces or first is None or last is None:
        return None
    first_word, last_word = words[tokens.words[first[0]]], words[tokens.words[last[0]]]
    start, at = max(0, first_word.find(pieces[0])), last_word.rfind(pieces[-1])
    end = at + len(pieces[-1]) if at >= 0 else len(last_word)
    first = first[tokens.starts[first] >= start]
    last = last[tokens.starts[last] < end]
    return (int(first[0]), int(last[-1])) if len(first) and len(last) and first[0] <= last[-1] else None


def _places(tokens: PageTokens, word: int) -> NDArray[np.int64]:
    """Return the tokens of a word that have letters or digits."""
    low, high = np.searchsorted(tokens.words, [word, word + 1])
    return np.arange(low, high)[~tokens.signs[low:high]]
