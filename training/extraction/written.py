"""Documents that were written by hand, with marks around the values of their fields, and their variations.

    === KIND LANGUAGE
    lines of cells, separated by ` | `, with {key:value}; {+key:…} continues the value of the mark before it
    a cell | | the third cell of a line whose second one is empty
    ---
    key = type ; name ; name|description
    absent = name ; name|description

A key with `[]` is a column of a list. Each variation has other values, another layout and other names of fields.
"""

import random
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

FOLDER = Path(__file__).with_name("written")
_MARK = re.compile(r"\{(\+?)([A-Za-z_][\w.\[\]]*):([^{}]*)\}")
_DIGIT = re.compile(r"\d")
_BAR = re.compile(r"(?:^|\s+)\|(?=\s|$)")
_BETWEEN_TEXTS = re.compile(r"\s+\|\s+")
_DAY = re.compile(r"\b(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d\d)\b")
_DAY_AFTER_YEAR = re.compile(
    r"(?<!\d)(?P<year>\d{4}|\d{1,2}(?=年))(?P<one>年|년 ?|[-/]|\. ?)"
    r"(?P<month>\d{1,2})(?P<two>月|월 ?|[-/]|\. ?)(?P<day>\d{1,2})(?!\d)"
)
"""A year, or one of an era, then the month and the day."""
_MISREAD = {
    "0": "O", "O": "0", "1": "l", "l": "1", "I": "l", "5": "S", "S": "5", "8": "B", "B": "8", "m": "rn", "é": "e",
    "ü": "u", "ö": "o", "ß": "B", "ç": "c", "ñ": "n", "ł": "l", "ä": "a", ",": ".", ":": "", "e": "c", "h": "b",
}  # fmt: skip
HELD_OUT = 12
"""One of so many documents is not trained with."""
CALIBRATED = 4
"""One of so many documents that are not held out is for the fit of probabilities, and not trained with either."""
TRADES = "trades_"
"""Beginning of the names of files whose kinds are trades. Half of these kinds are not trained with at all."""
NUMERIC = frozenset(("id", "money", "number", "quantity", "percent", "phone", "iban", "zip"))
"""Types whose values consist of digits for the most part."""
SWAPPED = frozenset((
    "person", "first_name", "last_name", "company", "org", "street", "city", "region", "country", "address", "email",
    "url", "iban", "phone", "zip", "date",
))  # fmt: skip
"""Types whose values may be replaced by values of other documents."""
NUMBERS = frozenset(("money", "number", "quantity", "percent"))
"""Types whose values are numbers in a schema."""
NOISES = (0, 0, 0, 0.004, 0.01, 0.03)
"""Shares of letters that are misread; each page has one of these."""
HEADINGS = 2
"""A table goes on after so many lines of one cell."""
LETTER, HEIGHT = 8.0, 16.0
"""Width of a letter and height of a line of the usual size."""


Span = tuple[int, int, int, int]
"""Place of a value: line and character of its start, line and character of its end."""


@dataclass(frozen=True)
class WrittenField:
    """A key of a document's marks, with its type and the names that a schema may give it."""

    key: str
    type: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class WrittenPiece:
    """A piece of a cell: the value of the mark with the key, or other text without one."""

    text: str
    key: str = ""
    continues: bool = False
    """True if the piece continues the value of the mark before it with the same key."""


Cell = tuple[WrittenPiece, ...]
WrittenLine = tuple[Cell, ...]


@dataclass(frozen=True)
class WrittenDocument:
    """A document of a file in `written/`. A line without a cell is an empty one."""

    kind: str
    language: str
    lines: tuple[WrittenLine, ...]
    fields: dict[str, WrittenField]
    absent: tuple[str, ...]
    """Names of fields that the document does not have, each with its description after a bar."""
    text: str
    """The text of the document without its marks, with bars between the cells. Its digest says the document's part."""
    source: str = ""
    """Name of its file, without the suffix."""

    @property
    def is_of_unseen_trade(self) -> bool:
        """True if no document of its kind is trained with."""
        return self.source.startswith(TRADES) and zlib.crc32(self.kind.encode()) % 2 == 0

    @property
    def is_held_out(self) -> bool:
        """True if nothing is fitted to the document. This depends on its own text and kind, so that further documents
        change nothing."""
        return self.is_of_unseen_trade or self.digest % HELD_OUT == 0

    @property
    def is_for_calibration(self) -> bool:
        """True if only probabilities are fitted to the document."""
        return not self.is_held_out and self.digest // HELD_OUT % CALIBRATED == 0

    @property
    def is_trained_with(self) -> bool:
        return not self.is_held_out and not self.is_for_calibration

    @property
    def has_lists(self) -> bool:
        return any("[]" in key for key in self.fields)

    @cached_property
    def digest(self) -> int:
        return zlib.crc32(self.text.encode())


@dataclass(frozen=True)
class AskedField:
    """A field of a page that the encoder is asked for."""

    name: str
    """The name in a schema, and after a bar the description."""
    type: str
    in_list: bool
    spans: tuple[Span, ...] = ()
    """Places of the values: none for an absent field, and at most one outside lists."""


@dataclass(frozen=True)
class Page:
    """A document as it is printed: cells in reading order, with their boxes."""

    lines: list[str] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    fields: list[AskedField] = field(default_factory=list)
    source: str = ""


def parsed(text: str, source: str = "") -> Iterator[WrittenDocument]:
    """Yield the documents of a file."""
    for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        head, _, rest = part.partition("\n")
        *kind, language = head.split()
        body, _, told = rest.partition("\n---\n")
        fields, absent = {}, ()
        for line in told.strip().splitlines():
            key, is_told, value = line.partition(" = ")
            if not is_told:
                continue
            parts = tuple(filter(None, (one.strip() for one in value.split(" ; "))))
            if key.strip() == "absent":
                absent = parts
            elif len(parts) > 1:
                fields[key.strip()] = WrittenField(key.strip(), parts[0], parts[1:])
        lines = tuple(tuple(_cell(cell.strip()) for cell in _BAR.split(line.strip())) for line in body.splitlines())
        text = "\n".join(_BETWEEN_TEXTS.sub(" | ", line.strip()) for line in body.splitlines())
        unmarked = _MARK.sub(lambda found: found[3].strip(), text)
        yield WrittenDocument(" ".join(kind), language, lines, fields, absent, unmarked, source)


def _cell(text: str) -> Cell:
    pieces, at = [], 0
    for found in _MARK.finditer(text):
        if found.start() > at:
            pieces.append(WrittenPiece(text[at : found.start()]))
        if found[3].strip():
            pieces.append(WrittenPiece(found[3].strip(), found[2], bool(found[1])))
        at = found.end()
    if at < len(text):
        pieces.append(WrittenPiece(text[at:]))
    return tuple(pieces)


@cache
def written_documents(folder: Path = FOLDER) -> tuple[WrittenDocument, ...]:
    return tuple(one for path in sorted(folder.glob("*.txt")) for one in parsed(path.read_text("utf-8"), path.stem))


class Variations:
    """Makes variations of documents. Values are taken from these documents alone."""

    def __init__(self, documents: Sequence[WrittenDocument]) -> None:
        self.documents = documents
        self._values: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._by_type: dict[str, list[str]] = defaultdict(list)
        self._plain = [
            line for one in documents for line in one.lines if line and all(not piece.key for c in line for piece in c)
        ]
        self._names = [(one, name) for one in documents for told in one.fields.values() for name in told.names]
        for one in documents:
            for line in one.lines:
                for cell in line:
                    for piece in cell:
                        told = one.fields.get(piece.key)
                        if told and told.type in SWAPPED and not piece.continues:
                            self._values[told.type, one.language].append(piece.text)
                            self._by_type[told.type].append(piece.text)

    def page(self, document: WrittenDocument, rng: random.Random, most_fields: int = 22) -> Page:
        """Return a variation of a document."""
        lines = list(document.lines)
        if rng.random() < 0.8:
            lines = self._with_other_values(document, lines, rng)
        lines = self._rearranged(lines, rng)
        found, spans = laid_out(lines, rng, NOISES)
        fields = self._asked(document, spans, rng, most_fields)
        return Page(found.lines, found.boxes, fields, f"{document.source}/{document.kind}")

    def _with_other_values(
        self, document: WrittenDocument, lines: list[WrittenLine], rng: random.Random
    ) -> list[WrittenLine]:
        known: dict[tuple[str, str], str] = {}
        is_shaken = rng.random() < 0.5

        def other(piece: WrittenPiece) -> WrittenPiece:
            told = document.fields.get(piece.key)
            if told is None:
                return replace(piece, text=_shaken(piece.text, rng, known)) if is_shaken else piece
            same = (told.type, piece.text)
            if same not in known:
                known[same] = self._other_value(told.type, piece, document.language, rng)
            return replace(piece, text=known[same])

        return [tuple(tuple(map(other, cell)) for cell in line) for line in lines]

    def _other_value(self, type_: str, piece: WrittenPiece, language: str, rng: random.Random) -> str:
        draw = rng.random()
        if type_ in SWAPPED and not piece.continues and draw < (0.6 if type_ not in NUMERIC else 0.3):
            pool = self._values[type_, language] if rng.random() < 0.8 else self._by_type[type_]
            return rng.choice(pool or self._by_type[type_])
        if draw < 0.85 and (type_ in NUMERIC or type_ in ("date", "time", "datetime", "address", "street")):
            return _other_digits(piece.text, rng)
        return piece.text

    def _rearranged(self, lines: list[WrittenLine], rng: random.Random) -> list[WrittenLine]:
        if rng.random() < 0.25:
            blocks: list[list[WrittenLine]] = [[]]
            for line in lines:
                if not any(line):
                    blocks.append([])
                else:
                    blocks[-1].append(line)
            blocks = [one for one in blocks if one]
            if len(blocks) > 2:
                first, second = sorted(rng.sample(range(len(blocks)), 2))
                blocks[first], blocks[second] = blocks[second], blocks[first]
            lines = [line for block in blocks for line in (*block, ((),))]
        if rng.random() < 0.15 and self._plain:
            at, count = rng.randint(0, len(lines)), rng.randint(5, 40)
            lines = [*lines[:at], *rng.choices(self._plain, k=count), *lines[at:]]
        found: list[WrittenLine] = []
        is_thinned, is_padded = rng.random() < 0.3, rng.random() < 0.3
        for line in lines:
            is_plain = all(not piece.key for cell in line for piece in cell)
            if is_thinned and is_plain and any(line) and rng.random() < 0.2:
                continue
            found.append(line)
            if is_padded and rng.random() < 0.08 and self._plain:
                found.append(rng.choice(self._plain))
        return found

    def _asked(
        self,
        document: WrittenDocument,
        spans: dict[str, list[Span]],
        rng: random.Random,
        most: int,
    ) -> list[AskedField]:
        keys = [key for key in document.fields if key in spans]
        rng.shuffle(keys)
        found = []
        for key in keys[: rng.randint(max(1, min(4, len(keys))), max(1, min(most - 2, len(keys))))]:
            told = document.fields[key]
            found.append(AskedField(_name(told.names, rng), told.type, "[]" in key, tuple(spans[key])))
        absent = rng.sample(document.absent, min(len(document.absent), rng.randint(1, 4)))
        found += [AskedField(_name((name,), rng), "", "[]" in name) for name in absent]
        if rng.random() < 0.3 and self._names:
            other, name = rng.choice(self._names)
            words = set(re.split(r"[\W_]+", name.partition("|")[0].casefold()))
            own = {word for one in document.fields.values() for n in one.names for word in re.split(r"[\W_]+", n)}
            if other.source != document.source and len(words) > 1 and words.isdisjoint(own):
                found.append(AskedField(_name((name,), rng), "", "[]" in name))
        rng.shuffle(found)
        return found


def _name(names: Sequence[str], rng: random.Random) -> str:
    name, _, told = rng.choice(names).partition("|")
    name = name.strip()
    if "." in name and rng.random() < 0.1:
        name = name.rpartition(".")[2] if rng.random() < 0.3 else name.replace(".", "_")
    return f"{name}|{told.strip()}" if told and rng.random() < 0.75 else name


def _other_digits(text: str, rng: random.Random) -> str:
    """Return a text with other digits, whose days are still days."""

    def other_day(found: re.Match[str]) -> str:
        year = str(rng.randint(1950, 2029))
        month, day = rng.randint(1, 12), rng.randint(1, 28)
        wide = len(found[1]) == 2 and len(found[3]) == 2
        first, second = (str(day), str(month)) if not wide else (f"{day:02}", f"{month:02}")
        return f"{first}{found[2]}{second}{found[2]}{year[-len(found[4]) :]}"

    def other_day_after_year(found: re.Match[str]) -> str:
        year = str(rng.randint(1950, 2029)) if len(found["year"]) == 4 else found["year"]
        wide = 2 if len(found["month"]) == len(found["day"]) == 2 else 1
        month, day = f"{rng.randint(1, 12):0{wide}}", f"{rng.randint(1, 28):0{wide}}"
        return f"{year}{found['one']}{month}{found['two']}{day}"

    if _DAY.search(text) or _DAY_AFTER_YEAR.search(text):
        return _DAY_AFTER_YEAR.sub(other_day_after_year, _DAY.sub(other_day, text))
    first = True

    def other(found: re.Match[str]) -> str:
        nonlocal first
        was_first, first = first, False
        if was_first and found[0] != "0":
            return str(rng.randint(1, 9))
        return str(rng.randint(0, 9))

    if re.search(r"[^\W\d_]{3}", text) and re.search(r"\b(19|20)\d\d\b", text):
        # A day or another text with a year in words.
        text = re.sub(r"\b(19|20)\d\d\b", lambda _: str(rng.randint(1960, 2029)), text)
        return re.sub(r"\b\d{1,2}\b(?!\d)", lambda _: str(rng.randint(1, 28)), text)
    return _DIGIT.sub(other, text)


def _shaken(text: str, rng: random.Random, known: dict[tuple[str, str], str]) -> str:
    if not _DIGIT.search(text) or rng.random() < 0.3:
        return text
    key = ("", text)
    if key not in known:
        known[key] = _other_digits(text, rng) if len(text) < 60 else text
    return known[key]


def laid_out(
    lines: Sequence[WrittenLine], rng: random.Random, noises: Sequence[float]
) -> tuple[Page, dict[str, list[Span]]]:
    """Place the cells on a page, and return the places of the marks. The share of letters that are misread is one of
    `noises`."""
    page = Page()
    spans: dict[str, list[Span]] = defaultdict(list)
    noise = rng.choice(noises)
    pitch, gap = HEIGHT * rng.uniform(1.05, 1.7), HEIGHT * rng.uniform(0.4, 2.0)
    width = rng.uniform(70, 110) * LETTER
    is_spread, is_right = rng.random() < 0.5, rng.random() < 0.5
    by_column = rng.random() < 0.2
    space = rng.uniform(2, 6) * LETTER
    top = 0.0
    placed: list[tuple[float, float, float, Cell, float]] = []
    for run in _runs(lines):
        count = len(run[0])
        of_columns = [line for line in run if len(line) == count]
        widths = [max(_length(line[column]) for line in of_columns) * LETTER for column in range(count)]
        whole = sum(widths) + space * (count - 1)
        between = max(space, (width - sum(widths)) / max(1, count - 1)) if is_spread or whole > width else space
        lefts, left = [], 0.0
        for one in widths:
            lefts.append(left)
            left += one + between
        rows = []
        for line in run:
            if not any(line):
                top += gap
                continue
            size = rng.choice((1.2, 1.5, 2.0)) if count == 1 and _length(line[0]) < 40 and rng.random() < 0.1 else 1.0
            cells = []
            for column, cell in enumerate(line):
                if not cell:
                    continue
                taken = _length(cell) * LETTER * size
                is_number = (
                    is_right
                    and column
                    and sum(letter.isdigit() for piece in cell for letter in piece.text) * 2 > taken / LETTER
                )
                at = lefts[column] + (widths[column] - taken if is_number else 0.0)
                cells.append((max(0.0, at), top, taken, cell, HEIGHT * size))
            rows.append(cells)
            top += pitch * size
        if by_column and count == 2 and len(rows) > 1:
            placed += [row[column] for column in range(count) for row in rows if len(row) > column]
        else:
            placed += [cell for row in rows for cell in row]
    slope = rng.uniform(-0.004, 0.004) if noise else 0.0
    for left, top, taken, cell, height in placed:
        text, marks = _written(cell, noise, rng)
        if not text.strip():
            continue
        index = len(page.lines)
        page.lines.append(text)
        drift = slope * left
        page.boxes.append((left, top + drift, left + taken, top + drift + height))
        for key, continues, start, end in marks:
            if continues and spans[key]:
                line, at, _, _ = spans[key].pop()
                spans[key].append((line, at, index, end))
            else:
                spans[key].append((index, start, index, end))
    return page, spans


def _runs(lines: Sequence[WrittenLine]) -> Iterator[list[WrittenLine]]:
    """Yield consecutive lines with the same number of cells, which share their columns. Lines of one cell between them,
    such as the headings of a table's parts, are yielded with them if there are at most `HEADINGS` at once; others are
    alone."""
    run: list[WrittenLine] = []
    single: list[WrittenLine] = []
    for line in lines:
        if len(line) == 1:
            if not run or not any(line) or len(single) == HEADINGS:
                yield from filter(None, (run, *([one] for one in single), [line]))
                run, single = [], []
            else:
                single.append(line)
        elif run and len(line) == len(run[0]):
            run += [*single, line]
            single = []
        else:
            yield from filter(None, (run, *([one] for one in single)))
            run, single = [line], []
    yield from filter(None, (run, *([one] for one in single)))


def _length(cell: Cell) -> int:
    return sum(len(piece.text) for piece in cell)


def _written(cell: Cell, noise: float, rng: random.Random) -> tuple[str, list[tuple[str, bool, int, int]]]:
    text, marks = "", []
    for piece in cell:
        start = len(text)
        text += (
            piece.text
            if not noise
            else "".join(_MISREAD.get(letter, letter) if rng.random() < noise else letter for letter in piece.text)
        )
        if piece.key and len(text) > start:
            marks.append((piece.key, piece.continues, start, len(text)))
    return text, marks
