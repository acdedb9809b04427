"""Replaces personal data in texts and JSON values by placeholders."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pydantic_core

from models.fair_executor import ITEMS_AT_ONCE, Slices, all_of
from models.safety.number_labels import LONGEST
from models.safety.personal_data import PersonalDataSpan, find_in_slices
from tasks.json_tokens import decoded, encoded, is_json, tokens

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def placeholder(kind: str) -> str:
    return f"[{kind}]"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces personal data, and counts what it replaces.

    The methods whose names begin with `redact` work in slices. The others do all of the work at once, which suits texts
    of a few kilobytes.
    """

    counts: Counter[str] = field(default_factory=Counter)
    """Number of replacements per kind."""

    def text(self, text: str, before: str = "") -> str:
        return all_of(self.redact_text(text, before))

    def pieces(self, pieces: Sequence[str], before: str = "") -> list[str]:
        return all_of(self.redact_pieces(pieces, before))

    def value(self, value: Any) -> Any:
        return all_of(self.redact_value(value))

    def find_spans(self, text: str, before: str = "") -> Slices[list[PersonalDataSpan]]:
        """Find and count the personal data to replace in `text`."""
        spans = yield from find_in_slices(text, before)
        if spans:
            self.counts.update([span.kind for span in spans])
        return spans

    def redact_text(self, text: str, before: str = "") -> Slices[str]:
        """Return `text` with a placeholder for each piece of personal data. `before` is the text that precedes `text`.

        If `text` is a JSON object or list, its strings and numbers are redacted one by one, and it stays JSON: a
        redacted number becomes a string. The name of a member counts as the words before its value, which helps to
        recognise the value, and so do the words of the item before it in a list.
        """
        if (yield from is_json(text)):
            return (yield from self._redact_json(text, before))
        return (yield from self._redact_plain(text, before))

    def redact_pieces(self, pieces: Sequence[str], before: str = "") -> Slices[list[str]]:
        """Redact a text that comes in pieces, and return the same number of pieces.

        A placeholder is in the piece in which the personal data begins.
        """
        spans = yield from self.find_spans("".join(pieces), before)
        if not spans:
            return list(pieces)
        redone = []
        end = 0
        for piece in pieces:
            start, end = end, end + len(piece)
            first = bisect_right(spans, start, key=lambda span: span.end)
            parts, position = [], start
            for span in spans[first : bisect_left(spans, end, key=_start_of)]:
                parts.append(piece[position - start : max(span.start - start, 0)])
                parts.append(placeholder(span.kind) if span.start >= start else "")
                position = min(span.end, end)
            redone.append("".join([*parts, piece[position - start :]]))
            yield
        return redone

    def _redact_plain(self, text: str, before: str) -> Slices[str]:
        spans = yield from self.find_spans(text, before)
        return (yield from replace_spans(text, spans))

    def _redact_json(self, text: str, before: str) -> Slices[str]:
        words = before
        parts: list[str] = []
        copied = 0
        opened: list[_MemberNames | None] = []
        """The objects that are open, and None for each open list."""
        words_before: list[str] = []
        """The words before each of `opened`."""
        for token in tokens(text):
            yield
            if token is None or token.kind == "constant":
                continue
            if token.kind == "sign":
                if text[token.start] in "[{":
                    opened.append(_MemberNames() if text[token.start] == "{" else None)
                    words_before.append(words)
                elif text[token.start] in "]}":
                    opened.pop()
                    words = words_before.pop()
                continue
            written = text[token.start : token.end]
            value = written if token.kind == "number" else (yield from decoded(written))
            shown = yield from self._redact_plain(value, "" if token.kind == "name" else words)
            names = opened[-1]
            if names is None:
                words = _words_after_item(words_before[-1], value)
            elif token.kind == "name":
                words = _label_words(value)
                shown = names.add(shown, is_redacted=shown != value)
            if shown != value:
                parts += [text[copied : token.start], (yield from encoded(shown))]
                copied = token.end
        return "".join([*parts, text[copied:]]) if parts else text

    def redact_value(self, value: Any, before: str = "") -> Slices[Any]:
        """Redact the strings and member names of a JSON value. Data URLs are kept, because they contain no text."""
        yield
        match value:
            case str():
                return value if value.startswith("data:") else (yield from self.redact_text(value, before))
            case Mapping():
                members, names = {}, _MemberNames()
                for key, member in value.items():
                    shown = yield from self.redact_text(str(key))
                    name = names.add(shown, is_redacted=shown != str(key))
                    members[name] = yield from self.redact_value(member, _label_words(str(key)))
                return members
            case list() | tuple():
                items, words = [], before
                for item in value:
                    redacted = yield from self.redact_value(item, words)
                    items.append(redacted)
                    words = _words_after_item(before, item) if isinstance(item, str) else words
                return type(value)(items)
            case None | bool() | int() | float():
                return value
        return (yield from self.redact_value(pydantic_core.to_jsonable_python(value), before))


class _MemberNames:
    """The names of the members of an object. Several redacted names that would be the same are numbered: `[EMAIL]`,
    `[EMAIL] (2)`."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str, *, is_redacted: bool) -> str:
        """Return the name under which a member is shown."""
        self._counts[name] += 1
        if not is_redacted or self._counts[name] == 1:
            return name
        while (numbered := f"{name} ({self._counts[name]})") in self._counts:
            self._counts[name] += 1
        self._counts[numbered] = 1
        return numbered


def spans_within(spans: Sequence[PersonalDataSpan], start: int, end: int) -> list[PersonalDataSpan]:
    """Return the spans that begin in `text[start:end]`, relative to `start`. `spans` are in the order of the text."""
    first, stop = (bisect_left(spans, at, key=_start_of) for at in (start, end))
    return [PersonalDataSpan(one.start - start, one.end - start, one.kind) for one in spans[first:stop]]


def is_within_span(spans: Sequence[PersonalDataSpan], position: int) -> bool:
    """True if a span covers the characters before and after `position`, or the character at it."""
    before = bisect_left(spans, position, key=_start_of)
    return before > 0 and spans[before - 1].end > position


def _start_of(span: PersonalDataSpan) -> int:
    return span.start


def replaced(text: str, spans: Sequence[PersonalDataSpan]) -> str:
    """Return `text` with a placeholder for each of `spans`."""
    return all_of(replace_spans(text, spans))


def replace_spans(text: str, spans: Sequence[PersonalDataSpan]) -> Slices[str]:
    """Return what `replaced` returns."""
    if not spans:
        return text
    parts, position = [], 0
    for count, span in enumerate(spans, 1):
        parts += [text[position : span.start], placeholder(span.kind)]
        position = span.end
        if count % ITEMS_AT_ONCE == 0:
            yield
    return "".join([*parts, text[position:]])


def _words_after_item(words: str, item: str) -> str:
    """Return the words before the value after `item` in a list: `Phone, ` in `["Phone", "212 736 5000"]`. After an item
    with digits, which cannot be a label, they are `words`, those before the list."""
    end = item[-LONGEST:]
    return words if any(map(str.isdecimal, end)) else f"{words}{end}, "[-LONGEST:]


def _label_words(name: str) -> str:
    """Return the words before the value of a member: `phone Number: ` for `phoneNumber`. Of a long name, only the end
    is returned, because a label is not searched for farther before a value."""
    return f"{_CAMEL.sub(' ', name[-LONGEST:])}: "
