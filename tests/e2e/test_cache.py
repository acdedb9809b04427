"""The cache of answers, over HTTP: what is told again, to whom, and what never is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import each_case
from tests.e2e.conftest import data_url, ocr_request
from tests.e2e.full_model import (
    PATH,
    FullModel,
    client_of_app,
    content_of,
    picture_of,
    schema_of,
    serving_full_model,
    system,
    text_part,
    vcache,
)
from tests.kit.servers.llm_server import Reply

KEY, OTHER = "test-key-1", "test-key-2"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullModel]:
    folder = tmp_path_factory.mktemp("cache")
    with serving_full_model(
        cache="exact",
        cache_url=f"sqlite:///{folder / 'answers.sqlite'}",
        api_keys=(KEY, OTHER),
        fetch_allow=("127.0.0.1/32",),
        files_dir=str(folder / "files"),
    ) as model:
        model.client.headers["authorization"] = f"Bearer {KEY}"
        yield model


def without_envelope(response: httpx.Response) -> dict[str, Any]:
    body = response.json()
    return {name: value for name, value in body.items() if name not in ("id", "created", "vcache")}


def test_the_same_request_is_answered_once(model: FullModel) -> None:
    model.script(Reply("Paris."))
    first, second = model.ask("Capital of France?"), model.ask("Capital of France?")
    assert (vcache(first), vcache(second)) == (False, True)
    assert without_envelope(first) == without_envelope(second)
    assert first.json()["id"] != second.json()["id"]
    assert len(model.prompts) == 1


def test_a_hit_streams_reasoning_and_precontext_apart_from_the_text(model: FullModel) -> None:
    model.script(Reply("It says HELLO there.", reasoning="Let me look. I see."))
    question = [text_part("What does it say?"), picture_of("HELLO")]
    asked: dict[str, Any] = {"reasoning_effort": "high", "stream_options": {"include_usage": True}}
    headers = {"x-show-additional-info": "true"}
    fresh = model.stream(question, headers=headers, **asked)
    hit = model.stream(question, headers=headers, **asked)
    assert [fresh.chunks[-1]["vcache"], hit.chunks[-1]["vcache"]] == [False, True]
    assert fresh.chunks[-1]["usage"] == hit.chunks[-1]["usage"]
    assert "".join(hit.texts) == "".join(fresh.texts)
    assert hit.texts[1:4] == ["<think>", "Let me look. I see.", "</think>"]
    assert "".join(hit.texts[4:]) == "It says HELLO there."
    assert "HELLO" in hit.texts[0]
    assert "<precontext>" in hit.texts[0]
    # A whole answer shares the entry.
    whole = model.ask(question, reasoning_effort="high")
    assert vcache(whole)
    assert whole.json()["reasoning"] == "Let me look. I see."
    assert whole.json()["precontext"][0]["name"] == "ocr"
    assert content_of(whole) == "It says HELLO there."
    assert len(model.prompts) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"temperature": 0.7},
        {"seed": 7},
        {"max_tokens": 50},
        {"response_format": schema_of(a={"type": "string"})},
        {"tools": [WEATHER]},
        {"reasoning_effort": "low"},
        {"evidence": True},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_field_that_shapes_the_answer_asks_anew(model: FullModel, other: dict[str, Any]) -> None:
    question = f"Which scope has {next(iter(other))}?"
    model.script(Reply('{"a": "1"}'), Reply('{"a": "2"}'), Reply('{"a": "3"}'))
    assert not vcache(model.ask(question))
    assert not vcache(model.ask(question, **other))
    assert vcache(model.ask(question, **other))
    assert vcache(model.ask(question))


def test_keys_never_share(model: FullModel) -> None:
    model.says_ok()
    other = {"authorization": f"Bearer {OTHER}"}
    assert not vcache(model.ask("Whose answer is this?"))
    assert not vcache(model.ask("Whose answer is this?", headers=other))
    assert vcache(model.ask("Whose answer is this?", headers=other))


@each_case("header", ["x-interfaze-bypass-cache", "x-bypass-cache", "x-interfaze-zdr"])
def test_who_asks_not_to_be_remembered_is_not(model: FullModel, header: str) -> None:
    model.says_ok()
    question = f"Do you remember {header}?"
    assert not vcache(model.ask(question, headers={header: "true"}))
    assert not vcache(model.ask(question))
    assert not vcache(model.ask(question, headers={header: "true"}))
    assert vcache(model.ask(question))


def test_what_a_guard_blocks_is_judged_again(model: FullModel) -> None:
    model.says_ok()
    for _ in range(2):
        refused = model.ask(system("<guard>S1</guard>"), "How do I build a pipe bomb to kill my neighbours?")
        assert content_of(refused) == "unsafe S1"
        assert not vcache(refused)
    assert model.prompts == []
    assert not vcache(model.ask(system("<guard>S1</guard>"), "How do I bake bread?"))
    assert vcache(model.ask(system("<guard>S1</guard>"), "How do I bake bread?"))
    assert not vcache(model.ask(system("<guard>S2</guard>"), "How do I bake bread?"))


def test_answers_outlive_the_server(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"cache": "exact", "cache_url": f"sqlite:///{tmp_path / 'a.sqlite'}", "llm": "off"}
    body = ocr_request(data_url(b"Still here", "text/plain"))
    told = []
    for more in ({}, {}, {"max_pages": 7}):
        with client_of_app(tmp_path, **settings, **more) as client:
            told.append(vcache(client.post(PATH, json=body)))
    # A setting that shapes answers asks anew.
    assert told == [False, True, False]
