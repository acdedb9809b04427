"""Batches from one state to the next, with a real store and real files: how lines are answered, and what ends one."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.access.key_file import add_key, remove_key
from app.access.keys import EVERYONE, ApiKeys
from app.batches import lines as batch_lines
from app.batches import runner as batch_runner
from app.batches.runner import OUTPUT_PURPOSE, BatchRunner
from app.batches.store import Batch
from app.batches.webhook import PAUSES_S, Webhook
from app.errors import BadRequest
from app.files.index import StoredFile
from app.files.store import UploadWriter
from app.state.usage import UsageStore
from models.base import EngineOverloaded
from models.concurrency import Threads
from models.language.llm import LlmBroke, LlmError, LlmLate, LlmNotSetUp, LlmOverloaded, LlmUnavailable
from tests.kit.processes.panics import panic
from tests.kit.servers.batches import URL, World, open_world, said
from tests.kit.servers.webhooks import receiving
from tests.kit.waits.waiting import until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


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


async def test_a_line_that_makes_a_library_panic_fails_by_itself(world: World) -> None:
    answer = world.answer

    async def panic_at_b(request: Request) -> Response:
        if (await request.json())["text"] == "b":
            await asyncio.to_thread(panic)
        return await answer(request)

    asyncio.get_running_loop().set_default_executor(Threads())
    world.answer = panic_at_b  # type: ignore[method-assign]
    async with world.running():
        batch = await world.ended(await world.add("a", "b", "c"))
    assert (batch.status, batch.completed, batch.failed) == ("completed", 2, 1)
    [row] = await world.read(batch.error_file)
    assert row["response"]["status_code"] == 500
    assert "secret" not in json.dumps(row)


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


LLM_AWAY = [
    LlmUnavailable("no connection", public="No connection."),
    LlmNotSetUp("The key is refused"),
    LlmOverloaded("It is loading", 300),
]


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_lines, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(batch_lines, "_LONGEST_PAUSE_S", 0.0)


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("failure", LLM_AWAY, ids=lambda failure: type(failure).__name__)
async def test_lines_wait_while_the_llm_is_away_and_the_batch_says_why(world: World, failure: LlmError) -> None:
    world.failures = {"a": [failure] * 40, "b": [failure] * 20, "c": [BadRequest("no good")]}
    world.held["c"] = asyncio.Event()
    async with world.running(at_once=3):
        batch_id = await world.add("a", "b", "c", "d")
        waiting = await world.when(batch_id, lambda batch: bool(batch.errors))
        world.held["c"].set()
        batch = await world.ended(batch_id)
    [warning] = waiting.errors
    assert (waiting.status, warning["code"], warning["line"]) == ("in_progress", "waiting_for_llm", None)
    assert failure.public in warning["message"]
    assert (batch.status, batch.completed, batch.failed, batch.errors) == ("completed", 3, 1, [])
    assert world.asked == {"a": 41, "b": 21, "c": 1, "d": 1}
    [row] = await world.read(batch.error_file)
    assert (row["custom_id"], row["response"]["status_code"]) == ("id-c", 400)


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("failure", [LlmLate("late"), LlmBroke("broke")], ids=lambda failure: type(failure).__name__)
async def test_a_line_to_which_the_llm_has_no_answer_does_not_wait_for_ever(world: World, failure: LlmError) -> None:
    world.failures["a"] = [failure] * 40
    async with world.running():
        batch = await world.ended(await world.add("a", "b"))
    assert (batch.completed, batch.failed, world.asked["a"]) == (1, 1, 5)


async def waiting_for_llm(world: World, batch_id: str) -> Batch:
    return await world.when(batch_id, lambda batch: [one["code"] for one in batch.errors] == ["waiting_for_llm"])


async def test_a_batch_that_waits_for_the_llm_is_cancelled(world: World) -> None:
    world.failures["b"] = [LLM_AWAY[0]] * 2
    async with world.running() as runner:
        batch_id = await world.add("a", "b", "c")
        await waiting_for_llm(world, batch_id)
        await world.store.cancel(EVERYONE, batch_id, world.now)
        runner.wake()
        batch = await world.ended(batch_id)
    assert (batch.status, batch.completed, batch.failed, batch.errors) == ("cancelled", 1, 0, [])
    assert not world.asked["c"]


async def test_a_server_that_stops_while_lines_wait_for_the_llm_leaves_them_to_the_next(world: World) -> None:
    world.failures["a"] = [LLM_AWAY[0]]
    world.held["b"] = asyncio.Event()
    async with world.running(at_once=2):
        batch_id = await world.add("a", "b")
        await waiting_for_llm(world, batch_id)
    async with world.running():
        await world.when(batch_id, lambda batch: not batch.errors)
        world.held["b"].set()
        batch = await world.ended(batch_id)
    assert (batch.status, batch.completed, batch.failed) == ("completed", 2, 0)


async def test_batches_that_wait_for_the_llm_leave_room_for_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_runner, "_MAX_BATCHES", 1)
    world.failures = {text: [LLM_AWAY[0]] * 2 for text in "ab"}
    async with world.running():
        for text in "ab":
            await waiting_for_llm(world, await world.add(text))
        assert (await world.ended(await world.add("c"))).completed == 1


async def test_after_a_cancellation_what_runs_ends_and_nothing_else_begins(world: World) -> None:
    world.held["b"] = asyncio.Event()
    async with world.running() as runner:
        batch_id = await world.add("a", "b", "c")
        await until(lambda: world.asked["b"] == 1)
        assert (await world.store.cancel(EVERYONE, batch_id, world.now)) is not None
        runner.wake()
        await until(lambda: runner._runs[batch_id].stop.is_set())
        assert (await world.batch(batch_id)).status == "cancelling"
        world.held["b"].set()
        batch = await world.ended(batch_id)
    assert (batch.status, batch.completed) == ("cancelled", 2)
    assert set(said(await world.read(batch.output_file))) == {"id-a", "id-b"}
    assert not world.asked["c"]
    assert set(batch.moments) == {"in_progress", "cancelling", "cancelled"}


async def test_when_its_time_is_up_what_is_not_answered_says_so(world: World) -> None:
    world.held["b"] = asyncio.Event()
    async with world.running() as runner:
        batch_id = await world.add("a", "b", "c", "d")
        await until(lambda: world.asked["b"] == 1)
        world.now += 24 * 3600 + 1
        runner.wake()
        await until(lambda: runner._runs[batch_id].stop.is_set())
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
        batch_id = await world.add("a", "b", "c", key=caller.key)
        await until(lambda: world.asked["b"] == 1)
        remove_key(file, "mine")
        world.services.keys.refresh()
        runner.wake()
        world.held["b"].set()
        batch = await world.ended(batch_id, caller.tenant)
    assert (batch.status, [one["code"] for one in batch.errors]) == ("failed", ["key_removed"])
    assert not world.asked["c"]
    assert world.callers[0] == caller, "with the thresholds and the share of its key"


async def test_a_line_counts_as_a_request_of_its_key_and_runs_beside_no_more_than_the_key_allows(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_lines, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(batch_lines, "_LONGEST_PAUSE_S", 0.01)
    file = tmp_path / "keys.toml"
    key = add_key(file, "mine", {"concurrent": 1})
    world.services.keys = ApiKeys((), file)
    mine = world.services.keys.check(f"Bearer {key}").key
    # Whichever of them comes first is held; the second waits at the door, and the third is refused there.
    world.held |= dict.fromkeys("abc", go_on := asyncio.Event())
    async with world.running(at_once=3):
        batch_id = await world.add("a", "b", "c", key=mine)
        await until(lambda: world.services.door.waiting == 1)
        await asyncio.sleep(0.1)
        assert world.asked.total() == 1
        assert (await world.batch(batch_id, mine.tenant)).completed == 0
        go_on.set()
        batch = await world.ended(batch_id, mine.tenant)
    assert (batch.completed, batch.failed) == (3, 0)
    await world.services.admission_control.flush()
    [usage] = await UsageStore(world.services.database).usage()
    assert (usage.name, usage.requests) == ("mine", 3)


async def test_a_line_that_waits_for_its_keys_limits_keeps_no_slot_and_holds_nobody_up(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "keys.toml"
    keys = [add_key(file, "limited", {"requests_per_minute": 1}), add_key(file, "other", {})]
    world.services.keys = ApiKeys((), file)
    limited, other = (world.services.keys.check(f"Bearer {key}").key for key in keys)
    async with world.running(at_once=2) as runner:
        waiting = await world.add("a", "b", "c", "d", key=limited)
        await until(lambda: world.asked["b"] == 1 and not runner._lines.slots.running)
        batch = await world.ended(await world.add("e", "f", "g", key=other), other.tenant)
        assert (batch.completed, batch.failed) == (3, 0)
        assert (await world.batch(waiting, limited.tenant)).completed == 1
    assert world.asked["d"] == 0, "as many lines of a batch wait as may run"


async def test_a_line_that_waits_ends_with_its_batch_and_is_not_tried_again(world: World) -> None:
    world.failures["a"] = [EngineOverloaded("ocr", 128, 60)]
    async with world.running() as runner:
        batch_id = await world.add("a")
        await until(lambda: world.asked["a"] == 1 and not runner._lines.slots.running)
        world.now += 25 * 3600
        runner.wake()
        batch = await world.ended(batch_id)
    assert (batch.status, world.asked["a"]) == ("expired", 1)
    [row] = await world.read(batch.error_file)
    assert row["error"]["code"] == "batch_expired"


def stored(key: str, **fields: Any) -> str:
    """A key of the file, as one writes it by hand: without its tenant."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    rows = [f"{name} = {json.dumps(value)}\n" for name, value in {"name": key, "sha256": digest, **fields}.items()]
    return "[[keys]]\n" + "".join(rows)


@pytest.mark.parametrize("tenant", [{}, {"tenant": "a" * 32}], ids=["without its tenant", "with its tenant"])
async def test_lines_run_with_the_limits_of_the_key_that_made_the_batch(
    world: World, tmp_path: Path, tenant: dict[str, str]
) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(stored("loose", **tenant) + stored("strict", budget_usd=0.000001, **tenant))
    world.services.keys = ApiKeys((), file)
    strict = world.services.keys.check("Bearer strict")
    async with world.running():
        batch = await world.ended(await world.add("a", "b", key=strict.key), strict.tenant)
    assert world.callers == [strict, strict]
    assert (batch.completed, batch.failed) == (0, 2)
    codes = [row["response"]["body"]["error"]["code"] for row in await world.read(batch.error_file, strict.tenant)]
    assert codes == ["insufficient_quota"] * 2


async def test_lines_run_no_task_that_the_key_may_not_run_any_more(world: World, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(stored("mine"))
    world.services.keys = ApiKeys((), file)
    mine = world.services.keys.check("Bearer mine")
    world.held["a"] = asyncio.Event()
    async with world.running():
        batch_id = await world.add("a", "b", key=mine.key)
        await until(lambda: world.asked["a"] == 1)
        file.write_text(stored("mine", tasks=["chat"]))
        world.services.keys.refresh()
        world.held["a"].set()
        batch = await world.ended(batch_id, mine.tenant)
    assert (batch.status, batch.completed, batch.failed) == ("completed", 1, 1)
    [row] = await world.read(batch.error_file, mine.tenant)
    assert (row["custom_id"], row["response"]["status_code"]) == ("id-b", 403)


async def test_a_line_that_waits_for_its_keys_limits_sees_that_they_were_changed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_lines, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(batch_lines, "_LONGEST_PAUSE_S", 0.01)
    file = tmp_path / "keys.toml"
    file.write_text(stored("mine", tokens_per_minute=5))
    world.services.keys = ApiKeys((), file)
    mine = world.services.keys.check("Bearer mine")
    async with world.running(at_once=2):
        world.held["a"] = world.held["b"] = asyncio.Event()
        batch_id = await world.add("a", "b", key=mine.key)
        # One of them has all tokens of the minute, so the other is refused and tried again.
        await until(lambda: max(world.asked["a"], world.asked["b"]) > 1)
        world.held["a"].set()
        file.write_text(stored("mine", tokens_per_minute=500_000))
        world.services.keys.refresh()
        batch = await world.ended(batch_id, mine.tenant)
    assert (batch.status, batch.completed) == ("completed", 2)


@pytest.mark.parametrize("how", ["removed", "expired", "of the environment"])
async def test_a_batch_of_a_key_that_is_not_valid_any_more_ends_though_others_tenants_are_not_known(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(batch_lines, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(batch_lines, "_LONGEST_PAUSE_S", 0.01)
    file = tmp_path / "keys.toml"
    file.write_text(stored("other") + stored("mine"))
    world.services.keys = ApiKeys(["given"], file)
    key = "given" if how == "of the environment" else "mine"
    mine = world.services.keys.check(f"Bearer {key}")
    world.held["a"] = world.held["b"] = asyncio.Event()
    async with world.running(at_once=2) as runner:
        batch_id = await world.add("a", "b", "c", key=mine.key)
        await until(lambda: world.asked["a"] == world.asked["b"] == 1)
        expired = stored("mine", expires="2001-01-01")
        file.write_text(stored("other") + (expired if how == "expired" else ""))
        if how == "of the environment":
            runner._keys = ApiKeys([], file)
        else:
            world.services.keys.refresh()
        world.held["a"].set()
        batch = await world.ended(batch_id, mine.tenant)
    assert (batch.status, [one["code"] for one in batch.errors]) == ("failed", ["key_removed"])
    assert not world.asked["c"]
    assert batch.completed >= 1, "what ran when the key went has ended"


async def test_a_batch_of_an_open_server_ends_where_keys_are_asked_for(world: World, tmp_path: Path) -> None:
    batch_id = await world.add("a")
    file = tmp_path / "keys.toml"
    file.write_text(stored("mine"))
    world.services.keys = ApiKeys((), file)
    async with world.running():
        batch = await world.ended(batch_id)
    assert (batch.status, [one["code"] for one in batch.errors]) == ("failed", ["key_removed"])
    assert not world.asked


async def test_one_key_leaves_others_room_for_their_batches(world: World, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    keys = [add_key(file, name, {}) for name in ("mine", "other")]
    world.services.keys = ApiKeys((), file)
    mine, other = (world.services.keys.check(f"Bearer {key}").key for key in keys)
    world.held = {f"{number}": asyncio.Event() for number in range(9)}
    async with world.running(at_once=20) as runner:
        for number in range(9):
            await world.add(f"{number}", key=mine)
        await until(lambda: len(world.asked) == 4)
        last = await world.add("other", key=other)
        runner.wake()
        assert (await world.ended(last, other.tenant)).status == "completed"
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


async def test_answers_for_which_there_is_no_room_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.assembly.building.OWNER_FILES", 1)
    world = World(tmp_path)
    async with world.running() as runner:
        batch_id = await world.add("a")
        batch = await world.when(batch_id, lambda batch: bool(batch.errors))
        assert (batch.status, batch.errors[0]["code"]) == ("finalizing", "storage_full")
        assert "more than 1 files" in batch.errors[0]["message"]
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
    await world.services.close()


async def test_a_batch_with_more_results_than_a_file_may_have_fails_with_what_there_is(tmp_path: Path) -> None:
    world = World(tmp_path, max_file_mb=0.01)
    async with world.running():
        batch = await world.ended(await world.add(*(f"{number}" for number in range(80))))
    assert (batch.status, [one["code"] for one in batch.errors]) == ("failed", ["results_too_large"])
    assert "OPENFAZE_MAX_FILE_MB" in batch.errors[0]["message"]
    answered = await world.read(batch.output_file)
    assert 0 < len(answered) == batch.completed < 80
    await world.services.close()


async def test_results_wait_for_room_no_longer_than_files_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.assembly.building.OWNER_FILES", 1)
    world = World(tmp_path)
    async with world.running() as runner:
        batch_id = await world.add("a")
        await world.when(batch_id, lambda batch: bool(batch.errors))
        world.now += 31 * 24 * 3600
        runner.wake()
        batch = await world.ended(batch_id)
    assert (batch.status, batch.errors[0]["code"], batch.output_file) == ("failed", "storage_full", None)
    await world.services.close()


async def test_a_server_that_dies_after_writing_a_file_leaves_no_second_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, deaths = UploadWriter.publish, 2

    async def die_after_it(self: UploadWriter, *args: Any) -> StoredFile:
        nonlocal deaths
        file = await publish(self, *args)
        if file.purpose == OUTPUT_PURPOSE and deaths:
            deaths -= 1
            raise KeyError("killed")
        return file

    monkeypatch.setattr(UploadWriter, "publish", die_after_it)
    world.failures["b"] = [BadRequest("no")]
    async with world.running() as runner:
        batch_id = await world.add("a", "b")
        for killed in (1, 2):
            await until(lambda killed=killed: runner.faults()["runner", "error"] == killed)  # type: ignore[misc]
            world.now += 60
            runner.wake()
        batch = await world.ended(batch_id)
    files = await world.services.files.page(EVERYONE, 10, purpose=OUTPUT_PURPOSE)
    assert {file.id for file in files or ()} == {batch.output_file, batch.error_file}
    assert said(await world.read(batch.output_file)) == {"id-a": {"said": "a"}}


async def test_a_server_that_lost_its_lease_leaves_no_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publish, lost = UploadWriter.publish, []

    async def lose_lease_before_it(self: UploadWriter, name: str, purpose: str, *args: Any) -> StoredFile:
        if purpose == OUTPUT_PURPOSE:
            await world.store.release(name.removesuffix("_output.jsonl"), runner._holder, world.now + 3600)
            lost.append(name)
        return await publish(self, name, purpose, *args)

    monkeypatch.setattr(UploadWriter, "publish", lose_lease_before_it)
    async with world.running() as runner:
        batch_id = await world.add("a")
        # The run ends either because the file cannot be published or because the lease cannot be renewed.
        await until(lambda: lost and not runner._runs)
    assert await world.services.files.page(EVERYONE, 10, purpose=OUTPUT_PURPOSE) == []
    assert (await world.batch(batch_id)).output_file is None


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
        await until(lambda: runner.faults()["runner", "error"] > 0)
        world.now += 60
        runner.wake()
        assert (await world.ended(batch_id)).status == "completed"
    assert +Counter(runner.faults()) == {("runner", "error"): 1}


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
    await world.services.close()
