"""Every knob, once. Set by environment variables with the prefix OPENFAZE_, or a `.env` file beside the server."""

import difflib
import ipaddress
import os
from typing import Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "OPENFAZE_"
ENV_FILE = ".env"
CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs OPENFAZE_API_KEYS, or OPENFAZE_OPEN=1."""
    port: int = Field(default=8000, ge=0, le=65535)
    """TCP port; 0 takes a free one."""
    open: bool = False
    """Serve beyond loopback without keys, to anyone who can connect."""
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Comma-separated keys; a client sends one as `Authorization: Bearer <key>`. None: no key is asked for."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Logs are JSON lines on stderr and never hold what a request says. `debug` adds exceptions' messages."""

    ocr: str = "auto"
    """An OCR engine's name (docs/ocr.md lists them), or `auto`: the first that can run here."""
    ocr_language: str = "en"
    """The language whose recogniser an engine with one per language loads (PaddleOCR); others ignore it."""
    llm: str = "auto"
    """The orchestrating LLM: `openai-server`, `gguf`, `qwen3-4b`, `smollm2-135m`, or `auto`: the first that can run."""
    llm_base_url: str | None = None
    """An OpenAI-compatible server for the LLM (vLLM, SGLang, llama.cpp, Ollama, a hosted one)."""
    llm_api_key: SecretStr | None = None
    """The key for that server."""
    llm_model: str | None = None
    """The model as that server calls it; without, the first that it lists."""
    llm_abilities: Annotated[tuple[str, ...] | None, NoDecode] = None
    """Comma-separated, of `vision`, `tools`, `json_schema`: what that server's model can do. Unset: it is tried out."""
    llm_context_tokens: int | None = Field(default=None, ge=256)
    """Tokens of prompt and answer together. Unset: as that server says, 4096 for an LLM in this process."""
    llm_first_byte_s: float = Field(default=120, gt=0)
    """Seconds that that server may take to begin its answer."""
    llm_gguf: str | None = None
    """A GGUF file to run in this process on llama.cpp."""
    llm_parallel: int = Field(default=4, ge=1)
    """Answers that an LLM in this process writes at a time."""
    embedding: str = "auto"
    """The embedding engine, for routing and for trimming long results: `all-minilm-l6-v2` or `auto`."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:1`: where engines run."""
    threads: int = Field(default=0, ge=0)
    """CPU threads an engine computes with; 0: as many as this process may use."""
    weights_dir: str = "weights"
    """Where pulled weights live; `openfaze pull` writes there."""
    preload: CommaSeparated = ()
    """Comma-separated capabilities to load at start (`ocr`); others load at their first use."""
    idle_unload_s: float = Field(default=0, ge=0)
    """Seconds without work after which an engine's weights leave memory; 0 keeps them."""
    max_queue: int = Field(default=64, ge=1)
    """Pages that may wait for an engine; one more is answered with 503 and Retry-After."""

    max_request_mb: float = Field(default=128, gt=0)
    """Megabytes (2^20 bytes) of a request's body."""
    max_part_mb: float = Field(default=20, gt=0)
    """Megabytes of one data URL or base64 part, decoded."""
    max_fetch_mb: float = Field(default=80, gt=0)
    """Megabytes of one fetched URL."""
    max_image_megapixels: float = Field(default=64, gt=0)
    """Megapixels of one image, by its header, before it is decoded."""
    max_pages: int = Field(default=200, ge=1)
    """Pages of a document that one request may read."""
    max_page_seconds: float = Field(default=20, gt=0)
    """Seconds that drawing one page of a PDF may take."""
    max_sources: int = Field(default=16, ge=1)
    """Inputs (parts and URLs) of one request."""
    request_timeout_s: float = Field(default=300, gt=0, le=900)
    """Seconds that one request may take."""
    shutdown_grace_s: int = Field(default=30, ge=0)
    """Seconds that running requests and streams get to finish once the server is told to stop."""
    fetch_allow: CommaSeparated = ()
    """Comma-separated hosts or CIDRs that URLs may point to besides public addresses."""
    fetch_timeout_s: float = Field(default=30, gt=0)
    """Seconds that fetching one URL may take, redirects included."""

    @field_validator("api_keys", "preload", "fetch_allow", "llm_abilities", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("llm_abilities")
    @classmethod
    def _known_abilities(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        unknown = set(value or ()) - {"vision", "tools", "json_schema"}
        if unknown:
            raise ValueError(f"no ability '{min(unknown)}'; there are: vision, tools, json_schema")
        return value

    @model_validator(mode="after")
    def _needs_keys_beyond_loopback(self) -> Self:
        if not (self.api_keys or self.open or is_loopback(self.host)):
            raise ValueError(
                f"refusing to listen on {self.host} without keys: set {PREFIX}API_KEYS, "
                f"or {PREFIX}OPEN=1 to serve anyone who can connect"
            )
        return self


def is_loopback(host: str) -> bool:
    """True for `localhost` and loopback addresses; a name that needs DNS is not trusted to be one."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def unknown_variables() -> list[str]:
    """A sentence for each OPENFAZE_ variable that is no setting: a typo must not pass in silence."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    given = {*os.environ, *dotenv_values(ENV_FILE)}
    unknown = sorted(name for name in given if name.upper().startswith(PREFIX) and name.upper() not in known)
    return [f"{name} is no setting{_guess(name.upper(), known)}" for name in unknown]


def _guess(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
