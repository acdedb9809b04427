"""Reads JSON texts token by token.

A parser makes a hundred bytes of a value that takes two. Here, the values of a text of many megabytes are not kept.
"""

import json
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_MOST_SIGNS = 20_000
_TOKEN = re.compile(
    r"[ \t\r\n]*+(?:"
    r'(?P<string>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    r"|(?P<number>-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?)|(?P<constant>true|false|null|NaN|-?Infinity)"
    r"|(?P<sign>[\[\]{},:]))",
    re.ASCII,
)
_BEGINNING = re.compile(r"[ \t\r\n]*+[\[{]")
_BLANKS = re.compile(r"[ \t\r\n]*+")
_HALF_OF_PAIR = re.compile("[\ud800-\udfff]")
_OPENED_BY = {"]": "[", "}": "{"}

Kind = Literal["string", "name", "number", "constant", "sign"]
"""Kind of a token. A name is the string before a colon."""


class JsonToken(NamedTuple):
    kind: Kind
    start: int
    end: int
    """End of the token. The quotation marks of a string are part of the token."""


def is_json(text: str) -> bool:
    """Return True if the text is a JSON object or list."""
    if _BEGINNING.match(text) is None:
        return False
    try:
        for _ in tokens(text):
            pass
    except ValueError:
        return False
    return True


def parses_quickly(text: str) -> bool:
    """True if a parser holds the interpreter for a few milliseconds at most: the text has at most _MOST_SIGNS commas
    and opening brackets, in its strings, too."""
    return sum(map(text.count, "[{,")) <= _MOST_SIGNS


def tokens(text: str) -> Iterator[JsonToken]:
    """Yield the tokens of a JSON text. Raises ValueError at the first place where the text is not valid."""
    order = _Order()
    position = 0
    while found := _TOKEN.match(text, position):
        position = found.end()
        match found.lastgroup:
            case "sign":
                order.add_sign(found["sign"])
                yield JsonToken("sign", found.start("sign"), position)
            case "string":
                yield JsonToken(order.add_string(), found.start("string"), position)
            case "number":
                order.add_value()
                yield JsonToken("number", found.start("number"), position)
            case _:
                order.add_value()
                yield JsonToken("constant", found.start("constant"), position)
    if _BLANKS.fullmatch(text, position) is None:
        raise ValueError("no token of JSON")
    order.end()


def decoded(string: str) -> str:
    """Return the text that a token of the kind `string` or `name` stands for."""
    text: str = json.loads(string) if "\\" in string else string[1:-1]
    return text


def encoded(text: str) -> str:
    """Return `text` as a JSON string."""
    # Halves of surrogate pairs have no UTF-8, so they remain escaped.
    return json.dumps(text, ensure_ascii=_HALF_OF_PAIR.search(text) is not None)


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
