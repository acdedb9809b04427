"""What the settings make: the parts that a server is put together from."""

from pathlib import Path

from app.access.key_file import KeyFileError
from app.access.keys import ApiKeys
from app.connections import ConnectionLimits
from app.files.storage import FileLimits, Storage
from app.files.store import FileStore
from app.settings import DEVICES, PREFIX, Settings, is_loopback
from models.capability import GPU, OFF, STANDARD, EngineConfig
from models.catalog import CATALOG
from models.device import DRIVER
from models.runtime import Runtime
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
        profile=settings.profile or (STANDARD if DRIVER.obstacle() else GPU),
        device=settings.device,
        devices={name: device for setting, name in DEVICES.items() if (device := getattr(settings, setting))},
        threads=settings.threads,
        weights_dir=Path(settings.weights_dir),
        auto_pull=settings.auto_pull,
        max_queue=settings.max_queue,
        idle_unload_s=settings.idle_unload_s or None,
        own=(settings,),
    )


def build_runtime(settings: Settings) -> Runtime:
    """Raises ValueError for an engine that the catalog does not know."""
    config = build_config(settings)
    chosen = {name: one.choice(config) for name, one in CATALOG.items() if one.settings}
    heeded = {name: choice for name, choice in chosen.items() if not (CATALOG[name].is_switch and choice == OFF)}
    return Runtime(CATALOG, config, heeded)


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
