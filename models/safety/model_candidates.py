"""The guards of texts that are models of their own: one in this process, three kinds of them on servers."""

from functools import partial

from models.base import EngineSpec
from models.candidate import Built, Candidate, EngineConfig, is_installed
from models.host import EngineHost, HostLimits
from models.safety.dialect import Dialect, GptOssSafeguardDialect, LlamaGuardDialect, Qwen3GuardDialect

CAPABILITY = "text_guard"
REPOSITORY = "Qwen/Qwen3Guard-Gen-0.6B"
FOLDER = "qwen3guard"

_TEXTS_AT_ONCE = 8
_ON_SERVER = "on the server at OPENFAZE_GUARD_BASE_URL"
_DIALECTS: tuple[type[Dialect], ...] = (Qwen3GuardDialect, GptOssSafeguardDialect, LlamaGuardDialect)


def _qwen3guard_remedy(config: EngineConfig) -> str | None:
    from models.device import INSTALL

    if not (config.weights_dir / FOLDER / "config.json").is_file():
        missing = f"Run `hf download {REPOSITORY} --local-dir {FOLDER}` in the folder OPENFAZE_WEIGHTS_DIR."
        # The engine that comes with openfaze says what is missing where nobody asked for a better one.
        return missing if config.guard.text == QWEN3GUARD.spec.name else ""
    return None if is_installed("torch", "transformers") else INSTALL


def _build_qwen3guard(config: EngineConfig) -> Built:
    from models.safety.qwen3guard import HostedQwen3Guard, Qwen3Guard

    host = EngineHost(
        QWEN3GUARD.spec,
        partial(Qwen3Guard, config.weights_dir / FOLDER, device=config.device),
        HostLimits(max_batch=_TEXTS_AT_ONCE, max_queue=config.max_queue, idle_unload_s=config.idle_unload_s),
    )
    return Built(HostedQwen3Guard(host), (host,))


def _on_server(name: str, licence: str, dialect: type[Dialect]) -> Candidate:
    def remedy(config: EngineConfig) -> str | None:
        guard = config.guard
        if guard.base_url is None:
            return f"Set OPENFAZE_GUARD_BASE_URL to its server for '{name}'." if guard.text == name else ""
        if guard.text == name or (guard.model and dialect.family.search(guard.model)):
            return None
        # One of the servers' engines speaks for all of them.
        return _unknown_model(config) if dialect is _DIALECTS[0] else ""

    def build(config: EngineConfig) -> Built:
        from models.safety.server import ServerGuard

        guard = ServerGuard(name, dialect(), config.guard)
        return Built(guard, (guard,))

    return Candidate(EngineSpec(name, CAPABILITY, licence, _ON_SERVER), remedy, build)


def is_known_guard(model: str) -> bool:
    """Whether a server's name of its model tells which kind it is."""
    return any(dialect.family.search(model) for dialect in _DIALECTS)


def _unknown_model(config: EngineConfig) -> str:
    if is_known_guard(config.guard.model or ""):
        return ""
    return (
        "OPENFAZE_GUARD_MODEL names no Qwen3Guard, gpt-oss-safeguard or Llama Guard 3 or 4: set OPENFAZE_TEXT_GUARD to "
        "the kind of model at OPENFAZE_GUARD_BASE_URL."
    )


QWEN3GUARD = Candidate(
    EngineSpec(FOLDER, CAPABILITY, "Apache-2.0", f"the folder '{FOLDER}' ({REPOSITORY})"),
    _qwen3guard_remedy,
    _build_qwen3guard,
)
QWEN3GUARD_SERVER = _on_server("qwen3guard-server", "Apache-2.0", Qwen3GuardDialect)
GPT_OSS_SAFEGUARD_SERVER = _on_server("gpt-oss-safeguard-server", "Apache-2.0", GptOssSafeguardDialect)
LLAMA_GUARD_SERVER = _on_server("llama-guard-server", "Llama Community License", LlamaGuardDialect)
"""Its licence limits its use, and asks for a notice: it serves those alone who set up a server with it."""
