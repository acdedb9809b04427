"""The `ocr` capability: detector and recogniser put together."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np

from models.host import EngineHost
from models.scheduler import FairSlots
from models.vision.ppocr.contours import Quads
from models.vision.ppocr.crops import Crop, ways_to_read
from models.vision.ppocr.ctc import Reading
from models.vision.ppocr.words import line_of_words
from models.vision.text import Image, TextLine

_DOUBTFUL = 0.85
"""Confidence below which a line may be upside down: such lines measure 0.5 to 0.9, upright ones 0.9 to 1."""
_CERTAIN = 0.9
"""Confidence that a line read upside down needs to be believed on a page that is not."""


class PpOcrReader:
    """Implements `models.vision.text.PageReader` over a host of a `TextDetector` and one of a `LineRecognizer`.

    Lines are upright or turned by any angle; a page turned by a quarter or half is recognised by how its lines lie
    and read. Lines below `least_confidence` are left out: they are texture, or a script that the recogniser does
    not know (see the package's docstring).
    """

    def __init__(
        self,
        detector: EngineHost[Image, Quads],
        recognizer: EngineHost[Image, Reading],
        *,
        least_confidence: float = 0.5,
        pages_at_once: int = 16,
    ) -> None:
        """`pages_at_once`: whose lines are cut out and wait for the recogniser. Cutting is faster than recognising: the
        lines of all pages that wait would be in memory together."""
        self._pages = FairSlots("ocr", pages_at_once, most_waiting=pages_at_once)
        self._detector = detector
        self._recognizer = recognizer
        self._least_confidence = least_confidence

    async def read(self, image: Image, *, wait: bool = False) -> Sequence[TextLine]:
        quads = await self._detector.run(image, wait=wait)
        if len(quads) == 0:
            return []
        # Patient: the detector's queue has let the page in.
        async with self._pages.slot(patient=True):
            ways = await asyncio.to_thread(ways_to_read, image, quads)
            read = await self._best_ways(ways, wait)
            read = await self._right_way_up(read, wait)
            return await asyncio.to_thread(self._lines, read)

    def place(self) -> AbstractContextManager[Callable[[], None]]:
        return self._detector.place()

    async def _recognized(self, crops: Sequence[Crop], wait: bool) -> list[tuple[Crop, Reading]]:
        readings = await self._recognizer.run_many([crop.picture for crop in crops], wait=wait)
        return list(zip(crops, readings, strict=True))

    async def _best_ways(self, ways: Sequence[Sequence[Crop]], wait: bool) -> list[tuple[Crop, Reading]]:
        """Of the ways in which each line may run, the one that reads best."""
        read = iter(await self._recognized([crop for line in ways for crop in line], wait))
        return [max((next(read) for _ in line), key=lambda way: _weight(way[1])) for line in ways]

    async def _right_way_up(self, read: Sequence[tuple[Crop, Reading]], wait: bool) -> list[tuple[Crop, Reading]]:
        """The doubtful lines read the other way up as well; if most are doubtful, the whole page."""
        widths = np.array([crop.picture.shape[1] for crop, _ in read])
        doubtful = np.array([reading.confidence < _DOUBTFUL for _, reading in read])
        if not doubtful.any():
            return list(read)
        whole_page = widths[doubtful].sum() > 0.5 * widths.sum()
        again = range(len(read)) if whole_page else np.flatnonzero(doubtful).tolist()
        turned = await self._recognized([read[i][0].upside_down() for i in again], wait)
        if whole_page and sum(map(_weight_of, turned)) > sum(map(_weight_of, read)):
            return turned
        best = list(read)
        for index, (crop, reading) in zip(again, turned, strict=True):
            if reading.confidence > max(_CERTAIN, best[index][1].confidence) and len(reading.text) > 2:
                best[index] = crop, reading
        return best

    def _lines(self, read: Sequence[tuple[Crop, Reading]]) -> list[TextLine]:
        lines = (line_of_words(crop, text) for crop, text in read if text.confidence >= self._least_confidence)
        return [line for line in lines if line is not None]


def _weight(reading: Reading) -> float:
    """How much text a reading is evidence of: wrong ways up read little, and that with low probabilities."""
    return float(reading.probabilities.sum()) * reading.confidence


def _weight_of(way: tuple[Crop, Reading]) -> float:
    return _weight(way[1])
