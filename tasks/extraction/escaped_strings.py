"""Writes the strings of JSON and YAML with the characters that their escapes stand for, as programs read them:
`12\\u0039` is 129, and `M\\u00fcller` is Müller."""

import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tasks.result import SourceLine

_STRING = re.compile(
    r"""
    ((?:^|[\[{,:]|[-?](?=\s))\s*+"          # what is before a string in JSON and YAML: not a word, as in prose
    (?![A-Za-z]:\\[^\\]))                   # no path of Windows
    ([^"\\]*+(?:\\.[^"\\]*+)*+)
    (?="\s*+(?:[\]},:#]|$)|\\?$)
    """,
    re.VERBOSE,
)
"""Pattern of a string in double quotes, and of the signs before it. A string without an end is cut, or continues in the
next line (YAML 1.2, 7.3.1). The search takes linear time, because a string ends at the first quote that is not
escaped."""
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8}))|([\"\\/ abefnrtvNLP0_]))"
)
"""Pattern of the escapes of JSON (RFC 8259, 7) and YAML (1.2, 5.7): two halves of a character, the code of one, or a
sign."""
_SIGNS: Final = {
    **{sign: sign for sign in '"\\/ '},
    **dict.fromkeys("nrtvNLP_", " "),
}
_SURROGATES: Final = range(0xD800, 0xE000)


def without_escapes(lines: Sequence[SourceLine]) -> Sequence[SourceLine]:
    """Return the lines with the escapes of their strings replaced. A line break within a string becomes a space.

    Escapes of control characters, which are not shown, are kept.
    """
    return [_decoded(line) if "\\" in line.written else line for line in lines]


def _decoded(line: SourceLine) -> SourceLine:
    def character(escape: re.Match[str]) -> str:
        return _character(escape) or escape[0]

    def decoded_string(string: re.Match[str]) -> str:
        return string[1] + _ESCAPE.sub(character, string[2])

    written = _STRING.sub(decoded_string, line.written)
    return replace(line, words=tuple(written.split()), written=written)


def _character(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for, or "" for one that is not shown."""
    high, low, *codes, sign = escape.groups()
    if sign:
        return _SIGNS.get(sign, "")
    if high:
        return (bytes.fromhex(high) + bytes.fromhex(low)).decode("utf-16-be")
    code = int(next(filter(None, codes)), 16)
    if code in _SURROGATES or code > sys.maxunicode:
        return "\ufffd"
    decoded = chr(code)
    return " " if decoded.isspace() else "" if unicodedata.category(decoded) == "Cc" else decoded
