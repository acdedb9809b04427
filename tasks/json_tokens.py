"""Reads JSON texts token by token.

A parser holds the interpreter until it has parsed the whole text, and makes a hundred bytes of a value that takes two.
Here, a text of many megabytes is read in slices, and its values are not kept.
"""

import json
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from models.fair_executor import Slices

_MOST_SIGNS = 20_000
PIECE = 64 * 1024
"""Long strings and white space are read, decoded and encoded in pieces of this many characters."""
_BLANKS = re.compile(r"[ \t\r\n]+")
_SHORT_TOKEN = re.compile(
    r"(?P<number>-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?)|(?P<constant>true|false|null|NaN|-?Infinity)"
    r"|(?P<sign>[\[\]{},:])",
    re.ASCII,
)
_STRING_CONTENT = re.compile(r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_HALF_OF_PAIR = re.compile("[\ud800-\udfff]")
_OPENED_BY = {"]": "[", "}": "{"}

Kind = Literal["string", "name", "number", "constant", "sign"]
"""Kind of a token. A name is the string before a colon."""


class JsonToken(NamedTuple):
    kind: Kind
    start: int
    end: int
    """End of the token. The quotation marks of a string are part of the token."""


def is_json(text: str) -> Slices[bool]:
    """Return True if the text is a JSON object or list."""
    is_first = True
    try:
        for token in tokens(text):
            if is_first and token is not None and text[token.start] not in "[{":
                return False
            is_first = is_first and token is None
            yield
    except ValueError:
        return False
    return True


def parses_quickly(text: str) -> bool:
    """True if a parser holds the interpreter for a few milliseconds at most: the text has at most _MOST_SIGNS commas
    and opening brackets, in its strings, too."""
    return sum(map(text.count, "[{,")) <= _MOST_SIGNS


def tokens(text: str) -> Iterator[JsonToken | None]:
    """Yield the tokens of a JSON text, and None after each piece of white space or of a long string. Raises ValueError
    at the first place where the text is not valid."""
    order = _Order()
    position = 0
    while True:
        while blanks := _BLANKS.match(text, position, position + PIECE):
            position = blanks.end()
            yield None
        if position == len(text):
            order.end()
            return
        start = position
        if text[start] == '"':
            position += 1
            while text[(end := _end_of_content(text, position)) : end + 1] != '"':
                if end == position:
                    raise ValueError("invalid string")
                position = end
                yield None
            position = end + 1
            yield JsonToken(order.add_string(), start, position)
            continue
        found = _SHORT_TOKEN.match(text, start)
        if found is None:
            raise ValueError("no token of JSON")
        position = found.end()
        if found["sign"]:
            order.add_sign(found["sign"])
            yield JsonToken("sign", start, position)
        else:
            order.add_value()
            yield JsonToken("number" if found["number"] else "constant", start, position)


def decoded(string: str) -> Slices[str]:
    """Return the text that a token of the kind `string` or `name` stands for."""
    if "\\" not in string:
        return string[1:-1]
    pieces: list[str] = []
    position = 1
    while position < len(string) - 1:
        end = _end_of_content(string, position)
        pieces.append(json.loads(f'"{string[position:end]}"'))
        position = end
        yield
    return "".join(pieces)


def encoded(text: str) -> Slices[str]:
    """Return `text` as a JSON string."""
    pieces: list[str] = []
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE]
        # Halves of surrogate pairs have no UTF-8, so they remain escaped.
        pieces.append(json.dumps(piece, ensure_ascii=_HALF_OF_PAIR.search(piece) is not None)[1:-1])
        yield
    return '"{}"'.format("".join(pieces))


def _end_of_content(text: str, start: int) -> int:
    """Return the index up to which the content of a string is valid from `start` on, at most PIECE characters on."""
    found = _STRING_CONTENT.match(text, start, start + PIECE)
    return found.end() if found else start


class _Order:
    """Checks that the tokens of a JSON text are in a valid order. The methods raise ValueError for one that is not."""

    def __init__(self) -> None:
        self._opened: list[str] = []
        """Brackets that are open."""
        self._last = ""
        """Last token: a sign, `name`, or `value` for a value that is complete."""

    def add_string(self) -> Literal["string", "name"]:
        if self._last == "{" or (self._last == "," and self._opened[-1] == "{"):
            self._last = "name"
            return "name"
        self.add_value()
        return "string"

    def add_value(self) -> None:
        self._expect_value()
        self._last = "value"

    def add_sign(self, sign: str) -> None:
        if sign in "[{":
            self._expect_value()
            self._opened.append(sign)
            self._last = sign
        elif sign in "]}":
            opening = _OPENED_BY[sign]
            self._require(self._opened[-1:] == [opening] and self._last in (opening, "value"))
            self._opened.pop()
            self._last = "value"
        else:
            self._require(self._last == "name" if sign == ":" else self._last == "value" and bool(self._opened))
            self._last = sign

    def end(self) -> None:
        self._require(self._last == "value" and not self._opened)

    def _expect_value(self) -> None:
        self._require(self._last in ("", "[", ":") or (self._last == "," and self._opened[-1] == "["))

    def _require(self, is_valid: bool) -> None:
        if not is_valid:
            raise ValueError("a token that is not valid here")
