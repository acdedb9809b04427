"""Keeps garbage collections short. No other thread runs during a collection.

A server has several hundred thousand objects that exist until it ends: modules, schemas, engines. A collection that
visits all of them takes 0.1 s, and any request that creates many objects triggers one. The numbers, words and cells of
a large text are as many, and live as long as the request: the collector would visit all of them again and again, for
nothing, because they do not refer to each other in cycles, and Python frees them without the collector.
"""

import contextlib
import gc
import time
from collections.abc import Iterator
from typing import Final, Literal

LONG_S: Final = 0.01
"""Objects that survive a full collection of more seconds than this are set aside."""
MANY_SET_ASIDE, MOST_SET_ASIDE = 50, 200
"""After objects have been set aside so many times, one full collection visits all objects again: after MANY_SET_ASIDE
times in an idle server, after MOST_SET_ASIDE times in a busy one. Until then, objects that were in use when they were
set aside and only refer to each other since, such as closed connections, take memory."""


class _LongCollections:
    """Sets aside what survives long collections, so that the next one visits only objects that were created since."""

    def __init__(self) -> None:
        self.times = 0
        """Number of times that objects were set aside since all were last visited."""
        self._started = 0.0

    def __call__(self, phase: Literal["start", "stop"], info: dict[str, int]) -> None:
        if info["generation"] < 2:
            return
        if phase == "start":
            if self.times >= MOST_SET_ASIDE:
                gc.unfreeze()
                self.times = 0
            self._started = time.perf_counter()
        elif time.perf_counter() - self._started > LONG_S:
            gc.freeze()
            self.times += 1


_long_collections = _LongCollections()


@contextlib.contextmanager
def short_collections() -> Iterator[None]:
    """Exclude all existing objects from later collections and, while the block runs, what survives a long one."""
    set_aside()
    gc.callbacks.append(_long_collections)
    try:
        yield
    finally:
        gc.callbacks.remove(_long_collections)


def set_aside() -> None:
    """Exclude all existing objects from later collections, in constant time."""
    gc.freeze()


def collect() -> None:
    """Free the objects that only refer to each other, in an idle server. Objects that were set aside are visited only
    if some were set aside MANY_SET_ASIDE times by long collections."""
    if _long_collections.times >= MANY_SET_ASIDE:
        collect_all()
    else:
        gc.collect()


def collect_all() -> None:
    """Free all objects that only refer to each other, such as the objects of a closed engine, including objects that
    were set aside."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _long_collections.times = 0
