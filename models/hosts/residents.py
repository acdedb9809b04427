"""Chooses the engines that stay on a card. If there is no room for a requested engine, the least recently used ones are
unloaded.

An engine in use is never unloaded, and a new one stays for at least twice as long as its loading took. Therefore at
most a third of the time is spent on loading if two engines are requested in turn and there is room for only one.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from models.base import EngineNotReady, EngineSpec, ran_out
from models.devices.device import free_memory

log = structlog.get_logger(__name__)

MIN_STAY_FACTOR = 2.0
"""An engine stays for at least this time, in multiples of the time that loading it took."""
MAX_WAIT_S = 30.0
"""An engine waits at most this many seconds until other engines may leave."""


class Resident(Protocol):
    """An engine on a card: an EngineHost."""

    @property
    def spec(self) -> EngineSpec: ...

    @property
    def loaded(self) -> bool: ...

    @property
    def in_use(self) -> bool:
        """True while a caller needs the engine loaded for its work."""

    async def unload(self) -> bool:
        """Unload the engine. Return False if it was in use after all."""


@dataclass(slots=True)
class _Residence:
    device: str
    size: int
    """Memory of the engine in bytes: first the declared size, then the size measured at its last load."""
    used: float = 0.0
    """Time at which the engine was last used."""
    stays_until: float = 0.0


class Residents:
    """The engines on the cards of one process, for one event loop."""

    def __init__(
        self,
        *,
        free: Callable[[str], int | None] = free_memory,
        clock: Callable[[], float] = time.monotonic,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        """Create the residents. `free` returns the free bytes of a card, or None if they are unknown."""
        self._free = free
        self._clock = clock
        self._max_wait_s = max_wait_s
        self._residences: dict[Resident, _Residence] = {}
        self._loading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changed = asyncio.Event()

    def add(self, resident: Resident, device: str, size: int) -> None:
        """Add an engine before its first load, with its declared `size` in bytes."""
        self._residences[resident] = _Residence(device, size)

    def mark_idle(self, resident: Resident) -> None:
        """Record that no caller is using the engine now."""
        self._residences[resident].used = self._clock()
        self._changed.set()

    async def load(self, resident: Resident, opening: Callable[[], Awaitable[None]]) -> None:
        """Load the engine by `opening`, one engine at a time on each card, so that its memory can be measured. Raises
        EngineNotReady if the other engines are in use for too long, and the errors of `opening`."""
        place = self._residences[resident]
        until = self._clock() + self._max_wait_s
        async with self._loading[place.device]:
            await self._make_room(resident, place, until)
            began, free_before = self._clock(), self._free(place.device)
            while True:
                try:
                    await opening()
                    break
                except Exception as error:
                    # Another process may have taken the free memory, or the engine may take more than it declares.
                    if not ran_out(error) or not await self._unload_one(resident, place):
                        raise
                    began, free_before = self._clock(), self._free(place.device)
            free_after, ended = self._free(place.device), self._clock()
            if free_before is not None and free_after is not None and free_before > free_after:
                place.size = free_before - free_after
            place.used, place.stays_until = ended, ended + MIN_STAY_FACTOR * (ended - began)

    async def unload_another(self, resident: Resident) -> bool:
        """Unload another engine, so that `resident` finds more memory for its computation. Engines keep the memory of
        their computations for as long as they are loaded. Return False if no engine may be unloaded."""
        return await self._unload_one(resident, self._residences[resident])

    def _others(self, resident: Resident, place: _Residence) -> list[tuple[Resident, _Residence]]:
        """Return the other engines on the card, the least recently used first."""
        loaded = (
            (one, own)
            for one, own in self._residences.items()
            if one is not resident and own.device == place.device and one.loaded
        )
        return sorted(loaded, key=lambda pair: pair[1].used)

    def _missing_bytes(self, place: _Residence) -> int:
        """Number of bytes that must become free before there is room."""
        free = self._free(place.device)
        return 0 if free is None else max(0, place.size - free)

    async def _make_room(self, resident: Resident, place: _Residence, until: float) -> None:
        while self._missing_bytes(place):
            if await self._unload_one(resident, place):
                continue
            others = self._others(resident, place)
            if not others:
                return  # other programs hold the rest of the memory, and the engine may need less than it declares
            now = self._clock()
            if now >= until:
                raise EngineNotReady(resident.spec.capability, self._refusal(resident, place, others))
            self._changed.clear()
            ends = [own.stays_until for one, own in others if not one.in_use]
            try:
                await asyncio.wait_for(self._changed.wait(), max(0.0, min([until, *ends]) - now))
            except TimeoutError:
                continue  # meanwhile, an engine may have stayed for long enough

    async def _unload_one(self, resident: Resident, place: _Residence) -> bool:
        """Unload the least recently used engine that may leave. Return False if none may."""
        for one, own in self._others(resident, place):
            if not one.in_use and own.stays_until <= self._clock() and await one.unload():
                log.info("engine_made_room", engine=one.spec.name, for_engine=resident.spec.name, device=place.device)
                return True
        return False

    def _refusal(self, resident: Resident, place: _Residence, others: list[tuple[Resident, _Residence]]) -> str:
        held = ", ".join(f"'{one.spec.name}' {own.size / 1e6:,.0f}" for one, own in others)
        return (
            f"'{resident.spec.name}' takes {place.size / 1e6:,.0f} MB of {place.device}, which engines in use"
            f" occupy (MB: {held})."
        )
