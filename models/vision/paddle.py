"""PaddleOCR: the `ocr` engine for scripts beyond Latin, Chinese and Japanese, with a recogniser for each.

Its detector and recogniser are called one after the other, as its ready-made pipeline does, but no model hub is
looked for.

From what PaddleOCR's networks put out to words with places and confidences.

PaddleX can return word boxes itself, but they ignore the slant of a line, know no white space outside Latin and
Chinese text, and carry no confidence.
"""

import contextlib
import ctypes
import logging
import os
import signal
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.capability import is_installed
from models.host import EngineHost
from models.vision.text import Image, Point, Quad, TextLine, Word

FOLDER = "paddleocr"
"""The folder of all its models, below the weights directory."""


@dataclass(frozen=True, slots=True)
class PaddleModels:
    """Two directories in FOLDER, called what PaddleOCR calls the models in them."""

    detector: str
    recognizer: str
    weight_set: str
    """What `openfaze pull` calls the two together."""


_MANY = "many"
"""Chinese, Japanese and 46 languages in Latin letters, which one recogniser of PP-OCRv6 reads."""

# The scripts that have a recogniser and their languages, by PaddleOCR 3.7's codes (paddleocr/_utils/langs.py) and
# ISO's for Chinese, Japanese and Korean. For be, ru and uk PaddleOCR prefers `eslav` to `cyrillic`.
_LANGUAGES_BY_SCRIPT = {
    _MANY: "af az bs ca ch chinese_cht cs cy da de en es et eu fi fr french ga german gl hr hu id is it ja japan "
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


def models_for(language: str) -> PaddleModels:
    """The pair that PaddleOCR itself takes for `language`; EngineUnavailable where there is none."""
    script = _SCRIPT_OF.get(language)
    if script is None:
        raise EngineUnavailable(
            "ocr", f"PaddleOCR does not read '{language}'; it reads {', '.join(sorted(LANGUAGES))}."
        )
    if script == _MANY:
        return PaddleModels("PP-OCRv6_medium_det", "PP-OCRv6_medium_rec", "paddleocr")
    return PaddleModels("PP-OCRv5_server_det", f"{script}_PP-OCRv5_mobile_rec", f"paddleocr-{script}")


def remedy(weights: Path, language: str) -> str | None:
    """What is missing for `language` and how to get it; None when the engine can load. Looks, loads nothing."""
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


Corners = NDArray[np.float32]
"""4 × 2: a Quad to calculate with."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One class of the recogniser, seen on a line."""

    text: str
    """One character as a rule; the Thai dictionary has an entry of two."""
    middle: float
    """Where along the line, 0 to 1."""
    probability: float


def decode(probabilities: NDArray[np.float32], symbols: Sequence[str], columns: float) -> list[Symbol]:
    """CTC's greedy path: runs of one class make a symbol, blanks (class 0) make none.

    `probabilities` is columns × classes; the first `columns` of them show the line, the rest shows padding.
    """
    best = probabilities.argmax(axis=1)
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    ends = np.append(starts[1:], len(best))
    return [
        Symbol(symbols[best[start]], min(1.0, float(start + end) / (2 * columns)), float(probabilities[start].max()))
        for start, end in zip(starts, ends, strict=True)
        if best[start] != 0 and start < columns and symbols[best[start]]
    ]


class LineDecoder:
    """Takes the place of PaddleX's `CTCLabelDecode`, which throws the probabilities of the characters away.

    It returns pairs of text and Symbols where PaddleX's returns pairs of text and word boxes.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        """`symbols` are the recogniser's classes; the first is CTC's blank."""
        self._symbols = symbols

    def __call__(
        self,
        predictions: Sequence[NDArray[np.float32]],
        *,
        wh_ratio_list: Sequence[float],
        max_wh_ratio: float,
        **_: object,
    ) -> tuple[list[tuple[str, list[Symbol]]], list[float]]:
        """`predictions[0]` is lines × columns × classes; the ratios say how much of its columns a line fills."""
        texts, scores = [], []
        for probabilities, ratio in zip(predictions[0], wh_ratio_list, strict=True):
            line = decode(probabilities, self._symbols, len(probabilities) * ratio / max_wh_ratio)
            texts.append(("".join(symbol.text for symbol in line), line))
            scores.append(_confidence(line) if line else 0.0)
        return texts, scores


def line_of(symbols: Sequence[Symbol], corners: Corners) -> TextLine | None:
    """The words of a line; None where nothing but white space was read.

    What lies between the middles of two symbols is halved; the outer symbols reach to the ends of the line.
    """
    borders = [(left.middle + right.middle) / 2 for left, right in pairwise(symbols)]
    edges = [0.0, *borders, 1.0]
    words = []
    for blank, run in groupby(range(len(symbols)), key=lambda index: symbols[index].text.isspace()):
        if not blank:
            indices = list(run)
            word = [symbols[index] for index in indices]
            quad = part(corners, edges[indices[0]], edges[indices[-1] + 1])
            words.append(Word("".join(symbol.text for symbol in word), quad, _confidence(word)))
    return TextLine(tuple(in_reading_order(words)), part(corners, 0.0, 1.0)) if words else None


def _confidence(symbols: Sequence[Symbol]) -> float:
    # Single-precision softmax can end a hair above 1.
    return min(1.0, float(np.mean([symbol.probability for symbol in symbols])))


def in_reading_order(words: Sequence[Word]) -> list[Word]:
    """Words as seen from left to right, in the order and the spelling in which they are read.

    A line with letters of a right-to-left script runs that way, except where words of left-to-right scripts
    stand side by side (Unicode's bidirectional algorithm, UAX #9, with whole words as its units).
    """
    if not any(_direction(word.text) == "right to left" for word in words):
        return list(words)
    from bidi.algorithm import get_display

    ordered: list[Word] = []
    for direction, run in groupby(reversed(words), key=lambda word: _direction(word.text)):
        if direction == "left to right":
            ordered += reversed(list(run))
        else:
            ordered += (replace(word, text=get_display(word.text, base_dir="R")) for word in run)
    return ordered


def _direction(text: str) -> str:
    classes = {unicodedata.bidirectional(character) for character in text}
    if classes & {"R", "AL"}:
        return "right to left"
    return "left to right" if "L" in classes else "neutral"


def along_text(polygon: NDArray[Any]) -> Corners:
    """The corners of a detected box as its text runs: downwards where it is half as high again as wide."""
    corners = np.asarray(polygon, np.float32).reshape(4, 2)
    width, height = size(corners)
    return np.roll(corners, -1, axis=0) if height >= 1.5 * width else corners


def part(corners: Corners, start: float, end: float) -> Quad:
    """The piece of a line between two fractions of its length."""
    top_left, top_right, bottom_right, bottom_left = corners.astype(np.float64)

    def between(a: NDArray[np.float64], b: NDArray[np.float64], fraction: float) -> Point:
        x, y = a + (b - a) * fraction
        return float(x), float(y)

    return (
        between(top_left, top_right, start),
        between(top_left, top_right, end),
        between(bottom_left, bottom_right, end),
        between(bottom_left, bottom_right, start),
    )


def crop(image: NDArray[np.uint8], corners: Corners) -> NDArray[np.uint8]:
    """What `image` shows within `corners`, straightened; height × width × 3."""
    import cv2

    width, height = (max(1, round(side)) for side in size(corners))
    straight = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    straightened = cv2.warpPerspective(
        image,
        cv2.getPerspectiveTransform(corners, straight),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(straightened, np.uint8)


def size(corners: Corners) -> tuple[float, float]:
    """Width and height of a line: the longer of two opposite sides each."""
    top_left, top_right, bottom_right, bottom_left = corners
    width = max(np.linalg.norm(top_right - top_left), np.linalg.norm(bottom_right - bottom_left))
    height = max(np.linalg.norm(bottom_left - top_left), np.linalg.norm(bottom_right - top_right))
    return float(width), float(height)


# What Paddle handles from its first predictor on: it prints a stack and ends the process, where a server that is
# told to stop by SIGTERM should drain.
_TAKEN = ("SIGSEGV", "SIGILL", "SIGFPE", "SIGABRT", "SIGBUS", "SIGTERM")

_ROOM = 512
"""Bytes: more than any system's `struct sigaction` (152 on Linux x86-64)."""


@contextlib.contextmanager
def signals_kept() -> Iterator[None]:
    """Puts the signal handlers back that were there before the block.

    Through the C library, because `signal.signal` works on the main thread alone and engines load on others, and
    because `paddle.disable_signal_handler` leaves the system's defaults instead of what was there.
    """
    if os.name != "posix":
        yield
        return
    sigaction = ctypes.CDLL(None, use_errno=True).sigaction
    numbers = [getattr(signal, name) for name in _TAKEN]
    kept = {number: ctypes.create_string_buffer(_ROOM) for number in numbers}
    for number, action in kept.items():
        _checked(sigaction(number, None, action))
    try:
        yield
    finally:
        for number, action in kept.items():
            _checked(sigaction(number, action, None))


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "sigaction failed")


__all__ = ["PaddleOcr", "PaddleReader", "remedy"]

PageLines = tuple[TextLine, ...]

# As PaddleOCR's own pipeline (paddlex/configs/pipelines/OCR.yaml): pages up to 4000 pixels keep their size.
_DETECTION = {
    "limit_side_len": 64,
    "limit_type": "min",
    "thresh": 0.3,
    "box_thresh": 0.6,
    "unclip_ratio": 1.5,
}


class PaddleOcr:
    """An Engine from pictures to their lines, in no particular order.

    >>> engine = PaddleOcr(Path("weights"), language="ru")
    >>> engine.load()
    >>> [lines] = engine.run([image])
    """

    def __init__(self, weights: Path, *, language: str = "en", device: str = "cpu", threads: int | None = None) -> None:
        """`device` is `cpu`, `gpu` or `gpu:<n>`; `threads` are the CPU's, by default one a core."""
        self._weights = weights
        self._language = language
        self._device = device
        self._threads = threads or os.cpu_count() or 1
        # On a CPU, padding a line to the width of its neighbours costs more than a batch saves.
        self._lines_at_once = 1 if device == "cpu" else 8
        self._predictors: tuple[Any, Any] | None = None
        # Predictors that two threads call at once mix up their results.
        self._one_at_a_time = threading.Lock()

    @signals_kept()
    def load(self) -> None:
        """Raises EngineUnavailable at once when something is missing: PaddleOCR would try model hubs first."""
        if missing := remedy(self._weights, self._language):
            raise EngineUnavailable("ocr", missing)
        models = models_for(self._language)
        try:
            from paddleocr import TextDetection, TextRecognition
        except (ImportError, OSError) as error:
            raise EngineUnavailable(
                "ocr",
                f"PaddleOCR does not import ({error}). It needs a home directory to write to and, without libGL, an "
                "OpenCV that does without, too: `openfaze install standard` sees to that.",
            ) from error
        logging.getLogger("paddlex").setLevel(logging.WARNING)
        # oneDNN (`mkldnn`) breaks on some of the networks.
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
        """The lines of each page, or what went wrong on it. Pages are read one by one: none sees another."""
        with self._one_at_a_time:
            return [self._read_or_error(image) for image in batch]

    def close(self) -> None:
        self._predictors = None

    def _read_or_error(self, image: Image) -> PageLines | Exception:
        try:
            return self._read(image)
        except Exception as error:  # noqa: BLE001 - whatever breaks on a page is the result of that page
            return error

    def _read(self, image: Image) -> PageLines:
        assert self._predictors is not None, "load() comes first"
        detection, recognition = self._predictors
        bgr = np.ascontiguousarray(image[:, :, ::-1])
        [found] = detection.predict(bgr)
        lines = [(corners, crop(bgr, corners)) for corners in map(along_text, found["dt_polys"])]
        # The recogniser expects its lines narrow to wide: it hands their proportions to the decoder sorted.
        lines.sort(key=lambda line: line[1].shape[1] / line[1].shape[0])
        pictures = [picture for _, picture in lines]
        results = list(recognition.predict(pictures, batch_size=self._lines_at_once)) if pictures else []
        read = (line_of(result["rec_text"][1], corners) for (corners, _), result in zip(lines, results, strict=True))
        return tuple(line for line in read if line is not None)


class PaddleReader:
    """A PageReader on the host of a PaddleOcr."""

    def __init__(self, host: EngineHost[Image, PageLines]) -> None:
        self._host = host

    async def read(self, image: Image, *, wait: bool = False) -> Sequence[TextLine]:
        return await self._host.run(image, wait=wait)

    def place(self) -> AbstractContextManager[Callable[[], None]]:
        return self._host.place()
