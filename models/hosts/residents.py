"""Chooses the engines that stay on a card. Each engine has a fixed part of the card's memory, for its weights and its
largest batch. If the parts do not fit together, the least recently used engines are unloaded. An engine in use is never
unloaded, and a new one stays for at least twice as long as its loading took: if two take turns, at most a third of the
time is spent on loading.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from models.base import EngineNotReady, EngineSpec, ran_out
from models.devices.device import card_bytes

log = structlog.get_logger(__name__)

CUDA_BYTES = 500 * 10**6
"""Memory of a process's CUDA context and its libraries on a card, which no engine counts as its own."""
MIN_STAY_FACTOR = 2.0
"""An engine stays for at least this time, in multiples of the time that loading it took."""


class Resident(Protocol):
    """An engine on a card: an EngineHost."""

    spec: EngineSpec
    loaded: bool

    @property
    def in_use(self) -> bool: ...

    async def unload(self) -> bool: ...


@dataclass(slots=True)
class _Place:
    host: Resident
    device: str
    size: int
    """Part of the card that the engine has, in bytes."""
    last_used: float = 0.0
    stays_until: float = 0.0


class Residents:
    """The engines on the cards of one process, for one event loop."""

    def __init__(
        self,
        room: Callable[[str], int | None] = card_bytes,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_wait_s: float = 30.0,
    ) -> None:
        """`room` returns the bytes of a card that this process may take; None if they are unknown."""
        self._room = room
        self._clock, self._max_wait_s = clock, max_wait_s
        self._residents: dict[Resident, _Place] = {}
        self._loading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changed = asyncio.Event()

    def add(self, host: Resident, device: str, size: int) -> None:
        """Add an engine before its first load, with its part of the card in bytes."""
        self._residents[host] = _Place(host, device, size)

    def mark_idle(self, host: Resident) -> None:
        """Record that no caller is using the engine now."""
        self._residents[host].last_used = self._clock()
        self._changed.set()

    async def load(self, host: Resident, opening: Callable[[], Awaitable[None]]) -> None:
        """Load the engine by `opening`, one engine at a time on each card. Raises EngineNotReady if the other engines
        are in use for too long, and the errors of `opening`."""
        own = self._residents[host]
        until = self._clock() + self._max_wait_s
        async with self._loading[own.device]:
            while not self._has_room(own):
                if await self._unload_another(own):
                    continue
                if self._clock() >= until:
                    held = ", ".join(f"'{one.host.spec.name}' {one.size / 1e6:,.0f}" for one in self._others(own))
                    wanted = f"'{host.spec.name}' takes {own.size / 1e6:,.0f} MB of {own.device}"
                    raise EngineNotReady(host.spec.capability, f"{wanted}, which engines in use occupy (MB: {held}).")
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.5)  # one may have stayed for long enough
            began = self._clock()
            while True:
                try:
                    await opening()
                    break
                except Exception as error:  # another program may hold memory that belongs to this process
                    if not ran_out(error) or not await self._unload_another(own):
                        raise
            own.last_used = self._clock()
            own.stays_until = own.last_used + MIN_STAY_FACTOR * (own.last_used - began)

    def _has_room(self, own: _Place) -> bool:
        """True if the engine fits, or is alone, because it may need less than its part."""
        room, others = self._room(own.device), self._others(own)
        return room is None or not others or sum(one.size for one in [own, *others]) + CUDA_BYTES <= room

    def _others(self, own: _Place) -> list[_Place]:
        """Return the other engines that are on the card, the least recently used first."""
        loaded = (one for one in self._residents.values() if one.device == own.device and one.host.loaded)
        return sorted((one for one in loaded if one is not own), key=lambda one: one.last_used)

    async def _unload_another(self, own: _Place) -> bool:
        """Unload the least recently used engine that may leave. Return False if none may."""
        for one in self._others(own):
            host = one.host
            if not host.in_use and one.stays_until <= self._clock() and await host.unload():
                log.info("engine_made_room", engine=host.spec.name, for_engine=own.host.spec.name, device=own.device)
                return True
        return False
