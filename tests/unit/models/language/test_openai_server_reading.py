"""What the client makes of an answer's bytes: events, reasoning, calls, counts."""

import contextlib
import json
import tracemalloc
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from models.language.event_stream import LONGEST_BODY, LONGEST_EVENT, EventStreamParser, EventTooLong, WholeBody
from models.language.llm import Done, LlmBroke, LlmCall, LlmEvent, ReasoningDelta, TextDelta, ToolCallDelta
from models.language.openai_chunks import MOST_CALLS, ChunkReader
from models.language.openai_server import OpenAiServer
from models.language.think_tags import ThinkTags
from tests.conftest import each_case
from tests.llm_server import Call, Reply, serving_llm
from tests.loop_passes import passing

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
    assert await answer(Reply("Paris is nice.")) == [
        TextDelta("Paris"),
        TextDelta(" is"),
        TextDelta(" nice."),
        Done("stop", prompt_tokens=11, completion_tokens=3),
    ]


def test_pieces_that_arrive_together_are_one_for_who_reads_the_end_up_to_what_stands_between_them() -> None:
    pieces = [{"content": "a"}, {"content": " b"}, {"reasoning": "c"}, {"reasoning": " d"}, {"content": "e"}]
    call = {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}]}
    choices = [{"delta": delta} for delta in [*pieces, call, {"content": "f"}, {"content": "g"}]]
    choices += [{"delta": {"content": "h"}, "logprobs": {"content": []}}, {"delta": {"content": "i"}}]
    body = [{"choices": [choice]} for choice in [*choices, {"finish_reason": "stop"}]]
    documents = [json.dumps(one).encode() for one in body]
    assert len(list(ChunkReader().read(documents))) == 10
    assert list(ChunkReader(joins=True).read(documents)) == [
        TextDelta("a b"),
        ReasoningDelta("c d"),
        TextDelta("e"),
        ToolCallDelta(0, "{}", "1", "f"),
        TextDelta("fg"),
        TextDelta("h", {"content": []}),
        TextDelta("i"),
    ]


FORCED = LlmCall(CALL.messages, tools=[{"type": "function", "function": {"name": "f"}}], tool_choice="required")


@pytest.mark.parametrize(
    ("call", "chunks"),
    [
        (CALL, ["word "] * 2000),
        (replace(CALL, is_for_the_end=True), ["word "] * 2000),
        (CALL, [*[""] * 2000, "word"]),
        (FORCED, ["word "] * 2000),
        (FORCED, ["{", *["\n"] * 2000]),
    ],
)
async def test_others_have_their_turn_between_the_pieces_that_arrive_together(
    call: LlmCall, chunks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if no event comes of a piece, or the event is held back."""
    at_once: Counter[int] = Counter()
    read = ChunkReader._read

    def counted(reader: ChunkReader, data: bytes) -> list[LlmEvent]:
        at_once[passes.number] += 1
        return read(reader, data)

    monkeypatch.setattr(ChunkReader, "_read", counted)
    async with passing() as passes:
        with serving_llm([Reply(chunks=chunks)] * 2) as upstream:
            llm = OpenAiServer(upstream.base_url, model="scripted")
            with contextlib.suppress(LlmBroke):  # as forced calls end, because these words are not calls
                events = [event async for event in llm.stream(call)]
                assert text_of(events) == "".join(chunks)
            await llm.close()
    assert at_once.total() >= 2000
    assert max(at_once.values()) <= 64


async def test_pieces_before_a_break_are_given_to_who_reads_the_end() -> None:
    reply = Reply("a b c", garbage_after=3)
    with serving_llm([reply]) as upstream:
        llm = OpenAiServer(upstream.base_url, model="scripted")
        events = llm.stream(replace(CALL, is_for_the_end=True))
        assert await anext(events) == TextDelta("a b")
        with pytest.raises(LlmBroke):
            await anext(events)
        await llm.close()


STREAM = (
    'data: {"a":1}\n\ndata: {"b":"é€😀"}\n\n: comment\n\nevent: x\nid: 3\ndata: {"c":\ndata: 3}\n\ndata: [DONE]\n\n'
)
DOCUMENTS = [b'{"a":1}', '{"b":"é€😀"}'.encode(), b'{"c":\n3}', b"[DONE]"]


@each_case("line_end", ["\n", "\r\n", "\r"])
@each_case("size", [1, 2, 3, 7, 64, 4096])
def test_events_are_the_same_whatever_the_pieces_and_line_ends(line_end: str, size: int) -> None:
    body = STREAM.replace("\n", line_end).encode()
    stream = EventStreamParser()
    documents = [event for at in range(0, len(body), size) for event in stream.feed(body[at : at + size])]
    assert documents + stream.close() == DOCUMENTS


def test_the_end_of_the_body_ends_the_last_event() -> None:
    stream = EventStreamParser()
    assert stream.feed(b'data:{"a":1}') == []
    assert stream.close() == [b'{"a":1}']


@pytest.mark.parametrize("piece", [b"x" * 1000, b"data: " + b"x" * 994 + b"\n"], ids=["a line", "an event"])
def test_what_has_no_end_is_given_up_at_its_bound(piece: bytes) -> None:
    stream = EventStreamParser()
    taken = 0
    with pytest.raises(EventTooLong):
        while taken < 10 * LONGEST_EVENT:
            stream.feed(piece)
            taken += len(piece)
    assert taken <= LONGEST_EVENT + 20_000


def test_a_line_in_many_pieces_is_put_together_once() -> None:
    stream, piece = EventStreamParser(), b"x" * 500
    stream.feed(b"data: ")
    tracemalloc.start()
    try:
        for _ in range(1000):
            assert stream.feed(piece) == []
        # The one piece waits a thousand times as it came, and was never copied.
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
    assert stream.feed(b"\n\n") == [b"x" * 500_000]


def test_a_body_that_does_not_end_is_given_up() -> None:
    body = WholeBody()
    body.feed(b"x" * LONGEST_BODY)
    with pytest.raises(EventTooLong):
        body.feed(b"x")


@pytest.mark.parametrize("middle", [b"\ndata: ", b"\rdata: "])
async def test_an_event_that_is_too_long_only_with_its_last_line_is_broken(middle: bytes) -> None:
    half = b"x" * (LONGEST_EVENT * 3 // 4)
    with pytest.raises(LlmBroke, match="larger than any answer"):
        await answer(Reply(events=[b"data: " + half + middle + half]))


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


async def test_what_comes_after_done_is_not_read() -> None:
    events = await answer(Reply(events=[delta("stop", content="yes"), b"data: [DONE]\n\ndata: {nonsense\n\n"]))
    assert events == [TextDelta("yes"), Done("stop")]


async def test_a_connection_cut_after_the_last_word_costs_the_counts_only() -> None:
    assert await answer(Reply("yes", cut_after=3)) == [TextDelta("yes"), Done("stop")]


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


async def test_tags_are_text_where_the_server_tells_reasoning_apart() -> None:
    events = await answer(Reply("<think> is a tag", reasoning="hm"))
    assert text_of(events) == "<think> is a tag"


def test_log_probabilities_of_held_pieces_stay_with_their_pieces() -> None:
    tags = ThinkTags()
    assert tags.feed("<", "p1") == []
    assert tags.feed("b>", "p2") == [TextDelta("<", "p1"), TextDelta("b>", "p2")]


def test_white_space_is_held_for_a_tag_only_so_long() -> None:
    tags = ThinkTags()
    pieces = [tags.feed(" ") for _ in range(1000)]
    assert sum(map(len, pieces)) == 1000
    assert max(map(len, pieces)) <= 100
    assert tags.feed("<think>") == [TextDelta("<think>")]


def test_a_tag_in_pieces_is_found_after_white_space_in_pieces() -> None:
    tags = ThinkTags()
    pieces = ["\n", " ", "\n", "<th", "in", "k>", " a", "</thi", "nk>", " b"]
    assert [event for piece in pieces for event in tags.feed(piece)] == [ReasoningDelta("a"), TextDelta("b")]


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


async def test_a_call_without_an_id_gets_one() -> None:
    events = await answer(Reply(tool_calls=[Call("f", "{}", None), Call("g", "{}", None)]))
    ids = [event.id for event in events if isinstance(event, ToolCallDelta) and event.id]
    assert len(set(ids)) == 2
    assert all(id_.startswith("call_") and int(id_[5:], 16) for id_ in ids)


def piece(index: int | None = None, id_: str | None = None, name: str | None = None, arguments: str = "") -> Any:
    function = {"name": name, "arguments": arguments}
    return delta(tool_calls=[{"index": index, "id": id_, "type": "function", "function": function}])


async def test_calls_that_are_all_numbered_zero_are_told_apart_by_their_ids() -> None:
    events = await answer(Reply(events=[piece(0, "a", "f", "{}"), piece(0, "b", "g", "{}"), delta("stop")]))
    assert events == [ToolCallDelta(0, "{}", "a", "f"), ToolCallDelta(1, "{}", "b", "g"), Done("tool_calls")]


async def test_calls_without_an_index_continue_the_last_one() -> None:
    pieces = [piece(None, "a", "f", '{"x"'), piece(None, None, None, ":1}"), piece(None, "b", "g", "{}")]
    events = await answer(Reply(events=[*pieces, delta("tool_calls")]))
    assert events[:-1] == [
        ToolCallDelta(0, '{"x"', "a", "f"),
        ToolCallDelta(0, ":1}"),
        ToolCallDelta(1, "{}", "b", "g"),
    ]


async def test_an_id_and_a_name_repeated_in_each_piece_are_given_once() -> None:
    pieces = [piece(0, "a", "f", "{"), piece(0, "a", "f", "}")]
    events = await answer(Reply(events=[*pieces, delta("tool_calls")]))
    assert events[:-1] == [ToolCallDelta(0, "{", "a", "f"), ToolCallDelta(0, "}")]


async def test_an_answer_has_only_so_many_calls() -> None:
    pieces = [piece(index, f"call_{index}", "f", "{}") for index in range(MOST_CALLS)]
    assert len(await answer(Reply(events=[*pieces, delta("tool_calls")]))) == MOST_CALLS + 1
    with pytest.raises(LlmBroke, match=f"more than {MOST_CALLS} functions"):
        await answer(Reply(events=[*pieces, piece(MOST_CALLS, "more", "f", "{}")]))
    calls = [{"index": index} for index in range(MOST_CALLS + 1)]
    with pytest.raises(LlmBroke, match="not a chunk"):
        await answer(Reply(events=[delta(tool_calls=calls)]))


async def test_the_old_function_call_is_a_call() -> None:
    old = delta("function_call", function_call={"name": "f", "arguments": "{}"})
    call, done = await answer(Reply(events=[old]))
    assert isinstance(call, ToolCallDelta)
    assert (call.name, call.arguments, done) == ("f", "{}", Done("tool_calls"))


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


async def test_reasoning_tokens_are_counted_apart() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}
    assert (await answer(Reply("x", usage=usage)))[-1] == Done("stop", 5, 9, 7)


@pytest.mark.parametrize("count", [-1, int("9" * 400), 1e300, 2.5, "many", []])
async def test_what_cannot_be_a_number_of_tokens_is_not_counted(count: Any) -> None:
    usage = {"prompt_tokens": count, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": count}}
    assert (await answer(Reply("x", usage=usage)))[-1] == Done("stop", None, 9, None)


async def test_everything_written_is_told_when_it_arrives() -> None:
    """What is held back is told before it is given, and what is never given is told, too."""
    written: list[str] = []
    documents = [
        json.dumps(one).encode()
        for one in (
            *(delta(content=text) for text in ("\n", "<thi", "nk>")),
            delta(reasoning="so"),
            delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}]),
            delta(tool_calls=[{"index": 0, "function": {"arguments": {"b": 1}}}]),
        )
    ]
    reader = ChunkReader(on_written=written.append)
    events = [event for document in documents for event in reader.read([document])]
    assert events == [ReasoningDelta("so")]
    assert written == ["\n", "<thi", "nk>", "so", '{"a":', '{"b":1}']


async def test_counts_that_are_not_given_are_none() -> None:
    assert (await answer(Reply("x", usage=False)))[-1] == Done("stop", None, None, None)


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


async def test_what_came_before_the_break_was_given() -> None:
    with serving_llm([Reply("a b c", cut_after=3)]) as upstream:
        llm = OpenAiServer(upstream.base_url, model="scripted")
        events = llm.stream(CALL)
        assert [await anext(events), await anext(events)] == [TextDelta("a"), TextDelta(" b")]
        with pytest.raises(LlmBroke):
            await anext(events)
        await llm.close()


async def test_what_the_model_said_does_not_get_into_the_error() -> None:
    with pytest.raises(LlmBroke) as failure:
        await answer(Reply(events=[{"choices": [{"delta": {"content": ["a secret"]}}]}]))
    assert "secret" not in str(failure.value)
