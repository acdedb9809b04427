"""Detects that a caller has hung up, and ends the work for this caller."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Message, Receive

T = TypeVar("T")

MAX_AHEAD = 64 * 1024
"""At most about this many bytes of a body are read before its request begins."""


class ClientGone(Exception):
    """Raised when the caller has hung up, so nobody receives an answer."""


class ReadAhead:
    """The messages of a request's connection, which can be read before the application asks for them, in order to
    notice that the caller hangs up."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: deque[Message] = deque()
        self._size = 0

    async def __call__(self) -> Message:
        return self._read.popleft() if self._read else await self._receive()

    async def ahead(self) -> Message:
        """Return the next message, and keep it for the application. Never return again once MAX_AHEAD bytes are read:
        the end of a connection with a longer body is noticed when the application reads the body."""
        if self._size >= MAX_AHEAD:
            await asyncio.get_running_loop().create_future()
        message = await self._receive()
        self._read.append(message)
        self._size += len(message.get("body", b""))
        return message


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` and return its result. If the caller hangs up, cancel `work` and raise ClientGone.

    The request's body must already have been read, so that the next message is the disconnection. The framework itself
    does not cancel a handler when the caller hangs up.
    """
    task = asyncio.current_task()
    assert task is not None
    cancelled_before = task.cancelling()
    has_left = False

    async def end_when_gone() -> None:
        nonlocal has_left
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left = True
        task.cancel()

    watching = asyncio.create_task(end_when_gone())
    try:
        return await work
    finally:
        watching.cancel()
        if has_left and task.uncancel() <= cancelled_before:
            raise ClientGone from None
