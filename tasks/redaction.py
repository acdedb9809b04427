"""Replaces personal data in texts and JSON values by placeholders."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import pydantic_core

from models.safety.number_labels import LONGEST
from models.safety.personal_data import PersonalDataSpan, find
from tasks.json_tokens import decoded, encoded, is_json, tokens

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def placeholder(kind: str) -> str:
    return f"[{kind}]"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces personal data, and counts what it replaces."""

    counts: Counter[str] = field(default_factory=Counter)
    """Number of replacements per kind."""

    def find_spans(self, text: str, before: str = "") -> list[PersonalDataSpan]:
        """Find and count the personal data to replace in `text`."""
        spans = find(text, before)
        if spans:
            self.counts.update([span.kind for span in spans])
        return spans

    def text(self, text: str, before: str = "") -> str:
        """Return `text` with a placeholder for each piece of personal data. `before` is the text that precedes `text`.

        If `text` is a JSON object or list, its strings and numbers are redacted one by one, and it stays JSON: a
        redacted number becomes a string. The name of a member counts as the words before its value, which helps to
        recognise the value, and so do the words of the item before it in a list.
        """
        if is_json(text):
            return self._redact_json(text, before)
        return self._redact_plain(text, before)

    def pieces(self, pieces: Sequence[str], before: str = "") -> list[str]:
        """Redact a text that comes in pieces, and return the same number of pieces.

        A placeholder is in the piece in which the personal data begins.
        """
        spans = self.find_spans("".join(pieces), before)
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
        return redone

    def _redact_plain(self, text: str, before: str) -> str:
        spans = self.find_spans(text, before)
        return replaced(text, spans)

    def _redact_json(self, text: str, before: str) -> str:
        words = before
        parts: list[str] = []
        copied = 0
        opened: list[_MemberNames | None] = []
        """The objects that are open, and None for each open list."""
        words_before: list[str] = []
        """The words before each of `opened`."""
        for token in tokens(text):
            if token.kind == "sign":
                if text[token.start] in "[{":
                    opened.append(_MemberNames() if text[token.start] == "{" else None)
                    words_before.append(words)
                elif text[token.start] in "]}":
                    opened.pop()
                    words = words_before.pop()
                continue
            written = text[token.start : token.end]
            value = written if token.kind == "number" else decoded(written)
            shown = self._redact_plain(value, "" if token.kind == "name" else words)
            names = opened[-1]
            if names is None:
                words = _words_after_item(words_before[-1], value)
            elif token.kind == "name":
                words = _label_words(value)
                shown = names.add(shown, is_redacted=shown != value)
            if shown != value:
                parts += [text[copied : token.start], encoded(shown)]
                copied = token.end
        return "".join([*parts, text[copied:]]) if parts else text

    def value(self, value: Any, before: str = "") -> Any:
        """Redact the strings and member names of a JSON value. Data URLs are kept, because they contain no text."""
        match value:
            case str():
                return value if value.startswith("data:") else self.text(value, before)
            case Mapping():
                members, names = {}, _MemberNames()
                for key, member in value.items():
                    shown = self.text(str(key))
                    name = names.add(shown, is_redacted=shown != str(key))
                    members[name] = self.value(member, _label_words(str(key)))
                return members
            case list() | tuple():
                items, words = [], before
                for item in value:
                    redacted = self.value(item, words)
                    items.append(redacted)
                    words = _words_after_item(before, item) if isinstance(item, str) else words
                return type(value)(items)
            case None | bool() | int() | float():
                return value
        return self.value(pydantic_core.to_jsonable_python(value), before)


class SourceText(NamedTuple):
    """A text to be redacted, its source, and the text before it."""

    source: str
    text: str
    before: str = ""


def redact_texts(texts: Sequence[SourceText]) -> tuple[list[str], dict[str, Counter[str]]]:
    """Return the redacted texts, and the number of replacements per source and kind."""
    redactors: defaultdict[str, Redactor] = defaultdict(Redactor)
    redacted = [redactors[one.source].text(one.text, one.before) for one in texts]
    return redacted, {source: redactor.counts for source, redactor in redactors.items()}


class Redactable(Protocol):
    def mapped(self, redactor: Redactor, /) -> Self: ...


RedactableT = TypeVar("RedactableT", bound=Redactable)


def redact_results(results: Sequence[RedactableT]) -> list[tuple[RedactableT, Counter[str]]]:
    """Return the redacted results, each with the number of replacements per kind."""
    redactors = [Redactor() for _ in results]
    return [(one.mapped(redactor), redactor.counts) for one, redactor in zip(results, redactors, strict=True)]


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
    if not spans:
        return text
    parts, position = [], 0
    for span in spans:
        parts += [text[position : span.start], placeholder(span.kind)]
        position = span.end
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
