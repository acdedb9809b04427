"""What was held for a request is free when it is answered."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tasks.inputs.source import Blob, Source
from tests.e2e.conftest import data_url, ocr_request


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(_env_file=None, files_dir=str(tmp_path), llm="off"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        yield client
    await app.state.services.close()


@pytest.fixture
def no_garbage_collector() -> Iterator[None]:
    """It may not run for a long time: it counts objects, and a few of them can be a hundred megabytes."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def held() -> list[object]:
    return [thing for thing in gc.get_objects() if isinstance(thing, Source | Blob)]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (data_url(b"Hello", "text/plain"), 200),
        (data_url(b"\x89PNG\r\n\x1a\n broken"), 400),
        ("data:image/png;base64,@@@@", 400),
        ("http://127.0.0.1/a.png", 400),
    ],
)
async def test_a_requests_inputs_are_free_when_it_is_answered(
    client: httpx.AsyncClient, no_garbage_collector: None, url: str, status: int
) -> None:
    before = len(held())
    response = await client.post("/v1/chat/completions", json=ocr_request(url))
    assert response.status_code == status
    async with asyncio.timeout(60):  # for threads to end their last turn
        while len(held()) > before:
            await asyncio.sleep(0.001)


@pytest.mark.usefixtures("frozen_as_in_a_server")
async def test_the_garbage_collector_leaves_alone_what_a_server_starts_with(tmp_path: Path) -> None:
    """Its rounds, which hold up every thread, are over what requests make."""
    gc.unfreeze()
    app = create_app(Settings(_env_file=None, files_dir=str(tmp_path), llm="off"))
    async with app.router.lifespan_context(app):
        assert len(gc.get_objects()) < gc.get_freeze_count() / 10
