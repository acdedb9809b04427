"""Options of a task in the field `task_options`, in place of words."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import data_url, ocr_request
from tests.e2e.full_model import (
    FullModel,
    Json,
    content_of,
    prompt_text,
    serving_full_model,
    system,
)
from tests.e2e.guarded import BOMB, guard, is_blocked
from tests.kit.papers.pages import single_line
from tests.kit.servers.llm_server import Reply

TASK = "<task>translate</task>"
TRANSLATE = system(TASK)
THANKS: Json = {"text": "Thank you", "target_language": "Spanish"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullModel]:
    cache = tmp_path_factory.mktemp("cache") / "answers.sqlite"
    with serving_full_model(translate="llm", cache="exact", cache_url=f"sqlite:///{cache}") as model:
        yield model


def translation(text: str) -> Reply:
    return Reply(json.dumps({"1": text}))


def result_of(answer: httpx.Response) -> Json:
    return json.loads(content_of(answer))["result"]


def test_options_stand_in_place_of_words(model: FullModel) -> None:
    model.script(translation("Gracias"))
    assert result_of(model.ask(TRANSLATE, "", task_options=THANKS))["translated_text"] == "Gracias"
    assert "Spanish" in prompt_text(model.prompts[0])


def test_words_of_thanks_are_translated_by_every_door(model: FullModel) -> None:
    words = "Translate into Spanish: Thank you"
    model.script(*[translation("Gracias")] * 4)
    assert result_of(model.ask(TRANSLATE, words))["translated_text"] == "Gracias"
    [translated] = model.ask(words).json()["precontext"]
    assert translated["result"]["translated_text"] == "Gracias"
    ran = model.client.post("/v1/responses", json={"model": "interfaze-beta", "input": words, "instructions": TASK})
    assert '"translated_text":"Gracias"' in ran.json()["output"][-1]["content"][0]["text"]


@pytest.mark.parametrize(
    ("task", "options", "param"),
    [
        ("translate", {"text": "Thank you", "target_language": "Klingonese"}, "task_options.target_language"),
        ("translate", {"text": "Thank you"}, "task_options.target_language"),
        ("translate", {**THANKS, "speed": 2}, "task_options.speed"),
        ("ocr", {"pages": 3}, "task_options.pages"),
        ("ocr", {"is_for_llm": True}, "task_options.is_for_llm"),
    ],
)
def test_an_option_that_does_not_fit_is_named(model: FullModel, task: str, options: Json, param: str) -> None:
    body = ocr_request(data_url(single_line("Invoice").encoded()))
    asked = [system(f"<task>{task}</task>"), *body["messages"][-1:]] if task == "ocr" else [TRANSLATE, ""]
    answer = model.ask(*asked, task_options=options)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param


def test_the_guard_judges_the_texts_of_options(model: FullModel) -> None:
    model.script()
    asked = model.ask(guard("S9", task="translate"), "", task_options={**THANKS, "text": BOMB})
    [check] = is_blocked(asked, "S9")
    assert check["source"] == "task_options"
    assert model.prompts == []
