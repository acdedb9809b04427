"""What was held for a request is free when it is answered."""

import asyncio
import gc
import platform
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from models.malloc import give_large_blocks_back
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


@pytest.mark.usefixtures("rounds_as_in_a_server")
async def test_the_garbage_collector_leaves_alone_what_a_server_starts_with(tmp_path: Path) -> None:
    """Its rounds, which hold up every thread, are over what requests make."""
    gc.unfreeze()
    app = create_app(Settings(_env_file=None, files_dir=str(tmp_path), llm="off"))
    async with app.router.lifespan_context(app):
        assert len(gc.get_objects()) < gc.get_freeze_count() / 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps large blocks")
def test_large_blocks_are_given_back() -> None:
    assert give_large_blocks_back()


@pytest.mark.deep
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps large blocks")
def test_a_command_that_works_as_its_own_server_gives_large_blocks_back_too(tmp_path: Path) -> None:
    """glibc would place the second block in a heap, because a larger one was freed before."""
    program = """
import ctypes, sys
from app.cli.serving import serve_in_thread
from app.settings import Settings

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = (ctypes.c_size_t,)
libc.free.argtypes = (ctypes.c_void_p,)
FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
libc.mallinfo2.restype = type("Memory", (ctypes.Structure,), {"_fields_": [(name, ctypes.c_size_t) for name in FIELDS]})
with serve_in_thread(Settings(_env_file=None, llm="off", files_dir=sys.argv[1])):
    libc.free(libc.malloc(30_000_000))
    before = libc.mallinfo2().hblkhd
    libc.malloc(20_000_000)
    print(libc.mallinfo2().hblkhd - before)
"""
    given = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(given, capture_output=True, text=True, check=True, timeout=120)
    assert int(ended.stdout) >= 20_000_000
