"""The record of what keys have used, on SQLite and PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from app.state.counters import KEPT_DAYS, CountedKey
from app.state.database import Database, parse_url
from app.state.usage import DailyUsage, UsageStore
from tests.unit.app.state.test_counters import Clock

T1, T2 = CountedKey("t1", "of t1"), CountedKey("t2", "of t2")


@pytest.fixture
async def database(state_url: str) -> AsyncIterator[Database]:
    database = Database(parse_url("URL", state_url))
    yield database
    await database.close()


def used(day: str, requests: int, tenant: str = "t1") -> DailyUsage:
    return DailyUsage(tenant, f"of {tenant}", day, requests, 10 * requests, 100 * requests, 1000 * requests)


async def test_usage_and_spending_are_added_up(database: Database) -> None:
    store, other = UsageStore(database, clock=Clock()), UsageStore(database, clock=Clock())
    assert await store.spent(T1, "2027-01") == 0
    await store.add([used("2027-01-15", 2), used("2027-01-14", 1)], {(T1, "2027-01"): 2000})
    await other.add([used("2027-01-15", 3), used("2027-01-15", 1, "t2")], {(T1, "2027-01"): 3000, (T2, "total"): 7})
    assert await store.usage() == [used("2027-01-14", 1), used("2027-01-15", 5), used("2027-01-15", 1, "t2")]
    assert [await store.spent(*one) for one in ((T1, "2027-01"), (T1, "2027-02"), (T2, "total"))] == [5000, 0, 7]


async def test_what_is_forgotten_is_one_tenants(database: Database) -> None:
    store = UsageStore(database, clock=Clock())
    await store.add([used("2027-01-14", 1), used("2027-01-15", 1), used("2027-01-15", 1, "t2")], {(T1, "total"): 5})
    assert await store.forget("t1") == 2
    assert await store.usage() == [used("2027-01-15", 1, "t2")]
    assert await store.spent(T1, "total") == 0


async def test_usage_is_kept_for_a_year_and_not_for_ever(database: Database) -> None:
    clock = Clock()
    store = UsageStore(database, clock=clock)
    await store.add([used("2027-01-15", 1)], {(T1, "2027-01"): 1, (T1, "total"): 1})
    clock.now += (KEPT_DAYS - 1) * 86400
    await store.add([used("2028-01-15", 1)], {})
    assert len(await store.usage()) == 2
    clock.now += 40 * 86400
    await store.add([used("2028-03-25", 1)], {})
    assert [one.day for one in await store.usage()] == ["2028-01-15", "2028-03-25"]
    assert [await store.spent(T1, one) for one in ("2027-01", "total")] == [0, 1]
