"""Bodies that the safe fetcher reads: how much of them, for how long, and what servers say of them that is not so."""

import asyncio
import gzip
import random
import tracemalloc
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable

import httpcore
import pytest

from tasks.errors import InputTooLarge
from tasks.inputs.fetch.body import MAX_STREAMS
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.fetch.heads import MAX_FIELDS
from tasks.inputs.limits import MB
from tests.conftest import each_case
from tests.fetching import OPEN, fetch, refusal
from tests.loop_passes import passing
from tests.loop_time import LoopTime
from tests.web import response, serving


async def test_a_declared_length_above_the_limit_is_not_read() -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        await asyncio.Event().wait()

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"))
    assert isinstance(error, InputTooLarge)
    assert "is larger than 80 MB (OPENFAZE_MAX_FETCH_MB)" in error.message


async def test_a_body_that_never_ends_is_cut_off() -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"), max_bytes=1_000_000)
    assert isinstance(error, InputTooLarge)


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    async with serving(page=response(bytes(1000)), more=response(bytes(1001))) as server:
        assert len((await fetch(server.url("page"), max_bytes=1000)).data) == 1000
        assert isinstance(await refusal(server.url("more"), max_bytes=1000), InputTooLarge)


async def test_the_policys_limit_cannot_be_raised() -> None:
    policy = FetchPolicy(allow=("127.0.0.1",), max_bytes=10)
    async with serving(page=response(bytes(11))) as server:
        assert isinstance(await refusal(server.url("page"), policy, max_bytes=100), InputTooLarge)


async def test_a_drip_is_ended_by_the_total_time() -> None:
    time, sent = LoopTime(), 0

    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            sent += 1
            await time.passes_by(1)

    policy = FetchPolicy(allow=("127.0.0.1",), read_timeout=25, total_timeout=30)
    async with serving(page=drip) as server:
        error = await refusal(server.url("page"), policy)
    assert error.code == "fetch_failed"
    assert "took longer than 30 s" in error.message
    assert sent > 10


async def test_silence_is_ended_by_the_read_time() -> None:
    time = LoopTime()

    async def silence(head: bytes, writer: asyncio.StreamWriter) -> None:
        await time.passes_by(20)

    policy = FetchPolicy(allow=("127.0.0.1",), read_timeout=10, total_timeout=60)
    async with serving(page=silence) as server:
        error = await refusal(server.url("page"), policy)
    assert (error.code, "did not answer in time" in error.message) == ("fetch_failed", True)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
)
async def test_a_broken_answer_fails(answer: bytes) -> None:
    async with serving(page=answer) as server:
        assert (await refusal(server.url("page"))).code == "fetch_failed"


@pytest.mark.parametrize(("name", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compression_that_was_not_asked_for_is_undone(name: str, compress: Callable[[bytes], bytes]) -> None:
    body = bytes(range(256)) * 1000
    async with serving(page=response(compress(body), f"Content-Encoding: {name}")) as server:
        assert (await fetch(server.url("page"))).data == body


async def test_a_compressed_bomb_is_cut_off_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    async with serving(page=response(bomb, "Content-Encoding: gzip")) as server:
        error = await refusal(server.url("page"), max_bytes=1_000_000)
    assert isinstance(error, InputTooLarge)


@pytest.mark.parametrize("is_compressed", [False, True])
async def test_a_body_ends_where_its_caller_has_enough(is_compressed: bool) -> None:
    sizes: list[int] = []

    def arrived(size: int) -> None:
        sizes.append(size)
        if size > 10 * MB:
            raise InputTooLarge("enough")

    fetcher = Fetcher(OPEN)
    body = bytes(70 * MB)
    page = response(gzip.compress(body), "Content-Encoding: gzip")
    if not is_compressed:
        page = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body  # its size is not known before
    async with serving(page=page) as server:
        with pytest.raises(InputTooLarge, match="enough"):
            await fetcher.fetch(server.url("page"), arrived=arrived)
    await fetcher.close()
    assert 10 * MB < sizes[-1] < 20 * MB


async def test_a_body_whose_size_is_known_ends_before_it_arrives() -> None:
    sizes: list[int] = []

    def arrived(size: int) -> None:
        sizes.append(size)
        raise InputTooLarge("enough")

    fetcher = Fetcher(OPEN)
    async with serving(page=response(bytes(70_000))) as server:
        with pytest.raises(InputTooLarge, match="enough"):
            await fetcher.fetch(server.url("page"), arrived=arrived)
    await fetcher.close()
    assert sizes == [70_000]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"not gzip", "gzip"), (gzip.compress(bytes(9999), mtime=0)[:-12], "gzip"), (b"x", "br"), (b"x", "gzip, gzip")],
)
async def test_compression_that_cannot_be_undone_fails(body: bytes, encoding: str) -> None:
    async with serving(page=response(body, f"Content-Encoding: {encoding}")) as server:
        assert (await refusal(server.url("page"))).code == "fetch_failed"


async def test_files_that_follow_each_other_in_a_compressed_body_are_one() -> None:
    body = b"".join(gzip.compress(part) for part in (b"one ", b"", b"two ", bytes(3_000_000)))
    async with serving(page=response(body, "Content-Encoding: gzip")) as server:
        assert (await fetch(server.url("page"))).data == b"one two " + bytes(3_000_000)


async def test_the_streams_of_a_compressed_body_are_limited() -> None:
    most = gzip.compress(b"", mtime=0) * (MAX_STREAMS - 1) + gzip.compress(b"text")
    encoded = "Content-Encoding: gzip"
    async with serving(page=response(most, encoded), more=response(most + gzip.compress(b""), encoded)) as server:
        assert (await fetch(server.url("page"))).data == b"text"
        error = await refusal(server.url("more"))
    assert error.code == "fetch_failed"
    assert f"more than {MAX_STREAMS} gzip streams in a row, the limit" in error.message


async def test_a_body_that_inflates_beyond_the_limit_takes_hardly_any_memory() -> None:
    limit, block = 20_000_000, bytes(2**20)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(packer.compress(block) for _ in range(128)), packer.flush()])
    assert len(bomb) < 140_000
    async with serving(page=response(bomb, "Content-Encoding: gzip")) as server:
        tracemalloc.start()
        error = await refusal(server.url("page"), max_bytes=limit)
        grown, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert isinstance(error, InputTooLarge)
    assert peak < 10_000_000
    assert grown < 5_000_000


async def test_a_body_of_the_limits_size_is_held_once() -> None:
    limit = 20_000_000
    async with serving(page=response(bytes(limit))) as server:
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1",), cache_bytes=0))
        tracemalloc.start()
        fetched = await fetcher.fetch(server.url("page"), max_bytes=limit)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await fetcher.close()
    assert len(fetched.data) == limit
    # The test's server holds its answer too, most of it written to the transport's buffer.
    assert peak < 2.5 * limit


async def test_a_compressed_body_of_the_limits_size_is_read_whatever_it_is_packed_to() -> None:
    noise = random.Random(0).randbytes(3_000_000)
    for body in (noise, bytes(3_000_000)):
        async with serving(page=response(gzip.compress(body), "Content-Encoding: gzip")) as server:
            assert (await fetch(server.url("page"), max_bytes=len(body))).data == body
            assert isinstance(await refusal(server.url("page"), max_bytes=len(body) - 1), InputTooLarge)


async def test_compressed_blocks_of_nothing_that_never_end_are_cut_off() -> None:
    empty_block = b"\0\0\0\xff\xff"

    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"")[:2])
        while True:
            writer.write(empty_block * 4000)
            await writer.drain()

    async with serving(page=endless) as server:
        assert isinstance(await refusal(server.url("page"), max_bytes=1000), InputTooLarge)


async def test_what_follows_a_compressed_body_does_not_pile_up() -> None:
    """A body that is over, and goes on: what decompressors put aside is what memory runs out of."""

    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"the end"))
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"))
    assert "a damaged compressed body" in error.message


@each_case(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 200_000 + b"\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Flood: yes\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-Flood: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad\x00Name: x\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/9\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"x" * 300_000,
    ],
)
async def test_an_answer_that_lies_about_itself_fails(answer: bytes) -> None:
    async with serving(page=answer) as server:
        assert (await refusal(server.url("page"))).code == "fetch_failed"


async def test_no_more_is_read_than_a_length_says() -> None:
    async with serving(page=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort and then some") as server:
        assert (await fetch(server.url("page"))).data == b"short"


async def test_headers_that_never_end_are_cut_off() -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Flood: yes\r\n" * 1000)
            await writer.drain()

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"))
    assert (error.code, "broke off" in error.message) == ("fetch_failed", True)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (MAX_FIELDS + 1, f"was sent with {MAX_FIELDS + 2} header fields; the limit is {MAX_FIELDS}"),
        (20_000, "broke off"),
    ],
)
async def test_header_fields_are_limited(fields: int, message: str) -> None:
    many = [f"a{number % 10}: b" for number in range(fields)]
    async with serving(page=response(b"x", *many)) as server:
        error = await refusal(server.url("page"))
    assert error.code == "fetch_failed"
    assert message in error.message


async def test_the_lines_of_a_small_body_are_no_header_fields() -> None:
    async with serving(page=response(b"\n" * 3_000)) as server:
        assert (await fetch(server.url("page"))).data == b"\n" * 3_000


async def test_heads_of_no_answer_that_never_end_are_cut_off() -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)
            await writer.drain()

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"))
    assert (error.code, "broke off" in error.message) == ("fetch_failed", True)


async def test_an_upgrade_that_nobody_asked_for_is_a_failure() -> None:
    async with serving(page=b"HTTP/1.1 101 Switching Protocols\r\n\r\n") as server:
        error = await refusal(server.url("page"))
    assert (error.code, "broke off" in error.message) == ("fetch_failed", True)


async def test_other_tasks_run_between_the_chunks_of_a_body(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: Counter[int] = Counter()
    pieces = httpcore.Response.aiter_stream

    async def counted(response: httpcore.Response) -> AsyncIterator[bytes]:
        async for piece in pieces(response):
            at_once[passes.number] += 1
            yield piece

    monkeypatch.setattr(httpcore.Response, "aiter_stream", counted)
    page = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 2000 + b"0\r\n\r\n"
    async with passing() as passes, serving(page=page) as server:
        assert len((await fetch(server.url("page"))).data) == 2000
    assert max(at_once.values()) <= 2 * 16
