"""Bombs and lies, one after the other against one server: each gets its error, and costs nobody else anything."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import KEY, api_client, data_url, ocr_request
from tests.kit.internet.origin import Origin, serving_origin
from tests.kit.papers import hostile
from tests.kit.papers.pages import single_line
from tests.kit.servers.server import Server, serving

pytestmark = pytest.mark.deep
MAX_MB = 700
"""Memory that an attack may cost at its peak: a third of what one worker process may take."""
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving_origin() as running:
        running.files["/zeros"] = hostile.gzip_of_zeros(2**28)
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Fetches from loopback; its engine is loaded and its decoding processes run already."""
    log = tmp_path_factory.mktemp("hostile") / "log"
    told = {"llm": "off", "fetch_allow": "127.0.0.1/32"}
    with serving(log, api_keys=KEY, preload="ocr", **told) as running:
        with api_client(running) as client:
            for url in (data_url(hostile.pdf_of_inches(2), "application/pdf"), _picture()):
                assert client.post("/v1/chat/completions", json=ocr_request(url)).status_code == 200
        yield running


def _picture() -> str:
    return data_url(single_line("still here").encoded("PNG"))


def _audio(data: bytes, media_type: str) -> dict[str, Any]:
    part = {"type": "audio_url", "audio_url": {"url": data_url(data, media_type)}}
    return {
        "model": "auto",
        "messages": [
            {"role": "system", "content": "<task>speech_to_text</task>"},
            {"role": "user", "content": [{"type": "text", "text": "Transcribe."}, part]},
        ],
    }


ATTACKS: dict[str, tuple[Callable[[], bytes], str, int, str]] = {
    "a PNG of 50,000 x 50,000 pixels": (
        lambda: hostile.png_claiming(50_000, 50_000), "image/png", 400, "image_too_large"),
    "a PNG of one pixel by 60,000,000": (
        lambda: hostile.png_claiming(1, 60_000_000), "image/png", 400, "image_too_large"),
    "a PNG without its pixels": (lambda: hostile.png_claiming(8000, 8000), "image/png", 400, "invalid_request"),
    "a Word file of 256 megabytes": (hostile.docx_bomb, DOCX, 413, "file_too_large"),
    "a Word file of a billion laughs": (hostile.docx_laughing, DOCX, 400, "invalid_request"),
    "JSON 100,000 deep": (lambda: hostile.json_of_depth(100_000), "application/json", 400, "invalid_request"),
    "a PDF page of 200 inches": (lambda: hostile.pdf_of_inches(200), "application/pdf", 400, "image_too_large"),
    "a PDF whose tree of pages is its own child": (
        hostile.pdf_of_a_circular_tree, "application/pdf", 400, "invalid_request"),
    "an MP4 without sound": (hostile.mp4_without_audio, "video/mp4", 400, "no_audio"),
    "a web page named .mp3": (lambda: b"<!DOCTYPE html><html></html>", "audio/mpeg", 400, "unsupported_media_type"),
}  # fmt: skip
"""What is sent, and the error that it gets, by a name."""


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_its_error_within_bounded_memory(name: str, server: Server) -> None:
    make, media_type, status, code = ATTACKS[name]
    is_heard = media_type.startswith(("audio", "video"))
    body = _audio(make(), media_type) if is_heard else ocr_request(data_url(make(), media_type))
    is_answered_in_bounded_memory(server, body, status, code)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/gzip/zeros", 413, "file_too_large"), ("/endless", 413, "file_too_large"), ("/short", 400, "fetch_failed")],
)
def test_an_address_that_lies_gets_its_error_within_bounded_memory(
    path: str, status: int, code: str, server: Server, origin: Origin
) -> None:
    is_answered_in_bounded_memory(server, ocr_request(origin.url(path)), status, code)


def is_answered_in_bounded_memory(server: Server, body: dict[str, Any], status: int, code: str) -> None:
    with api_client(server) as client, _memory(server) as memory:
        response = client.post("/v1/chat/completions", json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text
    assert memory.grown_mb <= MAX_MB + 3 * len(response.request.content) / 1e6


def test_a_length_that_lies_upwards_is_not_believed(server: Server, origin: Origin) -> None:
    with api_client(server) as client:
        response = client.post("/v1/chat/completions", json=_audio(hostile.wav_claiming_4_gb(), "audio/wav"))
    assert response.status_code == 200, response.text
    assert '"chunks":[]' in response.json()["choices"][0]["message"]["content"]


def test_a_pdf_that_draws_itself_is_a_blank_page(server: Server) -> None:
    url = data_url(hostile.pdf_drawing_itself(), "application/pdf")
    with api_client(server) as client:
        response = client.post("/v1/chat/completions", json=ocr_request(url))
    assert response.status_code == 200, response.text
    result = json.loads(response.json()["choices"][0]["message"]["content"])["result"]
    assert result["sections"] == [{"text": "", "lines": [], "page": 1, "width": 1200, "height": 1600}]
    assert (result["extracted_text"], result["total_pages"]) == ("", 1)


def test_after_all_that_the_server_reads_as_before(server: Server) -> None:
    with api_client(server) as client:
        response = client.post("/v1/chat/completions", json=ocr_request(_picture()))
    assert "still here" in response.json()["choices"][0]["message"]["content"]


@dataclass
class Memory:
    before: float
    peak: float

    @property
    def grown_mb(self) -> float:
        return self.peak - self.before


@contextlib.contextmanager
def _memory(server: Server) -> Iterator[Memory]:
    """The memory of the server and its children, watched from a thread while the block runs."""
    memory = Memory(_held_mb(server), 0.0)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            memory.peak = max(memory.peak, _held_mb(server))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield memory
    finally:
        ended.set()
        watching.join()
        memory.peak = max(memory.peak, _held_mb(server))


def _held_mb(server: Server) -> float:
    parent = psutil.Process(server.process.pid)
    held = 0.0
    for process in (parent, *parent.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            held += process.memory_full_info().uss / 1e6
    return held
