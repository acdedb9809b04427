"""Removes the characters that XML forbids. Workbooks are XML, and the library that parses HTML refuses such characters
in what is written into a tree."""

import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Pattern of the characters outside of `Char` (XML 1.0, 2.2): most control characters, surrogates, U+FFFE and
U+FFFF."""
_REFERENCE = re.compile(r"&#(?:[xX]0*+([0-9a-fA-F]{1,6})(?![0-9a-fA-F])|0*+([0-9]{1,7})(?![0-9]));?")
_MAX_CODE_POINT = 0x10FFFF
_REPLACEMENT = "\ufffd"


def without_forbidden(text: str) -> str:
    """Return `text` without the characters that XML forbids."""
    return _FORBIDDEN.sub("", text)


def markup_without_forbidden(markup: str) -> str:
    """Return HTML without the characters that XML forbids. A numeric reference to such a character becomes U+FFFD, as
    in browsers."""
    return _REFERENCE.sub(_replace_reference, without_forbidden(markup))


def _replace_reference(reference: re.Match[str]) -> str:
    hexadecimal, decimal = reference.groups()
    code_point = int(hexadecimal, 16) if hexadecimal else int(decimal)
    is_forbidden = code_point > _MAX_CODE_POINT or _FORBIDDEN.fullmatch(chr(code_point))
    # Leaving the reference out could join its neighbours to another reference.
    return _REPLACEMENT if is_forbidden else reference[0]
