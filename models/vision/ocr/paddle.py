"""OCR engine: PaddleOCR, with a recogniser for each script, also for scripts other than Latin, Chinese and Japanese.

The detector and the recogniser are called one after the other, as in PaddleOCR's own pipeline, but no model hub is
contacted.
"""

import logging
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.base import EngineUnavailable
from models.capability import is_installed
from models.devices.native import provide_openmp
from models.devices.signals import signal_handlers_kept
from models.hosts.host import EngineHost
from models.vision.ocr.paddle_lines import LineDecoder, along_text, crop, line_of
from models.vision.text import Image, PageText, TextLine

FOLDER = "paddleocr"
"""Folder of all models of PaddleOCR, below the weights directory."""
_LATIN_CJK = "many"
"""Name of the group of Chinese, Japanese, English and 46 more languages in Latin letters, which one recogniser of
PP-OCRv6 reads."""
# Languages of each script that has a recogniser, by the codes of PaddleOCR 3.7 (paddleocr/_utils/langs.py), and ISO's
# codes for Chinese, Japanese and Korean. For be, ru and uk, PaddleOCR prefers `eslav` to `cyrillic`.
_LANGUAGES_BY_SCRIPT = {
    _LATIN_CJK: "af az bs ca ch chinese_cht cs cy da de en es et eu fi fr french ga german gl hr hu id is it ja japan "
    "ku la lb lt lv mi ms mt nl no oc pl pt qu rm ro rs_latin sk sl sq sv sw tl tr uz vi zh",
    "arabic": "ar bal fa ps sd ug ur",
    "cyrillic": "abq ady ava ba bg bua che cv dar inh kaa kbd kk kv ky lbe lez mhr mk mn mo os rs_cyrillic sah "
    "tab tg tt tyv udm xal",
    "devanagari": "ang bgc bh bho gom hi mah mai mr ne new sa sck",
    "el": "el",
    "eslav": "be ru uk",
    "korean": "ko korean",
    "ta": "ta",
    "te": "te",
    "th": "th",
}
_SCRIPT_OF = {language: script for script, languages in _LANGUAGES_BY_SCRIPT.items() for language in languages.split()}
LANGUAGES = _SCRIPT_OF.keys()
_PADDLE_SIGNALS = ("SIGSEGV", "SIGILL", "SIGFPE", "SIGABRT", "SIGBUS", "SIGTERM")
"""Signals that Paddle handles once it has a predictor: it prints a stack and ends the process, although a server should
drain at SIGTERM. `paddle.disable_signal_handler` restores the system's defaults, not the previous handlers."""
PageLines = tuple[TextLine, ...]
# Values of PaddleOCR's own pipeline (paddlex/configs/pipelines/OCR.yaml): pages up to 4000 pixels keep their size.
_DETECTION = {
    "limit_side_len": 64,
    "limit_type": "min",
    "thresh": 0.3,
    "box_thresh": 0.6,
    "unclip_ratio": 1.5,
}


@dataclass(frozen=True, slots=True)
class PaddleModels:
    """Names of two models in PaddleOCR, which are also the names of their folders in FOLDER."""

    detector: str
    recognizer: str
    weight_set: str
    """The name by which `openfaze pull` downloads both models."""


class PaddleOcr:
    """Implementation of `models.base.Engine` from pictures to their lines, in no particular order.

    >>> engine = PaddleOcr(Path("weights"), language="ru")
    >>> engine.load()
    >>> [lines] = engine.run([image])
    """

    def __init__(self, weights: Path, *, language: str = "en", device: str = "cpu", threads: int | None = None) -> None:
        """`device` is `cpu`, `gpu` or `gpu:<n>`; `threads` is the number of CPU threads, by default one per core."""
        self._weights = weights
        self._language = language
        self._device = device
        self._threads = threads or os.cpu_count() or 1
        # On a CPU, padding lines to equal widths takes more time than a batch saves.
        self._lines_at_once = 1 if device == "cpu" else 8
        self._predictors: tuple[Any, Any] | None = None
        # Predictors mix up the results if two threads call them at the same time.
        self._one_at_a_time = threading.Lock()

    @signal_handlers_kept(*(getattr(signal, name) for name in _PADDLE_SIGNALS))
    def load(self) -> None:
        """Load the models. Raises EngineUnavailable immediately if something is missing: PaddleOCR would first try
        model hubs."""
        if missing := remedy(self._weights, self._language):
            raise EngineUnavailable("ocr", missing)
        models = models_for(self._language)
        try:
            provide_openmp()
            from paddleocr import TextDetection, TextRecognition
        except (ImportError, OSError) as error:
            raise EngineUnavailable(
                "ocr",
                f"PaddleOCR cannot be imported ({error}). It needs a writable home directory and, on a machine without "
                "libGL, a build of OpenCV that works without it: run `openfaze install standard`.",
            ) from error
        logging.getLogger("paddlex").setLevel(logging.WARNING)
        # oneDNN (`mkldnn`) fails on some of the networks.
        options = {"device": self._device, "enable_mkldnn": False, "cpu_threads": self._threads}
        folder = self._weights / FOLDER
        detection = TextDetection(
            model_name=models.detector, model_dir=str(folder / models.detector), **_DETECTION, **options
        ).paddlex_predictor
        recognition = TextRecognition(
            model_name=models.recognizer, model_dir=str(folder / models.recognizer), **options
        ).paddlex_predictor
        recognition.post_op = LineDecoder(recognition.post_op.character)
        self._predictors = detection, recognition

    def run(self, batch: Sequence[Image]) -> Sequence[PageLines | Exception]:
        """Return the lines of each page, or the error that it caused. Pages are read one by one, so that none
        influences another."""
        with self._one_at_a_time:
            return [self._read_or_error(image) for image in batch]

    def close(self) -> None:
        self._predictors = None

    def _read_or_error(self, image: Image) -> PageLines | Exception:
        try:
            return self._read(image)
        except Exception as error:  # noqa: BLE001 - an error is the result of its page
            return error

    def _read(self, image: Image) -> PageLines:
        assert self._predictors is not None, "load() comes first"
        detection, recognition = self._predictors
        bgr = np.ascontiguousarray(image[:, :, ::-1])
        [found] = detection.predict(bgr)
        lines = [(corners, crop(bgr, corners)) for corners in map(along_text, found["dt_polys"])]
        # The recogniser gives the decoder the lines' ratios of width to height in ascending order, whatever the order
        # of the lines. So the lines must be sorted by this ratio.
        lines.sort(key=lambda line: line[1].shape[1] / line[1].shape[0])
        pictures = [picture for _, picture in lines]
        results = list(recognition.predict(pictures, batch_size=self._lines_at_once)) if pictures else []
        read = (line_of(result["rec_text"][1], corners) for (corners, _), result in zip(lines, results, strict=True))
        return tuple(line for line in read if line is not None)


class PaddleReader:
    """A PageReader whose engine, a PaddleOcr, runs in an EngineHost."""

    def __init__(self, host: EngineHost[Image, PageLines]) -> None:
        self._host = host

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        return PageText(await self._host.run(image, wait=wait))

    def check_room(self) -> None:
        self._host.check_room()


def models_for(language: str) -> PaddleModels:
    """Return the models that PaddleOCR itself uses for `language`. Raises EngineUnavailable if there are none."""
    script = _SCRIPT_OF.get(language)
    if script is None:
        raise EngineUnavailable(
            "ocr", f"PaddleOCR does not read '{language}'; it reads {', '.join(sorted(LANGUAGES))}."
        )
    if script == _LATIN_CJK:
        return PaddleModels("PP-OCRv6_medium_det", "PP-OCRv6_medium_rec", "paddleocr")
    return PaddleModels("PP-OCRv5_server_det", f"{script}_PP-OCRv5_mobile_rec", f"paddleocr-{script}")


def remedy(weights: Path, language: str) -> str | None:
    """Return a sentence that says what is missing for `language` and how to get it; None if the engine can load. No
    model is loaded."""
    if not is_installed("paddle", "paddleocr"):
        return "Install PaddleOCR: `openfaze install standard`."
    try:
        models = models_for(language)
    except EngineUnavailable as error:
        return error.remedy
    for model in (models.detector, models.recognizer):
        directory = weights / FOLDER / model
        if not all((directory / f"inference.{ending}").is_file() for ending in ("yml", "json", "pdiparams")):
            return (
                f"'{FOLDER}/{model}' in OPENFAZE_WEIGHTS_DIR does not hold the inference.yml, inference.json and "
                f"inference.pdiparams of that model. Run `openfaze pull {models.weight_set}`, or copy them there."
            )
    return None
