"""Checks end once nobody waits for their result."""

import asyncio
import threading
from typing import Any

import pytest

from tasks.schema.awaited import NobodyWaits, in_thread
from tasks.schema.checker import SchemaChecker


async def test_a_check_ends_once_its_caller_has_left() -> None:
    checker = SchemaChecker({"items": {"type": "integer"}})
    has_begun, has_left, has_ended = threading.Event(), threading.Event(), threading.Event()
    ends: list[type[BaseException] | None] = []

    def check() -> Any:
        has_begun.set()
        has_left.wait(30)
        try:
            checker.problem([1, 2, 3])
            ends.append(None)
        except NobodyWaits as error:
            ends.append(type(error))
        finally:
            has_ended.set()

    asked = asyncio.create_task(in_thread(check))
    await asyncio.to_thread(has_begun.wait, 30)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    has_left.set()
    await asyncio.to_thread(has_ended.wait, 30)
    assert ends == [NobodyWaits]


async def test_a_check_whose_caller_waits_has_a_result() -> None:
    assert await in_thread(SchemaChecker({"type": "integer"}).problem, "x") == "'x' is not of type 'integer'"
