"""Events become items: what no LLM's server in the other tests does, and what fails at odd moments."""

from collections.abc import Iterable
from typing import Any, get_args

import pydantic_core
import pytest
from openai.types.responses import ResponseInputItem
from pydantic import BaseModel

from app.chat.shape import NotFoundInInput
from app.errors import BadRequest, RateLimited, shutting_down
from app.events import Event, Finish, ReasoningChunk, TextChunk, ToolCallChunk
from app.wire.response_items import OPENAIS_ITEMS
from app.wire.responses import ResponsesRequest, convert_request
from app.wire.responses_answer import ResponseBuilder, begin_response
from tests.kit.clients.response_events import Streamed

END = Finish("tool_calls", 3, 4)


def answering(**fields: Any) -> ResponseBuilder:
    request = ResponsesRequest.model_validate({"model": "auto", "input": "Hi.", **fields})
    response = begin_response(request, f"resp_{'0' * 32}", is_stored=False)
    return ResponseBuilder(
        response, convert_request(request), request.offered_tools, request.shows_reasoning, streams=True
    )


def streamed(making: ResponseBuilder, events: Iterable[Event], end: Finish = END) -> Streamed:
    return Streamed.read(encoded(making, events, end).decode())


def encoded(making: ResponseBuilder, events: Iterable[Event], end: Finish = END) -> bytes:
    return b"".join([*map(making.encode, events), making.finish(end), making.end(making.response_json())])


def test_calls_whose_pieces_come_by_turns_are_told_apart() -> None:
    first = [ToolCallChunk(0, "", "call_a", "f"), ToolCallChunk(1, '{"b"', "call_b", "g")]
    rest = [ToolCallChunk(0, '{"a"'), ToolCallChunk(1, ":2}"), ToolCallChunk(0, ":1}")]
    found = streamed(answering(), [*first, *rest])
    calls = [(item["call_id"], item["name"], item["arguments"]) for item in found.response["output"]]
    assert calls == [("call_a", "f", '{"a":1}'), ("call_b", "g", '{"b":2}')]


def test_the_response_of_a_stream_is_that_of_its_items_whatever_their_texts_say() -> None:
    making = answering(reasoning={"effort": "low"}, instructions='"output":[]')
    events = [ReasoningChunk('"text":""'), TextChunk('"content":[]'), ToolCallChunk(0, '"arguments":""', "call_a", "f")]
    found = streamed(making, events)
    assert found.response == pydantic_core.from_json(pydantic_core.to_json(making.response))
    texts = [one["text"] for one in found.events if one["type"].endswith("_text.done")]
    assert texts == ['"text":""', '"content":[]']
    done = [one["item"] for one in found.events if one["type"] == "response.output_item.done"]
    assert done == found.response["output"]


def test_each_of_several_calls_is_done_before_the_next_is_added() -> None:
    calls = [piece for n in range(3) for piece in (ToolCallChunk(n, '{"a"', f"call_{n}", "f"), ToolCallChunk(n, ":1}"))]
    found = streamed(answering(), calls)
    kinds = [one["type"] for one in found.events if "output_item" in one["type"]]
    assert kinds == ["response.output_item.added", "response.output_item.done"] * 3


@pytest.mark.parametrize("later", [TextChunk("And."), ReasoningChunk("Hm.")])
def test_what_comes_in_the_middle_of_a_call_is_told_behind_it(later: Event) -> None:
    events = [ToolCallChunk(0, '{"a"', "call_a", "f"), later, ToolCallChunk(0, ":1} "), ToolCallChunk(0, "\n")]
    found = streamed(answering(reasoning={"effort": "low"}), events)
    kind = "message" if isinstance(later, TextChunk) else "reasoning"
    assert [item["type"] for item in found.response["output"]] == ["function_call", kind]
    assert found.response["output"][0]["arguments"].strip() == '{"a":1}'


def test_calls_that_break_off_by_turns_are_incomplete() -> None:
    events = [ToolCallChunk(0, '{"a"', "call_a", "f"), ToolCallChunk(1, '{"b"', "call_b", "g"), ToolCallChunk(0, ":")]
    found = streamed(answering(), events, Finish("length", 3, 4))
    calls = [(item["arguments"], item["status"]) for item in found.response["output"]]
    assert calls == [('{"a":', "incomplete"), ('{"b"', "incomplete")]


def test_a_text_after_a_call_is_an_item_of_its_own() -> None:
    found = streamed(answering(), [TextChunk("One."), ToolCallChunk(0, "{}", "call_a", "f"), TextChunk("Two.")])
    assert [item["type"] for item in found.response["output"]] == ["message", "function_call", "message"]


def test_each_piece_of_a_text_is_told_as_it_is() -> None:
    said = ['She said: "', "Grüße,\n", "\\ or {}", '"']
    pieces = [TextChunk(one) for one in said]
    found = streamed(answering(), [*pieces, ToolCallChunk(0, "{}", "call_a", "f"), *pieces])
    first, _, second = found.response["output"]
    deltas = [(one["item_id"], one["delta"]) for one in found.events if one["type"] == "response.output_text.delta"]
    assert deltas == [(item["id"], one) for item in (first, second) for one in said]


def test_an_answer_of_nothing_is_an_empty_message() -> None:
    found = streamed(answering(), [], Finish("stop", 1, 0))
    assert found.response["output"][0]["content"][0]["text"] == ""


@pytest.mark.parametrize(
    ("arguments", "said"), [('{"input": "a"}', "a"), ("not JSON", "not JSON"), ('{"other": 1}', '{"other": 1}')]
)
def test_a_custom_tool_is_given_what_the_llm_wrote(arguments: str, said: str) -> None:
    making = answering(tools=[{"type": "custom", "name": "f"}])
    [call] = streamed(making, [ToolCallChunk(0, arguments, "call_a", "f")]).response["output"]
    assert (call["type"], call["input"]) == ("custom_tool_call", said)


def test_every_type_of_item_that_openai_has_is_known() -> None:
    def types(of: Any) -> set[str]:
        """Of a union of classes."""
        if isinstance(of, type) and issubclass(of, BaseModel):
            schema = of.model_json_schema()["properties"]["type"]
            return {one["const"] for one in schema.get("anyOf", [schema]) if "const" in one}
        return set().union(*map(types, get_args(of)))

    known = {"message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"}
    assert types(ResponseInputItem) - known - {"reasoning", "item_reference"} == OPENAIS_ITEMS


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, None),
        ("auto", None),
        ("on", None),
        ("off", "none"),
        ("none", "none"),
        ("minimal", "minimal"),
        ("xhigh", "xhigh"),
    ],
)
def test_an_effort_is_repeated_in_openais_words(asked: str | None, told: str | None) -> None:
    making = answering(reasoning={"effort": asked, "summary": "short"})
    assert streamed(making, [TextChunk("One.")]).response["reasoning"] == {"effort": told, "summary": None}


def test_a_format_without_a_name_has_one_in_the_answer() -> None:
    making = answering(text={"format": {"type": "json_schema", "schema": {"type": "object"}}})
    told = streamed(making, [TextChunk("{}")]).response["text"]["format"]
    assert told == {
        "type": "json_schema",
        "name": "response",
        "description": None,
        "schema": {"type": "object"},
        "strict": False,
    }


@pytest.mark.parametrize(
    "said",
    [
        {"token": "né", "logprob": -0.5},
        {"token": "né", "logprob": -0.5, "bytes": None, "top_logprobs": None},
        {"token": "né", "logprob": -0.5, "bytes": [110, 195, 169], "top_logprobs": []},
    ],
)
def test_logprobs_are_whole_whatever_the_llms_server_leaves_out(said: Any) -> None:
    whole = {"token": "né", "logprob": -0.5, "bytes": [110, 195, 169], "top_logprobs": []}
    found = streamed(answering(), [TextChunk("né", {"content": [said]})])
    assert found.response["output"][0]["content"][0]["logprobs"] == [whole]
    other = {"token": "non", "logprob": -1}
    found = streamed(answering(), [TextChunk("né", {"content": [{**said, "top_logprobs": [other]}]})])
    [told] = found.response["output"][0]["content"][0]["logprobs"]
    assert told == {**whole, "top_logprobs": [{**other, "bytes": [110, 111, 110]}]}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (shutting_down(), "server_error"),
        (BadRequest("no"), "invalid_prompt"),
        (RateLimited("slowly"), "rate_limit_exceeded"),
    ],
)
@pytest.mark.parametrize("events", [[], [TextChunk("One")]], ids=["before the first event", "amid a text"])
def test_a_stream_that_fails_is_whole(error: Any, code: str, events: list[Event]) -> None:
    making = answering()
    found = Streamed.read(b"".join([*map(making.encode, events), making.fail(error)]).decode())
    assert found.response["status"] == "failed"
    assert found.response["error"] == {"code": code, "message": error.message}


def test_a_stream_that_fails_for_a_missing_field_has_the_others() -> None:
    error = NotFoundInInput("/day", {"what": "nine", "day": None})
    making = answering()
    found = Streamed.read((making.encode(TextChunk("Nine")) + making.fail(error)).decode())
    assert found.response["error"]["partial"] == {"what": "nine", "day": None}
