"""A stream of /v1/responses, checked event by event: against the types of OpenAI's SDK, and against each other."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

Json = dict[str, Any]

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_RESPONSE: TypeAdapter[Response] = TypeAdapter(Response)
_OURS = {"precontext", "vcache", "evidence", "unsupported", "warnings"}
_OPEN_RESPONSES = {"store", "presence_penalty", "frequency_penalty"}
"""Fields that the Open Responses description has, and the SDK's types do not."""
_BESIDE = {"status", "bytes"}
"""… and those of calls of custom tools, and of logprobs in events, which OpenAI itself sends."""
_REQUIRED = (
    *("id", "object", "created_at", "completed_at", "status", "incomplete_details", "model", "previous_response_id"),
    *("instructions", "output", "error", "tools", "tool_choice", "truncation", "parallel_tool_calls", "text", "top_p"),
    *("presence_penalty", "frequency_penalty", "top_logprobs", "temperature", "reasoning", "user", "usage"),
    *("max_output_tokens", "max_tool_calls", "store", "background", "service_tier", "metadata", "safety_identifier"),
    "prompt_cache_key",
)
"""What the Open Responses description requires of a response."""
ENDS = ("response.completed", "response.incomplete", "response.failed")


def checked_response(response: Json) -> Json:
    """A response that has the form of OpenAI's, and of Open Responses."""
    assert [name for name in _REQUIRED if name not in response] == []
    assert isinstance(response["created_at"], int)
    assert response["id"].startswith("resp_")
    _check_extras(_RESPONSE.validate_python(response, strict=True))
    return response


def _check_extras(value: Any) -> None:
    """No field that the types do not know, but ours."""
    if isinstance(value, BaseModel):
        assert set(value.model_extra or {}) <= _OURS | _OPEN_RESPONSES | _BESIDE, value
        for name in type(value).model_fields:
            _check_extras(getattr(value, name))
    elif isinstance(value, list):
        for one in value:
            _check_extras(one)


@dataclass(frozen=True)
class Streamed:
    """A stream that has ended."""

    events: Sequence[Json]

    @classmethod
    def read(cls, text: str) -> "Streamed":
        blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
        assert blocks.pop() == "data: [DONE]"
        events = []
        for block in blocks:
            name, data = block.split("\n")
            event = json.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            _check_extras(_EVENT.validate_python(event, strict=True))
            events.append(event)
        _check_order(events)
        return cls(events)

    @property
    def response(self) -> Json:
        """The last event's."""
        found: Json = self.events[-1]["response"]
        return found

    @property
    def types(self) -> list[str]:
        return [event["type"].removeprefix("response.") for event in self.events]

    def of(self, kind: str) -> list[Json]:
        return [event for event in self.events if event["type"] == f"response.{kind}"]


def _check_order(events: Sequence[Json]) -> None:
    assert [event["sequence_number"] for event in events] == [*range(len(events))]
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    *rest, last = events
    assert last["type"] in ENDS
    assert not any(event["type"] in ENDS for event in rest)
    final = checked_response(last["response"])
    for event in events[:2]:
        first = checked_response(event["response"])
        assert (first["id"], first["status"], first["output"]) == (final["id"], "in_progress", [])
    if last["type"] == "response.failed":
        return
    for place, item in enumerate(final["output"]):
        own = [event for event in rest if event.get("output_index") == place]
        assert [event["type"] for event in own] == list(_expected(own, item))
        assert {event["item_id"] for event in own if "item_id" in event} == {item["id"]}
        assert own[0]["item"]["id"] == item["id"]
        assert own[0]["item"]["status"] == "in_progress"
        assert own[-1]["item"] == item
        told = "".join(event["delta"] for event in own if "delta" in event)
        [done] = [event for event in own if any(name in event for name in ("text", "arguments", "input"))]
        assert told == next(done[name] for name in ("text", "arguments", "input") if name in done) == _text_of(item)
    assert all(event.get("output_index", 0) < max(1, len(final["output"])) for event in rest)


def _expected(own: Sequence[Json], item: Mapping[str, Any]) -> Iterator[str]:
    name, parts = {
        "message": ("output_text", True),
        "reasoning": ("reasoning_text", True),
        "function_call": ("function_call_arguments", False),
        "custom_tool_call": ("custom_tool_call_input", False),
    }[item["type"]]
    yield "response.output_item.added"
    if parts:
        yield "response.content_part.added"
    yield from [f"response.{name}.delta"] * sum("delta" in event for event in own)
    yield f"response.{name}.done"
    if parts:
        yield "response.content_part.done"
    yield "response.output_item.done"


def _text_of(item: Mapping[str, Any]) -> str:
    if "content" in item:
        [part] = item["content"]
        return str(part["text"])
    return str(item["arguments"] if "arguments" in item else item["input"])
