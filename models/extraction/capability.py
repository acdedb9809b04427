"""Declares the capability `extraction`: the engines that fill the fields of a schema from texts."""

import asyncio
from functools import partial
from typing import Any

import numpy as np

from models.base import EngineSpec
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings
from models.embedding.minilm_weights import embedding_remedy
from models.extraction.network import ExtractionNetwork, FieldInputs, SpanInputs
from models.extraction.page_encoder import SPEC as PAGE_ENCODER_SPEC
from models.extraction.page_encoder import FieldReader, PageEncoder, Scores
from models.extraction.page_tokens import EncoderInput
from models.hosts.host import EngineHost

EXTRACTOR, BY_LLM = "extractor", "llm"


class ExtractionSettings(OwnSettings):
    extraction: str = "auto"
    """Filling of a schema: `extractor` copies fields, `llm` writes them; `auto` is `llm` with a capable LLM."""


def _build_extractor(_: EngineConfig) -> Built:
    return Built(ExtractionNetwork(), ())


def _build_page_encoder(config: EngineConfig) -> Built:
    host = EngineHost[EncoderInput, Scores](
        PAGE_ENCODER_SPEC,
        partial(PageEncoder, config.weights_dir, threads=config.threads),
        # The spans are scored and the fields' texts embedded in between, so a key has more than this half of the time.
        config.limits(batch=1),
    )
    return Built(FieldReader(host, config.weights_dir), (host,))


def _llm_remedy(config: EngineConfig) -> str | None:
    return None if config.of(ExtractionSettings).extraction == BY_LLM else ""


SPAN_NETWORK = Candidate(
    EngineSpec(EXTRACTOR, "extraction", "Apache-2.0", "inside openfaze"), lambda _: None, _build_extractor
)
PAGE_ENCODER = Candidate(PAGE_ENCODER_SPEC, lambda config: embedding_remedy(config.weights_dir), _build_page_encoder)
"""Engine that reads pages for SPAN_NETWORK, which does without it where all-MiniLM-L6-v2 is missing."""
BY_THE_LLM = Candidate(
    EngineSpec(BY_LLM, "extraction", "the LLM's", "the LLM of OPENFAZE_LLM"),
    _llm_remedy,
    lambda _: Built(None, ()),
)


async def _score_two_spans(engines: Engines) -> str:
    network = engines.use(EXTRACTION)
    if network is None:
        return "left to the LLM"
    scores = await asyncio.to_thread(network.scores, *_two_spans(network))
    if not np.isfinite(scores).all():
        raise BadResult("its scores are not numbers")
    return f"scored {scores.shape[1] - 1} pieces for {scores.shape[0]} field"


def _two_spans(network: ExtractionNetwork) -> tuple[SpanInputs, FieldInputs]:
    still, kinds, named = network.sizes
    pieces = SpanInputs(
        np.zeros((2, still), np.float32),
        np.full((2, network.SLOTS), -1, np.int32),
        np.zeros((2, 2), np.int32),
        np.eye(1, network.WIDTH, dtype=np.float32),
    )
    questions = FieldInputs(
        np.zeros((1, kinds), np.float32), np.zeros((1, network.WIDTH), np.float32), np.zeros((1, 2, named), np.float32)
    )
    return pieces, questions


EXTRACTION: Capability[ExtractionNetwork | None] = Capability(
    "extraction", (SPAN_NETWORK, BY_THE_LLM), _score_two_spans, ExtractionSettings, order=145
)


def field_reader(engines: Engines) -> FieldReader | None:
    """Return the engine that reads pages for the extractor; None if it cannot run here."""
    reader: Any = engines.find(EXTRACTION, PAGE_ENCODER)
    return reader if isinstance(reader, FieldReader) else None
