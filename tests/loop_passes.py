"""A count of the event loop's passes, to tell how much one task does before others run."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass
class LoopPasses:
    number: int = 0


@contextlib.asynccontextmanager
async def passing() -> AsyncIterator[LoopPasses]:
    """Count the passes of the event loop while the block runs."""
    passes = LoopPasses()

    async def count() -> None:
        while True:
            passes.number += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    try:
        yield passes
    finally:
        counting.cancel()
        await asyncio.wait([counting])
