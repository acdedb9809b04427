"""What is kept of the inputs of an answer: one that is the result of a task, and one of the cache."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.access.keys import Caller
from app.chat.cache.answer_cache import AnswerCache
from app.chat.cache.keys import CacheKeys
from app.chat.call import ChatCall
from app.chat.inputs import Turn
from app.chat.pipeline import _run_task
from app.chat.specialists import Specialists
from app.events import PIECE, Event, Finish, TextChunk
from app.state.entries import Entries
from app.state.sealing import Sealer
from app.wire.request import ChatRequest
from tasks.base import Task, TaskRequest
from tasks.guardrails import Policy
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.reading import Upload
from tasks.inputs.source import Origin, Source
from tasks.result import JsonResult
from tests.unit.app.state.test_entries import in_file

TEXT = "word " * PIECE


@dataclass
class Shelf:
    """One uploaded file, which counts how often it is read."""

    reads: int = 0

    async def find(self, owner: str, file_id: str) -> Upload | None:
        return Upload(id=file_id, owner=owner, size=4, filename="a.txt", media_type="text/plain")

    async def read(self, upload: Upload) -> bytes:
        self.reads += 1
        return b"word"


@dataclass
class Reader:
    """A task that reads its inputs and has a long result."""

    loader: MediaLoader
    name: str = "ocr"
    description: str = "Reads."

    async def run(self, request: TaskRequest) -> JsonResult:
        for source in request.sources:
            await self.loader.load(source)
        return JsonResult({"text": TEXT})


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def loader(shelf: Shelf) -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(), uploads=shelf)
    yield loader
    await loader.close()


async def test_a_long_result_comes_in_pieces_and_its_inputs_are_forgotten(loader: MediaLoader, shelf: Shelf) -> None:
    source = Source(Origin("file"), file_id="file-1", owner="me")
    tasks: dict[str, Task] = {"ocr": Reader(loader)}
    request = ChatRequest.model_validate({"model": "interfaze-beta", "messages": [{"role": "user", "content": "x"}]})
    call = ChatCall(request, Caller("me"))
    text = ""
    events = _run_task("ocr", call, Turn("", (source,)), Specialists(tasks.__getitem__), loader)
    async for event in events:
        if isinstance(event, TextChunk):
            assert len(event.text) <= PIECE
            text += event.text
        else:
            assert isinstance(event, Finish)
    assert text == f'{{"name":"ocr","result":{{"text":"{TEXT}"}}}}'
    assert shelf.reads == 1
    await loader.load(source)
    assert shelf.reads == 2


async def test_the_inputs_of_a_request_that_gets_anothers_answer_are_forgotten(
    loader: MediaLoader, shelf: Shelf, tmp_path: Path
) -> None:
    async def shaped_by() -> bytes:
        return b"here"

    async def answer() -> AsyncGenerator[Event, None]:
        return events()

    async def events() -> AsyncGenerator[Event, None]:
        yield TextChunk("word")
        yield Finish("stop", 1, 2)

    entries = Entries(in_file(tmp_path / "c.sqlite", 1 << 20), Sealer(1 << 20), patience_s=60)
    cache = AnswerCache(entries, CacheKeys(loader, shaped_by), max_age_s=60)
    request = ChatRequest.model_validate({"model": "interfaze-beta", "messages": [{"role": "user", "content": "x"}]})

    async def ask() -> tuple[Source, list[Event]]:
        source = Source(Origin("file"), file_id="file-1", owner="me")
        events = await cache.get_or_answer(
            ChatCall(request, Caller("me")), Turn("x", (source,)), Policy(frozenset(), {}), answer, None
        )
        return source, [event async for event in events]

    async def is_remembered(source: Source) -> bool:
        before = shelf.reads
        await loader.load(source)
        return shelf.reads == before

    try:
        (one, told), (other, also_told) = await asyncio.gather(ask(), ask())
        while cache._under_way:
            await asyncio.sleep(0.01)
        later, told_again = await ask()
    finally:
        await entries.close()
    assert told[0] == also_told[0] == told_again[0] == TextChunk("word")
    # Which of the two answers, and which gets that answer, depends on the threads that make their keys.
    assert sorted([await is_remembered(one), await is_remembered(other)]) == [False, True]
    assert not await is_remembered(later)
