"""Scripted OpenAI-compatible server on loopback, fast enough to measure the parts in front of it.

Its HTTP is real, but only as complete as needed.

In a test::

    with serving_llm([Reply("Paris."), Reply(status=503)]) as llm:
        OpenAiServer(llm.base_url)
        assert llm.requests[0].body["messages"]
"""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import httptools
import uvloop

from models.language.llm import Abilities
from tests.kit.servers.llm_replies import MODEL, Call, Reply

__all__ = ["Call", "LlmServer", "Reply", "Request", "serving_llm"]

Script = Sequence[Reply] | Callable[[dict[str, Any]], Reply] | None
"""Replies in order, one per call, or a function from a call's body to its reply. None: the reply is always `ok`."""

OK = Reply("ok")
ABLE = Abilities(vision=True, tools=True, json_schema=True, context_tokens=32768)
LIMIT_S = 60.0
"""Longest wait for an event that normally happens at once, in seconds, however busy the machine is."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    """Decoded JSON, or None if there is no body."""
    moment: float
    """Time by `time.monotonic` at which the request had arrived whole."""


@dataclass
class LlmServer:
    script: Script
    probe_reply: Callable[[dict[str, Any]], Reply]
    """Function that replies to probes of the server's abilities. Probes are recognised by their user agent."""
    routes: Mapping[str, object]
    """JSON of other paths, whatever the method."""
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    """Chat calls, in the order of their arrival."""
    probes: list[Request] = field(default_factory=list)
    """All other requests: probes of the server's abilities."""
    cancelled: list[float] = field(default_factory=list)
    """Times (`time.monotonic`) at which a client hung up before its reply was complete."""
    connections: "set[_Connection]" = field(default_factory=set)
    """Connections that are open now."""
    accepted: int = 0
    """Number of connections since the start."""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def wait_for_requests(self, count: int = 1, within_s: float = LIMIT_S) -> None:
        """Block until `count` chat calls have arrived. A coroutine calls this function by `asyncio.to_thread`."""
        self.wait_until(lambda: len(self.requests) >= count, within_s)

    def wait_for_cancelled(self, count: int = 1, within_s: float = LIMIT_S) -> None:
        """Block until `count` calls were cancelled. A coroutine calls this function by `asyncio.to_thread`."""
        self.wait_until(lambda: len(self.cancelled) >= count, within_s)

    def reply_to(self, request: Request) -> Reply:
        if "probe" in request.headers.get("user-agent", ""):
            self._note(self.probes, request)
            return self.probe_reply(request.body)
        self._note(self.requests, request)
        if self.script is None:
            return OK
        if callable(self.script):
            return self.script(request.body)
        if len(self.requests) > len(self.script):
            return Reply(status=400, error=f"the script has only {len(self.script)} replies")
        return self.script[len(self.requests) - 1]

    def other(self, request: Request) -> object:
        """Return the JSON of another path, or None."""
        self._note(self.probes, request)
        return self.routes.get(request.path)

    def note_cancelled(self) -> None:
        self._note(self.cancelled, time.monotonic())

    def _note(self, where: list[Any], what: object) -> None:
        with self._changed:
            where.append(what)
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool], within_s: float = LIMIT_S) -> None:
        """Block until the requests so far fulfil the condition. A coroutine calls this function by
        `asyncio.to_thread`."""
        with self._changed:
            if not self._changed.wait_for(condition, within_s):
                raise TimeoutError(f"it did not happen within {within_s} s")


def _reply_to_probe(abilities: Abilities, body: dict[str, Any]) -> Reply:
    """Return the reply of a server with exactly these abilities."""
    if "image_url" in json.dumps(body["messages"]):
        seen = {"prompt_tokens": 90, "completion_tokens": 1, "total_tokens": 91}
        return Reply("ok", usage=seen) if abilities.vision else Reply(status=400, error="no image input")
    if "tools" in body:
        name = body["tools"][0]["function"]["name"]
        return Reply(tool_calls=[Call(name)]) if abilities.tools else Reply(status=400, error="no tools")
    if "response_format" in body:
        return Reply('{"ok": "yes"}') if abilities.json_schema else Reply("Hello!")
    return OK


class _Connection(asyncio.Protocol):
    """One keep-alive connection of HTTP/1.1, without pipelining."""

    def __init__(self, server: LlmServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._answering: asyncio.Task[None] | None = None
        self._pending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The transports of uvloop are no subclass.
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)
        self._server.accepted += 1

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def on_url(self, url: bytes) -> None:
        self._path = url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body = json.loads(self._body or b"null")
        method = self._parser.get_method().decode()
        request = Request(method, self._path, self._headers, body, time.monotonic())
        if self._path.endswith("/chat/completions"):
            self._answer(self._server.reply_to(request), body)
        elif (other := self._server.other(request)) is not None:
            self._send_whole(200, json.dumps(other).encode())
        else:
            self._send_whole(404, b'{"error": {"message": "Not found"}}')

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        if self._answering is not None:
            self._answering.cancel()
        if self._pending:
            self._server.note_cancelled()

    def abort(self) -> None:
        """Close the connection from this side, so that it does not count as cancelled by the client."""
        self._pending = False
        self._transport.abort()

    def _answer(self, reply: Reply, body: Mapping[str, Any]) -> None:
        if reply.hang_before_first_byte:
            self._pending = True
        elif reply.status != 200:
            after = "" if reply.retry_after is None else f"retry-after: {reply.retry_after:g}\r\n"
            half = reply.hang_after == 0 or reply.cut_after == 0
            self._send_whole(reply.status, reply.failure(), after, half=half, content_type=reply.content_type)
            if reply.cut_after == 0:
                self._transport.close()
        elif reply.body is not None:
            self._send_whole(200, reply.body, content_type=reply.content_type)
        elif body.get("stream") and not reply.ignores_stream:
            options = body.get("stream_options") or {}
            events = reply.stream(include_usage=bool(options.get("include_usage")))
            self._stream(reply, events)
        else:
            self._send_whole(200, reply.completion)

    def _stream(self, reply: Reply, events: list[bytes]) -> None:
        ends = [end for end in (reply.hang_after, reply.cut_after) if end is not None]
        events = events[: min(ends)] if ends else events
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        self._pending = True
        if reply.delay_s or reply.gate:
            self._answering = asyncio.get_running_loop().create_task(self._drip(reply, head, events))
        else:
            self._transport.writelines([head, *map(_http_chunk, events)])
            self._end_stream(reply)

    async def _drip(self, reply: Reply, head: bytes, events: list[bytes]) -> None:
        self._transport.write(head)
        if reply.gate:
            await reply.gate.wait()
        for event in events:
            await asyncio.sleep(reply.delay_s)
            self._transport.write(_http_chunk(event))
        self._end_stream(reply)

    def _end_stream(self, reply: Reply) -> None:
        if reply.hang_after is not None:
            return
        self._pending = False
        if reply.cut_after is not None:
            self._transport.close()
        else:
            self._transport.write(b"0\r\n\r\n")

    def _send_whole(
        self,
        status: int,
        body: bytes,
        headers: str = "",
        *,
        half: bool = False,
        content_type: str = "application/json",
    ) -> None:
        head = f"HTTP/1.1 {status} -\r\ncontent-type: {content_type}\r\n{headers}content-length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + (body[: len(body) // 2] if half else body))


def _http_chunk(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


@contextlib.contextmanager
def serving_llm(
    script: Script = None,
    *,
    model: str = MODEL,
    abilities: Abilities = ABLE,
    routes: Mapping[str, object] | None = None,
    port: int = 0,
) -> Iterator[LlmServer]:
    """Run the server in a thread of its own, on `port` or a free port, until the block ends."""
    listed = {"id": model, "object": "model", "owned_by": "vllm", "max_model_len": abilities.context_tokens}
    models = {"/v1/models": {"object": "list", "data": [listed]}}
    server = LlmServer(script, partial(_reply_to_probe, abilities), models if routes is None else routes, port=port)
    loop = uvloop.new_event_loop()
    stop = loop.create_future()
    started = threading.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(server, stop, started.set),))
    thread.start()
    try:
        started.wait()
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set_result, None)
        thread.join()
        loop.close()


async def _serve(server: LlmServer, stop: "asyncio.Future[None]", on_start: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: _Connection(server), "127.0.0.1", server.port)
    server.port = listening.sockets[0].getsockname()[1]
    on_start()
    try:
        await stop
    finally:
        listening.close()
        for connection in list(server.connections):
            connection.abort()
        while server.connections:
            await asyncio.sleep(0)
