"""Engines of a test's own process that replicas in others run: the test sees what they do, and holds it up."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from multiprocessing.connection import Client, Connection, Listener
from typing import Any

from models.base import Engine

Make = Callable[[], Engine[Any, Any]]


class Forwarder:
    """What a replica takes for its engine: each call goes to the one in the test's process and back."""

    def __init__(self, address: str, key: bytes, number: int) -> None:
        self._address, self._key, self._number = address, key, number
        self._own = threading.local()
        self._ask("make")

    def load(self) -> None:
        self._ask("load")

    def run(self, batch: Sequence[Any]) -> Any:
        return self._ask("run", list(batch))

    def close(self) -> None:
        self._ask("close")

    def _ask(self, method: str, *args: Any) -> Any:
        if not hasattr(self._own, "to"):
            self._own.to = Client(self._address, authkey=self._key)
            self._own.to.send(self._number)
        self._own.to.send((method, args))
        is_well, answer = self._own.to.recv()
        if not is_well:
            raise answer
        return answer


class Forwarding:
    """The side of the test."""

    def __init__(self) -> None:
        self._listener = Listener(authkey=b"test")
        self._makes: dict[int, Make] = {}
        self._numbers = count()
        threading.Thread(target=self._accept, daemon=True).start()

    def __call__(self, make: Make) -> Callable[[], Forwarder]:
        """A factory for replicas, in the place of `make`."""
        number = next(self._numbers)
        self._makes[number] = make
        return partial(Forwarder, self._listener.address, b"test", number)

    def _accept(self) -> None:
        engines: dict[tuple[int, str], Engine[Any, Any]] = {}
        while True:
            threading.Thread(target=self._serve, args=(self._listener.accept(), engines), daemon=True).start()

    def _serve(self, connection: Connection, engines: dict[Any, Engine[Any, Any]]) -> None:
        number = connection.recv()
        while True:
            try:
                method, args = connection.recv()
            except (EOFError, ConnectionResetError):  # the replica has ended
                return
            try:
                if method == "make":
                    engines[number], answer = self._makes[number](), None
                else:
                    answer = getattr(engines[number], method)(*args)
                connection.send((True, answer))
            except BaseException as error:  # noqa: BLE001 - it is the replica's to raise, even a library's panic
                connection.send((False, error))
