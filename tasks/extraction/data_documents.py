"""Reads texts that are data, in JSON, JSON Lines or XML, by their own structure: lists of objects are exact tables, and
every other member is a value under the names on the way to it.

`{"customer": {"name": "Vask"}}` is the line `customer name: Vask` at `/customer/name`. Electronic invoices name their
elements for programs; a table has what the standard calls them for people (electronic_invoices.toml).
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple
from weakref import finalize

from lxml import etree

from tasks.extraction.concepts import concepts_of
from tasks.extraction.names import words_of_key
from tasks.inputs.office.bounds import XmlBudget, XmlRefused, check_xml
from tasks.precontext import Entry
from tasks.read_table import ReadCell, ReadTable
from tasks.result import SourceLine, escape

MAX_CHARS: Final = 4_000_000
"""A text of more characters is not read as data."""
MAX_LINES: Final = 200_000
"""A text of more lines is not read as data. Each line takes 300 bytes."""
MAX_VALUES: Final = 200_000
"""At most this many values of a text are read, as many as the cells of all tables of a request."""
MAX_ROWS: Final = 2_000
"""At most this many objects of a list are rows of its table, twice as many as a list of an answer takes."""
MAX_COLUMNS: Final = 200
"""At most this many members of the objects of a list are columns of its table."""
LONGEST_LABEL: Final = 6
"""A label has the last words of the names on the way to its value, at most this many: as many as a label on a page."""
LONGEST_INTRODUCTION: Final = 300
"""Data begin within this many characters of a text: a message may say before them what they are."""
_BEGINNING = re.compile(r'\{\s*(?:"|$)|\[\s*(?:\{|$)|<(?:\?xml\s|[^\W\d][\w:.-]*(?:[\s/>]|$))')
"""Pattern of the beginning of data in a line."""
_MORE_DIGITS = re.compile(r"-?\d{1,3}\.\d{3}")
"""Pattern of a number of a program that a reader of documents could take for one of thousands."""
_DECLARATION = re.compile(r"<\?xml\s[^>]*\?>")
_ADDRESS: Final = "address"
"""Concept of an object whose members are the parts of an address."""
_OWN_TEXT: Final = ""
"""Name of the text of an XML element that has attributes, too."""
_MARKUP: Final = frozenset(("html", "svg"))
"""Names of root elements of markup for people, which is not data."""
_INVOICES: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("electronic_invoices.toml").read_text("utf-8")
)
_STANDARDS: Final = {namespace: one for one in _INVOICES.values() for namespace in one["namespaces"]}

Step = str | int
Keys = tuple[Step, ...]
"""The names and indices on the way to a value."""


class _Value(NamedTuple):
    keys: Keys
    text: str


@dataclass(slots=True)
class _List:
    """A list of objects, with the objects of all lists at the same place of their parents."""

    keys: tuple[str, ...]
    """Names on the way to the list."""
    rows: list[dict[Keys, _Value]] = field(default_factory=list)
    """The values of each object, by the names on the way from the object to them."""


@dataclass(frozen=True, slots=True)
class DataDocument:
    lines: Sequence[SourceLine]
    """A line `label: value` for each value outside lists of objects, followed by the rows of the tables, with tabs
    between their cells."""
    tables: Sequence[ReadTable]


_kept: dict[int, dict[int, DataDocument]] = {}
"""The data of entries in use, by the id of the entry and the index of the text."""


def texts_and_data(entry: Entry) -> Iterator[tuple[Iterable[SourceLine], DataDocument | None]]:
    """Yield the lines of each text of an entry, and the data that the text consists of; None for another text.

    Data are kept while their entry is in use, because every search of a request needs them. Their text then has the
    lines of the data alone.
    """
    if id(entry) not in _kept:
        _kept[id(entry)] = {}
        finalize(entry, _kept.pop, id(entry), None)
    kept = _kept[id(entry)]
    for index, lines in enumerate(entry.result.passages()):
        text, data = split_data(lines) if index not in kept else ((), kept[index])
        if data is not None:
            kept[index] = data
        yield text if data is None else data.lines, data


def split_data(source_lines: Iterable[SourceLine]) -> tuple[Iterable[SourceLine], DataDocument | None]:
    """Return the lines of a text, and the data that the text consists of; None if it is another text."""
    lines = iter(source_lines)
    taken: list[SourceLine] = []
    chars = begin = 0
    has_begun = False
    for line in lines:
        taken.append(line)
        if not has_begun and (found := _BEGINNING.search(line.written)) is not None:
            has_begun, begin = True, chars + found.start()
        chars += len(line.written) + 1
        is_far = chars > (MAX_CHARS if has_begun else LONGEST_INTRODUCTION)
        if is_far or len(taken) > MAX_LINES or line.bounds or line.pointer != taken[0].pointer:
            return chain(taken, lines), None
    text = "\n".join(line.written for line in taken)
    data = _read_data(text[begin:], taken[0]) if has_begun else None
    if data is not None and (before := text[:begin].strip("\ufeff \t\n")):
        introduction = [_line(one, taken[0], row, ()) for row, one in enumerate(before.split("\n"))]
        below = [replace(line, row=line.row + len(introduction) + 1) for line in data.lines]
        data = replace(data, lines=[*introduction, *below])
    return taken, data


def _read_data(text: str, place: SourceLine) -> DataDocument | None:
    roots = _roots_of_xml(text) if text.lstrip().startswith("<") else _roots_of_json(text)
    if not roots:
        return None
    reader = _Reader()
    for root in roots:
        reader.read(root.value, root.keys, root.standard)
    document = reader.document(place)
    return document if document.lines else None


class _Root(NamedTuple):
    value: Any
    keys: Keys = ()
    standard: Mapping[str, Any] | None = None
    """The standard of an electronic invoice, which calls its elements otherwise."""


def _roots_of_json(text: str) -> list[_Root]:
    """Return the objects and lists that a text consists of; none if there is anything else. JSON Lines and the
    objects of several files follow each other."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    values: list[Any] = []
    at = 0
    try:
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            value, at = decoder.raw_decode(text, at)
            if not (
                isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict) for one in value))
            ):
                return []
            values.append(value)
    except (ValueError, RecursionError):
        return []
    # The lines of JSON Lines are the rows of one list.
    return [_Root(values if len(values) > 1 else values[0])] if values else []


def _roots_of_xml(text: str) -> list[_Root]:
    roots: list[_Root] = []
    for part in re.split(r"(?=<\?xml\s)", text):
        if not part.strip():
            continue
        # The text is decoded, so that the encoding which it declares is none any more.
        data = _DECLARATION.sub("", part.strip(), count=1).encode(errors="replace")
        try:
            check_xml(data, XmlBudget(MAX_CHARS))
            root = etree.fromstring(data, _xml_parser())
        except (XmlRefused, etree.XMLSyntaxError, ValueError):
            return []
        name = etree.QName(root)
        if name.localname.lower() in _MARKUP or not len(root) or _is_marked_up(root):
            return []
        standard = _STANDARDS.get(name.namespace or "")
        roots.append(_Root(_value_of(root, "", standard), (name.localname,), standard))
    return roots


def _xml_parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )


def _is_marked_up(root: Any) -> bool:
    """True if an element has a text beside other elements, so that the text is written for people."""
    return any(
        (one.text or "").strip() or any((child.tail or "").strip() for child in one) for one in root.iter() if len(one)
    )


def _value_of(element: Any, path: str, standard: Mapping[str, Any] | None) -> Any:
    """Return an element as JSON has it: an object of its attributes and elements, or its text. Elements of the same
    name are a list, and so is the only element of one that is named as its plural."""
    found: dict[str, Any] = {
        name: text
        for name, text in ((etree.QName(name).localname, text) for name, text in element.attrib.items())
        # The other attributes of a standard name lists of codes, or repeat the currency of the document.
        if standard is None or f"{path}/{name}" in standard["labels"]
    }
    groups: dict[str, list[Any]] = {}
    for child in element.iterchildren(etree.Element):
        groups.setdefault(etree.QName(child).localname, []).append(child)
    for name, children in groups.items():
        own = f"{path}/{name}".lstrip("/")
        values = [_value_of(child, own, standard) for child in children]
        if len(values) == 1 and len(groups) == 1 and not element.attrib:
            is_list = _is_plural(etree.QName(element).localname, name)
        else:
            is_list = len(values) > 1
        is_list = is_list or (standard is not None and own in standard["lists"])
        found[name] = values if is_list else values[0]
    if not groups:
        text = (element.text or "").strip()
        return {_OWN_TEXT: text, **found} if found else text
    return found


def _is_plural(name: str, of: str) -> bool:
    name, of = name.casefold(), of.casefold()
    return name in (f"{of}s", f"{of}es", f"{of.removesuffix('y')}ies") or name.endswith(f"{of}s")


class _Reader:
    """Collects the values and the lists of a text."""

    def __init__(self) -> None:
        self._values: list[_Value] = []
        self._lists: dict[tuple[str, ...], _List] = {}
        self._left = MAX_VALUES
        self._labels: dict[Keys, str] = {}
        self._has_wrapper = True

    def read(self, value: Any, root: Keys, standard: Mapping[str, Any] | None) -> None:
        self._has_wrapper &= bool(root) or (isinstance(value, dict) and len(value) == 1)
        self._labels |= _standard_labels(standard, root)
        self._collect(value, root, None, ())

    def _collect(self, value: Any, keys: Keys, row: dict[Keys, _Value] | None, own: Keys) -> None:
        """Collect a value at `keys`. `row` has the values of the innermost object of a list around it, and `own` are
        the keys from that object."""
        if isinstance(value, dict):
            is_address = _ADDRESS in concepts_of(_words_of(keys))
            if is_address and len(parts := [*_texts_in(value)]) > 1:
                # The parts of an address are together one, too.
                self._add(", ".join(parts), keys, row, own)
            for name, member in value.items():
                step = (name,) if name != _OWN_TEXT else ()
                self._collect(member, keys + step, row, own + step)
        elif isinstance(value, list):
            objects = [(at, one) for at, one in enumerate(value) if isinstance(one, dict)]
            for at, one in objects:
                self._add_row(one, keys, at)
            texts = [_text_of(one) for one in value if not isinstance(one, dict | list)]
            self._add(", ".join(filter(None, texts)), keys, row, own)
            for at, one in enumerate(value):
                if isinstance(one, list):
                    self._collect(one, (*keys, at), row, (*own, at))
            if len(value) == len(objects) == 1 and row is None:
                # Fields outside lists may want the only one of its kind.
                only = self._lists[_names_in(keys)].rows[-1]
                self._values += only.values()
        else:
            self._add(_text_of(value), keys, row, own)

    def _add_row(self, value: dict[str, Any], keys: Keys, at: int) -> None:
        names = _names_in(keys)
        found = self._lists.setdefault(names, _List(names))
        row: dict[Keys, _Value] = {}
        if len(found.rows) == MAX_ROWS:
            return
        found.rows.append(row)
        self._collect(value, (*keys, at), row, ())

    def _add(self, text: str, keys: Keys, row: dict[Keys, _Value] | None, own: Keys) -> None:
        if not text or not self._left:
            return
        self._left -= 1
        if row is None:
            self._values.append(_Value(keys, text))
        else:
            row[own] = _Value(keys, text)

    def document(self, place: SourceLine) -> DataDocument:
        lines: list[SourceLine] = []
        for one in self._values:
            lines.append(_line(f"{self._label(one.keys)}: {one.text}", place, len(lines), one.keys))
        tables: list[ReadTable] = []
        for found in self._lists.values():
            columns = list(dict.fromkeys(key for row in found.rows for key in row))[:MAX_COLUMNS]
            if not columns:
                continue
            header = [self._column(found.keys, column) for column in columns]
            rows = [[_cell(row.get(column), place) for column in columns] for row in found.rows]
            head = [ReadCell(text, place.pointer) for text in header]
            tables.append(ReadTable([head, *rows], self._label(found.keys), header=1))
            # An empty line separates tables.
            first = lines[-1].row + 2 if lines else 0
            for row, cells in enumerate((header, *([cell.text for cell in row] for row in rows)), first):
                lines.append(_line("\t".join(cells), place, row, found.keys))
        return DataDocument(lines, tables)

    def _label(self, keys: Keys) -> str:
        """Return what a place is called: by the standard, or by the names on the way to it. Of an object around
        everything, only what lies right in it has the name: `order number`."""
        names = _names_in(keys)
        own = names[1:] if self._has_wrapper and names[2:] else names
        return self._labels.get(names) or _words(own) or "value"

    def _column(self, around: tuple[str, ...], column: Keys) -> str:
        names = _names_in(column)
        return self._labels.get((*around, *names)) or _words(names) or _words(around[-1:]) or "value"


def _names_in(keys: Keys) -> tuple[str, ...]:
    return tuple(key for key in keys if isinstance(key, str))


def _words_of(keys: Keys) -> tuple[str, ...]:
    """Return the words of the last name."""
    return words_of_key(name) if (name := next(reversed(_names_in(keys)), "")) else ()


def _words(names: Sequence[str]) -> str:
    """Return the different words of names, the last LONGEST_LABEL of them."""
    words = [word for name in names for word in words_of_key(name)]
    return " ".join([*dict.fromkeys(words)][-LONGEST_LABEL:])


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())


def _texts_in(value: Any) -> Iterator[str]:
    """Yield the texts of an object without lists, in order; nothing for another one."""
    if isinstance(value, dict) and not any(isinstance(one, list) for one in value.values()):
        for one in value.values():
            yield from _texts_in(one) if isinstance(one, dict) else filter(None, [_text_of(one)])


def _line(text: str, place: SourceLine, row: int, keys: Keys) -> SourceLine:
    own = {**place.place, "path": _path(keys)} if keys else place.place
    return SourceLine(tuple(text.split()), place.pointer, own, continues=False, written=text, row=row)


def _cell(value: _Value | None, place: SourceLine) -> ReadCell:
    if value is None:
        return ReadCell("")
    # Programs write points before decimals, and nothing between thousands.
    is_decimal = _MORE_DIGITS.fullmatch(value.text) is not None
    own = {**place.place, "path": _path(value.keys)}
    return ReadCell(
        f"{value.text}0" if is_decimal else value.text, place.pointer, own, source=value.text if is_decimal else ""
    )


def _path(keys: Keys) -> str:
    return "".join(f"/{escape(str(key))}" for key in keys)


def _standard_labels(standard: Mapping[str, Any] | None, root: Keys) -> Iterator[tuple[Keys, str]]:
    """Yield the labels of a standard by the names on the way to their elements."""
    for path, label in (standard["labels"] if standard else {}).items():
        yield (*root, *path.split("/")), label
