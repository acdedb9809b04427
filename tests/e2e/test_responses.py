"""/v1/responses in front of a scripted LLM: items of all kinds, whole and event by event."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import each_case
from tests.e2e.full_model import FullModel, Json, picture_of, prompt_text, schema_of
from tests.e2e.responses import PATH, SAN_FRANCISCO, WEATHER, ask, refused, serving_responses, stream, text_of, user
from tests.kit.clients.response_events import Streamed
from tests.kit.servers.llm_replies import Call
from tests.kit.servers.llm_server import Reply

NOTE = {"type": "input_file", "filename": "note.txt", "file_data": "SGVsbG8h"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullModel]:
    with serving_responses(tmp_path_factory.mktemp("responses")) as model:
        yield model


# The cases of the Open Responses compliance suite.


COMPLIANCE: dict[str, Json] = {
    "basic": {"input": [user("Say hello in exactly 3 words.")]},
    "system prompt": {
        "input": [{"type": "message", "role": "system", "content": "You are a pirate."}, user("Say hello.")]
    },
    "tool calling": {"input": [user("What's the weather like in San Francisco?")], "tools": [WEATHER]},
    "image input": {
        "input": [
            user(
                [
                    {"type": "input_text", "text": "What do you see in this image?"},
                    {"type": "input_image", "image_url": picture_of("Heart")["image_url"]["url"]},
                ]
            )
        ]
    },
    "multi-turn": {
        "input": [
            user("My name is Alice."),
            {"type": "message", "role": "assistant", "content": "Hello Alice!"},
            user("What is my name?"),
        ]
    },
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("case", list(COMPLIANCE))
def test_a_compliance_case_passes(model: FullModel, case: str, streamed: bool) -> None:
    fields = {**COMPLIANCE[case], "store": False, "metadata": {"case": case + str(streamed)}}
    said = fields.pop("input")
    calls = (SAN_FRANCISCO,) if "tools" in fields else ()
    model.script(by_body=lambda _: Reply("" if calls else "Ahoy there, friend.", tool_calls=calls))
    if streamed:
        found = stream(model, said, headers={"x-bypass-cache": "true"}, **fields)
        response = found.response
        kinds = {"output_item.added", "output_item.done"}
        kinds |= {"function_call_arguments.delta", "function_call_arguments.done"} if calls else {"output_text.delta"}
        assert kinds <= set(found.types)
    else:
        response = ask(model, said, headers={"x-bypass-cache": "true"}, **fields)
    assert response["status"] == "completed"
    assert [item["type"] for item in response["output"]] == ["function_call" if calls else "message"]
    if calls:
        assert json.loads(response["output"][0]["arguments"]) == {"location": "San Francisco"}
    assert response["usage"]["total_tokens"] > 0


# What streams say.


def test_reasoning_is_an_item_of_its_own(model: FullModel) -> None:
    model.script(Reply("Forty-two.", reasoning="Six times seven."))
    found = stream(model, "Six by seven?", reasoning={"effort": "low", "summary": "auto"})
    thought, said = found.response["output"]
    assert thought["content"] == [{"type": "reasoning_text", "text": "Six times seven."}]
    assert text_of(found.response) == "Forty-two."
    assert model.prompts[0]["reasoning_effort"] == "low"
    # It may come back, and is not told to the LLM.
    model.script(Reply("Yes."))
    ask(model, [user("Six by seven?"), thought, said, user("Sure?")])
    assert "Six times" not in prompt_text(model.prompts[0])


def test_a_custom_tool_is_given_a_text(model: FullModel) -> None:
    tool = {"type": "custom", "name": "apply_patch", "description": "Patches a file."}
    model.script(Reply(tool_calls=[Call("apply_patch", '{"input": "*** Begin\\n+a"}')]), Reply("Done."))
    found = stream(model, "Patch it.", tools=[tool])
    [call] = found.response["output"]
    assert (call["type"], call["input"]) == ("custom_tool_call", "*** Begin\n+a")
    assert model.prompts[0]["tools"][0]["function"]["parameters"]["required"] == ["input"]
    output = {"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "patched"}
    assert text_of(ask(model, [user("Patch it."), call, output], tools=[tool])) == "Done."
    *_, asked, told = model.prompts[1]["messages"]
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"input": "*** Begin\n+a"}
    assert told["content"] == "patched"


def test_a_turn_of_codex_goes_on(model: FullModel) -> None:
    """A body as Codex sends it in the middle of its work: all that was said, nothing kept, tools of every kind."""
    body = json.loads((Path(__file__).parents[1] / "data/codex/request.json").read_text())
    patch = "*** Begin Patch\n*** End Patch"
    calls = [
        Call("exec_command", '{"cmd":"python hello.py"}', id="call_5"),
        Call("apply_patch", json.dumps({"input": patch}), id="call_6"),
        Call("mcp__docs__find", '{"query":"run"}', id="call_7"),
    ]
    model.script(by_body=lambda _: Reply("Running it.", reasoning="It is time.", tool_calls=calls))
    headers = {"originator": "codex_cli_rs", "session_id": body["prompt_cache_key"], "accept": "text/event-stream"}
    answer = model.client.post(PATH, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found = Streamed.read(answer.text)
    thought, said, run, patched, looked = found.response["output"]
    assert (thought["type"], said["content"][0]["text"]) == ("reasoning", "Running it.")
    assert (run["name"], run["call_id"], json.loads(run["arguments"])) == (
        "exec_command",
        "call_5",
        {"cmd": "python hello.py"},
    )
    assert (patched["type"], patched["name"], patched["input"]) == ("custom_tool_call", "apply_patch", patch)
    assert (looked["namespace"], looked["name"]) == ("mcp__docs", "find")
    # A turn is told as Codex reads it: each item when it is done, and the whole at the end.
    assert [event["item"] for event in found.of("output_item.done")] == found.response["output"]
    assert (found.response["store"], found.response["prompt_cache_key"]) == (False, body["prompt_cache_key"])
    assert model.client.get(f"{PATH}/{found.response['id']}").status_code == 404

    [prompt] = model.prompts
    roles = [message["role"] for message in prompt["messages"]]
    said_by = "".join(
        {"system": "s", "developer": "s", "user": "u", "assistant": "a", "tool": "t"}[one] for one in roles
    )
    assert re.fullmatch(r"s+u+attatatu", said_by), said_by
    outputs = [message["content"] for message in prompt["messages"] if message["role"] == "tool"]
    for told, expected in zip(outputs, ("print(", "one pixel", "Success. Updated", "print(*objects)"), strict=True):
        assert expected in prompt_text({"messages": [{"content": told}]})
    made = [call["function"]["name"] for m in prompt["messages"] for call in m.get("tool_calls") or ()]
    assert made == ["exec_command", "view_image", "apply_patch", "mcp__docs__find"]
    assert "encrypted" not in json.dumps(prompt)
    offered = [tool["function"]["name"] for tool in prompt["tools"]]
    assert offered == ["exec_command", "view_image", "apply_patch", "mcp__docs__find"]


def test_a_cut_answer_is_incomplete(model: FullModel) -> None:
    model.script(by_body=lambda _: Reply("Once upon a", finish_reason="length"))
    found = stream(model, "A long story.", max_output_tokens=3)
    assert found.types[-1] == "incomplete"
    for response in (found.response, ask(model, "A long story.", max_output_tokens=3)):
        assert response["status"] == response["output"][0]["status"] == "incomplete"
        assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert model.prompts[0]["max_tokens"] == 3 or model.prompts[0].get("max_completion_tokens") == 3


def test_a_late_failure_is_told_in_the_stream(model: FullModel) -> None:
    model.script(Reply("One two three four.", garbage_after=3))
    found = stream(model, "Count.")
    assert found.types[-1] == "failed"
    assert found.response["error"]["code"] == "server_error"
    assert found.response["output"][0]["status"] == "in_progress"
    assert model.client.get(f"{PATH}/{found.response['id']}").status_code == 404


# As in chat.


def test_precontext_evidence_and_cache_are_beside_the_output(model: FullModel) -> None:
    model.script(by_body=lambda _: Reply('{"word": "Hello!"}'))
    schema = schema_of(word={"type": "string"})["json_schema"]
    fields = {"text": {"format": {"type": "json_schema", **schema}}, "evidence": True}
    said = [user([{"type": "input_text", "text": "Which word?"}, NOTE])]
    found = stream(model, said, **fields)
    assert found.response["precontext"][0]["result"]["extracted_text"] == "Hello!"
    assert found.response["evidence"]["/word"]["match"] == "exact"
    assert found.response["unsupported"] == []
    assert found.response["vcache"] is False
    again = ask(model, said, **fields)
    assert again["vcache"] is True
    assert again["evidence"] == found.response["evidence"]
    # Chat gives the same answer from the same entry.
    chats = [{"role": "user", "content": [{"type": "text", "text": "Which word?"}, NOTE]}]
    answer = model.ask(*chats, response_format=schema_of(word={"type": "string"}), evidence=True).json()
    assert answer["choices"][0]["message"]["content"] == '{"word": "Hello!"}'


# What is refused, and what is told.


@each_case(
    ("fields", "param"),
    [
        *(({name: value}, name) for name, value in {
            "background": True, "conversation": "conv_1", "prompt": {"id": "p"}, "max_tool_calls": 3,
            "truncation": "auto", "messages": [], "max_tokens": 5, "response_format": {}, "functions": [],
            "logprobs": True, "modalities": ["text", "audio"], "audio": {"voice": "alloy"}, "verbosity": "low",
            "input": [], "max_output_tokens": 0, "metadata": {str(n): "" for n in range(17)},
            "tool_choice": {"type": "function", "name": "f"},
        }.items()),
        ({"tools": [WEATHER, {"type": "file_serch"}]}, "tools[1]"),
        ({"input": [{"type": "computer_call_output", "output": {}}]}, "input[0]"),
        ({"input": [{"role": "user", "content": "Hi"}, {"type": "mesage", "content": "x"}]}, "input[1]"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "video"}]}]}, "input[0].content[0]"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format"),
        (
            {"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "strange"}}}},
            "text.format.schema.type",
        ),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused_by_its_name(model: FullModel, fields: Json, param: str) -> None:
    assert refused(model, **fields)["param"] == param
