"""Renders a page as GitHub-flavoured Markdown: headings, paragraphs in reading order, lists and tables."""

import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from statistics import median

from models.vision.text import TextLine
from tasks.layout.cells import PlacedWord, Table, placed_words
from tasks.layout.rulings import skew_of
from tasks.markdown_text import escape_beginning, escape_inline, markdown_form

_LEVELS = 1.7, 1.35, 1.18
"""Headings of the first, second and third level have at least these type sizes, relative to the page's text."""
_HEADING_WORDS = 16
"""A heading has at most this many words, however large its type."""
_PARAGRAPH_GAP = 0.4
"""White space separates paragraphs if it exceeds the usual white space between lines by more than this, in type
sizes."""
_INDENT = 1.0
"""A line after the end of a sentence begins a new paragraph if it is indented by more than this, in type sizes."""
_NARROW_WIDTH = 12
"""Lines narrower than this, in type sizes, are not running text, but the lines of an address or a receipt."""
_LIST_INDENT = 1.2
"""Usual indent of a nested list, in type sizes. Items are on different levels if their left ends differ by more than
half of it."""
_BULLET = re.compile(r"[•●○◦▪▫■□‣⁃·∙*–—-]\s+(?=\S)")
_NUMBER = re.compile(r"(\d{1,3})[.)]\s+(?=\S)")
_LETTER = re.compile(r"[a-z]\)\s+(?=\S)")
_DESCENDERS = frozenset("gjpqyQ,;()[]{}|/§@")
_WITHOUT_DESCENDERS = 0.87
"""Assumed height of a box without descenders, relative to a box with them. The ratio is 0.78 in the text layer of a
file, and 1 for the boxes of an engine."""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, a list or a table, as lines of Markdown; blocks are separated by blank lines."""

    lines: tuple[str, ...]


@dataclass(slots=True)
class _Line:
    """A line of text outside tables, in the frame of reference in which text runs to the right."""

    text: str
    size: float
    """Type size in pixels."""
    left: float
    top: float
    right: float
    bottom: float
    first_word: float
    """Width of the first word."""

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def blocks_of(lines: Sequence[TextLine], tables: Sequence[Table]) -> list[Block]:
    """Return the blocks of a page with these `lines` in reading order. Each table is placed at its first line, and a
    `continued` one is left out."""
    angle, _ = skew_of(lines)
    inside = {id(word) for table in tables for cell in table.cells for word in cell.words}
    inside |= {id(word) for table in tables for word in table.leaders}
    rows: dict[int, list[PlacedWord]] = {}
    for piece in placed_words(lines, angle):
        if id(piece.word) not in inside:
            rows.setdefault(piece.line, []).append(piece)
    texts = {index: _build_line(pieces) for index, pieces in rows.items()}
    tables_by_line: dict[int, list[Table]] = {}
    for table in tables:
        tables_by_line.setdefault(min(table.lines), []).append(table)
    page = _Page.of(list(texts.values()))
    blocks: list[Block] = []
    waiting: list[_Line] = []
    for index in range(len(lines)):
        # Text beside a table's first line is read before the table.
        if index in texts:
            waiting.append(texts[index])
        if index in tables_by_line:
            blocks += _flowing_blocks(waiting, page)
            waiting = []
            blocks += [Block(tuple(gfm(table))) for table in tables_by_line[index] if not table.continued]
    return [*blocks, *_flowing_blocks(waiting, page)]


def text_of(blocks: Iterable[Block]) -> str:
    return "\n\n".join("\n".join(block.lines) for block in blocks)


def gfm(table: Table) -> Iterator[str]:
    """Yield the lines of `table`, whose first row is the header. The text of a spanning cell occurs once; the other
    positions that it covers are empty."""
    texts = {(cell.row, cell.column): _escape_cell(cell.text) for cell in table.cells}
    for row in range(table.rows):
        yield "| " + " | ".join([texts.get((row, column), "") for column in range(table.columns)]) + " |"
        if row == 0:
            yield "|" + " --- |" * table.columns


def _escape_cell(text: str) -> str:
    return markdown_form(escape_inline(text.replace("\n", " "))).replace("|", "\\|")


def _build_line(pieces: Sequence[PlacedWord]) -> _Line:
    words = [piece.word for piece in pieces]
    first = pieces[0]
    return _Line(
        markdown_form(escape_inline(" ".join([word.text for word in words]))),
        _type_size(pieces),
        min(piece.left for piece in pieces),
        min(piece.top for piece in pieces),
        max(piece.right for piece in pieces),
        max(piece.bottom for piece in pieces),
        first.right - first.left,
    )


def _type_size(pieces: Sequence[PlacedWord]) -> float:
    """Return the type size. A box may be no higher than its letters, which may lack descenders."""
    has_descenders = any(not _DESCENDERS.isdisjoint(piece.word.text) for piece in pieces)
    return max(piece.bottom - piece.top for piece in pieces) / (1 if has_descenders else _WITHOUT_DESCENDERS)


@dataclass(slots=True)
class _Page:
    """The usual sizes and distances on a page."""

    size: float = 1.0
    """Type size of the running text."""
    gap: float = 0.0
    """Usual white space between two lines of a paragraph."""
    edges: dict[int, float] = field(default_factory=dict)
    """Farthest right end of the lines that begin near a position, by that position in whole type sizes."""

    @classmethod
    def of(cls, lines: Sequence[_Line]) -> "_Page":
        if not lines:
            return cls()
        sizes = Counter[float]()
        for line in lines:
            sizes[round(line.size, 1)] += len(line.text)
        ascending = sorted(sizes)
        below = accumulate(sizes[size] for size in ascending)
        size = next(size for size, length in zip(ascending, below, strict=True) if 2 * length >= sizes.total())
        gaps = [other.top - one.bottom for one, other in pairwise(lines) if 0 < other.top - one.bottom < size]
        page = cls(max(size, 1.0), median(gaps) if gaps else 0.3 * size)
        for line in lines:
            for step in (-1, 0, 1):
                key = int(line.left / page.size) + step
                page.edges[key] = max(page.edges.get(key, 0.0), line.right)
        return page

    def level(self, line: _Line) -> int:
        """Return the level of a heading; 0 if the line is not a heading."""
        words = line.text.split()
        if len(words) > _HEADING_WORDS or not any(len(word) > 2 and word[:3].isalpha() for word in words):
            return 0
        return next((level for level, least in enumerate(_LEVELS, 1) if line.size >= least * self.size), 0)

    def right_of(self, line: _Line) -> float:
        """Return the farthest right end of the lines that begin near the beginning of `line`."""
        return self.edges[int(line.left / self.size)]


def _flowing_blocks(lines: Sequence[_Line], page: _Page) -> Iterator[Block]:
    """Yield the headings, paragraphs and lists made of consecutive lines."""
    place = 0
    while place < len(lines):
        if level := page.level(lines[place]):
            end = place + 1
            # Lines of one level that follow each other closely are one heading.
            while end < len(lines) and page.level(lines[end]) == level and _is_close(lines[end - 1], lines[end], page):
                end += 1
            yield Block((f"{'#' * level} {' '.join(line.text for line in lines[place:end])}",))
        elif _list_marker(lines[place].text):
            end = yield from _list_block(lines, place, page)
        else:
            end = place + 1
            while end < len(lines) and _continues_paragraph(lines[end - 1], lines[end], page):
                end += 1
            yield Block(tuple(_paragraph_lines(lines[place:end], page)))
        place = end


def _is_close(above: _Line, below: _Line, page: _Page) -> bool:
    gap = below.top - above.bottom
    return (
        -0.5 * page.size < gap <= page.gap + _PARAGRAPH_GAP * max(above.size, page.size) and below.middle > above.middle
    )


def _continues_paragraph(above: _Line, below: _Line, page: _Page) -> bool:
    """True if `below` continues the paragraph of `above`."""
    if page.level(below) or _list_marker(below.text):
        return False
    if below.middle < above.middle:
        # At the top of the next column, the rest of a sentence continues the paragraph.
        return above.text[-1] not in ".!?:;)" and below.text[0].islower()
    if not _is_close(above, below, page) or not 0.75 < below.size / above.size < 1.33:
        return False
    return not (below.left > above.left + _INDENT * page.size and above.text[-1] in ".!?:")


def _paragraph_lines(lines: Sequence[_Line], page: _Page) -> Iterator[str]:
    """Yield the lines of a paragraph. Lines that were broken because they were full are joined; other breaks are kept,
    as in an address."""
    text = _escaped_beginning(lines[0].text)
    for above, below in pairwise(lines):
        room = page.right_of(above) - above.right
        is_full = above.right - above.left >= _NARROW_WIDTH * page.size and room <= below.first_word + page.size
        if not is_full and below.middle > above.middle:
            yield text + "  "
            text = _escaped_beginning(below.text)
        else:
            text = _join_lines(text, below.text)
    yield text


def _join_lines(text: str, more: str) -> str:
    """Join two lines. A word that was broken at the line's end keeps its hyphen and gets no space."""
    is_broken = text.endswith("-") and text[-2:-1].isalpha() and more[0].islower()
    return f"{text}{more}" if is_broken else f"{text} {more}"


def _escaped_beginning(text: str) -> str:
    return markdown_form(escape_beginning(text))


def _list_marker(text: str) -> str:
    """Return the Markdown marker if the line is a list item, or else ""."""
    if _BULLET.match(text) or _LETTER.match(text):
        return "- "
    number = _NUMBER.match(text)
    return f"{number[1]}. " if number else ""


def _list_block(lines: Sequence[_Line], index: int, page: _Page) -> Generator[Block, None, int]:
    """Yield the list that begins at `index`, and return the index after its end."""
    items: list[tuple[float, str]] = []
    first = lines[index]
    above = first
    for end in range(index, len(lines)):
        line = lines[end]
        mark = _list_marker(line.text)
        if end > index and (
            page.level(line)
            or not (_is_close(above, line, page) or (mark and 0 < line.top - above.bottom < 2 * page.size))
        ):
            break
        if mark:
            # A letter is part of the text, because Markdown has no such marker.
            marker = None if _LETTER.match(line.text) else _BULLET if mark == "- " else _NUMBER
            text = line.text if marker is None else marker.sub("", line.text, 1)
            items.append((line.left, mark + _escaped_beginning(text)))
        elif line.left > items[-1][0] + 0.5 * page.size:
            items[-1] = items[-1][0], _join_lines(items[-1][1], line.text)
        else:
            break
        above = line
    else:
        end = len(lines)
    lefts: list[float] = []
    texts = []
    for left, text in items:
        while lefts and left < lefts[-1] - _LIST_INDENT / 2 * page.size:
            lefts.pop()
        if not lefts or left > lefts[-1] + _LIST_INDENT / 2 * page.size:
            lefts.append(left)
        texts.append("   " * min(len(lefts) - 1, 5) + text)
    yield Block(tuple(texts))
    return end
