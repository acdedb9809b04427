"""Run-task OCR over HTTP, as any client sees it."""

import json
import re
import uuid
from typing import Any

import httpx
import pytest

from eval.tables import cells_of, made
from tests.e2e.conftest import data_url, ocr_request
from tests.kit.papers.pages import single_line
from tests.kit.servers.server import Server

PICTURE = data_url(single_line("The quick brown fox").encoded())


def result_of(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    content = json.loads(response.json()["choices"][0]["message"]["content"])
    assert list(content) == ["name", "result"]
    result: dict[str, Any] = content["result"]
    return result


def test_a_completion_has_the_contracts_shape(client: httpx.Client) -> None:
    response = client.post("/v1/chat/completions", json=ocr_request(PICTURE))
    body = response.json()
    assert list(body) == ["id", "object", "created", "model", "usage", "vcache", "choices"]
    assert re.fullmatch(r"req-[0-9a-f-]{36}", body["id"])
    assert uuid.UUID(body["id"].removeprefix("req-")).version == 4
    assert response.headers["x-request-id"] == body["id"]
    assert body["usage"]["prompt_tokens"] > 0
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    [choice] = body["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"].startswith('{"name":"ocr","result":{"extracted_text":"The quick brown fox"')
    assert re.fullmatch(r"read;dur=[\d.]+, task;dur=[\d.]+, render;dur=[\d.]+", response.headers["server-timing"])


def test_a_stream_carries_the_same_answer(client: httpx.Client) -> None:
    whole = client.post("/v1/chat/completions", json=ocr_request(PICTURE)).json()
    body = ocr_request(PICTURE, stream=True, stream_options={"include_usage": True})
    with client.stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "server-timing" in response.headers
        lines = [line for line in response.iter_lines() if line]
        request_id = response.headers["x-request-id"]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert {chunk["id"] for chunk in chunks} == {request_id}
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert text == whole["choices"][0]["message"]["content"]
    assert chunks[-2]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert chunks[-1]["usage"] == whole["usage"]


def test_progress_is_told_when_it_is_asked_for(client: httpx.Client) -> None:
    body = ocr_request(PICTURE, data_url(single_line("The lazy dog").encoded()), stream=True)
    headers = {"x-interfaze-progress": "true"}
    with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as response:
        comments = [line for line in response.iter_lines() if line.startswith(": progress ")]
    reports = [json.loads(line.removeprefix(": progress ")) for line in comments]
    assert reports[-1]["done"] == reports[-1]["total"] == 2


def test_models_are_listed_and_described(client: httpx.Client) -> None:
    model, embedding = client.get("/v1/models").json()["data"]
    assert embedding["id"] == "openfaze-embedding"
    assert (model["id"], model["object"], model["owned_by"]) == ("interfaze-beta", "model", "openfaze")
    assert client.get("/v1/models/auto").json()["id"] == "auto"


def test_the_probes_need_no_key_and_tell_of_each_capability(server: Server) -> None:
    assert httpx.get(f"{server.base_url}/health").json() == {"status": "ok"}
    ready = httpx.get(f"{server.base_url}/ready").json()
    assert ready["status"] == "ready"
    assert ready["capabilities"]["ocr"]["state"] == "loaded"
    assert ready["capabilities"]["llm"]["state"] == "off"


@pytest.mark.parametrize(
    ("words", "field", "added"),
    [
        ("Read it as Markdown.", {}, ["markdown"]),
        ("Read it.", {"ocr": {"tables": True, "markdown": True}}, ["tables", "markdown"]),
    ],
)
def test_tables_and_markdown_are_there_where_they_are_asked_for(
    client: httpx.Client, words: str, field: dict[str, Any], added: list[str]
) -> None:
    [document] = made(1)
    body = ocr_request(data_url(document.pdf, "application/pdf"), text=words, **field)
    [section] = result_of(client.post("/v1/chat/completions", json=body))["sections"]
    assert list(section) == ["text", "lines", "page", "width", "height", *added]
    if "tables" in added:
        [table] = section["tables"]
        assert list(table) == ["page", "bounds", "rows", "markdown"]
        assert list(table["rows"][0][0]) == ["text", "bounds", "row_span", "col_span", "confidence"]
        assert cells_of(table) == document.tables[0]
    if "markdown" in added:
        assert section["markdown"].startswith(
            "## Kettle report 2005\n\nThe figures below were gathered during the spring"
        )
        assert "\n| --- |" in section["markdown"]
