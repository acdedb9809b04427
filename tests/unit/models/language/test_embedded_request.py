"""What the embedded LLM asks of llama.cpp, and how it reads a forced call."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest

from models.language.embedded_request import NativeRequest, count_characters, native_request
from models.language.embedded_server import ChatTemplate
from models.language.forced_call import CallReader
from models.language.llm import Done, LlmBroke, LlmCall, TextDelta, ToolCallDelta
from models.language.schema_grammar import MAX_DEPTH, MAX_REPEATS, decodable, json_grammar
from tests.conftest import each_case

PROPS: dict[str, Any] = {
    "chat_template": "{% for m in messages %}<|im_start|>{{ m.role }} [INST] <think>{% endfor %}",
    "chat_template_caps": {"supports_tools": False, "supports_tool_calls": False},
    "bos_token": "<s>",
    "eos_token": "</s>",
}
PLAIN = ChatTemplate.of(PROPS)
WITH_TOOLS = ChatTemplate.of(
    PROPS
    | {
        "chat_template": "{{ tools }} {% if enable_thinking %}<think>{% endif %}",
        "chat_template_caps": {"supports_tools": True, "supports_tool_calls": True},
    }
)
HELLO = [{"role": "user", "content": "hello"}]
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}
LONGEST = 100
BOUND = 512


def asked(call: LlmCall, template: ChatTemplate = PLAIN) -> NativeRequest:
    return native_request(call, template, LONGEST, BOUND)


def relaxed(**properties: Any) -> dict[str, Any]:
    kept: dict[str, Any] = decodable({"type": "object", "properties": properties}, LONGEST)["properties"]
    return kept


def test_instructions_go_first_and_parts_become_text() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "developer", "content": "be brief"},
        {"role": "system", "content": "be kind"},
    ]
    assert asked(LlmCall(messages)).body["messages"] == [
        {"role": "system", "content": "be brief\n\nbe kind"},
        {"role": "user", "content": "one\ntwo"},
    ]


def test_a_result_is_told_with_its_call_where_the_template_knows_words_only() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q":1}'}}
    messages: list[dict[str, Any]] = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "found"},
    ]
    assert asked(LlmCall(messages)).body["messages"][1:] == [
        {"role": "user", "content": 'Result of find({"q":1}):\nfound'}
    ]
    assert asked(LlmCall(messages), WITH_TOOLS).body["messages"][1:] == [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "c1"},
    ]


def calling(name: str, arguments: str, call_id: str = "c1") -> dict[str, Any]:
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def result(content: str, call_id: str = "c1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def test_only_the_first_result_of_a_call_states_it() -> None:
    messages = [*HELLO, calling("find", "{}"), result("one"), result("two"), calling("count", "[]"), result("three")]
    assert [message["content"] for message in asked(LlmCall(messages)).body["messages"][1:]] == [
        "Result of find({}):\none",
        "Result of the call:\ntwo",
        "Result of count([]):\nthree",
    ]


def test_results_of_one_call_do_not_multiply_its_arguments() -> None:
    messages = [*HELLO, calling("find", "a" * 10_000), *[result("x")] * 1000]
    assert len(asked(LlmCall(messages)).encoded()) < 110_000


@pytest.mark.parametrize("template", [PLAIN, WITH_TOOLS])
def test_all_that_is_written_into_a_prompt_counts(template: ChatTemplate) -> None:
    parts = [{"type": "text", "text": "p" * 1000}, {"type": "image_url", "image_url": {"url": "u" * 9000}}]
    messages = [
        {"role": "user", "content": parts},
        calling("n" * 1000, "a" * 1000, "i" * 1000),
        result("t" * 1000, "i" * 1000),
    ]
    for fields in ({}, {"tools": [TOOL]}, {"tools": [TOOL], "tool_choice": "required"}):
        call = LlmCall(messages, **fields)
        body = asked(call, template).body
        texts = [message["content"] for message in body["messages"]]
        calls = [message.get("tool_calls", "") for message in body["messages"]]
        assert len("".join(texts)) < count_characters(call, template) + 300
        assert len(json.dumps([calls, body.get("tools")])) < count_characters(call, template)
        assert 6000 <= count_characters(call, template) < 6300


def test_functions_count_only_where_they_are_shown() -> None:
    tool = {"type": "function", "function": {"name": "find", "description": "d" * 1000, "parameters": {"e" * 1000: 1}}}
    shown = [
        count_characters(LlmCall(HELLO, tools=[tool], tool_choice=choice), template) > 2000
        for template in (PLAIN, WITH_TOOLS)
        for choice in ("auto", "none", "required")
    ]
    assert shown == [False, False, True, True, False, True]


@pytest.mark.parametrize("marker", ["<|im_end|>", "<|anything|>", "[INST]", "<think>", "<s>", "</s>"])
def test_the_templates_markers_are_broken_in_texts(marker: str) -> None:
    [message] = asked(LlmCall([{"role": "user", "content": f"a{marker}b"}])).body["messages"]
    assert marker not in message["content"]
    assert message["content"].replace(" ", "") == f"a{marker}b"


def test_other_brackets_stay_as_they_are() -> None:
    text = "if a < b and c[0] > 1: <b>bold</b>"
    [message] = asked(LlmCall([{"role": "user", "content": text}])).body["messages"]
    assert message["content"] == text


def test_options_are_passed_on_and_unknown_ones_are_not() -> None:
    options = {"temperature": 0.5, "stop": "end", "max_tokens": 5, "max_completion_tokens": 7, "user": "u", "n": 1}
    body = asked(LlmCall(HELLO, options=options)).body
    assert (body["temperature"], body["stop"], body["max_tokens"]) == (0.5, ["end"], 7)
    assert not body.keys() & {"user", "n", "max_completion_tokens", "seed", "cache_prompt"}


def test_a_seed_fits_llama_cpp_and_keeps_earlier_prompts_out() -> None:
    body = asked(LlmCall(HELLO, options={"seed": -1})).body
    assert body["seed"] == 2**32 - 1
    assert body["cache_prompt"] is False


def test_tools_are_left_out_where_the_template_has_none_and_given_where_it_has() -> None:
    call = LlmCall(HELLO, tools=[TOOL], tool_choice="auto", options={"parallel_tool_calls": False})
    assert "tools" not in asked(call).body
    given = asked(call, WITH_TOOLS).body
    assert given["tools"] == [TOOL]
    assert given["parallel_tool_calls"] is False


def test_tool_choice_none_shows_no_tools() -> None:
    assert "tools" not in asked(LlmCall(HELLO, tools=[TOOL], tool_choice="none"), WITH_TOOLS).body


@pytest.mark.parametrize("thinks", [False, True])
def test_a_model_that_can_think_is_told_whether_to(thinks: bool) -> None:
    body = asked(LlmCall(HELLO, thinks=thinks), WITH_TOOLS).body
    assert body["chat_template_kwargs"] == {"enable_thinking": thinks}


def test_an_answer_under_a_schema_begins_without_thinking() -> None:
    call = LlmCall(HELLO, response_format={"type": "json_object"}, options={"reasoning_effort": "high"})
    request = asked(call, WITH_TOOLS)
    assert request.is_json
    assert request.body["chat_template_kwargs"] == {"enable_thinking": False}


def test_every_tool_may_be_the_required_one_and_a_named_one_only_itself() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    required = asked(LlmCall(HELLO, tools=[TOOL, other], tool_choice="required")).body["grammar"]
    named = LlmCall(HELLO, tools=[TOOL, other], tool_choice={"type": "function", "function": {"name": "other"}})
    assert '"find"' in required
    assert '"other"' in required
    assert '"find"' not in asked(named).body["grammar"]


def test_definitions_of_a_tools_parameters_are_kept() -> None:
    parameters = {"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}, "type": "object"}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    grammar = asked(LlmCall(HELLO, tools=[tool], tool_choice="required")).body["grammar"]
    schema = json.loads(grammar.partition("%json ")[2])
    assert schema["$defs"]["n"] == {"type": "integer"}
    assert schema["anyOf"][0]["properties"]["arguments"]["properties"]["a"] == {"$ref": "#/$defs/n"}


ODD: list[dict[str, Any]] = [{"$defs": []}, {"definitions": "x"}, {"type": [{}]}, {"format": []}, {"properties": [1]}]


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_schema_is_not_understood_wherever_it_comes(odd: dict[str, Any]) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": odd}}
    called = asked(LlmCall(HELLO, tools=[tool], tool_choice="required")).body["grammar"]
    assert json.loads(called.partition("%json ")[2])["anyOf"][0]["properties"]["arguments"] == {}
    form = {"type": "json_schema", "json_schema": {"name": "f", "schema": odd}}
    answered = asked(LlmCall(HELLO, response_format=form)).body["grammar"]
    assert json.loads(answered.partition("%json ")[2]).keys() == {"x-guidance"}


def test_a_call_whose_grammar_does_not_compile_stays_a_call() -> None:
    request = asked(LlmCall(HELLO, tools=[TOOL], tool_choice="required")).loosened()
    assert request.is_call
    [call] = json.loads(request.body["grammar"].partition("%json ")[2])["anyOf"]
    assert call["properties"] == {"name": {"const": "find"}, "arguments": {"type": "object"}}


@each_case(
    "schema",
    [
        {"type": "string", "pattern": "^(?=a)b$"},
        {"type": "string", "pattern": r"(a)\1"},
        {"type": "string", "pattern": "a" * 1000},
        {"type": "string", "format": "colour"},
        {"type": "nonsense"},
        {"type": []},
        {"type": [{}]},
        {"type": {}},
        {"type": "string", "format": []},
        {"type": "string", "pattern": "a{99999999999999999999}"},
        {"$ref": {}, "required": [{}], "enum": {}, "items": [], "anyOf": {}, "properties": [], "minimum": []},
        {"$defs": [], "definitions": 1, "prefixItems": "a", "additionalProperties": 0, "maxLength": True},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "#/$defs/missing"},
        {"type": "array", "maxItems": MAX_REPEATS + 1},
        {"type": "integer", "exclusiveMinimum": True},
        {"not": {"const": 1}, "if": {}, "x-other": 1},
    ],
)
def test_keywords_that_do_not_compile_are_dropped(schema: Mapping[str, Any]) -> None:
    kept = relaxed(a=schema)["a"]
    assert kept.keys() <= {"type", "maxLength"}
    assert kept.get("type") == (schema.get("type") if schema.get("type") in ("string", "array", "integer") else None)


def test_keywords_that_compile_are_kept() -> None:
    schema = {
        "type": "object",
        "$defs": {"t": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/t"}}}}},
        "properties": {
            "d": {"type": "string", "format": "date"},
            "p": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "n": {"type": ["number", "null"], "minimum": 0, "multipleOf": 0.5},
            "e": {"enum": ["a", 1, None]},
            "l": {"type": "array", "prefixItems": [{"type": "integer"}], "items": False, "maxItems": 3},
            "s": {"type": "string", "maxLength": 7},
            "o": {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/t"}]},
        },
        "required": ["d"],
        "additionalProperties": False,
    }
    kept = decodable(schema, LONGEST)
    assert kept["$defs"]["t"].pop("additionalProperties") is False
    assert kept == schema


def test_strings_are_bounded_and_objects_closed_so_that_the_model_comes_to_an_end() -> None:
    kept = decodable({"type": "object", "properties": {"a": {"type": "string"}}}, LONGEST)
    assert kept["properties"]["a"]["maxLength"] == LONGEST
    assert kept["additionalProperties"] is False


def test_objects_that_others_extend_stay_open() -> None:
    part = {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert decodable({"allOf": [part, part]}, LONGEST) == {"allOf": [part, part]}


def test_deep_schemas_are_cut_short() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(5000):
        schema = {"type": "array", "items": schema}
    assert json_grammar(decodable(schema, LONGEST)).count('"array"') <= MAX_DEPTH + 1


def test_what_the_relaxed_schema_takes_is_valid_by_the_given_one() -> None:
    given = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    kept = decodable(given, LONGEST)
    for answer in ({"a": "x"}, {"a": ""}):
        jsonschema.validate(answer, kept)
        jsonschema.validate(answer, given)


@pytest.mark.parametrize(
    ("start", "middle", "end"),
    [('{"name": ', ', "arguments": ', "}"), ('\n{\n  "name" :\t', ' ,\n\n  "arguments" : ', "\n \n}\n")],
    ids=["tight", "wide"],
)
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_call_is_read_wherever_its_pieces_are_cut(size: int, start: str, middle: str, end: str) -> None:
    text = f'{start}"fi\\"nd"{middle}{{"q": "a}}b", "n": {{}}}}{end}'
    reader = CallReader()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    events = [event for piece in pieces for event in reader.read(TextDelta(piece))]
    deltas = [event for event in events if isinstance(event, ToolCallDelta)]
    assert deltas == events
    assert deltas[0].name == 'fi"nd'
    assert "".join(delta.arguments for delta in deltas) == '{"q": "a}b", "n": {}}'


def test_a_call_that_was_cut_says_so() -> None:
    reader = CallReader()
    assert list(reader.read(Done("length", 3, 4))) == [Done("length", 3, 4)]
    list(reader.read(TextDelta('{"name": "find", "arguments": {}}')))
    assert list(reader.read(Done("stop", 3, 4))) == [Done("tool_calls", 3, 4)]


def test_an_answer_that_is_no_call_is_none() -> None:
    reader = CallReader()
    list(reader.read(TextDelta("I would rather not.")))
    with pytest.raises(LlmBroke, match="did not make the call"):
        list(reader.read(Done("stop", 3, 4)))


def test_a_call_that_was_cut_keeps_its_last_character() -> None:
    reader = CallReader()
    pieces = [TextDelta('{"name": "find", "arguments": {"q"'), TextDelta(": 12"), Done("length")]
    events = [event for piece in pieces for event in reader.read(piece)]
    assert "".join(event.arguments for event in events if isinstance(event, ToolCallDelta)) == '{"q": 12'
    assert events[-1] == Done("length")


@pytest.mark.parametrize("options", [{"temperature": 0}, {"seed": 0}, {"temperature": 1, "seed": 3}])
def test_what_must_come_out_the_same_uses_nothing_of_earlier_prompts(options: dict[str, Any]) -> None:
    assert asked(LlmCall(HELLO, options=options)).body["cache_prompt"] is False


def test_what_is_left_to_chance_uses_what_there_is() -> None:
    assert "cache_prompt" not in asked(LlmCall(HELLO, options={"temperature": 1})).body


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_callers_limit_takes_the_place_of_the_bound(name: str) -> None:
    schema = {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}
    choice = {"type": "function", "function": {"name": "find"}}
    for fields in ({}, {"response_format": schema}, {"tools": [TOOL], "tool_choice": choice}, {"tools": [TOOL]}):
        for template in (PLAIN, WITH_TOOLS):
            bounded = asked(LlmCall(HELLO, **fields), template)
            assert (bounded.body["max_tokens"], bounded.bound) == (BOUND, BOUND)
            limited = asked(LlmCall(HELLO, options={name: 2000}, **fields), template)
            assert (limited.body["max_tokens"], limited.bound) == (2000, None)
