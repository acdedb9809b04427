"""Requests about papers: what is tried again, what is an error of the paper, and what ends the job."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from app.folders import client
from app.folders.client import PaperClient
from app.folders.failures import Failed
from app.folders.papers import Paper
from app.folders.reviews import with_field
from app.folders.schemas import schema_of

SCHEMA = schema_of("x")
PAPER = Paper("a.txt", "a.txt", "a.txt", "1", lambda: b"text")
ANSWER = {"choices": [{"message": {"role": "assistant", "content": '{"x": "text"}'}}], "warnings": ["so so"]}


class Scripted(ThreadingHTTPServer):
    """A server that answers with a script of (status, headers, body)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.script: list[tuple[int, dict[str, str], Any]] = []
        self.asked: list[tuple[str, str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class ScriptedHandler(BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append((self.command, self.path, content))
        status, headers, body = self.server.script.pop(0)
        said = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(said))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    do_DELETE = do_POST  # noqa: N815  (the name that the library calls)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def asker(server: Scripted) -> Iterator[PaperClient]:
    with closing(PaperClient(server.url, "key")) as asker:
        yield asker


def error(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": "it", "param": None, **fields}}


def test_an_answer_comes_with_its_warnings(server: Scripted, asker: PaperClient) -> None:
    server.script = [(200, {}, ANSWER)]
    result = asker.fill(PAPER, SCHEMA)
    assert (result.answer, result.warnings, result.error) == ({"x": "text"}, ["so so"], None)


@pytest.mark.parametrize(("status", "headers"), [(429, {"retry-after": "0"}), (503, {"retry-after": "0"}), (502, {})])
def test_what_passes_is_tried_again(
    server: Scripted, asker: PaperClient, monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(client, "_FIRST_PAUSE_S", 0.001)
    server.script = [(status, headers, error("no room"))] * 3 + [(200, {}, ANSWER)]
    assert asker.fill(PAPER, SCHEMA).answer == {"x": "text"}
    assert len(server.asked) == 4


@pytest.mark.parametrize("status", [400, 413, 500, 503])
def test_what_stays_is_the_papers_error(server: Scripted, asker: PaperClient, status: int) -> None:
    server.script = [(status, {}, error("'messages[0]' is damaged", param="messages[0]"))]
    assert asker.fill(PAPER, SCHEMA).error == f"the paper is damaged ({status} it)"
    assert len(server.asked) == 1


def test_a_key_that_is_refused_ends_the_job(server: Scripted, asker: PaperClient) -> None:
    server.script = [(401, {}, error("wrong key"))]
    with pytest.raises(Failed, match=r"wrong key .*OPENFAZE_API_KEY"):
        asker.fill(PAPER, SCHEMA)


def test_a_paper_that_cannot_be_read_is_its_own_error(server: Scripted, asker: PaperClient) -> None:
    def read() -> bytes:
        raise PermissionError(13, "Permission denied")

    assert asker.fill(Paper("a", "a", "a", "1", read), SCHEMA).error == "cannot be read: Permission denied"
    assert server.asked == []


def test_a_large_paper_is_uploaded_and_deleted(
    server: Scripted, asker: PaperClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_INLINE", 3)
    server.script = [(200, {}, {"id": "file-1"}), (200, {}, ANSWER), (200, {}, {})]
    assert asker.fill(PAPER, SCHEMA).answer == {"x": "text"}
    assert [(method, path) for method, path, _ in server.asked] == [
        ("POST", "/v1/files"),
        ("POST", "/v1/chat/completions"),
        ("DELETE", "/v1/files/file-1"),
    ]
    assert b'"file_id":"file-1"' in server.asked[1][2]


def test_an_address_is_passed_on(server: Scripted, asker: PaperClient) -> None:
    server.script = [(200, {}, ANSWER)]
    asker.fill(Paper("u", "a.png", "https://example.org/a.png", "1", None), SCHEMA)
    assert b'"image_url":{"url":"https://example.org/a.png"}' in server.asked[0][2]


def test_a_field_that_is_missing_leaves_the_others_and_is_asked_for(server: Scripted, asker: PaperClient) -> None:
    partial = {"x": "text", "day": None, "note": None, "lines": [{"price": None}]}
    number = {"type": "number"}
    line = {"type": "object", "properties": {"price": number}, "required": ["price"]}
    fields = {"x": {"type": "string"}, "day": {"type": "string"}, "note": {"type": ["string", "null"]}}
    schema = {"type": "object", "properties": {**fields, "lines": {"type": "array", "items": line}}}
    refusal = error("Nothing in the input answers '/day'.", code="not_found_in_input", param="/day", partial=partial)
    server.script = [(400, {"x-should-retry": "false"}, refusal)]
    result = asker.fill(PAPER, schema)
    assert (result.answer, result.unsupported) == (partial, ["/day", "/lines/0/price"])
    assert result.error == "nothing in the paper answers day, lines.1.price"
    half = with_field(result, "/day", "2026-03-12", {})
    assert half.error == result.error
    assert with_field(half, "/lines/0/price", 3.5, {}).error is None
