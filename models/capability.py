"""What the folder of a capability declares in its `capability.py`: engines, when each can run and how it is built, the
settings, and a self-test. The catalog finds it there."""

import importlib.util
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict

from models.base import EngineSpec
from models.batches import CardMemory
from models.device import AUTO, CPU, Backend
from models.fair_executor import FairExecutor
from models.measures import EngineCounters
from models.setting_types import EMBEDDED, GPU, PROFILES
from models.workplace import HostLimits

ServiceT = TypeVar("ServiceT")

SettingsT = TypeVar("SettingsT", bound=BaseModel)

ListedT = TypeVar("ListedT", bound="Listed")


class OwnSettings(BaseModel):
    """The settings of a capability; a field `toy` is set by OPENFAZE_TOY. Its docstring is what docs/settings.md says.

    The field of the capability's own name chooses its engine.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What the operator chose."""

    profile: str = GPU
    """One of PROFILES: where engines are chosen by what can run, those that are for larger machines come last."""
    device: str = AUTO
    """`auto`, `cpu`, `cuda` or `cuda:1`."""
    devices: Mapping[str, str] = field(default_factory=dict)
    """The device of single capabilities, by name; `device` holds for all others."""
    threads: int = 0
    """CPU threads an engine computes with; 0: as many as this process may use."""
    weights_dir: Path = Path("weights")
    auto_pull: bool = True
    """Whether small weights are fetched at their engine's first use."""
    max_queue: int = 64
    """Pages that may wait for an engine."""
    idle_unload_s: float | None = None
    own: Sequence[BaseModel] = ()
    """The settings of capabilities, in one object or several."""

    def narrowed(self, capability: str) -> "EngineConfig":
        """For the engines of `capability`: `device` is theirs."""
        return replace(self, device=self.devices.get(capability, self.device))

    def limits(
        self, *, batch: int = 1, workers: int = 1, device: str = CPU, card: CardMemory | None = None
    ) -> HostLimits:
        """The limits of an engine's host. On a card, so many items are computed together as `card` says and as its
        free memory has room for, and no more memory is taken than it says; elsewhere, `batch`."""
        limits = HostLimits(batch, max_queue=self.max_queue, workers=workers, idle_unload_s=self.idle_unload_s)
        if card is None or device == CPU:
            return limits
        most = 0 if card.is_guess else card.most * 10**6
        return replace(limits, max_batch=card.items, item_bytes=card.item * 10**6, card_bytes=most, device=device)

    def of(self, kind: type[SettingsT]) -> SettingsT:
        """The settings of one capability; the defaults where there are none."""
        return next((one for one in self.own if isinstance(one, kind)), None) or kind()


@runtime_checkable
class Remote(Protocol):
    """A part whose work another server does, which may be away: an LLM's."""

    async def check(self) -> None:
        """Looks whether the server can be reached, at no cost. Raises ModelError where it cannot."""


class EnginePart(Protocol):
    """What can be loaded and closed, and counts its work: an EngineHost, an LLM."""

    @property
    def counters(self) -> EngineCounters: ...

    @property
    def queued(self) -> int:
        """Items that wait."""

    @property
    def running(self) -> int:
        """Items that are being computed."""

    @property
    def loaded(self) -> bool: ...

    @property
    def healthy(self) -> bool:
        """False when only a restart mends it."""

    @property
    def broken(self) -> str | None:
        """A sentence that says why the last load failed and what to do; None once one works, and before the first."""

    async def load(self) -> None:
        """Raises ModelError."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Built:
    """An engine ready for use; its parts load at their first use."""

    service: Any
    """What tasks call: a PageReader for `ocr`, an Llm for `llm`."""
    parts: Sequence[EnginePart]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine that may serve a capability."""

    spec: EngineSpec
    remedy: Callable[[EngineConfig], str | None]
    """The function returns None when the engine can run here, else a sentence that says what is missing and what
    would provide it; empty where another engine's says enough. Looks, and loads nothing."""
    build: Callable[[EngineConfig], Built] | None = None
    """For an engine with parts of its own."""
    over: "Callable[[EngineConfig, Engines], Any] | None" = None
    """For one that has none: its service, around the engine of the capability `needs`."""
    needs: str | None = None
    by: "Candidate | None" = None
    """The engine of `needs` that is used, whichever the operator chose; None: the one that he did."""
    backend: Backend | Callable[[EngineConfig], Backend] | None = None
    """What computes it; None for what no card can do, or that something else computes."""
    profile: str = EMBEDDED
    """The first of PROFILES that prefers it: the smallest also for what an operator sets up for himself."""
    card: CardMemory | None = None
    """What it takes of a card; None for what no card can do, and for a network of the operator's own."""
    caution: str | None = None
    """A sentence that operators should know of what the engine answers."""

    def computed_by(self, config: EngineConfig) -> Backend | None:
        """What computes an engine that can run, whose remedy is None."""
        return self.backend(config) if callable(self.backend) else self.backend


@dataclass(frozen=True, slots=True)
class Capability(Generic[ServiceT]):
    """ServiceT is what tasks call, whichever engine serves."""

    name: str
    engines: Sequence[Candidate]
    """In order of preference among those of a profile: `auto` takes the first that can run here."""
    self_test: "Callable[[Engines], Awaitable[str]]"
    """A small piece of real work, which shows whether the engine works here; returns what it found. Raises ModelError
    or BadResult."""
    settings: type[BaseModel] | None = None
    several: bool = False
    """Whether all engines that can run serve it, the best first: one may know what another does not."""
    is_switch: bool = False
    """Whether its setting names no engine: `on` demands one."""
    order: int = 1000
    """The capability's place where all are listed."""

    def preferred(self, profile: str) -> list[Candidate]:
        """The engines as `auto` tries them."""
        rank = PROFILES.index
        return sorted(self.engines, key=lambda one: rank(one.profile) > rank(profile))

    def choice(self, config: EngineConfig) -> str:
        """An engine's name, `auto`, `on` or `off`."""
        return str(getattr(config.of(self.settings), self.name, AUTO)) if self.settings else AUTO


class Listed(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def order(self) -> int: ...


def listed(declared: Iterable[ListedT]) -> dict[str, ListedT]:
    """By name, in their order. One may be met more than once, as others import it; raises ValueError for two that have
    one name."""
    found: dict[str, ListedT] = {}
    for one in sorted(declared, key=lambda one: (one.order, one.name)):
        if found.setdefault(one.name, one) is not one:
            raise ValueError(f"'{one.name}' is declared twice")
    return found


class Engines(Protocol):
    """What serves this process's capabilities. An engine may be made of others', loaded and closed as themselves."""

    def use(self, capability: Capability[ServiceT], by: Candidate | None = None) -> ServiceT:
        """By the engine that the operator chose, or `by` that one, whichever he chose, unless he switched all of them
        off. Raises EngineUnavailable."""

    def find(self, capability: Capability[ServiceT], by: Candidate | None = None) -> ServiceT | None:
        """What serves `capability`; None where nothing can."""

    def use_all(self, capability: Capability[ServiceT]) -> list[ServiceT]:
        """From every engine that can run, the best first. Raises EngineUnavailable where there is none."""

    @property
    def guard_threads(self) -> FairExecutor:
        """Where guards read texts."""


class BadResult(Exception):
    """The engine ran, and its result was wrong."""


def is_installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)
