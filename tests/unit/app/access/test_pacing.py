"""The pace at which requests of one key begin."""

import asyncio
from collections.abc import Callable

import pytest

from app.access import pacing
from app.access.pacing import REQUEST_BYTES, Pacer
from models.loop_turns import LoopTurns
from models.scheduler import Share

pytestmark = pytest.mark.asyncio(loop_scope="function")  # keys stay rivals for a minute in each loop
ALICE, BOB = Share("alice"), Share("bob")


class Requests:
    """Requests to one pacer, and the names of those that have begun, in order."""

    def __init__(self, pacer: Pacer) -> None:
        self.begun: list[str] = []
        self._pacer = pacer

    def send(self, name: str, share: Share) -> "Request":
        return Request(self._pacer, name, share, self.begun)


class Request:
    """A request that begins as the pacer lets it, and ends when it is told to."""

    def __init__(self, pacer: Pacer, name: str, share: Share, begun: list[str]) -> None:
        self.may_end = asyncio.Event()
        self.task = asyncio.create_task(self._run(pacer, name, share, begun))

    async def _run(self, pacer: Pacer, name: str, share: Share, begun: list[str]) -> None:
        async with pacer.turn(share):
            begun.append(name)
            await self.may_end.wait()

    async def end(self) -> None:
        self.may_end.set()
        await self.task
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def for_ever(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Requests count as just begun until they end, unless a test says otherwise."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(pacing, "PACED_S", seconds)

    set_to(3600.0)
    return set_to


async def test_requests_of_a_key_that_asks_alone_begin_as_they_come() -> None:
    requests = Requests(Pacer(1))
    sent = [requests.send(name, ALICE) for name in "abc"]
    await settled()
    assert requests.begun == ["a", "b", "c"]
    for request in sent:
        await request.end()


async def test_while_keys_compete_requests_of_one_begin_one_after_the_other() -> None:
    requests = Requests(Pacer(1))
    first = requests.send("a1", ALICE)
    others = requests.send("b1", BOB), requests.send("a2", ALICE), requests.send("a3", ALICE)
    await settled()
    assert requests.begun == ["a1", "b1"]
    await first.end()
    assert requests.begun == ["a1", "b1", "a2"]
    await others[1].end()
    assert requests.begun == ["a1", "b1", "a2", "a3"]
    await others[0].end()
    await others[2].end()


async def test_a_request_that_takes_long_makes_way_for_the_next(for_ever: Callable[[float], None]) -> None:
    for_ever(0.0)
    requests = Requests(Pacer(1))
    sent = [
        requests.send("a1", ALICE),
        requests.send("b1", BOB),
        requests.send("a2", ALICE),
        requests.send("a3", ALICE),
    ]
    async with asyncio.timeout(10):
        while len(requests.begun) < 4:
            await asyncio.sleep(0)
    assert requests.begun == ["a1", "b1", "a2", "a3"]
    for request in sent:
        await request.end()
    later = Requests(Pacer(1))
    await later.send("a4", ALICE).end()
    assert later.begun == ["a4"]


async def test_requests_that_take_no_time_use_up_the_speed_of_their_key(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    async def wait_for_bytes(turns: LoopTurns, size: int) -> None:
        sizes.append(size)
        await free.wait()

    monkeypatch.setattr(LoopTurns, "wait_for_bytes", wait_for_bytes)
    free = asyncio.Event()
    requests = Requests(Pacer(1))
    sent = [requests.send("a1", ALICE), requests.send("b1", BOB), requests.send("a2", ALICE)]
    await settled()
    assert requests.begun == []
    assert set(sizes) == {REQUEST_BYTES}
    sent[0].task.cancel()
    free.set()
    await settled()
    assert requests.begun == ["b1", "a2"]
    await sent[1].end()
    await sent[2].end()


@pytest.mark.parametrize("moment", ["before the place is free", "when it is free", "after it was given"])
async def test_a_request_whose_caller_has_left_keeps_no_place(moment: str) -> None:
    requests = Requests(Pacer(1))
    first, other = requests.send("a1", ALICE), requests.send("b1", BOB)
    left, last = requests.send("a2", ALICE), requests.send("a3", ALICE)
    await settled()
    if moment == "before the place is free":
        left.task.cancel()
        await settled()
        await first.end()
    elif moment == "when it is free":
        first.may_end.set()
        left.task.cancel()  # the place is free before the caller that leaves runs again
    else:
        first.may_end.set()
        await asyncio.sleep(0)  # the place is given, and its caller has not run since
        left.task.cancel()
    await settled()
    assert requests.begun == ["a1", "b1", "a3"]
    assert left.task.cancelled()
    await last.end()
    await other.end()


async def test_what_fails_gives_its_place_back() -> None:
    pacer = Pacer(1)

    async def fails() -> None:
        async with pacer.turn(ALICE):
            raise ValueError

    async with pacer.turn(BOB):
        for _ in range(3):
            with pytest.raises(ValueError, match="^$"):
                await fails()
