"""Examples in a conversation: extraction learns from them where each field stands."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.e2e.full_model import client_of_app, content_of, schema_of

OR_NULL = {"type": ["string", "null"]}


def slip(wood: str, code: str, person: str) -> str:
    return (
        f"KLEINE SAEGEREI AM BACH\nHolzliste der Woche\n{wood}\n{code}\nausgegeben an der Rampe\n{person}\nGut gesaegt!"
    )


FIRST, SECOND = slip("Buche gedaempft", "QX-4471", "Jolanda Meier"), slip("Esche weiss", "QX-9020", "Urs Brunner")
ANSWER = {"timber": "Buche gedaempft", "bundle": "QX-4471", "given_to": "Jolanda Meier"}
FIELDS = {"timber": OR_NULL, "bundle": OR_NULL, "given_to": OR_NULL}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with client_of_app(tmp_path_factory.mktemp("examples")) as client:
        yield client


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content) if not isinstance(content[0], str) else content[0]}


def shown(paper: Any, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [user(paper), {"role": "assistant", "content": json.dumps(answer)}]


def asked(client: httpx.Client, *messages: dict[str, Any], **properties: Any) -> Any:
    body = {"messages": [*messages], "response_format": schema_of(**(properties or FIELDS)), "evidence": True}
    response = client.post("/v1/chat/completions", json={"model": "auto", **body})
    assert response.status_code == 200, response.text
    return json.loads(content_of(response)), response.json()


def test_fields_are_found_where_an_example_has_them(client: httpx.Client) -> None:
    alone, _ = asked(client, user(SECOND))
    taught, body = asked(client, *shown(FIRST, ANSWER), user(SECOND))
    right = {"timber": "Esche weiss", "bundle": "QX-9020", "given_to": "Urs Brunner"}
    assert (alone == right, taught) == (False, right)
    assert {one["match"] for one in body["evidence"].values()} == {"example"}


def test_nothing_of_an_example_reaches_the_answer(client: httpx.Client) -> None:
    other = "Protokoll\nHeute kam der Bus um 9 Uhr, und es hat bis zum Abend geregnet."
    taught, _ = asked(client, *shown(FIRST, ANSWER), user(other))
    assert not set(taught.values()) & set(ANSWER.values())
