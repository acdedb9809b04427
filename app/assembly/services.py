"""Builds the parts of a running server, all in one place."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog

from app.assembly.building import (
    build_admission,
    build_browser,
    build_config,
    build_database,
    build_door,
    build_entries,
    build_fetcher,
    build_files,
    build_guardrails,
    build_keys,
    build_loader,
    build_politeness,
    build_responses,
    build_runtime,
    build_search,
    build_workers,
    largest_body,
    largest_inputs,
)
from app.assembly.fingerprint import build_fingerprint
from app.assembly.metric_sources import fill_from_engines, fill_from_parts
from app.assembly.unused_card import REMEDY as CARD_REMEDY
from app.assembly.unused_card import machine_has_card
from app.chat.answer_cache import AnswerCache, CacheKeys
from app.chat.inputs import Collector
from app.chat.llm_answer import LlmAnswers
from app.chat.own_answer import OwnAnswers
from app.chat.pipeline import Pipeline
from app.chat.plan import Planner
from app.chat.result_cache import ResultCache
from app.chat.structured_answers import StructuredAnswers
from app.monitoring.metrics import Metrics, Routes
from app.monitoring.tracing import Traces, provider_for
from app.monitoring.watching import watch_servers_for_ever
from app.runnable_commands import adapt_commands
from app.settings import Settings
from app.state.entries import Sweepable
from models.base import ModelError, available_cpus
from models.capability import BadResult
from models.catalog import CATALOG
from models.devices.device import AUTO, CPU, DRIVER
from models.devices.linear_algebra import keep_on_one_thread
from models.embedding.capability import EMBEDDING, MINILM
from models.extraction.capability import EXTRACTION, EXTRACTOR, ExtractionSettings, field_reader
from models.language.capability import LLM
from models.queues import Slots
from models.runtime import Runtime, device_setting
from models.safety.text.capability import TEXT_GUARD
from models.safety.text.settings import GuardSettings
from models.setting_types import GPU, OFF
from tasks.base import Parts, Task, TaskRequest
from tasks.catalog import SPECIALISTS, public_names
from tasks.detection.search import DetectionOptions
from tasks.extraction.extractor import Extractor
from tasks.object_detection import ObjectDetectionTask
from tasks.result import Result
from tasks.scrape.browser import REMEDY as BROWSER_REMEDY
from tasks.scrape.browser import find_browser
from tasks.series.reading import SeriesReader

PRELOAD_PAUSE_S = 1.0
LONGEST_PRELOAD_PAUSE_S = 30.0
ANSWERS_KEPT_S = 24 * 3600.0
"""The cache keeps an answer for this many seconds; one that depends on a web search or a scraped page for at most five
minutes."""

_CALLS_S = 1.0
"""Time between two checks for calls of engines that do not end, in seconds."""
_EXTRACTIONS_WAITING = 1024
"""At most this many extractions of a key wait for a thread."""

TaskT = TypeVar("TaskT")

log = structlog.get_logger(__name__)


class TaskFinder:
    """Finds tasks by name, builds the engines of a task before it runs, and caches its results."""

    def __init__(
        self,
        parts_with: Callable[[Callable[[str], Task]], Parts],
        runtime: Runtime,
        traces: Traces,
        results: ResultCache | None,
    ) -> None:
        """Build the tasks.

        `parts_with` returns the parts that tasks are built from. Its argument is a function that finds a task by name.
        If `results` is None, no results are cached.
        """
        self._runtime = runtime
        self._traces = traces
        self._results = results
        parts = parts_with(self.find)
        self._tasks: dict[str, Task] = {name: one.build(parts) for name, one in SPECIALISTS.items()}
        self._at_hand = {name for name, one in SPECIALISTS.items() if one.is_at_hand(parts)}

    def find(self, name: str) -> Task:
        """Return the task `name`. If its engine is missing, the task raises EngineUnavailable when it runs."""
        return _PreparedTask(name, self)

    def has(self, name: str) -> bool:
        """True if the server may choose the task `name` by itself, or offer it to an LLM."""
        return name in self._at_hand and (name not in CATALOG or self._runtime.can_serve(name))

    def of_kind(self, kind: type[TaskT]) -> TaskT:
        """Return the task of a class. The caller must have prepared its engines."""
        return next(task for task in self._tasks.values() if isinstance(task, kind))

    async def prepare(self, name: str) -> None:
        """Build the engines of a task in a thread."""
        await self._runtime.prepare(*(one.name for one in SPECIALISTS[name].uses))

    async def check_findable(self, options: DetectionOptions) -> None:
        """Raise EngineUnavailable if no detector here knows the wanted objects."""
        await self.prepare(ObjectDetectionTask.name)
        await self.of_kind(ObjectDetectionTask).searches.check_findable(options)

    async def run(self, name: str, request: TaskRequest[Any]) -> Result[Any]:
        """Return the result of a task, or the cached result of an equal earlier request."""
        specialist = SPECIALISTS[name]

        async def run(request: TaskRequest[Any]) -> Result[Any]:
            with self._traces.task(name):
                await self.prepare(name)
                return await self._tasks[name].run(request)

        if self._results is None or specialist.restore is None:
            return await run(request)
        return await self._results.read(specialist, request, run)


@dataclass(frozen=True, slots=True)
class _PreparedTask:
    name: str
    finder: TaskFinder

    async def run(self, request: TaskRequest[Any]) -> Result[Any]:
        return await self.finder.run(self.name, request)


class Services:
    """All parts of a server. Creating them loads no engine.

    Raises ValueError for an engine that is not in the catalog, for a chosen engine that cannot run here, and for an
    invalid setting or file of keys.
    """

    def __init__(self, settings: Settings, routes: Routes | None = None) -> None:
        """Build the parts. `routes` are the routes by whose names the metrics count requests."""
        unknown = [name for name in settings.preload if name not in CATALOG]
        if unknown:
            raise ValueError(f"OPENFAZE_PRELOAD: no capability '{unknown[0]}'; choose from: {', '.join(CATALOG)}")
        keep_on_one_thread()
        self.settings = settings
        self.metrics = Metrics(routes)
        provider = provider_for(settings.traces_url) if settings.traces_url else None
        self.traces = Traces(provider, with_content=settings.traces_content)
        self.keys = build_keys(settings)
        self.door = build_door(settings)
        self.database = build_database(settings)
        self.admission_control = build_admission(settings, self.database)
        workers = build_workers()
        self.runtime = build_runtime(settings, workers)
        if unmet := list(_unmet_choices(settings, self.runtime)):
            raise ValueError("\n".join(unmet))
        self.fetcher = build_fetcher(settings)
        self.politeness = build_politeness(settings, self.fetcher)
        self.files = build_files(settings, self.database)
        self.loader = build_loader(settings, self.fetcher, self.files, workers)
        self.search = build_search(settings, self.fetcher)
        self.browser = build_browser(settings, self.fetcher)
        config = build_config(settings)
        embedder = self.runtime.find(EMBEDDING, MINILM)
        self.entries = build_entries(settings)
        self.responses = build_responses(settings, self.database)
        answers: AnswerCache | None = None
        results: ResultCache | None = None
        if self.entries is not None:
            fingerprint, age_s = build_fingerprint(settings, self.runtime), ANSWERS_KEPT_S
            results = ResultCache(self.entries, self.loader, fingerprint, max_age_s=age_s)
            answers = AnswerCache(self.entries, CacheKeys(self.loader, fingerprint), max_age_s=age_s)
        parts_with = partial(
            Parts,
            config,
            self.runtime,
            self.loader,
            self.politeness,
            self.search,
            self.browser,
        )
        self.tasks = TaskFinder(parts_with, self.runtime, self.traces, results)
        network, extraction = self.runtime.find(EXTRACTION), settings.of(ExtractionSettings)
        extractor = None
        if network is not None:
            extractor = Extractor(
                network,
                self.runtime.find(EMBEDDING, MINILM),
                reader=field_reader(self.runtime),
                threads=Slots("extraction", available_cpus(), _EXTRACTIONS_WAITING),
            )
        self.public_tasks = public_names(config)
        planner = Planner(
            self.tasks.has,
            is_public=lambda name: name in self.public_tasks,
            check_findable=self.tasks.check_findable,
            read_series=SeriesReader(self.loader).message,
        )
        structured = StructuredAnswers(extractor=extractor)
        llm_answers = LlmAnswers(
            planner,
            structured,
            self.loader,
            embedder,
            self.tasks.has,
            extracts_always=extraction.extraction == EXTRACTOR,
        )
        self.guardrails = build_guardrails(settings, self.runtime, self.loader)
        collector = Collector(self.files, settings.max_sources, largest_inputs(settings))
        self.pipeline = Pipeline(
            self.tasks.find,
            lambda: self.traces.llm(self.runtime.use(LLM)),
            llm_answers,
            OwnAnswers(planner, structured, embedder, self.tasks.has, llm_answers.write),
            collector,
            self.guardrails,
            self.public_tasks,
            settings.of(GuardSettings).guard_thresholds,
            redacts=settings.personal_data == "redact",
            prepare=self.runtime.prepare,
            answer_cache=answers,
        )
        fill_from_engines(self.metrics, self.runtime)
        fill_from_parts(
            self.metrics,
            fetcher=self.fetcher,
            workers=workers,
            search=self.search,
            admission_control=self.admission_control,
            keys=self.keys,
            files=self.files,
            responses=self.responses,
            answers=answers,
        )
        self.ready = not (settings.preload or settings.profile == GPU)
        self.is_stopping = False
        """True once the server has been asked to stop: running requests may finish, and no new request begins."""

    @property
    def expiring_stores(self) -> Sequence[Sweepable]:
        """Stores whose entries expire when they are old."""
        return [one for one in (self.responses, self.entries) if one is not None]

    async def watch_servers_for_ever(self) -> None:
        """Check, until cancelled, that the servers called by engines can be reached. `/ready` and the log report the
        result."""
        has_a_guard = self.settings.of(GuardSettings).guard_base_url is not None
        await watch_servers_for_ever(self.runtime, LLM.name, *([TEXT_GUARD.name] if has_a_guard else []))

    @property
    def max_request_bytes(self) -> int:
        return largest_body(self.settings)

    async def watch_calls_for_ever(self) -> None:
        """Check at intervals, until cancelled, for calls of engines that do not end."""
        while True:
            self.runtime.check_calls()
            await asyncio.sleep(_CALLS_S)

    async def report_devices(self) -> None:
        """Log the engines that do not compute on the graphics card, or that a card of this machine is not seen."""
        if obstacle := DRIVER.obstacle():
            if self.settings.device != CPU and await asyncio.to_thread(machine_has_card):
                log.warning("card_not_seen", reason=obstacle, remedy=CARD_REMEDY)
            return
        for reason in await asyncio.to_thread(lambda: list(self.runtime.off_the_card())):
            log.warning("not_on_the_card", reason=adapt_commands(reason))

    async def preload(self) -> None:
        """Load the capabilities in OPENFAZE_PRELOAD, or, if it is empty, the capabilities that a profile for a graphics
        card implies.

        `/ready` answers 503 until loading is over. A capability in OPENFAZE_PRELOAD that fails is tried again, because
        the server of an LLM may start later than this server. A capability that the profile implies is tried only once,
        because the operator did not name it. After loading such a capability, its self-test runs, so that the first
        caller need not wait for the card's preparations.
        """
        if self.settings.profile == GPU and not self.settings.preload:
            for capability in await asyncio.to_thread(lambda: list(self.runtime.on_the_card())):
                await self._preload_one(capability, warms_up=True)
        for capability in self.settings.preload:
            pause_s = PRELOAD_PAUSE_S
            while not await self._preload_one(capability):
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PRELOAD_PAUSE_S)
        self.ready = True

    async def _preload_one(self, capability: str, *, warms_up: bool = False) -> bool:
        try:
            await self.runtime.load(capability)
            if warms_up:
                await CATALOG[capability].self_test(self.runtime)
        except (ModelError, BadResult) as error:
            log.error("preload_failed", capability=capability, error=adapt_commands(str(error)))
        except Exception:
            log.exception("preload_failed", capability=capability)
        else:
            return True
        return False

    async def close(self) -> None:
        """Close every part, even if closing another part fails.

        Parts that write in the threads of other parts, and parts with separate processes, are closed first. Threads,
        files and engines are closed next, and traces last. Closing an engine ends its calls.
        """
        first = (
            self.entries,
            self.responses,
            self.loader,
            self.search,
            self.browser,
            self.admission_control,
        )
        last = (self.files, self.runtime)
        for parts in (first, last, (self.database,)):
            await asyncio.gather(*(_close_part(part) for part in parts if part is not None))
        await asyncio.to_thread(self.traces.close)


class _Closable(Protocol):
    async def close(self) -> None: ...


async def _close_part(part: _Closable) -> None:
    try:
        await part.close()
    except Exception:
        log.exception("closing_failed", part=type(part).__name__)


def _unmet_choices(settings: Settings, runtime: Runtime) -> Iterator[str]:
    """Yield a line for each engine, device or browser that the operator chose and that cannot run here.

    In these cases the server does not start, because no other engine may replace a chosen one, and a caller could do
    nothing about the fault later.
    """
    for capability, choice, remedy in runtime.unmet_choices():
        yield f"OPENFAZE_{capability.upper()}={choice} cannot run here. {remedy}"
    config = build_config(settings)
    for name, device in {"": config.device, **config.devices}.items():
        if obstacle := DRIVER.obstacle(device):
            setting = device_setting(name, config)
            yield (
                f"{setting}={device} names a card that this machine does not have. {obstacle} To use no card, leave "
                f"{setting} out."
            )
    if settings.browser not in (AUTO, OFF) and find_browser(settings.browser) is None:
        yield f"OPENFAZE_BROWSER names a browser that cannot run here. {BROWSER_REMEDY}"
