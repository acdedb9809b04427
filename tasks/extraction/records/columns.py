"""Puts the pieces of a run's records into columns: the pieces at the same place of all records, such as the dates at
the beginning of each.

A piece may be in several columns: in one for the whole piece and in one for each of its parts. A text that most records
have in common is the label of the piece beside it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

from tasks.extraction.folding import folded_words
from tasks.extraction.records.pieces import Piece, PiecedLine, parts_of, unit_text
from tasks.extraction.records.repetition import Record, Run
from tasks.extraction.units import unit_of
from tasks.extraction.words_on_page import cell_with
from tasks.notation.cells import is_missing
from tasks.notation.numbers import find_numbers
from tasks.read_table import NO_CELL, ReadTable

MAX_COLUMNS: Final = 60
LEAST_COVERAGE: Final = 0.2
"""Columns that a smaller share of the records have are left out, except in a run of fewer than FEW_RECORDS records."""
FEW_RECORDS: Final = 4
CONSTANT: Final = 0.6
"""A text is a label if at least this share of the records have it at the same place."""
MAX_WORDS_OF_LABEL: Final = 4
IS_LABEL: Final = "\x00"
"""Label of a text that is itself the label of another piece. No page contains this character."""
LINE_ORDER: Final = 30
"""The index of a piece in its line is divided by this number, which is larger than the number of pieces of any line."""
OF_SECTION: Final = -1
"""Number of the line with the heading above a record."""
OF_MARK: Final = -1
"""Number of the piece for the bullet or number at the beginning of a line."""
_FIGURES: Final = frozenset(("number", "decimal"))
"""Kinds of pieces that a text after them may label."""
Key = tuple[object, ...]


class ColumnPlace(NamedTuple):
    """The place of a piece in its record."""

    line: int
    piece: int


class ColumnCell(NamedTuple):
    """The text that one record has in a column."""

    text: str
    words: tuple[int, ...]
    """Indices of the text's words in the passage."""
    pieces: frozenset[ColumnPlace]


@dataclass
class Column:
    """The pieces at one place of all records."""

    kind: str
    """Kind of the pieces; with the name of the part, such as `period.first`, if the column has only a part of each."""
    cells: list[ColumnCell | None]
    """The cell of each record, or None for a record that has nothing in the column."""
    label: str
    order: float
    """ColumnPlace of the column among the columns of a record; smaller numbers come first."""
    sign: str = ""
    """Name of the sign between the column and the piece before it."""
    unit: str = ""
    """Unit that the column's figures have in common; empty if the column is defined by a place in the records."""
    is_mixed: bool = False
    """True if the column has pieces of several kinds with one label."""
    is_least: bool = False
    """True if the column has the least of several amounts that stand side by side: of a price and the price that it
    replaces."""

    @cached_property
    def texts(self) -> Sequence[str]:
        """The text of each record; empty for a record without a text."""
        return [cell.text if cell else "" for cell in self.cells]

    @property
    def pieces(self) -> Sequence[frozenset[ColumnPlace] | None]:
        """The pieces that each record has in the column."""
        return [cell and cell.pieces for cell in self.cells]

    @cached_property
    def is_missing(self) -> Sequence[bool]:
        """True for each record without a value, in order."""
        return [*map(is_missing, self.texts)]

    @cached_property
    def count(self) -> int:
        """Number of records that have something in the column."""
        return sum([cell is not None for cell in self.cells])

    @property
    def coverage(self) -> float:
        """Share of the records that have something in the column."""
        return self.count / len(self.cells)

    @property
    def part(self) -> str:
        """Name of the part of a piece that the column has; empty for whole pieces."""
        return "figure" if self.kind == "figure" else self.kind.partition(".")[2]

    @cached_property
    def is_constant(self) -> bool:
        """True if all records that have a text have the same one."""
        return len({folded_words(text) or text for text in self.texts if text}) == 1


@dataclass
class RecordTable:
    """The columns of a run's records."""

    run: Run
    columns: Sequence[Column]
    """The columns, sorted by the number of records that have them, the largest number first."""
    regularity: float
    """Mean coverage of the columns with whole single pieces, each weighted by its coverage: 1 if all records have all
    of them."""

    @property
    def size(self) -> int:
        """Number of columns times records."""
        return len(self.columns) * len(self.run.records)


def record_table(run: Run) -> RecordTable:
    """Return the columns of the records of a run."""
    run = _with_topics(run)
    columns = _columns(run)
    _label_by_header(run, columns)
    of_pieces = [column for column in columns if not column.is_mixed and "." not in column.kind]
    regularity = sum(column.count * column.coverage for column in of_pieces) / max(1, sum(c.count for c in of_pieces))
    columns.sort(key=lambda column: (-column.coverage, column.order))
    return RecordTable(run, columns[:MAX_COLUMNS], regularity)


def _with_topics(run: Run) -> Run:
    """Return a run of numbered or bulleted records in which a text before a colon is a piece of its own, if it is
    another one in most records, rather than the label of the piece after it: `1) Bathroom: the tap drips`."""
    firsts = [record[0] for record in run.records]
    labels = [line.pieces[0].label if line.pieces and line.mark else "" for line in firsts]
    if not all(labels) or 2 * len({*map(folded_words, labels)}) <= len(labels):
        return run
    return replace(run, records=[[_with_topic(record[0]), *record[1:]] for record in run.records])


def _with_topic(line: PiecedLine) -> PiecedLine:
    first, *rest = line.pieces
    before = [word.at for word in line.words if word.at < min(first.words, default=0)]
    words = tuple(before[-len(first.label.split()) :])
    topic = Piece("text", first.label, words, "", start=line.text.find(first.label), end=first.start)
    return line._replace(pieces=[topic, first._replace(label="", sign="colon"), *rest])


def read_table(table: RecordTable, chosen: Sequence[Column]) -> ReadTable:
    """Return some columns of records as a table, with their labels as its header."""
    passage = table.run.passage
    rows = [
        [cell_with(passage, cell.words, cell.text) if (cell := column.cells[number]) else NO_CELL for column in chosen]
        for number in range(len(table.run.records))
    ]
    header = [NO_CELL._replace(text=column.label) for column in chosen]
    has_header = any(column.label for column in chosen)
    heading = table.run.headings[0] if table.run.headings else ""
    return ReadTable([header, *rows] if has_header else rows, heading, is_exact=False, header=int(has_header))


def _columns(run: Run) -> list[Column]:
    """Return the columns that enough records have. If a record has several cells with the key of a column, the first
    one counts."""
    count = len(run.records)
    columns: dict[Key, Column] = {}
    keys_by_record = [_keys_of_lines(record) for record in run.records]
    labels = _constant_labels(run, keys_by_record)
    for number, (record, keys) in enumerate(zip(run.records, keys_by_record, strict=True)):
        units: Counter[str] = Counter()
        cells: list[tuple[Key, ColumnCell, Column]] = []
        for index, (line, key) in enumerate(zip(record, keys, strict=True)):
            own = [piece.label or labels.get((number, index, at), "") for at, piece in enumerate(line.pieces)]
            cells += _cells_of_line(index, line, key, own, units)
        if run.sections and (section := run.sections[number]) is not None:
            words = tuple(word.at for word in section.words)
            cell = ColumnCell(section.text.replace("\t", " "), words, frozenset((ColumnPlace(OF_SECTION, 0),)))
            cells.append((("section",), cell, Column("section", [], "", -1.0)))
        for key, cell, form in cells:
            if key not in columns:
                columns[key] = replace(form, cells=[None] * count)
            column = columns[key]
            if column.cells[number] is None:
                column.cells[number] = cell
                column.label = column.label or form.label
    return [
        one
        for key, one in columns.items()
        if (one.coverage >= LEAST_COVERAGE or count < FEW_RECORDS) and not _is_double(key, one, columns)
    ]


def _is_double(key: Key, column: Column, columns: Mapping[Key, Column]) -> bool:
    """True if a column of the least amounts, or of all pieces with a label, has the cells of another column."""
    if column.is_least:
        return all(len(cell.pieces) == 1 for cell in column.cells if cell)
    kinds = (other for own, other in columns.items() if own[0] == "labelled" and own[2:] == key[1:])
    return key[0] == "labelled with any" and any(other.count == column.count for other in kinds)


def _keys_of_lines(record: Record) -> list[Key]:
    """Return a key for each line of a record, by which it corresponds to lines of other records. The key of each line
    except the first depends on the line's shape."""
    left = min(line.left for line in record)
    counts: Counter[Key] = Counter()
    keys: list[Key] = [("first",)]
    above = ""
    for line in record[1:]:
        first = line.pieces[0] if line.pieces else None
        is_indented = line.left - left > line.height
        kind = first.kind if first else ""
        if any(piece.kind == "money" for piece in line.pieces):
            kind = "money"
        shape: Key = ("mark" if line.mark else kind, is_indented)
        if first and first.label:
            shape = ("label", *folded_words(first.label))
        elif kind == "text":
            shape = (*shape, above)
        elif kind:
            above = kind
        counts[shape] += 1
        keys.append((*shape, counts[shape]))
    return keys


def _keys_of_pieces(line_key: Key, line: PiecedLine) -> list[Key]:
    """Return a key for each piece of a line: its kind, its label, and its number among the line's pieces of this kind
    with this label."""
    counts: Counter[Key] = Counter()
    keys: list[Key] = []
    for piece in line.pieces:
        key = (line_key, _kind_of(piece), *folded_words(piece.label))
        counts[key] += 1
        keys.append((*key, counts[key]))
    return keys


def _kind_of(piece: Piece) -> str:
    """Return the kind of a piece; `text()` for a text in brackets."""
    return "text()" if piece.kind == "text" and piece.in_brackets else piece.kind


def _cells_of_line(
    number: int, line: PiecedLine, line_key: Key, labels: Sequence[str], units: Counter[str]
) -> Iterator[tuple[Key, ColumnCell, Column]]:
    """Yield the cells of a line, each with its key and the form of its column. `units` has the number of figures with
    each unit in the record so far."""
    if "[" in line.mark or any(map(str.isalnum, line.mark)):
        kind, text = "mark", line.mark.strip("().§# ")
        if "[" in line.mark:
            kind, text = "box", "no" if line.mark.endswith(("[ ]", "[]")) else "yes"
        cell = ColumnCell(text, (line.words[0].at,), frozenset((ColumnPlace(number, OF_MARK),)))
        yield (line_key, kind), cell, Column(kind, [], "", number)
    indices = [index for index, label in enumerate(labels) if label != IS_LABEL]
    keys = _keys_of_pieces(line_key, line)
    figures: Counter[str] = Counter()
    for index in indices:
        piece, label = line.pieces[index], labels[index]
        kind, order = _kind_of(piece), number + index / LINE_ORDER
        # A labelled piece may be in any line.
        where: Key = ("labelled",) if label else (line_key,)
        words = folded_words(label)
        cell = ColumnCell(piece.text, piece.words, frozenset((ColumnPlace(number, index),)))
        key = ("labelled", kind, *words) if label else keys[index]
        yield key, cell, Column(kind, [], label, order, piece.sign)
        if label:
            yield ("labelled with any", *words), cell, Column("text", [], label, order, is_mixed=True)
        for part, text in parts_of(piece.kind, piece.text):
            cell = cell._replace(text=text)
            if part != "figure":
                yield (*key, part), cell, Column(f"{kind}.{part}", [], label, order)
                continue
            figures[label] += 1
            yield (*where, "figure", *words, figures[label]), cell, Column("figure", [], label, order)
            if piece.kind == "measure" and (unit := unit_of(unit_text(piece.text))):
                units[unit] += 1
                yield ("unit", unit, units[unit]), cell, Column("figure", [], "", order, unit=unit)
    yield from _least_amount(number, line, line_key, labels)


def _least_amount(
    number: int, line: PiecedLine, line_key: Key, labels: Sequence[str]
) -> Iterator[tuple[Key, ColumnCell, Column]]:
    """Yield the least of the amounts at the beginning of those in a line that only spaces separate."""
    amounts = [index for index, piece in enumerate(line.pieces) if piece.kind == "money"]
    while amounts and any(piece.sign for piece in line.pieces[amounts[0] + 1 : amounts[-1] + 1]):
        amounts.pop()
    if amounts:
        numbers = [one for index in amounts for one in find_numbers(line.pieces[index].text) if one.readings]
        sizes = [min(one.readings) for one in numbers]
        least = amounts[sizes.index(min(sizes))] if len(sizes) == len(amounts) else amounts[0]
        places = frozenset(ColumnPlace(number, index) for index in amounts)
        piece = line.pieces[least]
        form = Column("money", [], labels[least], number + least / LINE_ORDER, is_least=True)
        yield (line_key, "least"), ColumnCell(piece.text, piece.words, places), form


def join_pieces(line: PiecedLine, number: int, indices: Sequence[int]) -> ColumnCell:
    """Return the text of neighbouring pieces of a line, with the signs between them, as a cell."""
    pieces = [line.pieces[index] for index in indices]
    text = line.text[pieces[0].start : pieces[-1].end].replace("\t", " ")
    if text.count("(") > text.count(")"):
        text += ")"
    words = tuple(word for piece in pieces for word in piece.words)
    return ColumnCell(text, words, frozenset(ColumnPlace(number, index) for index in indices))


def _constant_labels(run: Run, keys_by_record: Sequence[Sequence[Key]]) -> Mapping[tuple[int, int, int], str]:
    """Return the labels that pieces have from constant texts, by record, line and piece: a text that is the same in
    most records is the label of the piece after it. The text itself is marked with IS_LABEL."""
    labels: dict[tuple[int, int, int], str] = {}
    if len(run.records) < 2:
        return labels
    texts: dict[Key, dict[tuple[str, ...], list[tuple[int, int, int]]]] = defaultdict(lambda: defaultdict(list))
    for number, (record, keys) in enumerate(zip(run.records, keys_by_record, strict=True)):
        for at, (line, line_key) in enumerate(zip(record, keys, strict=True)):
            for index, (piece, key) in enumerate(zip(line.pieces, _keys_of_pieces(line_key, line), strict=True)):
                if piece.kind == "text":
                    texts[key][folded_words(piece.text)].append((number, at, index))
    for places_by_text in texts.values():
        common = max(places_by_text, key=lambda text: (len(places_by_text[text]), text))
        places = places_by_text[common]
        if len(places) < max(2, CONSTANT * len(run.records)) or len(common) > MAX_WORDS_OF_LABEL:
            continue
        for place in places:
            labelled = _labelled_piece(run, *place)
            if labelled is not None:
                labels[labelled] = run.records[place[0]][place[1]].pieces[place[2]].text
                labels[place] = IS_LABEL
    return labels


def _labelled_piece(run: Run, number: int, at: int, index: int) -> tuple[int, int, int] | None:
    """Return the piece that a text may label: the figure before it (`12 reviews`), or else the next piece in the line
    or, if the text is the whole line, the first one in the next line."""
    record = run.records[number]
    pieces = record[at].pieces
    before = pieces[index - 1] if index else None
    if before and before.kind in _FIGURES and pieces[index].sign == "" and not before.label:
        return number, at, index - 1
    if index + 1 < len(pieces) and pieces[index + 1].sign in ("", "gap", "colon"):
        return number, at, index + 1
    if len(pieces) == 1 and at + 1 < len(record) and record[at + 1].pieces:
        return number, at + 1, 0
    return None


def _label_by_header(run: Run, columns: Sequence[Column]) -> None:
    """Give each column without a label in the records' first lines the text above it in the line above the records, if
    this line has only texts with wide gaps between them."""
    header = run.above
    if (
        header is None
        or not any(piece.sign == "gap" for piece in header.pieces)
        or any(piece.kind != "text" for piece in header.pieces)
    ):
        return
    heads = []
    start = 0
    for text in header.text.split("\t"):
        words = header.words[start : start + text.count(" ") + 1]
        heads.append((words[0].box[0], words[-1].box[2], text))
        start += len(words)
    boxes = {word.at: word.box for record in run.records for word in record[0].words}
    for column in columns:
        edges = [
            (boxes[cell.words[0]][0], boxes[cell.words[-1]][2])
            for cell in column.cells
            if cell and cell.words and cell.words[0] in boxes and cell.words[-1] in boxes
        ]
        if column.label or not edges or 2 * len(edges) < column.count:
            continue
        left, right = (sum(edge[side] for edge in edges) / len(edges) for side in (0, 1))
        overlap, text = max((min(right, own_right) - max(left, own_left), text) for own_left, own_right, text in heads)
        if overlap > 0:
            column.label = text
