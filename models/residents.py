"""Which engines stay on a card: one that is asked for has those leave that were used least lately, where there is no
room for both.

An engine that answers somebody never leaves, and one that has just come stays for twice as long as its loading took:
two engines that are asked for in turn, and of which one has room, spend no more than a third of their time on loading.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from models.base import EngineNotReady, EngineSpec, ran_out
from models.device import free_on

log = structlog.get_logger(__name__)

STAYS = 2.0
"""Times as long as its loading took, for which an engine stays at least."""
WAITS_S = 30.0
"""For which an engine waits at most until others may leave."""


class Resident(Protocol):
    """An engine on a card: an EngineHost."""

    @property
    def spec(self) -> EngineSpec: ...

    @property
    def loaded(self) -> bool: ...

    @property
    def in_use(self) -> bool:
        """Whether somebody waits for what it computes."""

    async def unload(self) -> bool:
        """False where it was in use after all."""


@dataclass(slots=True)
class _Residence:
    device: str
    size: int
    """Bytes: what it declares, and what it was seen to take once it was loaded."""
    used: float = 0.0
    """When somebody last asked for it."""
    stays_until: float = 0.0


class Residents:
    """Which engines are on the cards of one process, for one event loop."""

    def __init__(
        self,
        most: int = 0,
        *,
        free: Callable[[str], int | None] = free_on,
        clock: Callable[[], float] = time.monotonic,
        waits_s: float = WAITS_S,
    ) -> None:
        """`most` bytes of each card for all engines together, 0: all that it has free; `free` are the bytes that a card
        has free, None where nothing tells."""
        self._most = most
        self._free = free
        self._clock = clock
        self._waits_s = waits_s
        self._places: dict[Resident, _Residence] = {}
        self._loading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changed = asyncio.Event()

    def add(self, resident: Resident, device: str, size: int) -> None:
        """Before it is loaded for the first time; `size` as it declares it, in bytes."""
        self._places[resident] = _Residence(device, size)

    def left(self, resident: Resident) -> None:
        """Nobody uses it any more, for now."""
        self._places[resident].used = self._clock()
        self._changed.set()

    async def load(self, resident: Resident, opening: Callable[[], Awaitable[None]]) -> None:
        """Has it loaded by `opening`, one at a time on each card, so that what each takes can be seen. Raises
        EngineNotReady where the others are in use for too long, and what `opening` raises."""
        place = self._places[resident]
        until = self._clock() + self._waits_s
        async with self._loading[place.device]:
            await self._make_room(resident, place, until)
            began, before = self._clock(), self._free(place.device)
            while True:
                try:
                    await opening()
                    break
                except Exception as error:
                    # Others compute on the card, too: what was free may be gone, or it takes more than it declares.
                    if not ran_out(error) or not await self._has_left(resident, place):
                        raise
                    began, before = self._clock(), self._free(place.device)
            after, ended = self._free(place.device), self._clock()
            if before is not None and after is not None and before > after:
                place.size = before - after
            place.used, place.stays_until = ended, ended + STAYS * (ended - began)

    async def make_way(self, resident: Resident) -> bool:
        """Has another one leave, so that what `resident` computes finds more memory: what others took while they
        computed they keep for as long as they are loaded. False where none may leave."""
        return await self._has_left(resident, self._places[resident])

    def _others(self, resident: Resident, place: _Residence) -> list[tuple[Resident, _Residence]]:
        """The others on the card, those that were used least lately first."""
        loaded = (
            (one, own)
            for one, own in self._places.items()
            if one is not resident and own.device == place.device and one.loaded
        )
        return sorted(loaded, key=lambda pair: pair[1].used)

    def _lacking(self, resident: Resident, place: _Residence) -> int:
        """Bytes that are to become free before there is room."""
        taken = sum(own.size for _, own in self._others(resident, place))
        rooms = [self._most - taken] if self._most else []
        if (free := self._free(place.device)) is not None:
            rooms.append(free)
        return max(0, place.size - min(rooms)) if rooms else 0

    async def _make_room(self, resident: Resident, place: _Residence, until: float) -> None:
        while self._lacking(resident, place):
            if await self._has_left(resident, place):
                continue
            others = self._others(resident, place)
            if not others:
                return  # what else is on the card is not ours, and less may do than it declares
            now = self._clock()
            if now >= until:
                raise EngineNotReady(resident.spec.capability, self._refusal(resident, place, others))
            self._changed.clear()
            ends = [own.stays_until for one, own in others if not one.in_use]
            try:
                await asyncio.wait_for(self._changed.wait(), max(0.0, min([until, *ends]) - now))
            except TimeoutError:
                continue  # one may have stayed for long enough

    async def _has_left(self, resident: Resident, place: _Residence) -> bool:
        """Whether another one made room."""
        for one, own in self._others(resident, place):
            if not one.in_use and own.stays_until <= self._clock() and await one.unload():
                log.info("engine_made_room", engine=one.spec.name, for_engine=resident.spec.name, device=place.device)
                return True
        return False

    def _refusal(self, resident: Resident, place: _Residence, others: list[tuple[Resident, _Residence]]) -> str:
        held = ", ".join(f"'{one.spec.name}' {own.size / 1e6:,.0f}" for one, own in others)
        return (
            f"'{resident.spec.name}' takes {place.size / 1e6:,.0f} MB of {place.device}, and engines that others use"
            f" hold it (MB: {held})."
        )
