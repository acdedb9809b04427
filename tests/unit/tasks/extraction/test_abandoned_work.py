"""Work on lists ends once nobody waits for it."""

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from models.fair_executor import FairExecutor
from tasks.extraction import filling
from tasks.extraction.extractor import Extractor
from tasks.extraction.whole_results import TaskResults
from tasks.read_table import ReadTable
from tests.filling import STRING, pasted


async def test_no_reader_of_lists_begins_after_the_caller_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    has_begun, has_left = threading.Event(), threading.Event()
    begun: list[str] = []

    def first(*_: Any) -> Iterator[ReadTable]:
        begun.append("first")
        has_begun.set()
        has_left.wait(30)
        return iter(())

    def second(*_: Any) -> Iterator[ReadTable]:
        begun.append("second")
        return iter(())

    monkeypatch.setattr(filling, "LINE_READERS", (first, second))
    executor = FairExecutor("extraction")
    extractor = cast("Extractor", SimpleNamespace(executor=executor))
    item = {"type": "object", "properties": {"name": STRING, "price": STRING}}
    schema = {"type": "object", "properties": {"lines": {"type": "array", "items": item}}}
    document = pasted("Extract the fields.\n\nSoup: 4.50\nBread: 1.20").document
    assert document is not None
    asked = asyncio.create_task(filling.copy_fields(schema, TaskResults([], False), [document], extractor))
    await asyncio.to_thread(has_begun.wait, 30)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    has_left.set()
    await executor.close()
    assert begun == ["first"]
