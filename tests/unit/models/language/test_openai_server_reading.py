"""What the client makes of an answer's bytes: events, reasoning, calls, counts."""

import json
from typing import Any

import pytest

from models.language.llm import Done, LlmBroke, LlmCall, LlmEvent, ReasoningDelta, TextDelta, ToolCallDelta
from models.language.openai_answer import AnswerReader, call_in
from models.language.openai_http import LONGEST_EVENT
from models.language.openai_server import OpenAiServer
from tests.conftest import each_case
from tests.kit.servers.llm_server import Call, Reply, serving_llm

CALL = LlmCall([{"role": "user", "content": "Hello?"}])


async def answer(reply: Reply, call: LlmCall = CALL) -> list[LlmEvent]:
    with serving_llm([reply]) as upstream:
        llm = OpenAiServer(upstream.base_url, model="scripted")
        try:
            return [event async for event in llm.stream(call)]
        finally:
            await llm.close()


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


def text_of(events: list[LlmEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def reasoning_of(events: list[LlmEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))


async def test_text_comes_piece_by_piece_and_then_the_counts() -> None:
    assert await answer(Reply("Paris is nice.", delay_s=0.02)) == [
        TextDelta("Paris"),
        TextDelta(" is"),
        TextDelta(" nice."),
        Done("stop", prompt_tokens=11, completion_tokens=3),
    ]


def test_what_arrives_with_an_error_comes_before_it() -> None:
    reader = AnswerReader()
    assert reader.read([json.dumps(delta(content="Paris")).encode(), b"{", b"{}"]) == [TextDelta("Paris")]
    assert isinstance(reader.failure, LlmBroke)


STREAM = 'data: {"choices":[{"delta":{"content":"é€😀"}}]}\n\n: comment\n\nevent: x\nid: 3\ndata: {"choices":\n'
STREAM += 'data: [{"delta":{"content":"!"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


@each_case("line_end", ["\n", "\r\n"])
@each_case("size", [1, 2, 3, 7, 64, 4096])
async def test_events_are_the_same_whatever_the_pieces_and_line_ends(line_end: str, size: int) -> None:
    body = STREAM.replace("\n", line_end).encode()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    assert text_of(await answer(Reply(events=pieces))) == "é€😀!"


async def test_reasoning_without_an_opening_tag_is_held_from_the_second_answer_on() -> None:
    with serving_llm([Reply(chunks=["so", "</think>", "42"])] * 2) as upstream:
        llm = OpenAiServer(upstream.base_url, model="scripted")
        first, second = [[event async for event in llm.stream(CALL)] for _ in range(2)]
        await llm.close()
    assert (text_of(first), text_of(second), reasoning_of(second)) == ("so</think>42", "42", "so")


async def test_a_server_that_sends_a_line_without_an_end_is_broken() -> None:
    with pytest.raises(LlmBroke, match="larger than any answer"):
        await answer(Reply(events=[b"x" * (2 * LONGEST_EVENT)]))


async def test_an_answer_that_was_not_streamed_is_taken_as_well() -> None:
    call = Call("f", '{"a":1}', "call_9")
    events = await answer(Reply("All at once.", reasoning="hm", tool_calls=[call], ignores_stream=True))
    assert events == [
        ReasoningDelta("hm"),
        TextDelta("All at once."),
        ToolCallDelta(0, '{"a":1}', "call_9", "f"),
        Done("tool_calls", 11, 3),
    ]


async def test_a_stream_that_ends_without_done_is_whole_once_it_gave_its_reason() -> None:
    assert await answer(Reply(events=[delta(content="yes"), delta("stop")])) == [TextDelta("yes"), Done("stop")]


async def test_a_stream_with_done_and_no_reason_has_stopped() -> None:
    assert await answer(Reply(events=[delta(content="yes"), b"data: [DONE]\n\n"])) == [TextDelta("yes"), Done("stop")]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_both_fields_for_reasoning_are_known(field: Any) -> None:
    events = await answer(Reply("42.", reasoning="Let me think.", reasoning_field=field))
    assert events[:2] == [ReasoningDelta("Let me think."), TextDelta("42.")]


THOUGHT = "\n<think>\nSix by <b>seven</b>.\n</think>\n\nIt is <think>42</think>."


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100])
async def test_think_tags_at_the_beginning_are_reasoning_wherever_they_are_cut(size: int) -> None:
    chunks = [THOUGHT[at : at + size] for at in range(0, len(THOUGHT), size)]
    events = await answer(Reply(chunks=chunks))
    assert reasoning_of(events) == "Six by <b>seven</b>.\n"
    assert text_of(events) == "It is <think>42</think>."


@pytest.mark.parametrize("text", ["<thin air", "<", " \n ", "No <think>tags</think>.", "so</think> what"])
async def test_only_an_opening_tag_at_the_very_start_begins_reasoning(text: str) -> None:
    events = await answer(Reply(chunks=list(text)))
    assert (reasoning_of(events), text_of(events)) == ("", text)


async def test_a_clients_reasoning_that_was_cut_off_is_kept_to_the_last_character() -> None:
    reply = Reply(chunks=["<think>", "still at </th"], finish_reason="length")
    events = await answer(reply, LlmCall(CALL.messages, thinks=True, is_the_clients=True))
    assert (reasoning_of(events), text_of(events)) == ("still at </th", "")
    assert events[-1].finish_reason == "length"  # type: ignore[union-attr]


async def test_log_probabilities_come_with_their_piece() -> None:
    first = (await answer(Reply("a b", logprobs=True)))[0]
    assert isinstance(first, TextDelta)
    assert [entry["token"] for entry in first.logprobs["content"]] == ["a"]


async def test_calls_come_in_pieces_by_index() -> None:
    events = await answer(Reply(tool_calls=[Call("f", '{"a":1}', "call_a"), Call("g", "{}", "call_b")]))
    assert events[:-1] == [
        ToolCallDelta(0, "", "call_a", "f"),
        ToolCallDelta(0, '{"a'),
        ToolCallDelta(0, '":1}'),
        ToolCallDelta(1, "", "call_b", "g"),
        ToolCallDelta(1, "{"),
        ToolCallDelta(1, "}"),
    ]
    assert events[-1] == Done("tool_calls", 11, 1)


async def test_arguments_given_as_an_object_become_json() -> None:
    events = await answer(Reply(tool_calls=[Call("f", {"city": "Zürich", "n": [1]}, "call_a")]))
    assert events[0] == ToolCallDelta(0, '{"city":"Zürich","n":[1]}', "call_a", "f")


def piece(index: int | None = None, id_: str | None = None, name: str | None = None, arguments: str = "") -> Any:
    function = {"name": name, "arguments": arguments}
    return delta(tool_calls=[{"index": index, "id": id_, "type": "function", "function": function}])


async def test_calls_that_are_all_numbered_zero_are_told_apart_by_their_ids() -> None:
    events = await answer(Reply(events=[piece(0, "a", "f", "{}"), piece(0, "b", "g", "{}"), delta("stop")]))
    assert events == [ToolCallDelta(0, "{}", "a", "f"), ToolCallDelta(1, "{}", "b", "g"), Done("tool_calls")]


async def test_the_old_function_call_is_a_call() -> None:
    old = delta("function_call", function_call={"name": "f", "arguments": "{}"})
    call, done = await answer(Reply(events=[old]))
    assert isinstance(call, ToolCallDelta)
    assert (call.name, call.arguments, done) == ("f", "{}", Done("tool_calls"))


async def test_calls_without_an_index_continue_the_last_one() -> None:
    pieces = [piece(None, "a", "f", '{"x"'), piece(None, None, None, ":1}"), piece(None, "b", "g", "{}")]
    events = await answer(Reply(events=[*pieces, delta("tool_calls")]))
    assert events[:-1] == [
        ToolCallDelta(0, '{"x"', "a", "f"),
        ToolCallDelta(0, ":1}"),
        ToolCallDelta(1, "{}", "b", "g"),
    ]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("eos", "stop"),
        ("max_tokens", "length"),
    ],
)
async def test_reasons_to_finish_have_four_names(theirs: str, ours: str) -> None:
    done = (await answer(Reply("x", finish_reason=theirs)))[-1]
    assert isinstance(done, Done)
    assert done.finish_reason == ours


@pytest.mark.parametrize("count", [-1, int("9" * 400), 1e300, 2.5, "many", []])
async def test_what_cannot_be_a_number_of_tokens_is_not_counted(count: Any) -> None:
    usage = {"prompt_tokens": count, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": count}}
    assert (await answer(Reply("x", usage=usage)))[-1] == Done("stop", None, 9, None)


async def test_everything_written_is_told_when_it_arrives() -> None:
    """What is held back is told before it is given, and what is never given is told, too."""
    written: list[str] = []
    function = {"name": "f", "arguments": {"b": 1}}
    reader = AnswerReader(on_written=written.append)
    for one in (
        *(delta(content=text) for text in ("\n", "<thi", "nk>")),
        delta(reasoning="so"),
        delta(tool_calls=[{"index": 0, "function": function}]),
    ):
        reader.read([json.dumps(one).encode()])
    assert written == ["\n", "<thi", "nk>", "so", '{"b":1}']


WRITTEN_CALL = ' {\n "name" : "a\\u0062\\"c" ,"arguments":\t{"x": "}  ", "y": [{}]} \n}\n'


def test_a_call_that_was_requested_as_json_is_read() -> None:
    [call] = call_in(WRITTEN_CALL, is_whole=True)
    assert (call.name, call.arguments) == ('ab"c', '{"x": "}  ", "y": [{}]}')
    [cut] = call_in(WRITTEN_CALL.partition('"}  ')[0], is_whole=False)
    assert (cut.name, cut.arguments) == ('ab"c', '{"x": ')
    assert call_in('{"name": "f"', is_whole=False) == []


@pytest.mark.parametrize("text", ["words", r'{"name":"\q","arguments":{}}', '{"name":"f","arguments":{'])
def test_what_is_no_call_is_an_error(text: str) -> None:
    with pytest.raises(LlmBroke):
        call_in(text, is_whole=True)


async def test_a_refusal_is_text() -> None:
    assert text_of(await answer(Reply(events=[delta("stop", refusal="I cannot.")]))) == "I cannot."


@each_case(
    "reply",
    [
        Reply("a b c", cut_after=2),
        Reply("a b c", garbage_after=2),
        Reply(events=[delta(content="a")]),
        Reply(events=[b"data: [DONE]\n\n"]),
        Reply(events=[]),
        Reply(events=[{"choices": "none"}]),
        Reply(events=[delta(content={"not": "text"})]),
        Reply("x", finish_reason="abort"),
        Reply(events=[delta(content="a"), {"error": {"message": "CUDA out of memory", "code": 500}}]),
        Reply(events=[delta(content="a"), {"error": {"message": "bad input", "code": 400}}]),
    ],
)
async def test_an_answer_that_is_not_whole_is_broken(reply: Reply) -> None:
    with pytest.raises(LlmBroke):
        await answer(reply)
