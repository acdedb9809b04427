"""Splits JSON texts into tokens, so that texts in them can be replaced while everything else stays as it is written."""

import json
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_MOST_SIGNS = 20_000
_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]++|\\.)*+")(?P<colon>\s*+:)?'
    r"|(?P<number>-?\d++(?:\.\d++)?(?:[eE][+-]?\d++)?)|(?P<sign>[\[\]{},])"
)
_HALF_OF_PAIR = re.compile("[\ud800-\udfff]")

Kind = Literal["string", "name", "number", "sign"]
"""Kind of a token. A name is the string before a colon."""


class JsonToken(NamedTuple):
    kind: Kind
    start: int
    end: int
    """End of the token. The quotation marks of a string are part of the token."""


def is_json(text: str) -> bool:
    """Return True if the text is a JSON object or list."""
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def parses_quickly(text: str) -> bool:
    """True if a parser holds the interpreter for a few milliseconds at most: the text has at most _MOST_SIGNS commas
    and opening brackets, in its strings, too."""
    return sum(map(text.count, "[{,")) <= _MOST_SIGNS


def tokens(text: str) -> Iterator[JsonToken]:
    """Yield the strings, names, numbers, brackets and commas of a text for which `is_json` is true, in order."""
    for found in _TOKEN.finditer(text):
        if found["string"]:
            yield JsonToken("name" if found["colon"] else "string", found.start("string"), found.end("string"))
        elif found["number"]:
            yield JsonToken("number", found.start(), found.end())
        else:
            yield JsonToken("sign", found.start(), found.end())


def decoded(string: str) -> str:
    """Return the text that a token of the kind `string` or `name` stands for."""
    text: str = json.loads(string) if "\\" in string else string[1:-1]
    return text


def encoded(text: str) -> str:
    """Return `text` as a JSON string."""
    # Halves of surrogate pairs have no UTF-8, so they remain escaped.
    return json.dumps(text, ensure_ascii=_HALF_OF_PAIR.search(text) is not None)
