"""The llama.cpp servers of one model, and the seats that calls take on them."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from models.concurrency import SharedRun
from models.hosts.workplace import collect_garbage
from models.language.embedded_server import LlamaServer
from models.language.llm import (
    LlmUnavailable,
)

InThread = Callable[[Callable[[], LlamaServer | None]], Awaitable[LlamaServer | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """The right of one call to be answered by a server. It is held until `LlamaServers.leave`."""

    server: LlamaServer
    places: int
    """Number of places on the server that the call takes."""


class LlamaServers:
    """The servers of one model. An object of this class belongs to one event loop. Callers ensure that no more than
    `at_once` calls have a seat."""

    def __init__(self, start: Callable[[], LlamaServer], in_thread: InThread, at_once: int, *, apart: bool) -> None:
        """`start` opens a server. It blocks, may raise LlmUnavailable, and is run by `in_thread`. With `apart`, each
        call has a server of its own."""
        self._open = start
        self._in_thread = in_thread
        self._at_once = at_once
        self._apart = apart
        self._servers: list[LlamaServer] = []
        self._idle: list[LlamaServer] = []
        """Servers that answer no call now, if each call has its own server. The server that was used last is at the end
        of the list and is taken first, because the prompt that it has read may be useful again."""
        self._taking_turns = asyncio.Lock()
        self._places = asyncio.Semaphore(at_once)
        """Places on the single server that all calls share."""
        # Loading replaces the process's signal handlers for a while, so two loads never run at a time.
        self._loading = SharedRun(self._load)
        self._lifecycle = asyncio.Lock()
        self._closed = False

    def __len__(self) -> int:
        return len(self._servers)

    @property
    def one(self) -> LlamaServer | None:
        """Return any loaded server; None if there is none."""
        return self._servers[0] if self._servers else None

    def busy_slots(self) -> int:
        return sum(server.busy_slots() for server in self._servers)

    async def load(self) -> LlamaServer:
        """Load at least one server, and return one. Raises LlmUnavailable."""
        while not self._servers or self._closed:
            await self._loading.join()
        return self._servers[0]

    async def take(self, *, alone: bool) -> Seat:
        """Wait for a free seat and return it. With `alone`, no other call is answered in the same batch. Raises
        LlmUnavailable."""
        if self._apart:
            while (server := self._take_idle()) is None:
                await self._loading.join()
            self._start_another()
            return Seat(server, 1)
        server = await self.load()
        wanted = self._at_once if alone else 1
        taken = 0
        try:
            # Calls take their places one after the other. Otherwise, a call that needs all places could be overtaken
            # forever by calls that need one.
            async with self._taking_turns:
                while taken < wanted:
                    await self._places.acquire()
                    taken += 1
        except BaseException:
            self._release(taken)
            raise
        return Seat(server, taken)

    def leave(self, seat: Seat) -> None:
        if self._apart:
            self._idle.append(seat.server)
        else:
            self._release(seat.places)

    async def unload(self, may: Callable[[], bool] = lambda: True) -> bool:
        """Wait until nothing is being loaded, then free the model if `may` returns True. `may` must return False while
        a call has a seat. Return False if nothing was freed."""
        async with self._lifecycle:
            if not self._servers or not may():
                return False
            await self._close_servers()
            collect_garbage()
            return True

    async def close(self) -> None:
        """Free the model permanently, at the end of the process."""
        self._closed = True
        async with self._lifecycle:
            await self._close_servers()

    async def _close_servers(self) -> None:
        servers, self._servers, self._idle = self._servers, [], []
        for server in servers:
            await self._in_thread(server.close)

    async def _load(self) -> None:
        async with self._lifecycle:
            if self._closed:
                raise LlmUnavailable("The server is shutting down.")
            if self._needs_another if self._apart else not self._servers:
                server = await self._in_thread(self._open)
                assert server is not None
                gc.freeze()  # collections need not visit what stays
                self._servers.append(server)
                self._idle.append(server)

    @property
    def _needs_another(self) -> bool:
        """True if no server is idle, and another may be opened."""
        return len(self._servers) < self._at_once and not self._idle

    def _take_idle(self) -> LlamaServer | None:
        """Remove and return the idle server that was used last. Return None if a server has to be opened first, or
        after `close`."""
        return None if self._closed or not self._idle else self._idle.pop()

    def _start_another(self) -> None:
        """Open another server in advance, so that the next call need not wait for it."""
        if self._needs_another:
            self._loading.start()

    def _release(self, places: int) -> None:
        for _ in range(places):
            self._places.release()
