"""Threads for work that would hold the event loop up."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from models.concurrency import as_exception

T = TypeVar("T")


class Threads(ThreadPoolExecutor):
    """Python's own threads, except that callers get only Exceptions. Libraries in Rust panic with a BaseException,
    which would end the event loop."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        return super().submit(_call, fn, *args, **kwargs)


def _call(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    try:
        return work(*args, **kwargs)
    except Exception:
        raise
    except BaseException as error:
        raise as_exception(error) from error
