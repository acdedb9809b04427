"""Callers that leave early, at every stage of a request: the server goes on, and its log has no more of it than the
request's line."""

import itertools
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.batched import of_llm
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm
from tests.kit.servers.server import serving
from tests.kit.waits.waiting import wait_until

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing resets the connection."""
FORM = (
    b'--B\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--B\r\ncontent-disposition: form-data; '
    b'name="file"; filename="a.wav"\r\n\r\n' + b"x" * 300_000
)


def head(path: str, size: int, kind: str = "application/json", more: str = "") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {size}\r\n{more}\r\n"
    ).encode()


def asked(path: str, text: str, stream: bool) -> bytes:
    said = {"input": text} if path.endswith("responses") else {"messages": [{"role": "user", "content": text}]}
    body = json.dumps({"model": "interfaze-beta", "stream": stream, **said}).encode()
    return head(path, len(body)) + body


CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
MULTIPART = "multipart/form-data; boundary=B"
SENT = {
    "half a head": b"POST /v1/chat/completions HTTP/1.1\r\nhost:",
    "half a small body": head(CHAT, 1000) + b'{"model": ',
    "half a large body": head(RESPONSES, 5_000_000) + b'{"model": "' + b"x" * 100_000,
    "half a chunk": b"POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n50\r\n{",
    "half an upload": head("/v1/files", 9_000_000, MULTIPART) + FORM,
    "half a recording": head("/v1/audio/transcriptions", 9_000_000, MULTIPART) + FORM,
    "a body that is waited for": head(CHAT, 5000, more="expect: 100-continue\r\n"),
    "a chat that takes long": asked(CHAT, "slow", False),
    "a streamed chat that takes long": asked(CHAT, "slow", True),
    "a response that takes long": asked(RESPONSES, "slow", False),
    "no route": head("/v1/nothing", 5_000_000) + b"{",
}
READ = {"a streamed chat": asked(CHAT, "endless", True), "a streamed response": asked(RESPONSES, "endless", True)}


def reply(body: dict[str, object]) -> Reply:
    said = json.dumps(body)
    return Reply("word " * (20_000 if "endless" in said else 20), hang_before_first_byte='"slow"' in said)


@pytest.fixture(scope="module")
def llm() -> Iterator[LlmServer]:
    with serving_llm(reply) as llm:
        yield llm


def close(connection: socket.socket) -> None:
    connection.close()


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def half_close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    with connection:
        while connection.recv(1 << 16):
            pass


@pytest.mark.deep
def test_whoever_leaves_early_leaves_no_error_behind(llm: LlmServer, tmp_path: Path) -> None:
    with serving(tmp_path / "log", **of_llm(llm)) as server:
        url = httpx.URL(server.base_url)
        for leave, sent in itertools.product((close, reset, half_close), (*SENT.values(), *READ.values())):
            connection = socket.create_connection((url.host, url.port or 80))
            before = len(llm.requests)
            connection.sendall(sent)
            if sent in READ.values():
                connection.recv(500)
            elif b"slow" in sent and leave is not half_close:
                wait_until(lambda before=before: len(llm.requests) > before)
            leave(connection)
        server.stop()
    assert [line for line in server.log if line.get("level") not in ("info", "debug")] == []
    assert "Exception" not in server.log_file.read_text()
