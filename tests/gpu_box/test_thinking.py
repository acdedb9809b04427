"""A card of 80 GB, whose model thinks unless it is told not to."""

import json
from collections.abc import Iterator

import httpx
import jsonschema
import pytest

from tests.gpu_box.box import HUB, SAID, THOUGHT, Box, Parts, asked, boxed, picture_question
from tests.image.installation import result, task

ANSWER = {
    "type": "object",
    "properties": {"done": {"type": "boolean"}},
    "required": ["done"],
    "additionalProperties": False,
}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": ANSWER, "strict": True}}


@pytest.fixture(scope="module")
def box(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Without a network at its first start: nothing is fetched."""
    with boxed(tmp_path_factory.mktemp("box"), parts, GPU_MEMORY="80") as box:
        box.start("openfaze", "vllm")
        box.wait_until_ready()
        yield box


@pytest.fixture(scope="module")
def client(box: Box) -> Iterator[httpx.Client]:
    box.wait_for_llm()
    with box.client() as client:
        yield client


def message_of(answer: httpx.Response) -> dict[str, object]:
    assert answer.status_code == 200, answer.text
    message: dict[str, object] = answer.json()["choices"][0]["message"]
    return message


def test_without_a_network_at_the_first_start_the_log_says_what_is_missing_and_smaller_engines_serve(box: Box) -> None:
    assert box.inspected(".State.ExitCode", "weights") != "0"
    assert f"Could not fetch {HUB}/" in box.logs("weights")
    assert "weights_missing" in box.events()
    assert box.reads() == "It works!"
    # On this card MADLAD would translate.
    assert box.engine_of("translate") == "llm"


def test_nobody_gets_a_thought_unasked(client: httpx.Client) -> None:
    message = message_of(asked(client, "Say something."))
    assert message["content"] == SAID
    assert THOUGHT not in json.dumps(message)


def test_who_asks_for_reasoning_gets_the_thought_beside_the_answer(client: httpx.Client) -> None:
    answer = asked(client, "Say something.", reasoning_effort="high")
    assert SAID in str(message_of(answer)["content"])
    assert THOUGHT in answer.text


@pytest.mark.parametrize("effort", [None, "high"])
def test_a_schema_holds_with_and_without_a_thought(client: httpx.Client, effort: str | None) -> None:
    given = {"reasoning_effort": effort} if effort else {}
    answer = asked(client, "Is it done?", response_format=FORM, **given)
    jsonschema.validate(json.loads(str(message_of(answer)["content"])), ANSWER)


def test_a_short_translation_is_no_thought_that_was_cut(client: httpx.Client) -> None:
    translated = result(client.post("/v1/chat/completions", json=task("translate", "Translate into Thai: Red.")))
    assert SAID in json.dumps(translated)


def test_a_picture_is_judged_and_answered_without_a_thought(client: httpx.Client) -> None:
    message = message_of(picture_question(client, "What is this?", system="<guard>S12_IMAGE</guard>"))
    assert message["content"]
    assert THOUGHT not in json.dumps(message)


def test_what_is_meant_on_a_screen_is_pointed_at(box: Box, client: httpx.Client) -> None:
    pointed = result(client.post("/v1/chat/completions", json=task("gui_detection", "the Send button", "form.png")))
    assert "button" in json.dumps(pointed)
    assert "gui_grounding_failed" not in box.events()
