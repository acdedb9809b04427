"""Sends the requests of a scenario to a server, and measures the time of each response.

If the scenario sets a rate, a request's time counts from the moment at which it was due. Counting from the moment of
sending would hide the delay that a slow request causes for later requests.
"""

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from app.bench.scenario import RequestBodies, RequestTemplate, Scenario

_FRESH = {"x-interfaze-bypass-cache": "true"}
_MAX_WAITING = 10_000
"""At most this many requests run at the same time if a rate is set; further requests are not sent, and count as
errors."""
_PAUSE_S = 0.5
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class TimedResponse:
    name: str
    began_s: float
    """Seconds from the end of the warm-up to the sending of the request or, with a rate, to the time it was due."""
    seconds: float
    first_s: float | None = None
    """Seconds until the first chunk of a stream that has text, reasoning or a tool call; None if there was none."""
    status: int | None = 200
    """HTTP status; None without a response."""
    error: str = ""
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def is_good(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True)
class BenchTarget:
    base_url: str
    """Base URL, ending with `/v1`."""
    model: str
    key: str | None = None
    timeout_s: float = 300


async def run_load(
    scenario: Scenario,
    folder: Path,
    target: BenchTarget,
    on_response: Callable[[TimedResponse], None] = lambda _: None,
    *,
    seed: int = 0,
) -> list[TimedResponse]:
    """Send requests until the scenario's time is up. Return the responses to requests after the warm-up, in the order
    of their arrival. The same `seed` draws the same mix. Raises BadScenario."""
    bodies = {template.name: RequestBodies(template, folder, target.model) for template in scenario.requests}
    async with aiohttp.ClientSession(
        headers=_headers(scenario, target),
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=target.timeout_s),
    ) as session:
        load = _Load(scenario, bodies, target, session, on_response, random.Random(seed))  # noqa: S311 - the draw of a mix need not be secret
        return await load.run()


def _headers(scenario: Scenario, target: BenchTarget) -> dict[str, str]:
    key = {"authorization": f"Bearer {target.key}"} if target.key else {}
    return {"content-type": "application/json"} | key | (_FRESH if scenario.fresh else {})


class _Load:
    def __init__(
        self,
        scenario: Scenario,
        bodies: Mapping[str, RequestBodies],
        target: BenchTarget,
        session: aiohttp.ClientSession,
        on_response: Callable[[TimedResponse], None],
        drawn: random.Random,
    ) -> None:
        self._scenario = scenario
        self._bodies = bodies
        self._target = target
        self._session = session
        self._on_response = on_response
        self._random = drawn
        self._numbers = itertools.count(1)
        self._responses: list[TimedResponse] = []
        self._measured_from = 0.0

    async def run(self) -> list[TimedResponse]:
        began = time.perf_counter()
        self._measured_from = began + self._scenario.warmup_s
        until = self._measured_from + self._scenario.duration_s
        if self._scenario.rate is None:
            await asyncio.gather(*(self._run_caller(until) for _ in range(self._scenario.concurrency)))
        else:
            await self._run_at_rate(began, until, self._scenario.rate)
        return self._responses

    async def _run_caller(self, until: float) -> None:
        while (now := time.perf_counter()) < until:
            if not await self._send(self._draw(), now):
                # No server answers. Without a pause, the next requests would only add to the errors.
                await asyncio.sleep(_PAUSE_S)

    async def _run_at_rate(self, began: float, until: float, rate: float) -> None:
        under_way: set[asyncio.Task[bool]] = set()
        for number in itertools.count():
            due = began + number / rate
            if due >= until:
                break
            await asyncio.sleep(due - time.perf_counter())
            template = self._draw()
            if len(under_way) >= _MAX_WAITING:
                self._note(
                    TimedResponse(template.name, due, 0, status=None, error="not sent: too many requests are running")
                )
                continue
            task = asyncio.create_task(self._send(template, due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way)

    def _draw(self) -> RequestTemplate:
        requests = self._scenario.requests
        return self._random.choices(requests, [one.weight for one in requests])[0]

    async def _send(self, template: RequestTemplate, due: float) -> bool:
        """Send one request, and record its response. Return True if a server answered at all."""
        body = self._bodies[template.name].of(next(self._numbers))
        url = f"{self._target.base_url.rstrip('/')}{template.path}"
        first: float | None = None
        status: int | None = None
        error = ""
        usage: dict[str, Any] = {}
        try:
            async with self._session.post(url, data=body) as response:
                status = response.status
                if status != 200:
                    error = _error_in(await response.read())
                elif response.content_type == "text/event-stream":
                    async for event in _events(response):
                        if first is None and _has_content(event):
                            first = time.perf_counter() - due
                        usage = event.get("usage") or usage
                        error = _message(event.get("error")) or error
                else:
                    usage = _usage_in(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            error = f"{type(failure).__name__}: {failure}".rstrip(": ")
        self._note(
            TimedResponse(
                name=template.name,
                began_s=due,
                seconds=time.perf_counter() - due,
                first_s=first,
                status=status,
                error=error[:_SHOWN],
                input_tokens=int(usage.get("prompt_tokens") or 0),
                output_tokens=int(usage.get("completion_tokens") or 0),
            )
        )
        return status is not None

    def _note(self, answer: TimedResponse) -> None:
        """Record a response, unless its request began in the warm-up."""
        began_s = answer.began_s - self._measured_from
        if began_s < 0:
            return
        counted = replace(answer, began_s=began_s)
        self._responses.append(counted)
        self._on_response(counted)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    buffer = b""
    async for piece in response.content.iter_any():
        buffer += piece
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            if line.startswith(b"data:") and b"[DONE]" not in line[:16]:
                with suppress(ValueError):
                    event = json.loads(line[5:])
                    if isinstance(event, dict):
                        yield event


def _has_content(event: dict[str, Any]) -> bool:
    match event.get("choices"):
        case [{"delta": dict() as delta}, *_]:
            return any(delta.get(name) for name in ("content", "tool_calls", "reasoning", "reasoning_content"))
    return False


def _usage_in(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    usage = answer.get("usage") if isinstance(answer, dict) else None
    return usage if isinstance(usage, dict) else {}


def _error_in(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return body[:_SHOWN].decode("utf-8", "replace") or "no body"
    return _message(answer.get("error") if isinstance(answer, dict) else None) or "no message"


def _message(error: object) -> str:
    return str(error.get("message", error)) if isinstance(error, dict) else str(error or "")
