"""The same work on many items at once, but never on too many."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


async def side_by_side(
    work: Callable[[ItemT], Awaitable[ResultT]], items: Sequence[ItemT], *, at_most: int
) -> list[ResultT]:
    """`work(item)` for each of `items`, begun in their order, `at_most` under way at a time.

    The first failure cancels the rest and is raised as it is, not in a group; cancelling this cancels all.
    """
    results: dict[int, ResultT] = {}
    queue = iter(enumerate(items))

    async def work_through_the_queue() -> None:
        for place, item in queue:
            results[place] = await work(item)

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
