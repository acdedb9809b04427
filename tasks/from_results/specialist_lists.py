"""Fills lists of a schema with what specialists found: objects, elements of a screen, words, lines, chunks of speech,
tables, links, search results, predictions, translations.

A specialist's result has lists of objects with named members. The names and types of a list's items in the schema say
which list is meant, and which member answers each field (`specialist_lists.toml`).
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from tasks.detection.vocabulary import singular
from tasks.extraction.features import types_of
from tasks.extraction.fields import FormField, all_lists_of
from tasks.extraction.folding import fold
from tasks.extraction.given_values import GivenList
from tasks.extraction.names import Names, names_of
from tasks.from_results.whole_results import TaskResults, labels_named
from tasks.result import CORNERS, Result
from tasks.schema.checker import SchemaChecker
from tasks.schema.emptiness import may_be_empty
from tasks.schema.paths import JsonPath, resolved
from tasks.wording.gui_elements import TYPE_WORDS
from tasks.wording.phrases import compiled

_TABLE: Final = tomllib.loads(Path(__file__).with_name("specialist_lists.toml").read_text("utf-8"))
_FILLERS: Final = frozenset(fold(_TABLE["fillers"]))
_GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "string": ("texts", "numbers"),
    "number": ("numbers", "texts"),
    "integer": ("numbers", "texts"),
    "object": ("places",),
    "array": ("members", "places"),
}
"""Groups of members in the table that may answer a field of a type, the most likely first."""
_EDGES: Final = frozenset(
    ("left", "top", "right", "bottom", "width", "height", "center_x", "center_y", "center", *CORNERS)
)
"""Members of a place. They are also members of an object with a place."""
_MARKS: Final = _EDGES | {"bounds", "confidence", "start", "end", "timestamp", "speaker", "date", "url"}
"""Members that only a specialist's result has, so that a list with such a field need not be called after it."""
_READERS: Final = ("ocr", "speech_to_text")
_LISTED: Final = ("label", "type", "speaker", "url", "title", "translation")
"""Members after which a list of texts may be called: `urls`, `speakers`."""
_REPEATED: Final = ("label", "type", "caption", "speaker")
"""Members that are the same in many items, so that a list of them has each only once."""
_WIDTH: Final = re.compile(r"\bwidth|xywh|coco\b", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(?:hh:)?mm:ss", re.IGNORECASE)
_NOTHING: Final = object()
"""Value of a field that no member answers."""


class _ResultKind(NamedTuple):
    """A kind of list that a task finds."""

    task: str
    items: str
    members: tuple[str, ...]
    names: frozenset[str]
    general_names: frozenset[str]
    is_strict: bool


_KINDS: Final = [
    _ResultKind(
        row["task"],
        row["items"],
        tuple(row["members"].split()),
        frozenset(fold(row["names"])),
        frozenset(fold(row.get("general_names", ""))),
        row.get("is_strict", False),
    )
    for row in _TABLE["lists"]
]


def specialist_lists(
    schema: Mapping[str, Any], checker: SchemaChecker, results: TaskResults
) -> dict[JsonPath, GivenList]:
    """Return the lists of `schema` that a result fills, perhaps with no items, by path. `checker` is that of
    `schema`."""
    ran = {one.task for one in results.results}
    kinds = [kind for kind in _KINDS if kind.task in ran]
    wishes = [_Wish(schema, one, kind, checker) for one in (all_lists_of(schema) if kinds else ()) for kind in kinds]
    found: dict[JsonPath, GivenList] = {}
    taken: set[str] = set()
    for is_named in (True, False):
        for wish in wishes:
            task = wish.kind.task
            # A list with any other name is meant only if no list is named and the request is about nothing else.
            may_be_meant = is_named or (task not in taken and (task not in _READERS or results.reads_out))
            if wish.path not in found and wish.is_named == is_named and may_be_meant and (filled := wish.fill(results)):
                found[wish.path] = filled
                taken.add(task)
    return found


class _Wish:
    """A list of a schema, looked at as a list of one kind."""

    def __init__(self, root: Mapping[str, Any], field: FormField, kind: _ResultKind, checker: SchemaChecker) -> None:
        self.path, self.kind = field.path, kind
        self._root, self._schema, self._checker = root, field.schema, checker
        self._item = resolved(root, field.schema.get("items", {}))
        self._is_of_texts = types_of(self._item) == {"string"}
        names = names_of(field.path, field.schema)
        words = [word for word in names.own[0] if word not in _FILLERS]
        self._main = self._member_of_texts(words)
        known = [word for word in words if word in kind.names or self._main in _members_called(word)]
        self._labels = _labels_in(names, " ".join(words), kind)
        self._is_specific = bool(known) or self._labels is not None
        is_exact = len(known) == len(words) or self._labels is not None
        may_be_general = not (kind.is_strict or self._is_of_texts) and not kind.general_names.isdisjoint(words)
        self.is_named = may_be_general or (
            self._is_specific and (is_exact or not (kind.is_strict or self._is_of_texts))
        )
        self._known_answers: dict[int, tuple[Any, dict[str, str | None]]] = {}
        """The answers for objects by the `id` of their fields, and these fields, which keep their `id` thereby."""

    def fill(self, results: TaskResults) -> GivenList | None:
        """Return the list, or None if its items are something else."""
        unanswered = self._unanswered()
        if unanswered is None:
            return None
        records = [one for one in _records(self.kind, results) if self._is_wanted(one)]
        fits = self._checker.of_part(self._item).accepts
        values = (self._converted(self._item, record) for record in records)
        items = [value for value in values if value is not _NOTHING and fits(value)]
        if self._is_of_texts and self._main in _REPEATED:
            items = list(dict.fromkeys(items))
        items = items[: self._schema.get("maxItems")]
        if (records and not items) or not self._checker.of_part(self._schema).accepts(items):
            return None
        return GivenList(items, unanswered)

    def _unanswered(self) -> list[str] | None:
        """Return the names of the items' fields that no member answers, or None if the items are something else."""
        kind = self.kind
        if "properties" not in self._item:
            is_place = "bounds" in kind.members and bool(types_of(self._item) & {"array", "number"})
            is_row = "rows" in kind.members and "array" in types_of(self._item)
            return [] if self.is_named and (self._is_of_texts or is_place or is_row) else None
        answers = self._answers(self._item)
        missing = [name for name, member in answers.items() if member is None]
        found = {member for member in answers.values() if member is not None}
        has_main, has_marks = bool(found & {kind.members[0], "caption", "words", "lines"}), bool(found & _MARKS)
        if missing and (kind.is_strict or not self.is_named or not (has_marks or self._is_specific)):
            return None
        is_answered = (has_main or has_marks) if self.is_named else (has_main and has_marks)
        return missing if is_answered and len(missing) <= len(answers) / 2 else None

    def _member_of_texts(self, words: Sequence[str]) -> str:
        """Return the member that an item of a list of texts has: the one that the list is called after, if any."""
        called = [member for word in words[-1:] for member in _members_called(word) if member in self.kind.members]
        return next(iter(called), "caption" if "caption" in self.kind.members else self.kind.members[0])

    def _is_wanted(self, record: Mapping[str, Any]) -> bool:
        return self._labels is None or str(record[self.kind.members[0]]).casefold() in self._labels

    def _answers(self, part: Mapping[str, Any]) -> dict[str, str | None]:
        """Return the member that answers each field of an object, or None where no member does; "" stands for the whole
        item.

        If a single field has no answer, it is the item's main member if it permits such a value, whatever its name.
        """
        if known := self._known_answers.get(id(part["properties"])):
            return known[1]
        fields = {name: resolved(self._root, one) for name, one in part["properties"].items()}
        answers = {name: self._member(name, field) for name, field in fields.items()}
        missing = [name for name, member in answers.items() if member is None]
        main, found = self.kind.members[0], {member for member in answers.values() if member is not None}
        has_main = bool(found & {main, "caption"}) or not found & _MARKS
        if len(missing) == 1 and not has_main and main in _TABLE[_groups_for(fields[missing[0]])[0]]:
            answers[missing[0]] = main
        self._known_answers[id(part["properties"])] = part["properties"], answers
        return answers

    def _member(self, name: str, field: Mapping[str, Any]) -> str | None:
        kind, groups = self.kind, _groups_for(field)
        for words in _bare_names(names_of((name,), field), kind):
            for member in chain.from_iterable(_members_by_name().get((group, words), ()) for group in groups):
                if member in kind.members or member == "index" or (member in _EDGES and "bounds" in kind.members):
                    return member
            if not words and "texts" in groups:
                return kind.members[0]
        # An object may be around several members: `time: {"start": …, "end": …}`.
        parts = {key: resolved(self._root, one) for key, one in field.get("properties", {}).items()}
        return "" if any(self._member(key, one) for key, one in parts.items() if "properties" not in one) else None

    def _converted(self, part: Any, value: Any) -> Any:
        """Return a member's value, or a whole item, in the form of a part of the schema; _NOTHING if it has none."""
        node = resolved(self._root, part)
        types = types_of(node) or {"string"}
        match value:
            case {"left": left, "top": top} if not types & {"object", "string"}:
                if "right" not in value:
                    return self._converted(node, [left, top])
                if types_of(resolved(self._root, node.get("items", {}))) & {"array", "object"}:
                    return self._converted(node, [value[name] for name in CORNERS])
                ends = ("width", "height") if _WIDTH.search(str(node.get("description", ""))) else ("right", "bottom")
                return self._converted(node, [left, top, *(value[name] for name in ends)])
            case {"rows": [row, *_]} if types == {"array"}:
                return self._converted(node, row)
            case Mapping() if "properties" in node:
                return self._object(node, value)
            case {"bounds": bounds} if types & {"array"}:
                return self._converted(node, bounds)
            case Mapping():
                return self._converted(node, value.get(self._main))
            case list() | tuple() if "array" in types:
                return [self._converted(node.get("items", {}), one) for one in value]
            case int() | float() if types & {"integer", "number"}:
                return value if "number" in types else round(value)
            case int() | float() if "string" in types:
                return _clock(value) if _CLOCK.search(str(node.get("description", ""))) else f"{value:g}"
            case str() if "string" in types:
                return value[:10] if node.get("format") == "date" else value
            case str() if digits := re.search(r"\d+$", value):
                return int(digits[0])
        return _NOTHING

    def _object(self, node: Mapping[str, Any], record: Mapping[str | None, Any]) -> Any:
        """Return an object whose fields are answered by the members of `record`; _NOTHING if a required one has no
        answer, and may be neither null nor empty."""
        found: dict[str, Any] = {}
        for name, member in self._answers(node).items():
            part = resolved(self._root, node["properties"][name])
            # An object around members is not around another such object.
            is_around = member == "" and "" not in record
            value = {**record, "": None} if is_around else record.get(member)
            if isinstance(value, int | float) and name.lower().endswith(("_ms", "millis", "milliseconds")):
                value = round(1000 * value)
            value = self._converted(part, value)
            if value is _NOTHING and name in node.get("required", ()):
                value = next(filter(self._checker.of_part(part).accepts, (None, "", [])), _NOTHING)
                if value is _NOTHING or (value == "" and not may_be_empty(part)):
                    return _NOTHING
            if value is not _NOTHING:
                found[name] = value
        return found


def _labels_in(names: Names, bare_name: str, kind: _ResultKind) -> frozenset[str] | None:
    """Return the labels or types of the only items that a list's name permits; None if it permits any."""
    match kind.members[0]:
        case "label":
            return labels_named(names)
        case "type":
            named = (one for one, form in TYPE_WORDS.items() if compiled(rf"^(?:{form})$").match(bare_name))
            return frozenset(named) or None
    return None


def _groups_for(field: Mapping[str, Any]) -> Sequence[str]:
    types = types_of(field) or {"string"}
    return [*dict.fromkeys(chain.from_iterable(_GROUPS[one] for one in sorted(types) if one in _GROUPS))]


def _bare_names(names: Names, kind: _ResultKind) -> Iterator[tuple[str, ...]]:
    """Yield the names of a field, each also without words that say nothing or only repeat the list's name."""
    for name in names.own:
        yield name
        yield tuple(word for word in name if word not in _FILLERS)
        yield tuple(word for word in name if word not in _FILLERS and word not in kind.names)


@cache
def _members_by_name() -> Mapping[tuple[str, tuple[str, ...]], Sequence[str]]:
    """Return the members that each name stands for, by group and words."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for group in dict.fromkeys(chain.from_iterable(_GROUPS.values())):
        for member, names in _TABLE[group].items():
            for name in names.split(","):
                found.setdefault((group, tuple(fold(name))), []).append(member)
    return found


def _members_called(word: str) -> Sequence[str]:
    """Return the members that lists of texts are called after by this word."""
    return [one for one in _members_by_name().get(("texts", (singular(word),)), ()) if one in _LISTED]


def _records(kind: _ResultKind, results: TaskResults) -> list[dict[str, Any]]:
    """Return the items of a kind in all results, each with its members by name."""
    raw = chain.from_iterable(_raw_items(kind, one.result) for one in results.of(kind.task))
    return [{"index": number, **_members_of(one)} for number, one in enumerate(raw, 1)]


def _raw_items(kind: _ResultKind, result: Result[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the items of a kind in one result."""
    data = result.data
    if kind.items in ("tables", "rows"):
        for table in filter(None, result.tables()):
            head, *rows = table.texts
            yield from (
                [{"rows": rows, "header": head}] if kind.items == "tables" else ({"rows": [row]} for row in table.texts)
            )
    elif kind.task == "ocr":
        for section in data["sections"]:
            place = {key: section[key] for key in ("page", "timestamp") if key in section}
            lines = [{**line, **place} for line in section["lines"]]
            words = ({**word, **place} for line in lines for word in line["words"])
            yield from [section] if kind.items == "sections" else words if kind.items == "words" else lines
    elif kind.task == "translate":
        for one in data.get("results") or [data]:
            texts = one["translated_text"]
            yield from ({**one, "translation": text} for text in ([texts] if isinstance(texts, str) else texts))
    else:
        parts = data if isinstance(data, list) else [data]
        yield from chain.from_iterable(part.get(kind.items, ()) for part in parts) if kind.items else parts


def _members_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an item: those of the result, and those that follow from them."""
    found = {"confidence": raw["average_confidence"]} if "average_confidence" in raw else {}
    found |= {key: list(map(_members_of, one)) if key in ("words", "lines") else one for key, one in raw.items()}
    found["caption"] = raw.get("text") or raw.get("label") or raw.get("type")
    if raw.get("bounds"):
        found |= _place_of(raw["bounds"])
    match raw.get("timestamp"):
        case [start, end]:
            found |= {"start": start, "end": end, "duration": round(end - start, 2)}
        case int() | float() as start:
            found |= {"start": start, "timestamp": [start]}
    return found


def _place_of(bounds: Mapping[str, Any]) -> dict[str, Any]:
    corners = {name: {"left": bounds[name]["x"], "top": bounds[name]["y"]} for name in CORNERS}
    xs, ys = ([corner[side] for corner in corners.values()] for side in ("left", "top"))
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    center = {"left": (left + right) / 2, "top": (top + bottom) / 2}
    place: dict[str, Any] = {"left": left, "top": top, "right": right, "bottom": bottom, "center": center}
    place |= {"width": right - left, "height": bottom - top, "center_x": center["left"], "center_y": center["top"]}
    place.update((name, corners[name]) for name in CORNERS)
    return {**place, "bounds": place}


def _clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02}:{int(seconds // 60 % 60):02}:{int(seconds % 60):02}"
