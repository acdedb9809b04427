"""Builds the parts of a server from its settings."""

from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog

from app.access.admission import AdmissionControl
from app.access.door import Door
from app.access.key_file import KeyFileError, known_task
from app.access.keys import ApiKeys, Defaults
from app.files.index import FileLimits
from app.files.storage import Storage
from app.files.store import FileStore
from app.settings import PREFIX, Settings, default_folder, is_loopback
from app.state.counters import NANO, CounterStore, Limits, Prices
from app.state.database import Database, parse_url, sqlite_url
from app.state.entries import Entries, EntryStore
from app.state.memory_counters import MemoryCounters
from app.state.responses import LARGEST_RESPONSE, ResponseStore
from app.state.sealing import Sealer
from app.state.sql_entries import SqlEntries
from app.state.tables import ANSWERS, CACHE, RESPONSES
from app.state.usage import UsageStore
from models.base import available_cpus
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.cluster.plan import ClusterConfig, read_replicas
from models.cluster.serve import cluster_of
from models.devices.device import CUDA, DRIVER
from models.hosts.workplace import Cluster
from models.runtime import Runtime
from models.safety.images.capability import IMAGE_GUARD
from models.safety.text.capability import TEXT_GUARD
from models.setting_types import GPU, OFF, STANDARD, read_devices
from models.workers.memory import memory_of_machine
from models.workers.pool import WorkerLimits, Workers
from tasks.guardrails import Guardrails
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.fetch.politeness import Politeness, ScrapePolicy
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.loader import DECODERS, MediaLoader
from tasks.scrape.browser import BrowserPolicy, BrowserRenderer, LateBrowser
from tasks.search.failover import SearchFailover
from tasks.search.providers import SearchConfig, build_providers

RAY = "ray"
_PAGES_AT_ONCE = 4
"""Number of pages that are read at the same time. It is enough to keep the batches of one engine full."""
BODIES_AT_ONCE = 8
"""The bodies of all requests that run may together have as many bytes as this number of bodies of the largest size: a
gigabyte by default."""
BODY_BYTES = 128 * MB
"""A request's body has at most this size, in bytes; more if its parts may be larger than by default."""
LARGEST_ANSWER = 16 * MB
"""The cache keeps answers of at most this size, in bytes."""
CACHE_BYTES = 1024 * MB
"""A cache in a file has at most this size, compressed, in bytes. The oldest answers are deleted first."""
RESPONSES_BYTES = 1024 * MB
"""The stored responses of one key have at most this size, compressed, in bytes. The oldest are deleted first."""
WRONG_KEYS = 30
"""An address may send this many wrong keys a minute. Further ones are refused unchecked, unless this address has used
them before."""
LARGEST_INPUTS = 256 * MB
"""All inputs of a request together have at most this size, decoded or fetched, in bytes; more if one of them may."""
OWNER_FILES = 10_000
"""Largest number of uploaded files of one key."""
DECODER_BYTES = 2048 * MB
"""A process that opens files may take this much memory, in bytes: the largest picture, decoded and converted, takes
half of it."""
RAY_CARD_MB = 24_000
"""Megabytes of each card of a Ray cluster if OPENFAZE_CARD_MB is unset: Ray cannot tell how large the cards are."""
ENGINES_BYTES = 2048 * MB
"""Memory that worker processes leave to the server itself, in bytes: the embedded engines take 1 to 2 GB."""
MAX_QUEUE = 128
"""Largest number of inputs, such as pages, of one key that wait for an engine."""
FETCH_S = 30.0
"""Seconds that fetching one URL may take, redirects included; a tenth of a request's time if that is more."""


log = structlog.get_logger(__name__)


def without_keys(settings: Settings) -> Settings:
    """Return the settings of a command that answers only the user who runs it. It needs no keys, because it does not
    listen on OPENFAZE_HOST."""
    return settings.model_copy(update={"api_keys": (), "keys_file": None, "host": "127.0.0.1"})


def build_keys(settings: Settings) -> ApiKeys:
    """Return the API keys. Raises KeyFileError, and ValueError if a server without keys is to listen on an address
    other than loopback."""
    file = Path(settings.keys_file) if settings.keys_file else None
    keys = ApiKeys(
        (key.get_secret_value() for key in settings.api_keys),
        file,
        defaults=_defaults(settings),
        wrong_keys=WRONG_KEYS,
    )
    if not (keys.count or settings.open or is_loopback(settings.host)):
        refusal = f"{PREFIX}HOST: refusing to listen on {settings.host} without keys:"
        if file:
            raise KeyFileError(f"{refusal} {PREFIX}KEYS_FILE '{file}' holds none; `openfaze keys add NAME` makes one")
        raise ValueError(
            f"{refusal} set {PREFIX}API_KEYS or {PREFIX}KEYS_FILE, or {PREFIX}OPEN=1 to serve anyone who can connect"
        )
    return keys


def _defaults(settings: Settings) -> Defaults:
    """Return the limits and tasks that apply to a key where the file of keys states none. Raises ValueError."""
    try:
        tasks = frozenset(map(known_task, settings.default_tasks))
    except ValueError as error:
        raise ValueError(f"{PREFIX}DEFAULT_TASKS: {error}") from None
    budget = settings.default_budget_usd
    limits = Limits(
        settings.default_requests_per_minute,
        settings.default_tokens_per_minute,
        None,
        None if budget is None else round(budget * NANO),
    )
    return Defaults(limits, tasks or None)


def build_database(settings: Settings) -> Database:
    """Return the database that OPENFAZE_STATE_URL names. Raises ValueError."""
    setting = f"{PREFIX}STATE_URL"
    url = settings.state_url.get_secret_value() if settings.state_url else ""
    if not url:
        return Database(sqlite_url(state_folder(settings) / "state.sqlite"))
    if _is_redis(url):
        raise ValueError(
            f"{setting}: state is no longer kept in Redis: several servers share {setting}=postgresql://user:password@"
            f"host/database, and count rates in {PREFIX}RATES_URL={url.partition(':')[0]}://…"
        )
    parsed = parse_url(setting, url)
    if parsed.drivername != "sqlite" and settings.rates_url is None:
        log.warning("rates_not_shared", remedy=f"{PREFIX}RATES_URL=redis://… counts the rates of several servers once")
    return Database(parsed)


def build_counters(settings: Settings, usage: UsageStore) -> CounterStore:
    """Return the store of counters: in the Redis of OPENFAZE_RATES_URL, or else in memory. Raises ValueError."""
    if settings.rates_url is None:
        return MemoryCounters(usage)
    url = settings.rates_url.get_secret_value()
    if not _is_redis(url):
        raise ValueError(
            f"{PREFIX}RATES_URL: should be redis://host:port, but begins with '{url.partition(':')[0][:20]}'"
        )
    from app.state.redis_counters import RedisCounters

    return RedisCounters(url, usage)


def build_admission(settings: Settings, database: Database) -> AdmissionControl:
    """Return the control that admits requests by their keys' limits. Raises ValueError."""
    usage = UsageStore(database)
    counters = build_counters(settings, usage)
    return AdmissionControl(counters, usage, Prices.read(settings.prices), when_down=settings.state_down)


def has_cache(settings: Settings) -> bool:
    """True if a cache may hold answers: always if it is in Redis, and for a file if the file exists."""
    file = _cache_file(settings)
    return file is None or file.exists()


def state_folder(settings: Settings) -> Path:
    """Return the folder, next to the folder of uploads, for state that outlives the server's process."""
    return _beside_files(settings) / "state"


def _beside_files(settings: Settings) -> Path:
    """Return the parent of the folder of uploads, or of the default folder if uploads are not on a local disk."""
    local = not urlsplit(settings.files_dir).scheme
    return (Path(settings.files_dir) if local else default_folder("files")).resolve().parent


def build_door(settings: Settings) -> Door:
    body_bytes = BODIES_AT_ONCE * largest_body(settings)
    return Door(settings.concurrent, body_bytes, settings.request_timeout_s)


def build_config(settings: Settings) -> EngineConfig:
    device, devices = read_devices(settings.device)
    return EngineConfig(
        profile=settings.profile or (STANDARD if DRIVER.obstacle() else GPU),
        device=device,
        devices=devices,
        threads=settings.threads or (_threads_of_a_replica(settings) if settings.cluster == RAY else 0),
        weights_dir=Path(settings.weights_dir),
        max_queue=MAX_QUEUE,
        request_timeout_s=settings.request_timeout_s,
        call_deadline_s=settings.call_deadline_s,
        card_mb=settings.card_mb,
        own=(settings,),
    )


def build_workers() -> Workers:
    carried = (memory_of_machine() - ENGINES_BYTES) // DECODER_BYTES
    return Workers(WorkerLimits(max(1, min(available_cpus(), carried)), DECODER_BYTES), DECODERS)


def build_runtime(settings: Settings, workers: Workers | None = None) -> Runtime:
    """Return the runtime of the engines. Raises ValueError for an unknown engine, or for impossible settings of a
    cluster."""
    config = build_config(settings)
    chosen = {name: capability.choice(config) for name, capability in CATALOG.items() if capability.settings}
    return Runtime(CATALOG, config, chosen, cluster=build_cluster(settings), workers=workers)


def build_cluster(settings: Settings) -> Cluster | None:
    """Return the cluster that engines compute on, or None if they compute in this process. Raises ValueError."""
    if settings.cluster != RAY:
        return None
    common_device, devices = read_devices(settings.device)
    for device in (common_device, *devices.values()):
        if device.startswith(f"{CUDA}:"):
            raise ValueError(
                f"{PREFIX}DEVICE: '{device}' names a card by its number, but with {PREFIX}CLUSTER={RAY} "
                f"Ray chooses the card of each replica: write '{CUDA}'."
            )
    replicas, replicas_of = read_replicas(settings.ray_replicas)
    return cluster_of(
        ClusterConfig(
            address=settings.ray_address,
            replicas=replicas,
            replicas_of=replicas_of,
            cpus=settings.threads,
            card_mb=settings.card_mb or RAY_CARD_MB,
            drain_s=settings.shutdown_grace_s,
            stuck_s=settings.request_timeout_s,
            threads=settings.threads or _threads_of_a_replica(settings),
        )
    )


def _threads_of_a_replica(settings: Settings) -> int:
    """Return the number of processors that one replica gets if one engine runs its largest number of replicas on this
    machine."""
    return max(1, available_cpus() // read_replicas(settings.ray_replicas)[0].most)


def build_fetcher(settings: Settings) -> Fetcher:
    proxy = settings.fetch_proxy
    return Fetcher(
        FetchPolicy(
            allow=settings.fetch_allow,
            proxy=proxy.get_secret_value() if proxy else None,
            total_timeout=max(FETCH_S, settings.request_timeout_s / 10),
            max_bytes=int(settings.max_fetch_mb * MB),
        ),
    )


def build_search(settings: Settings, fetcher: Fetcher) -> SearchFailover:
    """Return the search. Raises ValueError for settings that do not fit together."""
    key = settings.search_api_key
    config = SearchConfig(settings.search_provider, settings.search_url, key.get_secret_value() if key else None)
    return SearchFailover(build_providers(config, fetcher))


def build_politeness(settings: Settings, fetcher: Fetcher) -> Politeness:
    """Return the rules for pages that a task finds by itself, or by following links."""
    policy = ScrapePolicy(
        robots=settings.scrape_robots,
        host_rps=settings.scrape_host_rps,
    )
    return Politeness(fetcher, policy)


def build_files(settings: Settings, database: Database) -> FileStore:
    limits = FileLimits(
        file_bytes=int(settings.max_file_mb * MB),
        owner_bytes=int(settings.max_files_mb * MB),
        owner_files=OWNER_FILES,
        ttl_s=settings.files_ttl_hours * 3600,
    )
    storage = Storage(settings.files_dir)
    if "files_dir" in settings.model_fields_set:  # servers need no uploads, so a bad default is allowed
        storage.check()
    return FileStore(storage, database, limits)


def build_loader(settings: Settings, fetcher: Fetcher, files: FileStore, workers: Workers) -> MediaLoader:
    limits = MediaLimits(
        part_bytes=int(settings.max_part_mb * MB),
        fetch_bytes=int(settings.max_fetch_mb * MB),
        image_pixels=int(settings.max_image_megapixels * 1e6),
        pages=settings.max_pages,
        pages_at_once=_pages_at_once(settings),
        audio_seconds=settings.max_audio_minutes * 60,
        sources=settings.max_sources,
    )
    return MediaLoader(fetcher, limits, workers, files)


def largest_body(settings: Settings) -> int:
    """Return the largest size of a request's body, in bytes: several of the largest parts fit, in base64."""
    return max(BODY_BYTES, int(4 * settings.max_part_mb * MB))


def largest_inputs(settings: Settings) -> int:
    """Return the largest size of all inputs of one request together, in bytes."""
    return max(LARGEST_INPUTS, int(settings.max_part_mb * MB), int(settings.max_fetch_mb * MB))


def _pages_at_once(settings: Settings) -> int:
    if settings.cluster != RAY:
        return _PAGES_AT_ONCE
    common, by_capability = read_replicas(settings.ray_replicas)
    return _PAGES_AT_ONCE * by_capability.get("ocr", common).most


def build_browser(settings: Settings, fetcher: Fetcher) -> LateBrowser:
    """Return the browser for pages that show nothing without one."""

    def renderer(program: str) -> BrowserRenderer:
        policy = BrowserPolicy(program)
        return BrowserRenderer(policy, fetcher.policy)

    return LateBrowser(settings.browser, renderer)


def build_entries(settings: Settings) -> Entries | None:
    """Return the entries of the cache, or None if no answers are kept. Raises ValueError for settings that cannot be
    used."""
    if settings.cache == OFF:
        return None
    return Entries(build_entry_store(settings), _build_sealer(settings))


def _build_sealer(settings: Settings, max_bytes: int = LARGEST_ANSWER) -> Sealer:
    """Return a sealer for values of up to `max_bytes`, by default for answers of the cache."""
    secret = settings.cache_secret.get_secret_value() if settings.cache_secret else None
    return Sealer(max_bytes, secret)


def build_responses(settings: Settings, database: Database) -> ResponseStore:
    """Return the store of responses."""
    store = SqlEntries(database, RESPONSES, RESPONSES_BYTES, per_tenant=True)
    sealer = _build_sealer(settings, LARGEST_RESPONSE)
    return ResponseStore(store, sealer, max_age_s=settings.responses_ttl_hours * 3600)


def _is_redis(url: str) -> bool:
    scheme, mark, _ = url.partition("://")
    return scheme in ("redis", "rediss", "unix") and bool(mark)


def build_guardrails(settings: Settings, runtime: Runtime, loader: MediaLoader) -> Guardrails:
    return Guardrails(
        partial(runtime.use_all, TEXT_GUARD),
        partial(runtime.use_all, IMAGE_GUARD),
        loader,
        seconds=EngineConfig(request_timeout_s=settings.request_timeout_s).first_byte_s,
    )


def build_entry_store(settings: Settings) -> EntryStore:
    """Return the store that OPENFAZE_CACHE_URL names. Raises ValueError."""
    url = _cache_url(settings)
    if _is_redis(url):
        from app.state.redis_entries import RedisEntries

        return RedisEntries(url)
    if file := _cache_file(settings):
        database = Database(sqlite_url(file), CACHE.create_all)
        return SqlEntries(database, ANSWERS, CACHE_BYTES, owns_database=True)
    raise ValueError(
        f"{PREFIX}CACHE_URL: should be sqlite:///path or redis://host:port, but begins with '{url.partition('://')[0][:20]}'"
    )


def _cache_file(settings: Settings) -> Path | None:
    """Return the file that OPENFAZE_CACHE_URL names, or the default file if this setting is unset; None for a URL that
    is not SQLite's."""
    url = _cache_url(settings)
    if not url:
        return _beside_files(settings) / "cache" / "answers.sqlite"
    scheme, _, path = url.partition(":///")
    return Path(unquote(path)) if scheme == "sqlite" and path else None


def _cache_url(settings: Settings) -> str:
    return settings.cache_url.get_secret_value() if settings.cache_url else ""
