"""The interface of engines, and the errors that they raise.

ModelError
├── EngineUnavailable      nothing here can serve the capability; the message states a remedy
│   └── EngineNotReady     the capability cannot be served now: the server is shutting down, or out of memory
│       ├── EngineTooSlow  the engine took longer than it may
│       └── UpstreamDown   the server that the capability relies on does not answer
├── EngineOverloaded       the queue is full
└── EngineFailed           the engine raised an exception on this item
"""

import errno
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

ItemT = TypeVar("ItemT", contravariant=True)
ResultT = TypeVar("ResultT", covariant=True)

RETRY_S = 2
"""A client is told to wait this many seconds if the time until success is unknown. The delay is short, because some
causes are permanent and a longer wait would be wasted."""
BUSY_RETRY_S = 5
"""A client is told to wait this many seconds if a queue or the memory for inputs is full."""

_EXHAUSTED_ERRNOS = frozenset({errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE})
_TORCH_OUT_OF_MEMORY = "OutOfMemoryError"
"""Name of PyTorch's exception for a lack of memory, by which it is recognised without importing PyTorch."""
_OUT_OF_MEMORY_MESSAGES = re.compile(
    r"out of memory|failed to allocate memory|_STATUS_ALLOC_FAILED|available memory of \d+ is smaller than requested",
    re.IGNORECASE,
)
"""Pattern of the messages by which onnxruntime, CTranslate2 and CUDA's libraries report a lack of memory, because they
have no separate exception for it."""

INSTALL_TORCH = "Install PyTorch and transformers: `openfaze install gpu`."
"""Remedy for an engine whose packages, PyTorch and transformers, are not installed."""


class ModelError(Exception):
    """Base of all exceptions that this package raises on purpose."""

    retry_after: int | None = None
    """Seconds after which the same call may succeed; None if trying again is useless."""
    reason_label: ClassVar[str] = "failed"
    """Kind of failure: one word, used in metrics."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the error by its message and fields. By default, it would be unpickled by calling its constructor with
        the message, which fails."""
        return _restore_error, (type(self), self.args, self.__dict__)


def _restore_error(kind: type[ModelError], args: tuple[Any, ...], fields: dict[str, Any]) -> ModelError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


class EngineUnavailable(ModelError):
    """Raised if no engine can serve `capability` here. `remedy` is a sentence that tells the operator what to do."""

    reason_label = "unavailable"

    def __init__(self, capability: str, remedy: str) -> None:
        super().__init__(f"No engine is available for '{capability}'. {remedy}")
        self.capability = capability
        self.remedy = remedy


class EngineNotReady(EngineUnavailable):
    """Raised if `capability` cannot be served now but may be in `retry_after` seconds. `reason` is a sentence."""

    reason_label = "not_ready"

    def __init__(self, capability: str, reason: str, retry_after: int = RETRY_S) -> None:
        ModelError.__init__(self, f"'{capability}' cannot be used at the moment. {reason}")
        self.capability = capability
        self.remedy = reason
        self.retry_after = retry_after


class EngineTooSlow(EngineNotReady):
    """Raised if the engine exceeded its time limit, perhaps because the machine is busy. `reason` states the limit."""

    reason_label = "slow"


class UpstreamDown(EngineNotReady):
    """Raised if a server that `capability` relies on cannot be reached, or broke off its answer."""

    reason_label = "unreachable"


class EngineOverloaded(ModelError):
    """Raised if the queue of `engine` already holds `limit` items. `retry_after` is in seconds."""

    reason_label = "overloaded"

    retry_after: int

    def __init__(self, engine: str, limit: int, retry_after: int) -> None:
        super().__init__(f"'{engine}' is busy: its queue is full ({limit} waiting). Try again later.")
        self.retry_after = retry_after


class EngineFailed(ModelError):
    """Raised if `engine` raised an exception on one item. Another attempt is worthwhile only if the cause is a lack of
    resources (`ran_out`). The engine's exception is chained; it is logged, but never shown to a client."""

    def __init__(self, engine: str, cause: BaseException | None = None) -> None:
        super().__init__(f"'{engine}' failed on this input.")
        self.__cause__ = cause
        self.retry_after = RETRY_S if ran_out(cause) else None


def ran_out(error: BaseException | None) -> bool:
    """True if `error` means that memory, processes or open files were used up, which other programs may release
    later."""
    if isinstance(error, OSError):
        return error.errno in _EXHAUSTED_ERRNOS
    if isinstance(error, MemoryError) or type(error).__name__ == _TORCH_OUT_OF_MEMORY:
        return True
    is_native = isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime.")
    return is_native and _OUT_OF_MEMORY_MESSAGES.search(str(error)) is not None


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """The name of an engine, its capability, its licence and the origin of its weights."""

    name: str
    """Name of the engine, unique in its capability; the value of OPENFAZE_<CAPABILITY>."""
    capability: str
    """Name of the capability: `ocr`, `speech_to_text`, …"""
    licence: str
    """SPDX expression of the code and the weights together."""
    weights: str
    """Origin of the weights."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An engine's result for an item that is computed only in part, such as one piece of a long line. The engine is run
    again with the rests of all items of the batch together."""

    rest: Any
    """Item that continues the work. Dropping it ends the work."""


class Engine(Protocol[ItemT, ResultT]):
    """An engine owns its weights, and turns a batch of items into a batch of results, synchronously. A host calls it
    outside the event loop, in a thread or in a replica's process."""

    def load(self) -> None:
        """Read the weights. Called once before the first `run`, and again after a `close`."""

    def run(self, batch: Sequence[ItemT]) -> Sequence[ResultT | Exception | Unfinished]:
        """Return one result or exception per item, in order. A result must not depend on the other items of the batch.
        For an item that takes much longer than the others, the engine may return an Unfinished, which the host
        continues later."""

    def close(self) -> None:
        """Free the weights. No `run` is under way when a host calls it."""


@runtime_checkable
class Cancellable(Protocol):
    """An item whose work ends early once nobody waits for its result."""

    @property
    def cancelled(self) -> Event: ...


def available_cpus() -> int:
    """Number of CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def media_type_of(content_type: str | None) -> str:
    """Return the media type without parameters: `text/html` of `text/html; charset=utf-8`."""
    return (content_type or "").partition(";")[0].strip().lower()
