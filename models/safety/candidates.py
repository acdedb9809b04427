"""The engines of the `text_guard` capability, and how each is put together."""

from models.base import EngineSpec
from models.candidate import Candidate, EngineConfig, Others
from models.language.minilm.engine import embedding_remedy
from models.safety.guard import TextGuard
from models.safety.model_candidates import (
    GPT_OSS_SAFEGUARD_SERVER,
    LLAMA_GUARD_SERVER,
    QWEN3GUARD,
    QWEN3GUARD_SERVER,
)


def _build_own(_: EngineConfig, others: Others) -> TextGuard:
    from models.safety.text.engine import OwnTextGuard
    from models.safety.text.head import load_head

    embedder = others.embedder()
    assert embedder is not None  # its remedy is this engine's
    return OwnTextGuard(embedder, load_head, others.guard_threads)


OWN = Candidate(
    EngineSpec("openfaze", "text_guard", "Apache-2.0", "inside openfaze, over the engine of 'embedding'"),
    lambda _: embedding_remedy(),
    over=_build_own,
    needs="embedding",
)

TEXT_GUARD = (QWEN3GUARD_SERVER, GPT_OSS_SAFEGUARD_SERVER, LLAMA_GUARD_SERVER, QWEN3GUARD, OWN)
