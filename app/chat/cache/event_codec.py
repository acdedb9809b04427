"""Encodes the events of an answer as bytes for the cache, and decodes them."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pydantic_core

from app.events import (
    AnswerWarning,
    Event,
    Finish,
    Precontext,
    Progress,
    ReasoningChunk,
    TextChunk,
    ToolCallChunk,
    joined,
)
from tasks.precontext import Entry, Evidence
from tasks.result import JsonResult


def encode_events(events: Sequence[Event]) -> bytes:
    """Encode a whole answer as a line of JSON, followed by the answer's texts. The JSON contains the size of each text
    in bytes.

    Texts are outside the JSON because quoting and parsing a text of a megabyte is slow. Pieces of text in a row are
    joined. Progress is left out.
    """
    texts: list[bytes] = []
    records = [_encode(event, texts) for event in joined(events) if not isinstance(event, Progress)]
    return b"\n".join((pydantic_core.to_json(records), b"".join(texts)))


def decode_events(record: bytes) -> Sequence[Event]:
    """Return the events, the last of which says that it is from the cache (`vcache`). Raises ValueError for a record
    that `encode_events` did not write."""
    head, _, rest = record.partition(b"\n")
    texts = BytesIO(rest)
    match pydantic_core.from_json(head, cache_strings="keys"):
        case [*records] if records:
            events = [_decode(one, texts) for one in records]
            if texts.tell() == len(rest):
                return events
    raise ValueError("no record of events")


def _encode(event: Event, texts: list[bytes]) -> list[Any]:
    match event:
        case Precontext(entries):
            return ["precontext", [[entry.name, entry.result.data] for entry in entries]]
        case ReasoningChunk(text):
            return ["reasoning", text]
        case TextChunk(text, is_refusal=True):
            return ["refusal", text]
        case TextChunk(text, logprobs):
            texts.append(text.encode())
            return ["text", len(texts[-1])] if logprobs is None else ["text", len(texts[-1]), logprobs]
        case ToolCallChunk(index, arguments, id_, name):
            return ["tool_call", index, arguments, id_, name]
        case Evidence(fields, unsupported):
            return ["evidence", fields, unsupported]
        case AnswerWarning(text):
            return ["warned", text]
        case Finish():
            return ["finish", event.reason, event.prompt_tokens, event.completion_tokens, event.reasoning_tokens]
    raise ValueError(f"{type(event).__name__} is not kept")


def _decode(record: Any, texts: BytesIO) -> Event:
    match record:
        case ["precontext", [*entries]]:
            return Precontext(tuple(Entry(str(name), JsonResult(data)) for name, data in entries))
        case ["reasoning", str(text)]:
            return ReasoningChunk(text)
        case ["refusal", str(text)]:
            return TextChunk(text, is_refusal=True)
        case ["text", int(size), *logprobs]:
            return TextChunk(texts.read(size).decode(), *logprobs)
        case ["tool_call", int(index), str(arguments), id_, name]:
            return ToolCallChunk(index, arguments, id_, name)
        case ["evidence", fields, unsupported]:
            return Evidence(fields, unsupported)
        case ["warned", str(text)]:
            return AnswerWarning(text)
        case ["finish", reason, int(prompt_tokens), int(answered), reasoning]:
            return Finish(reason, prompt_tokens, answered, reasoning, vcache=True)
    raise ValueError("no record of an event")
