"""Finds the keys that a prompt names for the JSON that it asks for, and returns them as a schema of fields that may be
null."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.names import names_of
from tasks.extraction.printed_types import GUESSED
from tasks.wording.phrases import compiled

_TABLE: Final = tomllib.loads(Path(__file__).with_name("named_keys.toml").read_text("utf-8"))
_TYPES: Final[Mapping[str, str]] = _TABLE["types"]
MAX_KEYS: Final = 100
"""At most this many keys of one object are used."""
_MAX_CHARS: Final = 4_000
"""Keys are searched for in the first characters of a prompt, up to this number."""
_MAX_LISTS: Final = 3
"""Keys are looked for after at most this many words like "keys"."""
_MAX_WORDS: Final = 4
"""A key's name in a sentence has at most this many words."""
_QUOTED = re.compile(r"[`\"“„«'‘]([^\W\d][\w .-]{0,63})[`\"”“»'’]")
_IDENTIFIER = re.compile(r"\b(?:[^\W\d_A-Z][^\W_]*(?:_[^\W_]+)+|[^\W\d_A-Z]+(?:[A-Z][^\W_A-Z]+)+)\b")
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)|\n\s*\n")
_NOTE = re.compile(r"\(([^()]{1,60})\)")
_POSSESSIVE: Final = re.compile(r"(?<=\w)['’]s\b")


def pattern_of(written: str) -> str:
    """Return a pattern of the table without its line breaks, which only keep the lines of the table short."""
    return re.sub(r"\n\s*", "", written)


_KEYS, ORDERS, COURTESY, _FILLERS, _BETWEEN, _ABOUT = (
    pattern_of(_TABLE[name]) for name in ("keys", "orders", "courtesy", "fillers", "between", "about")
)


def schema_of_named_keys(prompt: str) -> dict[str, Any] | None:
    """Return the schema of the object whose keys `prompt` names, or None if it names none.

    The keys may be in quotes, after a word like "keys", as identifiers, or in an order to extract them: "Extract the
    invoice number and the total as JSON."
    """
    prompt = prompt[:_MAX_CHARS]
    named = dict(_find_named_keys(prompt))
    fields = {key: field_named(key, note) for key, note in list(named.items())[:MAX_KEYS]}
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


def _find_named_keys(prompt: str) -> Iterator[tuple[str, str]]:
    """Yield the keys that a prompt names, each with the remark on it."""
    for listed in islice(compiled(_KEYS).finditer(prompt), _MAX_LISTS):
        rest = prompt[listed.end() :].lstrip(" :")
        quoted = _QUOTED.findall(rest)
        if quoted:
            yield from ((key, "") for key in quoted)
            return
        if found := list(names_listed_in(rest)):
            yield from found
            return
    quoted = _QUOTED.findall(prompt) or _IDENTIFIER.findall(prompt)
    if quoted:
        yield from ((key, "") for key in quoted)
        return
    for sentence in _SENTENCE_END.split(prompt):
        order = compiled(ORDERS).search(sentence)
        if order:
            yield from names_listed_in(sentence[order.end() :])
            return


def names_listed_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names in an enumeration, each with the remark in brackets after it."""
    end = _SENTENCE_END.search(text)
    text = compiled(COURTESY).sub("", text[: end.start()] if end else text)
    # "with the keys town and height for Zermatt": what the values are about is not a key.
    text = compiled(_ABOUT).sub("", text, count=1)
    for item in compiled(_BETWEEN).split(text.rstrip(": ")):
        note = _NOTE.search(item)
        parts = compiled(_FILLERS).sub(" ", _NOTE.sub(" ", item)).split(":")
        bare = next((part for part in parts if part.strip()), "")
        words = words_of_name(bare)
        if 0 < len(words) <= _MAX_WORDS and any(map(str.isalpha, words[0])):
            yield "_".join(words) if len(words) == 1 else "_".join(words).lower(), note[1] if note else ""


def words_of_name(text: str) -> list[str]:
    """Return the words of a name; the words of `landlord's phone number` are landlord, phone and number."""
    return re.findall(r"[^\W_]+(?:_[^\W_]+)*", _POSSESSIVE.sub("", text))


def field_named(key: str, note: str) -> dict[str, Any]:
    """Return the schema of a field. The remark on the field determines its type, or else the meaning of its name
    does."""
    kinds = {CONCEPTS[name].kind for name in names_of((key,), {}).concepts}
    form = next((name for name, pattern in _TYPES.items() if note and compiled(pattern).search(note)), None)
    if form is None and kinds and kinds <= {"amount", "count"}:
        return {"type": ["number", "null"], "$comment": GUESSED}
    if form == "date" or (form is None and kinds == {"date"}):
        return {"type": ["string", "null"], "format": "date"}
    return {"type": [form or "string", "null"]}


def field_of_example(key: str, value: str) -> dict[str, Any]:
    """Return the schema of a field whose value in an example of the answer is one word for its type, or any text."""
    return field_named(key, value if len(value.split()) == 1 else "")


def object_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(fields), "required": list(fields), "additionalProperties": False}
