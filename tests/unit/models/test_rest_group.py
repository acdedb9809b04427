"""Engines of which a key that has rivals uses one at a time."""

import asyncio
from collections import Counter
from collections.abc import Callable

from models.host import EngineHost
from models.rest_group import RestGroup, RestGroupMember
from models.scheduler import Share
from models.turns import Turns
from models.workplace import HostLimits
from tests.hosts import SPEC, Doubler, has_entered, shared_by
from tests.waiting import until


class Recordings:
    """Two engines of one group, whose batches do not keep each other from the processors."""

    def __init__(self, rest: float = 0.0) -> None:
        self.turns = Turns(long_s=0)
        self.text, self.voices = Doubler(), Doubler()
        limits = HostLimits(rest=rest, rest_group="recordings")
        self.text_host = EngineHost(SPEC, lambda: self.text, limits, self.turns)
        self.voices_host = EngineHost(SPEC, lambda: self.voices, limits, self.turns)

    async def load(self) -> None:
        await asyncio.gather(self.text_host.load(), self.voices_host.load())

    async def close(self) -> None:
        for engine in (self.text, self.voices):
            engine.gate.set()
        await asyncio.gather(self.text_host.close(), self.voices_host.close())


async def test_a_key_with_rivals_uses_one_engine_at_a_time_and_keeps_no_other_key_waiting() -> None:
    recordings = Recordings()
    await recordings.load()
    recordings.turns.record_request(Share("bob"))
    recordings.text.gate.clear()
    text = shared_by("alice", recordings.text_host.run(1))
    await has_entered(recordings.text)
    voice = shared_by("alice", recordings.voices_host.run(2))
    assert await shared_by("bob", recordings.voices_host.run(3)) == 6
    assert recordings.voices.batches == [[3]]
    recordings.text.gate.set()
    assert await asyncio.gather(text, voice) == [2, 4]
    await recordings.close()


async def test_a_key_alone_uses_all_engines_at_once() -> None:
    recordings = Recordings()
    await recordings.load()
    recordings.text.gate.clear()
    text = shared_by("alice", recordings.text_host.run(1))
    await has_entered(recordings.text)
    assert await shared_by("alice", recordings.voices_host.run(2)) == 4
    recordings.text.gate.set()
    assert await text == 2
    await recordings.close()


async def test_a_key_rests_at_all_engines() -> None:
    recordings = Recordings(rest=1e6)
    await recordings.load()
    recordings.turns.record_request(Share("bob"))
    assert await shared_by("alice", recordings.text_host.run(1)) == 2
    voice = shared_by("alice", recordings.voices_host.run(2))
    assert await shared_by("bob", recordings.voices_host.run(3)) == 6
    assert recordings.voices.batches == [[3]]
    voice.cancel()
    await recordings.close()


async def test_rests_end_at_all_engines() -> None:
    recordings = Recordings(rest=1.0)
    await recordings.load()
    recordings.turns.record_request(Share("bob"))
    hosts = [recordings.text_host, recordings.voices_host]
    calls = [shared_by("alice", host.run(number)) for number in range(4) for host in hosts]
    assert await asyncio.gather(*calls) == [0, 0, 2, 2, 4, 4, 6, 6]
    await recordings.close()


async def test_a_caller_who_leaves_keeps_no_other_engine_waiting() -> None:
    recordings = Recordings()
    await recordings.load()
    recordings.turns.record_request(Share("bob"))
    recordings.text.gate.clear()
    running = shared_by("alice", recordings.text_host.run(1))
    await has_entered(recordings.text)
    # The voices of alice come next, but bob's are computed first.
    recordings.voices.gate.clear()
    bob = shared_by("bob", recordings.voices_host.run(2))
    await has_entered(recordings.voices)
    leaving = shared_by("alice", recordings.voices_host.run(3))
    next_text = shared_by("alice", recordings.text_host.run(4))
    await until(lambda: recordings.voices_host.queued == recordings.text_host.queued == 1)
    recordings.text.gate.set()
    assert await running == 2
    leaving.cancel()
    assert await next_text == 8
    recordings.voices.gate.set()
    assert await bob == 4
    await recordings.close()


class Group:
    """A group of two engines, with numbers of waiting items of the key "alice"."""

    def __init__(self) -> None:
        self.group = RestGroup()
        self.waiting: Counter[str] = Counter()
        self.members = {name: self.group.join(self.waiting_at(name), lambda: None) for name in ("text", "voices")}

    def waiting_at(self, name: str) -> Callable[[str], int]:
        return lambda key: self.waiting[name] if key == "alice" else 0

    def may_begin(self, name: str) -> bool:
        return self.group.may_begin(self.members[name], "alice", is_contested=True)

    def run(self, name: str, seconds: float) -> None:
        member: RestGroupMember = self.members[name]
        assert self.may_begin(name)
        self.group.began(member, ["alice"])
        self.group.ended(member, ["alice"], seconds, 0.0)


def test_next_is_the_engine_that_has_worked_for_the_key_least() -> None:
    group = Group()
    group.waiting.update(text=9, voices=9)
    group.run("text", 0.5)
    for _ in range(20):
        assert not group.may_begin("text")
        group.run("voices", 0.025)
    assert group.may_begin("text")


def test_an_engine_that_had_nothing_to_do_does_not_make_up_for_it() -> None:
    group = Group()
    group.waiting["text"] = 9
    for _ in range(10):
        group.run("text", 0.5)
    group.waiting["voices"] = 9
    group.run("voices", 0.5)
    assert group.may_begin("text")


def test_times_are_forgotten_with_the_last_item() -> None:
    group = Group()
    group.waiting["text"] = 1
    group.run("text", 5.0)
    group.waiting.clear()
    group.group.wake_all()
    group.waiting.update(text=1, voices=1)
    assert group.may_begin("text")
