"""Serves the Model Context Protocol at `/mcp` by its official package, over streamable HTTP.

There are no sessions, so any of several servers may answer a request.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from app.assembly.services import Services
from app.errors import ApiError, BadRequest, BodyTooLarge, MethodNotAllowed, PayloadTooLarge
from app.http.request import asks_to_be_forgotten, read_body, until_disconnect
from app.wire.parse import TooMuchJson, check_size, is_large
from models.concurrency import outlast
from tasks.inputs.limits import MB, megabytes

if TYPE_CHECKING:
    from app.mcp.server import ToolContext

MCP_PATH = "/mcp"
LARGEST_CALL = 4 * MB
"""A request has at most this size, in bytes, because the package parses a request on the event loop. A larger source
has to be uploaded to `/v1/files`, and is then named by its id."""
_JSON, _EVENTS = "application/json", "text/event-stream"
_EVENT_TYPES = frozenset({_EVENTS, "text/*", "*/*"})
_INVALID_REQUEST = -32600
"""Code of JSON-RPC for an invalid request."""


class Mount:
    """ASGI application at `/mcp`.

    The package's server is built for the first request, because building it takes a second and most servers never get
    such a request.
    """

    def __init__(self, build: Callable[[Services], Any] | None = None) -> None:
        """Create the application. `build` makes the protocol's server, by default with this project's tools."""
        self._build = build
        self._managers: dict[bool, Any] = {}
        """The package's servers. The one at True answers with plain JSON, and the other with streams of events."""
        self._starting: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "POST":
            # Without sessions there is no stream to GET, and no session to DELETE.
            raise MethodNotAllowed(f"{request.method} {MCP_PATH}: only POST is served here, there are no sessions.")
        if not request.headers.get("content-type", "").lower().startswith(_JSON):
            raise BadRequest(f"Header 'content-type': should be {_JSON}")
        try:
            body = await read_body(request, LARGEST_CALL)
            if is_large(body):
                await asyncio.to_thread(check_size, body)
        except BodyTooLarge:
            upload = "Upload the file to /v1/files, and give its id as 'source'."
            message = f"The request is larger than {megabytes(LARGEST_CALL)}, the limit at {MCP_PATH}. {upload}"
            await _too_large(request, message)(scope, receive, send)
            return
        except TooMuchJson as error:
            await _too_large(request, f"The request's JSON {error}.")(scope, receive, send)
            return
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(scope["app"].state.services))
        await outlast(self._starting)
        scope, as_json = _with_both_types(scope)
        handle, body_then_rest = self._managers[as_json].handle_request, _replay_body(bytes(body), receive)
        if as_json:
            # Before an answer in one piece, the package does not notice that the caller hangs up.
            answer: list[Message] = []

            async def keep(message: Message) -> None:
                answer.append(message)

            await until_disconnect(receive, handle(scope, body_then_rest, keep))
            for part in answer:
                await send(part)
            return
        # If the key's limits refuse the request when its answer begins, the package is cancelled, and the middleware
        # answers. The package would log the exception as a fault, or answer it with status 500.
        with anyio.CancelScope() as answering:

            async def send_unless_refused(message: Message) -> None:
                try:
                    await send(message)
                except ApiError:
                    answering.cancel()
                    await anyio.lowlevel.checkpoint()
                    raise

            await handle(scope, body_then_rest, send_unless_refused)

    async def _start(self, services: Services) -> None:
        """Build and start the package's servers. If this fails, the next request tries again."""
        try:
            self._managers = await asyncio.to_thread(self._build_managers, services)
            started = asyncio.get_running_loop().create_future()
            self._running = asyncio.create_task(self._run(started))
            await started
        except BaseException:
            self._starting = None
            raise

    def _build_managers(self, services: Services) -> dict[bool, Any]:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from app.mcp.server import build_server

        server = self._build(services) if self._build else build_server(services, _build_context)
        return {
            as_json: StreamableHTTPSessionManager(
                server,
                json_response=as_json,
                stateless=True,
                max_request_body_size=LARGEST_CALL,
            )
            for as_json in (False, True)
        }

    async def _run(self, started: "asyncio.Future[None]") -> None:
        """Run the managers in one task, because a task group must be left by the task that entered it."""
        try:
            async with self._managers[False].run(), self._managers[True].run():
                started.set_result(None)
                await self._stopping.wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    async def close(self) -> None:
        self._stopping.set()
        if self._running is not None:
            await asyncio.wait([self._running])


def _with_both_types(scope: Scope) -> tuple[Scope, bool]:
    """Return the scope for the package, which serves only clients that accept both JSON and events, and True if the
    client gets plain JSON, because it does not accept events."""
    accepted = Headers(scope=scope).get("accept", "")
    types = {kind.partition(";")[0].strip().lower() for kind in accepted.split(",")}
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept"]
    both = (b"accept", f"{_JSON}, {_EVENTS}".encode())
    return {**scope, "headers": [*headers, both]}, types.isdisjoint(_EVENT_TYPES)


def _replay_body(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` function that first returns `body`, which has already been read, and then the later
    messages."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received


def _too_large(request: Request, message: str) -> Response:
    """Return the refusal of a large request as a JSON-RPC message, the only form of error that clients show."""
    error = PayloadTooLarge(message)
    data = error.body(request.state.request_id)["error"]
    rpc_error = {"code": _INVALID_REQUEST, "message": error.message, "data": data}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": rpc_error}, error.status, error.headers)


def _build_context(request: Request) -> "ToolContext":
    from app.mcp.server import ToolContext

    state = request.state
    files_url = f"{str(request.base_url).rstrip('/')}/v1/files"
    return ToolContext(
        state.admission, state.stages, state.request_id, asks_to_be_forgotten(request), state.key, files_url
    )
