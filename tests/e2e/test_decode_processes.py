"""A decode process that dies in the middle of a request costs that request, and no other one."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.conftest import KEY, api_client, data_url, ocr_request
from tests.kit.papers.hostile import pdf_of_tiny_tiles
from tests.kit.papers.pdfs import pdf_of_pages
from tests.kit.servers.server import Server, serving
from tests.kit.waits.waiting import wait_until

BUSY_S = 2.0
"""Processor time that a process has not spent before it is deep in a file that takes for ever."""


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("decoding") / "log", api_keys=KEY, llm="off") as running:
        yield running


def decode_processes(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children()


def busy_process(server: Server, *, killed: list[psutil.Process]) -> psutil.Process:
    """Waits for one."""
    while True:
        for process in decode_processes(server):
            if process not in killed and process.cpu_times().user > BUSY_S:
                return process
        time.sleep(0.05)


def answer(server: Server, pdf: bytes) -> httpx.Response:
    with api_client(server) as client:
        return client.post("/v1/chat/completions", json=ocr_request(data_url(pdf, "application/pdf")))


def test_a_caller_who_leaves_frees_its_process_within_a_second(server: Server) -> None:
    body = json.dumps(ocr_request(data_url(pdf_of_tiny_tiles(), "application/pdf"))).encode()
    url = httpx.URL(server.base_url)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {len(body)}"
    )
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode() + body)
        busy = busy_process(server, killed=[])
    left = time.monotonic()
    busy.wait(timeout=60)
    assert time.monotonic() - left < 1
    assert answer(server, pdf_of_pages(1)).status_code == 200


@pytest.mark.skipif(sys.platform != "linux", reason="what a kernel of another kind ends first is its own affair")
def test_a_machine_without_memory_ends_a_decode_process_before_the_server(server: Server) -> None:
    assert answer(server, pdf_of_pages(1)).status_code == 200

    def adjusted(pid: int) -> int:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    assert adjusted(server.process.pid) == adjusted(os.getpid())
    assert decode_processes(server)
    # A process that has just started sets its own number.
    wait_until(lambda: {adjusted(process.pid) for process in decode_processes(server)} == {1000})
