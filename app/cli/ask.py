"""`openfaze ask`: send one request to a running server, and print its answer for people or its body for programs."""

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from app.access.key_file import CHAT
from app.cli import KEY_VARIABLE, fail
from app.folders.answers import Json, fields_of
from app.folders.certainty import certainty
from app.folders.client import TIMEOUT, error_of, sent_file
from app.settings import Settings
from tasks.inputs.limits import megabytes

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters other than tabs and line feeds. They are removed from texts of the server, because they could
control the terminal."""


@dataclass(frozen=True)
class Question:
    text: str
    files: Sequence[Path] = ()
    task: str = CHAT
    schema: Json | None = None
    guard: str = ""
    reasoning: str | None = None


@dataclass
class _StreamedAnswer:
    """The part of an answer that its stream has brought so far."""

    text: list[str] = field(default_factory=list)
    evidence: Json = field(default_factory=dict)
    unsupported: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None


def ask(url: str, question: Question, *, as_json: bool) -> bool:
    """Send `question` and print the answer. Return True if the answer is not an error. Exits with status 2 if no server
    can be reached, or if the server refuses the key or a file; without `as_json`, also if the server refuses the
    request."""
    key = os.environ.get(KEY_VARIABLE)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    base_url = url.rstrip("/").removesuffix("/v1")
    with httpx.Client(base_url=f"{base_url}/v1", headers=headers, timeout=TIMEOUT, trust_env=False) as client:
        try:
            with _sent(client, question.files) as parts:
                body = _body(question, parts)
                return _print_body(client, body) if as_json else _print_answer(client, body, question)
        except httpx.TransportError as error:
            if question.files and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                # A server that refuses a large body may close the connection before its answer has arrived.
                sizes = ", ".join(f"{path.name} ({megabytes(path.stat().st_size)})" for path in question.files)
                limit = f"{Settings.model_fields['max_file_mb'].default} MB (OPENFAZE_MAX_FILE_MB)"
                fail(f"{base_url} broke off ({type(error).__name__}) while it got {sizes}; its limit may be {limit}")
            fail(
                f"{base_url} cannot be reached ({type(error).__name__}). Start a server with `openfaze serve`, or name "
                "another one with --url"
            )
        except _Refused as refusal:
            fail(str(refusal))


class _Refused(Exception):
    """Raised if the server refused the request. The message states why."""


def _print_body(client: httpx.Client, body: Json) -> bool:
    response = client.post("/chat/completions", json=body)
    _check_key(response)
    typer.echo(response.text)
    return response.is_success


def _print_answer(client: httpx.Client, body: Json, question: Question) -> bool:
    is_live = question.task == CHAT and question.schema is None
    options = {"stream": True, "stream_options": {"include_usage": True}}
    answer = _StreamedAnswer()
    with client.stream("POST", "/chat/completions", json={**body, **options}) as response:
        if not response.is_success:
            response.read()
            _check_key(response)
            raise _Refused(_error_message(response))
        for line in response.iter_lines():
            if line.startswith("data: {"):
                _add_event(json.loads(line.removeprefix("data: ")), answer, is_live=is_live)
    if is_live:
        typer.echo()
    elif answer.text:
        _print_whole("".join(answer.text), answer, question)
    for warning in answer.warnings:
        typer.echo(f"note: {_plain(warning)}", err=True)
    if answer.error:
        typer.echo(_plain(answer.error), err=True)
    return answer.error is None


def _add_event(event: Json, answer: _StreamedAnswer, *, is_live: bool) -> None:
    if "error" in event:
        answer.error = event["error"]["message"]
        return
    answer.evidence.update(event.get("evidence") or {})
    answer.unsupported += event.get("unsupported") or []
    answer.warnings += event.get("warnings") or []
    for choice in event["choices"]:
        text = choice["delta"].get("content") or choice["delta"].get("refusal") or ""
        answer.text.append(text)
        if is_live:
            typer.echo(_plain(text), nl=False)


def _print_whole(text: str, answer: _StreamedAnswer, question: Question) -> None:
    try:
        value = json.loads(text)
    except ValueError:
        typer.echo(_plain(text))  # The answer was cut, or is the guard's `unsafe S1`.
        return
    if question.task != CHAT and question.schema is None and isinstance(value, dict) and "result" in value:
        _print_result(value["result"])
    elif not answer.evidence:
        typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        _table(
            ("field", "value", "certainty", "from"),
            [_evidence_cells(pointer, leaf, answer) for pointer, leaf in fields_of(value)],
        )


def _print_result(result: Any) -> None:
    """Print the result of a task for people: its text if that is what it is for, and otherwise its JSON."""
    match result:
        case {"extracted_text": str(), "markdown": str(text)} | {"extracted_text": str(text)}:
            typer.echo(_plain(text))
        case {"chunks": [*chunks]}:
            for chunk in chunks:
                speaker = f"{chunk['speaker']}: " if "speaker" in chunk else ""
                typer.echo(_plain(f"{_clock(chunk['timestamp'][0])}  {speaker}{chunk['text']}"))
        case {"translated_text": str(text)} | {"markdown": str(text), "url": str()}:
            typer.echo(_plain(text))
        case _:
            typer.echo(json.dumps(result, indent=2, ensure_ascii=False))


def _evidence_cells(pointer: str, value: Any, answer: _StreamedAnswer) -> tuple[str, str, str, str]:
    found = answer.evidence.get(pointer) or {}
    probability = found.get("probability", 0.0 if pointer in answer.unsupported else None)
    word = certainty(value, probability)
    place = [
        f"“{found['text']}”" if found.get("text") else "",
        f"page {found['page']}" if "page" in found else "",
        f"at {_clock(found['timestamp'][0])}" if "timestamp" in found else "",
        found.get("url", ""),
    ]
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    sure = f"{word} {probability:.0%}" if probability else word
    return pointer.removeprefix("/"), shown, sure, ", ".join(filter(None, place))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        # Brackets in a text must not be taken for rich's markup.
        table.add_row(*(_plain(cell).replace("[", r"\[") for cell in row))
    console = Console()
    with console.capture() as shown:
        console.print(table)
    typer.echo("\n".join(line.rstrip() for line in shown.get().splitlines()))


def _body(question: Question, parts: Sequence[Json]) -> Json:
    tags = [f"<task>{question.task}</task>"] if question.task != CHAT else []
    tags += [f"<guard>{question.guard}</guard>"] if question.guard else []
    text = [{"type": "text", "text": question.text}] if question.text else []
    messages: list[Json] = [{"role": "system", "content": " ".join(tags)}] if tags else []
    messages.append({"role": "user", "content": [*text, *parts] if parts else question.text})
    body: Json = {"model": "interfaze-beta", "messages": messages}
    if question.schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": question.schema},
        }
        body["evidence"] = True
    if question.reasoning:
        body["reasoning_effort"] = question.reasoning
    return body


@contextlib.contextmanager
def _sent(client: httpx.Client, files: Sequence[Path]) -> Iterator[list[Json]]:
    """Yield the content parts of the files. Large ones are uploaded for the duration of the block."""

    def upload(path: str, **request: Any) -> httpx.Response:
        response = client.post(path, **request)
        _check_key(response)
        if not response.is_success:
            raise _Refused(_error_message(response))
        return response

    with contextlib.ExitStack() as ended:
        parts = []
        for path in files:
            file = ended.enter_context(path.open("rb"))
            size = path.stat().st_size
            parts.append(ended.enter_context(sent_file(client, upload, path.name, file, size)))
        yield parts


def _check_key(response: httpx.Response) -> None:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise _Refused(
            f"{_error_message(response)} Set {KEY_VARIABLE} to one of the server's keys: export {KEY_VARIABLE}=…"
        )


def _error_message(response: httpx.Response) -> str:
    if error := error_of(response):
        return _plain(error["message"])
    return f"the server answered with status {response.status_code}: is it openfaze, and --url its address?"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _plain(text: str) -> str:
    return _CONTROL.sub("", text)


def read_text(text: str) -> str:
    """Return `text`, or standard input if `text` is `-`."""
    return sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text
