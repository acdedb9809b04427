"""Classes for declaring a capability: its engines, the conditions under which each engine can run, how it is built, the
capability's settings, and a self-test.

Each capability is declared in the module `capability.py` of its folder, where the catalog finds it.
"""

import importlib.util
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict

from models.base import EngineSpec
from models.devices.device import AUTO, Backend, card_bytes
from models.hosts.measures import EngineCounters
from models.hosts.workplace import CardMemory, HostLimits
from models.setting_types import EMBEDDED, GPU, PROFILES
from models.workers.pool import Workers

FIRST_BYTE_S = 120.0
"""Seconds that the LLM's server may take to begin its answer, and a guard to judge; two fifths of a request's time if
that is more."""

ServiceT = TypeVar("ServiceT")

SettingsT = TypeVar("SettingsT", bound=BaseModel)

ListedT = TypeVar("ListedT", bound="Listed")


class OwnSettings(BaseModel):
    """Settings of a capability. A field `toy` is set by OPENFAZE_TOY, and its docstring appears in docs/settings.md.

    The field with the capability's own name chooses its engine.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The operator's choices that concern engines."""

    profile: str = GPU
    """Name in PROFILES. `auto` tries the engines of larger profiles last."""
    device: str = AUTO
    """Device of the engines: `auto`, `cpu`, `cuda` or `cuda:1`."""
    devices: Mapping[str, str] = field(default_factory=dict)
    """Devices of single capabilities, by name. All other capabilities use `device`."""
    threads: int = 0
    """Number of CPU threads of an engine; 0: the engine chooses, usually as many as this process may use."""
    weights_dir: Path = Path("weights")
    request_timeout_s: float = 300.0
    """Seconds that a request may take."""
    max_queue: int = 64
    """At most this many items may wait for an engine."""
    call_deadline_s: float = 120.0
    """Seconds that a call of an engine on a card may take; 0: any time."""
    card_mb: int = 0
    """Megabytes of each card that this process may take; 0: the whole card."""
    own: Sequence[BaseModel] = ()
    """Settings of capabilities. One object may hold the settings of several capabilities, if its class inherits from
    their settings classes."""

    def narrowed(self, capability: str) -> "EngineConfig":
        """Return this configuration for the engines of `capability`, with `device` set to their device."""
        return replace(self, device=self.devices.get(capability, self.device))

    def card_room(self, device: str) -> int | None:
        """Return the bytes of the card `device` that this process may take; None if they are unknown."""
        return self.card_mb * 10**6 or card_bytes(device)

    @property
    def first_byte_s(self) -> float:
        return max(FIRST_BYTE_S, self.request_timeout_s * 2 / 5)

    def limits(self, *, batch: int = 1, workers: int = 1) -> HostLimits:
        """Return the limits of an engine's host, of which `workers` batches of at most `batch` items run at a time."""
        return HostLimits(batch, max_queue=self.max_queue, workers=workers)

    def of(self, kind: type[SettingsT]) -> SettingsT:
        """Return the settings of one capability; the defaults if the operator set none."""
        return next((one for one in self.own if isinstance(one, kind)), None) or kind()


@runtime_checkable
class Remote(Protocol):
    """A part of an engine whose work is done by another server, such as an LLM server, which may be unreachable."""

    async def check(self) -> None:
        """Check that the server can be reached, by a request that costs nothing. Raises ModelError if it cannot."""


class EnginePart(Protocol):
    """A part of an engine that can be loaded and closed, and counts its work. Examples are an EngineHost and an LLM."""

    @property
    def counters(self) -> EngineCounters: ...

    @property
    def queued(self) -> int:
        """Number of waiting items."""

    @property
    def running(self) -> int:
        """Number of items that are being computed."""

    @property
    def loaded(self) -> bool: ...

    @property
    def healthy(self) -> bool:
        """False if the part has a fault that only a restart of the process removes."""

    @property
    def broken(self) -> str | None:
        """A sentence on the cause and the remedy if the last load failed; None after a success, and before any load."""

    async def load(self) -> None:
        """Load the part unless it is already loaded. Raises ModelError."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Built:
    """An engine that is ready for use. Its parts load at their first use."""

    service: Any
    """The object that tasks call: a PageReader for `ocr`, an Llm for `llm`."""
    parts: Sequence[EnginePart]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine that may serve a capability."""

    spec: EngineSpec
    remedy: Callable[[EngineConfig], str | None]
    """Function that returns None if the engine can run here, or else a sentence on what is missing and how to provide
    it. The sentence is empty if the remedy of another engine suffices. The function loads nothing."""
    build: Callable[[EngineConfig], Built] | None = None
    """Builder of an engine that has parts of its own."""
    build_around: "Callable[[EngineConfig, Engines], Any] | None" = None
    """Builder for an engine that has no parts of its own. It builds the service around the engine of the capability
    `needs`."""
    needs: str | None = None
    by: "Candidate | None" = None
    """Engine of the capability `needs` that is used regardless of the operator's choice. None stands for the operator's
    choice."""
    backend: Backend | None = None
    """Runtime that computes the engine; None if the engine itself never computes on a card."""
    profile: str = EMBEDDED
    """Smallest of the PROFILES in which `auto` prefers the engine. An engine that an operator has to set up has the
    smallest of all."""
    card: CardMemory | None = None
    """Memory that the engine takes on a card. None if the engine uses no card, or if the network is the operator's
    own."""
    pairs: Callable[[EngineConfig], Sequence[str]] | None = None
    """Function that returns the pairs of languages that the engine translates, as people read them. It is called only
    if the engine can run here, and may read files."""
    caution: str | None = None
    """Warning to operators about the engine's answers, in one sentence."""


@dataclass(frozen=True, slots=True)
class Capability(Generic[ServiceT]):
    """A capability with its engines. ServiceT is the interface that tasks call, which is the same for all engines."""

    name: str
    engines: Sequence[Candidate]
    """Engines, in order of preference within a profile. `auto` takes the first that can run here."""
    self_test: "Callable[[Engines], Awaitable[str]]"
    """Function that shows whether the engine works here: it does a small piece of real work, and describes the result
    in a sentence. It raises ModelError or BadResult."""
    settings: type[BaseModel] | None = None
    several: bool = False
    """True if all engines that can run serve the capability, the best first, because they complement each other."""
    is_switch: bool = False
    """True if the capability's setting is `on` or `off` instead of an engine's name."""
    order: int = 1000
    """Sort key of the capability in listings."""

    def preferred(self, profile: str) -> list[Candidate]:
        """Return the engines in the order in which `auto` tries them."""
        rank = PROFILES.index
        return sorted(self.engines, key=lambda one: rank(one.profile) > rank(profile))

    def choice(self, config: EngineConfig) -> str:
        """Return the operator's choice: an engine's name, `auto`, `on` or `off`."""
        return str(getattr(config.of(self.settings), self.name, AUTO)) if self.settings else AUTO


class Listed(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def order(self) -> int: ...


def listed(declared: Iterable[ListedT]) -> dict[str, ListedT]:
    """Return the declared objects by name, in the order of listings. An object may occur in `declared` more than once,
    because modules import it from each other. Raises ValueError for two objects with one name."""
    found: dict[str, ListedT] = {}
    for one in sorted(declared, key=lambda one: (one.order, one.name)):
        if found.setdefault(one.name, one) is not one:
            raise ValueError(f"'{one.name}' is declared twice")
    return found


class Engines(Protocol):
    """The engines of this process. An engine may be built on another engine and share its parts."""

    def use(self, capability: Capability[ServiceT], by: Candidate | None = None) -> ServiceT:
        """Return the service of the engine that the operator chose. With `by`, return the service of this engine,
        regardless of the operator's choice. If the operator switched the capability off, it has no service in either
        case. Raises EngineUnavailable."""

    def find(self, capability: Capability[ServiceT], by: Candidate | None = None) -> ServiceT | None:
        """Return the service of `capability`; None if no engine can serve it."""

    def use_all(self, capability: Capability[ServiceT]) -> list[ServiceT]:
        """Return the services of all engines that can run, the best first. Raises EngineUnavailable if none can."""

    @property
    def workers(self) -> Workers:
        """Processes in which guards read long texts."""


class BadResult(Exception):
    """Raised if an engine ran but its result was wrong."""


def is_installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)
