"""Declaration of the capability `translate`: its engines, and how each is built."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from models.base import EngineSpec
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.devices.device import CTRANSLATE2
from models.hosts.batches import CardMemory
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.language.capability import LLM, QWEN3_4B, LlmSettings
from models.setting_types import STANDARD
from models.translation import apertium, ct2
from models.translation.llm import ANY_PAIR, NAME, LlmTranslator
from models.translation.translator import CAPABILITY, HostedTranslator, Translator, reachable, shortest_route
from models.translation.weight_sets import MADLAD_400 as MADLAD_WEIGHTS
from models.translation.weight_sets import OPUS_FOLDER, sets_between

_BATCH_CHARS = 8000
_JOBS_AT_ONCE = 4
_PROGRAMS_AT_ONCE = 2

MADLAD_SPEC: Final = EngineSpec("madlad-400", CAPABILITY, "Apache-2.0", f"`openfaze pull {MADLAD_WEIGHTS.name}`")
OPUS_SPEC: Final = EngineSpec("opus-mt", CAPABILITY, "CC-BY-4.0", f"`openfaze pull {OPUS_FOLDER}-en-de` …")
_GREETINGS = {"en": "The house is red.", "es": "La casa es roja.", "fr": "La maison est rouge."}


class TranslateSettings(OwnSettings):
    translate: str = "auto"
    """The engine that translates: `madlad-400`, `opus-mt`, `llm`, `apertium`, or `auto`: the first in this
    order that can run here and knows both languages."""


def _packages() -> str | None:
    return None if is_installed("ctranslate2", "sentencepiece") else "Install 'ctranslate2' and 'sentencepiece'."


def _device(config: EngineConfig) -> str:
    return CTRANSLATE2.resolve(config.device)


def _build_madlad(config: EngineConfig) -> Built:
    host = EngineHost(
        MADLAD_SPEC,
        partial(ct2.Madlad, config.weights_dir, device=_device(config), threads=config.threads),
        config.limits(batch=_JOBS_AT_ONCE),
    )
    routes = ct2.MadladRoutes(config.weights_dir)
    return Built(HostedTranslator(host, routes, routes.pairs, batch_chars=_BATCH_CHARS), (host,))


def _build_opus(config: EngineConfig) -> Built:
    host = EngineHost(
        OPUS_SPEC,
        partial(ct2.OpusMt, config.weights_dir, device=_device(config), threads=config.threads),
        config.limits(batch=_JOBS_AT_ONCE),
    )

    return Built(
        HostedTranslator(
            host,
            lambda source, target: shortest_route(ct2.opus_models(config.weights_dir), source, target),
            partial(_opus_pairs, config),
            batch_chars=_BATCH_CHARS,
        ),
        (host,),
    )


def _build_apertium(config: EngineConfig) -> Built:
    host = EngineHost(
        apertium.SPEC,
        apertium.Apertium,
        HostLimits(workers=_PROGRAMS_AT_ONCE, max_queue=config.max_queue),
    )
    return Built(
        HostedTranslator(
            host,
            lambda source, target: shortest_route(apertium.directions(), source, target),
            _apertium_pairs,
            batch_chars=_BATCH_CHARS,
        ),
        (host,),
    )


def _opus_pairs(config: EngineConfig) -> Sequence[str]:
    return reachable(ct2.opus_models(config.weights_dir))


def _apertium_pairs() -> Sequence[str]:
    return reachable(apertium.directions())


def remedy_between(source: str, target: str, weights_dir: Path) -> str:
    """Return a sentence that says how to enable translation between two languages that no available engine serves."""
    ways = [
        " and ".join(f"`openfaze pull {name}`" for name in names) for names in sets_between(source, target, weights_dir)
    ]
    to_do = [f"Run {', or '.join(ways)}.", _packages(), "Or set"] if ways else ["Set"]
    return " ".join([*filter(None, to_do), "OPENFAZE_LLM_BASE_URL to a capable language model."])


def _llm_remedy(config: EngineConfig) -> str | None:
    """Return the remedy if there is no capable LLM, because the small embedded model cannot translate."""
    llm = config.of(LlmSettings)
    if llm.llm_base_url or llm.llm_gguf or QWEN3_4B.remedy(config) is None:
        return None
    return "Set OPENFAZE_LLM_BASE_URL: a capable language model translates between all languages."


MADLAD_400 = Candidate(
    MADLAD_SPEC,
    lambda config: ct2.madlad_remedy(config.weights_dir) or _packages(),
    _build_madlad,
    backend=CTRANSLATE2,
    profile=STANDARD,
    pairs=lambda config: ct2.MadladRoutes(config.weights_dir).pairs(),
    # Base: 2.94 thousand million parameters in 16 bits. Item: the keys and values of all tokens that are decoded
    # together.
    card=CardMemory(base=5900, item=3300),
)
OPUS_MT = Candidate(
    OPUS_SPEC,
    lambda config: ct2.opus_remedy(config.weights_dir) or _packages(),
    _build_opus,
    backend=CTRANSLATE2,
    profile=STANDARD,
    pairs=_opus_pairs,
    card=CardMemory(base=150, item=250),
)
APERTIUM = Candidate(apertium.SPEC, lambda _: apertium.remedy(), _build_apertium, pairs=lambda _: _apertium_pairs())
LLM_TRANSLATOR = Candidate(
    EngineSpec(NAME, CAPABILITY, "the model's", "those of the capability 'llm'"),
    _llm_remedy,
    build_around=lambda _, engines: LlmTranslator(partial(engines.use, LLM)),
    pairs=lambda _: ANY_PAIR,
    needs="llm",
)


async def _translate_a_greeting(engines: Engines) -> str:
    for translator in engines.use_all(TRANSLATE):
        for source, target in (("en", "es"), ("es", "en"), ("en", "de"), ("fr", "es"), ("es", "pt"), ("es", "ca")):
            if await translator.can_translate(source, target):
                [translated] = await translator.translate([_GREETINGS[source]], source, target)
                if not translated or translated == _GREETINGS[source]:
                    raise BadResult(f"leaves {_GREETINGS[source]!r} as it is")
                return f"{_GREETINGS[source]!r} is {translated!r} ({translator.name})"
    return "installed; its languages are not among those that are tried here"


TRANSLATE: Capability[Translator] = Capability(
    CAPABILITY,
    (MADLAD_400, OPUS_MT, LLM_TRANSLATOR, APERTIUM),
    _translate_a_greeting,
    TranslateSettings,
    several=True,
    order=90,
)
