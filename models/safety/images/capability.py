"""Declaration of the capability `image_guard`: its engines, and how each is built."""

from functools import partial

from models.base import EngineSpec
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings
from models.devices.device import CPU, ONNXRUNTIME
from models.hosts.host import EngineHost
from models.hosts.workplace import CardMemory
from models.language.capability import LLM, LlmSettings
from models.safety.guard import IMAGE_CODES, ImageGuard
from models.safety.images import CAPABILITY
from models.safety.images import VLM as VLM_NAME
from models.setting_types import STANDARD
from models.vision.detection.capability import STOP_SIGN, draw_stop_sign, onnxruntime_remedy
from models.weights.files import WEIGHT_SETS

_PICTURES_AT_ONCE = 8
_CARD = CardMemory(base=420, item=15, items=16)
"""Memory that a ViT-B/16 takes on a graphics card."""
_WEIGHTS = WEIGHT_SETS["nsfw-vit"]
_NSFW_VIT_SPEC = EngineSpec(_WEIGHTS.name, CAPABILITY, _WEIGHTS.licence, f"`openfaze pull {_WEIGHTS.name}` (343 MB)")
_VLM_SPEC = EngineSpec(VLM_NAME, CAPABILITY, "the model's", "those of the capability 'llm'")


class ImageGuardSettings(OwnSettings):
    image_guard: str = "auto"
    """`nsfw-vit`, `vlm` or `auto`."""


def _nsfw_vit_remedy(config: EngineConfig) -> str | None:
    if _WEIGHTS.missing(config.weights_dir):
        return f"Run `openfaze pull {_WEIGHTS.name}` to judge what is not safe for work."
    return onnxruntime_remedy()


def _build_nsfw_vit(config: EngineConfig) -> Built:
    from models.safety.images.nsfw_vit import NsfwVit, NsfwVitGuard

    device = ONNXRUNTIME.resolve(config.device)
    folder = config.weights_dir / _WEIGHTS.name
    engine = partial(NsfwVit, folder, device=device, threads=config.threads, card_mb=_CARD.most)
    host = EngineHost(_NSFW_VIT_SPEC, engine, config.limits(batch=_PICTURES_AT_ONCE if device == CPU else _CARD.items))
    return Built(NsfwVitGuard(host), (host,))


def _vlm_remedy(config: EngineConfig) -> str | None:
    llm = config.of(LlmSettings)
    if llm.llm_base_url is None:
        return "Set OPENFAZE_LLM_BASE_URL: a language model that accepts pictures also judges gore and nudity."
    if llm.llm_abilities is not None and "vision" not in llm.llm_abilities:
        return "The language model takes no pictures (OPENFAZE_LLM_ABILITIES)."
    return None


def _build_vlm(_: EngineConfig, engines: Engines) -> ImageGuard:
    from models.safety.images.vlm import VlmGuard

    return VlmGuard(partial(engines.use, LLM))


NSFW_VIT = Candidate(
    _NSFW_VIT_SPEC, _nsfw_vit_remedy, _build_nsfw_vit, backend=ONNXRUNTIME, profile=STANDARD, card=_CARD
)
VLM = Candidate(_VLM_SPEC, _vlm_remedy, build_around=_build_vlm, needs="llm")


async def _let_a_drawing_pass(engines: Engines) -> str:
    """Judge a harmless drawing, which shows that the engines judge and do not find everything unsafe. No unsafe picture
    is used, because a server should not store one for tests."""
    picture, _ = draw_stop_sign()
    findings = []
    for guard in engines.use_all(IMAGE_GUARD):
        if guard.name == VLM_NAME and not (await engines.use(LLM).abilities()).vision:
            llm = engines.use(LLM)
            findings.append(f"{llm.name} takes no pictures: codes that only it could judge are answered with 503")
            continue
        codes = [code for code in IMAGE_CODES if code in guard.codes]
        scores = (await guard.judge(picture, codes, wait=True)).scores
        for code in codes:
            if not 0 <= scores[code] < guard.thresholds[code]:
                raise BadResult(f"'{guard.name}' finds a drawing of a {STOP_SIGN} unsafe ({code} {scores[code]:.2f})")
        findings.append(
            f"{guard.name} finds a drawing safe ({', '.join(f'{code} {scores[code]:.2f}' for code in codes)})"
        )
    return "; ".join(findings)


IMAGE_GUARD: Capability[ImageGuard] = Capability(
    CAPABILITY,
    (NSFW_VIT, VLM),
    _let_a_drawing_pass,
    ImageGuardSettings,
    several=True,
    order=130,
)
