"""Declaration of the capability `llm`: its engines, and how each is built."""

from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import NoDecode

from models.base import EngineSpec, EngineUnavailable
from models.capability import Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.devices.device import LLAMA_CPP
from models.hosts.workplace import CardMemory
from models.language.llm import CAUTION, Llm, LlmCall, TextDelta
from models.setting_types import EMBEDDED, STANDARD, ServerUrl, Split
from models.weights.files import WEIGHT_SETS

SMOLLM2_WEIGHTS = WEIGHT_SETS["smollm2-135m"]
QWEN3_4B_WEIGHTS = WEIGHT_SETS["qwen3-4b"]
CALLS_AT_ONCE = 256
"""Number of simultaneous calls to the LLM's server. Up to four times as many calls wait; further calls are refused."""
EMBEDDED_MAX_TOKENS = 512
"""An answer of an LLM on llama.cpp here ends after this many tokens if the request sets no `max_tokens`."""
_ABILITIES = ("vision", "tools", "json_schema")


def embedded_gguf(root: Path = Path("weights")) -> Path:
    """Return the path of SmolLM2-135M, below the weights directory `root` or in its package. Raises
    EngineUnavailable."""
    [gguf] = SMOLLM2_WEIGHTS.paths(root, "llm")
    return gguf


def _known_abilities(value: tuple[str, ...] | None) -> tuple[str, ...] | None:
    unknown = set(value or ()) - {*_ABILITIES}
    if unknown:
        raise ValueError(f"no ability '{min(unknown)}'; choose from: {', '.join(_ABILITIES)}")
    return value


class LlmSettings(OwnSettings):
    llm: str = "auto"
    """`openai-server`, `gguf`, `qwen3-4b`, `smollm2-135m` or `auto`."""
    llm_base_url: ServerUrl | None = None
    """An OpenAI-compatible server (vLLM, SGLang, llama.cpp, Ollama, or a hosted service)."""
    llm_api_key: SecretStr | None = None
    """API key of the LLM's server."""
    llm_model: str | None = None
    """Model of the LLM's server. Unset: the first that it lists."""
    llm_abilities: Annotated[tuple[str, ...] | None, NoDecode, Split, AfterValidator(_known_abilities)] = None
    """The model's abilities, of `vision`, `tools`, `json_schema`. Unset: openfaze finds them out."""
    llm_context_tokens: int | None = Field(default=None, ge=256)
    """Tokens of prompt and answer. Unset: as the server states; 4096 on llama.cpp here, 2048 for `smollm2-135m`."""
    llm_gguf: Path | None = None
    """A file to run on llama.cpp here."""


def _server_remedy(config: EngineConfig) -> str | None:
    if config.of(LlmSettings).llm_base_url is None:
        return "Set OPENFAZE_LLM_BASE_URL to an OpenAI-compatible server."
    return None


def _build_server(config: EngineConfig) -> Built:
    from models.language.openai_http import ServerPatience
    from models.language.openai_probe import KnownAbilities
    from models.language.openai_server import OpenAiServer

    chosen = config.of(LlmSettings)
    known = KnownAbilities()
    if chosen.llm_abilities is not None:
        known["vision"] = "vision" in chosen.llm_abilities
        known["tools"] = "tools" in chosen.llm_abilities
        known["json_schema"] = "json_schema" in chosen.llm_abilities
    if chosen.llm_context_tokens is not None:
        known["context_tokens"] = chosen.llm_context_tokens
    server = OpenAiServer(
        chosen.llm_base_url or "",
        chosen.llm_api_key.get_secret_value() if chosen.llm_api_key else None,
        chosen.llm_model,
        abilities=known,
        patience=ServerPatience(first_byte_s=config.first_byte_s),
        at_once=CALLS_AT_ONCE,
    )
    return Built(server, (server,))


def _gguf_candidate(
    spec: EngineSpec,
    locate: Callable[[EngineConfig], Path],
    *,
    context_tokens: int = 4096,
    is_capable: bool = True,
    profile: str = EMBEDDED,
    card: CardMemory | None = None,
) -> Candidate:
    """Return the candidate for a model on llama.cpp here. `locate` raises EngineUnavailable if the model is
    missing; `context_tokens` bounds prompt and answer of a call, unless the operator sets another number; `is_capable`
    is the value of Llm's property of this name. An item of `card` is an answer that is written at the same time as
    others."""

    def remedy(config: EngineConfig) -> str | None:
        try:
            locate(config)
        except EngineUnavailable as error:
            return error.remedy
        return None if is_installed("xllamacpp") else "Install the package 'xllamacpp'."

    def build(config: EngineConfig) -> Built:
        from models.language.embedded import EmbeddedLlm

        chosen = config.of(LlmSettings)
        llm = EmbeddedLlm(
            locate(config),
            context_tokens=chosen.llm_context_tokens or context_tokens,
            max_tokens=EMBEDDED_MAX_TOKENS,
            threads=config.threads,
            n_gpu_layers=0 if config.device == "cpu" else -1,
            is_capable=is_capable,
        )
        return Built(llm, (llm,))

    caution = None if is_capable else CAUTION
    return Candidate(spec, remedy, build, backend=LLAMA_CPP, profile=profile, card=card, caution=caution)


def _own_gguf(config: EngineConfig) -> Path:
    gguf = config.of(LlmSettings).llm_gguf
    if gguf is None:
        raise EngineUnavailable("llm", "Set OPENFAZE_LLM_GGUF to a model's file.")
    if not gguf.is_file():
        raise EngineUnavailable("llm", "The file that OPENFAZE_LLM_GGUF names does not exist.")
    return gguf


def _pulled_gguf(config: EngineConfig) -> Path:
    [gguf] = QWEN3_4B_WEIGHTS.paths(config.weights_dir, "llm")
    return gguf


OPENAI_SERVER = Candidate(
    EngineSpec("openai-server", "llm", "the server's", "on the server at OPENFAZE_LLM_BASE_URL"),
    _server_remedy,
    _build_server,
)

OWN_GGUF = _gguf_candidate(EngineSpec("gguf", "llm", "the model's", "the file OPENFAZE_LLM_GGUF"), _own_gguf)

QWEN3_4B = _gguf_candidate(
    EngineSpec("qwen3-4b", "llm", QWEN3_4B_WEIGHTS.licence, QWEN3_4B_WEIGHTS.comes_from),
    _pulled_gguf,
    profile=STANDARD,
    card=CardMemory(base=2500, item=600, items=4),
)

SMOLLM2 = _gguf_candidate(
    EngineSpec("smollm2-135m", "llm", SMOLLM2_WEIGHTS.licence, SMOLLM2_WEIGHTS.comes_from),
    lambda config: embedded_gguf(config.weights_dir),
    # The model reads 200 tokens per second. A larger context would only make callers wait longer for an answer about a
    # text that the model does not understand anyway.
    context_tokens=2048,
    is_capable=False,
    card=CardMemory(base=100, item=95, items=10),
)


async def _ask_the_llm(engines: Engines) -> str:
    llm = engines.use(LLM)
    call = LlmCall([{"role": "user", "content": "Say yes."}], options={"max_tokens": 8})
    async with aclosing(llm.stream(call)) as events:
        text = "".join([event.text async for event in events if isinstance(event, TextDelta)])
    abilities = await llm.abilities()
    can = ", ".join(name for name in _ABILITIES if getattr(abilities, name)) or "none"
    return f"{llm.name} answered with {len(text)} characters (abilities: {can})"


LLM: Capability[Llm] = Capability(
    "llm", (OPENAI_SERVER, OWN_GGUF, QWEN3_4B, SMOLLM2), _ask_the_llm, LlmSettings, order=150
)
