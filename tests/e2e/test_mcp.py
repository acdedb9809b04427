"""The tools of the Model Context Protocol, by its official client: over HTTP at `/mcp`, and on standard input."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import jsonschema
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ResourceLink, TextContent
from structlog.testing import capture_logs

from app.access.key_file import add_key
from app.mcp import server as mcp_server
from app.mcp.tools import MCP_TOOLS
from tests.conftest import each_case
from tests.e2e.conftest import data_url, ocr_request
from tests.e2e.full_model import PATH, FullModel, client_of_app, content_of, serving_full_model
from tests.kit.papers.pages import single_line
from tests.kit.servers.llm_server import Reply
from tests.kit.waits.waiting import until

KEY, OTHER = "test-key-1", "test-key-2"
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
"""The protocol with and without its handshake."""
ACCEPTED = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
PICTURE = data_url(single_line("Invoice 4711").encoded())
ORDER = "Invoice 4711\nDate: 2026-03-01\nTotal: 12.50 EUR"
SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "number"}, "date": {"type": "string"}},
    "required": ["total", "date"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullModel]:
    folder = tmp_path_factory.mktemp("mcp")
    settings = {"forecast": "auto", "translate": "auto", "extraction": "extractor", "cache": "exact"}
    with serving_full_model(
        api_keys=(KEY, OTHER),
        files_dir=str(folder / "files"),
        cache_url=f"sqlite:///{folder / 'answers.sqlite'}",
        **settings,
    ) as model:
        model.client.headers["authorization"] = f"Bearer {KEY}"
        yield model


@asynccontextmanager
async def connected(
    model: FullModel | httpx.Client, mode: str = "auto", key: str = KEY, *, forgets: bool = False
) -> AsyncIterator[Client]:
    base_url = str(model.base_url).rstrip("/")
    headers = {"authorization": f"Bearer {key}"} | ({"x-interfaze-zdr": "true"} if forgets else {})
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
        Client(streamable_http_client(f"{base_url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


def data_of(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def said(result: CallToolResult) -> str:
    assert result.is_error
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


@ERAS
async def test_tools_say_what_they_take_and_give(model: FullModel, mode: str) -> None:
    async with connected(model, mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert tools.keys() == MCP_TOOLS.keys() - {"code_sandbox"}, "it is switched off here"
    for tool in tools.values():
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        # Language models' servers refuse these at the top of what a tool takes.
        assert not {"anyOf", "oneOf", "allOf"} & tool.input_schema.keys()
    assert set(tools["ocr"].input_schema["properties"]) == {"source", "pages", "tables", "markdown", "instructions"}
    assert tools["web_search"].output_schema is not None
    assert tools["web_search"].output_schema["properties"]["results"]["type"] == "array"


@ERAS
async def test_a_tool_gives_what_the_task_gives_in_chat(model: FullModel, mode: str) -> None:
    chat = json.loads(content_of(model.client.post(PATH, json=ocr_request(PICTURE))))
    async with connected(model, mode) as client:
        result = await client.call_tool("ocr", {"source": PICTURE})
    assert data_of(result) == chat["result"]
    [text] = result.content
    assert isinstance(text, TextContent)
    assert json.loads(text.text) == chat["result"]


def pdf_of(pages: int) -> bytes:
    import io

    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(300, 300))
    for page in range(1, pages + 1):
        for line in range(20):
            canvas.drawString(20, 280 - 12 * line, f"Page {page}, line {line}: the quick brown fox jumps")
        canvas.showPage()
    canvas.save()
    return file.getvalue()


async def test_extract_gives_fields_with_their_sources(model: FullModel) -> None:
    async with connected(model) as client:
        found = data_of(await client.call_tool("extract", {"text": ORDER, "schema": SCHEMA}))
    assert found["data"] == {"total": 12.5, "date": "2026-03-01"}
    assert found["evidence"]["/total"]["text"] == "12.50"
    assert 0 <= found["evidence"]["/total"]["probability"] <= 1
    assert found["unsupported"] == []
    assert model.llm.requests == [], "no LLM is asked for what stands there"


@each_case(
    ("tool", "arguments", "field"),
    [
        ("ocr", {}, "source"),
        ("ocr", {"source": PICTURE, "langauge": "de"}, "langauge"),
        ("extract", {"text": "x", "schema": "no object"}, "schema"),
        ("ocr", {"source": "/etc/passwd"}, "source"),
        ("forecast", {"text": "1 2 3 4 5", "horizon": 300}, "horizon"),
        ("extract", {"text": "x", "schema": {"type": "strange"}}, "schema.type"),
    ],
)
async def test_what_is_wrong_is_told_to_the_model(
    model: FullModel, tool: str, arguments: dict[str, Any], field: str
) -> None:
    async with connected(model) as client:
        text = said(await client.call_tool(tool, arguments))
    assert f"'{field}'" in text
    assert "messages[" not in text
    assert "Traceback" not in text


async def test_what_is_too_large_for_an_event_is_a_file_of_the_key(
    model: FullModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_server, "LARGE", 2000)
    source = data_url(pdf_of(2), "application/pdf")
    async with connected(model) as client:
        result = await client.call_tool("ocr", {"source": source})
    file = data_of(result)["file"]
    [link] = [one for one in result.content if isinstance(one, ResourceLink)]
    assert (link.uri, link.size) == (file["uri"], file["bytes"])
    there = model.client.get(file["uri"])
    assert len(there.content) == file["bytes"]
    assert there.json()["total_pages"] == 2
    assert model.client.get(file["uri"], headers={"authorization": f"Bearer {OTHER}"}).status_code == 404


async def test_a_key_is_asked_for_and_its_limits_hold(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys_file = tmp_path / "keys.toml"
    reader, limited = (
        add_key(keys_file, "reader", {"tasks": ["ocr"]}),
        add_key(keys_file, "limited", {"requests_per_minute": 4}),
    )
    with client_of_app(tmp_path, keys_file=str(keys_file), llm="off") as client:
        refused = client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
        async with connected(client, key=reader) as mcp:
            assert [tool.name for tool in (await mcp.list_tools()).tools] == ["ocr"]
            assert "Invoice" in data_of(await mcp.call_tool("ocr", {"source": PICTURE}))["extracted_text"]
            assert "may not run 'forecast'" in said(
                await mcp.call_tool("forecast", {"text": "1 2 3 4 5", "horizon": 1})
            )
        async with connected(client, "2026-07-28", key=limited) as mcp:
            # To list the tools is a request, too.
            told = [await mcp.call_tool("ocr", {"source": PICTURE}) for _ in range(4)]
        assert [bool(one.is_error) for one in told] == [False, False, False, True]
        listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        key = {"authorization": f"Bearer {limited}"}
        for headers, sent in ((ACCEPTED, json.dumps(listing)), ({}, json.dumps(listing)), (ACCEPTED, "{bad")):
            spent = client.post("/mcp", content=sent, headers=headers | key)
            assert (spent.status_code, spent.json()["error"]["code"]) == (429, "rate_limit_exceeded")
            assert int(spent.headers["retry-after"]) > 0
        assert not [record for record in caplog.records if record.name.startswith("mcp")]
        metrics = client.get("/metrics", headers={"authorization": f"Bearer {limited}"}).text
        assert 'openfaze_requests_total{route="/mcp",status="200",task="ocr"}' in metrics


@ERAS
async def test_who_hangs_up_takes_the_work_along(mode: str) -> None:
    with serving_full_model(extraction="llm", api_keys=(KEY,)) as model:
        model.script(Reply(hang_before_first_byte=True))
        async with connected(model, mode) as client:
            call = asyncio.create_task(client.call_tool("extract", {"text": ORDER, "schema": SCHEMA}))
            await until(lambda: model.llm.requests)
            call.cancel()
            await asyncio.wait([call])
        # In the older protocol a client says that it does not want an answer any more to a server without sessions,
        # which cannot know what is meant: there only its leaving ends the work.
        await until(lambda: model.llm.cancelled)


ERROR_FIELDS = {"message", "type", "code", "param", "request_id"}


def post(client: httpx.Client, content: Any = None, id_: object = 1, **headers: str) -> httpx.Response:
    body = {"jsonrpc": "2.0", "id": id_, "method": "tools/list"}
    headers = {**ACCEPTED, **headers}
    return client.post("/mcp", content=json.dumps(body).encode() if content is None else content, headers=headers)


def test_a_page_that_makes_its_name_mean_this_machine_is_refused(tmp_path: Path) -> None:
    with client_of_app(tmp_path, llm="off") as client:
        assert post(client).status_code == 200
        for status, headers in (
            (403, {"host": "evil.example:80"}),
            (403, {"origin": "https://evil.example"}),
            (400, {"content-type": "text/plain"}),
        ):
            refused = post(client, **headers)
            assert (refused.status_code, set(refused.json()["error"])) == (status, ERROR_FIELDS)
        assert client.get("/mcp", headers={"accept": "text/event-stream"}).status_code == 405
    with client_of_app(tmp_path, llm="off", open=True) as client:
        assert post(client, host="gpu.example:443").status_code == 200


@each_case(
    "name", ["app.mcp.server.build_server", "mcp.server.streamable_http_manager.StreamableHTTPSessionManager.run"]
)
def test_a_start_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with client_of_app(tmp_path, llm="off") as client:
        with monkeypatch.context() as patch, capture_logs():  # the other server's log has no errors
            patch.setattr(name, lambda *_: 1 / 0)
            assert [post(client).status_code for _ in range(2)] == [500, 500]
        assert post(client).status_code == 200


@pytest.mark.deep
async def test_on_standard_input_files_of_given_folders_have_paths(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "page.png").write_bytes(single_line("Invoice 4711").encoded())
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "given" / "link.txt").symlink_to(tmp_path / "secret.txt")
    command = ["-c", "from app.cli.main import main; main()", "mcp", "--files", str(tmp_path / "given")]
    env = {
        **os.environ,
        "OPENFAZE_FILES_DIR": str(tmp_path / "files"),
        "OPENFAZE_HOST": "0.0.0.0",  # the command does not listen, so it needs no keys
        "OPENFAZE_LLM": "off",
    }
    async with Client(StdioServerParameters(command=sys.executable, args=command, env=env)) as client:
        page = str(tmp_path / "given" / "page.png")
        for source in (page, f"file://{page}"):
            assert data_of(await client.call_tool("ocr", {"source": source}))["extracted_text"] == "Invoice 4711"
        for source in (tmp_path / "secret.txt", tmp_path / "given" / "link.txt", f"{tmp_path}/given/../secret.txt"):
            assert "--files FOLDER" in said(await client.call_tool("ocr", {"source": str(source)}))
        missing = await client.call_tool("ocr", {"source": str(tmp_path / "given" / "no.png")})
        assert "cannot be read: No such file" in said(missing)
