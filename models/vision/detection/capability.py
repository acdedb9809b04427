"""Declaration of the capabilities `object_detection` and `open_vocabulary`: their engines, and how each is built."""

from functools import partial
from pathlib import Path

from models.base import INSTALL_TORCH, EngineSpec, EngineUnavailable, available_cpus
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, OwnSettings, is_installed
from models.devices.device import ONNXRUNTIME, TORCH
from models.hosts.host import EngineHost
from models.hosts.workplace import CardMemory
from models.setting_types import GPU, STANDARD, FoundPath
from models.vision.detection.detector import NAMES, Detector, Found, Query, labels_beside, own_file
from models.vision.text import Image
from models.weights.files import WEIGHT_SETS

ULTRALYTICS_NOTICE = "Its licence, AGPL-3.0, extends to a service that uses it, so `auto` never chooses it."

_PICTURES_AT_ONCE = 8
"""At most this many pictures are computed together, by networks that can do so."""

_FASTESTDET_CARD = CardMemory(base=100)
_OWN_DETR = CardMemory(base=220, item=160, items=_PICTURES_AT_ONCE)
"""Estimate for a network of the largest published size, at 640 pixels."""

RF_DETR_WEIGHTS = WEIGHT_SETS["rf-detr-seg-small"]
_LLMDET, _LLMDET_REPOSITORY = "llmdet", "iSEE-Laboratory/llmdet_tiny"
STOP_SIGN = "stop sign"


class DetectionSettings(OwnSettings):
    object_detection: str = "auto"
    """An [engine](object-detection.md), or `auto`."""
    object_detection_model: FoundPath | None = None
    """Your own network: RF-DETR in ONNX, a folder for transformers, or a file of ultralytics."""


def _remedy_of(name: str, config: EngineConfig, remedy: str) -> str:
    """Return the remedy if the operator chose this engine, else an empty text, so that only one remedy is shown."""
    return remedy if config.of(DetectionSettings).object_detection == name else ""


def _build_fastestdet(config: EngineConfig) -> Built:
    from models.vision.detection.fastestdet import FILE, SIDE, FastestDetHead
    from models.vision.detection.onnx_detector import OnnxDetector

    device = ONNXRUNTIME.resolve(config.device)
    engine = partial(
        OnnxDetector,
        FILE,
        lambda _: FastestDetHead(),
        device=device,
        # The network is so small that several threads would mostly wait for each other. Instead, several pictures are
        # computed at the same time.
        threads=1,
        card_mb=_FASTESTDET_CARD.most,
    )
    limits = config.limits(workers=config.threads or available_cpus())
    host = EngineHost(FASTESTDET.spec, engine, limits)
    return Built(Detector(host, NAMES, side=SIDE), (host,))


def onnxruntime_remedy() -> str | None:
    return None if is_installed("onnxruntime") else "Install the package 'onnxruntime'."


def _rf_detr_remedy(config: EngineConfig) -> str | None:
    if remedy := RF_DETR_WEIGHTS.remedy(config.weights_dir):
        return _remedy_of(RF_DETR_WEIGHTS.name, config, remedy)
    return onnxruntime_remedy()


def _build_rf_detr(config: EngineConfig) -> Built:
    file = config.weights_dir / RF_DETR_WEIGHTS.files[0].path
    return _built_detr(RF_DETR_SEG, config, file, NAMES, side=384)


def _built_detr(
    candidate: Candidate, config: EngineConfig, file: Path, labels: "tuple[str, ...]", *, side: int
) -> Built:
    from models.vision.detection.detr import DetrHead
    from models.vision.detection.onnx_detector import OnnxDetector

    device = ONNXRUNTIME.resolve(config.device)
    engine = partial(
        OnnxDetector,
        file,
        lambda network: DetrHead(network, labels),
        device=device,
        threads=config.threads,
        card_mb=candidate.card.most if candidate.card else None,
    )
    limits = config.limits(batch=_PICTURES_AT_ONCE)
    host = EngineHost(candidate.spec, engine, limits)
    return Built(Detector(host, labels, side=side, has_masks=True), (host,))


def _own_onnx_remedy(config: EngineConfig) -> str | None:
    try:
        own_file(config.of(DetectionSettings).object_detection_model, ".onnx")
    except EngineUnavailable as error:
        return _remedy_of("onnx", config, error.remedy)
    return onnxruntime_remedy()


def _build_own_onnx(config: EngineConfig) -> Built:
    model = own_file(config.of(DetectionSettings).object_detection_model, ".onnx")
    labels = tuple(labels_beside(model))
    return _built_detr(OWN_ONNX, config, model, labels, side=640)


def _llmdet_folder(config: EngineConfig) -> Path:
    """Return the folder of LLMDet, in transformers' format."""
    chosen = config.of(DetectionSettings)
    model = chosen.object_detection_model
    if chosen.object_detection == _LLMDET and model is not None and model.suffix == "":
        return model
    return config.weights_dir / _LLMDET


def _llmdet(capability: str) -> Candidate:
    spec = EngineSpec(_LLMDET, capability, "Apache-2.0", f"the folder '{_LLMDET}' ({_LLMDET_REPOSITORY})")

    def remedy(config: EngineConfig) -> str | None:
        if not (_llmdet_folder(config) / "config.json").is_file():
            missing = (
                f"Run `hf download {_LLMDET_REPOSITORY} --local-dir {_LLMDET}` in the folder OPENFAZE_WEIGHTS_DIR."
            )
            return missing if capability == "open_vocabulary" else _remedy_of(_LLMDET, config, missing)
        return None if is_installed("torch", "transformers") else INSTALL_TORCH

    def build(config: EngineConfig) -> Built:
        from models.vision.detection.grounding import SIDE, GroundingDetector

        engine = partial(GroundingDetector, _llmdet_folder(config), capability=capability, device=config.device)
        host = EngineHost(spec, engine, config.limits())
        return Built(Detector(host, None, side=SIDE), (host,))

    # Base: a Swin-T and a BERT in 32 bits. Item: a picture of the largest size for this network, with the longest
    # text.
    return Candidate(spec, remedy, build, backend=TORCH, profile=GPU, card=CardMemory(base=700, item=2000))


def _ultralytics_remedy(config: EngineConfig) -> str | None:
    if config.of(DetectionSettings).object_detection != "ultralytics":
        return ""
    try:
        own_file(config.of(DetectionSettings).object_detection_model, ".pt", ".yaml")
    except EngineUnavailable as error:
        return f"{error.remedy} {ULTRALYTICS_NOTICE}"
    return (
        None
        if is_installed("ultralytics")
        else f"Install ultralytics: `openfaze install ultralytics`. {ULTRALYTICS_NOTICE}"
    )


def _build_ultralytics(config: EngineConfig) -> Built:
    from models.vision.detection.yolo import SIDE, Yolo, is_open

    model = own_file(config.of(DetectionSettings).object_detection_model, ".pt", ".yaml")
    labels = None if is_open(model) else labels_beside(model)
    host: EngineHost[Query, Found] = EngineHost(
        ULTRALYTICS.spec, partial(Yolo, model, device=config.device), config.limits()
    )
    return Built(Detector(host, labels, side=SIDE, has_masks=True), (host,))


def _detection_spec(name: str, licence: str, where: str) -> EngineSpec:
    return EngineSpec(name, "object_detection", licence, where)


FASTESTDET = Candidate(
    _detection_spec("fastestdet", "BSD-3-Clause", "inside openfaze"),
    lambda _: onnxruntime_remedy(),
    _build_fastestdet,
    backend=ONNXRUNTIME,
    card=_FASTESTDET_CARD,
)
OWN_ONNX = Candidate(
    _detection_spec("onnx", "the model's", "the file OPENFAZE_OBJECT_DETECTION_MODEL"),
    _own_onnx_remedy,
    _build_own_onnx,
    backend=ONNXRUNTIME,
    card=_OWN_DETR,
)
RF_DETR_SEG = Candidate(
    _detection_spec(RF_DETR_WEIGHTS.name, RF_DETR_WEIGHTS.licence, f"`openfaze pull {RF_DETR_WEIGHTS.name}`"),
    _rf_detr_remedy,
    _build_rf_detr,
    backend=ONNXRUNTIME,
    profile=STANDARD,
    card=CardMemory(base=210, item=80, items=_PICTURES_AT_ONCE),
)
LLMDET = _llmdet("object_detection")
ULTRALYTICS = Candidate(
    _detection_spec("ultralytics", "AGPL-3.0", "the file OPENFAZE_OBJECT_DETECTION_MODEL"),
    _ultralytics_remedy,
    _build_ultralytics,
    backend=TORCH,
)


def draw_stop_sign() -> tuple[Image, tuple[float, float, float, float]]:
    """Return a drawing of a stop sign that every network for street scenes recognises, and the sign's box."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFilter, ImageFont

    picture = Image.new("RGB", (480, 360), (150, 180, 210))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((234, 120, 246, 360), fill=(130, 130, 130))
    for radius, colour in ((90, "white"), (85, (190, 20, 35))):
        draw.regular_polygon((240, 130, radius), 8, rotation=22.5, fill=colour)
    draw.text((240, 130), "STOP", fill="white", font=ImageFont.load_default(56), anchor="mm")
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(1))), (157, 47, 323, 213)


async def _find_stop_sign(detector: Detector) -> str:
    picture, (left, top, right, bottom) = draw_stop_sign()
    if detector.labels is not None and STOP_SIGN not in detector.labels:
        found = await detector.detect(picture)
        return f"ran, and found {len(found)} objects"
    for one in await detector.detect(picture, labels=(STOP_SIGN,)):
        x, y = (one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2
        if left < x < right and top < y < bottom:
            return f"found a {STOP_SIGN} ({one.score:.2f})"
    raise BadResult(f"does not find the {STOP_SIGN} in a drawing")


OBJECT_DETECTION: Capability[Detector] = Capability(
    "object_detection",
    (OWN_ONNX, RF_DETR_SEG, FASTESTDET, LLMDET, ULTRALYTICS),
    lambda engines: _find_stop_sign(engines.use(OBJECT_DETECTION)),
    DetectionSettings,
    order=20,
)

OPEN_VOCABULARY: Capability[Detector] = Capability(
    "open_vocabulary",
    (_llmdet("open_vocabulary"),),
    lambda engines: _find_stop_sign(engines.use(OPEN_VOCABULARY)),
    order=30,
)
"""Capability for labels that the engine of `object_detection` does not know."""
