"""Work that is done once for all who ask for its result."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from models.single_flight import heard_of
from tasks.errors import InputError

Result = TypeVar("Result")


class Once(Generic[Result]):
    """Remembers the result, or what was wrong with the input; any other failure is tried again.

    The work ends when the last of those who wait for it leaves. Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._running: asyncio.Task[Result] | None = None
        self._waiting = 0
        self._results: list[Result] = []
        self._complaint: Callable[[], InputError] | None = None

    async def get(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of `work()`, which is called where nobody's has been before."""
        if self._results:
            return self._results[0]
        if self._complaint:
            raise self._complaint()
        if self._running is None:
            self._running = asyncio.create_task(self._run(work))
            self._running.add_done_callback(heard_of)
        running = self._running
        self._waiting += 1
        try:
            return await asyncio.shield(running)
        finally:
            self._waiting -= 1
            if not self._waiting:
                running.cancel()
                self._running = None

    async def _run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        try:
            result = await work()
        except InputError as error:
            self._complaint = _without_traceback(error)
            raise
        self._results.append(result)
        return result


def _without_traceback(error: InputError) -> Callable[[], InputError]:
    """Makes the same exception again. Itself it would gain, and keep, what the frames hold that it comes through."""
    kind, arguments, fields = type(error), error.args, dict(vars(error))

    def again() -> InputError:
        copy = kind.__new__(kind, *arguments)
        vars(copy).update(fields)
        return copy

    return again
