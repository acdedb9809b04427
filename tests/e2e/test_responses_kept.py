"""/v1/responses as OpenAI's SDK calls it: responses that are kept, looked up, deleted, and gone on from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e.full_model import FullModel, checking_client, error_of, prompt_text, serving_full_model
from tests.e2e.responses import (
    KEY,
    OTHER,
    PATH,
    SAN_FRANCISCO,
    WEATHER,
    ask,
    refused,
    serving_responses,
    text_of,
)
from tests.kit.servers.llm_server import Reply


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullModel]:
    with serving_responses(tmp_path_factory.mktemp("responses")) as model:
        yield model


@pytest.fixture(scope="module")
def sdk(model: FullModel) -> Iterator[openai.OpenAI]:
    http = checking_client(timeout=60, trust_env=False)
    with openai.OpenAI(base_url=f"{model.base_url}/v1", api_key=KEY, max_retries=0, http_client=http) as client:
        yield client


def test_the_sdk_creates_retrieves_lists_and_deletes(model: FullModel, sdk: openai.OpenAI) -> None:
    model.script(Reply("Paris."))
    made = sdk.responses.create(model="interfaze-beta", input="The capital of France?", instructions="Be brief.")
    assert (made.output_text, made.status, made.instructions) == ("Paris.", "completed", "Be brief.")
    assert prompt_text(model.prompts[0]) == "Be brief.\nThe capital of France?"
    assert sdk.responses.retrieve(made.id).model_dump() == made.model_dump()
    [item] = sdk.responses.input_items.list(made.id)
    assert item.to_dict()["content"] == [{"type": "input_text", "text": "The capital of France?"}]
    sdk.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError, match="not found"):
        sdk.responses.retrieve(made.id)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.delete(made.id)


def test_the_sdk_streams(model: FullModel, sdk: openai.OpenAI) -> None:
    model.script(Reply("One two three."))
    with sdk.responses.stream(model="auto", input="Count to three.") as events:
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        final = events.get_final_response()
    assert "".join(deltas) == "One two three."
    assert final.output_text == "One two three."
    assert sdk.responses.retrieve(final.id).output_text == "One two three."


def test_a_conversation_goes_on_from_a_response(model: FullModel, sdk: openai.OpenAI) -> None:
    model.script(Reply("Hello Alice!"), Reply(tool_calls=[SAN_FRANCISCO]), Reply("Foggy."))
    first = sdk.responses.create(model="auto", input="I am Alice.", instructions="Be kind.")
    tools: Any = [WEATHER]
    second = sdk.responses.create(model="auto", input="Weather?", previous_response_id=first.id, tools=tools)
    output: Any = [{"type": "function_call_output", "call_id": "call_1", "output": "Fog"}]
    third = sdk.responses.create(model="auto", input=output, previous_response_id=second.id, tools=tools)
    assert third.output_text == "Foggy."
    assert third.previous_response_id == second.id
    said = [(message["role"], message["content"]) for message in model.prompts[2]["messages"]]
    # The instructions were the first request's alone.
    assert said == [
        ("user", "I am Alice."),
        ("assistant", "Hello Alice!"),
        ("user", "Weather?"),
        ("assistant", None),
        ("tool", "Fog"),
    ]
    sdk.responses.delete(second.id)
    with pytest.raises(openai.BadRequestError) as gone:
        sdk.responses.create(model="auto", input="And?", previous_response_id=third.id)
    assert (gone.value.code, gone.value.param) == ("previous_response_not_found", "previous_response_id")


def test_what_is_not_stored_is_not_there(model: FullModel, sdk: openai.OpenAI) -> None:
    model.script(Reply("Yes."), Reply("Yes."))
    unstored = sdk.responses.create(model="auto", input="Stored?", store=False)
    forgotten = ask(model, "Stored?", headers={"x-interfaze-zdr": "true"})
    assert forgotten["store"] is False
    for response_id in (unstored.id, forgotten["id"]):
        with pytest.raises(openai.NotFoundError):
            sdk.responses.retrieve(response_id)


def test_another_key_has_no_part_in_it(model: FullModel, sdk: openai.OpenAI) -> None:
    model.script(Reply("Mine."))
    made = sdk.responses.create(model="auto", input="Whose is it?")
    other = sdk.with_options(api_key=OTHER)
    for attempt in (other.responses.retrieve, other.responses.delete, other.responses.input_items.list):
        with pytest.raises(openai.NotFoundError):
            attempt(made.id)
    with pytest.raises(openai.BadRequestError):
        other.responses.create(model="auto", input="And?", previous_response_id=made.id)
    assert sdk.responses.retrieve(made.id).output_text == "Mine."


def test_an_item_may_be_named_instead_of_sent(model: FullModel, sdk: openai.OpenAI) -> None:
    model.script(Reply("Blue."), Reply("As I said."))
    made = sdk.responses.create(model="auto", input="A colour?")
    said: Any = [{"type": "item_reference", "id": made.output[0].id}, {"role": "user", "content": "Sure?"}]
    sdk.responses.create(model="auto", input=said)
    assert [message["content"] for message in model.prompts[1]["messages"]] == ["Blue.", "Sure?"]
    error = refused(model, code="item_not_found", input=[{"type": "item_reference", "id": f"{made.output[0].id}0"}])
    assert error["param"] == "input[0].id"
    twice = [{"type": "item_reference", "id": made.output[0].id}] * 2
    assert refused(model, code="item_not_found", input=twice)["param"] == "input[1].id"


def test_a_store_that_is_down_fails_who_needs_it_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with serving_full_model(files_dir=str(tmp_path / "files")) as model:
        model.script(by_body=lambda _: Reply("Fine."))
        kept = ask(model, "Hello.")
        file = state / "state.sqlite"
        for left in state.glob("state.sqlite*"):
            left.unlink()
        file.mkdir()  # a damaged file would be set aside
        response = ask(model, "Hello again.")
        assert (text_of(response), response["store"]) == ("Fine.", False)
        assert "not kept" in response["warnings"][0]
        answer = model.client.get(f"{PATH}/{kept['id']}")
        error_of(answer, 503, "storage_unavailable")
        refused(model, 503, "storage_unavailable", previous_response_id=kept["id"])
        gone, *failed = [entry for entry in model.log if entry["log_level"] == "error"]
        assert (gone["event"], gone["path"]) == ("state_file_gone", str(file))
        # What the answers say that the log says.
        assert [(entry["event"], str(file) in entry["reason"]) for entry in failed] == [("request_failed", True)] * 2
        for entry in (gone, *failed):
            model.log.remove(entry)
