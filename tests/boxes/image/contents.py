"""One of everything that an installation keeps for its callers, and what becomes of it."""

import json
from typing import Any

import openai

from app.runnable_commands import BODY
from tests.boxes.image.installation import Installation, until

MODEL = "interfaze-beta"
FILES = ("upload", "source", "output")
"""That `made` makes: an upload, what a batch reads, and what it answers."""


def made(server: Installation, note: str) -> dict[str, Any]:
    """One of everything that a backup holds; ids and contents."""
    with server.sdk() as client:
        upload = client.files.create(file=("note.txt", note.encode()), purpose="user_data")
        batch = begun(client, [{"input": note}] * 3)
        until("completed", lambda: client.batches.retrieve(batch.id).status == "completed", told=server.logs)
        response = client.responses.create(model=MODEL, input=_as_input(), store=True)
        ids = {"upload": upload.id, "batch": batch.id, "response": response.id}
        return {**ids, **_contents(client, ids)}


def begun(client: openai.OpenAI, bodies: list[dict[str, Any]]) -> openai.types.Batch:
    """A batch of moderations."""
    lines = [
        {"custom_id": str(number), "method": "POST", "url": "/v1/moderations", "body": body}
        for number, body in enumerate(bodies)
    ]
    source = client.files.create(file=("lines.jsonl", "\n".join(map(json.dumps, lines)).encode()), purpose="batch")
    return client.batches.create(input_file_id=source.id, endpoint="/v1/moderations", completion_window="24h")


def kept(server: Installation, first: dict[str, Any]) -> dict[str, Any]:
    ids = {name: first[name] for name in ("upload", "batch", "response")}
    with server.sdk() as client:
        return {**ids, **_contents(client, ids)}


def _contents(client: openai.OpenAI, ids: dict[str, str]) -> dict[str, Any]:
    batch = client.batches.retrieve(ids["batch"])
    assert batch.output_file_id is not None
    answers = client.files.content(batch.output_file_id).text
    response = client.responses.retrieve(ids["response"]).output_text
    assert len(answers.splitlines()) == 3
    assert "It works!" in response
    return {
        "upload text": client.files.content(ids["upload"]).text,
        "answers": answers,
        "response text": response,
    }


def _as_input() -> Any:
    """The first request, as /v1/responses takes it."""
    messages: Any = BODY["messages"]
    system, user = messages
    [part] = user["content"]
    return [system, {"role": "user", "content": [{"type": "input_image", "image_url": part["image_url"]["url"]}]}]
