"""A request's events as bytes, and back: what was told once is told again, piece by piece."""

from collections.abc import Iterable, Sequence
from typing import Any

import pydantic_core

from app.chat.event_driver import (
    Entry,
    Event,
    Evidence,
    Finish,
    Precontext,
    Progress,
    Reasoning,
    Text,
    ToolCall,
    Warned,
)
from tasks.result import JsonResult


def recorded(events: Iterable[Event]) -> bytes:
    """A whole answer as JSON; how far the work was is left out."""
    return pydantic_core.to_json([_record(event) for event in events if not isinstance(event, Progress)])


def replayed(record: bytes) -> Sequence[Event]:
    """The events, the last with `vcache`. Raises ValueError for what `recorded` has not written."""
    match pydantic_core.from_json(record, cache_strings="keys"):
        case [*records] if records:
            return [_event(one) for one in records]
    raise ValueError("no record of events")


def _record(event: Event) -> list[Any]:
    match event:
        case Precontext(entries):
            return ["precontext", [[entry.name, entry.result.data] for entry in entries]]
        case Reasoning(text):
            return ["reasoning", text]
        case Text(text, logprobs):
            return ["text", text] if logprobs is None else ["text", text, logprobs]
        case ToolCall(index, arguments, id_, name):
            return ["tool_call", index, arguments, id_, name]
        case Evidence(fields, unsupported):
            return ["evidence", fields, unsupported]
        case Warned(text):
            return ["warned", text]
        case Finish():
            return ["finish", event.reason, event.prompt_tokens, event.completion_tokens, event.reasoning_tokens]
    raise ValueError(f"{type(event).__name__} is not kept")


def _event(record: Any) -> Event:
    match record:
        case ["precontext", [*entries]]:
            return Precontext(tuple(Entry(str(name), JsonResult(data)) for name, data in entries))
        case ["reasoning", str(text)]:
            return Reasoning(text)
        case ["text", str(text), *logprobs]:
            return Text(text, *logprobs)
        case ["tool_call", int(index), str(arguments), id_, name]:
            return ToolCall(index, arguments, id_, name)
        case ["evidence", fields, unsupported]:
            return Evidence(fields, unsupported)
        case ["warned", str(text)]:
            return Warned(text)
        case ["finish", reason, int(asked), int(answered), reasoning]:
            return Finish(reason, asked, answered, reasoning, vcache=True)
    raise ValueError("no record of an event")
