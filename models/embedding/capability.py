"""Declaration of the capability `embedding`: its engines, and how each is built."""

from functools import partial

from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.devices.device import CPU, ONNXRUNTIME
from models.embedding.embedder import PassageEmbedder
from models.embedding.minilm_weights import SPEC as MINILM_SPEC
from models.embedding.minilm_weights import embedding_remedy
from models.embedding.multilingual_e5 import CARD as E5_CARD
from models.embedding.multilingual_e5 import SPEC as E5_SPEC
from models.embedding.multilingual_e5 import WEIGHTS as E5_WEIGHTS
from models.hosts.host import EngineHost
from models.setting_types import STANDARD

SENTENCES_AT_ONCE = 16


class EmbeddingSettings(OwnSettings):
    embedding: str = "auto"
    """`all-minilm-l6-v2`, `multilingual-e5-small`, `auto`, or `off`: no route, and no comparisons by meaning."""


def _build_minilm(config: EngineConfig) -> Built:
    from models.embedding.minilm import MiniLm, passages

    host = EngineHost(
        MINILM_SPEC,
        partial(MiniLm, config.weights_dir, threads=config.threads),
        config.limits(batch=SENTENCES_AT_ONCE),
    )
    return Built(PassageEmbedder(host, passages(config.weights_dir)), (host,))


def _e5_remedy(config: EngineConfig) -> str | None:
    if remedy := E5_WEIGHTS.remedy(config.weights_dir):
        return remedy
    missing = [name for name in ("onnxruntime", "tokenizers") if not is_installed(name)]
    return f"Install the package '{missing[0]}'." if missing else None


def _build_e5(config: EngineConfig) -> Built:
    from models.embedding.multilingual_e5 import MultilingualE5, passages

    device = ONNXRUNTIME.resolve(config.device)
    host = EngineHost(
        E5_SPEC,
        partial(MultilingualE5, config.weights_dir, device=device, threads=config.threads),
        config.limits(batch=SENTENCES_AT_ONCE if device == CPU else E5_CARD.items),
    )
    return Built(PassageEmbedder(host, passages(config.weights_dir)), (host,))


MINILM = Candidate(MINILM_SPEC, lambda config: embedding_remedy(config.weights_dir), _build_minilm)
"""Engine for openfaze's own comparisons, whichever engine the operator chose for `/v1/embeddings`, because openfaze's
weights and thresholds were made for the vectors of this engine."""

MULTILINGUAL_E5 = Candidate(E5_SPEC, _e5_remedy, _build_e5, backend=ONNXRUNTIME, profile=STANDARD, card=E5_CARD)


async def _compare_sentences(engines: Engines) -> str:
    sentences = ["A cat sits here.", "There is a cat sitting here.", "Taxes are due."]
    near, same, far = await engines.use(EMBEDDING).embed(sentences)
    # Only the ratio of the distances is checked, because some engines place all vectors near each other.
    if not 1 - near @ same < 0.5 * (1 - near @ far):
        raise BadResult(
            f"does not separate different sentences ({near @ far:.2f}) from similar ones ({near @ same:.2f})"
        )
    return f"similar sentences {near @ same:.2f}, different ones {near @ far:.2f}"


EMBEDDING: Capability[PassageEmbedder] = Capability(
    "embedding", (MINILM, MULTILINGUAL_E5), _compare_sentences, EmbeddingSettings, order=140
)
