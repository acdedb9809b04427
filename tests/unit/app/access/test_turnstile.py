"""Turns of requests without a key, which leave the event loop to requests of keys."""

import asyncio

import pytest

from app.access import turnstile as module
from app.access.turnstile import Turnstile
from app.errors import RateLimited
from tests.loop_time import standing_still


class Visits:
    """Requests to one turnstile, and the addresses of those that were let through, in order."""

    def __init__(self) -> None:
        self.turnstile = Turnstile()
        self.let_through: list[str] = []

    def send(self, address: str) -> "asyncio.Task[None]":
        return asyncio.create_task(self._visit(address))

    async def _visit(self, address: str) -> None:
        async with self.turnstile.turn(address):
            self.let_through.append(address)


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Pauses last until a test makes them short."""
    monkeypatch.setattr(module, "SHORTEST_PAUSE_S", 3600.0)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 3600.0)
    return monkeypatch


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_requests_pass_as_they_come_while_no_key_asks(rests: pytest.MonkeyPatch) -> None:
    visits = Visits()
    await asyncio.gather(*[visits.send("a") for _ in range(20)])
    assert len(visits.let_through) == 20


async def test_one_request_passes_before_a_pause_once_a_key_has_asked(rests: pytest.MonkeyPatch) -> None:
    visits = Visits()
    visits.turnstile.note_key()
    tasks = [visits.send("a") for _ in range(3)]
    await settled()
    assert visits.let_through == ["a"]
    for task in tasks[1:]:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_few_requests_in_a_row_pass_without_a_pause(rests: pytest.MonkeyPatch) -> None:
    rests.setattr(module, "PAUSE_CREDIT_S", 2.5 * 3600.0)
    visits = Visits()
    visits.turnstile.note_key()
    tasks = [visits.send("a") for _ in range(5)]
    async with asyncio.timeout(30):
        await asyncio.wait(tasks[:3])
    await settled()
    assert [task.done() for task in tasks] == [True, True, True, False, False]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_addresses_pass_in_turn() -> None:
    visits = Visits()
    visits.turnstile.note_key()
    tasks = [visits.send(address) for address in ("a", "a", "a", "a", "b")]
    await asyncio.gather(*tasks)
    assert visits.let_through == ["a", "a", "b", "a", "a"]


async def test_who_leaves_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_CREDIT_S", 0.0)
    with standing_still() as time:
        visits = Visits()
        visits.turnstile.note_key()
        tasks = [visits.send(address) for address in ("a", "b", "c")]
        await settled()
        tasks[1].cancel()
        await asyncio.wait(tasks[1:2])
        time.passes(10)
        await asyncio.wait(tasks)
    assert visits.let_through == ["a", "c"]


async def test_the_newest_of_the_address_with_the_most_is_refused(rests: pytest.MonkeyPatch) -> None:
    rests.setattr(module, "MAX_WAITING", 3)
    visits = Visits()
    visits.turnstile.note_key()
    tasks = [visits.send(address) for address in ("a", "a", "a", "a", "b")]
    await settled()
    assert [task.done() for task in tasks] == [True, False, False, True, False]
    assert isinstance(tasks[3].exception(), RateLimited)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_request_that_has_just_left_is_the_one_that_makes_room(rests: pytest.MonkeyPatch) -> None:
    rests.setattr(module, "MAX_WAITING", 2)
    visits = Visits()
    visits.turnstile.note_key()
    tasks = [visits.send("a") for _ in range(3)]
    await settled()
    tasks.append(visits.send("b"))
    # The request of b arrives before the code of the one that leaves has run again.
    tasks[2].cancel()
    await settled()
    assert [task.done() for task in tasks] == [True, False, True, False]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_slow_request_holds_up_the_next_one_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_TURN_S", 0.0)
    visits = Visits()
    visits.turnstile.note_key()
    async with visits.turnstile.turn("a"):
        await visits.send("b")
    assert visits.let_through == ["b"]
