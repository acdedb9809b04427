"""Declaration of the capability `translate`: its engines, and how each is built."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from models.base import EngineSpec
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.devices.device import CTRANSLATE2
from models.hosts.host import EngineHost
from models.hosts.workplace import CardMemory, HostLimits
from models.language.capability import LLM, QWEN3_4B, LlmSettings
from models.setting_types import STANDARD
from models.translation import apertium, madlad
from models.translation.llm import ANY_PAIR, NAME, LlmTranslator
from models.translation.translator import CAPABILITY, HostedTranslator, Translator, reachable, shortest_route

_BATCH_CHARS = 8000
_JOBS_AT_ONCE = 4
_PROGRAMS_AT_ONCE = 2

_GREETINGS = {"en": "The house is red.", "es": "La casa es roja.", "fr": "La maison est rouge."}


class TranslateSettings(OwnSettings):
    translate: str = "auto"
    """`madlad-400`, `llm`, `apertium` or `auto`: the first that knows both languages."""


def _packages() -> str | None:
    return None if is_installed("ctranslate2", "sentencepiece") else "Install 'ctranslate2' and 'sentencepiece'."


def _build_madlad(config: EngineConfig) -> Built:
    device = CTRANSLATE2.resolve(config.device)
    host = EngineHost(
        madlad.SPEC,
        partial(madlad.Madlad, config.weights_dir, device=device, threads=config.threads),
        config.limits(batch=_JOBS_AT_ONCE),
    )
    routes = madlad.MadladRoutes(config.weights_dir)
    return Built(HostedTranslator(host, routes, routes.pairs, batch_chars=_BATCH_CHARS), (host,))


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


def _apertium_pairs() -> Sequence[str]:
    return reachable(apertium.directions())


def remedy_into(target: str, weights_dir: Path) -> str:
    """Return a sentence that says how to enable translation into a language if no available engine serves the pair."""
    to_do = []
    if madlad.knows(target) and madlad.remedy(weights_dir):
        to_do = [madlad.remedy(weights_dir), _packages()]
    choice = f"{'Or set' if to_do else 'Set'} OPENFAZE_LLM_BASE_URL to a capable language model."
    return " ".join([*filter(None, to_do), choice])


def _llm_remedy(config: EngineConfig) -> str | None:
    """Return the remedy if there is no capable LLM, because the small embedded model cannot translate."""
    llm = config.of(LlmSettings)
    if llm.llm_base_url or llm.llm_gguf or QWEN3_4B.remedy(config) is None:
        return None
    return "Set OPENFAZE_LLM_BASE_URL: a capable language model translates between all languages."


MADLAD_400 = Candidate(
    madlad.SPEC,
    lambda config: madlad.remedy(config.weights_dir) or _packages(),
    _build_madlad,
    backend=CTRANSLATE2,
    profile=STANDARD,
    pairs=lambda config: madlad.MadladRoutes(config.weights_dir).pairs(),
    # Base: 2.94 thousand million parameters in 16 bits. Item: the keys and values of all tokens that are decoded
    # together.
    card=CardMemory(base=5900, item=3300),
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
    (MADLAD_400, LLM_TRANSLATOR, APERTIUM),
    _translate_a_greeting,
    TranslateSettings,
    several=True,
    order=90,
)
