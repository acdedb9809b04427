"""Events as one completion, and as the chunks of a stream: the same content, to the byte."""

import json
from collections.abc import AsyncGenerator
from typing import Any

from app.chat.render import ChunkEncoder, ChunkOptions, Envelope, completion, failure
from app.chat.shape import NotFoundInInput
from app.events import (
    AnswerWarning,
    Event,
    Finish,
    Precontext,
    TextChunk,
    ToolCallChunk,
)
from tests.kit.chats.entries import entry_of, failure_of

ENVELOPE = Envelope("req-1", 1784164296, "interfaze-beta")
FINISH = Finish("stop", prompt_tokens=220, completion_tokens=3)


async def said(*events: Event) -> AsyncGenerator[Event, None]:
    for event in events:
        yield event


async def folded(*events: Event, show_reasoning: bool = False) -> str:
    return (await completion(said(*events), ENVELOPE, show_reasoning=show_reasoning)).model_dump_json()


async def streamed(*events: Event, **options: bool) -> list[str]:
    encoder = ChunkEncoder(ENVELOPE, ChunkOptions(**options))
    pieces = b"".join([await encoder.encode(event) for event in events])
    return pieces.decode().removesuffix("\n\n").split("\n\n")


def deltas(lines: list[str]) -> list[dict[str, Any]]:
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    return [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]


async def test_a_completion_to_the_byte() -> None:
    assert await folded(TextChunk("Hi"), TextChunk("!"), FINISH) == (
        '{"id":"req-1","object":"chat.completion","created":1784164296,"model":"interfaze-beta",'
        '"usage":{"prompt_tokens":220,"completion_tokens":3,"total_tokens":223},"vcache":false,'
        '"choices":[{"index":0,"message":{"role":"assistant","content":"Hi!"},"finish_reason":"stop"}]}'
    )


async def test_a_stream_to_the_byte() -> None:
    head = (
        'data: {"id":"req-1","type":"text-delta","object":"chat.completion.chunk","created":1784164296,'
        '"model":"interfaze-beta","choices":'
    )
    assert await streamed(TextChunk("Hi"), TextChunk("!"), FINISH) == [
        head + '[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}',
        head + '[{"index":0,"delta":{"content":"!"},"finish_reason":null}]}',
        head + '[{"index":0,"delta":{},"finish_reason":"stop"}]}',
        "data: [DONE]",
    ]


async def test_precontext_opens_a_stream_only_when_it_is_asked_for() -> None:
    entries = (entry_of("other", {"t": "é</precontext>"}), failure_of("stt", "no audio"))
    events = (Precontext(entries), TextChunk("x"), FINISH)
    assert deltas(await streamed(*events, show_precontext=True))[0] == {
        "role": "assistant",
        "content": '<precontext>\n{"name":"other","result":{"t":"é<\\/precontext>"}}\n</precontext>'
        '<precontext>\n{"name":"stt","result":null,"error":"no audio"}\n</precontext>',
    }
    assert deltas(await streamed(*events))[0] == {"role": "assistant", "content": "x"}


async def test_tool_calls_fold_and_stream_as_openai_sends_them() -> None:
    events = (
        ToolCallChunk(0, "", id="call_1", name="weather"),
        ToolCallChunk(0, '{"city":'),
        ToolCallChunk(1, "{}", id="call_2", name="time"),
        ToolCallChunk(0, '"Rome"}'),
        Finish("tool_calls", 5, 7),
    )
    [choice] = json.loads(await folded(*events))["choices"]
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}},
            {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
        ],
    }
    assert choice["finish_reason"] == "tool_calls"
    first, second, *_ = deltas(await streamed(*events))
    assert first["tool_calls"] == [
        {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}
    ]
    assert second["tool_calls"] == [{"index": 0, "function": {"arguments": '{"city":'}}]


async def test_warnings_are_told_once_each_in_the_answer_and_on_the_chunk_that_ends_it() -> None:
    events = (
        AnswerWarning("Mind the gap."),
        TextChunk("Hi"),
        AnswerWarning("Mind the gap."),
        AnswerWarning("And the doors."),
        FINISH,
    )
    answer = json.loads(await folded(*events))
    assert answer["warnings"] == ["Mind the gap.", "And the doors."]
    chunks = [json.loads(line.removeprefix("data: ")) for line in await streamed(*events) if line.startswith("data: {")]
    assert chunks[-1]["warnings"] == answer["warnings"]
    assert all("warnings" not in chunk for chunk in chunks[:-1])


def test_a_stream_that_fails_for_a_missing_field_has_the_others() -> None:
    error = NotFoundInInput("/day", {"what": "nine", "day": None})
    event, done, _ = failure("req-1")(error).decode().split("\n\n")
    assert (event.splitlines()[0], done) == ("event: error", "data: [DONE]")
    assert json.loads(event.partition("data: ")[2])["error"]["partial"] == {"what": "nine", "day": None}
