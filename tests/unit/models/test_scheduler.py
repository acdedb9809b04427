"""Turns between keys: who waits, who is served next, who is refused."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base import EngineOverloaded, ShareUsedUp
from models.scheduler import SHARE, FairQueue, FairSlots, ReservedBytes, Share, TakenSlots, make_room, time_step

A, B, C = Share("a", 0.5), Share("b", 0.5), Share("c", 0.5)
LATER_A, LATER_B = replace(A, is_later=True), replace(B, is_later=True)


def filled(*items: tuple[str, Share]) -> FairQueue[str]:
    queue = FairQueue[str]()
    for item, share in items:
        queue.push(item, share)
    return queue


def popped(queue: FairQueue[str]) -> list[str]:
    return list(iter(queue.pop, None))


def test_keys_are_served_in_turn_and_their_items_in_order() -> None:
    queue = filled(("a1", A), ("a2", A), ("a3", A), ("b1", B), ("b2", B), ("c1", C))
    assert popped(queue) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert not queue


def test_a_key_that_comes_back_waits_for_one_turn_of_the_others_and_saves_up_none() -> None:
    queue = filled(("a1", A), ("a2", A), ("a3", A), ("a4", A))
    assert [queue.pop(), queue.pop()] == ["a1", "a2"]
    for item in ("b1", "b2"):
        queue.push(item, B)
    assert popped(queue) == ["b1", "a3", "b2", "a4"]


def test_a_key_that_was_served_just_now_comes_after_one_that_was_not() -> None:
    queue = filled(("a1", A), ("c1", C), ("c2", C))
    assert queue.pop() == "a1"
    queue.push("a2", A)
    queue.push("b1", B)
    assert popped(queue) == ["c1", "b1", "a2", "c2"]


def test_a_key_that_comes_is_ahead_of_the_one_that_is_served_and_a_key_that_waits_for_its_turn_is_not() -> None:
    queue = filled(("a1", A), ("a2", A))
    assert not queue.is_ahead_of(A)
    queue.pop()
    assert not queue.is_ahead_of(A), "only items of its own wait"
    queue.push("b1", B)
    assert queue.is_ahead_of(A)
    assert queue.pop() == "b1"
    assert not queue.is_ahead_of(B)
    later = replace(A, is_later=True)
    queue = filled(("l1", later), ("l2", later))
    queue.pop()
    queue.push("a1", A)
    assert not queue.is_ahead_of(later), "the key itself"
    queue.push("b1", B)
    assert queue.is_ahead_of(later)


def test_a_key_is_charged_afterwards_for_what_its_item_took() -> None:
    queue = filled(*((f"a{n}", A) for n in range(3)), *((f"b{n}", B) for n in range(9)))
    order = []
    for _ in range(10):
        item = queue.pop(cost=0.0)
        assert item is not None
        share, cost = (A, 1.0) if item[0] == "a" else (B, 0.25)
        assert queue.is_ahead_of(share, 2.0)
        queue.charge(share, cost)
        order.append(item[0])
    assert "".join(order) == "abbbbabbbb"


def test_a_key_of_twice_the_weight_is_served_twice_as_often() -> None:
    heavy = Share("h", weight=2.0)
    queue = filled(*((f"h{n}", heavy) for n in range(6)), *((f"a{n}", A) for n in range(6)))
    first = "".join(item[0] for item in popped(queue)[:9])
    assert (first.count("h"), first.count("a")) == (6, 3)


def test_what_somebody_waits_for_goes_before_the_work_of_batches_and_batches_take_turns_too() -> None:
    queue = filled(("la1", LATER_A), ("la2", LATER_A), ("lb1", LATER_B), ("b1", B), ("a1", A), ("b2", B))
    assert queue.peek() == "b1"
    assert popped(queue) == ["b1", "a1", "b2", "la1", "lb1", "la2"]


def test_the_work_of_a_batch_is_passed_over_sixteen_times_in_a_row_and_no_more() -> None:
    queue = filled(("later1", LATER_A), ("later2", LATER_A), *((f"b{n}", B) for n in range(40)))
    order = popped(queue)
    assert [order.index("later1"), order.index("later2")] == [16, 33]
    # What may not be served now is no reason to let others wait.
    queue = filled(("later", LATER_A), *((f"b{n}", B) for n in range(20)))
    assert [queue.pop(lambda share: share.key == "b") for _ in range(20)] == [f"b{n}" for n in range(20)]
    assert popped(queue) == ["later"]


def test_what_a_batch_had_of_a_key_counts_against_the_key() -> None:
    queue = filled(("la1", LATER_A))
    assert queue.pop() == "la1"
    queue.push("a1", A)
    queue.push("b1", B)
    assert popped(queue) == ["b1", "a1"]


def test_a_key_with_many_waiting_is_served_a_third_as_often_as_one_with_few() -> None:
    queue = filled(*((f"a{n}", A) for n in range(64)), ("b", B))
    served = []
    for _ in range(40):
        item = queue.pop()
        assert item is not None
        served.append(item[0])
        if item == "b":
            queue.push("b", B)
    assert (served.count("a"), served.count("b")) == (10, 30)


def test_keys_with_many_waiting_each_are_served_as_often_as_each_other() -> None:
    queue = filled(*((f"a{n}", A) for n in range(64)), *((f"b{n}", B) for n in range(64)))
    served = [str(queue.pop())[0] for _ in range(40)]
    assert served.count("a") == served.count("b") == 20


def test_what_is_expected_takes_a_place_until_it_is_there_or_will_not_come() -> None:
    queue = filled(("a1", A))
    end = queue.expect(A)
    with pytest.raises(ShareUsedUp, match="^2 pieces of work"):
        room(queue, A, 4)
    assert (len(queue), queue.places) == (1, 2)
    end()
    end()
    assert room(queue, A, 4) is None
    assert queue.places == 1


def test_a_queue_that_is_full_of_what_is_expected_refuses_who_expects_it() -> None:
    queue, alone = FairQueue[str](), Share("")
    for _ in range(2):
        queue.expect(alone)
    with pytest.raises(EngineOverloaded):
        room(queue, alone, 2)
    assert room(queue, A, 2) is None


def test_withdrawn_items_are_not_served() -> None:
    queue = filled(("a1", A), ("b1", B), ("a2", A))
    queue.keep(lambda item: item != "b1")
    assert (len(queue), queue.waiting("b"), queue.keys) == (2, 0, 1)
    assert popped(queue) == ["a1", "a2"]


def test_a_key_that_may_not_be_served_keeps_its_place() -> None:
    queue = filled(("a1", A), ("b1", B))
    assert queue.pop(lambda share: share.key != "a") == "b1"
    assert queue.pop(lambda share: share.key != "a") is None
    assert popped(queue) == ["a1"]


@given(st.lists(st.one_of(st.sampled_from("abcde"), st.none()), max_size=200))
def test_nothing_is_lost_nor_doubled_and_nobody_waits_for_many_turns_of_another(moves: list[str | None]) -> None:
    """None takes the next; a letter is a new item of that key."""
    queue = FairQueue[tuple[str, int]]()
    pushed, taken = [], []
    overtaken: dict[str, list[str]] = {}
    for number, key in enumerate(moves):
        if key is None:
            item = queue.pop()
            if item is not None:
                taken.append(item)
                overtaken.pop(item[0], None)
                for other, those in overtaken.items():
                    those.append(item[0])
                    most = 1 + time_step(queue.waiting(other) + len(those))
                    assert those.count(item[0]) <= most, f"{other} was overtaken again and again"
                if queue.waiting(item[0]):
                    overtaken[item[0]] = []
        else:
            pushed.append((key, number))
            queue.push((key, number), Share(key))
            overtaken.setdefault(key, [])
    rest = list(iter(queue.pop, None))
    assert sorted(taken + rest) == sorted(pushed)
    for key in "abcde":
        own = [item for item in taken + rest if item[0] == key]
        assert own == sorted(own)


def room(queue: FairQueue[str], share: Share, most: int) -> str | None:
    return make_room(queue, share, most, "ocr", 0.5, lambda item: not item.endswith("!"))


def test_a_key_with_its_part_waiting_is_refused_with_what_waits() -> None:
    queue = filled(("a1", A), ("a2", A))
    with pytest.raises(
        ShareUsedUp, match=r"^2 pieces of work of this key are already waiting for 'ocr'.*OPENFAZE_KEY_SHARE"
    ) as refused:
        room(queue, A, 4)
    assert refused.value.retry_after == 1
    assert room(queue, B, 4) is None


def test_a_full_queue_refuses_the_only_caller_there_is() -> None:
    alone = Share("")
    queue = filled(("1", alone), ("2", alone))
    with pytest.raises(EngineOverloaded, match=r"queue is full \(2 waiting\)") as refused:
        room(queue, alone, 2)
    assert not isinstance(refused.value, ShareUsedUp)


def test_a_full_queue_makes_room_for_who_has_less_in_it() -> None:
    queue = filled(("a1", A), ("a2", A), ("b1", B), ("b2", B))
    assert room(queue, C, 4) == "a2"
    assert room(filled(("a1", A), ("a2!", A), ("b1", B), ("b2!", B)), C, 4) == "a1"
    assert room(filled(("a1!", A), ("a2!", A), ("b1", B), ("b2!", B)), C, 4) is None, "it grows by one instead"
    with pytest.raises(EngineOverloaded):
        room(filled(("a1", A), ("b1", B), ("c1", C), ("d1", Share("d", 0.5))), C, 4)


def test_a_full_queue_makes_room_at_the_cost_of_batches_and_never_for_them() -> None:
    queue = filled(("la1", LATER_A), ("b1", B), ("b2", B), ("b3", B))
    with pytest.raises(EngineOverloaded):
        room(queue, replace(C, is_later=True), 4)
    assert room(queue, C, 4) == "la1"


def test_the_time_to_come_back_is_that_of_what_waits() -> None:
    queue = filled(*((f"a{n}", A) for n in range(10)))
    with pytest.raises(ShareUsedUp) as refused:
        room(queue, A, 20)
    assert refused.value.retry_after == 5


@contextmanager
def acting_as(share: Share) -> Iterator[None]:
    token = SHARE.set(share)
    try:
        yield
    finally:
        SHARE.reset(token)


class Holder:
    """Takes slots in tasks of its own and gives them back when told."""

    def __init__(self, slots: FairSlots) -> None:
        self.slots = slots
        self.entered: list[str] = []
        self._end: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, name: str, share: Share, *, patient: bool = False) -> None:
        """Returns when it has a slot, or waits for one."""
        self._end[name] = asyncio.Event()

        async def hold() -> None:
            async with self.slots.slot(patient=patient):
                self.entered.append(name)
                await self._end[name].wait()

        with acting_as(share):
            self.tasks[name] = asyncio.create_task(hold())
        await asyncio.sleep(0)

    async def end(self, *names: str) -> None:
        for name in names:
            self._end[name].set()
            await self.tasks[name]
        for _ in range(3):
            await asyncio.sleep(0)


async def test_a_key_holds_its_part_of_the_slots_and_another_gets_one_at_once() -> None:
    holder = Holder(FairSlots("code_sandbox", 2, most_waiting=8))
    for name in ("a1", "a2", "a3"):
        await holder.start(name, A)
    await holder.start("b1", B)
    assert holder.entered == ["a1", "b1"]
    await holder.end("a1", "b1")
    assert holder.entered == ["a1", "b1", "a2"]
    await holder.end("a2", "a3")
    assert (holder.slots.running, holder.slots.waiting) == (0, 0)


async def test_the_only_caller_may_have_all_slots() -> None:
    holder = Holder(FairSlots("code_sandbox", 2, most_waiting=8))
    for name in ("1", "2", "3"):
        await holder.start(name, Share(""))
    assert holder.entered == ["1", "2"]
    await holder.end("1", "2", "3")


async def test_freed_slots_go_to_keys_in_turn() -> None:
    holder = Holder(FairSlots("llm", 1, most_waiting=8))
    for name, share in (("a1", A), ("a2", A), ("a3", A), ("b1", B), ("c1", C)):
        await holder.start(name, share)
    await holder.end("a1", "b1", "c1", "a2", "a3")
    assert holder.entered == ["a1", "b1", "c1", "a2", "a3"]


async def test_a_freed_slot_goes_to_who_waits_for_an_answer_before_any_batch() -> None:
    holder = Holder(FairSlots("llm", 1, most_waiting=8))
    for name, share in (("a1", A), ("later", LATER_B), ("a2", A), ("c1", C)):
        await holder.start(name, share)
    await holder.end("a1", "c1", "a2", "later")
    assert holder.entered == ["a1", "c1", "a2", "later"]


async def test_who_leaves_gives_up_the_place_or_the_slot() -> None:
    holder = Holder(FairSlots("llm", 1, most_waiting=8))
    for name in ("a1", "a2", "a3"):
        await holder.start(name, Share(""))
    holder.tasks["a2"].cancel()
    await asyncio.wait([holder.tasks["a2"]])
    assert holder.slots.waiting == 1
    # Cancelled between being granted the slot and knowing it.
    holder._end["a1"].set()
    await holder.tasks["a1"]
    holder.tasks["a3"].cancel()
    await asyncio.wait([holder.tasks["a3"]])
    assert (holder.slots.running, holder.slots.waiting) == (0, 0)


async def test_a_displaced_caller_is_told_that_its_share_is_used_up() -> None:
    holder = Holder(FairSlots("llm", 1, most_waiting=2))
    for name in ("a1", "a2", "a3"):
        await holder.start(name, Share("a", 1.0))
    await holder.start("b1", Share("b", 1.0))
    with pytest.raises(ShareUsedUp):
        await holder.tasks["a3"]
    await holder.end("a1", "b1", "a2")


async def test_a_caller_who_has_just_left_yields_its_place_to_another_key() -> None:
    holder = Holder(FairSlots("llm", 1, most_waiting=2))
    for name in ("a1", "a2", "a3"):
        await holder.start(name, Share("a", 1.0))
    arriving = asyncio.create_task(holder.start("b1", Share("b", 1.0)))
    await asyncio.sleep(0)
    # b1 asks before the code of a3 has run again.
    holder.tasks["a3"].cancel()
    await arriving
    assert holder.slots.waiting == 2
    await holder.end("a1", "b1", "a2")
    assert holder.tasks["a3"].cancelled()
    assert (holder.slots.running, holder.slots.waiting) == (0, 0)


async def test_who_looks_is_refused_as_who_asks_and_takes_nothing() -> None:
    holder = Holder(FairSlots("llm", 1, most_waiting=4))
    for name, refuses in (("a1", False), ("a2", False), ("a3", False), ("a4", True)):
        with acting_as(A):
            if refuses:
                with pytest.raises(ShareUsedUp) as looked:
                    holder.slots.check_room()
            else:
                holder.slots.check_room()
        await holder.start(name, A)
    with pytest.raises(ShareUsedUp) as asked:
        await holder.tasks["a4"]
    assert str(asked.value) == str(looked.value)
    with acting_as(B):
        holder.slots.check_room()
    assert (holder.slots.running, holder.slots.waiting) == (1, 2)
    await holder.end("a1", "a2", "a3")


async def test_who_looks_displaces_nobody() -> None:
    holder = Holder(FairSlots("llm", 1, most_waiting=2))
    for name in ("a1", "a2", "a3"):
        await holder.start(name, Share("a", 1.0))
    with acting_as(Share("b", 1.0)):
        holder.slots.check_room()
    await holder.end("a1", "a2", "a3")


async def test_too_many_waiting_are_refused_but_for_the_patient() -> None:
    holder = Holder(FairSlots("llm", 1, most_waiting=1))
    await holder.start("1", Share(""))
    await holder.start("2", Share(""))
    await holder.start("3", Share(""))
    with pytest.raises(EngineOverloaded):
        await holder.tasks["3"]
    await holder.start("4", Share(""), patient=True)
    await holder.end("1", "2", "4")
    assert holder.entered == ["1", "2", "4"]


async def take(bytes_: ReservedBytes, share: Share, size: int) -> TakenSlots:
    with acting_as(share):
        return await bytes_.take(size)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_needs_more_waits_for_bytes_that_others_give_back() -> None:
    memory = ReservedBytes("memory", 100, 50, most_waiting=8)
    whole, first, second = [await take(memory, share, size) for share, size in ((A, 50), (B, 20), (C, 20))]
    assert await memory.grow_in_turn(first, 20), "it has the reserve"
    growing = asyncio.create_task(memory.grow_in_turn(second, 30))
    await settled()
    assert (memory.growing, memory.running) == (1, 110)
    whole.give_back()
    assert await growing
    assert (second.slots, memory.growing, memory.running) == (50, 0, 90)


async def test_all_who_hold_some_and_need_more_get_it_one_after_another() -> None:
    memory = ReservedBytes("memory", 100, 40, most_waiting=8)
    shares = [Share(str(number)) for number in range(5)]
    peak = 0

    async def work(taken: TakenSlots) -> None:
        nonlocal peak
        assert await memory.grow_in_turn(taken, 10)
        assert await memory.grow_in_turn(taken, 10), "who is in the reserve need not wait again"
        peak = max(peak, memory.running)
        await asyncio.sleep(0)
        taken.give_back()

    held = [await take(memory, share, 20) for share in shares]
    assert memory.running == 100, "each waits for what the others hold"
    async with asyncio.timeout(5):
        await asyncio.gather(*map(work, held))
    assert peak <= 140
    assert (memory.running, memory.growing) == (0, 0)


async def test_who_is_in_the_reserve_does_not_wait_behind_another_of_its_key() -> None:
    memory = ReservedBytes("memory", 60, 40, most_waiting=8)
    first, second, _ = [await take(memory, share, size) for share, size in ((A, 10), (A, 10), (B, 35))]
    assert await memory.grow_in_turn(first, 10)
    waiting = asyncio.create_task(memory.grow_in_turn(second, 12))
    await settled()
    assert not waiting.done()
    async with asyncio.timeout(5):
        assert await memory.grow_in_turn(first, 5)
    first.give_back()
    assert await waiting


async def test_the_reserve_goes_to_keys_in_turn() -> None:
    memory = ReservedBytes("memory", 100, 20, most_waiting=8)
    whole = await take(memory, Share("whole"), 52)
    held = [await take(memory, share, 12) for share in (C, A, A, B)]
    served = list[str]()

    async def grow(taken: TakenSlots) -> None:
        await memory.grow_in_turn(taken, 8)
        served.append(taken.share.key)

    growing = [asyncio.create_task(grow(taken)) for taken in held]
    await settled()
    for taken in (held[0], held[1], held[3], held[2]):
        taken.give_back()
        await settled()
    await asyncio.gather(*growing)
    assert served == ["c", "a", "b", "a"]
    whole.give_back()


async def test_who_waits_for_more_and_leaves_keeps_nobody_waiting() -> None:
    memory = ReservedBytes("memory", 100, 50, most_waiting=8)
    await take(memory, A, 50)
    first, second = [await take(memory, share, 25) for share in (B, C)]
    assert await memory.grow_in_turn(first, 20)
    leaving = asyncio.create_task(memory.grow_in_turn(second, 20))
    await settled()
    leaving.cancel()
    await asyncio.wait([leaving])
    assert (second.slots, memory.growing, memory.running) == (25, 0, 120)
    second.give_back()
    first.give_back()
    assert memory.running == 50
    third = await take(memory, C, 25)
    assert await memory.grow_in_turn(third, 20), "the reserve is free again"


async def test_more_than_the_reserve_has_is_never_waited_for() -> None:
    memory = ReservedBytes("memory", 100, 40, most_waiting=8)
    await take(memory, A, 60)
    taken = await take(memory, B, 30)
    assert not await memory.grow_in_turn(taken, 11)
    assert await memory.grow_in_turn(taken, 10)
    assert not await memory.grow_in_turn(taken, 1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 40), st.lists(st.integers(1, 20))), max_size=12))
async def test_nobody_waits_forever_for_more_that_the_reserve_has_room_for(
    claims: list[tuple[str, int, list[int]]],
) -> None:
    memory = ReservedBytes("memory", 60, 40, most_waiting=64)

    async def work(key: str, size: int, growths: list[int]) -> None:
        taken = await take(memory, Share(key, 0.5), size)
        for growth in growths:
            if taken.slots + growth <= memory.reserve:
                assert await memory.grow_in_turn(taken, growth)
                assert memory.running <= 100
                await asyncio.sleep(0)
        taken.give_back()

    async with asyncio.timeout(5):
        await asyncio.gather(*(work(*claim) for claim in claims))
    assert (memory.running, memory.waiting, memory.growing) == (0, 0, 0)
