"""Declaration of the capability `ocr`: its engines, and how each is built."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from models.base import EngineSpec
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.devices.device import CPU, ONNXRUNTIME, PADDLE, TORCH
from models.hosts.host import EngineHost
from models.hosts.workplace import CardMemory
from models.setting_types import EMBEDDED, GPU, STANDARD
from models.vision.text import PageReader
from models.weights.files import WEIGHT_SETS, WeightSet

SMALL_WEIGHTS = WEIGHT_SETS["pp-ocrv6-small"]
MEDIUM_WEIGHTS = WEIGHT_SETS["pp-ocrv6-medium"]

_LINES_AT_ONCE = 32
"""A batch of the recogniser has at most this many lines. A batch of this size uses all processors, and is short enough
that a short text does not wait long behind a dense page."""
_LINES_QUEUED = 100_000
"""The recogniser's queue has at most this many lines. The queue never gets this long, because the number of pages that
are read at a time limits the lines."""
_PADDLE = EngineSpec(
    name="paddleocr",
    capability="ocr",
    licence="Apache-2.0",
    weights="PP-OCRv5 and v6 for Paddle Inference: `openfaze pull paddleocr`, `paddleocr-arabic`, …",
)
_VL_CARD = CardMemory(base=4700, item=750, items=8)
"""Memory of PaddleOCR-VL on a card.

The base is the memory of 960 million parameters in 16 bits, and of PP-OCR. An item is the memory of the largest picture
that the network takes: 14,400 patches of 1,152 numbers in the vision layers, and the keys and values of 5,200 tokens.
All numbers are calculated, because the network was never run at its full size.
"""


class OcrSettings(OwnSettings):
    ocr: str = "auto"
    """An [engine](ocr.md), or `auto`."""
    ocr_language: str = "en"
    """Language of the recogniser of PaddleOCR."""


def embedded_weights(root: Path = Path("weights")) -> tuple[Path, Path]:
    """Return the ONNX files of the PP-OCRv6 small detector and recogniser, below the weights directory `root` or in
    their package. Raises EngineUnavailable."""
    detector, recognizer = SMALL_WEIGHTS.paths(root, "ocr")
    return detector, recognizer


def _pp_ocr(weights: WeightSet, profile: str, card: CardMemory) -> Candidate:
    """Return a candidate for PP-OCR with one host for the detector and one for the recogniser, so that lines of all
    pages and requests are recognised together.

    `card` needs no items: on a card, all inputs of a network have its few shapes, however many lines there are.
    """
    spec = EngineSpec(weights.name, "ocr", weights.licence, weights.comes_from)

    def remedy(config: EngineConfig) -> str | None:
        missing = None if is_installed("openvino") else "Install the package 'openvino'."
        return weights.remedy(config.weights_dir) or missing

    def build(config: EngineConfig) -> Built:
        # Imported late, because OpenCV and NumPy would take memory in a server that never gets a picture.
        from models.vision.ppocr.detector import TextDetector
        from models.vision.ppocr.reader import PpOcrReader
        from models.vision.ppocr.recognizer import LineRecognizer

        detector_weights, recognizer_weights = weights.paths(config.weights_dir, spec.capability)
        device, threads = ONNXRUNTIME.resolve(config.device), config.threads or None
        pages = EngineHost(
            spec,
            partial(TextDetector, detector_weights, device=device, threads=threads, card_mb=card.most),
            config.limits(),
        )
        lines = EngineHost(
            spec,
            partial(LineRecognizer, recognizer_weights, device=device, threads=threads, card_mb=card.most),
            replace(config.limits(batch=_LINES_AT_ONCE), max_queue=_LINES_QUEUED),
        )
        return Built(PpOcrReader(pages, lines, most_waiting=config.max_queue), (pages, lines))

    return Candidate(spec, remedy, build, backend=ONNXRUNTIME, profile=profile, card=card)


PP_OCR_V6_SMALL = _pp_ocr(SMALL_WEIGHTS, EMBEDDED, CardMemory(base=600))

PP_OCR_V6_MEDIUM = _pp_ocr(MEDIUM_WEIGHTS, STANDARD, CardMemory(base=1500))


def _paddle_remedy(config: EngineConfig) -> str | None:
    from models.vision.ocr.paddle import remedy

    return remedy(config.weights_dir, config.of(OcrSettings).ocr_language)


def _build_paddle(config: EngineConfig) -> Built:
    from models.vision.ocr.paddle import PaddleOcr, PaddleReader

    engine = partial(
        PaddleOcr,
        config.weights_dir,
        language=config.of(OcrSettings).ocr_language,
        device=PADDLE.resolve(config.device).replace("cuda", "gpu"),
        threads=config.threads or None,
    )
    limits = config.limits()
    host = EngineHost(_PADDLE, engine, limits)
    return Built(PaddleReader(host), (host,))


PADDLE_OCR = Candidate(
    _PADDLE,
    _paddle_remedy,
    _build_paddle,
    backend=PADDLE,
    profile=STANDARD,
    card=CardMemory(base=650, item=1000),
)

_VL_FOLDER, _VL_REPOSITORY = "paddleocr-vl", "PaddlePaddle/PaddleOCR-VL"


def _vl_remedy(config: EngineConfig) -> str | None:
    from models.base import INSTALL_TORCH

    if config.of(OcrSettings).ocr != PADDLEOCR_VL.spec.name:
        return ""  # Unavailable without a remedy: the second reading is slow, so it runs only if the operator chose it.
    if not (config.weights_dir / _VL_FOLDER / "config.json").is_file():
        return f"Run `hf download {_VL_REPOSITORY} --local-dir {_VL_FOLDER}` in the folder OPENFAZE_WEIGHTS_DIR."
    if not is_installed("torch", "transformers"):
        return INSTALL_TORCH
    return PP_OCR_V6_SMALL.remedy(config)


def _build_vl(config: EngineConfig) -> Built:
    from models.vision.ocr.paddleocr_vl import PaddleOcrVl, PaddleOcrVlReader

    line_engine = PP_OCR_V6_SMALL if PP_OCR_V6_MEDIUM.remedy(config) else PP_OCR_V6_MEDIUM
    assert line_engine.build is not None
    lines = line_engine.build(config)
    host = EngineHost(
        PADDLEOCR_VL.spec,
        partial(PaddleOcrVl, config.weights_dir / _VL_FOLDER, device=config.device),
        config.limits(batch=1 if TORCH.resolve(config.device) == CPU else _VL_CARD.items),
    )
    reader = PaddleOcrVlReader(lines.service, host, most_waiting=config.max_queue)
    return Built(reader, (*lines.parts, host))


PADDLEOCR_VL = Candidate(
    EngineSpec(_VL_FOLDER, "ocr", "Apache-2.0", f"the folder '{_VL_FOLDER}' ({_VL_REPOSITORY})"),
    _vl_remedy,
    _build_vl,
    backend=TORCH,
    profile=GPU,
    card=_VL_CARD,
    caution="Its accuracy is unknown: nobody has run it with its real weights yet.",
)


async def _read_a_picture(engines: Engines) -> str:
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    expected = "openfaze 2026"
    picture = Image.new("RGB", (480, 120), "white")
    ImageDraw.Draw(picture).text((24, 32), expected, fill="black", font=ImageFont.load_default(48))
    lines = await engines.use(OCR).read(np.asarray(picture))
    read = " ".join(line.text for line in lines)
    if read != expected:
        raise BadResult(f"read {read!r} where the picture says {expected!r}")
    confidence = min(word.confidence for line in lines for word in line.words)
    return f"read {read!r}, {confidence:.2f} sure"


OCR: Capability[PageReader] = Capability(
    "ocr", (PP_OCR_V6_MEDIUM, PP_OCR_V6_SMALL, PADDLE_OCR, PADDLEOCR_VL), _read_a_picture, OcrSettings, order=10
)
