"""Cuts values out of lines by the delimiters that stand around the value of an example document, as in `SERVER … ·`.

A value begins after the same word or sign as on the example, and ends before the same word or sign. This is the
simplest form of the left and right delimiters of Kushmerick, "Wrapper induction: efficiency and expressiveness" (2000).
A word that only one of the two documents has is a value itself and no delimiter.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from tasks.extraction.candidates import (
    SIGNS_AROUND,
    Candidates,
    CandidateSpan,
    Kind,
    LineSegment,
    without_signs,
)
from tasks.extraction.folding import fold

VARIABLE = "*"
"""Delimiter in place of a word that only one of the two documents has."""
EDGE = "\n"
"""Delimiter at the start and at the end of a line."""
MAX_CUT = 48
"""At most this many spans are cut for one place on an example."""
MAX_CUT_IN_ALL = 600
"""At most this many spans are cut for all fields of a request."""
MAX_TRIED = 20_000
"""At most this many places are tried as beginnings of values, for all fields of a request together."""
LONGER = 4
"""A value may have at most twice as many words as the value on the example, plus this number."""
MAX_WORDS = 60
"""A value of an example is searched for only if it has at most this many words."""
_BEGINNING = 3
"""Number of letters by which the beginnings of values are compared first."""
MAX_LINES = 3
"""A value may continue in the lines below its first one, and has at most this many lines in all."""


class Delimiters(NamedTuple):
    """The two delimiters on each side of a span. Each is a sign, a folded word or an edge of the line; the outer ones
    stand farther away."""

    outer_before: str
    before: str
    after: str
    outer_after: str

    def among(self, common: Collection[str]) -> "Delimiters":
        """Return the delimiters with VARIABLE in place of each word that is not in `common`."""
        return Delimiters(*(VARIABLE if one[:1].isalnum() and one not in common else one for one in self))

    @property
    def are_known(self) -> bool:
        """True if neither inner delimiter is VARIABLE, and the two are not both edges of a line. Whole lines are
        candidates anyway."""
        return VARIABLE not in (self.before, self.after) and (self.before, self.after) != (EDGE, EDGE)


class CutValue(NamedTuple):
    """A value of an example that is searched for in another document, by the value's delimiters and length."""

    delimiters: Delimiters
    words: int
    """Number of words of the value."""


def delimiters_of(candidates: Candidates, words: Sequence[int], first: int, last: int) -> Delimiters:
    """Return the delimiters of `words`, which begin in the segment `first` and end in the segment `last`."""
    segments = candidates.segments
    words_before = [*islice(_leftwards(segments[first], bisect_left(segments[first].words, words[0])), 2)]
    words_after = [*islice(_rightwards(segments[last], bisect_left(segments[last].words, words[-1])), 2)]
    if len(words_before) < 2:
        words_before.append(_first_word(candidates, segments[first].above))
    if len(words_after) < 2:
        words_after.append(_first_word(candidates, segments[last].below))
    return Delimiters(words_before[1], words_before[0], words_after[0], words_after[1])


def find_values(candidates: Candidates, answer: Any) -> None:
    """Add the places of those texts of an answer that no candidate has yet, at most MAX_CUT_IN_ALL places."""
    wanted = {"".join(fold(text)) for text in _texts(answer)} - {""}
    for span in candidates.spans if wanted else ():
        wanted.discard("".join(fold(span.text)))
    beginnings, longest = {text[:_BEGINNING] for text in wanted}, max(map(len, wanted), default=0)
    room = MAX_CUT_IN_ALL
    for at, segment in enumerate(candidates.segments) if wanted else ():
        lines = _lines_from(candidates, at)
        for start, first in enumerate(segment.words):
            begun = "".join(fold(segment.passage.words[first]))
            if not begun or not any(one.startswith(begun[:_BEGINNING]) for one in beginnings):
                continue
            joined, words = "", _words_from(candidates, lines, start, MAX_WORDS)
            for end, word in enumerate(words):
                folded = "".join(fold(segment.passage.words[word]))
                joined += folded
                if len(joined) > longest:
                    break
                if room and folded and joined in wanted:
                    candidates.spans.append(span_at(candidates, lines, words[: end + 1]))
                    room -= 1


def cut_values(candidates: Candidates, values: Iterable[CutValue]) -> None:
    """Add the spans that are between the same delimiters as `values` on examples."""
    segments = candidates.segments
    seen = {(id(span.passage), span.words) for span in candidates.spans}
    starts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    ends: dict[tuple[int, str], list[int]] = defaultdict(list)
    for index, segment in enumerate(segments):
        for place in range(len(segment.words)):
            starts[next(_leftwards(segment, place))].append((index, place))
            ends[index, next(_rightwards(segment, place))].append(place)
    tries, room = MAX_TRIED, MAX_CUT_IN_ALL
    for value in dict.fromkeys(values):
        left = MAX_CUT
        for index, start in starts.get(value.delimiters.before, ())[:tries]:
            tries -= 1
            for lines, words in _to_the_end(candidates, value, index, start, ends):
                key = id(segments[index].passage), tuple(words)
                if left and room and key not in seen:
                    seen.add(key)
                    candidates.spans.append(span_at(candidates, lines, words))
                    left, room = left - 1, room - 1


def _to_the_end(
    candidates: Candidates, value: CutValue, at: int, start: int, ends: Mapping[tuple[int, str], Sequence[int]]
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the words from a start to each possible end of a value, with their segments.

    A value may continue in the lines below its first one. If the value ended at the end of a line on the example, it
    ends at the end of a further line only if the word below is the one that followed the value on the example.
    """
    segments, delimiters, longest = candidates.segments, value.delimiters, 2 * value.words + LONGER
    lines = _lines_from(candidates, at)
    words = _words_from(candidates, lines, start, longest)
    # This is the index that the first word of the line would have among `words`.
    offset = -start
    for index, line in enumerate(lines):
        below = _first_word(candidates, segments[line].below)
        if index == 0 or delimiters.after != EDGE or below == delimiters.outer_after != "":
            places = ends.get((line, delimiters.after), ())
            for end in places[bisect_left(places, -offset) : bisect_left(places, longest - offset)]:
                yield lines, words[: offset + end + 1]
        offset += len(segments[line].words)
        if offset >= longest or (below and below == delimiters.outer_after):
            return


def _lines_from(candidates: Candidates, index: int) -> list[int]:
    """Return a segment, and the segments below it in which its text may continue."""
    lines = [index]
    while len(lines) < MAX_LINES and (below := candidates.segments[lines[-1]].below) > lines[-1]:
        lines.append(below)
    return lines


def _words_from(candidates: Candidates, lines: Sequence[int], start: int, limit: int) -> list[int]:
    """Return the first `limit` words of some lines, beginning with the word `start` of the first line."""
    return [*islice(chain.from_iterable(candidates.segments[line].words for line in lines), start, start + limit)]


def span_at(candidates: Candidates, lines: Sequence[int], words: Sequence[int]) -> CandidateSpan:
    """Return the span of `words`, which are in the segments `lines`."""
    segment = candidates.segments[lines[0]]
    ends = (line for line in lines if candidates.segments[line].words[0] <= words[-1])
    last = max(ends, key=lambda line: candidates.segments[line].words[0])
    text = without_signs(" ".join([segment.passage.words[word] for word in words]))
    index = bisect_left(segment.words, words[0])
    label = " ".join([segment.passage.words[word] for word in segment.words[max(0, index - 3) : index]])
    kind: Kind = "piece" if last == lines[0] else "block"
    return CandidateSpan(kind, segment.passage, tuple(words), text, first=lines[0], last=last, label=label)


def _leftwards(segment: LineSegment, position: int) -> Iterator[str]:
    """Yield the signs and words before a word of a segment, the nearest first, up to the start of the line."""
    first = segment.passage.words[segment.words[position]]
    if sign := first[: len(first) - len(first.lstrip(SIGNS_AROUND))]:
        yield sign
    for word in reversed(range(position)):
        text = segment.passage.words[segment.words[word]]
        if sign := text[len(text.rstrip(SIGNS_AROUND)) :] if any(map(str.isalnum, text)) else text:
            yield sign
        if folded_text := "".join(fold(text)):
            yield folded_text
    yield EDGE


def _rightwards(segment: LineSegment, position: int) -> Iterator[str]:
    """Yield the signs and words after a word of a segment, the nearest first, up to the end of the line."""
    last = segment.passage.words[segment.words[position]]
    if sign := last[len(last.rstrip(SIGNS_AROUND)) :]:
        yield sign
    for word in range(position + 1, len(segment.words)):
        text = segment.passage.words[segment.words[word]]
        if sign := text[: len(text) - len(text.lstrip(SIGNS_AROUND))] if any(map(str.isalnum, text)) else text:
            yield sign
        if folded_text := "".join(fold(text)):
            yield folded_text
    yield EDGE


def _first_word(candidates: Candidates, segment: int) -> str:
    """Return the first word of a segment, or an empty text for the index −1."""
    return next(iter(fold(candidates.segments[segment].text)), "") if segment >= 0 else ""


def _texts(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, dict):
        for value in answer.values():
            yield from _texts(value)
