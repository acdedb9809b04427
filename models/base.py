"""What an engine is, where it runs, and how it fails.

ModelError
├── EngineUnavailable   nothing here can serve the capability; says what would
│   └── EngineNotReady  it can be served, but not at this moment: the server is shutting down, or out of memory
│       ├── EngineTooSlow   it took longer than it may
│       └── UpstreamDown    the server that it relies on does not answer
├── EngineOverloaded    the queue is full
│   └── ShareUsedUp     … with what the caller's own key has waiting
└── EngineFailed        the engine broke on this item
"""

import errno
import os
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

ItemT = TypeVar("ItemT", contravariant=True)
ResultT = TypeVar("ResultT", covariant=True)
T = TypeVar("T")

RETRY_S = 2
"""Seconds after which to ask again where nothing tells how long it takes. What may never pass is among it, and clients
that repeat a request wait for it twice."""

_RAN_OUT = frozenset({errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE})
_RAN_OUT_ON_GPU = "OutOfMemoryError"
"""PyTorch's, which is not imported for the sake of its name."""
_SAYS_SO = re.compile(
    r"out of memory|failed to allocate memory|_STATUS_ALLOC_FAILED|available memory of \d+ is smaller than requested",
    re.IGNORECASE,
)
"""What onnxruntime, CTranslate2 and CUDA's libraries write: their errors have no kind of their own for it."""

Parts = Generator[None, None, ResultT]
"""Work on an item that pauses between its parts, and returns its result."""
INSTALL = "Install PyTorch and transformers: `openfaze install gpu`."


class ModelError(Exception):
    """Base of everything this package raises on purpose."""

    retry_after: int | None = None
    """Seconds after which the same call may succeed. None: nothing but an operator can change what it fails with."""
    reason_label: ClassVar[str] = "failed"
    """The kind of failure, in a word for metrics."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as what it says: its arguments were others."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(kind: type[ModelError], args: tuple[Any, ...], fields: dict[str, Any]) -> ModelError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


class EngineUnavailable(ModelError):
    """No engine can serve `capability` here. `remedy` is a sentence that tells the operator what to do."""

    reason_label = "unavailable"

    def __init__(self, capability: str, remedy: str) -> None:
        super().__init__(f"No engine is available for '{capability}'. {remedy}")
        self.capability = capability
        self.remedy = remedy


class EngineNotReady(EngineUnavailable):
    """`capability` cannot be served now, and may be in `retry_after` seconds. `reason` is a sentence."""

    reason_label = "not_ready"

    def __init__(self, capability: str, reason: str, retry_after: int = RETRY_S) -> None:
        ModelError.__init__(self, f"'{capability}' cannot be used at the moment. {reason}")
        self.capability = capability
        self.remedy = reason
        self.retry_after = retry_after


class EngineTooSlow(EngineNotReady):
    """It may be the load of this moment: the limit of time is in `reason`."""

    reason_label = "slow"


class UpstreamDown(EngineNotReady):
    """A server that `capability` relies on cannot be reached, or broke off."""

    reason_label = "unreachable"


class EngineOverloaded(ModelError):
    """The queue of `engine` holds `limit` items already. `retry_after` is in seconds."""

    reason_label = "overloaded"

    retry_after: int

    def __init__(self, engine: str, limit: int, retry_after: int) -> None:
        super().__init__(f"'{engine}' is busy: its queue is full ({limit} waiting). Try again later.")
        self.retry_after = retry_after


class ShareUsedUp(EngineOverloaded):
    """The caller's key has `waiting` items waiting for `resource` already, its part of the queue."""

    def __init__(self, resource: str, waiting: int, retry_after: int) -> None:
        ModelError.__init__(
            self,
            f"{waiting} pieces of work of this key wait for '{resource}' already, all that one key may have there "
            "(OPENFAZE_KEY_SHARE). Try again later.",
        )
        self.retry_after = retry_after


class EngineFailed(ModelError):
    """`engine` raised on one item, which is worth another try only where what it raised says that memory `ran_out`. The
    cause is chained; it is logged, never shown to a client."""

    def __init__(self, engine: str, cause: BaseException | None = None) -> None:
        super().__init__(f"'{engine}' failed on this input.")
        self.__cause__ = cause
        self.retry_after = RETRY_S if ran_out(cause) else None


def ran_out(error: BaseException | None) -> bool:
    """Whether `error` says that memory, processes or open files were used up: others may give some back."""
    if isinstance(error, OSError):
        return error.errno in _RAN_OUT
    if isinstance(error, MemoryError) or type(error).__name__ == _RAN_OUT_ON_GPU:
        return True
    is_native = isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime.")
    return is_native and _SAYS_SO.search(str(error)) is not None


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What `doctor` prints about an engine and what an operator must know before using it."""

    name: str
    """Unique in its capability; the value of OPENFAZE_<CAPABILITY>."""
    capability: str
    """`ocr`, `speech_to_text`, …"""
    licence: str
    """SPDX expression of the code and the weights together."""
    weights: str
    """Where the weights come from."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An engine's answer for an item of which a part is computed: a large picture after one tile. Between two parts its
    host looks whether anybody still waits, and lets the work of other keys go ahead."""

    rest: Any
    """The item to go on with. Whoever drops it ends the work."""


def next_part(parts: Parts[T]) -> T | Unfinished:
    """The result, or that there is more to do."""
    try:
        next(parts)
    except StopIteration as end:
        result: T = end.value
        return result
    return Unfinished(parts)


class Engine(Protocol[ItemT, ResultT]):
    """Synchronous, owns its weights, maps a batch to a batch. A host calls it from its own threads."""

    def load(self) -> None:
        """Read the weights. Called once before the first `run`, and again after a `close`."""

    def run(self, batch: Sequence[ItemT]) -> Sequence[ResultT | Exception | Unfinished]:
        """One result or exception an item, in order. A result must not depend on the rest of the batch. What takes much
        longer than others of its batch comes back unfinished, and is run again with what is left of it."""

    def close(self) -> None:
        """Free the weights. No `run` is under way when a host calls it."""


@runtime_checkable
class Cancellable(Protocol):
    """An item on which work ends early once nobody waits for its result."""

    @property
    def cancelled(self) -> Event: ...


def available_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def media_type_of(content_type: str | None) -> str:
    """`text/html` of `text/html; charset=utf-8`."""
    return (content_type or "").partition(";")[0].strip().lower()
