"""The door: places of keys, waiting in turn, and bytes of bodies."""

import asyncio

import pytest
from starlette.types import Message

from app.access.door import Door, Place
from app.errors import ApiError, KeyLimitReached, Unavailable
from app.http.request import ClientGone, ReadAhead
from tests.kit.waits.waiting import until


class Caller:
    """A caller whose body is `bodies`, and who leaves once `leave` is set."""

    def __init__(self, *bodies: bytes) -> None:
        self.leave = asyncio.Event()
        self.bodies = list(bodies)
        self.receive = ReadAhead(self._receive)

    async def _receive(self) -> Message:
        if self.bodies:
            return {"type": "http.request", "body": self.bodies.pop(0), "more_body": bool(self.bodies)}
        await self.leave.wait()
        return {"type": "http.disconnect"}


class Entrance:
    """A door, and the names of the requests that it let in, in order."""

    def __init__(self, concurrent: int = 1, max_running: int = 100, wait_s: float = 60) -> None:
        self.door = Door(concurrent, 1000, wait_s, max_running)
        self.entered: list[str] = []

    def send(self, name: str, concurrent: int | None = None, caller: Caller | None = None) -> "asyncio.Task[Place]":
        """Send a request whose key is the first letter of `name`."""
        return asyncio.create_task(self._enter(name, concurrent, caller or Caller()))

    async def _enter(self, name: str, concurrent: int | None, caller: Caller) -> Place:
        place = await self.door.enter(name[0], concurrent, caller.receive)
        self.entered.append(name)
        return place


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def refusal(request: "asyncio.Task[Place]") -> ApiError:
    with pytest.raises(ApiError) as refused:
        await request
    return refused.value


async def test_a_key_runs_so_many_requests_and_as_many_wait_in_order() -> None:
    entrance = Entrance(concurrent=2)
    places = [await entrance.send("a1"), await entrance.send("a2")]
    waiting = [entrance.send("a3"), entrance.send("a4")]
    await settled()
    refused = await refusal(entrance.send("a5"))
    assert isinstance(refused, KeyLimitReached)
    assert (refused.status, refused.code, refused.retry_after, refused.rejected) == (
        429,
        "rate_limit_exceeded",
        2,
        "concurrency",
    )
    assert entrance.entered == ["a1", "a2"]
    (await entrance.send("b1")).leave()
    places[0].leave()
    await waiting[0]
    assert entrance.entered == ["a1", "a2", "b1", "a3"]
    places[1].leave()
    await waiting[1]
    assert entrance.entered[-1] == "a4"


async def test_a_limit_of_the_key_itself_holds_instead_of_the_servers() -> None:
    entrance = Entrance(concurrent=1)
    await entrance.send("a1", concurrent=2)
    await entrance.send("a2", concurrent=2)
    assert entrance.entered == ["a1", "a2"]


async def test_when_the_server_is_full_keys_are_let_in_by_turns_and_more_are_refused() -> None:
    entrance = Entrance(concurrent=3, max_running=3)
    places = [await entrance.send(name) for name in ("a1", "a2", "a3")]
    waiting = [entrance.send(name) for name in ("a4", "a5", "b1")]
    await settled()
    refused = await refusal(entrance.send("c1"))
    assert isinstance(refused, Unavailable)
    assert (refused.status, refused.code, refused.retry_after, refused.rejected) == (503, "overloaded", 2, "queue")
    for place in places:
        place.leave()
    await asyncio.gather(*waiting)
    assert entrance.entered[3:] == ["a4", "b1", "a5"]


async def test_who_leaves_while_waiting_gives_up_the_place_and_its_body_is_kept_for_others() -> None:
    entrance = Entrance()
    place = await entrance.send("a1")
    caller = Caller(b"body")
    leaving = entrance.send("a2", caller=caller)
    await settled()
    assert isinstance(await refusal(entrance.send("a3")), KeyLimitReached)
    caller.leave.set()
    with pytest.raises(ClientGone):
        await leaving
    staying = Caller(b"bo", b"dy")
    waiting = entrance.send("a4", caller=staying)
    await settled()
    place.leave()
    await waiting
    assert [(await staying.receive())["body"] for _ in range(2)] == [b"bo", b"dy"]


async def test_who_leaves_just_when_its_turn_comes_passes_it_on() -> None:
    entrance = Entrance()
    place = await entrance.send("a1")
    caller = Caller()
    leaving = entrance.send("a2", caller=caller)
    await settled()
    caller.leave.set()
    place.leave()
    with pytest.raises(ClientGone):
        await leaving
    (await entrance.send("a3")).leave()


async def test_a_large_body_is_not_read_while_its_request_waits() -> None:
    entrance = Entrance()
    place = await entrance.send("a1")
    caller = Caller(*[bytes(40_000)] * 5)
    waiting = entrance.send("a2", caller=caller)
    await settled()
    assert len(caller.bodies) == 3
    place.leave()
    await waiting


async def test_a_request_that_waits_too_long_is_refused() -> None:
    entrance = Entrance(wait_s=0.01)
    place = await entrance.send("a1")
    refused = await refusal(entrance.send("a2"))
    assert (refused.status, refused.code) == (503, "timeout")
    place.leave()
    await entrance.send("a3")


async def test_a_cancelled_request_gives_its_place_in_the_queue_up() -> None:
    entrance = Entrance()
    place = await entrance.send("a1")
    waiting = entrance.send("a2")
    await settled()
    waiting.cancel()
    await until(waiting.done)
    after = entrance.send("a3")
    await settled()
    place.leave()
    await after
    assert entrance.entered == ["a1", "a3"]


async def test_the_bodies_of_all_requests_have_a_bounded_number_of_bytes() -> None:
    door = Door(10, 100)
    first, second = await door.enter("a", None, Caller().receive), await door.enter("b", None, Caller().receive)
    first.hold(60)
    with pytest.raises(Unavailable) as refused:
        second.hold(41)
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (503, "overloaded", 2)
    second.hold(40)
    first.leave()
    second.hold(60)
