"""Finds the printed row of a value: the line with the value, from its label on."""

from collections.abc import Collection, Sequence
from typing import Final

from tasks.extraction.candidates import Candidates, CandidateSpan, LineSegment
from tasks.extraction.passages import Passage
from tasks.extraction.probability import FieldScores, ValuePlace

MAX_PIECES: Final = 8
"""At most this many pieces of a row are quoted before a value."""
MAX_WORDS: Final = 20
"""At most this many words are quoted on each side of a value, because a paragraph of a text is one long line."""


def row_of(scored: FieldScores, place: ValuePlace) -> str:
    """Return the printed row of the value at `place`; empty if the value's place in the text is not known."""
    segments = scored.candidates.segments
    index = next((index for index, segment in enumerate(segments) if _begins_in(segment, place, scored)), None)
    return "" if index is None else _row(segments, index, place.words)


def row_of_span(candidates: Candidates, span: CandidateSpan) -> str:
    """Return the printed row of a candidate."""
    return _row(candidates.segments, span.first, span.words)


def _row(segments: Sequence[LineSegment], index: int, words: Collection[int]) -> str:
    segment = segments[index]
    if segment.box is None:
        return _around(segment.passage, segment.passage.line_words(segment.passage.line_at(min(words))), words)
    row = [_around(segment.passage, range(segment.words[0], segment.words[-1] + 1), words)]
    while (index := segments[index].left) >= 0 and len(row) <= MAX_PIECES:
        row.insert(0, segments[index].text)
    return " ".join(row)


def _begins_in(segment: LineSegment, place: ValuePlace, scored: FieldScores) -> bool:
    passage = segment.passage
    if not place.words or min(place.words) not in segment.words or scored.entries[passage.entry] is not place.entry:
        return False
    return passage.lines[passage.line_at(min(place.words))].pointer == place.pointer


def _around(passage: Passage, line: range, words: Collection[int]) -> str:
    begin, end = max(line.start, min(words) - MAX_WORDS), min(line.stop, max(words) + 1 + MAX_WORDS)
    return " ".join(passage.words[begin:end])
