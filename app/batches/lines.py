"""Splits a batch's file into lines, checks all lines before the first one runs, and runs each line as a request.

>>> splitter = Splitter(most_bytes=MB, most_lines=50_000)
>>> async for piece in pieces:
...     for line in await threads.run(splitter.feed, piece):
"""

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pydantic_core
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.keys import Caller
from app.batches.store import Record
from app.errors import LONGEST_RETRY_S, ApiError, BadRequest, RateLimited
from app.monitoring.metrics import Stages
from app.wire.parse import MAX_VALUES, TooMuchJson, but_not, parse_json
from models.queues import Slots
from tasks.inputs.limits import MB, megabytes

METHOD = "POST"
MAX_LINES = 50_000
"""The file of a batch has at most this many lines, which is OpenAI's limit."""
LARGEST_LINE = 32 * MB
"""A line has at most this size, in bytes. A part of 20 MB in base64 fits, with room for text."""
MAX_ID_CHARS = 512
"""A `custom_id` has at most this many characters."""
MAX_PROBLEMS = 100
"""At most this many problems are listed for one file."""
_LINE_ENDS = "\u0085\u2028\u2029"
"""Signs that end a line for `str.splitlines`, and that JSON may contain as they are."""
_TRIES = 5
"""A line that fails for a temporary reason is tried at most this many times."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class RawLine:
    number: int
    """Number of the line in the file, from 1."""
    data: bytes


def problem(code: str, message: str, *, line: int | None = None, param: str | None = None) -> dict[str, Any]:
    """Return an entry of a batch's `errors`."""
    return {"code": code, "line": line, "message": message, "param": param}


class BadFile(Exception):
    """Raised for a file that cannot be read to its end."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["message"])
        self.problem = problem


class Splitter:
    """Splits a file into lines. Only one line and one chunk are in memory at a time. Blank lines are dropped. Raises
    BadFile for a line of more than `most_bytes`, and for more than `most_lines` lines, including blank ones."""

    def __init__(self, most_bytes: int = LARGEST_LINE, most_lines: int = MAX_LINES) -> None:
        self._most_bytes = most_bytes
        self._most_lines = most_lines
        self._begun: list[bytes] = []
        self._size = 0
        self._number = 0

    def feed(self, piece: bytes) -> list[RawLine]:
        found: list[RawLine] = []
        *ended, rest = piece.split(b"\n")
        for part in ended:
            self._append(part)
            found += self.finish()
        self._append(rest)
        return found

    def finish(self) -> list[RawLine]:
        """End the current line, and return it unless it is blank."""
        line = b"".join(self._begun).strip()
        self._begun, self._size = [], 0
        self._number += 1
        if self._number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        # The empty text after a line break at the end of the file is not a line.
        if self._number > self._most_lines + (not line):
            message = f"The file has more than {self._most_lines} lines."
            raise BadFile(problem("too_many_lines", message, line=self._number))
        return [RawLine(self._number, line)] if line else []

    def _append(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._most_bytes:
            message = f"The line is longer than {megabytes(self._most_bytes)}."
            raise BadFile(problem("line_too_long", message, line=self._number + 1))
        self._begun.append(part)


class Checker:
    """Checks the lines of a file before the first one runs. To find duplicates, it remembers a digest of each
    `custom_id`."""

    def __init__(self, urls: Sequence[str], max_values: int = MAX_VALUES) -> None:
        self._urls = urls
        self._max_values = max_values
        self._ids: set[bytes] = set()
        self.problems: list[dict[str, Any]] = []
        self.count = 0
        """Number of lines that were checked."""

    @property
    def has_enough(self) -> bool:
        """True if enough problems were found to end the check."""
        return len(self.problems) >= MAX_PROBLEMS

    def check(self, lines: Sequence[RawLine]) -> None:
        for line in lines:
            self.count += 1
            if self.has_enough:
                return
            self.problems += self._problems(line)

    def finish(self) -> None:
        if not self.count:
            self.problems.append(problem("empty_file", "The file has no lines."))

    def _problems(self, line: RawLine) -> Iterator[dict[str, Any]]:
        """Yield the first problem of a line, if any."""
        try:
            envelope = _read_envelope(line.data, self._max_values)
        except TooMuchJson as error:
            yield problem("invalid_json_line", f"The line {error}.", line=line.number)
            return
        except ValueError as error:
            yield problem("invalid_json_line", f"The line is not a JSON object: {error}", line=line.number)
            return
        for name in ("custom_id", "method", "url"):
            if envelope.get(name) is None:
                message = f"Field '{name}': Field required"
                yield problem("missing_required_parameter", message, line=line.number, param=name)
                return
        custom_id, method, url = envelope["custom_id"], envelope["method"], envelope["url"]
        if not isinstance(custom_id, str) or not 0 < len(custom_id) <= MAX_ID_CHARS:
            message = f"Field 'custom_id': Input should be a string of 1 to {MAX_ID_CHARS} characters"
            yield problem("invalid_custom_id", message + but_not(custom_id), line=line.number, param="custom_id")
        elif (digest := hashlib.blake2b(custom_id.encode(), digest_size=16).digest()) in self._ids:
            message = f"Field 'custom_id': '{custom_id[:80]}' is also the 'custom_id' of an earlier line"
            yield problem("duplicate_custom_id", message, line=line.number, param="custom_id")
        elif method != METHOD:
            message = f"Field 'method': Input should be '{METHOD}'{but_not(method)}"
            yield problem("invalid_method", message, line=line.number, param="method")
        elif url not in self._urls:
            urls = " or ".join(map(repr, self._urls))
            message = f"Field 'url': Input should be {urls}, the batch's endpoint{but_not(url)}"
            yield problem("invalid_url", message, line=line.number, param="url")
        else:
            self._ids.add(digest)


def _read_envelope(line: bytes, max_values: int) -> dict[str, Any]:
    """Return the fields of a line. Raises ValueError and TooMuchJson."""
    value = parse_json(line, max_values)
    if not isinstance(value, dict):
        raise ValueError("it is something else")
    return value


def custom_id_of(line: bytes) -> str:
    """Return the `custom_id` of a checked line."""
    return str(_read_envelope(line, len(line))["custom_id"])


class LineRunner:
    """Runs lines as requests to the app itself, with the rights and limits that the key has at that moment. At most
    `at_once` lines run at a time; keys take turns."""

    def __init__(self, app: ASGIApp, at_once: int) -> None:
        self._app = app
        self.at_once = at_once
        self.slots = Slots("batch lines", at_once)

    async def run(
        self,
        line: RawLine,
        url: str,
        find_caller: Callable[[], Caller | None],
        *,
        stop: asyncio.Event,
        on_llm_away: Callable[[str], Awaitable[None]],
    ) -> Record | None:
        """Run a line and return its result; None if the key is no longer valid, or `stop` is set while the line waits.

        After a temporary failure, such as a refusal by the server or by a limit of the key, the line waits without a
        slot, and is tried again, but no more than _TRIES times. Refusals because of the key (status 429) do not count
        as tries, nor do failures because the LLM's server serves no request: `on_llm_away` is then called with the
        reason. Each try calls `find_caller`, which returns the caller with the present rights of the key.
        """
        tries, pause_s = 1, _FIRST_PAUSE_S
        custom_id, body = await asyncio.to_thread(_read_line, line.data)
        if isinstance(body, BadRequest):
            return Record(line.number, False, _refused(custom_id, body))
        while True:
            async with self.slots.slot(wait=True):
                caller = None if stop.is_set() else find_caller()
                if caller is None:
                    return None
                stages = Stages()
                response = await self._post(url, body, caller, stages)
            retry_s = _retry_s(response)
            if stages.is_llm_away and not stop.is_set():
                await on_llm_away(response.json()["error"]["message"])
                retry_s = retry_s or 0.0
            elif stages.is_llm_away:
                return None
            elif stop.is_set() or retry_s is None or tries == _TRIES:
                return await asyncio.to_thread(_to_record, line.number, custom_id, response, stages)
            else:
                tries += response.status_code != RateLimited.status
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(pause_s, min(retry_s, _LONGEST_PAUSE_S))):
                    await stop.wait()
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _post(self, url: str, body: bytes, caller: Caller, stages: Stages) -> httpx.Response:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {"caller": caller, "stages": stages}
            await self._app(scope, receive, send)

        # An empty address, to which no limit per address applies.
        transport = httpx.ASGITransport(app, client=("", 0))
        async with httpx.AsyncClient(transport=transport, base_url="http://batch", trust_env=False) as client:
            return await client.post(url, content=body, headers={"content-type": "application/json"})


def _read_line(line: bytes) -> tuple[str, bytes | BadRequest]:
    """Return the `custom_id` of a checked line, and the body of its request or the reason why it cannot be sent."""
    envelope = _read_envelope(line, len(line))
    custom_id, body = str(envelope["custom_id"]), envelope.get("body")
    if body is None:
        return custom_id, BadRequest("Field 'body': Field required", param="body")
    if isinstance(body, dict) and body.get("stream"):
        return custom_id, BadRequest("Field 'stream': a line of a batch is not streamed", param="stream")
    return custom_id, pydantic_core.to_json(body)


def _refused(custom_id: str, error: ApiError) -> bytes:
    request_id = f"req-{uuid.uuid4()}"
    body = pydantic_core.to_json(error.body(request_id))
    return output_line(custom_id, request_id, error.status, body)


def _retry_s(response: httpx.Response) -> float | None:
    """Return the seconds after which the same request may succeed; None if waiting does not help, or takes too long."""
    retry_after = response.headers.get("retry-after")
    if response.status_code not in (429, 503) or retry_after is None or float(retry_after) > LONGEST_RETRY_S:
        return None
    return float(retry_after)


def _to_record(number: int, custom_id: str, response: httpx.Response, stages: Stages) -> Record:
    status = response.status_code
    line = output_line(custom_id, response.headers["x-request-id"], status, response.content)
    if status != 200:
        return Record(number, False, line)
    return Record(number, True, line, stages.input_tokens, stages.output_tokens, stages.reasoning_tokens)


def output_line(custom_id: str, request_id: str, status: int, body: bytes) -> bytes:
    """Return a line of an output file around `body`, which is JSON."""
    head = (
        f'{{"id":"batch_req_{uuid.uuid4().hex}","custom_id":{pydantic_core.to_json(custom_id).decode()},'
        f'"response":{{"status_code":{status},"request_id":"{request_id}","body":'
    )
    return _as_one_line(b"".join((head.encode(), body, b'},"error":null}')))


def to_error_line(line: bytes, code: str, message: str) -> bytes:
    """Return the line of an error file for a line that was not run."""
    return _as_one_line(
        pydantic_core.to_json(
            {
                "id": f"batch_req_{uuid.uuid4().hex}",
                "custom_id": custom_id_of(line),
                "response": None,
                "error": {"code": code, "message": message},
            }
        )
    )


def _as_one_line(text: bytes) -> bytes:
    """Return JSON in which _LINE_ENDS are escaped. JSON Lines does not treat them as line ends, but some readers do."""
    for sign in _LINE_ENDS:
        text = text.replace(sign.encode(), f"\\u{ord(sign):04x}".encode())
    return text
