"""The browser's way out: what it opens, what it refuses, and that it counts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tasks.inputs.fetch.fetcher import FetchPolicy
from tasks.scrape.browser_proxy import BrowserProxy, network_of
from tests.kit.internet.web import TLS, Names, Server, response, serving

OPEN = ("127.0.0.1/32",)


class Rebinding:
    """Answers a public address first and a private one from then on."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return ["127.0.0.1"] if self.asked == 1 else ["10.0.0.1"]


@asynccontextmanager
async def proxy(
    allow: tuple[str, ...] = OPEN, max_bytes: int = 1_000_000
) -> AsyncIterator[tuple[BrowserProxy, Server]]:
    names = Names(good_test=["127.0.0.1"], inner_test=["10.0.0.1"], mixed_test=["93.184.216.34", "10.0.0.1"])
    network = network_of(FetchPolicy(allow=allow), names, TLS)
    async with (
        serving(page=response(b"hello"), large=response(b"x" * 500_000)) as server,
        BrowserProxy(network, max_bytes=max_bytes, connect_timeout=60) as opened,
    ):
        yield opened, server


async def say(proxy: BrowserProxy, head: str, then: bytes = b"") -> bytes:
    port = int(proxy.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + then)
    try:
        async with asyncio.timeout(60):
            return await reader.read()
    finally:
        writer.close()


def get(url: str, *fields: str) -> str:
    return "\r\n".join([f"GET {url} HTTP/1.1", "Host: whatever", *fields, "", ""])


def connect(target: str) -> str:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n"


async def test_plain_http_is_passed_on_for_one_request() -> None:
    async with proxy() as (opened, server):
        answer = await say(opened, get(server.url("page", host="good.test"), "Proxy-Connection: keep-alive", "X-A: b"))
    assert answer.endswith(b"\r\n\r\nhello")
    [head] = server.requests
    assert head.startswith("GET /page HTTP/1.1\r\n")
    assert "X-A: b" in head
    assert "Connection: close" in head
    assert "Proxy-" not in head


async def test_a_tunnel_carries_what_it_is_given() -> None:
    async with proxy() as (opened, server):
        inner = b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await say(opened, connect(f"good.test:{server.port}"), inner)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"hello")


@pytest.mark.parametrize(
    "host",
    [
        "inner.test",
        "mixed.test",
        "10.0.0.1",
        "169.254.169.254",
        "metadata.google.internal",
        "[::ffff:10.0.0.1]",
    ],
)
async def test_addresses_inside_are_refused(host: str) -> None:
    async with proxy() as (opened, _):
        for head in (connect(f"{host}:80"), connect(f"{host}:443"), get(f"http://{host}/")):
            assert (await say(opened, head)).startswith(b"HTTP/1.1 403 "), head
    assert opened.refused == [host.strip("[]")] * 3


async def test_a_name_is_resolved_and_checked_for_each_connection() -> None:
    names = Rebinding()
    async with serving(page=response(b"hello")) as server:
        network = network_of(FetchPolicy(allow=OPEN), names, TLS)
        async with BrowserProxy(network) as opened:
            url = server.url("page", host="rebinding.test")
            assert b" 200 " in await say(opened, get(url))
            assert b" 403 " in await say(opened, get(url))
    assert names.asked == 2


@pytest.mark.parametrize(
    "head",
    [
        "GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        get("https://good.test/"),
        connect("good.test"),
        connect("user@good.test:80"),
        connect("good.test:999999"),
        "nonsense\r\n\r\n",
    ],
)
async def test_what_is_no_request_to_a_proxy_is_refused(head: str) -> None:
    async with proxy() as (opened, server):
        assert (await say(opened, head)).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 502 "))
    assert not server.requests


async def test_an_upgrade_to_another_protocol_is_refused() -> None:
    async with proxy() as (opened, server):
        answer = await say(opened, get(server.url("page"), "Upgrade: websocket", "Connection: Upgrade"))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert not server.requests


async def test_what_a_page_moves_is_bounded() -> None:
    async with proxy(max_bytes=600_000) as (opened, server):
        url = server.url("large")
        assert len(await say(opened, get(url))) > 500_000
        assert len(await say(opened, get(url))) < 500_000
        assert await say(opened, get(url)) == b""


async def test_leaving_it_ends_every_connection() -> None:
    arrived = asyncio.Event()

    async def silent(_head: bytes, _writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.sleep(60)

    async with serving(page=silent) as server:
        async with BrowserProxy(network_of(FetchPolicy(allow=OPEN), Names(), TLS)) as opened:
            waiting = asyncio.create_task(say(opened, get(server.url("page"))))
            await arrived.wait()
        assert await waiting == b""
