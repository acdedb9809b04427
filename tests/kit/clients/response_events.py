"""Checks of the answers of /v1/responses, whose streams are checked event by event.

They are compared with the published description of Open Responses, with the types of OpenAI's SDK, and with each other.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

Json = dict[str, Any]

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_RESPONSE: TypeAdapter[Response] = TypeAdapter(Response)
_OURS = {"partial", "precontext", "vcache", "evidence", "unsupported", "warnings"}
_OPEN_RESPONSES = {"store", "presence_penalty", "frequency_penalty"}
"""Fields of the Open Responses description that the SDK's types do not have."""
_BESIDE = {"status", "bytes"}
"""Fields of calls of custom tools, and of logprobs in events, that OpenAI itself sends, but the SDK's types do not
have."""
_DESCRIPTION = Path(__file__).parents[2] / "data/openresponses/schema.json"
_OPENAI_CALLS_IT = {"response.reasoning_text.": "response.reasoning."}
"""Prefixes of events that have another name in Open Responses, but the same fields."""
_CUSTOM_INPUT = "response.custom_tool_call_input"
_OPENAI_HAS_BESIDE = ("custom_tool_call", f"{_CUSTOM_INPUT}.delta", f"{_CUSTOM_INPUT}.done")
"""Item, and its events, that Open Responses does not have: Codex asks for custom tools."""
_OPENAI_TOOLS = ("custom", "namespace", "web_search", "web_search_preview", "code_interpreter")
"""Types of tools that Open Responses does not have. A tool offered in a request is returned unchanged."""
_OPENAI_EFFORTS = ("minimal", "max")
"""Efforts that Open Responses does not have. An effort in a request is returned unchanged."""
_ANSWERED = re.compile(r"POST /v1/responses|GET /v1/responses/[^/]+")
_TEXTS = ("text", "refusal", "arguments", "input")
"""Fields of the events that repeat the whole text of an item."""
ENDS = ("response.completed", "response.incomplete", "response.failed")


def checked_response(response: Json) -> Json:
    """Return `response` after checking that it has OpenAI's form, and the form of Open Responses."""
    _check_published("ResponseResource", _without_openais(response))
    assert response["id"].startswith("resp_")
    _check_extras(_RESPONSE.validate_python(response, strict=True))
    return response


def check_answer(answer: httpx.Response) -> None:
    """Check the form of any answer of /v1/responses. Meant as a hook for a client."""
    asked = f"{answer.request.method} {answer.request.url.path}"
    if answer.status_code != 200 or not _ANSWERED.fullmatch(asked):
        return
    answer.read()
    if answer.headers["content-type"].startswith("text/event-stream"):
        Streamed.read(answer.text)
    else:
        checked_response(answer.json())


def _check_published(name: str, value: Json) -> None:
    fault = best_match(_validator(name).iter_errors(value))
    assert fault is None, f"{fault.json_path}: {fault.message}"


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({**_published(), "$ref": f"#/$defs/{name}"})


@cache
def _published() -> Json:
    read: Json = json.loads(_DESCRIPTION.read_text())
    return read


@cache
def _of_event(kind: str) -> str:
    """Return the description's name for events of a type."""
    definitions = _published()["$defs"]
    for name in definitions:
        if name.endswith("StreamingEvent"):
            reference = definitions[name]["properties"]["type"]["$ref"].removeprefix("#/$defs/")
            if [kind] == definitions[reference]["enum"]:
                return str(name)
    raise AssertionError(f"{kind} is no event of Open Responses, and no known one of OpenAI")


def _check_event(event: Json) -> None:
    if event["type"] in _OPENAI_HAS_BESIDE:
        return
    kind = event["type"]
    for own, published in _OPENAI_CALLS_IT.items():
        kind = kind.replace(own, published)
    event = {**event, "type": kind}
    if "response" in event:
        event["response"] = _without_openais(event["response"])
    if event.get("item", {}).get("type") in _OPENAI_HAS_BESIDE:
        event["item"] = None
    _check_published(_of_event(kind), event)


def _without_openais(response: Json) -> Json:
    """Return the response without parts that OpenAI has but Open Responses lacks."""
    response = json.loads(json.dumps(response))
    response["output"] = [item for item in response["output"] if item["type"] not in _OPENAI_HAS_BESIDE]
    response["tools"] = [tool for tool in response["tools"] if tool["type"] not in _OPENAI_TOOLS]
    if isinstance(response["tool_choice"], dict):
        choices = response["tool_choice"].get("tools", [response["tool_choice"]])
        for choice in choices:
            choice["type"] = {"custom": "function"}.get(choice["type"], choice["type"])
    if response["reasoning"]["effort"] in _OPENAI_EFFORTS:
        response["reasoning"]["effort"] = None
    if "schema" in response["text"]["format"]:
        # The description's release permits only null here; later releases correct this.
        assert isinstance(response["text"]["format"]["schema"], dict)
        response["text"]["format"]["schema"] = None
    return dict(response)


def _check_extras(value: Any) -> None:
    """Check that all fields unknown to the types are this server's own, or known exceptions."""
    if isinstance(value, BaseModel):
        assert set(value.model_extra or {}) <= _OURS | _OPEN_RESPONSES | _BESIDE, value
        for name in type(value).model_fields:
            _check_extras(getattr(value, name))
    elif isinstance(value, list):
        for one in value:
            _check_extras(one)


@dataclass(frozen=True)
class Streamed:
    """Stream that has ended."""

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
            _check_event(event)
            _check_extras(_EVENT.validate_python(event, strict=True))
            events.append(event)
        _check_order(events)
        return cls(events)

    @property
    def response(self) -> Json:
        """Response in the last event."""
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
    # An item is finished before the next item is added.
    places = [event["output_index"] for event in rest if "output_index" in event]
    assert places == sorted(places)
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
        [done] = [event for event in own if any(name in event for name in _TEXTS)]
        assert told == next(done[name] for name in _TEXTS if name in done) == _text_of(item)
    assert all(event.get("output_index", 0) < max(1, len(final["output"])) for event in rest)


def _expected(own: Sequence[Json], item: Mapping[str, Any]) -> Iterator[str]:
    name, parts = {
        "message": ("output_text", True),
        "reasoning": ("reasoning_text", True),
        "function_call": ("function_call_arguments", False),
        "custom_tool_call": ("custom_tool_call_input", False),
    }[item["type"]]
    if parts and item["content"][0]["type"] == "refusal":
        name = "refusal"
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
        return str(part["refusal"] if part["type"] == "refusal" else part["text"])
    return str(item["arguments"] if "arguments" in item else item["input"])
