"""Fields read right on turned, tilted, photographed and curled pages, compared with the same pages upright.

    python -m bench.turned                      all ways, some minutes
    python -m bench.turned --documents 12 --ways upright,5,90

The documents are those of the split for validation, drawn in several typefaces and then distorted. A field is right if
its letters and figures, its number or its day are right. `in order` is the share of neighbouring words of the upright
reading that are neighbours in this reading, too.
"""

import argparse
import asyncio
import io
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bench.extraction import Bench, same, wanted_of
from models.vision.text import Image as Pixels
from tasks.base import TaskRequest
from tasks.extraction.choice import choose_values
from tasks.inputs.source import Origin, Source
from tasks.precontext import Entry
from tasks.schema.awaited import in_thread
from tests.conftest import SHARED
from training.extraction.documents import MadeDocument, documents, draw
from training.extraction.examples import asked_of

SEED = 41
FONTS = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "STIXGeneral.ttf")
PAPER = (250, 249, 245)
DESK = (92, 84, 78)

Distortion = Callable[[Pixels], Pixels]


def turned(degrees: float, page: Pixels) -> Pixels:
    """Return `page` turned clockwise; the corners around it are paper, like those of a scan."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(page, -round(degrees / 90)))
    height, width = page.shape[:2]
    c, s = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    size = (int(width * c + height * s), int(width * s + height * c))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return np.asarray(cv2.warpAffine(page, matrix, size, flags=cv2.INTER_CUBIC, borderValue=PAPER), np.uint8)


def photographed(corners: Sequence[tuple[float, float]], page: Pixels) -> Pixels:
    """Return `page` as a photo of a sheet on a desk. `corners` are the sheet's in shares of the photo's sides."""
    height, width = page.shape[:2]
    size = (round(1.25 * width), round(1.25 * height))
    place = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    matrix = cv2.getPerspectiveTransform(place, (np.array(corners) * size).astype(np.float32))
    return np.asarray(cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_CUBIC, borderValue=DESK), np.uint8)


def curled(rise: float, page: Pixels) -> Pixels:
    """Return `page` bent about an upright axis, by `rise` of its width, and a little more below than above."""
    height, width = page.shape[:2]
    margin = round(1.3 * abs(rise) * width) + 1
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height + 2 * margin, dtype=np.float32))
    arc = np.sin(np.pi * (x / width) ** 1.2) * (0.8 + 0.4 * y / height)
    level = y - margin - rise * width * arc
    return np.asarray(
        cv2.remap(page, x, level.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT,
                  borderValue=PAPER), np.uint8)  # fmt: skip


def _photo(corners: Sequence[tuple[float, float]], quarters: int = 0) -> Distortion:
    return lambda page: np.ascontiguousarray(np.rot90(photographed(corners, page), -quarters))


WAYS: Mapping[str, Distortion] = {
    "upright": lambda page: page,
    **{f"{degrees:g}": partial(turned, degrees) for degrees in (0.5, 1, -1, 3, -3, 5, -5, 10, -10, 15, -15)},
    **{f"{degrees}": partial(turned, degrees) for degrees in (90, 180, 270)},
    "93": partial(turned, 93),
    "175": partial(turned, 175),
    "photo from below": _photo(((0.16, 0.08), (0.85, 0.06), (0.95, 0.95), (0.04, 0.93))),
    "photo from the left": _photo(((0.05, 0.03), (0.93, 0.14), (0.9, 0.85), (0.07, 0.97))),
    "photo askew": _photo(((0.14, 0.05), (0.95, 0.13), (0.85, 0.97), (0.03, 0.86))),
    "photo askew, sideways": _photo(((0.14, 0.05), (0.95, 0.13), (0.85, 0.97), (0.03, 0.86)), 1),
    "curled up": partial(curled, -0.03),
    "curled down": partial(curled, 0.05),
}


class TurnedBench:
    def __init__(self) -> None:
        self._bench = Bench(SHARED / "data" / "receipts")
        self.right: Counter[str] = Counter()
        self.fields: Counter[str] = Counter()
        self.ordered: dict[str, list[float]] = {}
        self.seconds: dict[str, list[float]] = {}
        self.sure: Counter[str] = Counter()

    async def measure(self, made: MadeDocument, way: str, picture: Pixels, upright: Sequence[str]) -> list[str]:
        """Count what is right of `made` in `picture`, and return its words in order."""
        data = io.BytesIO()
        Image.fromarray(picture).save(data, "PNG")
        request = TaskRequest("", (Source(Origin("page"), data=data.getvalue()),))
        began = time.perf_counter()
        result = await self._bench.services.tasks.find("ocr").run(request)
        self.seconds.setdefault(way, []).append(time.perf_counter() - began)
        asked = [one for one in asked_of(made, random.Random(SEED)) if one.value is not None and one.cells is None]
        scored = await in_thread(self._bench.extractor.score, [Entry("ocr", result)], wanted_of(asked))
        found = choose_values(scored)
        for one in asked:
            choice = found.get(one.path)
            self.fields[way] += 1
            self.right[way] += choice is not None and same(choice.value, one.value)[0]
        words: list[str] = result.text().split()
        pairs, truth = Counter(pairwise(words)), Counter(pairwise(upright or words))
        self.ordered.setdefault(way, []).append((pairs & truth).total() / max(1, truth.total()))
        return words

    async def close(self) -> None:
        await self._bench.services.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=32)
    parser.add_argument("--ways", default=",".join(WAYS), help="separated by commas, except those with a comma")
    parser.add_argument("--save", type=Path, help="a folder for the pictures of the first document")
    options = parser.parse_args()
    ways = [way for way in WAYS if way in options.ways]
    if options.ways != ",".join(WAYS):
        ways = ["upright", *(way for way in options.ways.split(",") if way != "upright")]
    bench = TurnedBench()
    for number, made in enumerate(documents(SEED, options.documents, split="validate")):
        page = draw(made, FONTS[number % len(FONTS)])
        paper = np.asarray(Image.composite(Image.new("RGB", page.size, PAPER), page, page.convert("L")), np.uint8)
        paper = np.asarray(cv2.copyMakeBorder(paper, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=PAPER), np.uint8)
        words: list[str] = []
        for way in ways:
            picture = WAYS[way](paper)
            if options.save and number == 0:
                options.save.mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture).save(options.save / f"{way}.png")
            read = await bench.measure(made, way, picture, words)
            words = words or read
    print(f"{options.documents} documents")
    for way in ways:
        right, fields = bench.right[way], bench.fields[way]
        order, seconds = statistics.mean(bench.ordered[way]), statistics.median(bench.seconds[way])
        print(f"{way:24} {right / fields:6.1%} of {fields} fields, {order:6.1%} in order, {seconds:.2f} s to read")
    await bench.close()


if __name__ == "__main__":
    asyncio.run(main())
