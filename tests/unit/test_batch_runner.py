"""Batches from one state to the next, with a real store and real files: what ends them, and what a crash leaves."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.access.admission import Visit
from app.access.key_file import add_key, remove_key
from app.access.keys import EVERYONE, ApiKeys, Caller
from app.batches import lines as batch_lines
from app.batches import runner as batch_runner
from app.batches.gaps import Gaps
from app.batches.lines import Answer, Endpoint, LineRunner
from app.batches.runner import LEASE_S, BatchRunner
from app.batches.store import Batch, BatchStore, LeaseLost, Record, TooManyBatches
from app.batches.webhook import PAUSES_S, Webhook
from app.building import build_counters, build_purges
from app.errors import BadRequest
from app.services import Services
from app.settings import Settings
from app.state.entries import StoreDown
from app.wire.request import Wire
from app.wire.response import TokensDetails, Usage
from models.base import EngineOverloaded
from tests.webhooks import receiving

URL = "/v1/echo"
LIMIT_S = 60.0
"""For what is bound to happen, however busy the machine."""


class Echo(Wire):
    text: str


class World:
    """A server's parts, whose endpoint answers what it is asked, as a test wants it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        given = {"llm": "off", "auto_pull": False, "search_provider": "off", "files_dir": str(folder / "files")}
        self.services = Services(Settings(_env_file=None, **given | settings))
        self.path = folder / "state" / "batches.sqlite"
        self.now = 1_000_000.0
        self.asked: Counter[str] = Counter()
        self.callers: list[Caller] = []
        self.held: dict[str, asyncio.Event] = {}
        """Texts whose answers wait."""
        self.failures: dict[str, list[Exception]] = {}
        """What a text fails with, in order, before it is answered."""
        self.changed = asyncio.Event()
        self.store = BatchStore(self.path)

    async def answer(self, _: Services, body: Echo, visit: Visit, request_id: str) -> Answer:
        assert request_id.startswith("req-")
        self.asked[body.text] += 1
        self.callers.append(visit.caller)
        await visit.enter()
        if body.text in self.held:
            await self.held[body.text].wait()
        if self.failures.get(body.text):
            raise self.failures[body.text].pop(0)
        usage = Usage(
            prompt_tokens=3,
            completion_tokens=2,
            total_tokens=5,
            completion_tokens_details=TokensDetails(reasoning_tokens=1),
        )
        return Answer(json.dumps({"said": body.text}).encode(), usage)

    def runner(self, *, at_once: int = 1, webhook: Webhook | None = None) -> BatchRunner:
        lines = LineRunner(self.services, {URL: Endpoint(Echo, self.answer)})
        gaps = Gaps(at_once, 0)
        for _ in range(20):
            gaps.went_well()
        store = BatchStore(self.path)
        return BatchRunner(store, lines, gaps, webhook, clock=lambda: self.now)

    @asynccontextmanager
    async def running(self, **options: Any) -> AsyncIterator[BatchRunner]:
        runner = self.runner(**options)
        task = asyncio.create_task(runner.run_for_ever())
        try:
            yield runner
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def upload(self, *texts: str, owner: str = EVERYONE, data: bytes | None = None) -> str:
        rows = [{"custom_id": f"id-{text}", "method": "POST", "url": URL, "body": {"text": text}} for text in texts]
        async with self.services.files.writing(owner) as writing:
            await writing.write(data or b"".join(json.dumps(row).encode() + b"\n" for row in rows))
            return (await writing.publish("in.jsonl", "batch", None)).id

    async def add(self, *texts: str, owner: str = EVERYONE, data: bytes | None = None) -> str:
        file = await self.upload(*texts, owner=owner, data=data)
        batch = Batch(f"batch_{file}", owner, URL, file, self.now, self.now + 24 * 3600)
        await self.store.add(batch, most=10)
        return batch.id

    async def batch(self, batch_id: str, owner: str = EVERYONE) -> Batch:
        batch = await self.store.find(owner, batch_id)
        assert batch is not None
        return batch

    async def ended(self, batch_id: str, owner: str = EVERYONE) -> Batch:
        return await self.when(batch_id, lambda batch: batch.status in ENDED, owner)

    async def when(self, batch_id: str, condition: Callable[[Batch], bool], owner: str = EVERYONE) -> Batch:
        async with asyncio.timeout(LIMIT_S):
            while not condition(batch := await self.batch(batch_id, owner)):
                await asyncio.sleep(0.01)
        return batch

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await asyncio.sleep(0.01)

    async def read(self, file_id: str | None, owner: str = EVERYONE) -> list[dict[str, Any]]:
        assert file_id is not None
        file = await self.services.files.find(owner, file_id)
        assert file is not None
        assert file.purpose == "batch_output"
        content = b"".join([piece async for piece in self.services.files.pieces(file)])
        return [json.loads(line) for line in content.splitlines()]


ENDED = ("completed", "failed", "expired", "cancelled")


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Its runners look at once for what nobody wakes them for: batches are put into the store behind their backs."""
    monkeypatch.setattr(batch_runner, "LOOK_S", 0.02)
    world = World(tmp_path)
    yield world
    await world.store.close()
    await world.services.close()


def said(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["custom_id"]: row["response"]["body"] for row in rows}


async def test_every_line_is_answered_by_its_id_in_the_order_of_the_file(world: World) -> None:
    async with world.running(at_once=4) as runner:
        batch = await world.ended(await world.add("a", "b", "c"))
    assert (batch.status, batch.total, batch.completed, batch.failed) == ("completed", 3, 3, 0)
    assert (batch.prompt_tokens, batch.answer_tokens, batch.reasoning_tokens) == (9, 6, 3)
    assert list(batch.moments) == ["in_progress", "finalizing", "completed"]
    assert batch.error_file is None
    rows = await world.read(batch.output_file)
    assert [row["custom_id"] for row in rows] == ["id-a", "id-b", "id-c"]
    assert rows[0]["response"]["status_code"] == 200
    assert rows[0]["response"]["body"] == {"said": "a"}
    assert rows[0]["error"] is None
    assert runner.outcomes == {("completed",): 3, ("failed",): 0, ("expired",): 0}
    metrics = (await world.services.metrics.text()).decode()
    assert 'openfaze_tokens_total{direction="input"} 9.0' in metrics
    assert 'openfaze_tokens_total{direction="output"} 6.0' in metrics
    assert len({row["id"] for row in rows} | {row["response"]["request_id"] for row in rows}) == 6


async def test_a_line_that_fails_has_its_error_and_the_others_their_answers(world: World) -> None:
    world.failures["b"] = [BadRequest("Field 'text': it is no good", param="text")]
    wrong = json.dumps({"custom_id": "id-7", "method": "POST", "url": URL, "body": {"text": 7}})
    good = [json.dumps({"custom_id": f"id-{t}", "method": "POST", "url": URL, "body": {"text": t}}) for t in "ab"]
    async with world.running():
        batch = await world.ended(await world.add(data="\n".join([*good, wrong]).encode()))
    assert (batch.status, batch.completed, batch.failed) == ("completed", 1, 2)
    assert said(await world.read(batch.output_file)) == {"id-a": {"said": "a"}}
    first, second = await world.read(batch.error_file)
    assert first["response"]["status_code"] == second["response"]["status_code"] == 400
    assert first["response"]["body"]["error"]["message"] == "Field 'text': it is no good"
    assert (second["custom_id"], second["response"]["body"]["error"]["param"]) == ("id-7", "text")
    assert second["response"]["body"]["error"]["message"].startswith("Field 'text': ")


async def test_a_file_with_a_bad_line_fails_before_any_of_them_runs(world: World) -> None:
    good = json.dumps({"custom_id": "a", "method": "POST", "url": URL, "body": {"text": "a"}})
    async with world.running():
        batch = await world.ended(await world.add(data=f"{good}\nno json\n{good}\n".encode()))
    assert batch.status == "failed"
    assert [(one["code"], one["line"]) for one in batch.errors] == [
        ("invalid_json_line", 2),
        ("duplicate_custom_id", 3),
    ]
    assert not world.asked


async def test_what_may_pass_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_lines, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(batch_lines, "_LONGEST_PAUSE_S", 0.0)
    world.failures["a"] = [EngineOverloaded("ocr", 128, 3)] * 2
    world.failures["b"] = [EngineOverloaded("ocr", 128, 3)] * 50
    async with world.running():
        batch = await world.ended(await world.add("a", "b"))
    assert (batch.completed, batch.failed) == (1, 1)
    assert world.asked == {"a": 3, "b": 5}
    [row] = await world.read(batch.error_file)
    assert (row["response"]["status_code"], row["response"]["body"]["error"]["code"]) == (503, "overloaded")


async def test_after_a_cancellation_what_runs_ends_and_nothing_else_begins(world: World) -> None:
    world.held["b"] = asyncio.Event()
    async with world.running() as runner:
        batch_id = await world.add("a", "b", "c")
        await world.until(lambda: world.asked["b"] == 1)
        assert (await world.store.cancel(EVERYONE, batch_id, world.now)) is not None
        runner.wake()
        await world.until(lambda: runner._runs[batch_id].stop.is_set())
        assert (await world.batch(batch_id)).status == "cancelling"
        world.held["b"].set()
        batch = await world.ended(batch_id)
    assert (batch.status, batch.completed) == ("cancelled", 2)
    assert set(said(await world.read(batch.output_file))) == {"id-a", "id-b"}
    assert not world.asked["c"]
    assert set(batch.moments) == {"in_progress", "cancelling", "cancelled"}


async def test_one_that_is_cancelled_before_anybody_runs_it_ends_without_a_line(world: World) -> None:
    batch_id = await world.add("a")
    await world.store.cancel(EVERYONE, batch_id, world.now)
    async with world.running():
        batch = await world.ended(batch_id)
    assert (batch.status, batch.output_file, world.asked) == ("cancelled", None, {})


async def test_what_is_over_is_not_cancelled(world: World) -> None:
    async with world.running():
        batch = await world.ended(await world.add("a"))
        assert await world.store.cancel(EVERYONE, batch.id, world.now) == batch


async def test_another_server_goes_on_where_one_stopped(world: World) -> None:
    world.held["c"] = asyncio.Event()
    batch_id = await world.add("a", "b", "c", "d")
    async with world.running():
        await world.until(lambda: world.asked["c"] == 1)
    world.held["c"].set()
    async with world.running():
        batch = await world.ended(batch_id)
    assert batch.completed == 4
    assert world.asked == {"a": 1, "b": 1, "c": 2, "d": 1}, "what was answered is not asked again"


async def test_of_two_servers_one_runs_a_batch(world: World) -> None:
    batches = [await world.add(*(f"{name}{number}" for number in range(5))) for name in "abc"]
    async with world.running(at_once=3), world.running(at_once=3):
        ended = [await world.ended(batch_id) for batch_id in batches]
    assert [batch.completed for batch in ended] == [5, 5, 5]
    assert set(world.asked.values()) == {1}
    assert len(world.asked) == 15


async def test_a_server_that_is_silent_loses_its_batch_and_what_it_then_writes(world: World) -> None:
    batch_id = await world.add("a")
    first = await world.store.claim("first", world.now, world.now + LEASE_S)
    assert first is not None
    assert await world.store.claim("second", world.now + LEASE_S - 1, world.now + 100) is None
    second = await world.store.claim("second", world.now + LEASE_S + 1, world.now + 100)
    assert second is not None
    assert await world.store.renew("first", world.now + 200, [batch_id]) == {}
    for write in (
        world.store.note(batch_id, "first", [Record(1, True, b"{}")]),
        world.store.change(batch_id, "first", total=3),
        world.store.advance(batch_id, "first", "in_progress", world.now),
        world.store.end(batch_id, "first", "failed", world.now, tell=False),
    ):
        with pytest.raises(LeaseLost):
            await write
    assert (await world.batch(batch_id)).completed == 0


async def test_a_line_is_written_and_counted_once(world: World) -> None:
    batch_id = await world.add("a")
    await world.store.claim("me", world.now, world.now + LEASE_S)
    for _ in range(2):
        await world.store.note(batch_id, "me", [Record(1, True, b"{}", 3, 2, 1)])
    batch = await world.batch(batch_id)
    assert (batch.completed, batch.prompt_tokens) == (1, 3)
    assert await world.store.records(batch_id, is_answer=True, after=0) == [(1, b"{}")]


async def test_when_its_time_is_up_what_is_not_answered_says_so(world: World) -> None:
    world.held["b"] = asyncio.Event()
    async with world.running() as runner:
        batch_id = await world.add("a", "b", "c", "d")
        await world.until(lambda: world.asked["b"] == 1)
        world.now += 24 * 3600 + 1
        runner.wake()
        await world.until(lambda: runner._runs[batch_id].stop.is_set())
        world.held["b"].set()
        batch = await world.ended(batch_id)
    assert (batch.status, batch.completed, batch.failed) == ("expired", 2, 2)
    assert set(said(await world.read(batch.output_file))) == {"id-a", "id-b"}
    rows = await world.read(batch.error_file)
    assert [(row["custom_id"], row["response"], row["error"]["code"]) for row in rows] == [
        ("id-c", None, "batch_expired"),
        ("id-d", None, "batch_expired"),
    ]
    assert runner.outcomes == {("completed",): 2, ("failed",): 0, ("expired",): 2}
    assert not world.asked["c"]


async def test_a_batch_whose_key_is_removed_ends(world: World, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    keys = {name: add_key(file, name, {"guard_thresholds": {"S1": 0.25}}) for name in ("mine", "other")}
    world.services.keys = ApiKeys((), file)
    caller = world.services.keys.check(f"Bearer {keys['mine']}")
    world.held["b"] = asyncio.Event()
    async with world.running() as runner:
        batch_id = await world.add("a", "b", "c", owner=caller.tenant)
        await world.until(lambda: world.asked["b"] == 1)
        remove_key(file, "mine")
        world.services.keys.refresh()
        runner.wake()
        world.held["b"].set()
        batch = await world.ended(batch_id, caller.tenant)
    assert (batch.status, [one["code"] for one in batch.errors]) == ("failed", ["key_removed"])
    assert not world.asked["c"]
    assert world.callers[0] == caller, "with the thresholds and the share of its key"


async def test_a_line_counts_as_a_request_of_its_key_and_waits_for_its_limits(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_lines, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(batch_lines, "_LONGEST_PAUSE_S", 0.01)
    file = tmp_path / "keys.toml"
    key = add_key(file, "mine", {"concurrent": 1})
    world.services.keys = ApiKeys((), file)
    tenant = world.services.keys.check(f"Bearer {key}").tenant
    world.held["a"] = asyncio.Event()
    async with world.running(at_once=3):
        batch_id = await world.add("a", "b", "c", owner=tenant)
        # Each of the others was refused more often than what fails otherwise is tried.
        await world.until(lambda: world.asked["b"] > 10 and world.asked["c"] > 10)
        assert (await world.batch(batch_id, tenant)).completed == 0
        world.held["a"].set()
        batch = await world.ended(batch_id, tenant)
    assert (batch.completed, batch.failed) == (3, 0)
    await world.services.admission.flush()
    [usage] = await build_counters(world.services.settings).usage()
    assert (usage.name, usage.requests) == ("mine", 3)


async def test_one_key_leaves_others_room_for_their_batches(world: World, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    keys = [add_key(file, name, {}) for name in ("mine", "other")]
    world.services.keys = ApiKeys((), file, key_share=0.5)
    mine, other = (world.services.keys.check(f"Bearer {key}").tenant for key in keys)
    world.held = {f"{number}": asyncio.Event() for number in range(9)}
    async with world.running(at_once=20) as runner:
        for number in range(9):
            await world.add(f"{number}", owner=mine)
        await world.until(lambda: len(world.asked) == 4)
        last = await world.add("other", owner=other)
        runner.wake()
        assert (await world.ended(last, other)).status == "completed"
        assert len(world.asked) == 5


async def test_a_file_that_is_gone_before_it_is_checked_fails_its_batch(world: World) -> None:
    batch_id = await world.add("a")
    batch = await world.batch(batch_id)
    file = await world.services.files.find(EVERYONE, batch.input_file)
    assert file is not None
    await world.services.files.delete(file)
    async with world.running():
        batch = await world.ended(batch_id)
    assert (batch.status, [one["code"] for one in batch.errors]) == ("failed", ["file_not_found"])


async def test_answers_for_which_there_is_no_room_wait_for_it(tmp_path: Path) -> None:
    world = World(tmp_path, max_files=1)
    async with world.running() as runner:
        batch_id = await world.add("a")
        batch = await world.when(batch_id, lambda batch: bool(batch.errors))
        assert (batch.status, batch.errors[0]["code"]) == ("finalizing", "storage_full")
        assert "OPENFAZE_MAX_FILES" in batch.errors[0]["message"]
        file = await world.services.files.find(EVERYONE, batch.input_file)
        assert file is not None
        await world.services.files.delete(file)
        world.now += 3600
        runner.wake()
        batch = await world.ended(batch_id)
    assert (batch.status, batch.errors) == ("completed", [])
    assert said(await world.read(batch.output_file)) == {"id-a": {"said": "a"}}
    assert world.asked == {"a": 1}
    assert +Counter(runner.faults()) == {("runner", "rests"): 1}
    await world.store.close()
    await world.services.close()


async def test_what_nobody_foresaw_is_counted_and_the_batch_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, failures = BatchRunner._check, [KeyError("unforeseen")]

    async def breaks(self: BatchRunner, *args: Any) -> Batch:
        if failures:
            raise failures.pop()
        return await check(self, *args)

    monkeypatch.setattr(BatchRunner, "_check", breaks)
    async with world.running() as runner:
        batch_id = await world.add("a")
        await world.until(lambda: runner.faults()["runner", "error"] > 0)
        world.now += 60
        runner.wake()
        assert (await world.ended(batch_id)).status == "completed"
    assert +Counter(runner.faults()) == {("runner", "error"): 1}


async def test_a_store_that_is_not_reached_is_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object) -> None:
        raise StoreDown("gone")

    async with world.running() as runner:
        await world.ended(await world.add("a"))
        monkeypatch.setattr(runner.store, "claim", down)
        runner.wake()
        await world.until(lambda: runner.faults()["store", "unreachable"] > 0)


async def test_a_key_has_only_so_many_batches_that_are_not_over(world: World) -> None:
    for number in range(10):
        await world.add(f"{number}")
    with pytest.raises(TooManyBatches):
        await world.add("one more")
    await world.add("another key's", owner="other")


async def test_the_batches_of_one_key_are_listed_the_newest_first(world: World) -> None:
    added = []
    for number in range(3):
        world.now += 1
        added.append(await world.add(f"{number}"))
    await world.add("foreign", owner="other")
    listed = await world.store.page(EVERYONE, None, 2)
    assert [batch.id for batch in listed] == [added[2], added[1]]
    assert [batch.id for batch in await world.store.page(EVERYONE, listed[-1], 2)] == [added[0]]
    assert await world.store.find("other", added[0]) is None


async def test_keys_take_turns(world: World) -> None:
    mine = [await world.add(f"{number}") for number in range(3)]
    other = await world.add("x", owner="other")
    claimed = []
    for _ in range(4):
        batch = await world.store.claim("me", world.now, world.now + LEASE_S)
        assert batch is not None
        claimed.append(batch.id)
    assert claimed[0] in mine
    assert claimed[1] == other


async def test_what_is_over_is_forgotten_when_its_time_is_up(world: World) -> None:
    async with world.running():
        over = await world.ended(await world.add("a"))
    world.now += 10
    kept = await world.add("b")
    assert await world.store.sweep(world.now + 1) == 1
    assert await world.store.find(EVERYONE, over.id) is None
    assert (await world.batch(kept)).status == "validating", "one that is not over is kept however old it is"


async def test_the_room_of_answers_that_lie_in_files_goes_back_to_the_disk(world: World) -> None:
    batch_id = await world.add("a")
    await world.store.claim("me", world.now, world.now + LEASE_S)
    await world.store.note(batch_id, "me", [Record(number, True, bytes(20_000)) for number in range(200)])
    await world.store.end(batch_id, "me", "completed", world.now, tell=False)
    await world.store.sweep(0)
    await world.store.close()
    assert world.path.stat().st_size < 100_000
    world.store = BatchStore(world.path)
    assert (await world.batch(batch_id)).completed == 200, "the batch is known yet"


async def test_all_of_a_key_is_deleted_on_request(world: World) -> None:
    mine, other = await world.add("a"), await world.add("b", owner="other")
    assert ("batches", 1) in await build_purges(world.services.settings)(EVERYONE)
    assert await world.store.find(EVERYONE, mine) is None
    assert await world.store.find("other", other) is not None


async def test_a_damaged_file_is_no_reason_to_delete_it(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.sqlite"
    content = b"this is no database, but somebody may mend it" * 100
    damaged.write_bytes(content)
    store = BatchStore(damaged)
    with pytest.raises(StoreDown):
        await store.find(EVERYONE, "batch")
    await store.close()
    assert damaged.read_bytes() == content


async def test_a_file_of_another_version_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "batches.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
        database.execute("CREATE TABLE batches (id TEXT)")
    database.close()
    store = BatchStore(path)
    with pytest.raises(StoreDown, match="99"):
        await store.find(EVERYONE, "batch")
    await store.close()


async def test_the_end_is_told_until_it_is_heard_also_by_another_server(tmp_path: Path) -> None:
    world = World(tmp_path, fetch_allow=("127.0.0.1",))
    with receiving() as receiver:
        receiver.refusals = [500, 503]
        webhook = Webhook(receiver.url, "secret", world.services.fetcher)
        async with world.running(webhook=webhook):
            batch = await world.ended(await world.add("a"))
            await world.when(batch.id, lambda batch: batch.tries == 1)
        async with world.running(webhook=webhook) as runner:
            for tries, pause_s in enumerate(PAUSES_S[:2], 2):
                assert len(receiver.taken) == tries - 1, "not before its time"
                world.now += pause_s
                runner.wake()
                await world.when(batch.id, lambda batch, tries=tries: batch.tries == tries)  # type: ignore[misc]
            world.now += 1e6
            runner.wake()
            await asyncio.sleep(0.05)
        assert len(receiver.taken) == 3
        assert runner.faults()["webhook", "failed"] == 2
    await world.store.close()
    await world.services.close()


async def test_nothing_is_made_before_there_is_a_batch(world: World) -> None:
    async with world.running() as runner:
        runner.wake()
        await asyncio.sleep(0.05)
    assert not world.path.exists()
