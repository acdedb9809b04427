"""Reads the title of a paper and its authors from the first page: the largest lines, and the names below them."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from tasks.extraction.choice import ChosenValue
from tasks.extraction.decisions import Decision
from tasks.extraction.features import types_of
from tasks.extraction.fields import WantedField
from tasks.extraction.fields_to_fill import FieldsToFill
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.likeness import SAME_CONCEPT
from tasks.extraction.names import names_of
from tasks.extraction.parts import parts_of_name
from tasks.extraction.passages import Passage
from tasks.extraction.probability import CellOfField, FieldScores
from tasks.extraction.table_lists import FilledList, item_of
from tasks.extraction.text_lists import ListItem, TextList
from tasks.extraction.words_on_page import cell_with
from tasks.layout.markdown import DESCENDERS, WITHOUT_DESCENDERS
from tasks.precontext import Entry
from tasks.result import Box
from tasks.schema.paths import JsonPath

_TABLE: Final = tomllib.loads(Path(__file__).with_name("front_page.toml").read_text("utf-8"))
TITLE, AUTHORS = (frozenset(tuple(fold(name)) for name in _TABLE[key].split(",")) for key in ("title", "authors"))
"""Names of fields for a title, and for authors."""
_AFFILIATIONS, _SMALL, _BEGINNINGS, _BY, _DEGREES = (
    frozenset(_TABLE[key].split()) for key in ("affiliations", "small", "beginnings", "by", "degrees")
)
LIKELY: Final = 0.85
"""Probability of a title, and of the authors below it."""
_LARGER: Final = 1.25
"""The type of a title is larger than that of most lines by at least this factor."""
_ALIKE: Final = 0.85
"""Lines of a title have at least this size, relative to its largest line; lines of authors differ by no more."""
_MOST_LINES, _MOST_WORDS, _LEAST_LINES = 5, 30, 5
_MOST_BETWEEN: Final = 4
"""At most this many lines, such as a subtitle, are between a title and its authors."""
_GAP: Final = 1.5
"""Words with a wider gap between them, in heights of the line, are in different columns."""
_NAME: Final = re.compile(r"(?:[^\W\d_]\.?[-’']?)+")
_MARKS_AFTER: Final = re.compile(r"(?<![\d*†‡§¶∗#,])[\d*†‡§¶∗#,]++$")
_BETWEEN: Final = re.compile(r"\s*(?:[,;·•|&]|(?<!\w)(?:and|und|et|y|e|en|och|og)(?!\w))\s*")


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The title on the first page of a paper, and the authors below it."""

    passage: Passage
    title: ListItem
    authors: Sequence[ListItem]


@dataclass(frozen=True, slots=True)
class _PageLine:
    words: range
    box: Box
    height: float
    """Size of the type, in pixels."""


def read_front_page(passages: Sequence[Passage]) -> FrontPage | None:
    """Return the title and the authors on the first page with places; None if its largest lines are not a title."""
    passage = next((one for one in passages if any(line.bounds for line in one.lines)), None)
    lines = sorted(_lines_of(passage), key=lambda line: line.box[1]) if passage else []
    if passage is None or len(lines) < _LEAST_LINES:
        return None
    largest = max(range(len(lines)), key=lambda index: lines[index].height)
    least = _ALIKE * lines[largest].height
    first = last = largest
    while first and _is_next(lines[first - 1], lines[first], least):
        first -= 1
    while last + 1 < len(lines) and _is_next(lines[last], lines[last + 1], least):
        last += 1
    words = [index for line in lines[first : last + 1] for index in line.words]
    text = " ".join(passage.words[index] for index in words)
    is_larger = lines[largest].height >= _LARGER * median(line.height for line in lines)
    is_short = last - first < _MOST_LINES and len(words) <= _MOST_WORDS
    if not (is_larger and is_short and len(re.findall(r"[^\W\d_]{2,}", text)) > 1):
        return None
    return FrontPage(passage, ListItem(text, tuple(words)), _authors_in(passage, lines[last + 1 :]))


def title_and_authors(
    page: FrontPage | None,
    to_fill: FieldsToFill,
    read: Sequence[Entry],
    scored: FieldScores,
    choices: Mapping[JsonPath, ChosenValue],
) -> tuple[dict[JsonPath, Decision], dict[JsonPath, TextList]]:
    """Return the title and the authors of a paper for the texts, and the lists of texts, that ask for them, by
    path. Fields that a label names are left out. The large lines are the title if the schema asks for authors, too,
    or if the network chose a part of them."""
    labels = frozenset(scored.candidates.labels)
    wanted = [one for one in to_fill.wanted if not one.in_list and types_of(one.schema) == {"string"}]
    titles, authors = (
        [one.path for one in wanted if not names.isdisjoint(one.names.own) and names.isdisjoint(labels)]
        for names in (TITLE, AUTHORS)
    )
    if page is None:
        return {}, {}
    entry = read[page.passage.entry]

    def decision(*items: ListItem) -> Decision:
        words = tuple(word for one in items for word in one.words)
        return Decision(", ".join(one.text for one in items), LIKELY, page.passage, words, entry)

    titles = [path for path in titles if (page.authors and authors) or str(choices[path].value) in page.title.text]
    found = {path: decision(page.title) for path in titles if path not in to_fill.texts}
    authors = authors if page.authors else []
    found |= {path: decision(*page.authors) for path in authors if path not in to_fill.texts}
    lists = {path: TextList(page.passage, page.authors, LIKELY) for path in authors if path in to_fill.texts}
    items = {(*path, index): decision(one) for path in lists for index, one in enumerate(page.authors)}
    return found | items, lists


def authors_as_objects(
    page: FrontPage | None, read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]]
) -> dict[JsonPath, FilledList]:
    """Fill the lists of objects that are called like the authors of a paper, and that ask for their names."""
    asked = [path for path in lists if not AUTHORS.isdisjoint(names_of(path, {"type": "array"}).own)]
    if page is None:
        return {}
    filled: dict[JsonPath, FilledList] = {}
    for path in asked:
        fields, found = lists[path], FilledList([], is_exact=False, is_ended=True)
        for author in page.authors:
            parts = {"name": author.text, "full_name": author.text, **parts_of_name(author.text)}
            own = [
                next((parts[name] for name in map("_".join, one.names.own) if name in parts), None) for one in fields
            ]
            values = {index: value for index, value in enumerate(own) if value is not None}
            item = item_of(fields, values)
            if not values or item is None:
                break
            for index, value in values.items():
                cell = cell_with(page.passage, author.words, value)
                at = (*path, len(found.rows), fields[index].path[-1])
                found.cells[at] = CellOfField(read[page.passage.entry], cell, "", SAME_CONCEPT, is_text=True)
            found.rows.append({str(fields[index].path[-1]): value for index, value in item.items()})
            found.missing = [one for index, one in enumerate(fields) if index not in values]
        if found.rows:
            filled[path] = found
    return filled


def _lines_of(passage: Passage) -> Iterator[_PageLine]:
    for number, line in enumerate(passage.lines):
        words = passage.line_words(number)
        corners = [bounds[name] for bounds in line.bounds for name in ("top_left", "bottom_right")]
        if corners and words:
            xs, ys = [corner["x"] for corner in corners], [corner["y"] for corner in corners]
            has_descenders = any(not DESCENDERS.isdisjoint(passage.words[index]) for index in words)
            size = (max(ys) - min(ys)) / (1 if has_descenders else WITHOUT_DESCENDERS)
            yield _PageLine(words, (min(xs), min(ys), max(xs), max(ys)), size)


def _is_next(above: _PageLine, below: _PageLine, least_height: float) -> bool:
    """True if two lines, both of at least this height, follow each other without a wide gap."""
    return min(above.height, below.height) >= least_height and below.box[1] - above.box[3] <= below.height


def _authors_in(passage: Passage, lines: Sequence[_PageLine]) -> list[ListItem]:
    """Return the names in the lines below a title, up to the text. The first line of names is followed by others of its
    height, perhaps with affiliations between them."""
    found: list[ListItem] = []
    height, skipped = 0.0, 0
    for line in lines:
        folded = fold(" ".join(passage.words[index] for index in line.words))
        if not _BEGINNINGS.isdisjoint(folded[:2]) or (not found and skipped > _MOST_BETWEEN):
            break
        names = _names_in(passage, line)
        if names and (not found or _ALIKE * height <= line.height <= height / _ALIKE):
            height = height or line.height
            found += names
        elif not found:
            skipped += not _BY.issuperset(folded)
        elif _AFFILIATIONS.isdisjoint(folded) and not any("@" in passage.words[index] for index in line.words):
            break
    return found


def _names_in(passage: Passage, line: _PageLine) -> list[ListItem]:
    """Return the persons of a line that names nothing else."""
    pieces: list[list[int]] = [[]]
    bounds = passage.lines[passage.line_at(line.words[0])].bounds
    for place, index in enumerate(line.words):
        is_apart = (
            place > 0 and bounds[place]["top_left"]["x"] - bounds[place - 1]["top_right"]["x"] > _GAP * line.height
        )
        word = passage.words[index]
        if is_apart or (pieces[-1] and _BETWEEN.fullmatch(word)):
            pieces.append([])
        if not _BETWEEN.fullmatch(word) and not (place == 0 and word.lower().strip(":") in _BY):
            pieces[-1].append(index)
        if word[-1] in ",;·•|" or (word[-1].isdigit() and "," in word):
            pieces.append([])
    items = [item for piece in pieces if (item := _name(passage, piece))]
    others = [piece for piece in pieces if piece and not _name(passage, piece)]
    are_marks = all(_is_mark(passage.words[index]) for piece in others for index in piece)
    return items if are_marks else []


def _is_mark(word: str) -> bool:
    return not _MARKS_AFTER.sub("", word).strip(".,") or "".join(fold(word)) in _DEGREES


def _name(passage: Passage, words: Sequence[int]) -> ListItem | None:
    """Return the person named by these words, without marks of affiliations; None if they name something else."""
    named = [(index, _MARKS_AFTER.sub("", passage.words[index])) for index in words]
    named = [(index, word) for index, word in named if word]
    plain = [without_accents(word).lower() for _, word in named]
    capitals = [word for _, word in named if word[0].isupper()]
    is_name = 2 <= len(named) <= 6 and len(capitals) >= 2 and all(_NAME.fullmatch(word) for _, word in named)
    small = (word.lower() for _, word in named if not word[0].isupper())
    if not is_name or not _AFFILIATIONS.isdisjoint(plain) or not _SMALL.issuperset(small):
        return None
    return ListItem(" ".join(word for _, word in named), tuple(index for index, _ in named))
