"""A card of 80 GB, whose model thinks unless it is told not to."""

import json
from collections.abc import Iterator

import httpx
import jsonschema
import pytest

from tests.boxes.gpu.box import HUB, SAID, THOUGHT, Box, Parts, asked, boxed

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
    with boxed(tmp_path_factory.mktemp("box"), parts, 80) as box:
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
