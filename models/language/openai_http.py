"""HTTP to an OpenAI-compatible server: one pool, retries before the first byte, faults as LlmErrors.

The pool is aiohttp's, behind httpx's interface. Chat calls go to the transport itself: httpx's client would follow
redirects, keep cookies and run hooks, of which an LLM needs none, for 0.1 ms a call.
"""

import asyncio
import contextlib
import ipaddress
import math
import random
import re
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import pydantic_core
from httpx_aiohttp import AiohttpTransport
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from models.language.llm import LlmBroke, LlmError, LlmLate, LlmOverloaded, LlmSilent, LlmUnavailable
from models.language.openai_faults import Complaint, fault, seconds_until


def api_url(base_url: str) -> httpx.URL:
    """`base_url` with the version in its path: `/v1`, unless it names one."""
    url = httpx.URL(base_url.strip().rstrip("/").removesuffix("/chat/completions"))
    versioned = any(re.fullmatch(r"v\d\w*", part) for part in url.path.split("/"))
    return url if versioned else url.copy_with(path=url.path.rstrip("/") + "/v1")


def beside_api(url: httpx.URL, path: str) -> httpx.URL:
    """`path` of the same server, outside of its OpenAI-compatible API."""
    return url.copy_with(path=url.path.removesuffix("/v1") + path)


def proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """By HTTP_PROXY, HTTPS_PROXY and NO_PROXY, but never to this machine itself."""
    if _is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    proxy = urllib.request.getproxies().get(url.scheme)
    return None if proxy is None else httpx.Proxy(proxy)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# Which options of a call a server does not know. Found out when it refuses one, then remembered.
#
# What is remembered holds for every caller, so nothing is that is only about one call: a value out of range, a message
# that happens to hold the word `user`, or a sentence that quotes what the caller wrote.
RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""A server that refuses the one takes the other."""
ESSENTIAL = frozenset({"model", "messages", "stream", "tools", "tool_choice", "response_format"})
"""Never left out: the answer would be to another question."""
UNKNOWN_CODES = frozenset({"unknown_parameter", "unsupported_parameter", "extra_forbidden"})

_BEGINS = r"(?:[\w ]{0,80}(?:error|type|request|body)[.:] |invalid json payload received\. )?"
_KIND = r"(?P<kind>(?:(?:request|input|keyword|body) )?(?:parameter|argument|field|option|property|name)s?)"
_NAME = r"""(?P<quote>['"`]?)(?P<name>\w+)(?P=quote)"""
_SUPPORTED = r"not (?:currently )?(?:supported|permitted|allowed|recogni[sz]ed)"
_ENDS = r"(?:\s*$|[.,;:!)]| (?:with|by|for|in|on) (?:this|the) (?:model|server|endpoint|api|engine|backend)\b)"
"""Else a condition follows: that it cannot be negative, or not beside another option."""
_SENTENCES = tuple(
    re.compile(sentence, re.IGNORECASE)
    for sentence in (
        rf"{_BEGINS}(?:unsupported|unknown|unrecogni[sz]ed|unexpected)(?: {_KIND})?(?: supplied| provided)?:? {_NAME}"
        rf"(?: is {_SUPPORTED})?{_ENDS}",
        rf"{_BEGINS}(?:{_KIND} )?{_NAME} is (?:unsupported|unknown|unrecogni[sz]ed|{_SUPPORTED}){_ENDS}",
        rf"[\w./: -]{{1,80}} does(?: not|n't) support (?:the )?(?:{_KIND}:? )?{_NAME}{_ENDS}",
        rf"{_BEGINS}{_NAME}(?P<kind>:) extra (?:inputs|fields)(?: are)? not permitted",
        rf"\[\{{'(?P<kind>type)': 'extra_forbidden', 'loc': \('body', {_NAME}\)",
    )
)
"""Matched from the first character on: anywhere else, the words may be a caller's."""
_UNKNOWN_PARAM = re.compile(r"extra (?:inputs|fields)(?: are)? not permitted|un(?:known|recogni[sz]ed)\b", re.I)
"""Begins a message whose object names the option beside it."""


class ServerDialect:
    def __init__(self) -> None:
        self._refused: set[str] = set()

    def translate(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`body` without what the server has refused before."""
        spoken = dict(body)
        for option in self._refused & spoken.keys():
            self._leave_out(spoken, option)
        return spoken

    def concede(self, body: dict[str, Any], complaint: Complaint) -> bool:
        """Takes out of `body` the option that the server refuses to know. False when it is about something else.

        Remembered, unless it is only this value of it that the server does not take.
        """
        options = body.keys() - ESSENTIAL
        if complaint.code == "unsupported_value" and complaint.param in options:
            del body[complaint.param]
        elif (unknown := _unknown_option(complaint)) in options:
            self._refused.add(unknown)
            self._leave_out(body, unknown)
        else:
            return False
        return True

    def _leave_out(self, body: dict[str, Any], option: str) -> None:
        value = body.pop(option)
        other = RENAMED.get(option)
        if other is not None and other not in self._refused:
            body.setdefault(other, value)


def _unknown_option(complaint: Complaint) -> str:
    """The option that the server says it does not know at all; empty when it says nothing that plain."""
    found = next(filter(None, (sentence.match(complaint.message) for sentence in _SENTENCES)), None)
    name = "" if found is None else found["name"]
    if complaint.param:
        plain = complaint.code in UNKNOWN_CODES or _UNKNOWN_PARAM.match(complaint.message) or name == complaint.param
        return complaint.param if plain else ""
    # A bare `user` or `stop` may be no more than a word.
    return name if found is not None and (found["quote"] or found["kind"] or "_" in name) else ""


class SilenceAlarm:
    """Rings once when nothing is heard in time while someone listens. Call `stop` in the end.

    A time-out of its own for each piece would cost as much as reading the piece: here a piece only notes the time,
    and one timer looks at it now and then.
    """

    def __init__(self, first_by: float, silence_s: float, ring: Callable[[], object]) -> None:
        """`first_by` is the time, by the loop's clock, until when the first sound is waited for."""
        self._loop = asyncio.get_running_loop()
        self._silence_s = silence_s
        self._ring = ring
        self._listening_until = first_by
        self._timer = self._loop.call_at(first_by, self._look)
        self.begun = False
        """Something was heard."""
        self.rang = False

    def heard(self) -> None:
        """From here to `listen`, a silence is not the server's but the reader's."""
        self._listening_until = math.inf
        if not self.begun:
            self.begun = True
            self._timer.cancel()
            self._timer = self._loop.call_later(self._silence_s, self._look)

    def listen(self) -> None:
        self._listening_until = self._loop.time() + self._silence_s

    def stop(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        left = self._listening_until - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(min(left, self._silence_s), self._look)
        else:
            self.rang = True
            self._ring()


AGENT = "openfaze"
BROKEN_CONNECTION = "connection broken"
"""What the reason begins with of an answer whose connection was lost."""
KEEP_ALIVE_S = 4.0
"""Less than the 5 s after which uvicorn (vLLM, SGLang) closes an idle connection, perhaps as it is used again."""
ERROR_BYTES = 65536
"""The most bytes that are read of a response that is no 200."""
_PIECE = 256 * 1024
"""Bytes of a call that are written at a time."""
CONNECTION_ERRORS = (httpx.TransportError, aiohttp.ClientError)
"""What the transport raises; those of aiohttp that it has no translation for come as they are."""


@dataclass(frozen=True, slots=True)
class ServerPatience:
    """How long to wait for a server, in seconds where not said otherwise."""

    connect_s: float = 5.0
    """For a connection, name resolution included."""
    first_byte_s: float = 120.0
    """From a call to the first byte of its answer, retries included: the server queues, then reads the prompt."""
    silence_s: float = 60.0
    """Between two pieces of an answer."""
    retries: int = 2
    """How many, of a call that failed before its first byte."""
    backoff_s: float = 0.25
    """Before the first retry, twice that before the second; up to a half less, at random."""
    longest_retry_after_s: float = 2.0
    """A server that asks for more is reported as overloaded at once."""
    question_s: float = 30.0
    """For each question that finds out what the server can do, once it has answered a plain one: it is 16 tokens."""
    drain_s: float = 0.1
    """For the end of the body after the end of the answer, so that the connection can be used again."""


class OpenAiHttp:
    """Belongs to the event loop that it is first used in."""

    def __init__(self, base_url: str, api_key: str | None, patience: ServerPatience) -> None:
        self.url = api_url(base_url)
        self.patience = patience
        self._chat_url = self.url.copy_with(path=f"{self.url.path}/chat/completions")
        # Compressing an event stream costs time, and holds pieces back.
        self._api_key = api_key
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if api_key:
            self._headers["authorization"] = f"Bearer {api_key}"
        # aiohttp takes 0 for no limit; None would leave its own, 100, and one stream more would wait for an end.
        limits = httpx.Limits(max_connections=0, keepalive_expiry=KEEP_ALIVE_S)
        self._transport = AiohttpTransport(limits=limits, proxy=proxy_for(self.url))
        # The transport resolves names within `pool`, connects within `connect`; the answer has its own deadlines.
        timeouts = httpx.Timeout(None, connect=patience.connect_s, pool=patience.connect_s)
        self._extensions = {"timeout": timeouts.as_dict()}
        self._client = httpx.AsyncClient(
            transport=self._transport, headers={**self._headers, "user-agent": AGENT}, timeout=timeouts
        )
        self._dialect = ServerDialect()

    async def chat(self, body: Mapping[str, Any], agent: str, first_byte_by: float) -> httpx.Response:
        """The response to a call, a 200, its body yet to be read; the caller closes it.

        Retried when the connection fails or the server is busy, and without the options that it does not know.
        Raises LlmError.
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
                    complaint = await self._read_complaint(response)
            except CONNECTION_ERRORS as error:
                failure = self._unreachable(error, retries + 1)
                wait = None if _timed_out(error) else self._backoff(retries)
            except TimeoutError:
                raise _began_too_late() from None
            else:
                if response.status_code in (400, 422) and self._dialect.concede(spoken, complaint):
                    content = pydantic_core.to_json(spoken)
                    continue
                asked = response.headers.get("retry-after")
                failure = fault(response.status_code, complaint, asked, response.headers.get("content-type"))
                passing = isinstance(failure, LlmOverloaded) or response.status_code in (502, 504)
                wait = self._wait(retries, seconds_until(asked)) if passing else None
            if wait is None or retries == self.patience.retries:
                raise failure
            retries += 1
            await asyncio.sleep(wait)

    async def body(self, response: httpx.Response, first_byte_by: float) -> AsyncGenerator[bytes, None]:
        """The body in the pieces it comes in; closes the response. Raises LlmBroke when it breaks off, or
        LlmUnavailable when it does not begin in time."""
        hanging_up: list[asyncio.Task[None]] = []

        def hang_up() -> None:
            hanging_up.append(asyncio.create_task(response.aclose()))

        alarm = SilenceAlarm(first_byte_by, self.patience.silence_s, hang_up)
        # Closed by hand: left to the garbage collector, the connection would outlive the caller.
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
                    raise _began_too_late() from None
                raise LlmSilent(
                    "The LLM server fell silent amid its answer.", reason="silence amid the answer"
                ) from None
            finally:
                alarm.stop()

    async def look(self, method: str, url: httpx.URL, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON found there, None where there is none. Raises LlmError."""
        try:
            async with asyncio.timeout(self.patience.first_byte_s):
                response = await self._client.request(method, url, json=body)
        except CONNECTION_ERRORS as error:
            raise self._unreachable(error) from error
        except TimeoutError:
            raise _began_too_late() from None
        if response.status_code in (404, 405):
            return None
        if response.status_code != 200:
            complaint = Complaint.read(response.content)
            told = response.headers
            raise fault(response.status_code, complaint, told.get("retry-after"), told.get("content-type"))
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
        if len(content) > _PIECE:
            # Its length is told by hand: httpx knows it of what it is given whole.
            body = {"stream": _InPieces(content)}
            headers["content-length"] = str(len(content))
        request = httpx.Request("POST", self._chat_url, headers=headers, extensions=self._extensions, **body)
        return await self._transport.handle_async_request(request)

    async def _read_complaint(self, response: httpx.Response) -> Complaint:
        body = b""
        async with contextlib.aclosing(response), contextlib.aclosing(_stream_of(response)) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) >= ERROR_BYTES:
                    break
        # Some repeat the key that they refuse.
        return Complaint.read(body.replace(self._api_key.encode(), "…".encode()) if self._api_key else body)

    def _backoff(self, retries: int) -> float:
        longest: float = self.patience.backoff_s * 2**retries
        return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads callers, hides nothing

    def _wait(self, retries: int, asked: float | None) -> float | None:
        """None: too long to wait for."""
        if asked is None:
            return self._backoff(retries)
        return asked if asked <= self.patience.longest_retry_after_s else None

    def _unreachable(self, error: Exception, tries: int = 1) -> LlmUnavailable:
        why = f"{_why(error)} (tried {'once' if tries == 1 else f'{tries} times'})"
        remedy = "Start its server, or correct OPENFAZE_LLM_BASE_URL; `openfaze doctor` tries it on this server."
        address = self.url.copy_with(username=None, password=None, query=None)
        failure = LlmUnavailable(
            f"The LLM server at {address} cannot be reached: {error or type(error).__name__}",
            reason=f"no connection ({type(error.__cause__ or error).__name__})",
            public=f"The language model cannot be reached: {why}. {remedy}",
        )
        failure.for_operator = f"The language model at {address} cannot be reached: {why}. {remedy}"
        failure.__cause__ = error
        return failure


def _why(error: Exception) -> str:
    """In words that name no address."""
    match error.__cause__ or error:
        case aiohttp.ClientConnectorDNSError():
            return "there is no host of its name"
        case aiohttp.ClientSSLError():
            return "no secure connection came about"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return "nothing listens at its address"
        case TimeoutError():
            return "no connection came about in time"
        case _:
            return "the connection failed"


_TRACE = TraceContextTextMapPropagator()
"""Writes `traceparent` where the request that a call is made for has one, or is traced here."""


class _InPieces(httpx.AsyncByteStream):
    """A body that is handed on piece by piece, as the server takes it: all at once, a large one holds up the loop."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), _PIECE):
            yield self._content[start : start + _PIECE]


def _began_too_late() -> LlmLate:
    return LlmLate("The LLM server did not begin its answer in time.", reason="no answer in time")


def _stream_of(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The body in the pieces it comes in. Raises CONNECTION_ERRORS."""
    return aiter(response.stream)  # type: ignore[arg-type]  # an async generator, which httpx's type leaves open


def _timed_out(error: Exception) -> bool:
    """httpx-aiohttp calls every lost connection a ConnectTimeout; the cause tells which is one."""
    return isinstance(error.__cause__, TimeoutError)
