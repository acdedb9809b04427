"""Declaration of the capabilities `object_detection`, `open_vocabulary` and `segmentation`: their engines, and how each
is built."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from models.base import EngineSpec, EngineUnavailable, available_cpus
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.devices.device import ONNXRUNTIME, TORCH
from models.hosts.batches import CardMemory
from models.hosts.host import EngineHost
from models.setting_types import GPU, STANDARD, FoundPath
from models.vision.detection.detector import Detection, Detector, Segmenter
from models.vision.text import Image
from models.weights.files import WEIGHT_SETS, WeightSet
from models.weights.supply import Supply

ULTRALYTICS_NOTICE = "Its licence, AGPL-3.0, extends to a service that uses it, so `auto` never chooses it."

_PICTURES_AT_ONCE = 8
"""At most this many pictures are computed together, by networks that can do so."""

_LARGE_DETR = CardMemory(base=125, item=160, items=_PICTURES_AT_ONCE)
"""Estimate from D-FINE-L, with 31 million parameters, at 640 pixels."""
_OWN_DETR = replace(_LARGE_DETR, is_guess=True)

Build = Callable[[EngineConfig], Built]
STOP_SIGN = "stop sign"


class DetectionSettings(OwnSettings):
    object_detection: str = "auto"
    """An engine that finds objects (docs/object-detection.md lists them), or `auto`: the first that can run here."""
    object_detection_model: FoundPath | None = None
    """Your own network for object detection: an RF-DETR or D-FINE in ONNX, a folder in transformers' format, or a file
    of ultralytics."""


def _remedy_of(name: str, config: EngineConfig, remedy: str) -> str:
    """Return the remedy if the operator chose this engine, else an empty text, so that only one remedy is shown."""
    return remedy if config.of(DetectionSettings).object_detection == name else ""


def _supply(weight_set: WeightSet, config: EngineConfig) -> Supply:
    return Supply(weight_set, "object_detection", config.weights_dir, auto_pull=config.auto_pull)


def _build_fastestdet(config: EngineConfig) -> Built:
    from models.vision.detection.coco import NAMES
    from models.vision.detection.detector import HostedDetector
    from models.vision.detection.fastestdet import SIDE, FastestDetHead
    from models.vision.detection.onnx_detector import OnnxDetector

    device = ONNXRUNTIME.resolve(config.device)
    engine = partial(
        OnnxDetector,
        _locate_fastestdet,
        lambda _: FastestDetHead(),
        device=device,
        # The network is so small that several threads would mostly wait for each other. Instead, several pictures are
        # computed at the same time.
        threads=1,
    )
    limits = config.limits(workers=config.threads or available_cpus())
    host = EngineHost(FASTESTDET.spec, engine, limits)
    return Built(HostedDetector(host, NAMES, side=SIDE), (host,))


def _locate_fastestdet() -> Path:
    """Return the network's file. Raises EngineUnavailable if the installed file is not the one that its authors
    published."""
    from models.vision.detection.fastestdet import FILE, SHA256

    if not FILE.is_file() or hashlib.sha256(FILE.read_bytes()).hexdigest() != SHA256:
        raise EngineUnavailable(
            "object_detection",
            f"The file '{FILE.name}' of the installed package is missing or damaged: its sha256 is not {SHA256}. "
            "Install openfaze again.",
        )
    return FILE


def onnxruntime_remedy() -> str | None:
    return None if is_installed("onnxruntime") else "Install the package 'onnxruntime'."


def _detr(
    weight_set: WeightSet, card: CardMemory, *, normalised: bool | None = None, side: int, masks: bool = False
) -> Candidate:
    """Return a candidate for a published network with COCO's labels, which `openfaze pull` fetches."""
    spec = EngineSpec(weight_set.name, "object_detection", weight_set.licence, f"`openfaze pull {weight_set.name}`")

    def remedy(config: EngineConfig) -> str | None:
        if weight_set.missing(config.weights_dir):
            return _remedy_of(weight_set.name, config, f"Run `openfaze pull {weight_set.name}`.")
        return onnxruntime_remedy()

    def build(config: EngineConfig) -> Built:
        from models.vision.detection.coco import NAMES

        supply = _supply(weight_set, config)
        return _built_detr(
            spec, config, card, lambda: supply.ensure_files()[0], NAMES, normalised, side=side, masks=masks
        )

    return Candidate(spec, remedy, build, backend=ONNXRUNTIME, profile=STANDARD, card=card)


def _built_detr(
    spec: EngineSpec,
    config: EngineConfig,
    card: CardMemory,
    locate: Callable[[], Path],
    labels: "tuple[str, ...]",
    normalised: bool | None = None,
    *,
    side: int,
    masks: bool,
) -> Built:
    from models.vision.detection.detector import HostedDetector
    from models.vision.detection.detr import DetrHead
    from models.vision.detection.onnx_detector import OnnxDetector

    device = ONNXRUNTIME.resolve(config.device)
    engine = partial(
        OnnxDetector,
        locate,
        lambda network: DetrHead(network, labels, normalised=normalised),
        device=device,
        threads=config.threads,
    )
    host = EngineHost(spec, engine, config.limits(batch=_PICTURES_AT_ONCE, device=device, card=card))
    return Built(HostedDetector(host, labels, side=side, has_masks=masks), (host,))


def _own_onnx_remedy(config: EngineConfig) -> str | None:
    from models.vision.detection.detector import own_file

    try:
        own_file(config.of(DetectionSettings).object_detection_model, ".onnx")
    except EngineUnavailable as error:
        return _remedy_of("onnx", config, error.remedy)
    return onnxruntime_remedy()


def _build_own_onnx(config: EngineConfig) -> Built:
    from models.vision.detection.detector import labels_beside, own_file

    model = own_file(config.of(DetectionSettings).object_detection_model, ".onnx")
    labels = tuple(labels_beside(model))
    return _built_detr(OWN_ONNX.spec, config, _OWN_DETR, lambda: model, labels, side=640, masks=True)


def _folder(name: str, config: EngineConfig) -> Path:
    """Return the folder of a network in transformers' format."""
    chosen = config.of(DetectionSettings)
    model = chosen.object_detection_model
    if chosen.object_detection == name and model is not None and model.suffix == "":
        return model
    return config.weights_dir / name


def _transformers_remedy(name: str, repository: str, config: EngineConfig) -> str | None:
    from models.base import INSTALL_TORCH

    if not (_folder(name, config) / "config.json").is_file():
        return f"Run `hf download {repository} --local-dir {name}` in the folder OPENFAZE_WEIGHTS_DIR."
    return None if is_installed("torch", "transformers") else INSTALL_TORCH


def _grounding(name: str, repository: str, capability: str) -> Candidate:
    spec = EngineSpec(name, capability, "Apache-2.0", f"the folder '{name}' ({repository})")

    def remedy(config: EngineConfig) -> str | None:
        missing = _transformers_remedy(name, repository, config)
        # If no network of transformers is installed, only LLMDet's remedy is shown.
        speaks_for_all = capability == "open_vocabulary" and name == "llmdet"
        return missing if speaks_for_all or missing is None else _remedy_of(name, config, missing)

    def build(config: EngineConfig) -> Built:
        from models.vision.detection.detector import HostedDetector
        from models.vision.detection.grounding import SIDE, GroundingDetector

        engine = partial(GroundingDetector, _folder(name, config), capability=capability, device=config.device)
        host = EngineHost(spec, engine, config.limits())
        return Built(HostedDetector(host, None, side=SIDE), (host,))

    # Base: a Swin-T and a BERT in 32 bits. Item: a picture of the largest size for these networks, with the longest
    # text.
    return Candidate(spec, remedy, build, backend=TORCH, profile=GPU, card=CardMemory(base=700, item=2000))


def _build_sam(config: EngineConfig) -> Built:
    from models.vision.detection.sam import HostedSegmenter, Sam2

    host = EngineHost(SAM_2_1.spec, partial(Sam2, _folder("sam2.1", config), device=config.device), config.limits())
    return Built(HostedSegmenter(host), (host,))


def _ultralytics_remedy(config: EngineConfig) -> str | None:
    from models.vision.detection.detector import own_file

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
    from models.vision.detection.detector import Found, HostedDetector, Query, labels_beside, own_file
    from models.vision.detection.yolo import SIDE, Yolo, is_open

    model = own_file(config.of(DetectionSettings).object_detection_model, ".pt", ".yaml")
    labels = None if is_open(model) else labels_beside(model)
    host: EngineHost[Query, Found] = EngineHost(
        ULTRALYTICS.spec, partial(Yolo, model, device=config.device), config.limits()
    )
    return Built(HostedDetector(host, labels, side=SIDE, has_masks=True), (host,))


def _detection_spec(name: str, licence: str, where: str) -> EngineSpec:
    return EngineSpec(name, "object_detection", licence, where)


FASTESTDET = Candidate(
    _detection_spec("fastestdet", "BSD-3-Clause", "inside openfaze"),
    lambda _: onnxruntime_remedy(),
    _build_fastestdet,
    backend=ONNXRUNTIME,
    card=CardMemory(base=1, item=5),
)
OWN_ONNX = Candidate(
    _detection_spec("onnx", "the model's", "the file OPENFAZE_OBJECT_DETECTION_MODEL"),
    _own_onnx_remedy,
    _build_own_onnx,
    backend=ONNXRUNTIME,
)
RF_DETR_SEG_MEDIUM = _detr(
    WEIGHT_SETS["rf-detr-seg-medium"], CardMemory(140, 100, _PICTURES_AT_ONCE), side=432, masks=True
)
RF_DETR_SEG_SMALL = _detr(
    WEIGHT_SETS["rf-detr-seg-small"], CardMemory(135, 80, _PICTURES_AT_ONCE), side=384, masks=True
)
RF_DETR_SEG_NANO = _detr(WEIGHT_SETS["rf-detr-seg-nano"], CardMemory(135, 60, _PICTURES_AT_ONCE), side=312, masks=True)
RF_DETR_BASE = _detr(WEIGHT_SETS["rf-detr-base"], CardMemory(110, 130, _PICTURES_AT_ONCE), normalised=True, side=560)
D_FINE_L = _detr(WEIGHT_SETS["d-fine-l"], _LARGE_DETR, normalised=False, side=640)
LLMDET = _grounding("llmdet", "iSEE-Laboratory/llmdet_tiny", "object_detection")
MM_GROUNDING_DINO = _grounding(
    "mm-grounding-dino", "openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg", "object_detection"
)
ULTRALYTICS = Candidate(
    _detection_spec("ultralytics", "AGPL-3.0", "the file OPENFAZE_OBJECT_DETECTION_MODEL"),
    _ultralytics_remedy,
    _build_ultralytics,
    backend=TORCH,
)

SAM_2_1 = Candidate(
    EngineSpec("sam2.1", "segmentation", "Apache-2.0", "the folder 'sam2.1' (facebook/sam2.1-hiera-tiny)"),
    lambda config: _transformers_remedy("sam2.1", "facebook/sam2.1-hiera-tiny", config),
    _build_sam,
    backend=TORCH,
    profile=GPU,
    card=CardMemory(base=160, item=600),
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


async def _outline_a_stop_sign(engines: Engines) -> str:
    picture, box = draw_stop_sign()
    [outlined] = await engines.use(SEGMENTATION).segment(picture, [Detection(STOP_SIGN, 1.0, box)])
    # An octagon covers 83 % of its box.
    share = outlined.mask.pixels.mean() if outlined.mask is not None else 0.0
    if not 0.7 < share < 0.95:
        raise BadResult(f"outlines {share:.0%} of the box around a {STOP_SIGN}")
    return f"outlined a {STOP_SIGN}"


OBJECT_DETECTION: Capability[Detector] = Capability(
    "object_detection",
    (
        OWN_ONNX,
        RF_DETR_SEG_MEDIUM,
        RF_DETR_SEG_SMALL,
        RF_DETR_SEG_NANO,
        RF_DETR_BASE,
        D_FINE_L,
        FASTESTDET,
        LLMDET,
        MM_GROUNDING_DINO,
        ULTRALYTICS,
    ),
    lambda engines: _find_stop_sign(engines.use(OBJECT_DETECTION)),
    DetectionSettings,
    order=20,
)

OPEN_VOCABULARY: Capability[Detector] = Capability(
    "open_vocabulary",
    (
        _grounding("llmdet", "iSEE-Laboratory/llmdet_tiny", "open_vocabulary"),
        _grounding("mm-grounding-dino", "openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg", "open_vocabulary"),
    ),
    lambda engines: _find_stop_sign(engines.use(OPEN_VOCABULARY)),
    order=30,
)
"""Capability for labels that the engine of `object_detection` does not know."""

SEGMENTATION: Capability[Segmenter] = Capability("segmentation", (SAM_2_1,), _outline_a_stop_sign, order=40)
