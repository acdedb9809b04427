"""All settings, which are environment variables with the prefix OPENFAZE_, or lines of a `.env` file in the working
folder."""

import difflib
import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.state.counters import Period, Prices
from app.telemetry import LogFormat
from models.capability import SettingsT
from models.catalog import CATALOG
from models.cluster.plan import read_replicas
from models.setting_types import Address, CommaSeparated, Device, Profile, Split

PREFIX = "OPENFAZE_"
ENV_FILE = ".env"
ROOT = Path(__file__).parents[1]
"""Root of the clone, if openfaze runs from a clone."""
_FILLED = {"weights": "*", "files": "*/file-*.json"}
"""Patterns of files that show a folder to be in use. A mere folder `files` may be anybody's."""


def _origin(value: str) -> str:
    value = value.rstrip("/").lower()
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"'{value}' is not an origin, which is a scheme, a host and a port: https://app.example.com")
    return value


LEAST_SECRET = 16
"""Least number of characters of a secret."""


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret) < LEAST_SECRET:
        raise ValueError(
            f"a text of at least {LEAST_SECRET} characters, not of {len(secret)}: `openssl rand -base64 32` makes one"
        )
    return secret


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"'{value}' is neither an address nor a network, such as 172.18.0.2 or 10.0.0.0/8") from None


Origin = Annotated[str, AfterValidator(_origin)]
Network = Annotated[str, AfterValidator(_network)]


class Settings(BaseSettings):
    """Settings of the server. The settings of each capability are declared in its folder and added below; `of` finds
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

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs OPENFAZE_API_KEYS or OPENFAZE_KEYS_FILE, or OPENFAZE_OPEN=1."""
    port: int = Field(default=8000, ge=0, le=65535)
    """TCP port; 0 takes a free one."""
    open: bool = False
    """Serve beyond loopback without keys, to anyone who can connect."""
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode, Split] = ()
    """Comma-separated keys; a client sends one as `Authorization: Bearer <key>`. No key is asked for without these and
    OPENFAZE_KEYS_FILE."""
    keys_file: str | None = None
    """A TOML file of hashed keys with names, which `openfaze keys` writes; read again when it changes."""
    max_wrong_keys: int = Field(default=30, ge=1)
    """Wrong keys that may come from one address in a minute; beyond, none is looked at but those that opened from there
    before. Behind a proxy that OPENFAZE_TRUSTED_PROXIES does not name, all callers have its address."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, Split] = ()
    """Comma-separated addresses or CIDRs of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count: a caller is
    the last address there that is none of these. Unset: a caller is whoever connects."""
    default_requests_per_minute: int | None = Field(default=None, ge=1)
    """Requests a minute of each key that has no limit of its own (`openfaze keys set`)."""
    default_tokens_per_minute: int | None = Field(default=None, ge=1)
    """The same of tokens, of prompts and answers together."""
    default_concurrent: int | None = Field(default=None, ge=1)
    """Requests of each such key that run at a time."""
    default_budget_usd: float | None = Field(default=None, ge=0, le=1_000_000)
    """Dollars that each such key may use, by OPENFAZE_PRICES."""
    default_budget_period: Period = "month"
    """What that budget is for: a `day` or a `month` by the calendar (UTC), or `total`."""
    default_tasks: CommaSeparated = ()
    """Comma-separated tasks that each such key may run (`ocr,chat`; `chat` is the full model); unset: all."""
    prices: str = "input=1.50,output=3.50"
    """Dollars a million tokens of prompts and of answers, for keys with a budget."""
    state_url: SecretStr | None = None
    """Where is counted what keys use: `sqlite:///path`, or `redis://…` for several servers that keep one count. Unset:
    `state/counters.sqlite`, beside OPENFAZE_FILES_DIR."""
    state_down: Literal["refuse", "allow"] = "refuse"
    """What becomes of requests of limited keys while that cannot be reached: `refuse` with 503, or `allow` all."""
    playground: bool = True
    """The page at `/`, where a browser shows what the server sees; `off` removes it."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Logs go to stderr and never hold what a request says. `debug` adds exceptions' messages."""
    log_format: LogFormat = "auto"
    """`json`: a JSON object a line; `console`: lines for people; `auto`: for people on a terminal, else JSON."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """TCP port for `/metrics`, without a key, at OPENFAZE_HOST; 0 takes a free one. Unset: `/metrics` is a route like
    every other, and needs a key."""
    traces_url: Address | None = None
    """A collector of OpenTelemetry's that takes traces over HTTP, such as http://localhost:4318. Unset: no
    traces."""
    traces_content: bool = False
    """Whether traces hold what LLMs are asked and answer; never where a request has `x-interfaze-zdr`."""

    personal_data: Literal["block", "redact"] = "block"
    """What `S7` does where a request's guard asks for it: `block`, as every code; `redact`: besides, e-mail addresses,
    numbers of telephones, cards and accounts, and national ids are replaced by placeholders (docs/redaction.md)."""
    profile: Profile | None = None
    """What `auto` prefers: engines whose weights come in packages (`embedded`), that were pulled (`standard`), or that
    want a card (`gpu`, which loads at start what runs there, and tries it). Unset: `gpu` where there is a card, else
    `standard`."""
    device: Device = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:1`: where engines run. Of what `cuda` asks for, nothing is computed on the CPU
    instead."""
    threads: int = Field(default=0, ge=0)
    """CPU threads an engine computes with; 0: as many as this process may use."""
    weights_dir: str = Field(default="", validate_default=True)
    """Where pulled weights live; `openfaze pull` writes there. Unset: the folder `weights` of the clone that openfaze
    runs from, or of the user's data folder (`~/.local/share/openfaze`)."""
    auto_pull: bool = True
    """Fetch weights of up to 100 MB at their engine's first use; 0 leaves that to `openfaze pull`."""
    preload: CommaSeparated = ()
    """Comma-separated capabilities to load at start (`ocr`); others load at their first use."""
    idle_unload_s: float = Field(default=0, ge=0)
    """Seconds without work after which an engine's weights leave memory; 0 keeps them."""
    card_mb: int = Field(default=0, ge=0)
    """Megabytes of each card that the engines of this process may keep together: one that is asked for has those leave
    that were used least lately; 0: all that the card has free."""
    max_queue: int = Field(default=128, ge=1)
    """Pages that may wait for an engine; one more is answered with 503 and Retry-After."""
    cluster: Literal["local", "ray"] = "local"
    """Where engines compute: in the server's process (`local`), or in processes of their own, which Ray Serve runs on
    one machine or several (`ray`; docs/cluster.md). Needs the extra `ray`."""
    ray_address: str = ""
    """A Ray cluster that is there, `host:port` or `auto`. Unset: one of this server's own, on its machine, which ends
    with it."""
    ray_replicas: str = "1-2"
    """Replicas of each engine, the least and the most, and of those of single capabilities: `1-2,ocr=2-8`."""
    ray_cpus: float = Field(default=0, ge=0)
    """Processors that a replica reserves on a cluster: one goes only where so many are left; 0: anywhere."""
    ray_card_mb: int = Field(default=24_000, ge=1000)
    """Megabytes of a card of the cluster: of one, an engine reserves the part that it declares (docs/gpu.md)."""
    ray_object_store_mb: int = Field(default=512, ge=80)
    """Megabytes of shared memory by which pictures and sound reach replicas, of a cluster of this server's own."""
    ray_start_s: float = Field(default=120, gt=0)
    """Seconds that replicas may take until they answer; then requests for their engine get 503."""
    ray_scale_s: float = Field(default=3, gt=0)
    """Seconds of more work than the replicas keep up with until one is added; after ten times as long with less, one
    goes."""
    key_share: float = Field(default=0.5, gt=0, le=1)
    """The part that one key may have of whatever is bounded (places in an engine's queue, scripts, connections, calls
    of the LLM); more of its work waits, or is answered with 429 and Retry-After. Without keys one caller has all."""

    max_request_mb: float = Field(default=128, gt=0)
    """Megabytes (2^20 bytes) of a request's body."""
    large_bodies_at_once: int = Field(default=8, ge=1)
    """Bodies over a megabyte that are read at a time; others wait at their clients."""
    max_part_mb: float = Field(default=20, gt=0)
    """Megabytes of one data URL or base64 part, decoded."""
    max_fetch_mb: float = Field(default=80, gt=0)
    """Megabytes of one fetched URL."""
    max_image_megapixels: float = Field(default=64, gt=0)
    """Megapixels of one image, by its header, before it is decoded."""
    max_pages: int = Field(default=200, ge=1)
    """Pages of a document that one request may read."""
    pages_at_once: int | None = Field(default=None, ge=1)
    """Pages of one request that are read side by side. Unset: 4, on a cluster 4 for each replica that may read them."""
    max_page_seconds: float = Field(default=20, gt=0)
    """Seconds that reading or drawing one page of a PDF may take, or opening it."""
    max_decoded_mb: float = Field(default=1024, gt=0)
    """Megabytes of decoded pictures in the whole server at a time; more wait, at last for a 503."""
    decode_workers: int = Field(default=2, ge=0)
    """Processes that decode PDF, TIFF, HEIC, audio, video and office files. 0: a thread of the server's own does."""
    decode_memory_mb: float = Field(default=2048, ge=256)
    """Megabytes that such a process may take (Linux)."""
    decode_seconds: float = Field(default=60, gt=0)
    """Seconds after which such a process is ended, and its file refused."""
    max_audio_minutes: float = Field(default=240, gt=0)
    """Minutes of one recording, counted while it is decoded."""
    max_video_frames: int = Field(default=16, ge=1, le=256)
    """Frames that are taken from one video, for OCR and for an LLM that sees."""
    max_office_mb: float = Field(default=256, gt=0)
    """Megabytes that one office file may unpack to, counted while it is unpacked."""
    max_cells: int = Field(default=1_000_000, ge=1)
    """Cells of one workbook, without empty ones."""
    max_text_chars: int = Field(default=20_000_000, ge=1)
    """Characters of one text, office or HTML file."""
    max_wording_chars: int = Field(default=20_000, ge=1000)
    """Characters of a request's text, at its beginning and its end, in which is looked for what it asks for."""
    max_evidence_chars: int = Field(default=200_000_000, ge=1000)
    """Characters of text that the fields of one answer are compared with for evidence, each field with all of it."""
    max_json_depth: int = Field(default=200, ge=1)
    """Lists and objects within each other in a JSON file."""
    max_sources: int = Field(default=16, ge=1)
    """Inputs (parts and URLs) of one request."""
    max_total_mb: float = Field(default=256, gt=0)
    """Megabytes of all inputs of one request together, decoded or fetched."""
    max_json_values: int = Field(default=200_000, ge=1000)
    """Values (numbers, strings, lists, objects) in a large body: parsed, each may take a hundred times its bytes."""
    files_dir: str = Field(default="", validate_default=True)
    """Where uploaded files are kept: a folder, or an fsspec URL such as `s3://bucket/prefix`. Unset: the folder
    `files`, found as OPENFAZE_WEIGHTS_DIR is."""
    max_file_mb: float = Field(default=512, gt=0)
    """Megabytes of one uploaded file."""
    max_files: int = Field(default=10_000, ge=1)
    """Uploaded files that one key may have."""
    max_files_mb: float = Field(default=10_240, gt=0)
    """Megabytes of all files that one key has uploaded."""
    files_ttl_hours: float = Field(default=720, ge=0)
    """Hours after which an uploaded file is deleted; 0 keeps files until they are deleted."""
    responses_ttl_hours: float = Field(default=720, ge=0)
    """Hours for which responses are kept whose request does not say `"store": false`; 0 keeps none."""
    max_response_mb: float = Field(default=64, gt=0)
    """Megabytes of one response with its input; a larger one is answered and not kept."""
    max_responses_mb: float = Field(default=1024, gt=0)
    """Megabytes of all responses of one key in SQLite, as compressed; those that were used least lately leave first."""
    max_batches: int = Field(default=100, ge=1)
    """Batches of one key that are not over."""
    max_batch_lines: int = Field(default=50_000, ge=1)
    """Lines of a batch's file."""
    max_batch_line_mb: float = Field(default=32, gt=0)
    """Megabytes of one line."""
    batch_lines_at_once: int = Field(default=8, ge=1)
    """Lines of batches that run at a time, at most; how many there are follows how well it goes."""
    batch_idle_requests: int = Field(default=0, ge=0)
    """Requests beside which so many lines run; while there are more, one line runs at a time."""
    batch_webhook_url: Address | None = None
    """What is told by POST that a batch has ended; on a private network, OPENFAZE_FETCH_ALLOW has to name it."""
    batch_webhook_secret: SecretStr | None = None
    """Signs what is sent there, as Standard Webhooks has it: any text, or `whsec_` and base64."""
    cache: Literal["off", "exact", "verified"] = "off"
    """Whether answers are kept for the same request of the same key (`exact`), and for a question that means the same
    where that has been verified (`verified`)."""
    cache_url: SecretStr | None = None
    """Where they are kept: `sqlite:///path`, or `redis://…` for several servers. Unset: `cache/answers.sqlite`, beside
    OPENFAZE_FILES_DIR."""
    cache_max_error: float = Field(default=0.01, ge=0, le=0.2)
    """The share of wrong answers that `verified` bears among those near a kept question; 0: no other words hit."""
    cache_max_mb: float = Field(default=1024, gt=0)
    """Megabytes of answers in SQLite, as compressed; those that were used least lately leave first. Redis has its own
    bound (`maxmemory`)."""
    cache_max_entry_mb: float = Field(default=16, gt=0)
    """Megabytes of one answer; larger ones are not kept."""
    cache_max_age_hours: float = Field(default=24, gt=0)
    """Hours for which an answer is kept; five minutes at most for what was searched for or scraped."""
    cache_secret: Annotated[SecretStr, AfterValidator(_long_enough)] | None = None
    """Encrypts what is kept (AES-256-GCM): a random text of 16 characters or more, the same for all servers that share
    a cache."""
    search_provider: CommaSeparated = ("auto",)
    """Who searches the web, comma-separated, the next where one fails: `searxng`, `brave`, `tavily`, `serper`, `ddgs`;
    or `auto`: those that are set up, in this order; or `off`."""
    search_url: Address | None = None
    """A SearXNG for it that answers in JSON, on a private network too; clients cannot reach it by this."""
    search_api_key: SecretStr | None = None
    """The key of the hosted provider that is named, or `brave=…,tavily=…` for several."""
    tool_calls_at_once: int = Field(default=8, ge=1)
    """Specialists that run at a time for the calls of one request's LLM."""
    max_tool_calls_a_round: int = Field(default=16, ge=1)
    """Specialists that one answer of the LLM may call; it is told that further calls were not run."""
    max_tool_calls: int = Field(default=32, ge=1)
    """The same in one request."""
    request_timeout_s: float = Field(default=300, gt=0, le=900)
    """Seconds that one request may take."""
    mcp: bool = True
    """Serve the Model Context Protocol at `/mcp`."""
    mcp_hosts: CommaSeparated = ()
    """Comma-separated names by which `/mcp` may be called (`gpu.example.com`), without ports. Unset: any, where there
    are keys or OPENFAZE_OPEN=1; else names of this machine alone."""
    mcp_max_mb: float = Field(default=4, gt=0, le=64)
    """Megabytes of a request to `/mcp`; what is larger is uploaded to `/v1/files` and named by its id."""
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, Split] = ()
    """Comma-separated origins (`https://app.example.com`) whose pages may call the server in browsers; none without."""
    max_connections: int = Field(default=1000, ge=1)
    """Connections at a time; those that wait for a request make room for new ones, the oldest first."""
    max_connections_per_address: int = Field(default=500, ge=1)
    """The same from one address. Behind a proxy all connections have its address."""
    max_head_kb: int = Field(default=64, ge=1)
    """Kilobytes (1024 bytes) of a request's first line and headers; more is answered with 431."""
    head_timeout_s: float = Field(default=10, gt=0)
    """Seconds that the head of a request may take to come."""
    keep_alive_s: float = Field(default=75, gt=0)
    """Seconds that a connection may idle between two requests."""
    min_rate_kb: float = Field(default=4, ge=0)
    """Kilobytes a second at which bodies come and answers are taken at least, over ten seconds; what is slower ends."""
    shutdown_grace_s: int = Field(default=30, ge=0)
    """Seconds that a stop may take: running requests and streams may finish, except in the last quarter, at most 5 s,
    in which engines and stores are closed."""
    fetch_allow: CommaSeparated = ()
    """Comma-separated hosts (`wiki.lan:8000`), addresses or CIDRs that URLs may point to besides public addresses."""
    fetch_ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], NoDecode, Split] = (80, 443, 8080, 8443)
    """Comma-separated ports that URLs may name; what OPENFAZE_FETCH_ALLOW names is open on any port."""
    fetch_proxy: SecretStr | None = None
    """A proxy to fetch URLs through: `http://host:port` or `https://…`, with `user:password@` if it asks for them."""
    fetch_cache_mb: float = Field(default=64, ge=0)
    """Megabytes of memory for fetched answers that may be used again by HTTP's rules; 0 fetches again each time."""
    fetch_timeout_s: float = Field(default=30, gt=0)
    """Seconds that fetching one URL may take, redirects included."""
    scrape_robots: bool = True
    """Leave alone what a host's robots.txt closes to `openfaze`, of the pages that are scraped."""
    scrape_host_rps: float = Field(default=2, gt=0)
    """Pages a second that are scraped from one host; a longer Crawl-delay of its robots.txt counts, up to 10 s."""
    scrape_host_concurrent: int = Field(default=2, ge=1)
    """Pages that are scraped from one host at a time."""
    browser: str = "auto"
    """A Chromium for pages that are empty without: its path, `http://…` of its DevTools, `auto` (in PATH) or `off`."""
    browser_timeout_s: float = Field(default=20, gt=0)
    """Seconds that one page may take in the browser."""
    browser_pages: int = Field(default=2, ge=1)
    """Pages that are open in the browser at a time; more wait."""

    @field_validator("weights_dir", "files_dir")
    @classmethod
    def _found_wherever_it_starts(cls, value: str, info: ValidationInfo) -> str:
        return value or str(default_folder(f"{info.field_name}".removesuffix("_dir")))

    @field_validator("prices")
    @classmethod
    def _read_as_prices(cls, value: str) -> str:
        Prices.read(value)
        return value

    @field_validator("ray_replicas")
    @classmethod
    def _read_as_replicas(cls, value: str) -> str:
        for capability in read_replicas(value)[1]:
            if capability not in CATALOG:
                raise ValueError(f"there is no capability '{capability}'; there are: {', '.join(CATALOG)}")
        return value

    def of(self, kind: type[SettingsT]) -> SettingsT:
        """Return the settings of a capability."""
        assert isinstance(self, kind), f"{kind.__name__} is of no capability in the catalog"
        return self


DEVICES = {f"{name}_device": name for name, one in CATALOG.items() if any(engine.backend for engine in one.engines)}
"""Name of the capability, by its setting of a device. Only capabilities that a card can serve have one."""

if not TYPE_CHECKING:
    _own = dict.fromkeys(one.settings for one in CATALOG.values() if one.settings)
    _devices = {
        setting: (
            Device | None,
            Field(None, description=f"Where engines of `{name}` run, instead of OPENFAZE_DEVICE."),
        )
        for setting, name in DEVICES.items()
    }
    Settings = create_model("Settings", __base__=(*_own, Settings), __module__=__name__, **_devices)


def default_folder(name: str) -> Path:
    """Return the default folder of `weights` or `files`, the same wherever the server is started.

    While that folder does not exist, a folder in the working directory that an earlier version has filled stays in use.
    """
    home = ROOT if (ROOT / "pyproject.toml").is_file() else platformdirs.user_data_path("openfaze", appauthor=False)
    folder, here = home / name, Path.cwd() / name
    return here if not folder.exists() and any(here.glob(_FILLED[name])) else folder


def is_loopback(host: str) -> bool:
    """True for `localhost` and loopback addresses. Any other name is not trusted, because DNS would have to resolve
    it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def unknown_variables() -> list[str]:
    """Return a sentence for each OPENFAZE_ variable that is no setting, so that a typo does not go unnoticed."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    given = {*os.environ, *dotenv_values(ENV_FILE)}
    unknown = sorted(name for name in given if name.upper().startswith(PREFIX) and name.upper() not in known)
    return [f"{name} is not a setting{_guess(name.upper(), known)}" for name in unknown]


def _guess(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
