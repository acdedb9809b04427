"""Floods of a server by one key, or without a key, from a process that represents other machines."""

import asyncio
import json
import multiprocessing
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping, MutableSequence, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Protocol

import httpx

ALICE = "key-of-alice"
CHAT = "/v1/chat/completions"
PAUSE_S = 0.01
FLOOD_NICE = 5
FLOODED_AFTER_S = 3.0
FLOOD_S = 120.0
"""Longest time of a flood in seconds, whatever becomes of the process that started it."""
ADDRESS = "127.0.0.2"
"""Address from which a flood comes. It is another than the other key's, because connections are bounded by address."""
READ = 1 << 16

Answers = MutableSequence[int]
"""Number of served calls, of refused calls, and of all calls or connections of a flood."""


@dataclass(frozen=True)
class Asked:
    """A call that is repeated."""

    body: bytes = b""
    path: str = CHAT
    content_type: str = "application/json"
    may_be_cached: bool = False
    is_on_a_new_connection: bool = False

    @classmethod
    def chat(cls, body: Mapping[str, Any], *, may_be_cached: bool = False) -> "Asked":
        return cls(json.dumps(body).encode(), may_be_cached=may_be_cached)

    @classmethod
    def upload(cls, content: bytes) -> "Asked":
        request = httpx.Request("POST", "http://x", files={"file": ("a.txt", content)}, data={"purpose": "user_data"})
        return cls(request.read(), "/v1/files", request.headers["content-type"])

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"

    def headers(self, key: str) -> dict[str, str]:
        bypass = {} if self.may_be_cached else {"x-interfaze-bypass-cache": "true"}
        return {"authorization": f"Bearer {key}", "content-type": self.content_type, **bypass}

    def sent(self, key: str) -> bytes:
        headers = {"host": "x", **self.headers(key), "content-length": str(len(self.body))}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body

    async def by(self, client: httpx.AsyncClient, key: str) -> httpx.Response:
        return await client.request(self.method, self.path, content=self.body, headers=self.headers(key))


class Caller(Protocol):
    """One of the callers of a flood, who goes on until the flood ends."""

    async def run(self, host: str, port: int, number: int, answers: Answers) -> None: ...


@dataclass(frozen=True)
class Calls:
    """A caller with a key who makes calls in turn, and reads no more of an answer than necessary.

    After a refusal, half of the callers wait for as long as the answer demands, like SDKs; the other half does not.
    """

    calls: Sequence[Asked]
    leaves_after_s: float | None = None
    """Seconds for which the callers wait for an answer."""

    async def run(self, host: str, port: int, number: int, answers: Answers) -> None:
        is_polite, first = number % 2 == 0, number % len(self.calls)
        calls = cycle([asked.sent(ALICE) for asked in (*self.calls[first:], *self.calls[:first])])
        while True:
            # A caller that leaves, or whose connection the server refuses or closes, returns with a new connection.
            with suppress(TimeoutError, OSError, asyncio.IncompleteReadError), ExitStack() as opened:
                reader, writer = await asyncio.open_connection(host, port, local_addr=(ADDRESS, 0))
                opened.enter_context(closing(writer))
                for call in calls:
                    writer.write(call)
                    answers[2] += 1
                    async with asyncio.timeout(self.leaves_after_s):
                        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
                        headers = dict(line.split(": ", 1) for line in head if ": " in line)
                        await _read_body(reader, headers)
                    answers[head[0].split()[1] != "200"] += 1
                    await asyncio.sleep(float(headers.get("retry-after", PAUSE_S)) if is_polite else PAUSE_S)


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    if "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
        return
    end, last = b"\r\n0\r\n\r\n", b""
    while not last.endswith(end):
        if not (piece := await reader.read(READ)):
            raise ConnectionResetError
        last = (last + piece)[-len(end) :]


@dataclass(frozen=True)
class Connections:
    """A caller who opens one connection after the other. Each is closed as soon as `sent` is sent, unless `again` or
    `read_per_s` keeps it open until the server closes it."""

    sent: bytes
    again: bytes = b""
    """Bytes that are sent again and again."""
    read_per_s: int = 0
    """Bytes of the answer that are read in a second."""
    every_s: float = PAUSE_S
    """Shortest time between the starts of two connections, in seconds."""

    async def run(self, host: str, port: int, number: int, answers: Answers) -> None:
        loop = asyncio.get_running_loop()
        while True:
            next_at = loop.time() + self.every_s
            answers[2] += 1
            with suppress(OSError), socket.socket() as connection:
                connection.setblocking(False)
                connection.bind((ADDRESS, 0))
                await loop.sock_connect(connection, (host, port))
                await loop.sock_sendall(connection, self.sent)
                while self.again:
                    await loop.sock_sendall(connection, self.again)
                while self.read_per_s and await loop.sock_recv(connection, self.read_per_s):
                    await asyncio.sleep(1)
            await asyncio.sleep(max(0, next_at - loop.time()))


def flood(base_url: str, caller: Caller, many: int, answers: Answers) -> None:
    """Flood the server from a separate process, so that the measuring process is not slowed down.

    The flood represents other machines. It therefore takes as little of the server's processors as possible.
    """
    os.nice(FLOOD_NICE)
    url = httpx.URL(base_url)

    async def all_of_them() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FLOOD_S):
                await asyncio.gather(*(caller.run(url.host, url.port or 80, n, answers) for n in range(many)))

    asyncio.run(all_of_them())


@asynccontextmanager
async def flooded(client: httpx.AsyncClient, many: int, caller: Caller, most: int = 1000) -> AsyncIterator[None]:
    """Have `many` callers, but no more than `most`, flood the client's server during the block, and print what became
    of the flood."""
    many = min(many, most)
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Array("q", 3, lock=False)
    flooding = spawn.Process(target=flood, args=(str(client.base_url), caller, many, answers), daemon=True)
    flooding.start()
    try:
        while answers[2] < many and flooding.is_alive():
            await asyncio.sleep(PAUSE_S)
        await asyncio.sleep(FLOODED_AFTER_S)
        begun, begun_at = answers[2], time.perf_counter()
        yield
        if not flooding.is_alive():
            raise RuntimeError("the flood ended before the measurement")
        rate = (answers[2] - begun) / (time.perf_counter() - begun_at)
        print(
            f"  flood of {many}: {rate:.1f} begun a second, {answers[0]} served, {answers[1]} refused",
            flush=True,
        )
    finally:
        flooding.terminate()
        flooding.join()
