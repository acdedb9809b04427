"""What a running server is made of, put together in one place."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from app.building import (
    build_browser,
    build_fetcher,
    build_files,
    build_keys,
    build_loader,
    build_politeness,
    build_runtime,
    build_search,
)
from app.calling import as_called_here
from app.chat.answer import Answerer
from app.chat.inputs import Collector
from app.chat.pipeline import Pipeline
from app.chat.plan import Planner
from app.chat.tool_loop import ToolLimits
from app.settings import Settings
from models.base import EngineUnavailable, ModelError
from models.catalog import CATALOG
from models.fair_executor import FairExecutor
from models.language.embedding import Embedder
from models.runtime import AUTO, NOT_YET, OFF, Runtime
from models.safety import personal_data
from models.scheduler import FairSlots
from models.translation.candidates import remedy_between
from tasks.base import TASK_NAMES, Task, TaskRequest
from tasks.code_sandbox import CodeSandboxTask
from tasks.detection.search import Engines
from tasks.forecast import ForecastTask, SeriesLimits
from tasks.guardrails import Guardrails
from tasks.gui_detection import GuiDetectionTask
from tasks.inputs.limits import MB
from tasks.object_detection import ObjectDetectionTask
from tasks.ocr import OcrTask
from tasks.result import Result
from tasks.scrape.browser import REMEDY as BROWSER_REMEDY
from tasks.scrape.browser import find_browser
from tasks.scraper import ScraperParts, ScraperTask
from tasks.search.result_pages import ResultPages
from tasks.series.reading import TableReader
from tasks.speech_to_text import SpeechToTextTask
from tasks.translate import TranslateTask
from tasks.web_search import WebSearchTask

PRELOAD_PAUSE_S = 1.0
LONGEST_PRELOAD_PAUSE_S = 30.0

log = structlog.get_logger(__name__)


ENGINES_OF: Mapping[str, tuple[str, ...]] = {
    "ocr": ("ocr",),
    "speech_to_text": ("speech_to_text", "diarization"),
    "object_detection": ("object_detection", "open_vocabulary", "segmentation"),
    "gui_detection": ("gui_detection", "gui_grounding", "ocr"),
    "translate": ("translate",),
    "forecast": ("forecast",),
    "web_search": (),
    "scraper": ("llm",),
    "code_sandbox": ("code_sandbox",),
}
"""The capabilities that a task may ask for."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A task whose engines are put together, off the event loop, before it runs."""

    task: Task
    runtime: Runtime

    @property
    def name(self) -> str:
        return self.task.name

    async def run(self, request: TaskRequest) -> Result:
        await self.runtime.prepare(*ENGINES_OF[self.name])
        return await self.task.run(request)


class Services:
    """Loads no engine by itself. Raises ValueError for an engine that the catalog does not know or that was named and
    cannot run here, and for a file of keys or a setting that will not do."""

    def __init__(self, settings: Settings) -> None:
        unknown = [name for name in settings.preload if name not in CATALOG]
        if unknown:
            raise ValueError(f"OPENFAZE_PRELOAD: no capability '{unknown[0]}'; there are: {', '.join(CATALOG)}")
        redacts = settings.personal_data == "redact"
        if redacts and not personal_data.is_available():
            raise ValueError(
                f"OPENFAZE_PERSONAL_DATA=redact finds telephone numbers by a library. {personal_data.REMEDY}"
            )
        self.settings = settings
        self.keys = build_keys(settings)
        self.runtime = build_runtime(settings)
        if unmet := list(_unmet(settings, self.runtime)):
            raise ValueError("\n".join(unmet))
        self.fetcher = build_fetcher(settings)
        self.politeness = build_politeness(settings, self.fetcher)
        self.files = build_files(settings)
        self.loader = build_loader(settings, self.fetcher, self.files)
        self.speech = SpeechToTextTask(self.runtime.transcriber, self.loader, self.runtime.voice_encoder)
        self.search = build_search(settings, self.fetcher)
        self.browser = build_browser(settings, self.fetcher)
        self.executor = FairExecutor("text")
        self.evidence_executor = FairExecutor("evidence")
        self.wire = FairExecutor("wire")
        """For parsing and writing large bodies."""
        self.bodies = FairSlots("uploads", settings.large_bodies_at_once, most_waiting=settings.max_queue)
        """For bodies of requests that are over a megabyte, while they come in."""
        embedder = self.runtime.embedder()
        self._tasks: dict[str, Task] = {
            task.name: _Prepared(task, self.runtime) for task in self._build_tasks(settings, embedder)
        }
        task_names: Sequence[str] = TASK_NAMES
        if settings.code_sandbox == "on":
            task_names = (*task_names, CodeSandboxTask.name)
        planner = Planner(embedder, self.has_task)
        answerer = Answerer(
            self.runtime.llm,
            embedder,
            self.find_task,
            self.has_task,
            planner,
            self.loader,
            self.executor,
            self.evidence_executor,
            settings.max_evidence_chars,
            ToolLimits(settings.tool_calls_at_once, settings.max_tool_calls_a_round, settings.max_tool_calls),
        )
        self.guardrails = Guardrails(
            self.runtime.text_guards,
            self.runtime.image_guards,
            self.loader,
            seconds=settings.guard_timeout_s,
            max_bytes=int(settings.max_guarded_mb * MB),
            most_verdicts=settings.max_guard_verdicts,
            threads=self.runtime.guard_threads,
        )
        collector = Collector(self.files, settings.max_sources, int(settings.max_total_mb * MB))
        self.pipeline = Pipeline(
            self.find_task,
            answerer,
            collector,
            self.guardrails,
            task_names,
            settings.guard_thresholds,
            redacts=redacts,
            prepare=self.runtime.prepare,
        )
        self.ready = not settings.preload

    def _build_tasks(self, settings: Settings, embedder: Embedder | None) -> Iterator[Task]:
        runtime, loader = self.runtime, self.loader
        yield OcrTask(runtime.page_reader, loader)
        yield self.speech
        engines = Engines(runtime.detector, runtime.open_vocabulary, runtime.segmenter, runtime.embedder)
        yield ObjectDetectionTask(engines, loader)
        yield GuiDetectionTask(runtime.gui_detector, runtime.page_reader, loader, runtime.gui_grounder)
        remedy = partial(remedy_between, weights_dir=Path(settings.weights_dir))
        yield TranslateTask(runtime.translators, loader, remedy=remedy, most_chars=settings.max_translate_chars)
        series = SeriesLimits(settings.max_series_points, settings.max_series, settings.max_inline_chars)
        yield ForecastTask(runtime.forecaster, TableReader(loader, loader.processes), series)
        pages = ResultPages(self.politeness, loader.processes, loader.limits)
        yield WebSearchTask(self.search, pages, embedder)
        yield ScraperTask(
            ScraperParts(self.politeness, loader.processes, self.find_task, runtime.llm, self.browser, loader.limits)
        )
        if settings.code_sandbox != "off":
            yield CodeSandboxTask(runtime.sandbox, loader)
            # Tried out now rather than in the first request.
            runtime.can_serve(CodeSandboxTask.name)

    def find_task(self, name: str) -> Task:
        """Raises EngineUnavailable where nothing here can run the task `name`."""
        task = self._tasks.get(name)
        if task is None:
            raise EngineUnavailable(name, NOT_YET)
        return task

    def has_task(self, name: str) -> bool:
        """Whether the task `name` may be guessed at, or offered to an LLM: nobody asked for it in so many words, so
        it must not cost a download."""
        if name == WebSearchTask.name:
            return bool(self.search.providers)
        return name in self._tasks and (name not in CATALOG or self.runtime.is_at_hand(name))

    @property
    def max_request_bytes(self) -> int:
        return int(self.settings.max_request_mb * MB)

    async def preload(self) -> None:
        """Loads what OPENFAZE_PRELOAD names; `/ready` answers 503 until all of it runs. What fails is tried again: an
        LLM's server may well start later than this one."""
        for capability in self.settings.preload:
            pause_s = PRELOAD_PAUSE_S
            while not await self._is_preloaded(capability):
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PRELOAD_PAUSE_S)
        self.ready = True

    async def _is_preloaded(self, capability: str) -> bool:
        try:
            await self.runtime.load(capability)
        except ModelError as error:
            log.error("preload_failed", capability=capability, error=as_called_here(str(error)))
        except Exception:
            log.exception("preload_failed", capability=capability)
        else:
            return True
        return False

    async def close(self) -> None:
        """Closes each part, whatever becomes of the others."""
        parts = (
            self.executor,
            self.evidence_executor,
            self.wire,
            self.loader,
            self.search,
            self.browser,
            self.files,
            self.runtime,
        )
        for part in parts:
            try:
                if part is not None:
                    await part.close()
            except Exception:
                log.exception("closing_failed", part=type(part).__name__)


def _unmet(settings: Settings, runtime: Runtime) -> Iterator[str]:
    """A line for each engine that the operator chose and that cannot run here: no other may stand in for it, and who
    calls later could not do anything about it."""
    for capability, choice, remedy in runtime.unmet_choices():
        yield f"OPENFAZE_{capability.upper()}={choice} cannot run here. {remedy}"
    if settings.code_sandbox == "on":
        try:
            runtime.choose(CodeSandboxTask.name)
        except EngineUnavailable as error:
            yield f"OPENFAZE_CODE_SANDBOX=on cannot run here. {error.remedy}"
    if settings.browser not in (AUTO, OFF) and find_browser(settings.browser) is None:
        yield f"OPENFAZE_BROWSER names a browser that cannot run here. {BROWSER_REMEDY}"
