"""All settings, which are environment variables with the prefix OPENFAZE_, or lines of a `.env` file in the working
folder."""

import difflib
import ipaddress
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.state.counters import Period, Prices
from app.telemetry import LogFormat
from models.capability import OwnSettings, SettingsT
from models.catalog import CATALOG
from models.cluster.plan import read_replicas
from models.setting_types import Address, CommaSeparated, Device, Profile, Split

PREFIX = "OPENFAZE_"
ENV_FILE = ".env"
ROOT = Path(__file__).parents[1]
"""Root of the clone, if openfaze runs from a clone."""
_SIGNS_OF_USE = {"weights": "*", "files": "*/file-*"}
"""Patterns of files by which a folder of openfaze is recognised. Any other folder named `files` may belong to another
program."""
LEAST_SECRET = 16
"""A secret must have at least this many characters."""
DEVICES = {f"{name}_device": name for name, one in CATALOG.items() if any(engine.backend for engine in one.engines)}
"""Name of each capability that a card can serve, by the name of the setting for its device. Other capabilities have no
such setting."""
FORMER_SETTINGS = {
    "batch_idle_requests": "0 requests",
    "browser_pages": "2 pages",
    "browser_timeout_s": "20 s",
    "cache_max_entry_mb": "16 MB",
    "fetch_cache_mb": "64 MB",
    "head_timeout_s": "10 s",
    "large_bodies_at_once": "8 bodies of the largest size",
    "max_batch_line_mb": "32 MB",
    "max_batch_lines": "50,000 lines",
    "max_batches": "100 unfinished batches of a key",
    "max_cells": "1,000,000 cells",
    "max_connections": "4,000 connections",
    "max_embedded_chars": "1,000,000 characters",
    "max_evidence_chars": "200,000,000 characters",
    "max_extracted_spans": "6,000 spans",
    "max_guarded_mb": "1 MB",
    "max_head_kb": "64 kB",
    "max_inline_chars": "1,000,000 characters",
    "max_json_depth": "201 levels",
    "max_json_values": "50,000 values",
    "max_office_mb": "256 MB",
    "max_page_seconds": "20 s",
    "max_response_mb": "64 MB",
    "max_responses_mb": "1,024 MB",
    "max_series": "32 series",
    "max_series_points": "100,000 steps",
    "max_shared_responses_mb": "2,048 MB",
    "max_tool_calls": "32 calls",
    "max_tool_calls_a_round": "16 calls",
    "max_translate_chars": "1,000,000 characters",
    "max_video_frames": "16 frames",
    "max_wording_chars": "20,000 characters",
    "mcp_max_mb": "4 MB",
    "min_rate_kb": "4 kB/s",
    "pages_at_once": "4 pages, for each replica on a cluster",
    "ray_scale_s": "3 s",
    "ray_start_s": "120 s",
    "sandbox_disk_mb": "128 MB",
    "sandbox_images_mb": "8 MB",
    "sandbox_output_kb": "64 kB",
    "sandbox_processes": "32 processes",
    "responses_url": "the database of OPENFAZE_STATE_URL",
    "scrape_host_concurrent": "2 pages",
    "tool_calls_at_once": "8 calls",
}
"""Settings of earlier versions that are now constants, by name, with their values."""


def _check_origin(value: str) -> str:
    value = value.rstrip("/").lower()
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"'{value}' is not an origin, which is a scheme, a host and a port: https://app.example.com")
    return value


def _check_length(secret: SecretStr) -> SecretStr:
    if len(secret) < LEAST_SECRET:
        raise ValueError(
            f"a text of at least {LEAST_SECRET} characters, not of {len(secret)}: `openssl rand -base64 32` makes one"
        )
    return secret


def _normalise_network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"'{value}' is neither an address nor a network, such as 172.18.0.2 or 10.0.0.0/8") from None


Origin = Annotated[str, AfterValidator(_check_origin)]
Network = Annotated[str, AfterValidator(_normalise_network)]


class ServerSettings(OwnSettings):
    """Settings of the server's address, its interfaces and its connections."""

    host: str = "127.0.0.1"
    """Address to listen on. Addresses other than loopback require OPENFAZE_API_KEYS, OPENFAZE_KEYS_FILE or
    OPENFAZE_OPEN=1."""
    port: int = Field(default=8000, ge=0, le=65535)
    """TCP port. With 0, the system chooses a free port."""
    open: bool = False
    """`1` allows addresses other than loopback without keys: anyone who can connect is served."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, Split] = ()
    """Comma-separated addresses or CIDRs of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. The
    caller is the last address in `X-Forwarded-For` that is not one of these proxies. Unset: the caller is the address
    that connects."""
    playground: bool = True
    """The page at `/` on which people can try the tasks in a browser. `off` removes it."""
    mcp: bool = True
    """Serve the Model Context Protocol at `/mcp`."""
    mcp_hosts: CommaSeparated = ()
    """Comma-separated names by which `/mcp` may be called (`gpu.example.com`), without ports. Unset: any name if there
    are keys or OPENFAZE_OPEN=1, otherwise only names of this machine."""
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, Split] = ()
    """Comma-separated origins (`https://app.example.com`) whose pages may call the server in browsers. Unset: none."""
    request_timeout_s: float = Field(default=300, gt=0, le=900)
    """Seconds that one request may take."""
    max_request_mb: float = Field(default=128, gt=0)
    """Largest size of a request's body, in megabytes (2^20 bytes)."""
    keep_alive_s: int = Field(default=75, gt=0)
    """Seconds that a connection may be idle between two requests."""
    shutdown_grace_s: int = Field(default=30, ge=0)
    """Seconds that a stop may take. Running requests and streams may finish, except in the last quarter of this time
    (at most 5 s), in which engines and stores are closed."""


class KeySettings(OwnSettings):
    """Settings of API keys and their limits."""

    api_keys: Annotated[tuple[SecretStr, ...], NoDecode, Split] = ()
    """Comma-separated API keys. A client sends one as `Authorization: Bearer <key>`. If neither this nor
    OPENFAZE_KEYS_FILE is set, clients need no key."""
    keys_file: str | None = None
    """A TOML file of hashed keys with names, which `openfaze keys` writes. The server reads it again when it
    changes."""
    max_wrong_keys: int = Field(default=30, ge=1)
    """Largest number of wrong keys from one address per minute. Above it, only keys that this address has used before
    are checked. Behind a proxy that OPENFAZE_TRUSTED_PROXIES does not name, all callers have its address."""
    default_requests_per_minute: int | None = Field(default=None, ge=1)
    """Largest number of requests per minute for each key without a limit of its own (`openfaze keys set`)."""
    default_tokens_per_minute: int | None = Field(default=None, ge=1)
    """Largest number of tokens per minute, of prompts and answers together, for each key without a limit of its own."""
    concurrent: int = Field(default=256, ge=1)
    """Largest number of requests that each key without a limit of its own may run at a time; without keys, each
    address. As many more wait; further ones are answered with 429 and Retry-After."""
    default_budget_usd: float | None = Field(default=None, ge=0, le=1_000_000)
    """Budget in dollars, by OPENFAZE_PRICES, for each key without a budget of its own."""
    default_budget_period: Period = "month"
    """Period of OPENFAZE_DEFAULT_BUDGET_USD: a `day` or a `month` of the calendar (UTC), or `total`."""
    default_tasks: CommaSeparated = ()
    """Comma-separated tasks for each key without a list of its own (`ocr,chat`, where `chat` is the full model). Unset:
    all tasks."""
    prices: str = "input=1.50,output=3.50"
    """Prices in dollars per million tokens of prompts and of answers, for keys with a budget."""
    state_url: SecretStr | None = None
    """Database of uploads, batches, responses and the keys' usage: `sqlite:///path`, or
    `postgresql://user:password@host/database` for several servers. Unset: `state/state.sqlite`, next to
    OPENFAZE_FILES_DIR."""
    rates_url: SecretStr | None = None
    """Redis in which several servers count the rates, the running requests and the budgets of keys: `redis://…`. Unset:
    each server counts in its own memory."""
    state_down: Literal["refuse", "allow"] = "refuse"
    """Treatment of requests by limited keys while what they use cannot be counted, because OPENFAZE_RATES_URL or
    OPENFAZE_STATE_URL cannot be reached: `refuse` answers 503, `allow` admits all."""


class RedactionSettings(OwnSettings):
    """Settings of personal data."""

    personal_data: Literal["block", "redact"] = "block"
    """Effect of the code `S7` in a request's guard: `block` refuses unsafe texts, like every other code. `redact` also
    replaces e-mail addresses, telephone, card and account numbers and national ids by placeholders
    (docs/redaction.md)."""


class TelemetrySettings(OwnSettings):
    """Settings of logs, metrics and traces."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is logged. Logs go to stderr and never contain the content of requests. `debug` adds the
    messages of exceptions."""
    log_format: LogFormat = "auto"
    """Form of the log: `json` (one JSON object per line), `console` (lines for people) or `auto` (`console` on a
    terminal, otherwise `json`)."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """TCP port for `/metrics`, without a key, at OPENFAZE_HOST. With 0, the system chooses a free port. Unset:
    `/metrics` is on OPENFAZE_PORT and needs a key."""
    traces_url: Address | None = None
    """An OpenTelemetry collector that accepts traces over HTTP, such as http://localhost:4318. Unset: no traces."""
    traces_content: bool = False
    """`1` adds prompts and answers of LLMs to traces, except for requests with `x-interfaze-zdr`."""


class EngineSettings(OwnSettings):
    """Settings of all engines: where they compute, and their weights and memory."""

    profile: Profile | None = None
    """Engines that are tried first for each capability whose setting is `auto`: engines with weights from packages
    (`embedded`), also those with pulled weights (`standard`), or also those for a card (`gpu`, which loads and tests
    the engines at the start). Unset: `gpu` if there is a card, else `standard`."""
    device: Device = "auto"
    """Device of the engines: `auto`, `cpu`, `cuda` or `cuda:1`. With `cuda`, an engine never falls back to the CPU."""
    threads: int = Field(default=0, ge=0)
    """Number of CPU threads of an engine. 0 means all CPUs that this process may use; an LLM on llama.cpp here then
    uses half of them. `resemblyzer` always has one."""
    weights_dir: str = Field(default="", validate_default=True)
    """Folder of the weights that `openfaze pull` fetches. Unset: the folder `weights` of the clone that openfaze runs
    from, or of the user's data folder (`~/.local/share/openfaze`)."""
    auto_pull: bool = True
    """`1` fetches weights of up to 100 MB at their engine's first use. With `0`, only `openfaze pull` fetches
    weights."""
    preload: CommaSeparated = ()
    """Comma-separated capabilities to load at start (`ocr`). Other capabilities load at their first use."""
    idle_unload_s: float = Field(default=0, ge=0)
    """Seconds without work after which an engine's weights leave memory. 0 keeps them in memory."""
    card_mb: int = Field(default=0, ge=0)
    """Megabytes of each card that the engines of this process may occupy together. 0 means all free memory of the card.
    If a requested engine does not fit, the least recently used engines are unloaded."""
    max_queue: int = Field(default=128, ge=1)
    """Largest number of inputs, such as pages, that wait for an engine. Further inputs are answered with 503 and
    Retry-After."""


class ClusterSettings(OwnSettings):
    """Settings of engines on replicas (docs/cluster.md)."""

    cluster: Literal["local", "ray"] = "local"
    """Place where engines compute: the server's process (`local`), or separate processes, which Ray Serve runs on one
    or more machines (`ray`, see docs/cluster.md). Needs the extra `ray`."""
    ray_address: str = ""
    """Address of an existing Ray cluster, `host:port` or `auto`. Unset: the server starts a cluster on its own machine,
    which ends with the server."""
    ray_replicas: str = "1-2"
    """Smallest and largest number of replicas of each engine, and of the engines of single capabilities:
    `1-2,ocr=2-8`."""
    ray_cpus: float = Field(default=0, ge=0)
    """Number of processors that a replica reserves on a cluster. A replica starts only on a node with at least this
    many unreserved processors. 0 allows any node."""
    ray_card_mb: int = Field(default=24_000, ge=1000)
    """Megabytes of each of the cluster's cards. An engine reserves the part of a card that it declares
    (docs/gpu.md)."""
    ray_object_store_mb: int = Field(default=512, ge=80)
    """Megabytes of shared memory for sending pictures and sound to replicas, on a cluster that this server starts."""


class InputSettings(OwnSettings):
    """Settings of the inputs of a request: how large they may be, and how they are decoded."""

    max_sources: int = Field(default=16, ge=1)
    """Largest number of inputs (parts and URLs) of one request."""
    max_total_mb: float = Field(default=256, gt=0)
    """Largest size of all inputs of one request together, decoded or fetched, in megabytes."""
    max_part_mb: float = Field(default=20, gt=0)
    """Largest size of one data URL or base64 part after decoding, in megabytes."""
    max_image_megapixels: float = Field(default=64, gt=0)
    """Largest size of one image in megapixels. It is read from the image's header, before the image is decoded."""
    max_pages: int = Field(default=200, ge=1)
    """Largest number of pages of documents that one request may read."""
    max_audio_minutes: float = Field(default=240, gt=0)
    """Largest length of one recording in minutes, counted while it is decoded."""
    max_text_chars: int = Field(default=10_000_000, ge=1)
    """Largest number of characters of one text, office or HTML file. It also bounds all files of a request together,
    and all its messages together."""
    max_decoded_mb: float = Field(default=1024, gt=0)
    """Megabytes of decoded pictures in the whole server at a time. Further pictures wait, and are finally answered with
    503."""
    decode_workers: int = Field(default=0, ge=0)
    """Worker processes, which open files and read texts. 0: as many as processors."""
    decode_memory_mb: float = Field(default=2048, ge=256)
    """Megabytes of memory that a worker process may take (Linux)."""
    decode_seconds: float = Field(default=60, gt=0)
    """Seconds of a processor after which a job of a worker process is ended and its file is refused."""


class StorageSettings(OwnSettings):
    """Settings of what clients leave with the server: uploaded files, responses and batches."""

    files_dir: str = Field(default="", validate_default=True)
    """Storage of uploaded files: a folder, or an fsspec URL such as `s3://bucket/prefix`. Unset: the folder `files`,
    next to the default of OPENFAZE_WEIGHTS_DIR."""
    max_file_mb: float = Field(default=512, gt=0)
    """Largest size of one uploaded file, in megabytes."""
    max_files: int = Field(default=10_000, ge=1)
    """Largest number of uploaded files of one key."""
    max_files_mb: float = Field(default=10_240, gt=0)
    """Largest size of all uploaded files of one key together, in megabytes."""
    files_ttl_hours: float = Field(default=720, ge=0)
    """Hours after which an uploaded file is deleted. With 0, files are kept until a client deletes them."""
    responses_ttl_hours: float = Field(default=720, ge=0)
    """Hours for which responses are kept, unless their request has `"store": false`. 0 keeps none."""
    batch_lines_at_once: int = Field(default=8, ge=1)
    """Largest number of lines of batches that run at a time. The actual number falls while lines are refused, and rises
    again afterwards."""
    batch_webhook_url: Address | None = None
    """URL that gets a POST when a batch has ended. OPENFAZE_FETCH_ALLOW must name it if it is on a private network."""
    batch_webhook_secret: SecretStr | None = None
    """Secret that signs the webhook's requests according to Standard Webhooks: any text, or `whsec_` and base64."""


class CacheSettings(OwnSettings):
    """Settings of the cache of answers."""

    cache: Literal["off", "exact"] = "off"
    """Cache of answers. `exact` answers identical requests of the same key from the cache."""
    cache_url: SecretStr | None = None
    """Store of the cached answers: `sqlite:///path`, or `redis://…` for several servers. Unset: `cache/answers.sqlite`,
    next to OPENFAZE_FILES_DIR."""
    cache_max_mb: float = Field(default=1024, gt=0)
    """Largest size of the answers, compressed, in megabytes. The least recently used answers are deleted first. The
    answers in a Redis are bounded by its own `maxmemory`."""
    cache_max_age_hours: float = Field(default=24, gt=0)
    """Hours for which an answer is kept. An answer that depends on a web search or a scraped page is kept for at most
    five minutes."""
    cache_secret: Annotated[SecretStr, AfterValidator(_check_length)] | None = None
    """Secret that encrypts cached answers (AES-256-GCM): a random text of 16 characters or more, the same for all
    servers that share a cache."""


class WebSettings(OwnSettings):
    """Settings of fetching, scraping and searching the web."""

    fetch_allow: CommaSeparated = ()
    """Comma-separated hosts (`wiki.lan:8000`), addresses or CIDRs that URLs may point to in addition to public
    addresses."""
    fetch_ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], NoDecode, Split] = (80, 443, 8080, 8443)
    """Comma-separated ports that URLs may name. Hosts in OPENFAZE_FETCH_ALLOW may be reached on any port."""
    fetch_proxy: SecretStr | None = None
    """Proxy for fetching URLs: `http://host:port` or `https://…`, with `user:password@` if it requires them."""
    fetch_timeout_s: float = Field(default=30, gt=0)
    """Seconds that fetching one URL may take, redirects included."""
    max_fetch_mb: float = Field(default=80, gt=0)
    """Largest size of one fetched URL, in megabytes."""
    scrape_robots: bool = True
    """`1` leaves out pages whose robots.txt forbids scraping by `openfaze`."""
    scrape_host_rps: float = Field(default=2, gt=0)
    """Pages per second that are scraped from one host. A longer Crawl-delay in its robots.txt is obeyed, up to 10 s."""
    browser: str = "auto"
    """A Chromium for pages that are empty without a browser: its path, the `http://…` address of its DevTools, `auto`
    (found in PATH) or `off`."""
    search_provider: CommaSeparated = ("auto",)
    """Comma-separated providers of the web search, of which the next is tried if one fails: `searxng`, `brave`,
    `tavily`, `serper`, `ddgs`. `auto` stands for all configured providers in this order. `off` switches web search
    off."""
    search_url: Address | None = None
    """A SearXNG for the web search that answers in JSON. It may be on a private network, which clients still cannot
    reach."""
    search_api_key: SecretStr | None = None
    """Key of the hosted search provider, or `brave=…,tavily=…` for several."""


class Settings(
    ServerSettings,
    KeySettings,
    RedactionSettings,
    TelemetrySettings,
    EngineSettings,
    ClusterSettings,
    InputSettings,
    StorageSettings,
    CacheSettings,
    WebSettings,
    BaseSettings,
):
    """All settings, in groups. The settings of each capability are declared in its folder and added below; `of` finds
    them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        # An empty variable counts as unset, because templates of .env have empty variables.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        defer_build=True,
        # Some values are secrets, and a traceback stays in a log.
        hide_input_in_errors=True,
    )

    @field_validator("weights_dir", "files_dir")
    @classmethod
    def _default_folders(cls, value: str, info: ValidationInfo) -> str:
        return value or str(default_folder(f"{info.field_name}".removesuffix("_dir")))

    @field_validator("cache", mode="before")
    @classmethod
    def _check_cache(cls, value: object) -> object:
        if value == "verified":
            raise ValueError("'verified', answers to rephrased questions, was removed; choose 'exact' or 'off'")
        return value

    @field_validator("prices")
    @classmethod
    def _check_prices(cls, value: str) -> str:
        Prices.read(value)
        return value

    @field_validator("ray_replicas")
    @classmethod
    def _check_replicas(cls, value: str) -> str:
        for capability in read_replicas(value)[1]:
            if capability not in CATALOG:
                raise ValueError(f"there is no capability '{capability}'; choose from: {', '.join(CATALOG)}")
        return value

    def of(self, kind: type[SettingsT]) -> SettingsT:
        """Return the settings of a capability."""
        assert isinstance(self, kind), f"{kind.__name__} is of no capability in the catalog"
        return self


if not TYPE_CHECKING:
    _own = dict.fromkeys(one.settings for one in CATALOG.values() if one.settings)
    _devices = {
        setting: (
            Device | None,
            Field(None, description=f"Device of the engines of `{name}`, instead of OPENFAZE_DEVICE."),
        )
        for setting, name in DEVICES.items()
    }
    Settings = create_model("Settings", __base__=(*_own, Settings), __module__=__name__, **_devices)


def default_folder(name: str) -> Path:
    """Return the default folder of `weights` or `files`, which does not depend on the working folder.

    There is one exception: if an earlier version stored its data in the working folder and the default folder does not
    exist yet, the folder of this name in the working folder is returned.
    """
    home = ROOT if (ROOT / "pyproject.toml").is_file() else platformdirs.user_data_path("openfaze", appauthor=False)
    folder, earlier_folder = home / name, Path.cwd() / name
    return earlier_folder if not folder.exists() and any(earlier_folder.glob(_SIGNS_OF_USE[name])) else folder


def is_loopback(host: str) -> bool:
    """True for `localhost` and loopback addresses. Any other name is not trusted, because only DNS could tell its
    address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def unknown_variables(besides: Collection[str] = ()) -> list[str]:
    """Return a sentence for each OPENFAZE_ variable that is neither a setting nor among `besides`, so that neither a
    typo nor a setting of an earlier version goes unnoticed."""
    known = [*(PREFIX + name.upper() for name in Settings.model_fields), *besides]
    given = {*os.environ, *dotenv_values(ENV_FILE)}
    unknown = sorted(name for name in given if name.upper().startswith(PREFIX) and name.upper() not in known)
    return [f"{name} {_instead(name.upper(), known)}" for name in unknown]


def _instead(name: str, known_names: list[str]) -> str:
    if value := FORMER_SETTINGS.get(name.removeprefix(PREFIX).lower()):
        return f"is no longer a setting: the value is always {value}; remove the variable"
    return f"is not a setting{_guess(name, known_names)}"


def _guess(name: str, known_names: list[str]) -> str:
    close = difflib.get_close_matches(name, known_names, n=1)
    return f"; did you mean {close[0]}?" if close else ""
