"""What a running server is made of, put together in one place."""

import asyncio
from pathlib import Path

import structlog

from app.access.keys import ApiKeys
from app.chat.answer import Answerer
from app.chat.pipeline import Pipeline
from app.chat.plan import Planner
from app.settings import Settings
from models.base import EngineUnavailable, ModelError
from models.candidate import EngineConfig, LlmConfig
from models.catalog import CATALOG
from models.runtime import NOT_YET, Runtime
from tasks.base import Task
from tasks.media.fetch import Fetcher, FetchPolicy
from tasks.media.limits import MB, MediaLimits
from tasks.media.loader import MediaLoader
from tasks.ocr import OcrTask

PRELOAD_PAUSE_S = 1.0
LONGEST_PRELOAD_PAUSE_S = 30.0

log = structlog.get_logger(__name__)


class Services:
    """Loads no engine by itself. Raises ValueError for an engine that the catalog does not know."""

    def __init__(self, settings: Settings) -> None:
        unknown = [name for name in settings.preload if name not in CATALOG]
        if unknown:
            raise ValueError(f"OPENFAZE_PRELOAD: no capability '{unknown[0]}'; there are: {', '.join(CATALOG)}")
        self.settings = settings
        self.keys = ApiKeys(key.get_secret_value() for key in settings.api_keys)
        self.runtime = build_runtime(settings)
        self.loader = build_loader(settings)
        ocr = OcrTask(self.runtime.page_reader, self.loader)
        self._tasks: dict[str, Task] = {ocr.name: ocr}
        embedder = self.runtime.embedder()
        answerer = Answerer(
            self.runtime.llm, embedder, self.find_task, self.has_task, Planner(embedder, self.has_task), self.loader
        )
        self.pipeline = Pipeline(self.find_task, answerer, settings.max_sources)
        self.ready = not settings.preload

    def find_task(self, name: str) -> Task:
        """Raises EngineUnavailable where nothing here can run the task `name`."""
        task = self._tasks.get(name)
        if task is None:
            raise EngineUnavailable(name, NOT_YET)
        return task

    def has_task(self, name: str) -> bool:
        """Whether an LLM may be offered the task `name`."""
        return name in self._tasks and self.runtime.can_serve(name)

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
            log.error("preload_failed", capability=capability, error=str(error))
        except Exception:
            log.exception("preload_failed", capability=capability)
        else:
            return True
        return False

    async def close(self) -> None:
        await self.loader.close()
        await self.runtime.close()


def build_runtime(settings: Settings) -> Runtime:
    config = EngineConfig(
        device=settings.device,
        threads=settings.threads,
        weights_dir=Path(settings.weights_dir),
        max_queue=settings.max_queue,
        idle_unload_s=settings.idle_unload_s or None,
        ocr_language=settings.ocr_language,
        llm=_llm_config(settings),
    )
    choices = {"ocr": settings.ocr, "llm": settings.llm, "embedding": settings.embedding}
    return Runtime(CATALOG, config, choices)


def _llm_config(settings: Settings) -> LlmConfig:
    key = settings.llm_api_key
    return LlmConfig(
        base_url=settings.llm_base_url,
        api_key=key.get_secret_value() if key else None,
        model=settings.llm_model,
        abilities=None if settings.llm_abilities is None else frozenset(settings.llm_abilities),
        context_tokens=settings.llm_context_tokens,
        gguf=Path(settings.llm_gguf) if settings.llm_gguf else None,
        parallel=settings.llm_parallel,
        first_byte_s=settings.llm_first_byte_s,
    )


def build_loader(settings: Settings) -> MediaLoader:
    limits = MediaLimits(
        part_bytes=int(settings.max_part_mb * MB),
        fetch_bytes=int(settings.max_fetch_mb * MB),
        image_pixels=int(settings.max_image_megapixels * 1e6),
        page_seconds=settings.max_page_seconds,
        pages=settings.max_pages,
        sources=settings.max_sources,
    )
    policy = FetchPolicy(
        allow=settings.fetch_allow, total_timeout=settings.fetch_timeout_s, max_bytes=limits.fetch_bytes
    )
    return MediaLoader(Fetcher(policy), limits)
