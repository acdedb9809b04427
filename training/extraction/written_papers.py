"""Asks for the fields of written documents by a schema as people write them. The marks tell the truth."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.vision.text import PageText
from tasks.inputs.pages import TextLayer
from tasks.notation.dates import parse_day
from tasks.notation.numbers import parse_quantity
from tasks.ocr_result import OcrResult, picture_result
from tasks.page_layout import PageContent, lay_out
from tasks.wording.page_range import OcrOptions
from training.extraction.examples import Placed
from training.extraction.judged_answers import text_lines
from training.extraction.written import NUMBERS, WrittenDocument, WrittenField, laid_out

MOST_FIELDS = 20
"""A schema has at most this many fields that the document has. Those of 68 papers of other people have 2 to 21."""
ABSENT = (0.2, 0.3)
"""The document lacks a share of the fields of a schema between these."""
STRICT = 0.6
"""Share of the schemas that require all fields, so that a field that may be absent is nullable."""
NULLABLE, REQUIRED = 0.25, 0.7
"""Shares of the fields of the document that are nullable, and that are required by the other schemas."""
_LIST = "[]"


@dataclass(frozen=True)
class AskedDocument:
    schema: Mapping[str, Any]
    truth: Any
    lines: Sequence[Placed]


@dataclass(frozen=True)
class _Asked:
    path: tuple[str, ...]
    """Place in the answer; `[]` follows the name of a list."""
    schema: Mapping[str, Any]
    values: Mapping[int, Any]
    """Values by the numbers of their rows, which are 0 outside lists; empty for an absent field."""

    @property
    def list_at(self) -> int | None:
        """Index of the list in the path; None outside lists."""
        return next((at for at, part in enumerate(self.path) if part.endswith(_LIST)), None)


def asked_of(document: WrittenDocument) -> AskedDocument:
    """Return a document as it is printed, with a schema and the truth. The same document always gets the same."""
    rng = random.Random(document.text)
    page, _ = laid_out(document.lines, rng, (0.0,))
    asked = list(_fields(document, rng))
    is_strict = rng.random() < STRICT
    schema, truth = _schema(asked, rng, is_strict=is_strict), _truth(asked)
    lines = [(*box, text) for box, text in zip(page.boxes, page.lines, strict=True)]
    return AskedDocument(schema, truth, lines)


def read_as_printed(lines: Sequence[Placed]) -> OcrResult:
    """Return lines as the result of reading a page without a mistake, laid out as for an LLM."""
    width, height = (int(max(line[edge] for line in lines)) + 1 for edge in (2, 3))
    page = PageContent(1, width, height, None, TextLayer(), None, PageText(text_lines(lines)), is_searched=False)
    found = lay_out(page, OcrOptions(is_for_llm=True))
    return picture_result(found.page, found.layout)


def _values(document: WrittenDocument) -> dict[str, list[str]]:
    """Return the marked texts by key, in their order."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in document.lines:
        for cell in line:
            for piece in cell:
                if piece.key and piece.continues and found[piece.key]:
                    found[piece.key][-1] += f" {piece.text}"
                elif piece.key:
                    found[piece.key].append(piece.text)
    return found


def _rows(document: WrittenDocument) -> dict[str, list[Sequence[int]]]:
    """Return the numbers of the rows of each value in a list, by key.

    If all columns of a list have as many values, the first of each are a row, and so on. Otherwise, a row ends before a
    column that it already has, and before a heading, which is a value of all rows below it until the next one. The
    column of headings is that of the first line of a list, if it is alone in all its lines.
    """
    order: dict[str, list[list[str]]] = defaultdict(list)
    for line in document.lines:
        keys: dict[str, list[str]] = defaultdict(list)
        for cell in line:
            for piece in cell:
                if _LIST in piece.key and not piece.continues:
                    keys[piece.key.partition(_LIST)[0]].append(piece.key)
        for name, of_list in keys.items():
            order[name].append(of_list)
    found: dict[str, list[Sequence[int]]] = defaultdict(list)
    for lines in order.values():
        all_keys = [key for line in lines for key in line]
        if len({all_keys.count(key) for key in all_keys}) == 1:
            for key in all_keys:
                found[key].append((len(found[key]),))
            continue
        first = lines[0][0]
        heading = first if all(line == [first] for line in lines if first in line) else None
        row, has = 0, set[str]()
        headed: list[int] = []
        for key in all_keys:
            if key == heading or key in has:
                row, has = row + bool(has), set()
            has.add(key)
            if key == heading:
                headed = [row]
                found[key].append(headed)
                continue
            if heading and row not in headed:
                headed.append(row)
            found[key].append((row,))
    return found


def _fields(document: WrittenDocument, rng: random.Random) -> Iterator[_Asked]:
    """Yield fields of the document and absent ones, in the order of the document."""
    values, rows, variant = _values(document), _rows(document), rng.randrange(4)
    keys = [key for key in document.fields if values.get(key)]
    kept = set(rng.sample(keys, min(MOST_FIELDS, len(keys))))
    taken: dict[tuple[str, ...], str] = {}
    lists: dict[str, str] = {}
    count = 0
    for key in filter(kept.__contains__, keys):
        told = document.fields[key]
        name = _free_name(_names(told, variant, lists), taken)
        if name is not None:
            count += 1
            yield _asked(name, told.type, values[key], rows.get(key), rng)
    share = rng.uniform(*ABSENT)
    names = [name for name in document.absent if _LIST not in name]
    for name in rng.sample(names, min(len(names), round(count * share / (1 - share)))):
        if _free_name([name], taken) is not None:
            yield _Asked(_path(name), _described({"type": "string"}, name, rng), {})


def _names(told: WrittenField, variant: int, lists: dict[str, str]) -> list[str]:
    """Return the names that a field may have, the preferred one first. All fields of a list name it alike."""
    at = variant % len(told.names)
    names = [*told.names[at:], *told.names[:at]]
    own, is_listed, _ = told.key.partition(_LIST)
    names = [name for name in names if name.partition("|")[0].count(_LIST) == bool(is_listed)]
    if not is_listed or not names:
        return names
    name = lists.setdefault(own, names[0].partition(_LIST)[0])
    return [f"{name}{_LIST}{one.partition(_LIST)[2]}" for one in names]


def _free_name(names: Sequence[str], taken: dict[tuple[str, ...], str]) -> str | None:
    """Return the first name whose place is free, and above which there are neither values nor objects in place of
    lists, and take it. `taken` has the kind of each place."""
    for name in names:
        parts = _path(name)
        path = tuple(part.removesuffix(_LIST) for part in parts)
        above = {path[: end + 1]: "list" if part.endswith(_LIST) else "object" for end, part in enumerate(parts[:-1])}
        if path not in taken and all(taken.get(place, kind) == kind for place, kind in above.items()):
            taken.update({**above, path: "value"})
            return name
    return None


def _path(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in name.partition("|")[0].split("."))


def _asked(
    name: str, type_: str, texts: Sequence[str], rows: Sequence[Sequence[int]] | None, rng: random.Random
) -> _Asked:
    schema, read = _typed(type_, texts)
    if rows is not None:
        values = {row: value for of_value, value in zip(rows, read, strict=True) for row in of_value}
    else:
        # A value may be printed at several places, in several forms.
        known = list({str(one): one for one in read}.values())
        values = {0: known[0] if len(known) == 1 else {"any": [two for one in known for two in _alternatives(one)]}}
    return _Asked(_path(name), _described(schema, name, rng), values)


def _typed(type_: str, texts: Sequence[str]) -> tuple[dict[str, Any], list[Any]]:
    """Return a schema for texts of a type, and their values. A value is a text if it cannot be read as its type."""
    if type_ in NUMBERS and all(numbers := [parse_quantity(text) for text in texts]):
        return {"type": "number"}, [_one_of(sorted(map(float, one.readings))) for one in numbers if one]
    if type_ == "date" and all((day := parse_day(text)) and not day.lacks_year for text in texts):
        days = [parse_day(text) for text in texts]
        return {"type": "string", "format": "date"}, [
            _one_of([one.isoformat() for one in day.readings]) for day in days if day
        ]
    return {"type": "string"}, list(texts)


def _one_of(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else {"any": list(values)}


def _alternatives(value: Any) -> list[Any]:
    return value["any"] if isinstance(value, dict) else [value]


def _described(schema: dict[str, Any], name: str, rng: random.Random) -> dict[str, Any]:
    told = name.partition("|")[2].strip()
    return {**schema, "description": told} if told and rng.random() < 0.75 else schema


def _schema(asked: Sequence[_Asked], rng: random.Random, *, is_strict: bool) -> dict[str, Any]:
    root: dict[str, Any] = _object()
    rows = _row_counts(asked)
    for one in asked:
        is_complete = bool(one.values) and len(one.values) == rows.get(one.path[: (one.list_at or 0) + 1], 1)
        is_nullable = not is_complete if is_strict or one.values else rng.random() < 0.5
        leaf = dict(one.schema)
        if is_nullable or rng.random() < NULLABLE:
            leaf["type"] = [leaf["type"], "null"]
        is_required = is_strict or (bool(one.values) and rng.random() < REQUIRED)
        node = root
        for at, part in enumerate(one.path):
            name = part.removesuffix(_LIST)
            is_leaf = at == len(one.path) - 1
            made = leaf if is_leaf else _object()
            if part.endswith(_LIST):
                made = {"type": "array", "items": made}
            if is_required and name not in node["required"]:
                node["required"].append(name)
            node = node["properties"].setdefault(name, made)
            node = node.get("items", node)
    return root


def _object() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "required": []}


def _row_counts(asked: Sequence[_Asked]) -> dict[tuple[str, ...], int]:
    """Return the number of rows of each list, by its path."""
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    for one in asked:
        if one.list_at is not None:
            path = one.path[: one.list_at + 1]
            counts[path] = max(counts[path], *(row + 1 for row in one.values))
    return dict(counts)


def _truth(asked: Sequence[_Asked]) -> Any:
    root: dict[str, Any] = {}
    counts = _row_counts(asked)
    for one in asked:
        if one.list_at is None:
            _put(root, one.path, one.values.get(0))
            continue
        path, rest = one.path[: one.list_at + 1], one.path[one.list_at + 1 :]
        above = _put(root, tuple(part.removesuffix(_LIST) for part in path[:-1]), {})
        rows = above.setdefault(path[-1].removesuffix(_LIST), [{} for _ in range(counts[path])])
        for number in range(counts[path]):
            if rest:
                _put(rows[number], rest, one.values.get(number))
            else:
                rows[number] = one.values.get(number)
    return root


def _put(node: dict[str, Any], path: Sequence[str], value: Any) -> Any:
    """Put a value into nested objects, unless it is there, and return what is there."""
    if not path:
        return node
    for part in path[:-1]:
        node = node.setdefault(part, {})
    return node.setdefault(path[-1], value)
