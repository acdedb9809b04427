"""Answers the Model Context Protocol: lists the tools, and runs them through the pipeline of chat."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import mcp_types as types
import pydantic_core
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from app.access.admission import Admission
from app.assembly.services import Services
from app.chat.call import ChatCall, TimeLimit
from app.chat.render import Envelope, completion
from app.errors import (
    ApiError,
    BadRequest,
    PayloadTooLarge,
    rename_fields,
    report_error,
)
from app.events import Progress
from app.http.request import within
from app.mcp.tools import EXTRACT, FIELD_NAMES, FILE, LIST, MCP_TOOLS, SCHEMA, Extracted, McpTool, offered
from app.monitoring.metrics import Stages
from app.wire.parse import parse_off_loop
from app.wire.request import ChatRequest
from app.wire.response import ChatCompletion
from models.queues import KEY

LARGE = 512 * 1024
"""A result with more bytes than this becomes a file, because clients stop reading an event at 1 MiB."""
LARGEST_EVENT = 1 << 20
"""A result with more bytes than this that may not become a file is refused: clients would not read it, and the package
encodes it on the event loop."""
_REPEATED = 128 * 1024
"""A result of at most this size, in bytes, is repeated as text, for clients that do not read structured content."""
_PIECE = 256 * 1024
"""A file is written in pieces of this many bytes."""
_MAX_PICTURES = 16
_PURPOSE = "mcp_result"
INSTRUCTIONS = (
    "Tools that read documents, pictures, recordings and web pages with specialist models, and report where in the "
    "source each result was found. Use `extract` if you know which fields you want, and `ocr` for the whole text."
)

Report = Callable[[Progress], Awaitable[None]]


@dataclass(frozen=True)
class ToolContext:
    """The caller of a tool, and facts about the HTTP request."""

    admission: Admission = field(default_factory=Admission)
    stages: Stages = field(default_factory=Stages)
    request_id: str = "mcp"
    fresh: bool = False
    key: str = ""
    """Key by which queues let requests take turns."""
    files_url: str = ""
    """URL of the key's files, or "" if the caller does not use HTTP."""


async def _as_they_are(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return arguments


def build_server(
    services: Services,
    caller_of: Callable[[Any], ToolContext],
    prepare: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]] = _as_they_are,
) -> Server[Any]:
    """Return the protocol's server.

    `caller_of` returns the caller of an HTTP request; for standard input, its argument is None. `prepare` may change
    the arguments of a call before the tool runs, and may raise any error that the pipeline raises.
    """

    async def list_tools(context: Any, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        tools = offered(services.pipeline.task_names, caller_of(context.request).admission.caller.tasks)
        # Building the schemas takes half a second. In a thread, this delays only the first caller.
        return await asyncio.to_thread(_list_tools, tools)

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = MCP_TOOLS.get(params.name)
        tools = offered(services.pipeline.task_names)
        if tool is None or tool not in tools:
            names = ", ".join(one.name for one in tools)
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: '{params.name[:80]}'. There are: {names}.")

        async def report(progress: Progress) -> None:
            await context.session.report_progress(progress.done, progress.total or None, progress.stage)

        caller = caller_of(context.request)
        # The package runs tools in its own tasks. In each of them, the caller's key must be set again.
        KEY.set(caller.key)
        try:
            arguments = params.arguments or {}
            body = await asyncio.to_thread(tool.called_with, await prepare(arguments))
            return await _run_tool(services, tool, body, caller, report)
        except Exception as error:  # noqa: BLE001 - `report_error` logs bugs and faults
            public = report_error(error, "tool_failed", tool=tool.name)
            caller.stages.rejected = public.rejected
            return _error_result(public)

    return Server(
        "openfaze",
        version=version("openfaze"),
        title="openfaze",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _list_tools(tools: Sequence[McpTool]) -> types.ListToolsResult:
    return types.ListToolsResult(
        tools=[
            types.Tool(
                name=tool.name,
                description=tool.description,
                input_schema=tool.input_schema,
                output_schema=tool.output_schema,
                annotations=types.ToolAnnotations(
                    read_only_hint=True, destructive_hint=False, open_world_hint=tool.is_open_world
                ),
            )
            for tool in tools
        ]
    )


async def _run_tool(
    services: Services, tool: McpTool, body: dict[str, Any], caller: ToolContext, report: Report
) -> types.CallToolResult:
    completion = await _complete(services, body, caller, report)
    notes = completion.warnings or ()
    try:
        result = await asyncio.to_thread(_result, tool, completion)
    except ValueError:
        # A refusal by the guard is not JSON.
        text = completion.choices[0].message.content or ""
        return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
    return await _render(services, tool, result, caller, notes)


async def _complete(services: Services, body: dict[str, Any], caller: ToolContext, report: Report) -> ChatCompletion:
    """Return the answer to a chat request. Raises what the pipeline raises."""
    sent = await asyncio.to_thread(pydantic_core.to_json, body)
    chat = await parse_off_loop(ChatRequest, sent)
    limit_s = services.settings.request_timeout_s
    call = ChatCall(
        chat,
        caller.admission.caller,
        fresh=caller.fresh,
        stages=caller.stages,
        limit=TimeLimit.of(limit_s),
        admission=caller.admission,
    )
    envelope = Envelope(caller.request_id, int(time.time()), chat.model)
    return await within(limit_s, completion(services.pipeline.run(call), envelope, report=report))


def _result(tool: McpTool, answer: ChatCompletion) -> dict[str, Any]:
    """Return the structured content for an answer. Raises ValueError for an answer that is not JSON, and BadRequest for
    a schema that was filled by something else than an object."""
    content = answer.choices[0].message.content or ""
    extracted = pydantic_core.from_json(content, cache_strings="keys")
    if tool.name == EXTRACT:
        if not isinstance(extracted, dict):
            raise BadRequest("Field 'schema': should describe an object with 'properties'.", param=SCHEMA)
        fields = {"evidence": answer.evidence or {}, "unsupported": answer.unsupported or []}
        return Extracted(data=extracted, **fields).model_dump(mode="json")
    result = extracted["result"]
    return result if isinstance(result, dict) else {LIST: result}


async def _render(
    services: Services, tool: McpTool, result: dict[str, Any], caller: ToolContext, notes: Sequence[str]
) -> types.CallToolResult:
    """Return `result` as structured content, or as a file if it is large and may be stored."""

    def made() -> tuple[bytes, list[types.ImageContent]]:
        return pydantic_core.to_json(result), list(_pictures(result))

    coded, pictures = await asyncio.to_thread(made)
    if len(coded) > LARGEST_EVENT or (len(coded) > LARGE and not caller.fresh):
        return await _send_large(services, tool, coded, caller, notes)
    warnings = _as_content(notes)
    text = (
        coded.decode()
        if len(coded) <= _REPEATED
        else f"{len(coded)} bytes of JSON, in this result's structured content."
    )
    return types.CallToolResult(content=[types.TextContent(text=text), *pictures, *warnings], structured_content=result)


def _as_content(notes: Sequence[str]) -> list[types.TextContent]:
    return [types.TextContent(text=f"Note: {one}") for one in notes]


async def _send_large(
    services: Services, tool: McpTool, content: bytes, caller: ToolContext, notes: Sequence[str]
) -> types.CallToolResult:
    """Return the link to a file with a result as JSON. Raises PayloadTooLarge if the result may not be stored."""
    size = len(content)
    if caller.fresh:
        raise PayloadTooLarge(
            f"The result is {size} bytes of JSON; the limit for a request of which nothing is kept is {LARGEST_EVENT}. "
            "Ask for less, such as some pages, or send no 'x-interfaze-zdr' or 'x-interfaze-bypass-cache', so that the "
            "result can become a file."
        )
    async with services.files.writing(caller.admission.caller.tenant) as writing:
        for start in range(0, size, _PIECE):
            await writing.write(content[start : start + _PIECE])
        kept = await writing.publish(f"{tool.name}.json", _PURPOSE, services.files.limits.ttl_s or None)
    if caller.files_url:
        uri = f"{caller.files_url}/{kept.id}/content"
    else:
        path = services.files.storage.local_path(kept.name)
        uri = path.as_uri() if path else f"{services.settings.files_dir}/{kept.name}"
    link = types.ResourceLink(name=f"{tool.name}.json", uri=uri, mime_type="application/json", size=size)
    text = f"The result is {size} bytes of JSON: {uri}. Ask for less, such as some pages, to have it at once."
    return types.CallToolResult(
        content=[types.TextContent(text=text), link, *_as_content(notes)],
        structured_content={FILE: {"id": kept.id, "uri": uri, "bytes": size}},
    )


def _pictures(value: Any) -> Iterator[types.ImageContent]:
    """Yield the pictures that a result contains as data URLs."""
    found = 0
    waiting = [value]
    while waiting and found < _MAX_PICTURES:
        match waiting.pop():
            case dict() as one:
                waiting += reversed(one.values())
            case list() as many:
                waiting += reversed(many)
            case str() as text if text.startswith("data:image/"):
                kind, _, data = text.partition(";base64,")
                found += 1
                yield types.ImageContent(data=data, mime_type=kind.removeprefix("data:"))


def _error_result(error: ApiError) -> types.CallToolResult:
    """Return `error` as a tool's error. The part of an answer is a text of its own: clients check structured content
    against the tool's schema."""
    texts = [_error_text(error)]
    if error.partial is not None:
        texts.append(pydantic_core.to_json({"partial": error.partial}).decode())
    return types.CallToolResult(content=[types.TextContent(text=text) for text in texts], is_error=True)


def _error_text(error: ApiError) -> str:
    """Return the text of `error` for a model, with its code and, if known, the time after which to try again. Fields of
    the chat request have the names of the arguments."""
    retry_hint = f" Try again in {error.retry_after} seconds." if error.retry_after else ""
    return f"{rename_fields(error.message, FIELD_NAMES)} [{error.code}]{retry_hint}"
