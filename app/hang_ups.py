"""Notices that a peer has closed its side of a connection, even while nothing is read from the connection.

A transport notices the end of a connection only by reading, and the server stops reading while a large body waits for
its request to begin. Without this module, a caller that hangs up during this wait would keep its connection, and its
place among the waiting requests, until the request begins. A client that sends many requests and hangs up at once
would then take all connections and places.

On Linux, epoll reports that a peer has closed its side (EPOLLRDHUP), even if bytes are still unread. Elsewhere,
hang-ups are noticed only by reading.
"""

import asyncio
import select
from collections.abc import Callable

_AT_ONCE = 64
"""At most this many hang-ups are reported in one pass of the event loop."""


class HangUps:
    """Watches sockets for peers that close their side. An object of this class belongs to one event loop, and must be
    closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: dict[int, Callable[[], None]] = {}
        self._epoll = select.epoll() if hasattr(select, "EPOLLRDHUP") else None
        if self._epoll is not None:
            loop.add_reader(self._epoll.fileno(), self._report)

    def watch(self, descriptor: int, hung_up: Callable[[], None]) -> None:
        """Call `hung_up` when the peer of this socket closes its side, until `forget` is called."""
        if self._epoll is not None:
            self._watched[descriptor] = hung_up
            # The event is edge-triggered, because a closed side would otherwise be reported in every pass of the loop.
            self._epoll.register(descriptor, select.EPOLLRDHUP | select.EPOLLET)

    def forget(self, descriptor: int) -> None:
        """Stop watching a socket, which must still be open. Do nothing if the socket is not watched."""
        if self._epoll is not None and self._watched.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def close(self) -> None:
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None
        self._watched.clear()

    def _report(self) -> None:
        assert self._epoll is not None
        for descriptor, _ in self._epoll.poll(0, _AT_ONCE):
            if (hung_up := self._watched.get(descriptor)) is None:
                continue
            try:
                hung_up()
            except Exception as error:  # noqa: BLE001 - an edge is reported once, so the other hang-ups would be lost
                failure = {"message": "A hang-up could not be handled.", "exception": error}
                self._loop.call_exception_handler(failure)
