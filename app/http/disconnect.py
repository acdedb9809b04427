"""Detects that a caller has hung up, and ends the work for this caller."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, TypeVar

from starlette.types import Receive, Scope

T = TypeVar("T")

HANG_UP = "hang_up"
"""Key in a request's state of a future that is done once the caller has hung up before its answer was complete. Unlike
`receive`, the future can be watched while the body is unread."""


class ClientGone(Exception):
    """Raised when the caller has hung up, so nobody receives an answer."""


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` and return its result. If the caller hangs up, cancel `work` and raise ClientGone.

    The request's body must already have been read, so that the next message is the disconnection. The framework itself
    does not cancel a handler when the caller hangs up.
    """
    with _ended_by_hang_up() as end:

        async def end_when_gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            end()

        watching = asyncio.create_task(end_when_gone())
        try:
            return await work
        finally:
            watching.cancel()


@asynccontextmanager
async def entered_unless_gone(scope: Scope, context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter `context` for the block. Raises ClientGone if the caller hangs up before `context` is entered.

    The request's body may still be unread. If the server has not set HANG_UP, hang-ups are not noticed here.
    """
    hang_up: asyncio.Future[None] | None = scope.get("state", {}).get(HANG_UP)
    async with AsyncExitStack() as stack:
        if hang_up is None:
            result = await stack.enter_async_context(context)
        elif hang_up.done():
            raise ClientGone
        else:
            with _ended_by_hang_up() as end:

                def end_when_gone(_: asyncio.Future[None]) -> None:
                    end()

                hang_up.add_done_callback(end_when_gone)
                try:
                    result = await stack.enter_async_context(context)
                finally:
                    hang_up.remove_done_callback(end_when_gone)
        yield result


@contextmanager
def _ended_by_hang_up() -> Iterator[Callable[[], None]]:
    """Provide a function that cancels the running task, after which the block raises ClientGone."""
    task = asyncio.current_task()
    assert task is not None
    cancelled_before = task.cancelling()
    has_left = False

    def end() -> None:
        nonlocal has_left
        has_left = True
        task.cancel()

    try:
        yield end
    finally:
        if has_left and task.uncancel() <= cancelled_before:
            raise ClientGone from None
