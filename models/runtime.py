"""Chooses, builds and closes the engines of one process.

An engine is chosen by its name, or because it can run here. It is built once, and all engines are closed together.
"""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import invalidate_caches
from typing import Any

import structlog

from models.base import EngineSpec, EngineUnavailable, ModelError
from models.capability import Built, Candidate, Capability, EngineConfig, EnginePart, ServiceT
from models.concurrency import SharedRun
from models.devices.device import AUTO, CPU, CUDA, DRIVER, Backend
from models.hosts.faults import Faults
from models.hosts.host import EngineHost, load_failure
from models.hosts.residents import Residents
from models.hosts.workplace import Cluster
from models.setting_types import OFF, ON
from models.workers.pool import Workers

log = structlog.get_logger(__name__)

NO_ENGINE_YET = "This version of openfaze has no engine for it yet."
CUDA_0 = f"{CUDA}:0"
"""Device meant by `cuda` without a number."""
OFF_THE_CARD = "off_the_card"
"""Reason counted for an engine that does not compute on the card although there is one."""
_PATIENCE = 10.0
"""A call of an engine on the CPU may take this many times OPENFAZE_CALL_DEADLINE_S, so longer than a request may by
default. So may the first call on a card, for which the driver may compile all kernels."""
LOOK_AGAIN_S = 2.0
"""Seconds after which the runtime checks again which engines can run here."""


@dataclass(frozen=True, slots=True)
class CapabilityState:
    """One line of `/ready` and `doctor`."""

    capability: str
    candidate: Candidate | None
    """Engine that serves the capability; None if no engine can."""
    loaded: bool
    remedy: str | None
    """Remedy if no engine serves the capability, or if its engine did not load at the last attempt."""
    is_off: bool = False
    """True if the operator switched the capability off."""
    pairs: Sequence[str] = ()
    """Pairs of languages that the engines of a translating capability serve now."""

    @property
    def public(self) -> dict[str, object]:
        if self.remedy is not None:
            return {"state": OFF if self.is_off else "unavailable", "remedy": self.remedy}
        assert self.candidate is not None
        state: dict[str, object] = {"state": "loaded" if self.loaded else "idle", "engine": self.candidate.spec.name}
        if self.pairs:
            state["pairs"] = list(self.pairs)
        return state | {"warning": self.candidate.caution} if self.candidate.caution else state


@dataclass(frozen=True, slots=True)
class _Readiness:
    """Result of a check of an engine: whether it can run here, and the remedy if not."""

    remedy: str | None
    off_the_card: str | None = None
    """Remedy if the only obstacle is the card that the operator named."""
    is_fault: bool = False
    """True if the check failed unexpectedly, so that the remedy says why."""
    pairs: Sequence[str] = ()

    @property
    def is_ready(self) -> bool:
        """True if the engine could run, at least on the CPU."""
        return self.remedy is None or self.off_the_card is not None


class Runtime:
    """The engines of one process: the engine that serves each capability, and the engines built so far.

    `choices` maps a capability to an engine's name, `auto` or `off`, and a capability that is a switch to `on` or
    `off`. A capability that is missing from `choices` is `auto`. Engines compute in this process or on a `cluster`; in
    this process, `residents` determine which engines stay on a card.

    Whether an engine can run here depends on packages and files. `prepare`, which a server calls for each request,
    checks them in a thread. Without it, they are checked when an engine is needed.

    Raises ValueError for a name that the catalog does not know.
    """

    def __init__(
        self,
        catalog: Mapping[str, Capability[Any]],
        config: EngineConfig,
        choices: Mapping[str, str] | None = None,
        *,
        cluster: Cluster | None = None,
        residents: Residents | None = None,
        workers: Workers | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._config = config
        self._cluster = cluster
        self._residents = residents or Residents(config.card_room)
        self.workers = workers or Workers()
        self.engine_faults = Faults()
        self._choices = dict(choices or {})
        self.failures: Counter[tuple[EngineSpec, str]] = Counter()
        """Number of times that an engine was found off the card, by engine and reason."""
        self._chosen: dict[tuple[str, EngineSpec | None], Candidate] = {}
        self._built: dict[EngineSpec, Built] = {}
        self._building: dict[EngineSpec, Any] = {}
        """A lock for each engine. With a single lock, all would wait while one engine imports libraries for seconds."""
        self._placement_lock = threading.Lock()
        self._clock = clock
        self._refreshing = SharedRun(self._refresh)
        self._checked: Mapping[EngineSpec, _Readiness] = {}
        self._checked_at = -LOOK_AGAIN_S
        self._last_faults: dict[EngineSpec, str] = {}
        """The last logged fault of each engine. Each request checks again, but a fault is logged only once."""
        for capability, choice in self._choices.items():
            names = [candidate.spec.name for candidate in catalog[capability].engines]
            if choice not in (AUTO, OFF, *([ON] if catalog[capability].is_switch else []), *names):
                raise ValueError(
                    f"OPENFAZE_{capability.upper()}: no engine '{choice}' for '{capability}'; choose from: "
                    f"{', '.join(names)}; or '{AUTO}' or '{OFF}'"
                )

    async def look(self) -> None:
        """Determine in a thread which engines can run here, unless this was done in the last LOOK_AGAIN_S seconds."""
        if self._clock() - self._checked_at >= LOOK_AGAIN_S:
            await self._refreshing.join()

    def choose(self, capability: str, by: Candidate | None = None) -> Candidate:
        """Return the engine that serves `capability`. Later calls return the same engine. `by` is explained in
        Engines.use. Nothing is loaded. Raises EngineUnavailable with the remedy."""
        key = capability, by.spec if by else None
        if key in self._chosen:
            return self._chosen[key]
        if self._choices.get(capability) == OFF:
            raise EngineUnavailable(capability, f"It is switched off (OPENFAZE_{capability.upper()}={OFF}).")
        candidates = [by] if by else self._candidates(capability)
        if not candidates:
            raise EngineUnavailable(capability, NO_ENGINE_YET)
        remedies = {candidate.spec.name: self._remedy(candidate) for candidate in candidates}
        for candidate in candidates:
            if remedies[candidate.spec.name] is None:
                self._chosen[key] = candidate
                return candidate
        raise EngineUnavailable(capability, " ".join(remedy for remedy in remedies.values() if remedy))

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield the capability and the remedy of each engine whose check failed unexpectedly. Engines that the operator
        excluded are left out."""
        for capability in self._catalog:
            if self._choices.get(capability) != OFF:
                for candidate in self._candidates(capability):
                    readiness = self._readiness(candidate)
                    if readiness.is_fault and readiness.remedy:
                        yield capability, readiness.remedy

    def can_serve(self, capability: str) -> bool:
        try:
            self.choose(capability)
        except EngineUnavailable:
            return False
        return True

    def unmet_choices(self) -> Iterator[tuple[str, str, str]]:
        """Yield the capability, name and remedy of each engine that was chosen by its name and cannot run here."""
        for capability, choice in self._choices.items():
            if choice not in (AUTO, OFF):
                try:
                    self.choose(capability)
                except EngineUnavailable as error:
                    yield capability, choice, error.remedy

    def use(self, capability: Capability[ServiceT], by: Candidate | None = None) -> ServiceT:
        """Return the service of the engine that serves `capability`. Raises EngineUnavailable."""
        service: ServiceT = self._build(self.choose(capability.name, by)).service
        return service

    def find(self, capability: Capability[ServiceT], by: Candidate | None = None) -> ServiceT | None:
        """Return the service of the engine that serves `capability`; None if no engine can serve it."""
        try:
            return self.use(capability, by)
        except EngineUnavailable:
            return None

    def use_all(self, capability: Capability[ServiceT]) -> list[ServiceT]:
        """Return the services of all engines that can run, the best first. Raises EngineUnavailable if none can."""
        self.choose(capability.name)
        return [self._build(one).service for one in self._runnable(capability.name)]

    def off_the_card(self) -> Iterator[str]:
        """Yield a sentence for each engine that would compute without the card although there is one. Imports the
        libraries that compute."""
        for capability, candidate, backend, device in self._candidates_for_cards():
            if reason := self._readiness(candidate).off_the_card:
                self.failures[candidate.spec, OFF_THE_CARD] += 1
                yield reason
            elif obstacle := backend.obstacle(device):
                self.failures[candidate.spec, OFF_THE_CARD] += 1
                yield f"'{candidate.spec.name}' computes '{capability}' on the CPU. {obstacle}"

    def on_the_card(self) -> Iterator[str]:
        """Yield each capability whose engine can compute on a card. Imports the libraries that compute."""
        yield from dict.fromkeys(
            capability
            for capability, candidate, backend, device in self._candidates_for_cards()
            if backend.obstacle(device) is None
        )

    async def prepare(self, *capabilities: str) -> None:
        """Look, and build the engines of `capabilities` in a thread, because this imports whole libraries. No weights
        are loaded. An engine that cannot run raises nothing here, because the caller that uses it gets the error."""
        await self.look()
        missing = [
            one for capability in capabilities for one in self._serving(capability) if one.spec not in self._built
        ]
        if missing:
            await asyncio.to_thread(self._build_all, missing)

    async def load(self, capability: str) -> None:
        """Load the engine of `capability` now. Raises EngineUnavailable."""
        await self.prepare(capability)
        for part in self._build(self.choose(capability)).parts:
            await part.load()

    def parts(self) -> list[tuple[EngineSpec, EnginePart]]:
        """Return the parts of all engines that were built, each part with the engine that owns it."""
        found: dict[int, tuple[EngineSpec, EnginePart]] = {}
        # A part that two engines share is listed twice, first with its owner.
        for spec, built in list(self._built.items()):
            for part in built.parts:
                found.setdefault(id(part), (spec, part))
        return list(found.values())

    def check_calls(self) -> None:
        """Report the calls of engines that have exceeded their deadline."""
        for _, part in self.parts():
            if isinstance(part, EngineHost):
                part.check_calls()

    @property
    def healthy(self) -> bool:
        return self.engine_faults.engine is None and all(part.healthy for _, part in self.parts())

    def states(self) -> list[CapabilityState]:
        return [self._state(capability) for capability in self._catalog]

    async def close(self) -> None:
        """Close all parts at the same time, because the replicas of each engine take seconds to end."""
        await self.workers.close()

        async def closed(part: EnginePart) -> None:
            try:
                await part.close()
            except Exception:
                log.exception("closing_failed", part=type(part).__name__)

        await asyncio.gather(*(closed(part) for _, part in self.parts()))
        if self._cluster is not None:
            await self._cluster.close()

    async def _refresh(self) -> None:
        checked = await asyncio.to_thread(self._check_all)
        self._checked, self._checked_at = checked, self._clock()

    def _check_all(self) -> dict[EngineSpec, _Readiness]:
        invalidate_caches()  # packages may have been installed since the last check
        return {one.spec: self._check(one) for capability in self._catalog for one in self._candidates(capability)}

    def _check(self, candidate: Candidate) -> _Readiness:
        """Check whether an engine can run. An exception of the engine's own code becomes a remedy, because one engine
        must not end a server that has others."""
        config = self._config_of(candidate)
        try:
            remedy = candidate.remedy(config)
            off_the_card = self._off_the_card(candidate, config) if remedy is None else None
            pairs = candidate.pairs(config) if remedy is None and candidate.pairs is not None else ()
            reason_or_remedy = remedy if off_the_card is None else off_the_card
            return _Readiness(reason_or_remedy, off_the_card, pairs=pairs)
        except EngineUnavailable as error:
            return _Readiness(error.remedy, is_fault=True)
        except Exception as error:
            # If a folder is unreadable or a disk is missing, the system's message says all, and the traceback is not
            # logged.
            system_words = error.strerror if isinstance(error, OSError) else None
            reason = system_words or f"{type(error).__name__}: {error}".rstrip(" :")
            fault = f"Whether '{candidate.spec.name}' can run here could not be determined: {reason}."
            if self._last_faults.get(candidate.spec) != fault:
                self._last_faults[candidate.spec] = fault
                log.warning("look_failed", engine=candidate.spec.name, exc_info=system_words is None)
            return _Readiness(fault, is_fault=True)

    def _config_of(self, candidate: Candidate) -> EngineConfig:
        return self._config.narrowed(candidate.spec.capability)

    def _off_the_card(self, candidate: Candidate, config: EngineConfig) -> str | None:
        """Return the remedy for a card that the operator named and that the engine's backend cannot use. Return None if
        the backend can use the card, or may compute on the CPU instead."""
        backend = candidate.backend
        obstacle = backend.obstacle(config.device) if backend and backend.required else None
        if obstacle is None:
            return None
        name, setting = candidate.spec.name, device_setting(candidate.spec.capability, self._config)
        return (
            f"'{name}' should run on a card ({setting}={config.device}), but cannot. {obstacle} Or set {setting}=cpu."
        )

    def _candidates_for_cards(self) -> Iterator[tuple[str, Candidate, Backend, str]]:
        """Yield the capability, engine, backend and device of each engine that would serve now and whose settings
        permit a card of this machine. Whether its backend can use the card is not checked."""
        for capability, declared in self._catalog.items() if DRIVER.obstacle() is None else ():
            if self._choices.get(capability) == OFF:
                continue
            ready = [one for one in self._candidates(capability) if self._readiness(one).is_ready]
            for candidate in ready if declared.several else ready[:1]:
                config = self._config_of(candidate)
                backend = candidate.backend
                if backend and config.device != CPU:
                    yield capability, candidate, backend, CUDA if config.device == AUTO else config.device

    def _readiness(self, candidate: Candidate) -> _Readiness:
        return self._checked.get(candidate.spec) or self._check(candidate)

    def _candidates(self, capability: str) -> Sequence[Candidate]:
        """Engines of `capability` that the operator did not exclude, in the order of preference."""
        choice = self._choices.get(capability, AUTO)
        preferred = self._catalog[capability].preferred(self._config.profile)
        return [one for one in preferred if choice in (AUTO, ON, one.spec.name)]

    def _remedy(self, candidate: Candidate) -> str | None:
        """Remedy for an engine that cannot run here; None if both the engine and the engine that it needs can run."""
        remedy = self._readiness(candidate).remedy
        if remedy is not None or candidate.needs is None:
            return remedy
        try:
            self.choose(candidate.needs, candidate.by)
        except EngineUnavailable as error:
            return error.remedy
        return None

    def _runnable(self, capability: str) -> list[Candidate]:
        return [one for one in self._candidates(capability) if self._remedy(one) is None]

    def _serving(self, capability: str) -> list[Candidate]:
        if self._catalog[capability].several:
            return self._runnable(capability)
        return [self.choose(capability)] if self.can_serve(capability) else []

    def _build_all(self, candidates: Sequence[Candidate]) -> None:
        for candidate in candidates:
            with contextlib.suppress(EngineUnavailable):  # a later caller builds it again, and gets the error
                self._build(candidate)

    def _build(self, candidate: Candidate) -> Built:
        built = self._built.get(candidate.spec)
        if built is None:
            with self._building.setdefault(candidate.spec, threading.RLock()):
                built = self._built.get(candidate.spec)
                if built is None:
                    built = self._built[candidate.spec] = self._build_new(candidate)
        return built

    def _build_new(self, candidate: Candidate) -> Built:
        try:
            if candidate.build is not None:
                built = candidate.build(self._config_of(candidate))
                with self._placement_lock:
                    self._place(candidate, built)
                return built
            assert candidate.build_around is not None, f"{candidate.spec.name} cannot be built"
            parts = self._build(self.choose(candidate.needs, candidate.by)).parts if candidate.needs else ()
            return Built(candidate.build_around(self._config_of(candidate), self), parts)
        except ModelError:
            raise
        except Exception as error:
            log.exception("engine_not_built", engine=candidate.spec.name)
            raise EngineUnavailable(candidate.spec.capability, load_failure(candidate.spec.name, error)) from error

    def _place(self, candidate: Candidate, built: Built) -> None:
        """Place the engines of `built` on the cluster, if there is one, or else guard their calls, and let them share
        their card with other engines."""
        hosts = [part for part in built.parts if isinstance(part, EngineHost)]
        config = self._config_of(candidate)
        if not hosts:
            return
        has_card = self._cluster is not None or (config.device != CPU and DRIVER.obstacle() is None)
        backend = candidate.backend if has_card else None
        device = CPU if backend is None else backend.resolve(config.device)
        for index, host in enumerate(hosts):
            if self._cluster is not None:
                name = f"openfaze-{candidate.spec.capability}-{candidate.spec.name}-{index}"
                host.move(self._cluster.workplace(name, candidate.card, on_a_card=device != CPU))
                continue
            deadline_s = config.call_deadline_s * (_PATIENCE if device == CPU else 1.0) or None
            host.guard(self.engine_faults, deadline_s, patience=1.0 if device == CPU else _PATIENCE)
            if device != CPU and candidate.card is not None:
                items = min(candidate.card.items, max(host.limits.max_batch for host in hosts))
                size = candidate.card.base + candidate.card.item * items
                host.reside(self._residents, CUDA_0 if device == CUDA else device, size * 10**6 // len(hosts))

    def _state(self, capability: str) -> CapabilityState:
        try:
            candidate = self.choose(capability)
        except EngineUnavailable as error:
            is_off = self._choices.get(capability) == OFF
            return CapabilityState(capability, None, loaded=False, remedy=error.remedy, is_off=is_off)
        built = self._built.get(candidate.spec)
        parts = built.parts if built is not None else ()
        # Why it did not load at the last attempt. The next call of the engine tries again.
        failure = next((part.broken for part in parts if part.broken), None)
        loaded = built is not None and all(part.loaded for part in parts)
        serving = self._serving(capability)
        pairs = dict.fromkeys(pair for one in serving for pair in self._readiness(one).pairs)
        return CapabilityState(capability, candidate, loaded=loaded, remedy=failure, pairs=tuple(pairs))


def device_setting(capability: str, config: EngineConfig) -> str:
    """Name of the environment variable that sets the device of the engines of `capability`."""
    return f"OPENFAZE_DEVICE={capability}" if capability in config.devices else "OPENFAZE_DEVICE"
