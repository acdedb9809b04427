"""Corrects the lines of an OCR engine by the transcript of a second reader.

A transcript has no positions, so the OCR engine's boxes and its division into words stay. Only letters are taken from
the transcript, and only for a line that clearly corresponds to a part of it. All other lines keep the first reading,
because the second reader sometimes leaves lines out, repeats them or makes them up.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import partial_ratio_alignment

from models.vision.ocr.regions import without_white_space
from models.vision.ppocr.recognizer import is_cjk
from models.vision.text import TextLine

_LEAST_SIMILARITY = 0.75
"""A line corresponds to a part of the transcript if their similarity is at least this. The similarity is 1 minus the
edit distance divided by the length of the longer text."""
_LEAST_WORD_SIMILARITY = 0.5
"""A word gets the letters of its part of the transcript only if their similarity is at least this. Within a line with a
counterpart, a word may differ more than the line."""
_LEAST_CERTAIN = 0.995
"""A word of the first reading with at least this confidence is never changed. Words that the second reader makes up are
often similar to the true word: another amount, or another date."""
_SEARCH_CUTOFF = 60.0
"""rapidfuzz may give up its search for a line if the similarity, from 0 to 100, stays below this."""
_SLACK = 4
"""The true ends of a line in the transcript are searched for within this many letters of the ends that rapidfuzz finds,
plus a tenth of the line's length."""
_MAX_MISSED = 2
"""A line is extended by at most this many letters at either end, because PP-OCR may have missed them."""
_LEAST_ANCHOR = 8
"""Lines with at least this many letters are also searched for out of order, because the second reader may read columns
in a different order. Shorter lines would be found by coincidence."""
_PASSES = 4
"""Each pass searches the unused parts of the transcript for the lines that have not been found so far. With this many
passes, up to this many columns may have a different order in the transcript."""
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RegionTranscript:
    text: str
    probabilities: tuple[float, ...]
    """Probability of each character, equal to the probability of its token."""


def aligned(lines: Sequence[TextLine], transcript: RegionTranscript) -> list[TextLine]:
    """Return corrected `lines`, which must be in reading order. In each line that `transcript` contains, words that the
    first reader was not certain of get the letters of the transcript. No box changes, and no word is added or removed.
    The confidence of a changed word is the mean probability of its letters in the transcript."""
    written = _CompactTranscript.of(transcript)
    texts = [without_white_space(line.text) for line in lines]
    spans = written.spans(texts)
    return [
        line if span is None else _with_letters(line, written, span) for line, span in zip(lines, spans, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _CompactTranscript:
    """A transcript without its white space."""

    text: str
    probabilities: tuple[float, ...]
    edges: frozenset[int]
    """Indexes of letters that follow white space or begin the text, and the index of the text's end."""

    @classmethod
    def of(cls, transcript: RegionTranscript) -> "_CompactTranscript":
        seen = [place for place, letter in enumerate(transcript.text) if not letter.isspace()]
        begins = (index for index, place in enumerate(seen) if index == 0 or place > seen[index - 1] + 1)
        letters = "".join(transcript.text[place] for place in seen)
        edges = frozenset([*begins, len(letters)])
        return cls(letters, tuple(transcript.probabilities[place] for place in seen), edges)

    def spans(self, texts: Sequence[str]) -> list[Span | None]:
        """Return the span of each of `texts` in the transcript; None for a text that is not found."""
        spans: list[Span | None] = [None] * len(texts)
        gaps: list[Span] = [(0, len(self.text))]
        for order in range(_PASSES):
            found: dict[int, Span] = {}
            for gap in gaps:
                left = [
                    (index, texts[index]) for index, span in enumerate(spans) if span is None and index not in found
                ]
                found |= self._in_order(left, gap, _LEAST_ANCHOR if order else 0)
            for index, span in found.items():
                spans[index] = span
            taken = sorted(span for span in spans if span is not None)
            starts, stops = [0, *(stop for _, stop in taken)], [*(start for start, _ in taken), len(self.text)]
            gaps = [gap for gap in zip(starts, stops, strict=True) if gap[0] < gap[1]] if found else []
        return self._extended_to_words(spans)

    def _in_order(self, texts: Sequence[tuple[int, str]], gap: Span, least: int) -> dict[int, Span]:
        """Return, by index, the spans of the `texts` that occur in `gap` in the same order. The longest and most
        similar text, which must have at least `least` letters, is found first. The others are then searched for before
        and after it."""
        found: dict[int, Span] = {}
        waiting = [(list(texts), gap, least)]
        while waiting:
            part, (start, stop), least = waiting.pop()
            best: tuple[float, int, Span] | None = None
            for place in sorted(range(len(part)), key=lambda place: -len(part[place][1])) if start < stop else ():
                text = part[place][1]
                if len(text) < least or (best is not None and len(text) <= best[0]):
                    break  # the texts are sorted by length, so no later one can be better
                likeness, span = self._place_of(text, (start, stop))
                if likeness >= _LEAST_SIMILARITY and (best is None or likeness * len(text) > best[0]):
                    best = likeness * len(text), place, span
            if best is not None:
                _, place, span = best
                found[part[place][0]] = span
                waiting += [(part[:place], (start, span[0]), 0), (part[place + 1 :], (span[1], stop), 0)]
        return found

    def _place_of(self, text: str, gap: Span) -> tuple[float, Span]:
        """Find the most likely place of `text` in `gap`. Return the similarity of the text and this place, from 0 to 1,
        and the place."""
        low, high = gap
        # The search includes overlapping matches, so that a match of whole words can be preferred to matches inside
        # words.
        same = [low + found.start() for found in re.finditer(f"(?={re.escape(text)})", self.text[low:high])]
        if same:
            spans = ((start, start + len(text)) for start in same)
            return 1.0, min(spans, key=lambda span: sum(end not in self.edges for end in span))
        rough = partial_ratio_alignment(text, self.text[low:high], score_cutoff=_SEARCH_CUTOFF)
        if rough is None:
            return 0.0, gap
        # If the gap is shorter than the text, the whole gap is the likeliest place.
        is_inside = len(text) <= high - low
        start, stop = (low + rough.dest_start, low + rough.dest_end) if is_inside else gap
        slack = _SLACK + len(text) // 10

        def cost(span: Span) -> tuple[int, int, int]:
            """Return the cost of a span: the number of edits, then the number of ends that are inside words, then the
            difference in length. The span with the least cost is the most likely place."""
            edits = Levenshtein.distance(text, self.text[span[0] : span[1]])
            return edits, sum(end not in self.edges for end in span), abs(span[1] - span[0] - len(text))

        for _ in range(2):
            starts = range(max(low, start - slack), min(stop, start + slack + 1))
            start = min(starts, key=lambda start: cost((start, stop)))
            stops = range(max(start + 1, stop - slack), min(high, stop + slack) + 1)
            stop = min(stops, key=lambda stop: cost((start, stop)))
        return Levenshtein.normalized_similarity(text, self.text[start:stop]), (start, stop)

    def _extended_to_words(self, spans: Sequence[Span | None]) -> list[Span | None]:
        """Extend each span to the ends of its words, if few letters are missing and no other line has them."""
        taken = {index for span in spans if span is not None for index in range(*span)}

        def grown(start: int, stop: int) -> Span:
            first, last = start, stop
            while start - first < _MAX_MISSED and first not in self.edges and self._may_be_missing(first - 1, taken):
                first -= 1
            while last - stop < _MAX_MISSED and last not in self.edges and self._may_be_missing(last, taken):
                last += 1
            return first if first in self.edges else start, last if last in self.edges else stop

        return [None if span is None else grown(*span) for span in spans]

    def _may_be_missing(self, index: int, taken: Collection[int]) -> bool:
        """True if the character at `index` may belong to the line whose span it adjoins, because it is a letter, a
        digit or a combining mark that no line has. Always False for Chinese and Japanese characters: these are written
        without spaces between words, so nothing shows where a line ends."""
        letter = self.text[index]
        return index not in taken and unicodedata.category(letter)[0] in "LNM" and not is_cjk(letter)


def _pairs(first: str, second: str) -> Iterator[tuple[int, int | None]]:
    """Yield the index of each letter of `first` with the index of the letter of `second` that equals or replaces it."""
    for edit in Levenshtein.opcodes(first, second):
        for step, at in enumerate(range(edit.src_start, edit.src_end)):
            yield at, None if edit.tag == "delete" else edit.dest_start + step


def _with_letters(line: TextLine, written: _CompactTranscript, span: Span) -> TextLine:
    """Return `line` with its words corrected by the letters in `span` of the transcript."""
    owners = [index for index, word in enumerate(line.words) for _ in without_white_space(word.text)]
    words = list(line.words)
    for index, places in enumerate(_assign_letters(owners, without_white_space(line.text), written, span, len(words))):
        word = words[index]
        text = "".join(written.text[place] for place in places)
        if word.confidence >= _LEAST_CERTAIN or not text or text == word.text:
            continue
        if Levenshtein.normalized_similarity(word.text, text) >= _LEAST_WORD_SIMILARITY:
            confidence = float(np.mean([written.probabilities[place] for place in places]))
            words[index] = replace(word, text=text, confidence=min(1.0, confidence))
    return replace(line, words=tuple(words))


def _assign_letters(
    owners: Sequence[int], text: str, written: _CompactTranscript, span: Span, count: int
) -> list[list[int]]:
    """Return, for each of the `count` words, the indexes of its letters in `span`. A letter without a counterpart in
    the line is assigned to the word of its neighbour. A whole word of the transcript without a counterpart is left out,
    because it has no box."""
    letters = written.text[span[0] : span[1]]
    owner: list[int | None] = [None] * len(letters)
    for index, place in _pairs(text, letters):
        if place is not None:
            owner[place] = owners[index]
    for place in range(1, len(letters)):
        if owner[place] is None and span[0] + place not in written.edges:
            owner[place] = owner[place - 1]
    for place in reversed(range(len(letters) - 1)):
        if owner[place] is None and span[0] + place + 1 not in written.edges:
            owner[place] = owner[place + 1]
    shares: list[list[int]] = [[] for _ in range(count)]
    for place, number in enumerate(owner):
        if number is not None:
            shares[number].append(span[0] + place)
    return shares
