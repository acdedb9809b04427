"""All settings, which are environment variables with the prefix OPENFAZE_. `openfaze serve` also reads the file `.env`
in its working folder."""

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

from app.state.counters import Prices
from models.capability import SettingsT
from models.catalog import CATALOG
from models.cluster.plan import read_replicas
from models.devices.device import AUTO
from models.setting_types import CommaSeparated, Profile, ServerUrl, Split, read_devices

PREFIX = "OPENFAZE_"
ROOT = Path(__file__).parents[1]
"""Root of the clone, if openfaze runs from a clone."""
LEAST_SECRET = 16
"""A secret must have at least this many characters."""


def _check_origin(value: str) -> str:
    value = value.rstrip("/").lower()
    parts = urlsplit(value)
    # Web views of apps and extensions of browsers have schemes of their own: tauri://localhost.
    if not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
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


class Settings(BaseSettings):
    """All settings of the server. Those of a capability are declared in its folder and added below; `of` finds them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        # An empty variable counts as unset, because templates of .env have empty variables.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        defer_build=True,
        # Some values are secrets, and a traceback stays in a log.
        hide_input_in_errors=True,
    )

    # Address and limits of requests
    host: str = "127.0.0.1"
    """Address to listen on. Beyond loopback it needs keys, or OPENFAZE_OPEN=1."""
    port: int = Field(default=8000, ge=0, le=65535)
    """TCP port; 0: any that is free."""
    open: bool = False
    """`1`: serve anyone who can connect, beyond loopback and without keys."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, Split] = ()
    """Addresses or CIDRs of proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are trusted."""
    playground: bool = True
    """The page at `/`. `off` removes it."""
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, Split] = ()
    """Origins (`https://app.example.com`, `app://obsidian.md`) whose pages may call the server."""
    request_timeout_s: float = Field(default=300, gt=0, le=900)
    """Seconds of a request; a tenth of it to fetch a URL, four tenths for the LLM's first byte."""
    shutdown_grace_s: int = Field(default=30, ge=0)
    """Seconds that a stop may take; running requests may end in all but the last."""

    # Keys and budgets
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode, Split] = ()
    """Keys, sent as `Authorization: Bearer <key>`. Without these and a file of keys, clients need none."""
    keys_file: str | None = None
    """A TOML file of hashed keys, which `openfaze keys` writes and the server watches."""
    default_requests_per_minute: int | None = Field(default=None, ge=1)
    """Requests a minute of a key without its own limit."""
    default_tokens_per_minute: int | None = Field(default=None, ge=1)
    """Tokens a minute, of prompts and answers, of such a key."""
    concurrent: int = Field(default=256, ge=1)
    """Requests of a key, or without keys of an address, that run at a time; as many more wait."""
    default_budget_usd: float | None = Field(default=None, ge=0, le=1_000_000)
    """Dollars that such a key may spend in a month of the calendar (UTC)."""
    default_tasks: CommaSeparated = ()
    """Tasks of a key without a list of its own; `chat` is the full model. Unset: all."""
    prices: str = "input=1.50,output=3.50"
    """Dollars per million tokens, for budgets."""
    state_url: SecretStr | None = None
    """Database of uploads, batches, responses and the keys' usage: `sqlite:///path`, or for several servers
    `postgresql://user:password@host/database`. Unset: `state/state.sqlite` beside the files."""
    rates_url: SecretStr | None = None
    """Redis in which several servers count rates, running requests and budgets: `redis://…`. Unset: in memory."""
    state_down: Literal["refuse", "allow"] = "refuse"
    """While nothing can be counted, requests of limited keys get 503 (`refuse`) or are admitted (`allow`)."""

    # Personal data
    personal_data: Literal["block", "redact"] = "block"
    """Code `S7` refuses texts (`block`), or also replaces personal data by placeholders (`redact`)."""

    # Logs, metrics and traces
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is logged. `debug` adds the messages of exceptions; no level logs contents."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """TCP port for `/metrics`, without a key. Unset: on OPENFAZE_PORT, with a key."""
    traces_url: ServerUrl | None = None
    """An OpenTelemetry collector, such as http://localhost:4318."""
    traces_content: bool = False
    """`1` adds prompts and answers to traces."""

    # Engines
    profile: Profile | None = None
    """Engines that `auto` prefers: with weights from packages (`embedded`), pulled (`standard`), or for a card (`gpu`).
    Unset: `gpu` with a card, else `standard`."""
    device: str = AUTO
    """`auto`, `cpu`, `cuda` or `cuda:1`; for one capability: `cuda,object_detection=cpu`. `cuda` never falls back to
    the CPU."""
    threads: int = Field(default=0, ge=0)
    """CPU threads of an engine; 0: all, and half for an LLM."""
    weights_dir: str = Field(default="", validate_default=True)
    """Folder of pulled weights. Unset: `weights` in the clone, or in `~/.local/share/openfaze`."""
    preload: CommaSeparated = ()
    """Capabilities to load at start; others load at first use."""
    call_deadline_s: float = Field(default=120, ge=0)
    """Seconds of one call of an engine on a card, ten times as many on the CPU, after which the server ends, to be
    started again. 0: any time."""
    card_mb: int = Field(default=0, ge=0)
    """Megabytes of each card that engines take together, beside an LLM server on it. 0: the whole card; 24,000 on a Ray
    cluster."""

    # Several machines
    cluster: Literal["local", "ray"] = "local"
    """Engines compute in this process (`local`), or on [Ray Serve](cluster.md) (`ray`)."""
    ray_address: str = ""
    """A Ray cluster, `host:port` or `auto`. Unset: one is started here."""
    ray_replicas: str = "1-2"
    """Fewest and most replicas of an engine; for one capability: `1-2,ocr=2-8`."""

    # Inputs
    max_sources: int = Field(default=16, ge=1)
    """Inputs (parts and URLs) of a request."""
    max_part_mb: float = Field(default=20, gt=0)
    """Megabytes (2^20 bytes) of a data URL or base64 part, decoded; a request's body may have 128, or four times as
    many."""
    max_image_megapixels: float = Field(default=64, gt=0)
    """Megapixels of an image."""
    max_pages: int = Field(default=200, ge=1)
    """Pages that a request reads."""
    max_audio_minutes: float = Field(default=240, gt=0)
    """Minutes of a recording."""

    # Files, responses and batches
    files_dir: str = Field(default="", validate_default=True)
    """Uploaded files: a folder, or an fsspec URL such as `s3://bucket/prefix`. Unset: `files` beside the default
    weights."""
    max_file_mb: float = Field(default=512, gt=0)
    """Megabytes of an uploaded file."""
    max_files_mb: float = Field(default=10_240, gt=0)
    """Megabytes of all uploaded files of a key."""
    files_ttl_hours: float = Field(default=720, ge=0)
    """Hours that an uploaded file is kept; 0: until a client deletes it."""
    responses_ttl_hours: float = Field(default=720, ge=0)
    """Hours that a stored response is kept; 0: none is stored."""
    batch_lines_at_once: int = Field(default=8, ge=1)
    """Lines of batches that run at a time."""
    batch_webhook_url: ServerUrl | None = None
    """URL that gets a POST when a batch ends."""
    batch_webhook_secret: SecretStr | None = None
    """Secret that signs it by Standard Webhooks: any text, or `whsec_` and base64."""

    # The cache
    cache: Literal["off", "exact"] = "off"
    """`exact` answers repeated requests of a key from the cache."""
    cache_url: SecretStr | None = None
    """`sqlite:///path`, or `redis://…` for several servers. Unset: `cache/answers.sqlite` beside the files."""
    cache_secret: Annotated[SecretStr, AfterValidator(_check_length)] | None = None
    """Encrypts answers (AES-256-GCM); 16 characters or more, the same on all servers."""

    # The web
    fetch_allow: CommaSeparated = ()
    """Hosts (`wiki.lan:8000`), addresses or CIDRs that URLs may name in addition to public addresses."""
    fetch_proxy: SecretStr | None = None
    """Proxy for fetching: `http://user:password@host:port`."""
    max_fetch_mb: float = Field(default=80, gt=0)
    """Megabytes of a fetched URL."""
    scrape_robots: bool = True
    """`0` scrapes pages against their host's robots.txt."""
    scrape_host_rps: float = Field(default=2, gt=0)
    """Pages a second that are scraped from one host."""
    browser: str = "auto"
    """A Chromium for pages that need JavaScript: its path, the `http://…` address of its DevTools, `auto` or `off`."""
    search_provider: CommaSeparated = ("auto",)
    """Providers, tried in turn: `searxng`, `brave`, `tavily`, `serper`, `ddgs`. `auto`: all that are configured."""
    search_url: ServerUrl | None = None
    """A SearXNG that answers in JSON."""
    search_api_key: SecretStr | None = None
    """Key of the hosted provider, or `brave=…,tavily=…`."""

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

    @field_validator("device", "ray_replicas")
    @classmethod
    def _check_capabilities(cls, value: str, info: ValidationInfo) -> str:
        _, by_capability = read_devices(value) if info.field_name == "device" else read_replicas(value)
        if unknown := by_capability.keys() - CATALOG.keys():
            raise ValueError(f"there is no capability '{min(unknown)}'; choose from: {', '.join(CATALOG)}")
        return value

    def of(self, kind: type[SettingsT]) -> SettingsT:
        """Return the settings of a capability."""
        assert isinstance(self, kind), f"{kind.__name__} is of no capability in the catalog"
        return self


if not TYPE_CHECKING:
    _own = dict.fromkeys(one.settings for one in CATALOG.values() if one.settings)
    Settings = create_model("Settings", __base__=(*_own, Settings), __module__=__name__)


def default_folder(name: str) -> Path:
    """Return the default folder of `weights` or `files`, which does not depend on the working folder."""
    home = ROOT if (ROOT / "pyproject.toml").is_file() else platformdirs.user_data_path("openfaze", appauthor=False)
    return home / name


def is_loopback(host: str) -> bool:
    """True for `localhost` and loopback addresses. Any other name is not trusted, because only DNS could tell its
    address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


WITHOUT_EFFECT = ("AUTO_PULL",)
"""Settings of 0.1.0 that change nothing any more, but with which a server still starts, because they only forbade or
permitted what it no longer does: no set of weights is fetched at its first use."""


def unknown_variables(besides: Collection[str] = (), env_file: str | None = None) -> list[str]:
    """Return a sentence for each OPENFAZE_ variable, of the environment or `env_file`, that is neither a setting nor
    among `besides`, so that neither a typo nor a setting of an earlier version goes unnoticed."""
    known = {*map(str.upper, Settings.model_fields), *WITHOUT_EFFECT, *(name.removeprefix(PREFIX) for name in besides)}
    given = {*os.environ, *(dotenv_values(env_file) if env_file else ())}
    names = sorted(name for name in given if name.upper().startswith(PREFIX))
    unknown = [name for name in names if name.upper().removeprefix(PREFIX) not in known]
    return [f"{name} is not a setting{_guess(name.upper().removeprefix(PREFIX), known)}" for name in unknown]


def _guess(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"; did you mean {PREFIX}{close[0]}?" if close else ""
