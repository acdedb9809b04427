"""Finds the JSON that a prompt describes as the form of its answer: a schema, an example, or keys in a sentence.

The description is an order, not an input: nothing of it is copied into the answer.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from app.chat.planning.asked_names import AskedName, name_model
from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.names import names_of
from tasks.extraction.printed_types import GUESSED
from tasks.schema.keywords import standardised
from tasks.schema.paths import with_null
from tasks.wording.message import QUOTED
from tasks.wording.phrases import compiled

_TABLE: Final = tomllib.loads(Path(__file__).with_name("named_keys.toml").read_text("utf-8"))
_TYPES: Final[Mapping[str, str]] = _TABLE["types"]
MAX_KEYS: Final = 100
"""At most this many keys of one object are used."""
_MAX_CHARS: Final = 4_000
"""Keys are searched for in the first characters of a prompt, up to this number."""
_LONGEST_KEY: Final = 64
_JOINTS: Final = str.maketrans(" .-", "___")
"""Signs that a key in quotes may have beside those of an identifier."""
_IDENTIFIER = re.compile(r"\b(?:[^\W\d_A-Z][^\W_]*(?:_[^\W_]+)+|[^\W\d_A-Z]+(?:[A-Z][^\W_A-Z]+)+)\b")
_NOTE = re.compile(r"\s?\(([^()]{1,60})\)")
_POSSESSIVE: Final = re.compile(r"(?<=\w)['’]s\b")


def pattern_of(written: str) -> str:
    """Return a pattern of the table without its line breaks, which only keep the lines of the table short."""
    return re.sub(r"\n\s*", "", written)


def schema_of_named_keys(prompt: str) -> dict[str, Any] | None:
    """Return the schema of the object whose keys `prompt` names, or None if it names none.

    The keys may be in quotes, identifiers, or what it asks for: "Extract the invoice number and the total as JSON."
    """
    prompt = prompt[:_MAX_CHARS]
    fields = dict(islice(_named_fields(prompt), MAX_KEYS))
    return object_of(fields) if fields else None


def schema_like(example: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that fits an example."""
    fields: dict[str, Any] = {}
    for key, value in list(example.items())[:MAX_KEYS]:
        match value:
            case bool():
                fields[key] = {"type": ["boolean", "null"]}
            case int() | float():
                fields[key] = {"type": ["number", "null"]}
            case dict() if value:
                fields[key] = schema_like(value)
            case [dict() as item, *_] if item:
                fields[key] = {"type": "array", "items": schema_like(item)}
            case list():
                fields[key] = {"type": "array", "items": {"type": "string"}}
            case _:
                fields[key] = field_of_example(key, str(value or ""))
    return object_of(fields)


def _named_fields(prompt: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the keys that a prompt names, each with the schema of its field."""
    names = [name for name in name_model().names_in(prompt) if name.kind != "open"]
    quoted = [one for one in QUOTED.finditer(prompt) if _is_key(one[0][1:-1])]
    if any(match.start() <= name.begin and name.end <= match.end() for match in quoted for name in names):
        # Whoever puts one key in quotes does so with all.
        names = []
    if names:
        for name in names:
            if key := key_of_name(name.text):
                note = _NOTE.match(prompt, name.end)
                yield key, field_named(key, note[1]) if note else field_asked_for(name, key)
        return
    for match in quoted or _IDENTIFIER.finditer(prompt):
        key = match[0][1:-1] if quoted else match[0]
        note = _NOTE.match(prompt, match.end())
        yield key, field_named(key, note[1] if note else "")


def _is_key(text: str) -> bool:
    return len(text) <= _LONGEST_KEY and text.translate(_JOINTS).isidentifier()


def key_of_name(name: str) -> str:
    """Return the key of a value with this name: `invoice_number` for "Invoice number". A single word stays as it is
    written."""
    words = words_of_name(name)
    return words[0] if len(words) == 1 else "_".join(words).lower()


def field_asked_for(name: AskedName, key: str) -> dict[str, Any]:
    """Return the schema of the field of a value that a message asks for."""
    if name.kind == "items":
        return {"type": "array", "items": _ITEM}
    if name.kind == "list":
        one = field_named(key, "")
        return {"type": "array", "items": {**one, "type": one["type"][0]}}
    if name.kind == "number" and not kinds_of(key):
        return {"type": ["number", "null"]}
    return field_named(key, "")


def kinds_of(key: str) -> set[str]:
    """Return the kinds of the concepts that a key names; empty for a key that documents are not known to print."""
    return {CONCEPTS[name].kind for name in names_of((key,), {}).concepts}


def words_of_name(text: str) -> list[str]:
    """Return the words of a name; the words of `landlord's phone number` are landlord, phone and number."""
    return re.findall(r"[^\W_]+(?:_[^\W_]+)*", _POSSESSIVE.sub("", text))


def field_named(key: str, note: str) -> dict[str, Any]:
    """Return the schema of a field. The remark on the field determines its type, or else the meaning of its name
    does."""
    kinds = kinds_of(key)
    form = next((name for name, pattern in _TYPES.items() if note and compiled(pattern).search(note)), None)
    if form is None and kinds and kinds <= {"amount", "count"}:
        return {"type": ["number", "null"], "$comment": GUESSED}
    if form == "date" or (form is None and kinds == {"date"}):
        return {"type": ["string", "null"], "format": "date"}
    return {"type": [form or "string", "null"]}


def field_of_example(key: str, value: str) -> dict[str, Any]:
    """Return the schema of a field whose value in an example of the answer is one word for its type, or any text."""
    return field_named(key, value if len(value.split()) == 1 else "")


_OR_NULL: Final = {"text": {"type": ["string", "null"]}, "number": {"type": ["number", "null"]}}


def object_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(fields), "required": list(fields), "additionalProperties": False}


_ITEM: Final = object_of(
    {
        "description": _OR_NULL["text"],
        "quantity": _OR_NULL["number"],
        "unit_price": _OR_NULL["number"],
        "amount": _OR_NULL["number"],
    }
)
"""Schema of a row of a receipt."""
_INTRODUCES, _PLACEHOLDER, _ORDERS_JSON = (
    pattern_of(_TABLE[name]) for name in ("introduces", "placeholder", "orders_json")
)
_MAX_FORMS: Final = 50
"""At most this many beginnings of objects and lists of a text are examined."""
_LONGEST_INTRODUCTION: Final = 120
"""An example is introduced by words among this many characters before it."""
_FORM: Final = re.compile(r"[{\[]")
_UNFINISHED: Final = re.compile(r"\{[^{}]{1,2000}\}")
_MEMBER: Final = re.compile(r"[\"'“]?([^\W\d][\w ]{0,60}?)[\"'”]?\??\s*:\s*([^,;\n{}]{1,200})")
_SENTENCE: Final = re.compile(r"[^\n.!?]*(?:[.!?](?!\s)[^\n.!?]*)*[.!?]*\n?")
_MARK, _DATA = "\N{OBJECT REPLACEMENT CHARACTER}", "\ue000"
"""Marks in the places of a description, and of other JSON."""
_FENCES: Final = re.compile(rf"```\w*\s*{_MARK}\s*```")
_NESTED: Final = ("json_schema", "schema", "parameters")
"""Keys that programs put around a schema."""


class PromptForm(NamedTuple):
    """An object or a list of texts in a prompt."""

    begin: int
    end: int
    value: Any
    is_json: bool = True
    """False for a text that is not JSON, such as `{"title": <title>}`. Its values are the texts after the keys."""


def forms_in(text: str) -> Iterator[PromptForm]:
    """Yield the outermost objects in a text, also unfinished ones, and the lists of texts."""
    position, decoder = 0, json.JSONDecoder()
    for _ in range(_MAX_FORMS):
        begin = _FORM.search(text, position)
        if begin is None:
            return
        try:
            value, position = decoder.raw_decode(text, begin.start())
            is_json = True
        except (ValueError, RecursionError):
            unfinished = _UNFINISHED.match(text, begin.start())
            position = unfinished.end() if unfinished else begin.end()
            value = {name: note.strip() for name, note in _MEMBER.findall(unfinished[0])} if unfinished else None
            is_json = False
        if value and (isinstance(value, dict) or all(isinstance(one, str) for one in value)):
            yield PromptForm(begin.start(), position, value, is_json)


def described_schema(prompt: str) -> dict[str, Any] | None:
    """Return the last schema in a prompt, or else a schema that fits its last example of the answer; None if it shows
    neither."""
    forms = _forms_of_answer(prompt)
    schemas = [schema for one in forms if (schema := schema_in(one.value)) is not None]
    if schemas:
        return {"type": "object", **standardised(schemas[-1], "the schema in the prompt")[0]}
    if not forms:
        return None
    example = forms[-1]
    if example.is_json:
        return schema_like(example.value)
    return object_of({key: field_of_example(key, note) for key, note in list(example.value.items())[:MAX_KEYS]})


def without_forms(prompt: str) -> str:
    """Return a prompt without the schemas and the examples of its answer."""
    return "".join(" " if one is None else one for one in _pieces(prompt))


def without_description(prompt: str) -> str:
    """Return a prompt without the schemas and examples of its answer, and without the sentences that order JSON. Other
    JSON is data and stays."""
    pieces = _pieces(prompt)
    marked = "".join(_MARK if one is None else one if index % 2 == 0 else _DATA for index, one in enumerate(pieces))
    data = (one for index, one in enumerate(pieces) if index % 2 and one is not None)
    kept = []
    for sentence in _SENTENCE.findall(_FENCES.sub(_MARK, marked)):
        is_order = _MARK in sentence or compiled(_ORDERS_JSON).search(sentence)
        parts = [next(data) for _ in range(sentence.count(_DATA))]
        kept += parts if is_order else [_restored(sentence, parts)]
    text = "".join(kept)
    return prompt if text == prompt else text.strip()


def _restored(sentence: str, data: Sequence[str]) -> str:
    first, *others = sentence.split(_DATA)
    return "".join([first, *chain.from_iterable(zip(data, others, strict=True))])


def schema_in(value: Any) -> Mapping[str, Any] | None:
    """Return the schema of an object that `value` is or contains, or None."""
    for key in _NESTED if isinstance(value, dict) else ():
        if (inner := schema_in(value.get(key))) is not None:
            return inner
    fields = value.get("properties") if isinstance(value, dict) else None
    if isinstance(fields, dict) and fields and all(isinstance(one, dict) for one in fields.values()):
        return dict(value)
    return None


def or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object whose single values may be null."""
    fields = {
        name: or_null(field) if "properties" in field else field if field.get("type") == "array" else with_null(field)
        for name, field in schema.get("properties", {}).items()
    }
    return {**schema, "properties": fields}


def _forms_of_answer(prompt: str) -> list[PromptForm]:
    """Return the objects in a prompt that describe its answer: schemas, examples with values left open, and those that
    are introduced as an example."""
    found = []
    for one in forms_in(prompt):
        introduction = prompt[max(0, one.begin - _LONGEST_INTRODUCTION) : one.begin].split("\n\n")[-1]
        is_introduced = compiled(_INTRODUCES).search(introduction) is not None
        if isinstance(one.value, dict) and (schema_in(one.value) or is_introduced or _is_left_open(one.value)):
            found.append(one)
    return found


def _is_left_open(value: Any) -> bool:
    """True if a value of an example says nothing: "…", "string", 0."""
    match value:
        case dict():
            return all(map(_is_left_open, value.values()))
        case list():
            return all(map(_is_left_open, value))
        case str():
            return compiled(_PLACEHOLDER).fullmatch(value.strip()) is not None
    return not value


def _pieces(prompt: str) -> list[str | None]:
    """Return the texts of a prompt with the objects between them, in order; None for an object that describes the
    answer."""
    described = {one.begin for one in _forms_of_answer(prompt)}
    pieces: list[str | None] = []
    position = 0
    for one in forms_in(prompt):
        text = prompt[one.begin : one.end]
        pieces += [prompt[position : one.begin], None if one.begin in described else text]
        position = one.end
    return [*pieces, prompt[position:]]
