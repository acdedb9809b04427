"""The official conformance tool of the Model Context Protocol, against a server with the tools that it expects behind
this project's mount."""

import asyncio
import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import mcp_types as types
import pytest
from mcp.server.lowlevel import Server

from app import main
from app.assembly.services import Services
from app.mcp.mount import Mount
from app.settings import Settings
from tests.e2e.full_model import serving_app
from tests.pages import single_line
from tests.recordings import beeps, plain_wav

pytestmark = pytest.mark.deep
TOOL = "@modelcontextprotocol/conformance@0.1.16"
NODE = "node@22"
"""The tool needs it; npm has the program itself."""
PASSED = (
    "server-initialize",
    "ping",
    "tools-list",
    "tools-call-simple-text",
    "tools-call-image",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-mixed-content",
    "tools-call-error",
    "tools-call-with-progress",
    "json-schema-2020-12",
    "dns-rebinding-protection",
)
ABSENT = {
    "logging-set-level": "no log messages are sent to clients",
    "tools-call-with-logging": "no log messages are sent to clients",
    "completion-complete": "no prompts, so nothing of them is completed",
    "tools-call-sampling": "a server without sessions cannot ask its client",
    "tools-call-elicitation": "a server without sessions cannot ask its client",
    "elicitation-sep1034-defaults": "a server without sessions cannot ask its client",
    "elicitation-sep1330-enums": "a server without sessions cannot ask its client",
    "server-sse-polling": "without sessions no stream is gone on with",
    "server-sse-multiple-streams": "without sessions no stream is gone on with",
    "resources-list": "files are read at /v1/files",
    "resources-read-text": "files are read at /v1/files",
    "resources-read-binary": "files are read at /v1/files",
    "resources-templates-read": "files are read at /v1/files",
    "resources-subscribe": "files are read at /v1/files",
    "resources-unsubscribe": "files are read at /v1/files",
    "prompts-list": "there are no prompts",
    "prompts-get-simple": "there are no prompts",
    "prompts-get-with-args": "there are no prompts",
    "prompts-get-embedded-resource": "there are no prompts",
    "prompts-get-with-image": "there are no prompts",
}
"""Scenarios of what this server does not offer, and says in its capabilities that it does not."""

IMAGE = types.ImageContent(data=base64.b64encode(single_line("x").encoded()).decode(), mime_type="image/png")
AUDIO = types.AudioContent(data=base64.b64encode(plain_wav(beeps(0.1, [0.05]))).decode(), mime_type="audio/wav")


def resource(uri: str, kind: str, text: str) -> types.EmbeddedResource:
    return types.EmbeddedResource(resource=types.TextResourceContents(uri=uri, mime_type=kind, text=text))


SAID: dict[str, list[types.ContentBlock]] = {
    "test_simple_text": [types.TextContent(text="This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [AUDIO],
    "test_embedded_resource": [resource("test://embedded-resource", "text/plain", "This is an embedded resource.")],
    "test_multiple_content_types": [
        types.TextContent(text="Multiple content types test:"),
        IMAGE,
        resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
    "test_error_handling": [types.TextContent(text="This tool intentionally returns an error for testing")],
    "test_tool_with_progress": [types.TextContent(text="done")],
}
ADDRESS = {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": ADDRESS},
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}


def fixtures(_services: Services) -> Server[Any]:
    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        plain = [types.Tool(name=name, description=name, input_schema={"type": "object"}) for name in SAID]
        kept = types.Tool(name="json_schema_2020_12_tool", description="Keeps its schema", input_schema=SCHEMA)
        return types.ListToolsResult(tools=[*plain, kept])

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name == "test_tool_with_progress":
            for done in (0, 50, 100):
                await context.session.report_progress(done, 100)
                await asyncio.sleep(0.05)
        return types.CallToolResult(content=SAID[params.name], is_error=params.name == "test_error_handling")

    return Server("fixtures", version="1", on_list_tools=list_tools, on_call_tool=call_tool)


@pytest.fixture(scope="module")
def conformance(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command."""
    if not (npm := shutil.which("npm")):
        pytest.skip("needs npm, which fetches the official conformance tool")
    folder = tmp_path_factory.mktemp("conformance")
    install = [npm, "install", "--no-save", "--silent", "--prefix", str(folder), TOOL, NODE]
    made = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
    if made.returncode:
        pytest.skip(f"npm cannot fetch the official conformance tool here: {made.stderr.strip()[-200:]}")
    modules = folder / "node_modules"
    return [str(modules / "node/bin/node"), str(modules / TOOL.rpartition("@")[0] / "dist/index.js")]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "Mount", lambda settings: Mount(settings, fixtures))
        with serving_app(Settings(_env_file=None, llm="off", search_provider=("off",))) as base_url:
            yield f"{base_url}/mcp"


def test_every_scenario_is_known(conformance: list[str]) -> None:
    listed = subprocess.run([*conformance, "list"], capture_output=True, text=True, timeout=60, check=True).stdout
    ours = listed.partition("Client scenarios")[0]
    assert set(re.findall(r"- (\S+) \[", ours)) == {*PASSED, *ABSENT}


@pytest.mark.parametrize("scenario", PASSED)
def test_scenario(scenario: str, conformance: list[str], server: str) -> None:
    command = [*conformance, "server", "--url", server, "--scenario", scenario]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"[1-9]\d*/[1-9]\d* passed|Passed: [1-9]", told.stdout), told.stdout
