"""Detects that a caller has hung up, and ends the work for this caller."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")


class ClientGone(Exception):
    """Raised when the caller has hung up, so that nobody receives an answer."""


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` and return its result. If the caller hangs up, cancel `work` and raise ClientGone.

    The request's body must have been read before, so that the next message is the disconnection. (The framework itself
    cancels nothing while a handler computes.)
    """
    task = asyncio.current_task()
    assert task is not None
    cancelled_before = task.cancelling()
    has_left = False

    async def cancel_when_gone() -> None:
        nonlocal has_left
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left = True
        task.cancel()

    watching = asyncio.create_task(cancel_when_gone())
    try:
        return await work
    finally:
        watching.cancel()
        if has_left and task.uncancel() <= cancelled_before:
            raise ClientGone from None
