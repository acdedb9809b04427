"""Finds lists of texts below or beside their name: `Languages: English, Gaelic`."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from models.fair_executor import Slices
from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.cv_sections import is_section
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.passages import LINES_AT_ONCE, Passage
from tasks.extraction.text_lists import ListItem
from tasks.extraction.values import says_nothing
from tasks.extraction.words_on_page import WordOnPage, rows_by_column, segments_of_row, text_of

ENDING_GAP: Final = 1.5
"""Largest gap between two lines of a list, in heights of a line. A wider gap ends the list."""
FIRST_ENDING_GAP: Final = 3.5
"""Largest gap between the name of a list and its first item, in heights of the name."""
COLUMN_GAP: Final = 2.5
"""Largest gap between two pieces of one item, in heights of a line. A wider gap separates columns."""
LONGEST_NAME: Final = 4
"""Largest number of words of a list's name."""
FEWEST_IN_CAPITALS: Final = 2
"""Number of lines below a name in capitals that are examined. If all of them are in capitals, too, the list does not
end at a line in capitals."""
MAX_LINES: Final = 60
"""Items are searched for in at most this many lines below the name of their list."""
MAX_TRIED: Final = 100
"""Items are searched for at no more than this many places with the name of their list."""

_CODE = re.compile(r"(?=\S*\d)[A-Z0-9][A-Z0-9.-]{1,9}:?")
_DASH = re.compile(r".+?(?: [-–—] ?| ?[:=] ?|\t).+")
_BULLET = re.compile(r"^(?:[-–—*+•·◦▪‣]|\d{1,2}[.)]) ")
_COMMA_OR_BRACKET = re.compile(r"[,;•|()]")
_IN_BRACKETS = re.compile(r"\([^()]*\)")
_LABEL = re.compile(r"[^:]{2,40}:(?= |$)")


class _ItemLine(NamedTuple):
    words: Sequence[WordOnPage]
    text: str


class _ShortPiece(NamedTuple):
    """A piece of a row that is short enough to be the name of a list."""

    order: int
    """Index of the piece among all short pieces of the passage."""
    rows: Sequence[Sequence[WordOnPage]]
    """The rows of the piece's column."""
    row: int
    """Index of the piece's row."""
    segment: int
    """Index of the piece in this row."""


class _SameWords(NamedTuple):
    """Pieces that have the same words in their label or, without a label, in their whole text."""

    concepts: frozenset[str]
    pieces: list[_ShortPiece]


_short_pieces_by_passage: "WeakKeyDictionary[Passage, dict[tuple[str, ...], _SameWords]]" = WeakKeyDictionary()
"""The short pieces of each passage, by their words. They are kept as long as the passage itself, because the search for
each list needs them."""


def named_list(passage: Passage, names: Names) -> Slices[list[ListItem]]:
    """Return the texts below or beside the name of a list; empty if there are none."""
    named_pieces = yield from _pieces_called(passage, names, names.concepts)
    block: list[_ItemLine] | None = None
    for certainty, piece in sorted(named_pieces, key=lambda one: -one[0])[:MAX_TRIED]:
        yield
        block = _block_at(passage, piece, certainty)
        if block is not None:
            break
    lines = (line for line in block or () if not says_nothing(line.text, in_words=True))
    return [ListItem(line.text, tuple(word.at for word in line.words)) for line in lines]


def _short_pieces(passage: Passage) -> Slices[dict[tuple[str, ...], _SameWords]]:
    """Return the pieces of rows that may be the name of a list, by their words."""
    if passage in _short_pieces_by_passage:
        return _short_pieces_by_passage[passage]
    found: dict[tuple[str, ...], _SameWords] = {}
    order = 0
    for rows in rows_by_column(passage):
        for index, row in enumerate(rows):
            yield
            for segment_index, segment in enumerate(segments_of_row(row)):
                text = text_of(passage, segment)
                label = _LABEL.match(text)
                words = tuple(fold(_IN_BRACKETS.sub("", label[0][:-1] if label else text)))
                if 0 < len(words) <= LONGEST_NAME:
                    if words not in found:
                        found[words] = _SameWords(concepts_of(words), [])
                    found[words].pieces.append(_ShortPiece(order, rows, index, segment_index))
                    order += 1
    _short_pieces_by_passage[passage] = found
    return found


def _pieces_called(passage: Passage, names: Names, concepts: frozenset[str]) -> Slices[list[tuple[int, _ShortPiece]]]:
    """Return the pieces with the name of a list in the order of the page, each with its certainty (`_certainty`)."""
    found: list[tuple[int, _ShortPiece]] = []
    name_words = {word for words in names.own for word in words}
    for index, (words, same_words) in enumerate((yield from _short_pieces(passage)).items()):
        if index % LINES_AT_ONCE == 0:
            yield
        may_match = words[0] in name_words or same_words.concepts
        if may_match and (certainty := _certainty(words, same_words.concepts, names, concepts)):
            found += [(certainty, piece) for piece in same_words.pieces]
    return sorted(found, key=lambda one: one[1].order)


def _certainty(words: tuple[str, ...], meanings: frozenset[str], names: Names, concepts: frozenset[str]) -> int:
    """Return how certainly words are the name of a list: 3 if they are one of the list's names, 2 if they name no
    concept and are some of the words of one of its names, 1 if they name only concepts of the list, or else 0."""
    if words in names.own:
        return 3
    if not meanings:
        return 2 * any(set(words) < set(own) for own in names.own)
    return int(meanings <= concepts)


def _block_at(passage: Passage, piece: _ShortPiece, certainty: int) -> list[_ItemLine] | None:
    """Return the items below or beside the name of a list; None if nothing is there. For a name of certainty 2, only
    items beside it count."""
    _, rows, at, segment_index = piece
    segments = list(segments_of_row(rows[at]))
    segment = segments[segment_index]
    label = _LABEL.match(text_of(passage, segment))
    if label and (rest := segment[label[0].count(" ") + 1 :]):
        return _items(passage, [rest, *_continued(passage, rows[at + 1 :], rest)], in_line=True)
    if segment_index == 0 and len(segments) > 1 and not _is_name(passage, segments[1]):
        lines = [segments[1], *_beside(rows[at + 1 :], segment, segments[1])]
        return _items(passage, lines, in_line=True)
    if certainty != 2 and (below := list(_below(passage, rows[at + 1 :], segment))):
        return _items(passage, below, in_line=False)
    return None


def _is_name(passage: Passage, words: Sequence[WordOnPage]) -> bool:
    label_words = tuple(fold(text_of(passage, words).rstrip(":")))
    return label_words in PHRASES


def _continued(
    passage: Passage, rows: Sequence[Sequence[WordOnPage]], line: Sequence[WordOnPage]
) -> Iterator[list[WordOnPage]]:
    """Yield the lines that continue `line`: each is near the line before it, which ends with a comma or semicolon."""
    for row in rows[:MAX_LINES]:
        if not passage.words[line[-1].at].endswith((",", ";")) or row[0].box[1] - line[0].box[3] > line[0].height:
            return
        line = list(row)
        yield list(row)


def _beside(
    rows: Sequence[Sequence[WordOnPage]], name: Sequence[WordOnPage], first_line: Sequence[WordOnPage]
) -> Iterator[list[WordOnPage]]:
    """Yield the lines below `first_line`, which is beside a name, up to a wide gap or a line that begins farther left
    than the name ends."""
    bottom = first_line[0].box[3]
    for row in rows[:MAX_LINES]:
        if row[0].box[0] < name[-1].box[2] or row[0].box[1] - bottom > ENDING_GAP * row[0].height:
            return
        bottom = row[0].box[3]
        yield list(row)


def _below(
    passage: Passage, rows: Sequence[Sequence[WordOnPage]], name: Sequence[WordOnPage]
) -> Iterator[list[WordOnPage]]:
    """Yield the lines below a name in its column, up to a wide gap, another name, a heading, or the first label after
    lines without labels."""
    bottom, height, left = name[0].box[3], name[0].height, name[0].box[0]
    found = 0
    has_label = False
    is_in_capitals = text_of(passage, name).isupper() and not all(
        text_of(passage, row).isupper() for row in rows[:FEWEST_IN_CAPITALS]
    )
    for row in rows[:MAX_LINES]:
        segments = list(segments_of_row(row))
        first = next((index for index, one in enumerate(segments) if _is_under(one, name, left)), len(segments))
        own = segments[first:]
        if not own:
            continue
        line = own[0]
        limit = ENDING_GAP * line[0].height if found else FIRST_ENDING_GAP * height
        if line[0].box[1] - bottom > limit or _is_name(passage, line):
            return
        if found and not has_label and _LABEL.match(text_of(passage, line)):
            return
        if is_section(text_of(passage, line)) or (is_in_capitals and text_of(passage, row).isupper()):
            return
        bottom = line[0].box[3]
        found += 1
        has_label = has_label or _LABEL.match(text_of(passage, line)) is not None
        yield [word for one in _together(own) for word in one]


def _together(segments: Sequence[list[WordOnPage]]) -> Iterator[list[WordOnPage]]:
    """Yield the first pieces of a row, up to the gap between two columns."""
    for index, segment in enumerate(segments):
        if index and segment[0].box[0] - segments[index - 1][-1].box[2] > COLUMN_GAP * segment[0].height:
            return
        yield segment


def _is_under(line: Sequence[WordOnPage], name: Sequence[WordOnPage], left: int) -> bool:
    return line[0].box[0] < name[-1].box[2] + name[0].height and line[-1].box[2] > left - name[0].height


def _items(passage: Passage, lines: Sequence[Sequence[WordOnPage]], *, in_line: bool) -> list[_ItemLine]:
    texts = [text_of(passage, line) for line in lines]
    if not in_line and not any(map(commas_in, texts)):
        return [_ItemLine(line, text) for line, text in zip(lines, texts, strict=True)]
    if not in_line and sum(map(_is_item, texts)) * 2 > len(texts) and not any(";" in text for text in texts):
        return [_ItemLine(line, text) for line, text in zip(lines, texts, strict=True)]
    whole, words = " ".join(texts), [word for line in lines for word in line]
    found = []
    begin = position = counted = 0
    for end in [*commas_in(whole), len(whole)]:
        text = whole[begin:end]
        bare = text.strip(" ,;•|.")
        first = begin + len(text) - len(text.lstrip(" ,;•|"))
        if bare:
            position += whole.count(" ", counted, first)
            counted = first
            found.append(_ItemLine(words[position : position + bare.count(" ") + 1], bare))
        begin = end + 1
    return found


def commas_in(text: str) -> list[int]:
    """Return the places of the signs that separate items: the signs outside brackets that no digit follows."""
    found: list[int] = []
    is_inside = False
    for sign in reversed(list(_COMMA_OR_BRACKET.finditer(text))):
        if sign[0] in "()":
            is_inside = sign[0] == ")"
        elif not is_inside and not text[sign.end() : sign.end() + 1].isdecimal():
            found.append(sign.start())
    return found[::-1]


def _is_item(text: str) -> bool:
    """True if a line is a single item with its details."""
    bare = _BULLET.sub("", text, count=1)
    return _CODE.match(bare) is not None or _DASH.fullmatch(bare) is not None
