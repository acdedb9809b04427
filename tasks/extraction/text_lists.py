"""Reads lists of texts in a document: after a label (`Skills: Python, Go`), below or beside the name of the list, or
one item per line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from tasks.extraction.candidates import LONGEST_BLOCK, Candidates, CandidateSpan, LineSegment
from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.passages import Passage
from tasks.extraction.section_headings import is_section
from tasks.extraction.values import says_nothing
from tasks.extraction.words_on_page import WordOnPage, rows_by_column, segments_of_row, text_of

MAX_TEXTS = 1_000
"""A list of texts has at most this many items."""
ENDING_GAP, FIRST_ENDING_GAP, COLUMN_GAP = 1.5, 3.5, 2.5
"""Largest gaps, in heights of a line: between two lines of a list, between the name of a list and its first item, and
between two pieces of one item."""
LONGEST_NAME: Final = 4
"""Largest number of words of a list's name."""
FEWEST_IN_CAPITALS: Final = 2
"""Number of lines below a name in capitals that are examined. If all of them are in capitals, too, the list does not
end at a line in capitals."""
MAX_LINES, MAX_TRIED = 60, 100
"""Items are searched for in at most MAX_LINES lines below the name of their list, and at no more than MAX_TRIED places
with this name."""
_KEPT_KEYWORDS = ("title", "description")
_BULLET = re.compile(r"(?:[-–—*+•·◦▪‣]|\d{1,2}[.)])(?: |$)")
_SIGNS = tuple(map(re.compile, (r";", r"[|•·]", r",(?!\d)|(?<!\d),", r" / ", r"(?<=[^\W\d_]{3})/(?=[^\W\d_]{3})")))
"""Separators of items, the strongest first. If semicolons separate names, commas are parts of names."""
_SIGNS_IN_BLOCK = re.compile(r"[,;•|](?!\d)")
_AND = re.compile(r"(?:and|or|und|oder|et|ou|y|o|e|en) ")
"""A conjunction before the last item."""
_BRACKETS = re.compile(r"\([^()]*\)")
_SIGNS_BEFORE, _SIGNS_AFTER = " ,;|•·*-–—", " ,;|•·."
_LABEL = re.compile(r"[^:]{2,40}:(?= |$)")
_WITH_DETAILS = re.compile(r"(?=\S*\d)[A-Z0-9][A-Z0-9.-]{1,9}:?|.+?(?: [-–—] ?| ?[:=] ?|\t).+")
"""Pattern of a line that is a single item with its details: it begins with a code, or has a dash or a colon."""

Row = Sequence[WordOnPage]


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
    by_line: dict[int, list[int]] = {}
    for word in span.words:
        by_line.setdefault(span.passage.line_at(word) if span.first != span.last else 0, []).append(word)
    lines = [*map(tuple, by_line.values()), *_below_span(candidates, span)]
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
    open_text = _BRACKETS.sub(lambda found: "_" * len(found[0]), whole)
    signs = next(filter(None, (list(form.finditer(open_text, begin, end)) for form in _SIGNS)), [])
    for sign in signs:
        yield from _trimmed_item(words, whole, begin, sign.start())
        begin = sign.end()
    begin += len(whole[begin:end]) - len(whole[begin:end].lstrip(" "))
    conjunction = _AND.match(whole, begin, end) if signs else None
    yield from _trimmed_item(words, whole, conjunction.end() if conjunction else begin, end)


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


def _below_span(candidates: Candidates, span: CandidateSpan) -> Iterator[tuple[int, ...]]:
    """Find the lines below that continue the list: each follows a line that ends with a comma or a semicolon."""
    segment = candidates.segments[span.last]
    for _ in range(LONGEST_BLOCK):
        if not segment.text.endswith((",", ";")) or segment.below < 0 or segment.words[-1] < span.words[-1]:
            return
        segment = candidates.segments[segment.below]
        yield segment.words


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


class _ShortPiece(NamedTuple):
    """A piece of a row that is short enough to be the name of a list."""

    words: tuple[str, ...]
    """The words of its label or, without a label, of its whole text."""
    concepts: frozenset[str]
    rows: Sequence[Row]
    """The rows of the piece's column."""
    row: int
    """Index of the piece's row."""
    segment: int
    """Index of the piece in this row."""


_short_pieces_by_passage: "WeakKeyDictionary[Passage, Sequence[_ShortPiece]]" = WeakKeyDictionary()
"""The short pieces of each passage. They are kept as long as the passage itself, because the search for each list needs
them."""


def named_list(passage: Passage, names: Names) -> list[ListItem]:
    """Return the texts below or beside the name of a list; empty if there are none."""
    if passage not in _short_pieces_by_passage:
        _short_pieces_by_passage[passage] = [*_short_pieces(passage)]
    pieces = [(_certainty(piece, names), piece) for piece in _short_pieces_by_passage[passage]]
    named = sorted([one for one in pieces if one[0]], key=lambda one: -one[0])
    blocks = (_block_at(passage, piece, certainty) for certainty, piece in named[:MAX_TRIED])
    block = next((block for block in blocks if block is not None), [])
    return [item for item in block if not says_nothing(item.text, in_words=True)]


def _short_pieces(passage: Passage) -> Iterator[_ShortPiece]:
    for rows in rows_by_column(passage):
        for index, row in enumerate(rows):
            for at, segment in enumerate(segments_of_row(row)):
                text = text_of(passage, segment)
                label = _LABEL.match(text)
                words = tuple(fold(_BRACKETS.sub("", label[0][:-1] if label else text)))
                if 0 < len(words) <= LONGEST_NAME:
                    yield _ShortPiece(words, concepts_of(words), rows, index, at)


def _certainty(piece: _ShortPiece, names: Names) -> int:
    """Return how certainly a piece is the name of a list: 3 if it is one of the list's names, 2 if it names no concept
    and consists of some of the words of one of its names, 1 if it names only concepts of the list, or else 0."""
    if piece.words in names.own:
        return 3
    if not piece.concepts:
        return 2 * any(set(piece.words) < set(own) for own in names.own)
    return int(piece.concepts <= names.concepts)


def _block_at(passage: Passage, piece: _ShortPiece, certainty: int) -> list[ListItem] | None:
    """Return the items below or beside the name of a list; None if nothing is there. For a name of certainty 2, only
    items beside it count."""
    segments = list(segments_of_row(piece.rows[piece.row]))
    segment, rows_below = segments[piece.segment], piece.rows[piece.row + 1 :][:MAX_LINES]
    label = _LABEL.match(text_of(passage, segment))
    if label and (rest := segment[label[0].count(" ") + 1 :]):
        return _items(passage, [rest, *_continued(passage, rows_below, rest)], in_line=True)
    if piece.segment == 0 and len(segments) > 1 and not _is_name(passage, segments[1]):
        return _items(passage, [segments[1], *_beside(rows_below, segment, segments[1])], in_line=True)
    if certainty != 2 and (below := list(_below(passage, rows_below, segment))):
        return _items(passage, below, in_line=False)
    return None


def _is_name(passage: Passage, words: Row) -> bool:
    return tuple(fold(text_of(passage, words).rstrip(":"))) in PHRASES


def _continued(passage: Passage, rows: Sequence[Row], line: Row) -> Iterator[Row]:
    """Yield the lines that continue `line`: each is near the line before it, which ends with a comma or semicolon."""
    for row in rows:
        if not passage.words[line[-1].at].endswith((",", ";")) or row[0].box[1] - line[0].box[3] > line[0].height:
            return
        line = row
        yield row


def _beside(rows: Sequence[Row], name: Row, first_line: Row) -> Iterator[Row]:
    """Yield the lines below `first_line`, which is beside a name, up to a wide gap or a line that begins farther left
    than the name ends."""
    bottom = first_line[0].box[3]
    for row in rows:
        if row[0].box[0] < name[-1].box[2] or row[0].box[1] - bottom > ENDING_GAP * row[0].height:
            return
        bottom = row[0].box[3]
        yield row


def _below(passage: Passage, rows: Sequence[Row], name: Row) -> Iterator[Row]:
    """Yield the lines below a name in its column, up to a wide gap, another name, a heading, or the first label after
    lines without labels."""
    bottom, height, left, right = name[0].box[3], name[0].height, name[0].box[0], name[-1].box[2]
    limit = FIRST_ENDING_GAP * height
    are_labelled: list[bool] = []
    is_in_capitals = text_of(passage, name).isupper() and not all(
        text_of(passage, row).isupper() for row in rows[:FEWEST_IN_CAPITALS]
    )
    for row in rows:
        segments = list(segments_of_row(row))
        is_under = [one[0].box[0] < right + height and one[-1].box[2] > left - height for one in segments]
        if True not in is_under:
            continue
        own = segments[is_under.index(True) :]
        line, text = own[0], text_of(passage, own[0])
        is_labelled = _LABEL.match(text) is not None
        if line[0].box[1] - bottom > limit or _is_name(passage, line):
            return
        if is_labelled and are_labelled and not any(are_labelled):
            return
        if is_section(text) or (is_in_capitals and text_of(passage, row).isupper()):
            return
        are_labelled.append(is_labelled)
        bottom, limit = line[0].box[3], ENDING_GAP * line[0].height
        words = list(line)
        for before, segment in pairwise(own):
            # A wider gap separates two columns.
            if segment[0].box[0] - before[-1].box[2] > COLUMN_GAP * segment[0].height:
                break
            words += segment
        yield words


def _items(passage: Passage, lines: Sequence[Row], *, in_line: bool) -> list[ListItem]:
    texts = [text_of(passage, line) for line in lines]
    words = [[word.at for word in line] for line in lines]
    has_signs = any(_SIGNS_IN_BLOCK.search(_BRACKETS.sub("", text)) for text in texts)
    if not in_line and has_signs:
        with_details = [_WITH_DETAILS.match(_BULLET.sub("", text, count=1)) for text in texts]
        has_signs = any(";" in text for text in texts) or 2 * sum(map(bool, with_details)) <= len(texts)
    if not in_line and not has_signs:
        return [ListItem(text, tuple(own)) for own, text in zip(words, texts, strict=True)]
    whole, all_words = " ".join(texts), [word for own in words for word in own]
    signs = [*_SIGNS_IN_BLOCK.finditer(_BRACKETS.sub(lambda found: "_" * len(found[0]), whole))]
    starts, ends = [0, *(sign.end() for sign in signs)], [*(sign.start() for sign in signs), len(whole)]
    return [
        item for begin, end in zip(starts, ends, strict=True) for item in _trimmed_item(all_words, whole, begin, end)
    ]
