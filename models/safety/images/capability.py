"""Declaration of the capability `image_guard`: its engines, and how each is built."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from models.base import INSTALL_TORCH, Engine, EngineSpec, EngineUnavailable
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.devices.device import CPU, ONNXRUNTIME, TORCH, Backend
from models.hosts.batches import CardMemory
from models.hosts.host import EngineHost
from models.language.capability import LLM, LlmSettings
from models.safety.guard import IMAGE_CODES, ImageGuard
from models.safety.images import CAPABILITY
from models.safety.images import VLM as VLM_NAME
from models.setting_types import STANDARD, FoundPath
from models.vision.detection.capability import STOP_SIGN, draw_stop_sign, onnxruntime_remedy
from models.vision.text import Image

if TYPE_CHECKING:
    from models.safety.images.folder import ClassifierFolder

SETTING = "OPENFAZE_IMAGE_GUARD_MODEL"
NUDENET_NOTICE = "NudeNet's licence, AGPL-3.0, extends to a service that uses it, so `auto` never chooses it."

_FOLDER = "nsfw-vit"
_NUDENET_FILE = "nudenet/320n.onnx"
_PICTURES_AT_ONCE = 8
_PICTURES_ON_A_CARD = 16
_CARD = CardMemory(base=350, item=15, items=_PICTURES_ON_A_CARD)
"""Memory that a ViT-B/16 takes on a graphics card."""
_OWN_CARD = replace(_CARD, is_guess=True)
_THRESHOLD = 0.5
"""A code applies if its score is at least this. If two labels exclude each other, the likelier one decides."""
_CLASSIFIER_SPEC = EngineSpec("classifier", CAPABILITY, "the model's", f"the folder {SETTING}")
_NSFW_VIT_SPEC = EngineSpec(_FOLDER, CAPABILITY, "Apache-2.0", f"`openfaze pull {_FOLDER}` (343 MB)")
_VLM_SPEC = EngineSpec(VLM_NAME, CAPABILITY, "the model's", "those of the capability 'llm'")
_NUDENET_SPEC = EngineSpec("nudenet", CAPABILITY, "AGPL-3.0", f"the file {SETTING}")


class ImageGuardSettings(OwnSettings):
    image_guard: str = "auto"
    """An engine that judges pictures for `<guard>` (docs/guardrails.md lists them), or `auto`: each code is judged by
    the first engine that can run here and knows it."""
    image_guard_model: FoundPath | None = None
    """Your own network for judging pictures: a folder with an image classifier in transformers' format, or NudeNet's
    ONNX file."""


def _own_folder(config: EngineConfig) -> "ClassifierFolder":
    from models.safety.images.folder import classifier_in

    chosen = config.of(ImageGuardSettings)
    model = chosen.image_guard_model
    if model is None or not model.is_dir():
        remedy = f"Set {SETTING} to a folder with an image classifier of transformers."
        # If the operator did not choose this engine, the remedy is empty: the setting may name a file for NudeNet
        # instead.
        raise EngineUnavailable(CAPABILITY, remedy if chosen.image_guard == _CLASSIFIER_SPEC.name else "")
    return classifier_in(model, f"that {SETTING} names")


def _nsfw_vit_folder(config: EngineConfig) -> "ClassifierFolder":
    from models.safety.images.folder import classifier_in

    folder = config.weights_dir / _FOLDER
    if not (folder / "config.json").is_file():
        raise EngineUnavailable(CAPABILITY, f"Run `openfaze pull {_FOLDER}` to judge what is not safe for work.")
    return classifier_in(folder, f"'{_FOLDER}' of OPENFAZE_WEIGHTS_DIR")


def _is_for_torch(folder: "ClassifierFolder", config: EngineConfig) -> bool:
    """True if PyTorch should run the classifier. An ONNX export needs less memory and no PyTorch; but on a GPU, PyTorch
    is preferred, because its package contains everything that is needed."""
    if folder.network is None:
        return True
    can_torch = folder.has_weights and is_installed("torch", "transformers")
    return can_torch and TORCH.resolve(config.device) != CPU


def _classifier_backend(folder: "ClassifierFolder", config: EngineConfig) -> Backend:
    return TORCH if _is_for_torch(folder, config) else ONNXRUNTIME


def _classifier_remedy(folder: "ClassifierFolder", config: EngineConfig) -> str | None:
    if not _is_for_torch(folder, config):
        return onnxruntime_remedy()
    if not folder.has_weights:
        return "The classifier's folder has neither model.onnx, nor onnx/model.onnx, nor model.safetensors."
    without = "The classifier's folder has no ONNX file. "
    return None if is_installed("torch", "transformers") else without + INSTALL_TORCH


def _built_classifier(spec: EngineSpec, folder: "ClassifierFolder", config: EngineConfig, card: CardMemory) -> Built:
    from models.safety.images.classifier import (
        MAX_ASPECT_RATIO,
        MAX_ASPECT_RATIO_CROPPED,
        LabelledGuard,
        LabelScores,
        OnnxClassifier,
        TorchClassifier,
    )

    device = _classifier_backend(folder, config).resolve(config.device)

    def engine() -> Engine[Image, LabelScores]:
        if _is_for_torch(folder, config):
            return TorchClassifier(folder, device=config.device)
        return OnnxClassifier(folder, device=device, threads=config.threads)

    host = EngineHost(spec, engine, config.limits(batch=_PICTURES_AT_ONCE, device=device, card=card))
    guard = LabelledGuard(
        host,
        folder.meaning,
        threshold=_THRESHOLD,
        exclusive=folder.exclusive,
        longest=MAX_ASPECT_RATIO_CROPPED if folder.preprocessing.crops_ends else MAX_ASPECT_RATIO,
    )
    return Built(guard, (host,))


def _own_remedy(config: EngineConfig) -> str | None:
    try:
        return _classifier_remedy(_own_folder(config), config)
    except EngineUnavailable as error:
        return error.remedy


def _nsfw_vit_remedy(config: EngineConfig) -> str | None:
    try:
        return _classifier_remedy(_nsfw_vit_folder(config), config)
    except EngineUnavailable as error:
        return error.remedy


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


def _nudenet_file(config: EngineConfig) -> Path:
    model = config.of(ImageGuardSettings).image_guard_model
    if model is not None and model.is_file():
        return model
    pulled = config.weights_dir / _NUDENET_FILE
    if not pulled.is_file():
        raise EngineUnavailable(
            CAPABILITY, f"Set {SETTING} to NudeNet's 320n.onnx, or put it into OPENFAZE_WEIGHTS_DIR as {_NUDENET_FILE}."
        )
    return pulled


def _nudenet_remedy(config: EngineConfig) -> str | None:
    chosen = config.of(ImageGuardSettings)
    if chosen.image_guard != _NUDENET_SPEC.name:
        given = chosen.image_guard_model
        hint = f"OPENFAZE_IMAGE_GUARD=nudenet takes the file that {SETTING} names. {NUDENET_NOTICE}"
        return hint if given is not None and given.is_file() else ""
    try:
        _nudenet_file(config)
    except EngineUnavailable as error:
        return f"{error.remedy} {NUDENET_NOTICE}"
    return onnxruntime_remedy()


def _build_nudenet(config: EngineConfig) -> Built:
    from models.safety.images.classifier import LabelledGuard
    from models.safety.images.nudenet import MEANING, THRESHOLD, NudeNet

    device = ONNXRUNTIME.resolve(config.device)
    engine = partial(NudeNet, partial(_nudenet_file, config), device=device, threads=config.threads)
    host = EngineHost(_NUDENET_SPEC, engine, config.limits())
    return Built(LabelledGuard(host, MEANING, threshold=THRESHOLD, exclusive=False), (host,))


CLASSIFIER = Candidate(
    _CLASSIFIER_SPEC,
    _own_remedy,
    lambda config: _built_classifier(_CLASSIFIER_SPEC, _own_folder(config), config, _OWN_CARD),
    backend=lambda config: _classifier_backend(_own_folder(config), config),
)
NSFW_VIT = Candidate(
    _NSFW_VIT_SPEC,
    _nsfw_vit_remedy,
    lambda config: _built_classifier(_NSFW_VIT_SPEC, _nsfw_vit_folder(config), config, _CARD),
    backend=lambda config: _classifier_backend(_nsfw_vit_folder(config), config),
    profile=STANDARD,
    card=_CARD,
)
VLM = Candidate(_VLM_SPEC, _vlm_remedy, build_around=_build_vlm, needs="llm")
NUDENET = Candidate(
    _NUDENET_SPEC, _nudenet_remedy, _build_nudenet, backend=ONNXRUNTIME, card=CardMemory(base=12, item=50)
)


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
    (CLASSIFIER, NSFW_VIT, VLM, NUDENET),
    _let_a_drawing_pass,
    ImageGuardSettings,
    several=True,
    order=130,
)
