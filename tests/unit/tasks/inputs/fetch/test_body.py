"""Bodies that the safe fetcher reads: how much of them, for how long, and what servers say of them that is not so."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from tasks.errors import InputTooLarge
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MB
from tests.conftest import each_case
from tests.kit.internet.fetching import OPEN, fetch, refusal
from tests.kit.internet.web import Handler, response, serving
from tests.kit.waits.loop_time import LoopTime

ENCODED = "Content-Encoding: gzip"


def endless(head: bytes, piece: bytes) -> Handler:
    """Sends a head, and then the same piece again and again."""

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()

    return answer


OK = b"HTTP/1.1 200 OK\r\n"


@each_case(
    ("head", "piece", "code"),
    [
        (OK + b"\r\n", bytes(65536), "file_too_large"),
        (OK + b"Content-Length: 1000000000\r\n\r\n", bytes(65536), "file_too_large"),
        # Compressed blocks of nothing
        (OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"")[:2], b"\0\0\0\xff\xff" * 4000, "fetch_failed"),
        # A body that is over, and goes on
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"the end"), bytes(65536), "fetch_failed"),
        (OK, b"X-Flood: yes\r\n" * 1000, "fetch_failed"),
    ],
)
async def test_an_answer_that_never_ends_is_cut_off(head: bytes, piece: bytes, code: str) -> None:
    policy = FetchPolicy(allow=("127.0.0.1",), total_timeout=2)
    async with serving(page=endless(head, piece)) as server:
        assert (await refusal(server.url("page"), policy, max_bytes=MB)).code == code


@pytest.mark.parametrize(("pause_s", "said"), [(1, "30 s"), (20, "in time")])
async def test_a_drip_is_ended_by_the_total_time_and_silence_by_the_read_time(pause_s: float, said: str) -> None:
    time = LoopTime()

    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await time.passes_by(pause_s)

    policy = FetchPolicy(allow=("127.0.0.1",), read_timeout=10, total_timeout=30)
    async with serving(page=drip) as server:
        error = await refusal(server.url("page"), policy)
    assert (error.code, said in error.message) == ("fetch_failed", True)


@pytest.mark.parametrize(("name", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compression_that_was_not_asked_for_is_undone(name: str, compress: Callable[[bytes], bytes]) -> None:
    body = bytes(range(256)) * 1000
    async with serving(page=response(compress(body), f"Content-Encoding: {name}")) as server:
        assert (await fetch(server.url("page"), max_bytes=len(body))).data == body
        assert isinstance(await refusal(server.url("page"), max_bytes=len(body) - 1), InputTooLarge)


@pytest.mark.parametrize("is_compressed", [False, True])
async def test_a_body_ends_where_its_caller_has_enough(is_compressed: bool) -> None:
    sizes: list[int] = []

    def arrived(size: int) -> None:
        sizes.append(size)
        if size > 10 * MB:
            raise InputTooLarge("enough")

    fetcher = Fetcher(OPEN)
    body = bytes(70 * MB)
    page = response(gzip.compress(body), ENCODED)
    if not is_compressed:
        page = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body  # its size is not known before
    async with serving(page=page, known=response(body)) as server:
        with pytest.raises(InputTooLarge, match="enough"):
            await fetcher.fetch(server.url("page"), arrived=arrived)
        assert 10 * MB < sizes[-1] < 80 * MB
        with pytest.raises(InputTooLarge, match="enough"):
            await fetcher.fetch(server.url("known"), arrived=arrived)
    await fetcher.close()
    assert sizes[-1] == len(body)


async def test_a_body_that_inflates_beyond_the_limit_is_not_held() -> None:
    limit, block = 20_000_000, bytes(2**20)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(packer.compress(block) for _ in range(128)), packer.flush()])
    async with serving(page=response(bomb, ENCODED)) as server:
        tracemalloc.start()
        error = await refusal(server.url("page"), max_bytes=limit)
        grown, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert isinstance(error, InputTooLarge)
    assert peak < 2 * limit
    assert grown < 5_000_000


@each_case(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 200_000 + b"\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Flood: yes\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/9\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"x" * 300_000,
    ],
)
async def test_an_answer_that_lies_about_itself_fails(answer: bytes) -> None:
    async with serving(page=answer) as server:
        assert (await refusal(server.url("page"))).code == "fetch_failed"
