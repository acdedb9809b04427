"""The same work on many items at once, but never on too many."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Admission:
    """To an engine, for the items of one request: the first is refused if the engine is overloaded, so that the client
    hears of it at once; the rest wait their turn, so that no work is thrown away."""

    def __init__(self) -> None:
        self._first_is_in = False

    def waits(self) -> bool:
        """Whether the next one waits."""
        waits, self._first_is_in = self._first_is_in, True
        return waits


async def side_by_side(
    work: Callable[[ItemT], Awaitable[ResultT]],
    items: Sequence[ItemT],
    *,
    at_most: int,
    done: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[ResultT]:
    """`work(item)` for each of `items`, begun in their order, `at_most` under way at a time. `done` is told after each
    how many are done, and how many there are.

    The first failure cancels the rest and is raised as it is, not in a group; cancelling this cancels all.
    """
    results: dict[int, ResultT] = {}
    queue = iter(enumerate(items))

    async def work_through_the_queue() -> None:
        for place, item in queue:
            results[place] = await work(item)
            done(len(results), len(items))

    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_most, len(items))):
                group.create_task(work_through_the_queue())
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
        # The group and the frame that raises it refer to each other: together they would keep what the items hold.
        failures.__traceback__ = None
    if failure is not None:
        raise failure
    return [results[place] for place in range(len(items))]
