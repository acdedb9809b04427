"""Generated documents with their fields: the text that an OCR engine would read on each page, and the place of each
value in it.

>>> from training.extraction.documents import documents
>>> for document in documents(seed=1, count=1000, split="train", noise=0.3): ...

The three splits share neither templates nor names of fields. Calls with the same arguments generate the same documents.
"""

import random
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.folding import fold
from tasks.extraction.names import words_of_key
from training.extraction.arranged import arranged
from training.extraction.facts import LANGUAGES, Fact, FactMaker, Rows
from training.extraction.kinds import ALIKE, KINDS
from training.extraction.layout import Node, Placed, Setter, drawn_style, parsed
from training.extraction.noise import read

Split = Literal["train", "validate", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

ARRANGED = 0.5
"""Share of the documents for training with random arrangements instead of templates."""
_HERE = Path(__file__).parent
_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@dataclass(frozen=True, slots=True)
class MadeLine:
    """A run of text of one size without a wide gap."""

    text: str
    box: tuple[int, int, int, int]
    """Left, top, right, bottom in pixels."""
    page: int = 1


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Characters of a line's text."""

    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MadeField:
    concept: str
    names: tuple[str, ...]
    """Names of the field in schemas of this split: the key, then optionally a bar and a description."""
    type: str
    """'string', 'date', 'number', 'integer', 'boolean', 'enum', 'email', 'uri' or 'time'."""
    value: Any
    """Value in the expected answer: dates and times in ISO 8601, numbers as Decimal, text as written before noise."""
    sources: tuple[FieldSource, ...]
    enum: tuple[str, ...] = ()


Told = Callable[[str, str, tuple[str, ...], Fact], MadeField]


@dataclass(frozen=True, slots=True)
class MadeColumn:
    concept: str
    names: tuple[str, ...]
    type: str


@dataclass(frozen=True, slots=True)
class MadeTable:
    """An array of objects. A row has no entry for a column that is empty in the document."""

    concept: str
    names: tuple[str, ...]
    columns: tuple[MadeColumn, ...]
    rows: tuple[tuple[MadeField, ...], ...]


@dataclass(frozen=True, slots=True)
class MadeDocument:
    kind: str
    template: str
    language: str
    lines: tuple[MadeLine, ...]
    fields: tuple[MadeField, ...]
    tables: tuple[MadeTable, ...]
    absent: tuple[MadeField, ...]
    """Fields that other documents of this kind have, and that this document lacks."""


@dataclass(frozen=True, slots=True)
class Template:
    kind: str
    name: str
    split: Split
    options: dict[str, str]
    nodes: tuple[Node, ...]


def documents(seed: int, count: int, *, split: Split, noise: float = 0.0) -> Iterator[MadeDocument]:
    """Yield documents, of each kind equally often. `noise`, 0 to 1, is the degree of reading errors."""
    for number in range(count):
        yield _made(random.Random(f"{seed} {split} {number}"), split, noise)


def pairs_of_a_sender(
    seed: int, count: int, *, split: Split, noise: float = 0.0
) -> Iterator[tuple[MadeDocument, MadeDocument]]:
    """Yield pairs of documents in one language and one style with the same fields, whose values differ."""
    for number in range(count):
        one, other = papers_of_a_sender(seed, number, 2, split=split, noise=noise)
        yield one, other


def papers_of_a_sender(
    seed: int, sender: int, count: int, *, split: Split, noise: float = 0.0
) -> Iterator[MadeDocument]:
    """Yield documents in one language and one style, whose values differ."""
    for part in range(count):
        rng = random.Random(f"{seed} {split} {sender} {part}")
        yield _made(rng, split, noise, f"{seed} {split} {sender}")


@cache
def templates() -> tuple[Template, ...]:
    found = []
    for path in sorted((_HERE / "templates").glob("*.txt")):
        for part in path.read_text(encoding="utf-8").split("=== ")[1:]:
            head, _, body = part.partition("\n")
            name, split, *options = head.split()
            assert split in SPLITS, f"{path.name} has no split in: {head}"
            said = dict(option.split("=", 1) for option in options)
            found.append(Template(path.stem, f"{path.stem}.{name}", split, said, parsed(body)))
    return tuple(found)


def draw(document: MadeDocument, typeface: str = "DejaVuSans.ttf") -> Image.Image:
    """Return a picture of the document, with its pages one below the other."""
    width = max(line.box[2] for line in document.lines) + 20
    heights = {
        page: max(line.box[3] for line in document.lines if line.page == page) + 20
        for page in sorted({line.page for line in document.lines})
    }
    picture = Image.new("RGB", (width, sum(heights.values())), "white")
    pen = ImageDraw.Draw(picture)
    for line in document.lines:
        left, top, right, bottom = line.box
        above = sum(height for page, height in heights.items() if page < line.page)
        font = _font(typeface, max(bottom - top, 6))
        # The boxes were calculated for a typeface of another width.
        taken = max(font.getlength(line.text), 1.0)
        size = min(round((bottom - top) * (right - left) / taken), round(0.95 * (bottom - top)))
        pen.text((left, above + bottom), line.text, "black", _font(typeface, max(size, 6)), anchor="ld")
    return picture


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONTS / name, size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _data(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def _names(kind: str, concept: str, split: Split) -> tuple[str, ...]:
    pools = _data("names")
    found = [pools[key][SPLITS.index(split)] for key in (f"{kind}.{concept}", concept) if key in pools]
    names = [name for pool in found for name in pool.split(" / ")]
    if split != "train" or not names:
        return tuple(dict.fromkeys(names))
    further = _further_names(kind, concept)
    # Half of the drawn names are names that developers give to fields.
    return tuple(names * max(1, len(further) // len(names)) + further)


def _told_apart(names: dict[str, tuple[str, ...]], taken: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return `names` without the names that belong to several fields or are in `taken`, unless a field would have no
    name left."""
    times = Counter(key for own in names.values() for key in {name.partition("|")[0] for name in own})
    times.update(name.partition("|")[0] for name in taken)
    return {
        field: tuple(name for name in own if times[name.partition("|")[0]] == 1) or own for field, own in names.items()
    }


def _further_names(kind: str, concept: str) -> list[str]:
    """Return the labels that documents print for a fact and their synonyms in the table of concepts.

    Names of other splits are left out.
    """
    labels = [
        label
        for said in _data("labels").values()
        for label in (said.get(f"{kind}.{concept}") or said.get(concept, "")).split(" / ")
    ]
    meant = Counter(names for label in labels if len(names := concepts_of(tuple(fold(label)))) == 1)
    ((meaning, count),) = meant.most_common(1) or [(frozenset(), 0)]
    is_it = 4 * count > len(labels)
    synonyms = [" ".join(phrase) for phrase, name in PHRASES.items() if is_it and {name} == meaning]
    held_out = _held_out_names()
    words = dict.fromkeys(tuple(fold(name)) for name in (*labels, *synonyms))
    return ["_".join(name) for name in words if name and frozenset(name) not in held_out]


@cache
def _held_out_names() -> frozenset[frozenset[str]]:
    """Return the words of each name that is not used for training."""
    return frozenset(
        frozenset(words_of_key(step))
        for pools in _data("names").values()
        for pool in pools[1:]
        for name in pool.split(" / ")
        for step in name.partition("|")[0].split(".")
    )


@cache
def _by_kind(split: Split, kind: str) -> tuple[Template, ...]:
    return tuple(template for template in templates() if template.split == split and template.kind == kind)


def _made(rng: random.Random, split: Split, noise: float, sender: str = "") -> MadeDocument:
    """Make a document. Documents with the same `sender` look alike."""
    hand = random.Random(sender) if sender else rng
    kind = hand.choice(list(KINDS))
    template = hand.choice(_by_kind(split, kind))
    language = hand.choices(list(LANGUAGES), list(LANGUAGES.values()))[0]
    every, tables = KINDS[kind](FactMaker(rng, language))
    kept = {name: fact for name, fact in every.items() if hand.random() > 0.06}
    if split == "train" and hand.random() < ARRANGED:
        template = _arranged(hand, kind, language, kept, tables)
    setter = _set(hand, template, language, kept, tables)
    lines = setter.lines()
    written: dict[str, str] = {}
    for line in lines:
        for start, end, tag in line.text.marks:
            written[tag] = (
                f"{written[tag]} {line.text.text[start:end]}" if tag in written else line.text.text[start:end]
            )
    lines = read(lines, rng, noise)
    sources: dict[str, list[FieldSource]] = {}
    for number, line in enumerate(lines):
        for start, end, tag in line.text.marks:
            sources.setdefault(tag, []).append(FieldSource(number, start, end))

    def told(tag: str, concept: str, names: tuple[str, ...], fact: Fact) -> MadeField:
        value = written[tag] if fact.value is None else fact.value
        return MadeField(concept, names, fact.type, value, tuple(sources[tag]), fact.enum)

    said = sources.keys() | setter.mentioned
    silent = [name for name in every if name not in said and not _is_alike(kind, name, said)]
    names = _told_apart(
        {name: _names(kind, name, split) for name in (*sources.keys() & every.keys(), *silent)},
        {key for name in tables for key in _names("table", name, split)},
    )
    return MadeDocument(
        kind,
        template.name,
        language,
        tuple(map(_line, lines)),
        tuple(told(name, f"{kind}.{name}", names[name], fact) for name, fact in every.items() if name in sources),
        tuple(table for name, rows in tables.items() if (table := _table(kind, name, rows, split, told, sources))),
        tuple(
            MadeField(f"{kind}.{name}", names[name], every[name].type, None, (), every[name].enum) for name in silent
        ),
    )


def _arranged(
    rng: random.Random, kind: str, language: str, facts: Mapping[str, Fact], tables: Mapping[str, Rows]
) -> Template:
    labels = _data("labels")[language]

    def labelled(names: Iterable[str]) -> list[str]:
        return [name for name in names if f"{kind}.{name}" in labels or name in labels]

    columns = {name: labelled(dict.fromkeys(key for row in rows for key in row)) for name, rows in tables.items()}
    width, body = arranged(rng, labelled(facts), {name: found for name, found in columns.items() if found})
    return Template(kind, f"{kind}.arranged", "train", {"width": width}, parsed(body))


def _set(
    rng: random.Random, template: Template, language: str, kept: dict[str, Fact], tables: dict[str, Rows]
) -> Setter:
    options = template.options
    style = drawn_style(rng, options)
    width = float(options.get("width", "60")) * style.size * rng.uniform(0.92, 1.1)
    margin = style.size * rng.uniform(1.0, 4.0)
    phrases, labels = _data("phrases")[language], _data("labels")[language]
    # Some sheets are low, because otherwise few documents would need a second page.
    height = rng.choice((1.36, 1.36, 0.6, 0.45)) * width if "paper" in options else 0.0
    setter = Setter(rng, style, template.kind, kept, tables, labels, phrases, height, margin)
    setter.block(template.nodes, margin, margin + width, margin)
    return setter


def _line(line: Placed) -> MadeLine:
    box = (line.x, line.y, line.x + line.width, line.y + 1.15 * line.size)
    left, top, right, bottom = map(round, box)
    return MadeLine(line.text.text, (left, top, max(right, left + 1), max(bottom, top + 1)), line.page)


def _table(
    kind: str, name: str, rows: Rows, split: Split, told: Told, sources: Mapping[str, object]
) -> MadeTable | None:
    said = [
        {key: fact for key, fact in row.items() if f"{name}.{number}.{key}" in sources and not key.startswith("_")}
        for number, row in enumerate(rows)
    ]
    columns = {key: fact for row in said for key, fact in row.items()}
    if not columns:
        return None
    names = _told_apart({key: _names(name, key, split) for key in columns})
    return MadeTable(
        f"{kind}.{name}",
        _names("table", name, split),
        tuple(MadeColumn(f"{kind}.{name}.{key}", names[key], fact.type) for key, fact in columns.items()),
        tuple(
            tuple(told(f"{name}.{number}.{key}", f"{kind}.{name}.{key}", names[key], row[key]) for key in row)
            for number, row in enumerate(said)
            if row
        ),
    )


def _is_alike(kind: str, name: str, said: set[str]) -> bool:
    return any(
        (name in group or f"{kind}.{name}" in group) and any(one.removeprefix(f"{kind}.") in said for one in group)
        for group in ALIKE
    )
