"""An engine that the catalog offers for a capability: when it can run, and how it is built."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.base import EngineSpec
from models.host import EngineHost


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What the operator chose for all engines."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:1`."""
    threads: int = 0
    """CPU threads an engine computes with; 0: as many as this process may use."""
    weights_dir: Path = Path("weights")
    max_queue: int = 64
    """Pages that may wait for an engine."""
    idle_unload_s: float | None = None
    ocr_language: str = "en"


@dataclass(frozen=True, slots=True)
class Built:
    """A capability ready for use; its engines load at their first use."""

    service: Any
    """What tasks call: a PageReader for `ocr`."""
    hosts: Sequence[EngineHost[Any, Any]]


@dataclass(frozen=True, slots=True)
class Candidate:
    spec: EngineSpec
    remedy: Callable[[EngineConfig], str | None]
    """None when the engine can run here, else a sentence that says what is missing and what would provide it.
    Looks, and loads nothing."""
    build: Callable[[EngineConfig], Built]


def is_installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)
