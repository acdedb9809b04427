"""Notices when a caller hangs up, and ends the work that was done for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")


class ClientGone(Exception):
    """The caller hung up, so that there is nobody to answer."""


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` and returns its result; cancels it and raises ClientGone as soon as the caller hangs up.

    The request's body must have been read: the next message is then the disconnection. (The framework cancels
    nothing by itself while a handler computes.)
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
