"""What an engine is, and how it fails.

ModelError
├── EngineUnavailable   nothing here can serve the capability; says what would
├── EngineOverloaded    the queue is full; come back after `retry_after` seconds
└── EngineFailed        the engine broke on this item
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

ItemT = TypeVar("ItemT", contravariant=True)
ResultT = TypeVar("ResultT", covariant=True)


class ModelError(Exception):
    """Base of everything this package raises on purpose."""


class EngineUnavailable(ModelError):
    """No engine can serve `capability` here. `remedy` is a sentence that tells the operator what to do."""

    def __init__(self, capability: str, remedy: str) -> None:
        super().__init__(f"No engine is available for '{capability}'. {remedy}")
        self.capability = capability
        self.remedy = remedy


class EngineOverloaded(ModelError):
    """The queue of `engine` holds `limit` items already. `retry_after` is in seconds."""

    def __init__(self, engine: str, limit: int, retry_after: int) -> None:
        super().__init__(f"'{engine}' is busy: its queue is full ({limit} waiting). Try again later.")
        self.retry_after = retry_after


class EngineFailed(ModelError):
    """`engine` raised on one item. The cause is chained; it is logged, never shown to a client."""

    def __init__(self, engine: str) -> None:
        super().__init__(f"'{engine}' failed on this input.")


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


class Engine(Protocol[ItemT, ResultT]):
    """Synchronous, owns its weights, maps a batch to a batch. A host calls it from its own threads."""

    def load(self) -> None:
        """Read the weights. Called once before the first `run`, and again after a `close`."""

    def run(self, batch: Sequence[ItemT]) -> Sequence[ResultT | Exception]:
        """One result or exception an item, in order. A result must not depend on the rest of the batch."""

    def close(self) -> None:
        """Free the weights. No `run` is under way when a host calls it."""
