"""The HTTP client for an OpenAI-compatible server: connections, retries, time limits, and the JSON in an answer."""

import asyncio
import base64
import contextlib
import ipaddress
import random
import re
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import pydantic_core
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from models.base import media_type_of
from models.certificates import trusted
from models.concurrency import Deadline, TimeIsUp
from models.language.llm import LlmBroke, LlmError, LlmLate, LlmOverloaded, LlmSilent, LlmUnavailable
from models.language.openai_dialect import ServerDialect
from models.language.openai_faults import PAGES, ServerError, empty_answer, error_of, not_an_api, seconds_until

AGENT = "openfaze"
BROKEN_CONNECTION = "connection broken"
"""The `reason` of an error begins with this if the connection was lost in the middle of an answer."""
NO_CONNECTION = "no connection"
"""The `reason` of an error begins with this if no connection to the server could be made."""
KEEP_ALIVE_S = 4.0
"""An idle connection is closed after this many seconds. After 5 s, uvicorn (vLLM, SGLang) would close it, perhaps at
the moment when the next call uses it."""
ERROR_BYTES = 65536
"""A call's response with a status other than 200 is read until it has at least this many bytes."""
LONGEST_EVENT = 1024 * 1024
"""An event has at most this many bytes. An LLM's event usually has a few hundred."""
LONGEST_BODY = 16 * 1024 * 1024
_PIECE_BYTES = 256 * 1024
"""A larger body of a call is written in pieces of this many bytes, because writing it at once would block the event
loop."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EVENT_END = re.compile(rb"\r?\n\r?\n")
STREAM_END = b"[DONE]"
"""Document behind the last chunk of an answer."""
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
    """Longest wait for the answer to a question that tests an ability of the server."""
    drain_s: float = 0.1
    """Longest wait for the end of the body after the end of the answer, so that the connection can be used again."""


class OpenAiHttp:
    """HTTP client for one server. An object of this class belongs to the event loop in which it is first used."""

    def __init__(self, base_url: str, api_key: str | None, patience: ServerPatience) -> None:
        url = api_url(base_url)
        # The credentials of the URL are sent only in a header: aiohttp refuses a request that has them in both places.
        self.url = url.copy_with(userinfo=b"")
        self._chat_url = self.url.copy_with(path=f"{self.url.path}/chat/completions")
        self.patience = patience
        self.outage: str | None = None
        """Sentence for clients on why the last try to reach the server failed; None if it succeeded."""
        self.dialect = ServerDialect()
        self._api_key = api_key
        # The server is asked not to compress, because compressing an event stream delays its pieces.
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if api_key:
            self._headers["authorization"] = f"Bearer {api_key}"
        elif url.userinfo:
            credentials = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
            self._headers["authorization"] = f"Basic {credentials}"
        self._proxy = proxy_for(self.url)
        self._session: aiohttp.ClientSession | None = None

    async def documents(
        self, body: Mapping[str, Any], agent: str, first_byte_by: float
    ) -> AsyncGenerator[Sequence[bytes], None]:
        """Call the LLM, and yield the JSON of the chunks of its answer, those together that arrive together, and
        STREAM_END as the last if the server sends it. Raises LlmError."""
        with self._reaching():
            response = await self._call(body, agent, first_byte_by)
        content_type = response.headers.get("content-type")
        media_type = media_type_of(content_type)
        is_json = media_type == "application/json"
        rest, has_said, is_empty = b"", False, True
        with Deadline(first_byte_by) as deadline:
            async with response:
                while piece := await self._next_piece(response, deadline, has_begun=not is_empty):
                    is_empty = False
                    if media_type in PAGES:
                        break
                    rest += piece
                    events = [] if is_json else _EVENT_END.split(rest)
                    rest = events.pop() if events else rest
                    documents = [document for event in events if (document := _data_of(event))]
                    if STREAM_END in documents:
                        yield documents[: documents.index(STREAM_END) + 1]
                        await self._drain(response)
                        return
                    if documents:
                        has_said = True
                        yield documents
                    if len(rest) > (LONGEST_BODY if is_json else LONGEST_EVENT):
                        raise LlmBroke(
                            "The LLM server sends events that are larger than any answer.", reason="an endless event"
                        )
                    # Any silence before the next piece was asked for was the reader's.
                    deadline.move(asyncio.get_running_loop().time() + self.patience.silence_s)
        last = rest.removeprefix(_BYTE_ORDER_MARK) if is_json else _data_of(rest)
        if last:
            yield [last]
        elif is_empty:
            raise empty_answer("an empty body")
        elif not has_said:
            is_stream = media_type == "text/event-stream"
            raise empty_answer("an empty stream") if is_stream else not_an_api(media_type)

    async def json(self, method: str, url: httpx.URL, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON that the server sends for `url`; None if it sends something else or has nothing there. Raises
        LlmError."""
        content = b"" if body is None else pydantic_core.to_json(body)
        with self._reaching():
            try:
                async with asyncio.timeout(self.patience.first_byte_s):
                    response = await self._send(method, url, content, AGENT)
                    async with response:
                        content = await response.read()
            except aiohttp.ClientError as error:
                raise self._unreachable(error) from error
            except TimeoutError:
                raise _late_error() from None
            if response.status in (404, 405):
                return None
            if response.status != 200:
                raise error_of(response.status, ServerError.read(content), response.headers.get("retry-after"))
        try:
            return pydantic_core.from_json(content)
        except ValueError:
            return None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _call(self, body: Mapping[str, Any], agent: str, first_byte_by: float) -> aiohttp.ClientResponse:
        """Return the response to a call. It has status 200, its body is unread, and the caller has to close it.

        The call is repeated if the connection fails (unless it timed out), if the server is busy, or if a gateway fails
        (502, 504). If the server does not know an option, the call is repeated without this option. Raises LlmError.
        """
        spoken = self.dialect.translate(body)
        content = pydantic_core.to_json(spoken)
        retries = 0
        while True:
            failure: LlmError
            wait: float | None = self.patience.backoff_s * 2**retries * random.uniform(0.5, 1)  # noqa: S311 - no secret
            try:
                async with asyncio.timeout_at(first_byte_by):
                    response = await self._send("POST", self._chat_url, content, agent)
                    if response.status == 200:
                        return response
                    complaint = await self._read_error(response)
            except aiohttp.ClientError as error:
                failure = self._unreachable(error, retries + 1)
                wait = None if isinstance(error, TimeoutError) else wait
            except TimeoutError:
                raise _late_error() from None
            else:
                status, headers = response.status, response.headers
                if status in (400, 422) and self.dialect.drop_refused_option(spoken, complaint):
                    content = pydantic_core.to_json(spoken)
                    continue
                failure = error_of(status, complaint, headers.get("retry-after"), headers.get("content-type"))
                demanded = seconds_until(headers.get("retry-after"))
                if not (isinstance(failure, LlmOverloaded) or status in (502, 504)):
                    wait = None
                elif demanded is not None:
                    wait = demanded if demanded <= self.patience.longest_retry_after_s else None
            if wait is None or retries == self.patience.retries:
                raise failure
            retries += 1
            await asyncio.sleep(wait)

    async def _send(self, method: str, url: httpx.URL, content: bytes, agent: str) -> aiohttp.ClientResponse:
        headers = {**self._headers, "user-agent": agent}
        _TRACE.inject(headers)
        body: bytes | AsyncIterator[bytes] | None = content or None
        if len(content) > _PIECE_BYTES:
            body = _pieces_of(content)
            headers["content-length"] = str(len(content))
        return await self._opened().request(
            method, str(url), headers=headers, data=body, proxy=self._proxy, allow_redirects=False
        )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Resolving a name is part of `connect`. An answer has its own deadlines.
            timeout = aiohttp.ClientTimeout(connect=self.patience.connect_s, sock_connect=self.patience.connect_s)
            connector = aiohttp.TCPConnector(ssl=trusted(), limit=0, keepalive_timeout=KEEP_ALIVE_S)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
        return self._session

    async def _next_piece(self, response: aiohttp.ClientResponse, deadline: Deadline, *, has_begun: bool) -> bytes:
        """Return the next piece of a body as it arrives; empty after the last. Raises LlmLate if the body does not
        begin in time, LlmSilent if it falls silent, and LlmBroke if it breaks off."""
        try:
            return await deadline.wait_for(response.content.readany())
        except TimeIsUp:
            if not has_begun:
                raise _late_error() from None
            raise LlmSilent("The LLM server fell silent halfway.", reason="silence halfway") from None
        except aiohttp.ClientError as error:
            raise LlmBroke(
                f"The LLM server broke the connection: {type(error).__name__}.",
                reason=f"{BROKEN_CONNECTION} ({type(error).__name__})",
            ) from error

    async def _drain(self, response: aiohttp.ClientResponse) -> None:
        """Read to the end of the body. Only then can the connection be used again."""
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(self.patience.drain_s):
                while await response.content.readany():
                    pass

    async def _read_error(self, response: aiohttp.ClientResponse) -> ServerError:
        body = b""
        async with response:
            while len(body) < ERROR_BYTES and (piece := await response.content.readany()):
                body += piece
        # The key is removed, because some servers quote the key that they refuse.
        return ServerError.read(body.replace(self._api_key.encode(), "…".encode()) if self._api_key else body)

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[None]:
        """Record whether the server could be reached. Subclasses of LlmUnavailable are errors of a server that was
        reached, but is slow or not set up."""
        try:
            yield
        except LlmError as error:
            self.outage = error.public if type(error) is LlmUnavailable else None
            error.host = self.url.host
            raise
        self.outage = None

    def _unreachable(self, error: Exception, tries: int = 1) -> LlmUnavailable:
        why = f"{_connection_failure(error)} (tried {'once' if tries == 1 else f'{tries} times'})"
        remedy = "Start the LLM server, or correct OPENFAZE_LLM_BASE_URL. `openfaze doctor` tests the connection."
        address = self.url.copy_with(query=None)
        failure = LlmUnavailable(
            f"The LLM server at {address} cannot be reached: {error}",
            reason=f"{NO_CONNECTION} ({type(error).__name__})",
            public=f"The language model cannot be reached: {why}. {remedy}",
        )
        failure.for_operator = f"The language model at {address} cannot be reached: {why}. {remedy}"
        failure.__cause__ = error
        return failure


def api_url(base_url: str) -> httpx.URL:
    """Return `base_url` with a version in its path: `/v1`, unless the path names another."""
    url = httpx.URL(base_url.strip().rstrip("/").removesuffix("/chat/completions"))
    versioned = any(re.fullmatch(r"v\d\w*", part) for part in url.path.split("/"))
    return url if versioned else url.copy_with(path=url.path.rstrip("/") + "/v1")


def proxy_for(url: httpx.URL) -> str | None:
    """Return the URL of the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY determine for `url`; None if there is none,
    or if `url` is on this machine."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(url.host).is_loopback:
            return None
    if url.host == "localhost" or urllib.request.proxy_bypass(url.host):
        return None
    return urllib.request.getproxies().get(url.scheme)


def _data_of(event: bytes) -> bytes:
    """Return the `data` fields of a server-sent event. Comments and other fields are skipped."""
    lines: Iterable[bytes] = event.removeprefix(_BYTE_ORDER_MARK).splitlines()
    return b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))


def _connection_failure(error: Exception) -> str:
    """Return why a connection failed, as a clause without addresses."""
    match error:
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


async def _pieces_of(content: bytes) -> AsyncIterator[bytes]:
    """Yield a body piece by piece, as the server accepts it."""
    for start in range(0, len(content), _PIECE_BYTES):
        yield content[start : start + _PIECE_BYTES]


def _late_error() -> LlmLate:
    return LlmLate("The LLM server did not begin its answer in time.", reason="no answer in time")
