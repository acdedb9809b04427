"""What specialists read of files: once for all who ask at the same time, and whatever the file is called."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.chat.cache.result_cache import ResultCache
from app.state.entries import Entries
from app.state.sealing import Sealer
from tasks.base import ReadingCachePolicy, Specialist, TaskRequest
from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.result import JsonResult, Result
from tests.unit.app.state.test_entries import in_file

MB = 1 << 20
READER = Specialist(
    "reader",
    lambda _: None,
    reading=ReadingCachePolicy(lambda request, _: request.text.startswith("tables"), JsonResult),
)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    yield loader
    await loader.close()


@pytest.fixture
async def readings(tmp_path: Path, loader: MediaLoader) -> AsyncIterator[ResultCache]:
    entries = Entries(in_file(tmp_path / "c.sqlite", MB), Sealer(MB), patience_s=60)

    async def fingerprint() -> bytes:
        return b"here"

    yield ResultCache(entries, loader, fingerprint, max_age_s=60)
    await entries.close()


class Reader:
    """A task that ends when it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.runs = 0
        self.cancelled = 0
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self._failure = failure

    async def run(self, request: TaskRequest) -> Result[Any]:
        self.runs += 1
        self.begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        request.progress("reader", 1, 1)
        if self._failure is not None:
            raise self._failure
        return JsonResult({"run": self.runs})


def asked(data: bytes = PDF, name: str | None = None, *, text: str = "", owner: str = "t1", **more: Any) -> TaskRequest:
    return TaskRequest(text, (Source(Origin("p"), data=data, filename=name, owner=owner),), **more)


async def waiting(readings: ResultCache, reader: Reader, *requests: TaskRequest) -> list[asyncio.Task[Result[Any]]]:
    """When all wait for the reading, which has begun."""
    tasks = [asyncio.create_task(readings.read(READER, one, reader.run)) for one in requests]
    await reader.begun.wait()
    while sum(len(one._listeners) for one in readings._running.values()) < len(tasks):
        await asyncio.sleep(0)
    return tasks


async def test_who_asks_at_the_same_time_shares_a_reading_and_hears_how_far_it_is(readings: ResultCache) -> None:
    reader, heard = Reader(), list[int]()
    requests = [asked(progress=lambda _stage, done, _total: heard.append(done)) for _ in range(10)]
    tasks = await waiting(readings, reader, *requests)
    reader.may_end.set()
    assert [one.data for one in await asyncio.gather(*tasks)] == [{"run": 1}] * 10
    assert (reader.runs, heard) == (1, [1] * 10)
    # Until it is written it is found where it was made, and then in the store.
    assert (await readings.read(READER, asked(), reader.run)).data == {"run": 1}
    while readings._running:
        await asyncio.sleep(0.001)
    assert (await readings.read(READER, asked(), reader.run)).data == {"run": 1}
    assert reader.runs == 1


async def test_when_all_have_left_it_ends_and_is_begun_anew(readings: ResultCache) -> None:
    reader = Reader()
    tasks = await waiting(readings, reader, asked(), asked())
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    reader.may_end.set()
    assert (await readings.read(READER, asked(), reader.run)).data == {"run": 2}
    assert (reader.runs, reader.cancelled) == (2, 1)


async def test_each_is_told_what_is_wrong_with_its_own_input(readings: ResultCache) -> None:
    one, other = Reader(InputError("'a.pdf' is damaged")), Reader(InputError("'b.pdf' is damaged"))
    [first] = await waiting(readings, one, asked(name="a.pdf"))
    second = asyncio.create_task(readings.read(READER, asked(name="b.pdf"), other.run))
    while sum(len(each._listeners) for each in readings._running.values()) < 2:
        await asyncio.sleep(0)
    one.may_end.set()
    other.may_end.set()
    told = await asyncio.gather(first, second, return_exceptions=True)
    assert list(map(str, told)) == ["'a.pdf' is damaged", "'b.pdf' is damaged"]
