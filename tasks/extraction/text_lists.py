"""Reads lists of texts in a document: after a label (`Skills: Python, Go`), or below or beside the name of the list."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.passages import Passage
from tasks.extraction.section_headings import is_section
from tasks.extraction.values import says_nothing
from tasks.extraction.words_on_page import WordOnPage, rows_by_column, segments_of_row, text_of

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
_CONJUNCTION = r"(?:and|or|und|oder|et|ou|y|o|e|en) "
_BEFORE_ITEM = re.compile(rf"^(?:{_BULLET.pattern}|{_CONJUNCTION})")
"""Pattern of a bullet, or of the conjunction before the last item."""
_LAST_ITEMS = re.compile(rf" (?={_CONJUNCTION})")
"""Pattern of the place between the last two items after a comma: `Ann, Bob and Carla`."""
_BRACKETS = re.compile(r"\([^()]*\)")
_SIGNS_BEFORE, _SIGNS_AFTER = " ,;|•·*-–—", " ,;|•·."
_LABEL = re.compile(r"[^:]{2,40}:(?= |$)")
_NEXT_LABEL = re.compile(r"[,;.] [^,;:]{2,40}:(?: |$)")
"""Pattern of another label in the line of a list: `; Chair:`."""
_WITH_DETAILS = re.compile(r"(?=\S*\d)[A-Z0-9][A-Z0-9.-]{1,9}:?|.+?(?: [-–—] ?| ?[:=] ?|\t).+")
"""Pattern of a line that is a single item with its details: it begins with a code, or has a dash or a colon."""

NAMED_LIST = 0.8
"""Probability of a list of texts that is below or beside its name."""
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
    probability: float = NAMED_LIST

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items]


def as_text(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema for the single text that contains the whole list."""
    return {"type": "string"} | {key: schema[key] for key in _KEPT_KEYWORDS if key in schema}


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
        if another := _NEXT_LABEL.search(text_of(passage, rest)):
            rest = rest[: another.string.count(" ", 0, another.start()) + 1]
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
    if not in_line and all(map(_BULLET.match, texts)):
        has_signs = False
    elif not in_line and has_signs:
        with_details = [_WITH_DETAILS.match(_BULLET.sub("", text, count=1)) for text in texts]
        has_signs = any(";" in text for text in texts) or 2 * sum(map(bool, with_details)) <= len(texts)
    if not in_line and not has_signs:
        return [item for own, text in zip(words, texts, strict=True) for item in _trimmed_item(own, text, 0, len(text))]
    whole, all_words = " ".join(texts).rstrip(" ,;"), [word for own in words for word in own]
    open_text = _BRACKETS.sub(lambda found: "_" * len(found[0]), whole)
    signs = next(filter(None, ([*form.finditer(open_text)] for form in _SIGNS)), [])
    if signs and signs[-1][0] == ",":
        signs += [*_LAST_ITEMS.finditer(open_text, signs[-1].end() + 1)][:1]
    starts, ends = [0, *(sign.end() for sign in signs)], [*(sign.start() for sign in signs), len(whole)]
    return [
        item for begin, end in zip(starts, ends, strict=True) for item in _trimmed_item(all_words, whole, begin, end)
    ]


def _trimmed_item(words: Sequence[int], text: str, begin: int, end: int) -> Iterator[ListItem]:
    """Yield the item between two places of `text`, without a bullet or a conjunction before it and the signs around it,
    or nothing if no characters remain.

    `text` consists of `words` joined by spaces.
    """
    bare = text[begin:end].lstrip()
    bare = _BEFORE_ITEM.sub("", bare, count=1).lstrip(_SIGNS_BEFORE)
    begin = end - len(bare)
    bare = bare.rstrip(_SIGNS_AFTER)
    if bare:
        first = text.count(" ", 0, begin)
        yield ListItem(bare, tuple(words[first : first + bare.count(" ") + 1]))
