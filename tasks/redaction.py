"""Taking personal data out of texts, and out of what tasks found: the same results with placeholders.

Nothing is changed in place. A result may be shared with other requests.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pydantic_core

from models.safety.personal_data import Span, find
from tasks.bounds import Bounds, bounds_of
from tasks.speech.phrases import joined_text, spaced

Counts = Counter[str]
"""How often each kind of personal data was replaced."""

_JSON_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def placeholder(kind: str) -> str:
    return f"[{kind}]"


def redacted(text: str, counts: Counts, before: str = "") -> str:
    """`text` with a placeholder for each piece of personal data. `before` is what precedes it."""
    return _replaced(text, _found(text, counts, before))


def redacted_pieces(pieces: Sequence[str], counts: Counts, before: str = "") -> list[str]:
    """Of one text, as many as before. A placeholder stands where its data begins; pieces lose what they had of it."""
    spans = _found("".join(pieces), counts, before)
    if not spans:
        return list(pieces)
    redone = []
    end = 0
    for piece in pieces:
        start, end = end, end + len(piece)
        here = [span for span in spans if span.start < end and span.end > start]
        parts, at = [], start
        for span in here:
            parts.append(piece[at - start : max(span.start - start, 0)])
            parts.append(placeholder(span.kind) if span.start >= start else "")
            at = min(span.end, end)
        redone.append("".join([*parts, piece[at - start :]]))
    return redone


def is_json(text: str) -> bool:
    """Of an object or a list."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def redacted_json(text: str, counts: Counts) -> str:
    """JSON with its strings and numbers redacted, and all else as it was; what is no JSON, as any text. Such a number
    becomes a string. The name of a member may say what its value is."""
    if not is_json(text):
        return redacted(text, counts)
    name = ""

    def token(match: re.Match[str]) -> str:
        nonlocal name
        written = match[0] if match[1] is None else match[1]
        value = written if match[1] is None else json.loads(written)
        if match[2]:
            name = value
        shown = redacted(value, counts, "" if match[2] else _label(name))
        return written + (match[2] or "") if shown == value else _quoted(shown) + (match[2] or "")

    return _JSON_TOKEN.sub(token, text)


def redacted_result(name: str, result: Any, counts: Counts) -> Any:
    """The result of the task that is `name` in `precontext`, with the same shape."""
    match name, result:
        case "ocr", {"extracted_text": str(text), "sections": [*sections]}:
            apart = Counter[str]()  # The sections say the same.
            return {
                **result,
                "extracted_text": redacted(text, counts),
                "sections": [_section(section, apart) for section in sections],
            }
        case "stt", {"text": str(text), "chunks": [*chunks]} if text == joined_text(chunk["text"] for chunk in chunks):
            chunks = _chunks(chunks, counts)
            return {**result, "text": joined_text(chunk["text"] for chunk in chunks), "chunks": chunks}
    return redacted_value(result, counts)


def redacted_value(value: Any, counts: Counts, before: str = "") -> Any:
    """Any value of JSON, with its strings and the names of its members redacted. What data URLs hold is no text."""
    match value:
        case str():
            return value if value.startswith("data:") else redacted(value, counts, before)
        case Mapping():
            return {
                redacted(str(key), counts): redacted_value(member, counts, _label(str(key)))
                for key, member in value.items()
            }
        case list() | tuple():
            return type(value)(redacted_value(one, counts, before) for one in value)
        case None | bool() | int() | float():
            return value
    return redacted_value(pydantic_core.to_jsonable_python(value), counts, before)


def _found(text: str, counts: Counts, before: str) -> list[Span]:
    spans = find(text, before)
    counts.update(span.kind for span in spans)
    return spans


def _replaced(text: str, spans: Sequence[Span]) -> str:
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], placeholder(span.kind)]
        at = span.end
    return "".join([*parts, text[at:]]) if spans else text


def _label(name: str) -> str:
    """The name of a member as words before its value: `phoneNumber` as `phone Number: `."""
    return f"{_CAMEL.sub(' ', name)}: "


def _quoted(text: str) -> str:
    halves = any("\ud800" <= sign <= "\udfff" for sign in text)
    return json.dumps(text, ensure_ascii=halves)


def _chunks(chunks: Sequence[Mapping[str, Any]], counts: Counts) -> list[dict[str, Any]]:
    """Of a transcript. One that is nothing but the end of personal data gives its time to the one before it."""
    texts = list(spaced(chunk["text"] for chunk in chunks))
    redone: list[dict[str, Any]] = []
    for chunk, text, was in zip(chunks, redacted_pieces(texts, counts), texts, strict=True):
        if redone and was.strip() and not text.strip():
            start, _ = redone[-1]["timestamp"]
            redone[-1]["timestamp"] = (start, max(redone[-1]["timestamp"][1], chunk["timestamp"][1]))
        else:
            redone.append({**chunk, "text": text.strip()})
    return redone


def _section(section: Mapping[str, Any], counts: Counts) -> dict[str, Any]:
    """Of an `ocr` result."""
    text: str = section["text"]
    spans = _found(text, counts, "")
    if not spans:
        return dict(section)
    lines = []
    end = -1
    for line in section["lines"]:
        start = end + 1
        end = start + len(line["text"])
        here = [Span(span.start - start, span.end - start, span.kind) for span in spans if start <= span.start < end]
        lines.append(_line(line, here) if here else line)
    return {**section, "text": "\n".join([line["text"] for line in lines]), "lines": lines}


def _line(line: Mapping[str, Any], spans: Sequence[Span]) -> dict[str, Any]:
    """The words that a placeholder stands for become one word, together with what adjoins it: `Tel:[PHONE],`."""
    words = line["words"]
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word["text"]) + 1)
    # Each word and the next are one where something covers the space between them.
    breaks = [at for at in range(1, len(words)) if not any(one.start < starts[at] - 1 < one.end for one in spans)]
    merged = []
    for first, last in pairwise([0, *breaks, len(words)]):
        start, end = starts[first], starts[last] - 1
        here = [Span(one.start - start, one.end - start, one.kind) for one in spans if start <= one.start < end]
        merged.append(_word(words[first:last], here) if here else words[first])
    return {
        **line,
        "text": " ".join([word["text"] for word in merged]),
        "average_confidence": round(sum([word["confidence"] for word in merged]) / len(merged), 2),
        "words": merged,
    }


def _word(words: Sequence[Mapping[str, Any]], spans: Sequence[Span]) -> dict[str, Any]:
    """One word for several, with their place and their mean confidence."""
    text = _replaced(" ".join([word["text"] for word in words]), spans)
    confidence = round(sum([word["confidence"] for word in words]) / len(words), 2)
    return {
        **words[0],
        "text": text,
        "bounds": _around(words[0]["bounds"], words[-1]["bounds"]),
        "confidence": confidence,
    }


def _around(first: Bounds, last: Bounds) -> Bounds:
    """The quadrilateral from one word to another of its line."""
    if first is last:
        return first
    corners = (first["top_left"], last["top_right"], last["bottom_right"], first["bottom_left"])
    a, b, c, d = [(float(corner["x"]), float(corner["y"])) for corner in corners]
    edge = max(max(x, y) for x, y in (a, b, c, d))
    return bounds_of((a, b, c, d), int(edge), int(edge))
