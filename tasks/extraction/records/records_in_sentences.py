"""Finds records in the sentences of a paragraph: items that separators such as commas divide."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from tasks.extraction.line_pieces import PiecedLine, cut_line
from tasks.extraction.passages import Passage
from tasks.extraction.records.runs import MAX_RECORDS, Run
from tasks.extraction.words_on_page import WordOnPage

MAX_WORDS: Final = 300
"""Largest number of words of a paragraph in which items are searched for."""
MAX_CHARS: Final = 20 * MAX_WORDS
"""Largest number of characters of such a paragraph. Words may be of any length, and the text after each comma is
searched for a bracket."""
FEWEST_SEPARATORS: Final = 2
_LABEL: Final = re.compile(r"([^:]{2,40}): ")
_SEPARATORS: Final = (
    re.compile(r";\s"),
    re.compile(r"(?:^|(?<=\s))\(?\d{1,2}\)\s"),
    re.compile(
        r";\s|(?<=\s)\(?\d{1,2}\)\s|,\s(?![^()]{0,200}\))|\s(?:and|und|et|y|e|en|i|och|sowie|oraz)\s(?![^()]{0,200}\))"
    ),
    re.compile(r"(?<=[.!?])\s(?=[^\W\d_a-z])"),
)
"""Patterns of separators of items, which are tried one by one: semicolons; numbers; semicolons, numbers, commas and
conjunctions together; and the ends of sentences. A separator in brackets, of which the end is searched for in 200
characters, does not count."""


def runs_in_sentences(passage: Passage, lines: Sequence[PiecedLine]) -> Iterator[Run | None]:
    """Yield the runs of items of each paragraph, whose label is the run's heading; None after each slice of work
    without a run."""
    for paragraph in _paragraphs(lines):
        yield None
        words = [word for line in paragraph for word in line.words]
        if len(words) > MAX_WORDS:
            continue
        text = " ".join(passage.words[word.at] for word in words)
        if len(text) > MAX_CHARS:
            continue
        label = _LABEL.match(text)
        for separator in _SEPARATORS:
            records: list[list[PiecedLine]] = []
            for start, end in _items(text, label.end() if label else 0, separator):
                words_of_item = words[text[:start].count(" ") : text[:end].rstrip().count(" ") + 1]
                if words_of_item and text[start:end].strip():
                    records.append([_line_of_item(passage, words_of_item)])
                    yield None
            if len(records) > 1:
                yield Run(passage, records[:MAX_RECORDS], headings=[label[1]] if label else [])


def _paragraphs(lines: Sequence[PiecedLine]) -> Sequence[Sequence[PiecedLine]]:
    """Return the lines of each paragraph. A paragraph begins with a mark, or after a gap that is wider than usual."""
    usual_gap = median([line.top - above.bottom for above, line in pairwise(lines)] or [0])
    paragraphs: list[list[PiecedLine]] = []
    for line in lines:
        above = paragraphs[-1][-1] if paragraphs else None
        is_near = above is not None and line.top - above.bottom <= max(1.2 * usual_gap, 0.3 * line.height)
        if is_near and not line.mark:
            paragraphs[-1].append(line)
        else:
            paragraphs.append([line])
    return paragraphs


def _items(text: str, start: int, separator: re.Pattern[str]) -> Sequence[tuple[int, int]]:
    """Return the spans of the items in a text, beginning at `start`; none if there are too few separators."""
    separators = [found.span() for found in separator.finditer(text) if found.start() >= start]
    if len(separators) < FEWEST_SEPARATORS:
        return []
    starts = [start, *(end for _, end in separators)]
    ends = [*(begin for begin, _ in separators), len(text)]
    return [*zip(starts, ends, strict=True)]


def _line_of_item(passage: Passage, words: Sequence[WordOnPage]) -> PiecedLine:
    """Return an item as a separate line, without gaps between its words."""
    left, top = words[0].box[:2]
    placed = []
    for word in words:
        width = word.box[2] - word.box[0]
        placed.append(WordOnPage(word.at, (left, top, left + width, top + word.height)))
        left += width
    return cut_line(passage, placed)
