"""Tests that each door of the API gives the same fields of a paper, without a capable LLM."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import httpx
import openai
import pytest

from tests.e2e.batched import CHAT, LIMIT_S, RESPONSES, create, ended, rows
from tests.e2e.conftest import data_url
from tests.e2e.full_model import schema_of
from tests.e2e.test_mcp import ACCEPTED
from tests.kit.papers.pages import Page, blank_page, pasted, single_line
from tests.kit.servers.server import Server

TEXT: Final[dict[str, Any]] = {"type": ["string", "null"]}
NUMBER: Final[dict[str, Any]] = {"type": ["number", "null"]}
DATE: Final[dict[str, Any]] = {**TEXT, "format": "date"}
YES_NO: Final[dict[str, Any]] = {"type": ["boolean", "null"]}


class Paper(NamedTuple):
    text: str
    fields: Mapping[str, tuple[dict[str, Any], Any]]
    """Schemas and values by name; None for a field that the paper does not print."""
    is_picture: bool = False


PAPERS: Final = {
    "invoice": Paper(
        """Harrow & Finch Ltd
14 Mill Lane, Leeds LS1 4AB

INVOICE
Invoice no: HF-20931
Date: 12/05/2026
Due date: 11/06/2026

Net: 410.00
VAT 20%: 82.00
Total: 492.00 GBP
Paid: no""",
        {
            "invoice_number": (TEXT, "HF-20931"),
            "due_date": (DATE, "2026-06-11"),
            "total": (NUMBER, 492),
            "paid": (YES_NO, False),
            "order_number": (TEXT, None),
            "iban": (TEXT, None),
        },
    ),
    "receipt": Paper(
        """CAFE LUNARIA
Receipt: 83310
Date: 2026-07-19
Table: 12
2 Espresso 5.60
1 Toast 4.20
Total 9.80
Cash 20.00
Change 10.20""",
        {
            "receipt_number": (TEXT, "83310"),
            "date": (DATE, "2026-07-19"),
            "total": (NUMBER, 9.8),
            "change": (NUMBER, 10.2),
            "email": (TEXT, None),
        },
        is_picture=True,
    ),
}
EACH_PAPER = pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS)


@pytest.fixture
def client(own_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=own_server.base_url, timeout=300, trust_env=False) as client:
        yield client


def picture_of(paper: Paper) -> str:
    page: Page = blank_page(900, 60 * (len(paper.text.splitlines()) + 1))
    for number, line in enumerate(filter(None, paper.text.splitlines())):
        page = pasted(page, single_line(line), 40, 30 + 55 * number)
    return data_url(page.encoded())


def schema(paper: Paper) -> dict[str, Any]:
    return {name: form for name, (form, _) in paper.fields.items()}


def chat(client: httpx.Client, paper: Paper, order: str, **fields: Any) -> Any:
    """Return the message of an answer to an order about a paper."""
    content: Any = f"{order}\n\n{paper.text}"
    if paper.is_picture:
        image = {"type": "image_url", "image_url": {"url": picture_of(paper)}}
        content = [{"type": "text", "text": order}, image]
    body = {"model": "auto", "messages": [{"role": "user", "content": content}], **fields}
    return client.post("/v1/chat/completions", json=body).raise_for_status().json()["choices"][0]["message"]


def respond(client: httpx.Client, paper: Paper, order: str, **fields: Any) -> Any:
    said: Any = f"{order}\n\n{paper.text}"
    if paper.is_picture:
        image = {"type": "input_image", "image_url": picture_of(paper)}
        said = [{"role": "user", "content": [{"type": "input_text", "text": order}, image]}]
    body = {"model": "auto", "input": said, **fields}
    [item] = client.post("/v1/responses", json=body).raise_for_status().json()["output"]
    return item


def by_schema(client: httpx.Client, paper: Paper, order: str) -> str:
    return chat(client, paper, order, response_format=schema_of(**schema(paper)))["content"]


def by_tool(client: httpx.Client, paper: Paper, order: str) -> str:
    tool = {"type": "function", "function": {"name": "save", "parameters": plain(paper)}}
    [call] = chat(client, paper, order, tools=[tool], tool_choice="required")["tool_calls"]
    return call["function"]["arguments"]


def by_json_object(client: httpx.Client, paper: Paper, order: str) -> str:
    types = {"boolean": " (boolean)", "number": " (number)"}
    keys = ", ".join(name + types.get(form["type"][0], "") for name, form in schema(paper).items())
    order = f"{order} Return JSON with the keys {keys}."
    return chat(client, paper, order, response_format={"type": "json_object"})["content"]


def by_responses(client: httpx.Client, paper: Paper, order: str) -> str:
    form = {"type": "json_schema", "name": "fields", "schema": plain(paper)}
    return respond(client, paper, order, text={"format": form})["content"][0]["text"]


def by_tool_of_responses(client: httpx.Client, paper: Paper, order: str) -> str:
    tool = {"type": "function", "name": "save", "parameters": plain(paper)}
    return respond(client, paper, order, tools=[tool], tool_choice="required")["arguments"]


def by_mcp(client: httpx.Client, paper: Paper, order: str) -> str:
    read = {"source": picture_of(paper)} if paper.is_picture else {"text": paper.text}
    arguments = {**read, "instructions": order, "schema": plain(paper)}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "extract", "arguments": arguments}}
    said = client.post("/mcp", json=call, headers=ACCEPTED).raise_for_status().text
    [event] = [line.removeprefix("data:") for line in said.splitlines() if line.startswith("data:")]
    return json.dumps(json.loads(event)["result"]["structuredContent"]["data"])


def plain(paper: Paper) -> dict[str, Any]:
    found: dict[str, Any] = schema_of(**schema(paper))["json_schema"]["schema"]
    return found


DOORS: Final[dict[str, Callable[[httpx.Client, Paper, str], str]]] = {
    "schema": by_schema,
    "tool": by_tool,
    "json_object": by_json_object,
    "Responses": by_responses,
    "tool of Responses": by_tool_of_responses,
    "MCP": by_mcp,
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@EACH_PAPER
def test_a_paper_has_the_same_fields_by_every_door(
    client: httpx.Client, paper: Paper, door: Callable[[httpx.Client, Paper, str], str]
) -> None:
    expected = {name: value for name, (_, value) in paper.fields.items()}
    assert json.loads(door(client, paper, "Extract the fields.")) == expected


def test_an_error_about_a_missing_field_has_the_others_by_every_door(client: httpx.Client) -> None:
    fields = {"invoice_number": {"type": "string"}, "website": {"type": "string", "format": "uri"}}
    form = schema_of(**fields)
    text = PAPERS["invoice"].text
    body = {"model": "auto", "messages": [{"role": "user", "content": text}], "response_format": form}
    expected = {"invoice_number": "HF-20931", "website": None}

    def error_of(path: str, body: dict[str, Any]) -> Any:
        refused = client.post(path, json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "not_found_in_input")
        return refused.json()["error"]

    assert error_of(CHAT, body)["partial"] == error_of(CHAT, {**body, "stream": True})["partial"] == expected
    asked = {"model": "auto", "input": text, "text": {"format": {"type": "json_schema", **form["json_schema"]}}}
    assert error_of(RESPONSES, asked)["partial"] == expected

    arguments = {"text": text, "schema": form["json_schema"]["schema"]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "extract", "arguments": arguments}}
    said = client.post("/mcp", json=call, headers=ACCEPTED).raise_for_status().text
    [event] = [line.removeprefix("data:") for line in said.splitlines() if line.startswith("data:")]
    result = json.loads(event)["result"]
    assert result["isError"]
    assert json.loads(result["content"][1]["text"]) == {"partial": expected}

    with openai.OpenAI(base_url=f"{client.base_url}/v1", api_key="none", max_retries=0, timeout=LIMIT_S) as batches:
        batch = ended(batches, create(batches, {"custom_id": "a", "method": "POST", "url": CHAT, "body": body}))
        row = rows(batches, batch.error_file_id)["a"]
    assert row["response"]["body"]["error"]["partial"] == expected
