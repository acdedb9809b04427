"""HTTP client that asks a server about papers, and retries while the server has no room."""

import base64
import io
import json
import mimetypes
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx

from app.folders.answers import Json, name_of, nodes_of
from app.folders.failures import Failed
from app.folders.papers import Paper
from app.folders.reviews import PaperResult
from app.folders.schemas import plain_schema, problem_of

MAX_INLINE = 16 << 20
"""Content of at most this size, in bytes, is sent within the request. Larger content is uploaded first and deleted
afterwards."""
_TRIES = 8
"""A request is sent at most this many times while the server has no room or cannot be reached."""
_FIRST_PAUSE_S = 0.5
"""The pause before the first retry lasts at least this many seconds. Each further pause is at least twice as long as
the previous one. The server may demand a longer pause, but no pause exceeds _LONGEST_PAUSE_S."""
_LONGEST_PAUSE_S = 60.0
_FROM_A_PROXY = (502, 504)
"""Statuses by which a proxy reports that its server is unreachable."""
TIMEOUT = httpx.Timeout(30, read=None)
"""Time limits for requests to the server, in seconds. Reading has no limit, because the server ends requests that take
too long."""
MAX_EXAMPLES = 8
"""A server reads at most this many examples. If there are more, only the last MAX_EXAMPLES count."""
PROMPT = "Fill in the fields from the document."


@dataclass(frozen=True, slots=True)
class PaperExample:
    """A paper with the correct answer (wire contract: examples)."""

    paper: Paper
    answer: Any


class Refused(Failed):
    """Raised if the server refused the request for one paper. The message says why."""

    def __init__(self, message: str, partial: Json | None = None) -> None:
        super().__init__(message)
        self.partial = partial
        """The answer with null for what is missing; None if nothing was answered."""


class PaperClient:
    """Client of the server at `url`. `key` is its API key, or None."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._base_url = url.rstrip("/").removesuffix("/v1")
        self._client = httpx.Client(base_url=f"{self._base_url}/v1", headers=headers, timeout=TIMEOUT, trust_env=False)
        self._is_over = threading.Event()
        self._has_answered = False

    def read(self, paper: Paper) -> Json:
        """Return the result of the task `ocr`, with tables and Markdown. Raises Refused and Failed."""
        with self._content_of(paper) as content:
            task = {"role": "system", "content": "<task>ocr</task>"}
            completion = self._completion([task], content, ocr={"tables": True, "markdown": True})
        result: Json = json.loads(completion["choices"][0]["message"]["content"])["result"]
        return result

    def fill(self, paper: Paper, schema: Json, examples: Sequence[PaperExample] = ()) -> PaperResult:
        """Return the answer about `paper` in the form of `schema`. Raises Failed if the server cannot be asked about
        any paper."""
        shown: list[Json] = []
        try:
            for example in examples:
                shown.append({"role": "user", "content": [_part(example.paper, _read_content(example.paper))]})
                shown.append({"role": "assistant", "content": json.dumps(example.answer)})
            with self._content_of(paper) as content:
                response_format = {"type": "json_schema", "json_schema": {"name": "paper", "schema": schema}}
                completion = self._completion(shown, content, response_format=response_format, evidence=True)
        except Refused as refusal:
            return _partial_result(refusal, schema)
        text = completion["choices"][0]["message"].get("content") or ""
        try:
            answer = json.loads(text)
        except ValueError:
            return PaperResult(error=f"the answer is not JSON: {text[:200]}", warnings=completion.get("warnings") or ())
        known = ("evidence", "unsupported", "warnings")
        return PaperResult(answer, **{name: completion[name] for name in known if completion.get(name)})

    def explain(self, paper: Paper, schema: Json, pointer: str) -> Json:
        """Return why the field of the answer at `pointer` has its value. Raises Refused and Failed."""
        with self._content_of(paper) as content:
            response_format = {"type": "json_schema", "json_schema": {"name": "paper", "schema": schema}}
            completion = self._completion([], content, response_format=response_format, explain=pointer)
        explanation: Json | None = completion.get("explanation")
        if explanation is None:
            raise Refused(" ".join(completion.get("warnings") or ["the server sent no explanation"]))
        return explanation

    def stop(self) -> None:
        """Prevent any further retries."""
        self._is_over.set()

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _content_of(self, paper: Paper) -> Iterator[list[Json]]:
        """Yield the content parts of `paper`. A large paper is uploaded while the block runs. Raises Refused."""
        content = _read_content(paper)
        if content is None:
            yield [_part(paper, content)]
            return
        with sent_file(self._client, self._upload, paper.filename, io.BytesIO(content), len(content)) as part:
            yield [part]

    def _upload(self, path: str, **request: Any) -> httpx.Response:
        response = self._post(path, **request)
        if not response.is_success:
            raise Refused(_error(response))
        return response

    def _completion(self, earlier_messages: Sequence[Json], content: Sequence[Json], **fields: Any) -> Json:
        question = {"role": "user", "content": [{"type": "text", "text": PROMPT}, *content]}
        body = {"model": "interfaze-beta", "messages": [*earlier_messages, question], **fields}
        response = self._post("/chat/completions", json=body)
        if not response.is_success:
            raise Refused(_error(response), error_of(response).get("partial"))
        completion: Json = response.json()
        return completion

    def _post(self, path: str, **request: Any) -> httpx.Response:
        pause = _FIRST_PAUSE_S
        for index in range(1, _TRIES + 1):
            is_last = index == _TRIES or self._is_over.is_set()
            try:
                response = self._client.post(path, **request)
            except httpx.TransportError as error:
                # A server that never answered is not running; one that did answer may be back soon.
                if is_last or not self._has_answered:
                    raise Failed(
                        f"{self._base_url} cannot be reached ({type(error).__name__}). Start a server with "
                        "`openfaze serve`, name another one with --url, or leave --url out"
                    ) from None
            else:
                self._has_answered = True
                if response.status_code in (401, 403):
                    raise Failed(f"{_error(response)} The key is read from OPENFAZE_API_KEY")
                # Errors that a retry cannot solve, such as a missing engine, have no header retry-after.
                is_temporary = "retry-after" in response.headers or response.status_code in _FROM_A_PROXY
                if not is_temporary or is_last:
                    return response
                asked = response.headers.get("retry-after", "")
                pause = max(pause, float(asked) if asked.isdecimal() else 0.0)
            self._is_over.wait(min(pause, _LONGEST_PAUSE_S))
            pause *= 2
        raise AssertionError("the last try returns or raises")


@contextmanager
def sent_file(
    client: httpx.Client, post: Callable[..., httpx.Response], filename: str, file: BinaryIO, size: int
) -> Iterator[Json]:
    """Yield the content part of a file of `size` bytes. A large one is uploaded by `post`, which raises an exception of
    its own if the server refuses it, and deleted after the block."""
    if size <= MAX_INLINE:
        yield content_part(filename, data_url(filename, file.read()))
        return
    file_id = post("/files", data={"purpose": "user_data"}, files={"file": (filename, file)}).json()["id"]
    try:
        yield {"type": "file", "file": {"file_id": file_id}}
    finally:
        # The result stands even if the server is gone. An upload that is not deleted expires.
        with suppress(httpx.TransportError):
            client.delete(f"/files/{file_id}")


def _read_content(paper: Paper) -> bytes | None:
    try:
        return None if paper.read is None else paper.read()
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except MemoryError:
        raise Refused("cannot be read: it does not fit in this machine's memory") from None


def _partial_result(refusal: Refused, schema: Json) -> PaperResult:
    """Return the result of a paper that was refused. What the schema requires, and the answer lacks, is unsupported, so
    that people are asked for it."""
    nodes = nodes_of(refusal.partial, plain_schema(schema))
    missing = [pointer for pointer, value, part in nodes if value is None and problem_of(part, None)]
    names = ", ".join(name_of(pointer, refusal.partial) for pointer in missing)
    error = f"nothing in the paper answers {names}" if names else str(refusal)
    return PaperResult(refusal.partial, unsupported=missing, error=error)


def _part(paper: Paper, content: bytes | None) -> Json:
    return content_part(paper.filename, paper.link if content is None else data_url(paper.filename, content))


def data_url(filename: str, content: bytes) -> str:
    return f"data:{_type_of(filename)};base64,{base64.b64encode(content).decode()}"


def content_part(filename: str, url: str) -> Json:
    """Return the content part of a file that is at `url`, which may be a data URL."""
    if _type_of(filename).startswith("image/"):
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"file_data": url, "filename": filename}}


def _type_of(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _error(response: httpx.Response) -> str:
    if not (error := error_of(response)):
        return f"the server answered with status {response.status_code}: is it openfaze?"
    # The user knows the paper by its file, not by the field of the request that contains it.
    message = error["message"].replace(f"'{error.get('param')}'", "the paper")
    return f"{message} ({response.status_code} {error.get('code') or error.get('type')})"


def error_of(response: httpx.Response) -> Json:
    """Return the error that a server answers with; empty if the answer is none of openfaze's."""
    try:
        error: Json = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) and isinstance(error.get("message"), str) else {}
