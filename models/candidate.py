"""An engine that the catalog offers for a capability: when it can run, and how it is built."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from models.base import EngineSpec
from models.fair_executor import FairExecutor
from models.language.embedding import Embedder
from models.language.llm import Llm
from models.sandbox.script import SandboxLimits


@dataclass(frozen=True, slots=True)
class LlmConfig:
    base_url: str | None = None
    """Of an OpenAI-compatible server; None: the LLM runs in this process."""
    api_key: str | None = None
    model: str | None = None
    """As that server calls it; None: the first that it lists."""
    abilities: frozenset[str] | None = None
    """Which of `vision`, `tools` and `json_schema` it has; None: found out."""
    context_tokens: int | None = None
    """Prompt and answer together; None: as the server or the embedded default says."""
    gguf: Path | None = None
    """A model for the LLM in this process instead of the default one."""
    max_tokens: int = 512
    """Tokens of an answer of the LLM in this process whose caller sets no limit."""
    parallel: int | None = None
    """Answers that the LLM in this process writes at a time; None: as many as suit it."""
    first_byte_s: float = 120.0
    """How long that server may take to begin."""
    at_once: int = 256
    """Calls of that server at a time; others wait, those of each key in turn."""


@dataclass(frozen=True, slots=True)
class DetectionConfig:
    engine: str = "auto"
    """As the operator chose it: some engines serve only those who name them."""
    model: Path | None = None
    """A network of the operator's own."""


@dataclass(frozen=True, slots=True)
class GuiConfig:
    engine: str = "auto"
    """As the operator chose it: some engines serve only those who name them."""
    model: Path | None = None
    """OmniParser's icon detector."""


@dataclass(frozen=True, slots=True)
class GuardConfig:
    text: str = "auto"
    image: str = "auto"
    """As the operator chose them: some engines serve only those who name them."""
    base_url: str | None = None
    """Of an OpenAI-compatible server that runs a guard model."""
    api_key: str | None = None
    model: str | None = None
    """As that server calls it."""
    seconds: float = 20.0
    """How long that server may take to judge one window of a text."""
    image_model: Path | None = None
    """A network of the operator's own that judges pictures."""


@dataclass(frozen=True, slots=True)
class SpeechConfig:
    model: Path | None = None
    """A directory with a CTranslate2 Whisper model of the operator's own."""
    batch: int = 0
    """Windows of at most 30 s decoded together; 0: as many as suit the device."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    """Of one script."""
    at_once: int = 2
    """Scripts that run at a time."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What the operator chose for all engines."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:1`."""
    threads: int = 0
    """CPU threads an engine computes with; 0: as many as this process may use."""
    weights_dir: Path = Path("weights")
    auto_pull: bool = True
    """Whether small weights are fetched at their engine's first use."""
    max_queue: int = 64
    """Pages that may wait for an engine."""
    idle_unload_s: float | None = None
    ocr_language: str = "en"
    detection: DetectionConfig = field(default_factory=DetectionConfig)
    gui: GuiConfig = field(default_factory=GuiConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    diarization_model: Path | None = None
    """A copy of pyannote's diarization pipeline."""
    sandbox: SandboxConfig = field(default_factory=SandboxConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    llm: LlmConfig = field(default_factory=LlmConfig)


class Part(Protocol):
    """What can be loaded and closed: an EngineHost, an LLM."""

    @property
    def loaded(self) -> bool: ...

    @property
    def healthy(self) -> bool:
        """False when only a restart mends it."""

    async def load(self) -> None:
        """Raises ModelError."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Built:
    """A capability ready for use; its parts load at their first use."""

    service: Any
    """What tasks call: a PageReader for `ocr`, an Llm for `llm`."""
    parts: Sequence[Part]


class Others(Protocol):
    """What an engine may be made of besides weights of its own. These are loaded and closed as themselves."""

    def llm(self) -> Llm:
        """Raises EngineUnavailable."""

    def embedder(self) -> Embedder | None: ...

    @property
    def guard_threads(self) -> FairExecutor:
        """Where guards read texts."""


@dataclass(frozen=True, slots=True)
class Candidate:
    spec: EngineSpec
    remedy: Callable[[EngineConfig], str | None]
    """None when the engine can run here, else a sentence that says what is missing and what would provide it; empty
    where another engine's says enough. Looks, and loads nothing."""
    build: Callable[[EngineConfig], Built] | None = None
    """Of an engine with parts of its own."""
    over: Callable[[EngineConfig, Others], Any] | None = None
    """Of one that has none: its service, around the engine of the capability `needs`."""
    needs: str | None = None
    caution: str | None = None
    """A sentence that operators should know of what the engine answers."""


def is_installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)
