"""The HTTP client for an OpenAI-compatible server: connections, retries and time limits."""

import asyncio
import base64
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import pydantic_core
from httpx_aiohttp import AiohttpTransport
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from models.certificates import trusted
from models.language.llm import LlmBroke, LlmError, LlmLate, LlmOverloaded, LlmSilent, LlmUnavailable
from models.language.openai_address import api_url, proxy_for
from models.language.openai_faults import ServerError, error_of, seconds_until
from models.language.server_dialect import ServerDialect
from models.language.silence_alarm import SilenceAlarm

AGENT = "openfaze"

BROKEN_CONNECTION = "connection broken"
"""The `reason` of an error begins with this if the connection was lost in the middle of an answer."""

KEEP_ALIVE_S = 4.0
"""An idle connection is closed after this many seconds. After 5 s, uvicorn (vLLM, SGLang) would close it, perhaps at
the moment when the next call uses it."""

ERROR_BYTES = 65536
"""A call's response with a status other than 200 is read until it has at least this many bytes."""

_PIECE_BYTES = 256 * 1024
"""A larger body of a call is written in pieces of this many bytes, because writing it at once would block the event
loop."""

CONNECTION_ERRORS = (httpx.TransportError, aiohttp.ClientError)
"""Errors that the transport raises. Errors of aiohttp that the transport does not translate arrive unchanged."""
_TRACE = TraceContextTextMapPropagator()
"""Writes `traceparent` into a call's headers if the client's request has this header, or is traced by this server."""


@dataclass(frozen=True, slots=True)
class ServerPatience:
    """Time limits for a server, in seconds, and the number of retries."""

    connect_s: float = 5.0
    """Longest wait for a connection, name resolution included."""
    first_byte_s: float = 120.0
    """Longest wait from a call to the first byte of its answer, retries included. During this time, the server queues
    the call and reads the prompt."""
    silence_s: float = 60.0
    """Longest wait between two pieces of an answer."""
    retries: int = 2
    """Number of retries of a call that failed before its first byte."""
    backoff_s: float = 0.25
    """Wait before the first retry. The wait before the second is twice as long. Both are shortened at random by up to
    half, so that callers do not retry at the same time."""
    longest_retry_after_s: float = 2.0
    """A server may demand at most this wait before a retry. If it demands a longer wait, the call fails at once."""
    question_s: float = 30.0
    """Longest wait for the answer to a question that tests an ability of the server. It is short, because the answer
    has at most 16 tokens and the server has already answered a plain question."""
    drain_s: float = 0.1
    """Longest wait for the end of the body after the end of the answer, so that the connection can be used again."""


class OpenAiHttp:
    """HTTP client for one server. An object of this class belongs to the event loop in which it is first used."""

    def __init__(self, base_url: str, api_key: str | None, patience: ServerPatience) -> None:
        url = api_url(base_url)
        # The credentials of the URL are sent only in a header. httpx would leave them in the URL as well, and aiohttp
        # refuses a request that has them in both places.
        self.url = url.copy_with(userinfo=b"")
        self.patience = patience
        self._chat_url = self.url.copy_with(path=f"{self.url.path}/chat/completions")
        self._api_key = api_key
        # The server is asked not to compress, because compressing an event stream takes time and delays its pieces.
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if api_key:
            self._headers["authorization"] = f"Bearer {api_key}"
        elif url.userinfo:
            credentials = f"{url.username}:{url.password}".encode()
            self._headers["authorization"] = f"Basic {base64.b64encode(credentials).decode()}"
        # 0 means no limit to aiohttp. With None, aiohttp's own limit of 100 would apply, and the next stream would wait
        # until another one ends.
        limits = httpx.Limits(max_connections=0, keepalive_expiry=KEEP_ALIVE_S)
        self._transport = AiohttpTransport(verify=trusted(), limits=limits, proxy=proxy_for(self.url))
        # The transport uses the limit `pool` for resolving names and `connect` for connecting. The answer has its own
        # deadlines.
        timeouts = httpx.Timeout(None, connect=patience.connect_s, pool=patience.connect_s)
        self._extensions = {"timeout": timeouts.as_dict()}
        self._client = httpx.AsyncClient(
            transport=self._transport, headers={**self._headers, "user-agent": AGENT}, timeout=timeouts
        )
        self._dialect = ServerDialect()

    async def chat(self, body: Mapping[str, Any], agent: str, first_byte_by: float) -> httpx.Response:
        """Return the response to a call. It has status 200, its body is unread, and the caller has to close it.

        The call is repeated if the connection fails (unless it timed out), if the server is busy, or if a gateway fails
        (502, 504). If the server does not know an option, the call is repeated without this option. Raises LlmError.
        """
        spoken = self._dialect.translate(body)
        content = pydantic_core.to_json(spoken)
        retries = 0
        while True:
            failure: LlmError
            wait: float | None
            try:
                async with asyncio.timeout_at(first_byte_by):
                    response = await self._send(content, agent)
                    if response.status_code == 200:
                        return response
                    complaint = await self._read_error(response)
            except CONNECTION_ERRORS as error:
                failure = self._unreachable(error, retries + 1)
                wait = None if _timed_out(error) else self._backoff(retries)
            except TimeoutError:
                raise _late_error() from None
            else:
                if response.status_code in (400, 422) and self._dialect.drop_refused_option(spoken, complaint):
                    content = pydantic_core.to_json(spoken)
                    continue
                retry_after = response.headers.get("retry-after")
                failure = error_of(response.status_code, complaint, retry_after, response.headers.get("content-type"))
                passing = isinstance(failure, LlmOverloaded) or response.status_code in (502, 504)
                wait = self._wait(retries, seconds_until(retry_after)) if passing else None
            if wait is None or retries == self.patience.retries:
                raise failure
            retries += 1
            await asyncio.sleep(wait)

    def options_left_out(self, options: Iterable[str]) -> list[str]:
        """Return those of `options` that the server has refused, and does not get any more."""
        return self._dialect.options_left_out(options)

    async def body(self, response: httpx.Response, first_byte_by: float) -> AsyncGenerator[bytes, None]:
        """Yield the body in the pieces in which it arrives, and close the response. Raises LlmLate if the body does not
        begin in time, LlmSilent if it falls silent, and LlmBroke if it breaks off."""
        hanging_up: list[asyncio.Task[None]] = []

        def hang_up() -> None:
            hanging_up.append(asyncio.create_task(response.aclose()))

        alarm = SilenceAlarm(first_byte_by, self.patience.silence_s, hang_up)
        # The response is closed explicitly, because the garbage collector would close the connection only after the
        # caller has left.
        async with contextlib.aclosing(response), contextlib.aclosing(_stream_of(response)) as pieces:
            try:
                async for piece in pieces:
                    alarm.heard()
                    yield piece
                    alarm.listen()
            except CONNECTION_ERRORS as error:
                if not alarm.rang:
                    raise LlmBroke(
                        f"The LLM server broke the connection: {type(error).__name__}.",
                        reason=f"{BROKEN_CONNECTION} ({type(error.__cause__ or error).__name__})",
                    ) from error
                if not alarm.begun:
                    raise _late_error() from None
                raise LlmSilent("The LLM server fell silent halfway.", reason="silence halfway") from None
            finally:
                alarm.stop()

    async def request_json(self, method: str, url: httpx.URL, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON that the server sends for `url`; None if it sends something else or has nothing there. Raises
        LlmError."""
        try:
            async with asyncio.timeout(self.patience.first_byte_s):
                response = await self._client.request(method, url, json=body)
        except CONNECTION_ERRORS as error:
            raise self._unreachable(error) from error
        except TimeoutError:
            raise _late_error() from None
        if response.status_code in (404, 405):
            return None
        if response.status_code != 200:
            complaint = ServerError.read(response.content)
            headers = response.headers
            raise error_of(response.status_code, complaint, headers.get("retry-after"), headers.get("content-type"))
        try:
            return pydantic_core.from_json(response.content)
        except ValueError:
            return None

    async def close(self) -> None:
        await self._client.aclose()

    async def _send(self, content: bytes, agent: str) -> httpx.Response:
        headers = {**self._headers, "user-agent": agent}
        _TRACE.inject(headers)
        body: dict[str, Any] = {"content": content}
        if len(content) > _PIECE_BYTES:
            # The length is set explicitly, because httpx knows only the length of a body that it gets as a whole.
            body = {"stream": _PiecewiseBody(content)}
            headers["content-length"] = str(len(content))
        request = httpx.Request("POST", self._chat_url, headers=headers, extensions=self._extensions, **body)
        return await self._transport.handle_async_request(request)

    async def _read_error(self, response: httpx.Response) -> ServerError:
        body = b""
        async with contextlib.aclosing(response), contextlib.aclosing(_stream_of(response)) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) >= ERROR_BYTES:
                    break
        # The key is removed, because some servers quote the key that they refuse.
        return ServerError.read(body.replace(self._api_key.encode(), "…".encode()) if self._api_key else body)

    def _backoff(self, retries: int) -> float:
        longest: float = self.patience.backoff_s * 2**retries
        return longest * random.uniform(0.5, 1)  # noqa: S311 - it spreads the retries of callers, and protects no secret

    def _wait(self, retries: int, retry_after_s: float | None) -> float | None:
        """Return the seconds to wait before the next try; None if the server demands too long a wait."""
        if retry_after_s is None:
            return self._backoff(retries)
        return retry_after_s if retry_after_s <= self.patience.longest_retry_after_s else None

    def _unreachable(self, error: Exception, tries: int = 1) -> LlmUnavailable:
        why = f"{_connection_failure(error)} (tried {'once' if tries == 1 else f'{tries} times'})"
        remedy = "Start the LLM server, or correct OPENFAZE_LLM_BASE_URL. `openfaze doctor` tests the connection."
        address = self.url.copy_with(username=None, password=None, query=None)
        failure = LlmUnavailable(
            f"The LLM server at {address} cannot be reached: {error or type(error).__name__}",
            reason=f"no connection ({type(error.__cause__ or error).__name__})",
            public=f"The language model cannot be reached: {why}. {remedy}",
        )
        failure.for_operator = f"The language model at {address} cannot be reached: {why}. {remedy}"
        failure.__cause__ = error
        return failure


def _connection_failure(error: Exception) -> str:
    """Return why a connection failed, as a clause without addresses."""
    match error.__cause__ or error:
        case aiohttp.ClientConnectorDNSError():
            return "there is no host of that name"
        case aiohttp.ClientSSLError():
            return "no secure connection could be made"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return "nothing listens at its address"
        case TimeoutError():
            return "no connection could be made in time"
        case _:
            return "the connection failed"


class _PiecewiseBody(httpx.AsyncByteStream):
    """A body that is written piece by piece, as the server accepts it. Writing a large body at once would block the
    event loop."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), _PIECE_BYTES):
            yield self._content[start : start + _PIECE_BYTES]


def _late_error() -> LlmLate:
    return LlmLate("The LLM server did not begin its answer in time.", reason="no answer in time")


def _stream_of(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield the body in the pieces in which it arrives. Raises CONNECTION_ERRORS."""
    return aiter(response.stream)  # type: ignore[arg-type]  # an async generator, which httpx's type leaves open


def _timed_out(error: Exception) -> bool:
    """True if the connection was not made in time. httpx-aiohttp calls every lost connection a ConnectTimeout; only the
    cause distinguishes a real time-out."""
    return isinstance(error.__cause__, TimeoutError)
