"""The llama.cpp servers of one model, and the seats that calls take on them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from models import garbage
from models.concurrency import SharedRun
from models.language.embedded_server import LlamaServer
from models.language.llm import (
    LlmUnavailable,
)

InThread = Callable[[Callable[[], LlamaServer | None]], Awaitable[LlamaServer | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """Where one call is answered, until `LlamaServers.leave`."""

    server: LlamaServer
    places: int
    """How many of the server's places it takes."""


class LlamaServers:
    """Belongs to one event loop. Callers see to it that no more than `at_once` calls have a seat."""

    def __init__(self, start: Callable[[], LlamaServer], in_thread: InThread, at_once: int, *, apart: bool) -> None:
        """`start` blocks, and raises LlmUnavailable; it is called by `in_thread`. `apart`: a server a call."""
        self._start = start
        self._in_thread = in_thread
        self._at_once = at_once
        self._apart = apart
        self._servers: list[LlamaServer] = []
        self._idle: list[LlamaServer] = []
        """Where each call has its own: those without one, the last used last: what it has read may be of use again."""
        self._door = asyncio.Lock()
        self._places = asyncio.Semaphore(at_once)
        """The places of the one server that calls share."""
        # Loading takes over the process's signal handlers for a while: never two at a time.
        self._loading = SharedRun(self._load)
        self._lifecycle = asyncio.Lock()
        self._closed = False

    def __len__(self) -> int:
        return len(self._servers)

    @property
    def one(self) -> LlamaServer | None:
        """Any, where one is loaded."""
        return self._servers[0] if self._servers else None

    def busy_slots(self) -> int:
        return sum(server.busy_slots() for server in self._servers)

    async def load(self) -> LlamaServer:
        """At least one. Raises LlmUnavailable."""
        while not self._servers or self._closed:
            await self._loading.join()
        return self._servers[0]

    async def take(self, *, alone: bool) -> Seat:
        """Raises LlmUnavailable. `alone`: no other call is answered in the same batch."""
        if self._apart:
            while not self._idle or self._closed:
                await self._loading.join()
            server = self._idle.pop()
            self._prepare_for_the_next()
            return Seat(server, 1)
        server = await self.load()
        wanted = self._at_once if alone else 1
        taken = 0
        try:
            # One at a time: who wants to be alone is not overtaken for ever by those who do not.
            async with self._door:
                while taken < wanted:
                    await self._places.acquire()
                    taken += 1
        except BaseException:
            self._give_back(taken)
            raise
        return Seat(server, taken)

    def leave(self, seat: Seat) -> None:
        if self._apart:
            self._idle.append(seat.server)
        else:
            self._give_back(seat.places)

    async def unload(self, may: Callable[[], bool] = lambda: True) -> bool:
        """Frees the model where it `may`, once nothing is being loaded. Nobody may have a seat then."""
        async with self._lifecycle:
            if not self._servers or not may():
                return False
            servers, self._servers, self._idle = self._servers, [], []
            for server in servers:
                await self._in_thread(server.close)
            del server, servers
            garbage.collect_all()
            return True

    async def close(self) -> None:
        """Final."""
        self._closed = True
        await self.unload()

    async def _load(self) -> None:
        async with self._lifecycle:
            if self._closed:
                raise LlmUnavailable("The server is shutting down.")
            if not (self._idle if self._apart else self._servers):
                server = await self._in_thread(self._start)
                assert server is not None
                garbage.set_aside()
                self._servers.append(server)
                self._idle.append(server)

    def _prepare_for_the_next(self) -> None:
        """One who comes beside others need not wait for a server to be opened."""
        if not self._idle and len(self._servers) < self._at_once:
            self._loading.start()

    def _give_back(self, places: int) -> None:
        for _ in range(places):
            self._places.release()
