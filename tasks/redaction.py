"""Replaces personal data in texts and JSON values by placeholders."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pydantic_core

from models.safety.personal_data import PersonalDataSpan, find

_JSON_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def placeholder(kind: str) -> str:
    return f"[{kind}]"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces personal data, and counts what it replaces."""

    counts: Counter[str] = field(default_factory=Counter)
    """Number of replacements per kind."""

    def text(self, text: str, before: str = "") -> str:
        """Return `text` with a placeholder for each piece of personal data. `before` is the text that precedes
        `text`."""
        return replaced(text, self.spans(text, before))

    def spans(self, text: str, before: str = "") -> list[PersonalDataSpan]:
        """Find and count the personal data to replace in `text`."""
        spans = find(text, before)
        self.counts.update(span.kind for span in spans)
        return spans

    def pieces(self, pieces: Sequence[str], before: str = "") -> list[str]:
        """Redact a text that comes in pieces, and return the same number of pieces.

        A placeholder is in the piece in which the personal data begins.
        """
        spans = self.spans("".join(pieces), before)
        if not spans:
            return list(pieces)
        redone = []
        end = 0
        for piece in pieces:
            start, end = end, end + len(piece)
            overlapping = [span for span in spans if span.start < end and span.end > start]
            parts, position = [], start
            for span in overlapping:
                parts.append(piece[position - start : max(span.start - start, 0)])
                parts.append(placeholder(span.kind) if span.start >= start else "")
                position = min(span.end, end)
            redone.append("".join([*parts, piece[position - start :]]))
        return redone

    def json(self, text: str) -> str:
        """Redact the strings and numbers of a JSON text, and keep everything else. A text that is not JSON is redacted
        like any other text. A redacted number becomes a string. The name of a member counts as the words before its
        value, which helps to recognise the value."""
        if not is_json(text):
            return self.text(text)
        name = ""

        def token(match: re.Match[str]) -> str:
            nonlocal name
            written = match[0] if match[1] is None else match[1]
            value = written if match[1] is None else json.loads(written)
            if match[2]:
                name = value
            shown = self.text(value, "" if match[2] else _label_words(name))
            return written + (match[2] or "") if shown == value else _json_string(shown) + (match[2] or "")

        return _JSON_TOKEN.sub(token, text)

    def value(self, value: Any, before: str = "") -> Any:
        """Redact the strings and member names of a JSON value. Data URLs are kept, because they contain no text."""
        match value:
            case str():
                return value if value.startswith("data:") else self.text(value, before)
            case Mapping():
                return {
                    self.text(str(key)): self.value(member, _label_words(str(key))) for key, member in value.items()
                }
            case list() | tuple():
                return type(value)(self.value(one, before) for one in value)
            case None | bool() | int() | float():
                return value
        return self.value(pydantic_core.to_jsonable_python(value), before)


def replaced(text: str, spans: Sequence[PersonalDataSpan]) -> str:
    """Return `text` with a placeholder for each of `spans`."""
    parts, position = [], 0
    for span in spans:
        parts += [text[position : span.start], placeholder(span.kind)]
        position = span.end
    return "".join([*parts, text[position:]]) if spans else text


def is_json(text: str) -> bool:
    """True if the text is a JSON object or list."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _label_words(name: str) -> str:
    """Turn a member's name into the words before its value: `phoneNumber` becomes `phone Number: `."""
    return f"{_CAMEL.sub(' ', name)}: "


def _json_string(text: str) -> str:
    halves = any("\ud800" <= sign <= "\udfff" for sign in text)
    return json.dumps(text, ensure_ascii=halves)
