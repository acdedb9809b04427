"""Serves the Model Context Protocol at `/mcp`, over streamable HTTP.

There are no sessions, so any of several servers may answer a request.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pydantic_core
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.assembly.services import Services
from app.errors import ApiError, BadRequest, BodyTooLarge, MethodNotAllowed, MisdirectedRequest, PayloadTooLarge
from app.http.request import asks_to_be_forgotten, read_body
from app.settings import Settings
from app.wire.parse import TooMuchJson, as_refusal, count_values, is_large, parse_json
from app.wire.problems import but_not
from tasks.inputs.limits import MB, megabytes

if TYPE_CHECKING:
    from app.mcp.server import ToolContext

PATH = "/mcp"
_CALL, _ARGUMENTS, _PROGRESS = "tools/call", "arguments", "progressToken"
LARGEST_CALL = 4 * MB
"""A request has at most this size, in bytes, because the protocol's server parses a request all at once. A larger
source has to be uploaded to `/v1/files`, and is then named by its id."""
MAX_BYTES_BESIDE, MAX_VALUES_BESIDE = 64 * 1024, 1_000
"""A request has at most this many bytes and values beside the arguments of a call, because the protocol's server
validates them on the event loop."""
_LONG_CHARS = 16 * 1024
"""A text that an answer would repeat has fewer characters than this."""
_INVALID_JSON = "invalid_json"
_PARSE_ERROR = -32700
"""Code of JSON-RPC for invalid JSON."""
_INVALID_REQUEST = -32600
"""Code of JSON-RPC for an invalid request."""
_INVALID_PARAMS = -32602
"""Code of JSON-RPC for invalid parameters of a method."""
_JSON, _EVENTS = "application/json", "text/event-stream"
_JSON_TYPES = frozenset({_JSON, "application/*", "*/*"})
_EVENT_TYPES = frozenset({_EVENTS, "text/*", "*/*"})
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


class _RefusedMessage(Exception):
    """Raised for a message that is not well-formed. `id` is the request's id, or None if the request has no usable
    id."""

    def __init__(self, error: ApiError, id_: str | int | None) -> None:
        super().__init__(error.message)
        self.error = error
        self.id = id_


@dataclass(frozen=True, slots=True)
class _RpcMessage:
    """A message for the protocol's server, which parses it on the event loop."""

    text: bytes | bytearray
    arguments: Mapping[str, Any] | None = None
    """Arguments that were taken out of a large call; None if they are in `text`."""


class Mount:
    """ASGI application at `/mcp`.

    The protocol's server is built for the first request, because building it takes a second and most servers never get
    such a request.
    """

    def __init__(self, settings: Settings, build: Callable[[Services], Any] | None = None) -> None:
        """Create the application. `build` makes the protocol's server, by default with this project's tools.

        Only the host names in `mcp_hosts` are accepted, as a protection against DNS rebinding, in which a web page's
        host name resolves to this machine. If `mcp_hosts` is empty, a server without keys accepts only the names of
        this machine, unless `open` is set. Other servers accept any name.
        """
        is_for_here = not (settings.api_keys or settings.keys_file or settings.open)
        self._hosts = frozenset(settings.mcp_hosts or (_LOCAL_NAMES if is_for_here else ()))
        self._build = build
        self._managers: dict[bool, Any] = {}
        """The protocol's servers. The one at True answers with plain JSON, and the other with streams of events."""
        self._starting: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if (refusal := self._find_refusal(request)) is not None:
            await _error_response(refusal, request)(scope, receive, send)
            return
        try:
            message = await self._read(request)
        except ApiError as error:
            await _error_response(error, request)(scope, receive, send)
            return
        except _RefusedMessage as refused:
            await _error_response(refused.error, request, refused.id)(scope, receive, send)
            return
        request.state.message = message
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(scope["app"].state.services))
        await asyncio.shield(self._starting)
        await self._handle(scope, _replay_body(bytes(message.text), receive), send)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the protocol's server answer the request.

        If the key's limits refuse the request when its answer begins, the server is cancelled, and the middleware
        answers. The package would log the exception as a fault, or answer it with status 500.
        """
        with anyio.CancelScope() as answering:

            async def send_unless_refused(message: Message) -> None:
                try:
                    await send(message)
                except ApiError:
                    answering.cancel()
                    await anyio.lowlevel.checkpoint()
                    raise

            scope, as_json = _with_both_types(scope)
            await self._managers[as_json].handle_request(scope, receive, send_unless_refused)

    async def _read(self, request: Request) -> _RpcMessage:
        """Return the message. A large one is read in a thread. Raises ApiError and _RefusedMessage."""
        try:
            body = await read_body(request, LARGEST_CALL)
        except BodyTooLarge:
            raise self._too_large(f"larger than {megabytes(LARGEST_CALL)}") from None
        if not is_large(body):
            _check_message(body)
            return _RpcMessage(body)
        try:
            return await asyncio.to_thread(_without_arguments, body)
        except TooMuchJson as error:
            raise as_refusal(error) from None

    def _find_refusal(self, request: Request) -> ApiError | None:
        if request.method != "POST":
            # Without sessions there is no stream to GET, and no session to DELETE.
            return MethodNotAllowed(f"{request.method} {PATH}: only POST is served here, there are no sessions.")
        for header in ("host", "origin") if self._hosts else ():
            name = _host_of(request.headers.get(header, ""))
            if name and name not in self._hosts:
                return MisdirectedRequest(
                    f"'{name[:100]}' in the header '{header}' is not one of this server's names: add it to "
                    "OPENFAZE_MCP_HOSTS.",
                    param=header,
                )
        kind = request.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != _JSON:
            return BadRequest(f"The header 'content-type' should be {_JSON}{but_not(kind)}", param="content-type")
        size = request.headers.get("content-length", "")
        if size.isdecimal() and int(size) > LARGEST_CALL:
            return self._too_large(megabytes(int(size)))
        return None

    def _too_large(self, size: str) -> BodyTooLarge:
        return BodyTooLarge(
            f"The request is {size}; the limit at {PATH} is {megabytes(LARGEST_CALL)}. Upload "
            "the file to /v1/files, and give its id as 'source'."
        )

    async def _start(self, services: Services) -> None:
        self._managers = await asyncio.to_thread(self._build_managers, services)
        started = asyncio.Event()
        self._running = asyncio.create_task(self._run(started))
        await started.wait()

    def _build_managers(self, services: Services) -> dict[bool, Any]:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from app.mcp.server import build_server

        server = self._build(services) if self._build else build_server(services, _build_context)
        return {
            as_json: StreamableHTTPSessionManager(
                server, json_response=as_json, stateless=True, max_request_body_size=LARGEST_CALL
            )
            for as_json in (False, True)
        }

    async def _run(self, started: asyncio.Event) -> None:
        """Run the managers in one task, because a task group must be left by the task that entered it."""
        async with self._managers[False].run(), self._managers[True].run():
            started.set()
            await self._stopping.wait()

    async def close(self) -> None:
        self._stopping.set()
        if self._running is not None:
            await asyncio.wait([self._running])


def _with_both_types(scope: Scope) -> tuple[Scope, bool]:
    """Return the scope for the protocol's server, which serves only clients that accept both JSON and events, and True
    if the client wants plain JSON: it accepts no events, or does not say what it accepts."""
    accepted = Headers(scope=scope).get("accept", "")
    types = {kind.partition(";")[0].strip().lower() for kind in accepted.split(",")}
    takes_events = not types.isdisjoint(_EVENT_TYPES)
    if accepted and not takes_events and types.isdisjoint(_JSON_TYPES):
        return scope, False  # The protocol's server refuses the request.
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept"]
    return {**scope, "headers": [*headers, (b"accept", f"{_JSON}, {_EVENTS}".encode())]}, not takes_events


def _without_arguments(text: bytearray) -> _RpcMessage:
    """Return the message in `text`, whose arguments are taken out if it is a call of a tool. Raises what
    `_check_message` raises."""
    body = _check_message(text)
    arguments = (body.get("params") or {}).get(_ARGUMENTS) or {} if body["method"] == _CALL else None
    return _RpcMessage(pydantic_core.to_json(_beside_arguments(body)), arguments)


def _beside_arguments(body: dict[str, Any]) -> dict[str, Any]:
    """Return a message without the arguments of a call."""
    params = body.get("params") or {}
    if body["method"] != _CALL or _ARGUMENTS not in params:
        return body
    return {**body, "params": {name: value for name, value in params.items() if name != _ARGUMENTS}}


def _check_message(text: bytearray) -> dict[str, Any]:
    """Return the object in `text`. Raises TooMuchJson, and _RefusedMessage if the message is not well-formed or has too
    much beside the arguments of a call.

    An invalid id is refused, too, because the package would take a request with an invalid id for a notification and
    send no answer.
    """
    try:
        body: Any = parse_json(text)
    except ValueError as error:
        raise _RefusedMessage(BadRequest(f"Invalid JSON: {error}", code=_INVALID_JSON), None) from None
    known = body.get("id") if isinstance(body, dict) else None
    if isinstance(known, bool) or not isinstance(known, str | int) or len(str(known)) >= _LONG_CHARS:
        known = None
    try:
        _check_form(body)
        _check_repeated(body)
        if known is None and "id" in body:
            reason = f"should be a string (a short one) or a whole number{but_not(body['id'])}"
            raise BadRequest(f"Field 'id': {reason}", param="id")
        _check_size(body)
    except (BadRequest, PayloadTooLarge) as error:
        raise _RefusedMessage(error, known) from None
    return dict(body)


def _check_form(body: Any) -> None:
    """Check the form of a JSON-RPC message.

    Raises BadRequest for a body that is neither a request nor a notification, and for a tool call with a missing or
    invalid field. In these cases, the package's own error would name classes of the package.
    """
    if not isinstance(body, dict):
        raise BadRequest("The body should be one message of JSON-RPC, which is an object.")
    if body.get("jsonrpc") != "2.0":
        raise BadRequest(f"Field 'jsonrpc': should be '2.0'{but_not(body.get('jsonrpc'))}", param="jsonrpc")
    if "result" in body or "error" in body:
        raise BadRequest("The body should be a request or a notification, not an answer.")
    if not isinstance(body.get("method"), str):
        raise BadRequest(f"Field 'method': should be a string{but_not(body.get('method'))}", param="method")
    params = body.get("params")
    if not isinstance(params, dict | None):
        raise BadRequest(f"Field 'params': should be an object{but_not(params)}", param="params")
    meta = (params or {}).get("_meta")
    if not isinstance(meta, dict | None):
        raise BadRequest(f"Field 'params._meta': should be an object{but_not(meta)}", param="params._meta")
    token = (meta or {}).get(_PROGRESS)
    if isinstance(token, bool) or not isinstance(token, str | int | None):
        reason = f"should be a string (a short one) or a whole number{but_not(token)}"
        raise BadRequest(f"Field 'params._meta.{_PROGRESS}': {reason}", param=f"params._meta.{_PROGRESS}")
    if body["method"] == _CALL:
        params = params or {}
        if not isinstance(params.get("name"), str):
            reason = f"should be the name of a tool{but_not(params.get('name'))}"
            raise BadRequest(f"Field 'params.name': {reason}", param="params.name")
        if not isinstance(params.get("arguments"), dict | None):
            reason = f"should be an object{but_not(params['arguments'])}"
            raise BadRequest(f"Field 'params.arguments': {reason}", param="params.arguments")


def _check_repeated(body: dict[str, Any]) -> None:
    """Raise BadRequest for a long string that an answer would repeat, perhaps many times."""
    params = body.get("params") or {}
    repeated = {
        "method": body["method"],
        "params.name": params.get("name"),
        f"params._meta.{_PROGRESS}": (params.get("_meta") or {}).get(_PROGRESS),
    }
    for field, value in repeated.items():
        if isinstance(value, str) and len(value) >= _LONG_CHARS:
            raise BadRequest(f"Field '{field}': should be a short string", param=field)


def _check_size(body: dict[str, Any]) -> None:
    """Raise PayloadTooLarge if there is more beside the arguments of a call than the package may validate."""
    text = pydantic_core.to_json(_beside_arguments(body))
    size = len(text)
    values = count_values(text) if size <= MAX_BYTES_BESIDE else 0
    for found, most, unit in ((size, MAX_BYTES_BESIDE, "bytes"), (values, MAX_VALUES_BESIDE, "values")):
        if found > most:
            reason = f"The request has {found} {unit} beside the 'arguments' of a call; the limit at {PATH} is {most}."
            raise PayloadTooLarge(reason, param="params")


def _replay_body(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` function that first returns `body`, which has already been read, and then the later
    messages."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received


def _error_response(error: ApiError, request: Request, id_: str | int | None = None) -> Response:
    """Return the error as a JSON-RPC message, the only form of error that the protocol's clients show. The message
    repeats `id_`, the request's id, so that the caller does not wait for another answer."""
    is_of_params = (error.param or "").partition(".")[0] == "params"
    code = _INVALID_PARAMS if is_of_params else _INVALID_REQUEST
    rpc_error = {
        "code": _PARSE_ERROR if error.code == _INVALID_JSON else code,
        "message": error.message,
        "data": error.body(request.state.request_id)["error"],
    }
    body = {"jsonrpc": "2.0", "id": id_, "error": rpc_error}
    headers = error.headers | ({"allow": "POST"} if isinstance(error, MethodNotAllowed) else {})
    return Response(pydantic_core.to_json(body), status_code=error.status, headers=headers, media_type=_JSON)


def _host_of(header: str) -> str:
    """Return the host in a Host or Origin header, without its port."""
    host = header.partition("://")[2] or header
    name, _, port = host.rpartition(":")
    return name if name and port.isdecimal() else host


def _build_context(request: Request) -> "ToolContext":
    from app.mcp.server import ToolContext

    state = request.state
    return ToolContext(
        state.admission,
        state.stages,
        state.request_id,
        asks_to_be_forgotten(request),
        state.key,
        f"{str(request.base_url).rstrip('/')}/v1/files",
        state.message.arguments,
    )
