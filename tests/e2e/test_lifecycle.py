"""Callers who leave, a server that stops, logs without content, and refusals to start."""

import json
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.wire.model_names import EMBEDDING_MODEL
from models.embedding.capability import MINILM
from tests.e2e.batched import client_of, create, ended, line, of_llm, when
from tests.e2e.conftest import ocr_request
from tests.e2e.full_model import client_of_app
from tests.kit.internet.origin import Origin, serving_origin
from tests.kit.papers.pages import single_line
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import SERVE, Server, serving
from tests.kit.waits.waiting import wait_until

ALLOWED = "127.0.0.1/32"
LIMIT_S = 60.0
"""For what is bound to happen: it fails a test that would else wait for ever."""


@pytest.fixture
def origin() -> Iterator[Origin]:
    """Holds a picture at `/held/sign.png` until it is released."""
    with serving_origin() as origin:
        origin.files["/sign.png"] = single_line("next in line").encoded()
        yield origin


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server") / "log", fetch_allow=ALLOWED) as server:
        yield server


def connected(base_url: str) -> socket.socket:
    host, port = base_url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)))


def head_of(body: bytes, *headers: str) -> bytes:
    lines = ["POST /v1/chat/completions HTTP/1.1", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_who_hangs_up_costs_nothing_more(server: Server, origin: Origin, stream: bool) -> None:
    body = json.dumps(ocr_request(origin.url("/held/sign.png"), stream=stream)).encode()
    before = len(chats(server.log))
    with connected(server.base_url) as connection:
        connection.sendall(head_of(body) + body)
        assert origin.held.acquire(timeout=LIMIT_S)
    # What was done for the caller ends, and the log says why.
    assert origin.left.acquire(timeout=LIMIT_S)
    wait_until(lambda: any(line["status"] == 499 for line in chats(server.log)[before:]))
    body = json.dumps(ocr_request(origin.url("/sign.png"))).encode()
    response = httpx.post(f"{server.base_url}/v1/chat/completions", content=body, timeout=LIMIT_S)
    assert "next in line" in response.text


def chats(log: list[dict[str, object]]) -> list[dict[str, object]]:
    return [line for line in log if line.get("event") == "request" and line.get("path") == "/v1/chat/completions"]


@pytest.mark.deep
def test_a_server_that_is_told_to_stop_amid_work_says_so_ends_it_and_goes_on_with_its_batch(
    tmp_path: Path, origin: Origin
) -> None:
    """Beside a batch, a stream that ends within the grace time, and one that does not."""
    answered: list[str] = []
    restarted = threading.Event()

    def reply(body: dict[str, Any]) -> Reply:
        text = body["messages"][-1]["content"]
        if text == "endless":
            return Reply("Once upon a time", hang_after=2)
        if restarted.is_set() or len(answered) < 3:
            answered.append(text)
            return Reply(f"answer to {text}")
        return Reply("never", hang_before_first_byte=True)

    endless = {"model": "interfaze-beta", "stream": True, "messages": [{"role": "user", "content": "endless"}]}
    held = ocr_request(origin.url("/held/sign.png"), stream=True)
    with serving_llm(reply) as llm, ThreadPoolExecutor() as threads:
        folder = tmp_path / "files"
        settings = of_llm(llm, fetch_allow=ALLOWED, files_dir=folder, shutdown_grace_s=10, batch_lines_at_once=1)
        # What may take longer than the grace time is loaded before.
        with serving(tmp_path / "first", preload="ocr", **settings) as server, client_of(server) as sdk:
            batch = create(sdk, *(line(f"{n}", f"number {n}") for n in range(6)))
            when(sdk, batch, lambda one: one.request_counts is not None and one.request_counts.completed == 3)
            url = f"{server.base_url}/v1/chat/completions"
            ending = threads.submit(httpx.post, url, json=held, timeout=LIMIT_S)
            assert origin.held.acquire(timeout=LIMIT_S)
            cut = threads.submit(httpx.post, url, json=endless, timeout=LIMIT_S)
            llm.wait_for_requests(5)
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: httpx.get(f"{server.base_url}/ready").status_code == 503)
            ready, health = (httpx.get(f"{server.base_url}/{probe}") for probe in ("ready", "health"))
            refused = httpx.post(url, json=endless, timeout=LIMIT_S)
            origin.released.set()
            lines = [[line for line in asked.result().text.splitlines() if line] for asked in (ending, cut)]
            assert server.process.wait(LIMIT_S) in (0, -signal.SIGTERM)
        assert (ready.json()["status"], health.status_code) == ("stopping", 200)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert refused.headers["connection"] == "close"
        assert refused.headers["retry-after"]
        assert "next in line" in "".join(lines[0])
        assert lines[0][-1] == "data: [DONE]"
        assert lines[1][-3] == "event: error"
        assert json.loads(lines[1][-2].removeprefix("data: "))["error"]["message"] == "The server is shutting down."
        assert lines[1][-1] == "data: [DONE]"
        restarted.set()
        with serving(tmp_path / "second", **settings) as server, client_of(server) as sdk:
            assert ended(sdk, batch).status == "completed"
    assert Counter(answered) == {f"number {n}": 1 for n in range(6)}


STUCK_ENGINE = """
import os
import time

import app.cli.serving
from models.embedding.minilm import MiniLm

def stuck(self, batch):
    # A line of a log is written in one piece, because another thread's line could come between the parts of `print`.
    os.write(1, b'{"level": "info", "event": "embedding"}\\n')
    time.sleep(600)

MiniLm.run = stuck
app.cli.serving._LEAST_TO_STOP_S = 4.0
"""
"""An engine in a call that nothing can end, of a server that is cut off after four seconds."""


@pytest.mark.deep
def test_a_stop_is_cut_off_where_an_engine_does_not_end(tmp_path: Path) -> None:
    body = {"model": EMBEDDING_MODEL, "input": "Hello"}
    started = serving(tmp_path / "log", program=STUCK_ENGINE + SERVE, shutdown_grace_s=2, embedding=MINILM.spec.name)
    with started as server, ThreadPoolExecutor() as threads:
        asking = threads.submit(httpx.post, f"{server.base_url}/v1/embeddings", json=body, timeout=LIMIT_S)
        wait_until(lambda: any(line["event"] == "embedding" for line in server.log))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(LIMIT_S) == 0
        response = asking.result()
    assert (response.status_code, response.json()["error"]["code"]) == (503, "overloaded")
    [told] = [line for line in server.log if line["event"] == "stop_cut_off"]
    assert told["level"] == "error"


def test_the_time_limit_of_a_request_is_kept(tmp_path: Path, origin: Origin) -> None:
    with client_of_app(tmp_path, fetch_allow=(ALLOWED,), request_timeout_s=0.5) as client:
        response = client.post("/v1/chat/completions", json=ocr_request(origin.url("/held/sign.png")))
    assert response.status_code == 503
    error = response.json()["error"]
    assert (error["type"], error["code"]) == ("service_unavailable", "timeout")
    assert "0.5 s" in error["message"]
