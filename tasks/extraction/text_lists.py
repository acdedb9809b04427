"""Reads lists of texts after a label in a document: `Skills: Python, Go`, or one item per line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tasks.extraction.candidates import LONGEST_BLOCK, Candidates, CandidateSpan, LineSegment
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.extraction.values import says_nothing

_BULLET = re.compile(r"(?:[-–—*+•·◦▪‣]|\d{1,2}[.)])(?: |$)")
_SIGNS = tuple(map(re.compile, (r";", r"[|•·]", r",(?!\d)|(?<!\d),", r" / ", r"(?<=[^\W\d_]{3})/(?=[^\W\d_]{3})")))
"""Separators of items, the strongest first. If semicolons separate names, commas are parts of names."""
_AND = re.compile(r"(?:and|or|und|oder|et|ou|y|o|e|en) ")
"""A conjunction before the last item."""
_BRACKETS = re.compile(r"\([^()]*\)")
_SIGNS_BEFORE, _SIGNS_AFTER = " ,;|•·*-–—", " ,;|•·."
MAX_TEXTS = 1_000
"""A list of texts has at most this many items."""
_KEPT_KEYWORDS = ("title", "description")


@dataclass(frozen=True, slots=True)
class ListItem:
    text: str
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TextList:
    """The items of a list of texts, and the probability that the list's place is right."""

    passage: Passage
    items: Sequence[ListItem]
    probability: float
    is_cut: bool = False
    """True if the text has more items than MAX_TEXTS."""

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items]


def as_text(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema for the single text that contains the whole list."""
    return {"type": "string"} | {key: schema[key] for key in _KEPT_KEYWORDS if key in schema}


def read_text_list(candidates: Candidates, passage: Passage, words: tuple[int, ...], probability: float) -> TextList:
    """Read the list that consists of `words` or contains them."""
    same_spans = [one for one in candidates.spans if one.passage is passage and one.words == words]
    parts = [one for one in candidates.spans if _is_part_around(one, same_spans[0])]
    items = _items_at(candidates, max(parts, key=lambda one: len(one.words), default=same_spans[0]))
    with_content = (item for item in items if not says_nothing(item.text, in_words=True))
    found = list(islice(with_content, MAX_TEXTS))
    return TextList(passage, found, probability, is_cut=next(with_content, None) is not None)


def _is_part_around(span: CandidateSpan, piece: CandidateSpan) -> bool:
    """True if the span `span` is the whole text after a label and contains `piece`."""
    is_there = span.passage is piece.passage and span.first == span.last == piece.first == piece.last
    is_part = span.kind == "part" and fold(span.label) == fold(piece.label)
    if not is_there or not is_part or not set(piece.words) <= set(span.words):
        return False
    # If `piece` is itself a part after the label, the two parts may differ only in signs.
    return piece.kind != "part" or fold(span.text) == fold(piece.text)


def _items_at(candidates: Candidates, span: CandidateSpan) -> Iterator[ListItem]:
    first = candidates.segments[span.first]
    if _BULLET.match(first.text) and span.words[0] - first.words[0] <= 1:
        for line in _bullets(candidates.segments, span.first):
            mark = _BULLET.match(line.text)
            yield from _trimmed_item(line.words, line.text, mark.end() if mark else 0, len(line.text))
        return
    lines = [span.words] if span.first == span.last else _words_by_line(span)
    lines += _below(candidates, span)
    texts = [" ".join([span.passage.words[word] for word in words]) for words in lines]
    if len(lines) > 1 and not any(sign.search(text) for sign in _SIGNS for text in texts):
        for words, text in zip(lines, texts, strict=True):
            yield from _trimmed_item(words, text, 0, len(text))
        return
    whole, words = " ".join(texts), tuple(word for line in lines for word in line)
    begin = max(0, whole.find(span.text))
    end = begin + len(span.text) if len(lines) == 1 else len(whole)
    # A point before the text or a hash sign after it may be part of a name: `.NET`, `C#`.
    begin -= whole[:begin].endswith(".")
    end += whole[end : end + 1] == "#"
    for at, until in _cut_at_signs(whole, begin, end):
        yield from _trimmed_item(words, whole, at, until)


def _bullets(segments: Sequence[LineSegment], at: int) -> Sequence[LineSegment]:
    """Return the consecutive lines with bullets around segment `at`."""

    def is_one(index: int) -> bool:
        one = segments[index]
        return one.passage is segments[at].passage and _BULLET.match(one.text) is not None

    first, last = at, at
    while first and is_one(first - 1):
        first -= 1
    while last + 1 < len(segments) and is_one(last + 1):
        last += 1
    return segments[first : last + 1]


def _words_by_line(span: CandidateSpan) -> list[tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for word in span.words:
        found.setdefault(span.passage.line_at(word), []).append(word)
    return [tuple(words) for words in found.values()]


def _below(candidates: Candidates, span: CandidateSpan) -> Iterator[tuple[int, ...]]:
    """Find the lines below that continue the list: each follows a line that ends with a comma or a semicolon."""
    segment = candidates.segments[span.last]
    for _ in range(LONGEST_BLOCK):
        if not segment.text.endswith((",", ";")) or segment.below < 0 or segment.words[-1] < span.words[-1]:
            return
        segment = candidates.segments[segment.below]
        yield segment.words


def _cut_at_signs(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Find the start and the end of each item. Text in brackets is never cut."""
    open_text = _BRACKETS.sub(lambda found: "_" * len(found[0]), text)
    found = (list(form.finditer(open_text, begin, end)) for form in _SIGNS)
    signs = next(filter(None, found), [])
    for sign in signs:
        yield begin, sign.start()
        begin = sign.end()
    while begin < end and text[begin] == " ":
        begin += 1
    conjunction = _AND.match(text, begin, end) if signs else None
    yield conjunction.end() if conjunction else begin, end


def _trimmed_item(words: Sequence[int], text: str, begin: int, end: int) -> Iterator[ListItem]:
    """Yield the item between two places of `text`, without the signs around it, or nothing if no characters remain.

    `text` consists of `words` joined by spaces.
    """
    bare = text[begin:end].lstrip(_SIGNS_BEFORE)
    begin = end - len(bare)
    bare = bare.rstrip(_SIGNS_AFTER)
    if bare:
        first = text.count(" ", 0, begin)
        yield ListItem(bare, tuple(words[first : first + bare.count(" ") + 1]))
