"""A request's admission and its charge, with a real store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.access.admission import ASSUMED_ANSWER_TOKENS, Admission, AdmissionControl
from app.access.key_file import digest_of
from app.access.keys import ApiKeys, Caller
from app.errors import ApiError, InsufficientQuota, InvalidApiKey, RateLimited, TaskNotAllowed, Unavailable
from app.state.counters import NANO, Limits, Prices
from app.state.database import Database, sqlite_url
from app.state.entries import StoreDown
from app.state.memory_counters import MemoryCounters
from app.state.redis_counters import RedisCounters
from app.state.usage import UsageStore
from tests.kit.servers.server import free_port

PRICES = Prices(1.0, 2.0)
A_TOKEN = 1000
"""Billionths of a dollar of a token of a prompt; twice that of an answer's."""


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_014_400.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def controlling(path: Path) -> AsyncIterator[AdmissionControl]:
    """The control of a server, with its state in a file."""
    database, clock = Database(sqlite_url(path)), Clock()
    usage = UsageStore(database)
    control = AdmissionControl(MemoryCounters(usage, clock=clock, calendar=clock), usage, PRICES, clock=clock)
    yield control
    await control.close()
    await database.close()


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[AdmissionControl]:
    async with controlling(tmp_path / "state.sqlite") as control:
        yield control


def caller(**limits: Any) -> Caller:
    return Caller("a" * 32, name="alice", limits=Limits(**limits))


async def entered(control: AdmissionControl, who: Caller, *asked: Any, **more: Any) -> Admission:
    admission = control.admit(who)
    await admission.reserve(*asked, **more)
    return admission


def test_prices_are_dollars_a_million_tokens() -> None:
    assert Prices.read("input=1.50, output=3.5").of(1_000_000, 1_000_000) == 5 * NANO
    assert Prices.read("output=0,input=0.0001").of(10_000, 5) == A_TOKEN


@pytest.mark.parametrize("text", ["", "1.5", "input=1", "input=1,output=x", "input=1,output=-1", "input=1,output=inf"])
def test_other_prices_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="write dollars per million tokens as 'input=1.50,output=3.50'"):
        Prices.read(text)


async def test_without_max_tokens_an_answer_of_1024_is_taken(control: AdmissionControl) -> None:
    who = caller(tokens_per_minute=2 * ASSUMED_ANSWER_TOKENS)
    await entered(control, who, "chat", 24, None)
    with pytest.raises(RateLimited, match="request of about 1048 tokens"):
        await entered(control, who, "chat", 24, None)
    await entered(control, who, "chat", 24, 900)


async def test_a_spent_budget_leaves_answers_from_the_cache(control: AdmissionControl) -> None:
    who = caller(budget=100 * A_TOKEN, requests_per_minute=4, concurrent=1)
    admission = await entered(control, who, "chat", 100, 0)
    await admission.settle(100)
    with pytest.raises(InsufficientQuota):
        await entered(control, who, "chat", 100, 0)
    cached = await entered(control, who, "chat", 100, 0, is_cached=True)
    await cached.settle(100, is_free=True)
    assert cached.headers["x-ratelimit-remaining-requests"] == "2", "it is a request"
    missed = await entered(control, who, "chat", 100, 0, is_cached=True)
    with pytest.raises(InsufficientQuota, match=r"may cost \$0\.0001\d*, .* budget of \$0\.0001 for this month"):
        await missed.require_budget()
    assert missed.headers["x-ratelimit-remaining-requests"] == "2", "what is refused takes nothing"
    await missed.abort(has_begun=True)
    await (await entered(control, who)).settle()
    await control.flush()
    [used] = await control._usage.usage()
    assert (used.requests, used.input_tokens, used.money) == (3, 100, 100 * A_TOKEN)


async def test_who_has_money_pays_for_what_is_not_in_the_cache(control: AdmissionControl) -> None:
    admission = await entered(control, caller(budget=100 * A_TOKEN), "chat", 100, 0, is_cached=True)
    await admission.require_budget()
    await admission.settle(100)
    with pytest.raises(InsufficientQuota):
        await entered(control, caller(budget=100 * A_TOKEN), "chat", 1, 0)


@pytest.mark.parametrize(
    ("has_begun", "written", "tokens"),
    [(False, [], 0), (True, [], 50), (False, ["12345678"] * 10, 70), (True, ["x"] * 10, 60)],
)
async def test_a_request_that_breaks_off_is_charged_for_what_it_wrote(
    has_begun: bool, written: list[str], tokens: int, control: AdmissionControl
) -> None:
    who = caller(tokens_per_minute=1000, concurrent=1)
    admission = await entered(control, who, "chat", 50, 500)
    for text in written:
        admission.count_text(text)
    await admission.abort(has_begun=has_begun)
    assert admission.headers["x-ratelimit-remaining-tokens"] == str(1000 - tokens)
    await admission.abort(has_begun=True)
    await admission.settle(400, 400)
    again = await entered(control, who, "chat", 1000 - tokens, 0)
    assert again.headers["x-ratelimit-remaining-tokens"] == "0"


async def test_what_was_counted_is_charged_even_if_less_was_shown(control: AdmissionControl) -> None:
    admission = await entered(control, caller(tokens_per_minute=1000), "chat", 50, 500)
    admission.count_text("é" * 400)
    admission.count_call(60, 130)
    admission.count_text("é" * 40)
    await admission.settle(55, 3)
    assert admission.headers["x-ratelimit-remaining-tokens"] == str(1000 - 60 - 130 - 20)


async def test_headers_are_those_of_the_rates_that_the_key_has(control: AdmissionControl) -> None:
    admission = await entered(control, caller(requests_per_minute=10, tokens_per_minute=600), "chat", 60, 30)
    assert admission.headers == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-reset-requests": "6s",
        "x-ratelimit-limit-tokens": "600",
        "x-ratelimit-remaining-tokens": "510",
        "x-ratelimit-reset-tokens": "9s",
    }
    await admission.settle(600, 3000)
    assert admission.headers["x-ratelimit-reset-tokens"] == "6m0s"
    assert (await entered(control, caller(budget=1))).headers == {}


async def test_a_key_without_limits_or_a_name_costs_the_store_nothing(tmp_path: Path) -> None:
    async with controlling(tmp_path / "state.sqlite") as control:
        for _ in range(3):
            admission = await entered(control, Caller("a" * 32, limits=Limits()), "chat", 5, None)
            await admission.count_unreserved()
            await admission.settle(5, 5)
    assert not (tmp_path / "state.sqlite").exists()


async def test_usage_that_cannot_be_written_waits(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.mkdir()
    async with controlling(path) as control:
        for _ in range(2):
            await (await entered(control, caller(), "chat")).settle(1, 2)
            await control.flush()
        path.rmdir()
        await (await entered(control, caller(), "chat")).settle(1, 2)
        await control.flush()
        await control.flush()
        [used] = await control._usage.usage()
    assert (used.name, used.requests, used.input_tokens, used.output_tokens) == ("alice", 3, 3, 6)
    assert used.money == 15 * A_TOKEN


@pytest.mark.parametrize("failure", [StoreDown("down"), KeyError("unforeseen")])
async def test_usage_whose_write_fails_when_the_server_stops_is_written_by_the_stop(
    failure: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, add, failures = asyncio.Event(), asyncio.Event(), UsageStore.add, [failure]

    async def fail_once(self: UsageStore, *args: Any) -> None:
        begun.set()
        await go_on.wait()
        if failures:
            raise failures.pop()
        await add(self, *args)

    monkeypatch.setattr(UsageStore, "add", fail_once)
    who = caller(budget=2000 * A_TOKEN)
    async with controlling(tmp_path / "state.sqlite") as control:
        await (await entered(control, who, "chat")).settle(1990)
        flushing = asyncio.create_task(control.flush())
        await begun.wait()
        flushing.cancel()
        await asyncio.wait([flushing])
        go_on.set()
    async with controlling(tmp_path / "state.sqlite") as control:
        [used] = await control._usage.usage()
        assert (used.requests, used.input_tokens) == (1, 1990)
        with pytest.raises(InsufficientQuota):
            await entered(control, who, "chat", 11)


async def test_a_write_of_usage_that_is_finished_after_a_cancellation_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, add = asyncio.Event(), UsageStore.add

    async def begin(self: UsageStore, *args: Any) -> None:
        begun.set()
        await add(self, *args)

    monkeypatch.setattr(UsageStore, "add", begin)
    async with controlling(tmp_path / "state.sqlite") as control:
        await (await entered(control, caller(), "chat")).settle(1)
        flushing = asyncio.create_task(control.flush())
        await begun.wait()
        flushing.cancel()
        await asyncio.wait([flushing])
    async with controlling(tmp_path / "state.sqlite") as control:
        [used] = await control._usage.usage()
    assert used.requests == 1


async def test_usage_that_cannot_be_written_at_a_stop_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.mkdir()
    with capture_logs() as logs:
        async with controlling(path) as control:
            await (await entered(control, caller(), "chat")).settle(1, 2)
    [line] = [line for line in logs if line["event"] == "usage_lost"]
    assert (line["requests"], line["money"]) == (1, 5 * A_TOKEN)


async def test_a_budget_that_was_spent_is_spent_after_a_restart(tmp_path: Path) -> None:
    who = caller(budget=2000 * A_TOKEN)
    async with controlling(tmp_path / "state.sqlite") as control:
        await (await entered(control, who, "chat")).settle(1990)
    async with controlling(tmp_path / "state.sqlite") as control:
        with pytest.raises(InsufficientQuota):
            await entered(control, who, "chat", 11)
        await entered(control, who, "chat", 10)


async def test_a_store_that_is_down_refuses_or_allows(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "state.sqlite"))
    usage = UsageStore(database)
    store = RedisCounters(f"redis://127.0.0.1:{free_port()}/0", usage)
    who = caller(requests_per_minute=1)
    with capture_logs() as log, pytest.raises(Unavailable) as refusal:
        await entered(AdmissionControl(store, usage, PRICES), who)
    assert (refusal.value.code, refusal.value.retry_after) == ("upstream_unavailable", 2)
    assert [line["event"] for line in log] == ["counters_down"]
    lenient = AdmissionControl(store, usage, PRICES, when_down="allow")
    for _ in range(3):
        admission = await entered(lenient, who)
        await admission.settle()
        assert admission.headers == {}
    await store.close()
    await database.close()


async def test_tasks_that_a_key_may_not_run_cost_it_nothing(control: AdmissionControl) -> None:
    who = Caller("a" * 32, limits=Limits(requests_per_minute=1), tasks=frozenset({"ocr", "chat"}))
    with pytest.raises(TaskNotAllowed, match=r"This key may not run 'translate'\. It may run: chat, ocr\."):
        await entered(control, who, "translate")
    await entered(control, who, "ocr")


async def test_places_of_callers_that_are_cancelled_are_free(control: AdmissionControl) -> None:
    who = caller(concurrent=3)

    async def work() -> None:
        admission = await entered(control, who)
        try:
            await asyncio.sleep(60)
        finally:
            await admission.abort(has_begun=True)

    for _ in range(5):
        tasks = [asyncio.create_task(work()) for _ in range(3)]
        while len(control._running) < 3:
            await asyncio.sleep(0)
        with pytest.raises(RateLimited):
            await entered(control, who)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def opened(keys: ApiKeys, key: str, address: str = "192.0.2.1") -> int:
    try:
        keys.check(f"Bearer {key}", address)
    except ApiError as error:
        return error.status
    return 200


def test_wrong_keys_are_slowed_by_address_and_drain_evenly() -> None:
    clock = Clock()
    keys = ApiKeys(["old", "new"], wrong_keys=6, monotonic=clock)
    assert opened(keys, "old") == 200
    assert [opened(keys, f"guess-{one}") for one in range(8)] == [401] * 6 + [429] * 2
    assert opened(keys, "old") == 200, "it opened from there before"
    assert opened(keys, "new") == 429, "who guesses right is not told so"
    assert opened(keys, "new", "192.0.2.2") == 200
    clock.now += 10
    assert [opened(keys, "guess") for _ in range(2)] == [401, 429]
    clock.now += 10
    assert opened(keys, "new") == 200


def test_addresses_of_ipv4_that_a_proxy_writes_as_ipv6_are_told_apart() -> None:
    keys = ApiKeys(["key"], wrong_keys=1, monotonic=Clock())
    assert [opened(keys, "x", "::ffff:198.51.100.3") for _ in range(2)] == [401, 429]
    assert opened(keys, "key", "::ffff:203.0.113.77") == 200


def test_an_ipv6_network_is_one_address() -> None:
    keys = ApiKeys(["key"], wrong_keys=2, monotonic=Clock())
    assert [opened(keys, "x", f"2001:db8::{one}") for one in range(1, 5)] == [401, 401, 429, 429]
    assert opened(keys, "x", "2001:db8:0:1::1") == 401


def test_whatever_is_no_address_is_one() -> None:
    keys = ApiKeys(["key"], wrong_keys=2, monotonic=Clock())
    assert [opened(keys, "x", address) for address in ("unknown", "_hidden", "10.0.0.300")] == [401, 401, 429]


def test_what_is_remembered_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.access.keys._MAX_ADDRESSES", 10)
    keys = ApiKeys(["key"], wrong_keys=1, monotonic=Clock())
    for one in range(100):
        opened(keys, "x", f"10.0.0.{one}")
        opened(keys, "key", f"10.0.1.{one}")
    wrong = [opened(keys, "x", f"10.0.0.{one}") for one in range(99, -1, -1)]
    assert wrong == [429] * 10 + [401] * 90
    for one in range(90, 100):
        opened(keys, "x", f"10.0.1.{one}")
    assert [opened(keys, "key", f"10.0.1.{one}") for one in range(90, 100)] == [200] * 10
    opened(keys, "x", "10.0.1.0")
    assert opened(keys, "key", "10.0.1.0") == 429


@pytest.mark.parametrize(
    ("expires", "last", "first_over"),
    [
        ("2027-01-15", 12 * 3600 - 1, 12 * 3600),
        ("2027-01-15T13:00:00Z", 3599, 3600),
        ("2027-01-15T14:00:00+01:00", 3599, 3600),
        ("2027-01-15 13:00:00", 3599, 3600),
    ],
)
def test_a_key_is_valid_until_its_end(expires: str, last: float, first_over: float, tmp_path: Path) -> None:
    for written in (f'"{expires}"', expires):
        file = tmp_path / "keys.toml"
        file.write_text(f'[[keys]]\nname = "a"\nsha256 = "{digest_of("key").hex()}"\nexpires = {written}\n')
        clock = Clock()
        keys = ApiKeys([], file, clock=clock)
        clock.now += last
        assert opened(keys, "key") == 200
        clock.now += first_over - last
        with pytest.raises(InvalidApiKey, match="it expired at 2027-01-1"):
            keys.check("Bearer key")
