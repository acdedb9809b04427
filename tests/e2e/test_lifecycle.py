"""Callers who leave, a server that stops, logs without content, and refusals to start."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import data_url, ocr_request
from tests.pages import paragraph_page, single_line
from tests.server import serving


def until(condition: Any, limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def hang_up_after_sending(base_url: str, body: bytes) -> None:
    """Sends a whole request, and closes the connection without waiting for the answer."""
    host, port = base_url.removeprefix("http://").split(":")
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)


@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_who_hangs_up_costs_nothing_more(tmp_path: Path, stream: bool) -> None:
    # Many pages: were the work to go on, it would take many seconds.
    document = io_pdf(60)
    body = json.dumps(ocr_request(data_url(document, "application/pdf"), stream=stream)).encode()
    with serving(tmp_path / "log", preload="ocr") as server:
        hang_up_after_sending(server.base_url, body)
        until(lambda: any(line.get("status") == 499 or line.get("status") is None for line in chats(server.log)))
        [line] = chats(server.log)
        assert line["status"] == 499
        # The queue is free again: a small request does not wait for the abandoned pages.
        picture = data_url(single_line("next in line").encoded())
        response = httpx.post(f"{server.base_url}/v1/chat/completions", json=ocr_request(picture), timeout=30)
        assert "next in line" in response.text


def test_a_caller_who_hangs_up_in_the_middle_of_the_body_is_no_error(tmp_path: Path) -> None:
    with serving(tmp_path / "log") as server:
        host, port = server.base_url.removeprefix("http://").split(":")
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100000\r\n\r\n"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode() + b'{"model": "auto"')
            until(lambda: httpx.get(f"{server.base_url}/health").status_code == 200)
        until(lambda: bool(chats(server.log)))
        [line] = chats(server.log)
        assert line["status"] == 499
        assert not [line for line in server.log if line["level"] == "error"]


def chats(log: list[dict[str, object]]) -> list[dict[str, object]]:
    return [line for line in log if line.get("event") == "request" and line.get("path") == "/v1/chat/completions"]


def io_pdf(pages: int) -> bytes:
    """Scanned pages: pictures in a PDF, without a text layer."""
    first, *rest = [paragraph_page(lines=20, width=900, seed=seed).image for seed in range(pages)]
    import io

    file = io.BytesIO()
    first.save(file, "PDF", save_all=True, append_images=rest)
    return file.getvalue()


def test_stopping_lets_a_running_stream_end(tmp_path: Path) -> None:
    body = ocr_request(data_url(io_pdf(4), "application/pdf"), stream=True)
    with serving(tmp_path / "log", preload="ocr") as server:
        headers = {"x-interfaze-progress": "true"}
        with httpx.stream(
            "POST", f"{server.base_url}/v1/chat/completions", json=body, headers=headers, timeout=60
        ) as response:
            lines = response.iter_lines()
            assert next(lines).startswith(": progress")
            stopping = threading.Thread(target=server.stop)
            stopping.start()
            rest = [line for line in lines if line]
            stopping.join()
        assert rest[-1] == "data: [DONE]"
        assert server.process.returncode in (0, -signal.SIGTERM)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.base_url}/health")


def test_logs_are_json_and_hold_no_content(tmp_path: Path) -> None:
    with serving(tmp_path / "log", preload="ocr") as server:
        picture = data_url(single_line("confidential words").encoded())
        body = ocr_request(picture, text="a private question")
        response = httpx.post(f"{server.base_url}/v1/chat/completions", json=body, timeout=60)
        assert "confidential words" in response.text
        broken = ocr_request("data:image/png;base64,c2VjcmV0", text="another private question")
        assert httpx.post(f"{server.base_url}/v1/chat/completions", json=broken, timeout=60).status_code == 400
        text = server.log_file.read_text()
        lines = chats(server.log)
    assert [line["status"] for line in lines] == [200, 400]
    assert lines[0]["request_id"] == response.headers["x-request-id"]
    assert set(lines[0]["stages"]) >= {"read", "task"}  # type: ignore[call-overload]
    for content in ("confidential", "private", "c2VjcmV0"):
        assert content not in text


def test_the_time_limit_of_a_request_is_kept(tmp_path: Path) -> None:
    with serving(tmp_path / "log", preload="ocr", request_timeout_s=0.05) as server:
        body = ocr_request(data_url(io_pdf(8), "application/pdf"))
        response = httpx.post(f"{server.base_url}/v1/chat/completions", json=body, timeout=60)
    assert response.status_code == 503
    error = response.json()["error"]
    assert (error["type"], error["code"]) == ("service_unavailable", "timeout")
    assert "0.05 s" in error["message"]


def test_a_full_queue_answers_503_with_retry_after(tmp_path: Path) -> None:
    page = data_url(paragraph_page(lines=25, width=1200).encoded())
    responses: list[httpx.Response] = []
    with serving(tmp_path / "log", preload="ocr", max_queue=1) as server:

        def call() -> None:
            responses.append(httpx.post(f"{server.base_url}/v1/chat/completions", json=ocr_request(page), timeout=60))

        callers = [threading.Thread(target=call) for _ in range(12)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    refused = [response for response in responses if response.status_code == 503]
    assert {response.status_code for response in responses} == {200, 503}
    assert all(response.json()["error"]["code"] == "overloaded" for response in refused)
    assert all(int(response.headers["retry-after"]) >= 1 for response in refused)


def test_idle_engines_leave_memory_and_come_back(tmp_path: Path) -> None:
    picture = data_url(single_line("back again").encoded())
    with serving(tmp_path / "log", idle_unload_s=0.2) as server:
        for _ in range(2):
            response = httpx.post(f"{server.base_url}/v1/chat/completions", json=ocr_request(picture), timeout=60)
            assert "back again" in response.text
            until(lambda: httpx.get(f"{server.base_url}/ready").json()["capabilities"]["ocr"]["state"] == "idle")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"OPENFAZE_HOST": "0.0.0.0"}, "refusing to listen on 0.0.0.0 without keys"),
        ({"OPENFAZE_OCR": "crystal-ball"}, "no engine 'crystal-ball' for 'ocr'"),
        ({"OPENFAZE_PORT": "high"}, "OPENFAZE_PORT"),
        ({"OPENFAZE_API_KEY": "k"}, "did you mean OPENFAZE_API_KEYS?"),
        ({"OPENFAZE_PRELOAD": "ocd"}, "OPENFAZE_PRELOAD"),
    ],
)
def test_a_server_that_cannot_be_what_it_was_told_to_be_does_not_start(
    variables: dict[str, str], message: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
    result = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
