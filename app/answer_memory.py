"""Memory that a request holds for the text of its answer."""

import sys
from collections.abc import Awaitable, Callable


async def _hold_nothing(_: int) -> None:
    """Hold no memory."""


class AnswerMemory:
    """Memory that a request holds for the text of its answer, which may exist long before the client has read it."""

    def __init__(self, hold: Callable[[int], Awaitable[object]] = _hold_nothing) -> None:
        """`hold` waits until the request may hold the given number of further bytes, and holds them."""
        self._hold = hold
        self._ahead = 0
        """Number of bytes held for text that has not been passed on."""

    async def hold_ahead(self, size: int) -> None:
        """Hold memory for `size` bytes of text that exist and have not been passed on. Raises what `hold` raises."""
        if size > self._ahead:
            additional, self._ahead = size - self._ahead, size
            await self._hold(additional)

    async def pass_on(self, text: str) -> None:
        """Hold memory for a text that is passed on, unless it is held already. Raises what `hold` raises."""
        size = sys.getsizeof(text)
        await self.hold_ahead(size)
        self._ahead -= size
