"""One piece of work for all who ask for it while it is under way."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class SharedRun(Generic[Result]):
    """Those who join share the result, or the exception; who joins after the end starts a new run.

    Who leaves does not stop the run: others wait for it too. Nor is it of anyone's context, such as a request's
    fields for the log. Belongs to one event loop.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._work = work
        self._run: asyncio.Task[Result] | None = None

    def start(self) -> asyncio.Task[Result]:
        """The run that is under way, or a new one."""
        if self._run is None or self._run.done():
            self._run = asyncio.create_task(self._work(), context=contextvars.Context())
            self._run.add_done_callback(heard_of)
        return self._run

    async def join(self) -> Result:
        return await asyncio.shield(self.start())

    async def stop(self) -> None:
        """Cancels the run, and with it those who wait for it."""
        if self._run is not None and not self._run.done():
            self._run.cancel()
            await asyncio.wait([self._run])


def heard_of(ended: asyncio.Future[Any]) -> None:
    """A callback that takes note of a failure whose last listener may have left: asyncio would log it, with what it
    quotes of a caller's texts."""
    if not ended.cancelled():
        ended.exception()
