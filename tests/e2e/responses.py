"""Requests to /v1/responses in front of a scripted LLM; what comes back is checked."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e.full_model import FullModel, Json, error_of, serving_full_model
from tests.kit.clients.response_events import Streamed, checked_response
from tests.kit.servers.llm_replies import Call

PATH = "/v1/responses"
KEY, OTHER = "key-one", "key-two"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather at a place.",
    "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
}
SAN_FRANCISCO = Call("get_weather", '{"location": "San Francisco"}')


@contextlib.contextmanager
def serving_responses(folder: Path) -> Iterator[FullModel]:
    settings = {"api_keys": (KEY, OTHER), "cache": "exact", "files_dir": str(folder / "files")}
    with serving_full_model("tools,json_schema,vision", **settings) as model:
        model.client.headers["authorization"] = f"Bearer {KEY}"
        yield model


def ask(model: FullModel, said: Any, headers: Json | None = None, **fields: Any) -> Json:
    """The response, which is checked."""
    answer = model.client.post(PATH, json={"model": "auto", "input": said, **fields}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-request-id"].startswith("req-")
    return checked_response(answer.json())


def stream(model: FullModel, said: Any, headers: Json | None = None, **fields: Any) -> Streamed:
    body = {"model": "auto", "input": said, "stream": True, **fields}
    answer = model.client.post(PATH, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    return Streamed.read(answer.text)


def text_of(response: Json) -> str:
    return "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


def refused(model: FullModel, status: int = 400, code: str = "invalid_request", **fields: Any) -> Json:
    return error_of(model.client.post(PATH, json={"model": "auto", "input": "Hi", **fields}), status, code)


def user(content: Any) -> Json:
    return {"type": "message", "role": "user", "content": content}
