"""What the settings make: the parts that a server is put together from."""

from pathlib import Path

from app.access.key_file import KeyFileError
from app.access.keys import ApiKeys
from app.connections import ConnectionLimits
from app.files.records import FileLimits
from app.files.storage import Storage
from app.files.store import FileStore
from app.settings import PREFIX, Settings, is_loopback
from models.candidate import (
    DetectionConfig,
    EngineConfig,
    GuardConfig,
    GuiConfig,
    LlmConfig,
    SandboxConfig,
    SpeechConfig,
)
from models.catalog import CATALOG
from models.runtime import Runtime
from models.sandbox.script import SandboxLimits
from tasks.inputs.decode.lane import DecodeLimits
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.fetch.politeness import Politeness, ScrapePolicy
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.scrape.browser import BrowserPolicy, BrowserRenderer, LateBrowser
from tasks.search.fall_over import FallOver
from tasks.search.providers import SearchConfig, build_providers


def build_keys(settings: Settings) -> ApiKeys:
    """Raises KeyFileError, also where the file holds no key and a server beyond loopback has no other."""
    file = Path(settings.keys_file) if settings.keys_file else None
    keys = ApiKeys((key.get_secret_value() for key in settings.api_keys), file, key_share=settings.key_share)
    if file and not (keys.count or settings.open or is_loopback(settings.host)):
        raise KeyFileError(
            f"{PREFIX}HOST: refusing to listen on {settings.host} without keys: {PREFIX}KEYS_FILE '{file}' holds none; "
            "`openfaze keys add NAME` makes one"
        )
    return keys


def build_connections(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        connections=settings.max_connections,
        per_address=settings.max_connections_per_address,
        head_bytes=settings.max_head_kb * 1024,
        head_s=settings.head_timeout_s,
        idle_s=settings.keep_alive_s,
        body_s=settings.request_timeout_s,
        least_rate=settings.min_rate_kb * 1024,
    )


def build_config(settings: Settings) -> EngineConfig:
    return EngineConfig(
        device=settings.device,
        threads=settings.threads,
        weights_dir=Path(settings.weights_dir),
        auto_pull=settings.auto_pull,
        max_queue=settings.max_queue,
        idle_unload_s=settings.idle_unload_s or None,
        ocr_language=settings.ocr_language,
        detection=DetectionConfig(
            settings.object_detection,
            Path(settings.object_detection_model) if settings.object_detection_model else None,
        ),
        gui=GuiConfig(
            settings.gui_detection,
            Path(settings.gui_detection_model) if settings.gui_detection_model else None,
        ),
        diarization_model=Path(settings.diarization_model) if settings.diarization_model else None,
        speech=SpeechConfig(
            Path(settings.speech_model) if settings.speech_model else None,
            settings.speech_batch,
        ),
        sandbox=_sandbox_config(settings),
        guard=_guard_config(settings),
        llm=_llm_config(settings),
    )


def build_runtime(settings: Settings) -> Runtime:
    """Raises ValueError for an engine that the catalog does not know."""
    choices = {
        "ocr": settings.ocr,
        "object_detection": settings.object_detection,
        "gui_detection": settings.gui_detection,
        "diarization": settings.diarization,
        "speech_to_text": settings.speech_to_text,
        "forecast": settings.forecast,
        "translate": settings.translate,
        "text_guard": settings.text_guard,
        "image_guard": settings.image_guard,
        "llm": settings.llm,
        "embedding": settings.embedding,
    }
    return Runtime(CATALOG, build_config(settings), choices)


def _sandbox_config(settings: Settings) -> SandboxConfig:
    limits = SandboxLimits(
        seconds=settings.sandbox_seconds,
        memory=int(settings.sandbox_memory_mb * MB),
        disk=int(settings.sandbox_disk_mb * MB),
        output=settings.sandbox_output_kb * 1024,
        images=int(settings.sandbox_images_mb * MB),
        processes=settings.sandbox_processes,
    )
    return SandboxConfig(limits, settings.sandbox_at_once)


def _guard_config(settings: Settings) -> GuardConfig:
    key = settings.guard_api_key
    return GuardConfig(
        text=settings.text_guard,
        image=settings.image_guard,
        base_url=settings.guard_base_url,
        api_key=key.get_secret_value() if key else None,
        model=settings.guard_model,
        seconds=settings.guard_timeout_s,
        image_model=Path(settings.image_guard_model) if settings.image_guard_model else None,
    )


def _llm_config(settings: Settings) -> LlmConfig:
    key = settings.llm_api_key
    return LlmConfig(
        base_url=settings.llm_base_url,
        api_key=key.get_secret_value() if key else None,
        model=settings.llm_model,
        abilities=None if settings.llm_abilities is None else frozenset(settings.llm_abilities),
        context_tokens=settings.llm_context_tokens,
        gguf=Path(settings.llm_gguf) if settings.llm_gguf else None,
        max_tokens=settings.embedded_max_tokens,
        parallel=settings.llm_parallel,
        first_byte_s=settings.llm_first_byte_s,
        at_once=settings.llm_calls_at_once,
    )


def build_fetcher(settings: Settings) -> Fetcher:
    proxy = settings.fetch_proxy
    return Fetcher(
        FetchPolicy(
            allow=settings.fetch_allow,
            ports=settings.fetch_ports,
            proxy=proxy.get_secret_value() if proxy else None,
            total_timeout=settings.fetch_timeout_s,
            max_bytes=int(settings.max_fetch_mb * MB),
            cache_bytes=int(settings.fetch_cache_mb * MB),
        )
    )


def build_search(settings: Settings, fetcher: Fetcher) -> FallOver:
    """Raises ValueError for settings that do not fit together."""
    key = settings.search_api_key
    config = SearchConfig(settings.search_provider, settings.search_url, key.get_secret_value() if key else None)
    return FallOver(build_providers(config, fetcher))


def build_politeness(settings: Settings, fetcher: Fetcher) -> Politeness:
    """For the pages that a task finds or follows by itself."""
    policy = ScrapePolicy(
        robots=settings.scrape_robots,
        host_rps=settings.scrape_host_rps,
        host_concurrent=settings.scrape_host_concurrent,
    )
    return Politeness(fetcher, policy)


def build_files(settings: Settings) -> FileStore:
    limits = FileLimits(
        file_bytes=int(settings.max_file_mb * MB),
        owner_bytes=int(settings.max_files_mb * MB),
        owner_files=settings.max_files,
        ttl_s=settings.files_ttl_hours * 3600,
    )
    return FileStore(Storage(settings.files_dir), limits)


def build_loader(settings: Settings, fetcher: Fetcher, files: FileStore) -> MediaLoader:
    limits = MediaLimits(
        part_bytes=int(settings.max_part_mb * MB),
        fetch_bytes=int(settings.max_fetch_mb * MB),
        image_pixels=int(settings.max_image_megapixels * 1e6),
        decoded_bytes=int(settings.max_decoded_mb * MB),
        page_seconds=settings.max_page_seconds,
        pages=settings.max_pages,
        audio_seconds=settings.max_audio_minutes * 60,
        video_frames=settings.max_video_frames,
        sources=settings.max_sources,
        office_bytes=int(settings.max_office_mb * MB),
        cells=settings.max_cells,
        json_depth=settings.max_json_depth,
        text_chars=settings.max_text_chars,
        wording_chars=settings.max_wording_chars,
    )
    decoding = DecodeLimits(
        workers=settings.decode_workers,
        memory_bytes=int(settings.decode_memory_mb * MB),
        seconds=settings.decode_seconds,
    )
    return MediaLoader(fetcher, limits, decoding, files)


def build_browser(settings: Settings, fetcher: Fetcher) -> LateBrowser:
    """For pages that are empty without one."""

    def renderer(program: str) -> BrowserRenderer:
        policy = BrowserPolicy(program, settings.browser_timeout_s, settings.browser_pages)
        return BrowserRenderer(policy, fetcher.policy)

    return LateBrowser(settings.browser, renderer)
