"""Page reader of the `ocr` capability: it crops each detected line from the picture, rotates it upright, and passes the
crops to the recogniser."""

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import available_cpus
from models.hosts.host import EngineHost
from models.queues import Slots
from models.vision.ppocr.contours import Quads
from models.vision.ppocr.ink import Ink, body_rows, ink_of, inked_columns, widest_gap
from models.vision.ppocr.recognizer import LINE_HEIGHT, CutLine, RecognizedLine, fitted, is_cjk
from models.vision.text import Image, PageText, Point, Quad, TextLine, Word
from models.vision.type_size import TypeSize

Corners = NDArray[np.float32]
"""Array of 4 × 2: top left, top right, bottom right, bottom left, in pixels of the picture."""

_TALL_RATIO = 1.5
"""The text of a box is assumed to run sideways if the ratio of height to width is above this."""
_MAX_CHARACTER_RATIO = 3.0
"""A tall box may contain one or two upright characters if the ratio of height to width is at most this."""
_MAX_SLOPE = 0.06
"""A line is cut out without straightening if its slope is at most this. The slope is the rise of the line's edge,
relative to the line's height."""
_LONGEST_WARPED = 32_766
"""A warped picture has at most this many pixels along a side, because OpenCV accepts fewer than SHRT_MAX (32,767)."""
_EDGE_TOLERANCE = 0.25
"""A crop may leave out at most this part of a pixel at the edge of a box."""

_MAX_COLUMNS = 1_000_000
"""All lines of one picture, scaled to LINE_HEIGHT, are together at most this many pixels wide. They show about 50,000
letters, in 144 MB. Without this limit, lines one pixel high across a large picture would take a hundred times the
picture's memory."""
_MAX_LINES = 4_000
"""At most this many lines of one picture are read. A dense newspaper page has a thousand, whereas a picture of 12 kB
may show a hundred thousand squares, each of which would be read."""
_MAX_ENCLOSING_PIXELS = 2_000_000_000
"""The upright rectangles around all tilted lines of one picture have at most this many pixels together. To cut out a
tilted line, the whole rectangle around it is shrunk. For a line from corner to corner, this is the whole picture, which
takes 0.1 s or more for 50 megapixels. The limit suffices for a page of 35 megapixels with a hundred lines, turned by
45°."""
_GAP = 1.7
"""Two characters with blank paper between them belong to different words if their distance is at least this, in units
of the line's usual character distance."""
_WIDE_GAP = 2.5
"""Value like `_GAP` for CJK characters, which are set further apart."""
_LEADER_GAP = 4.0
"""Value like `_GAP` for gaps with or without ink. The ink may be leader dots that were not recognised."""
_BLANK = 0.8
"""The blank paper between words has at least this width, relative to the usual distance."""
_NARROW_GAP = 1.2
"""Value like `_GAP` for gaps in which the blank paper is clearly wider than between the line's other letters. In
proportional type, a space is half as wide as a letter."""
_NARROW_BLANK = 0.4
"""At a `_NARROW_GAP`, the blank paper has at least this width, relative to the usual distance."""
_BLANK_EXCESS = 0.25
"""At a `_NARROW_GAP`, the blank paper is wider than the usual blank paper by at least this, relative to the height of
the line."""
_SLENDER = frozenset("1liIjtfrJ")
"""Letters that, in some typefaces, have much blank paper beside them."""
_SLENDER_MARGIN = 0.05
"""Amount that is added to `_BLANK_EXCESS` for each neighbouring character in `_SLENDER`."""
_LEAST_CHARACTERS = 4
"""The usual blank paper of a line is determined only if the line has at least this many characters."""
_SIZE_CHANGE_GAP = 0.4
"""The size of the type may change at white space of at least this width, relative to the height of the line."""
_LEAST_PITCH = 8.0
"""The recogniser can separate two characters only if they are at least this many pixels apart."""
_MAX_PITCH = 1.2
"""The usual distance between characters is at most this, relative to their height. Without this bound, a single wide
gap in a line of three characters could count as the usual distance."""
Span = tuple[float, float]
_LEAST_UPRIGHT_CONFIDENCE = 0.85
"""A line with a lower confidence than this may be upside down. Lines that are upside down have 0.5 to 0.9, upright
lines 0.9 to 1."""
_LOWEST_LINE = 5
"""Letters have at least this height, in pixels. A picture whose shorter side has fewer pixels has no text, however long
it is. Without this rule, a picture of 1 × 60,000 pixels, which is sent in 88 bytes, would be searched in 59 tiles."""
_CERTAIN = 0.9
"""On an upright page, an upside-down reading replaces the upright reading of a line only with a higher confidence than
this."""
_LEAST_CONFIDENCE = 0.5
"""A line of text has at least this confidence. Lines with less are texture, or are in a script that the recogniser does
not know (see the package's docstring)."""

_POOR_CONFIDENCE = 0.65
"""The reading of a line with a lower confidence than this is probably wrong."""
_LEAST_DENSITY = 0.7
"""The reading of a line is probably wrong if it has fewer characters than this in a width equal to the line's height.
Latin text has about 2, text in wide capitals 1.4."""
_MUCH_GREEK = 0.3
"""The Greek letters of a line are a Greek text, and not the signs of a formula, if their share of the line's letters is
larger than this."""
_GREEK_RANGE = "\u0370", "\u03ff"
_FEWEST_POOR = 3
"""Poor lines count only if there are at least this many, because textures in photos are sometimes taken for a line or
two."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A line cut out of the picture, assumed to run along the upper edge of `corners`."""

    corners: Corners
    picture: Image
    """Picture of the line, LINE_HEIGHT pixels high."""

    def upside_down(self) -> "Crop":
        return Crop(np.roll(self.corners, 2, 0), np.ascontiguousarray(self.picture[::-1, ::-1]))


def ways_to_read(image: Image, quads: Quads) -> list[list[Crop]]:
    """Return, for each of `quads`, the possible crops of `image`, the most likely first. In one of them, the text is
    upright or upside down.

    On a page whose text is level, a wide box yields one crop; a tall box may run up or down, or be a single character.
    If most text is in tall boxes, the page itself is turned, and wide boxes are the exception.
    """
    sizes = [_sides(quad) for quad in quads]
    level = sum(width for width, height in sizes if height <= _TALL_RATIO * width)
    sideways = sum(height for width, height in sizes if height > _TALL_RATIO * width)
    page_turn = 1 if sideways > level else 0
    return [[_cut(image, _turned(quad, turn)) for turn in _turns(quad, page_turn)] for quad in quads]


def within_bounds(quads: Quads) -> Quads:
    """Return the `quads` that can be read within the limits. If reading all would take too much memory, the most
    slender ones are left out; if there are too many, the shortest. If cutting out all would take too long, the tilted
    lines with the largest enclosing rectangles are left out."""
    sides = np.linalg.norm(quads - np.roll(quads, -1, 1), axis=2)
    if len(quads) > _MAX_LINES:
        longest = np.sort(np.argsort(-sides.max(1), kind="stable")[:_MAX_LINES])
        quads, sides = quads[longest], sides[longest]
    columns = LINE_HEIGHT * sides.max(1) / sides.min(1).clip(1)
    spans = np.ptp(quads, axis=1).prod(1, dtype=np.float64)
    tilted = np.array([_quarters(quad) is None for quad in quads], bool)
    fit = _smallest_within(columns, _MAX_COLUMNS) & _smallest_within(np.where(tilted, spans, 0), _MAX_ENCLOSING_PIXELS)
    return np.asarray(quads[fit], np.float32)


def _smallest_within(costs: NDArray[np.floating[Any]], limit: float) -> NDArray[np.bool_]:
    """Return a mask of the smallest `costs` whose sum is at most `limit`."""
    order = costs.argsort(kind="stable")
    fit = np.zeros(len(costs), bool)
    fit[order] = costs[order].cumsum() <= limit
    return fit


def _turns(quad: Corners, page_turn: int) -> Sequence[int]:
    """Return the numbers of quarter turns, clockwise, at which the text of `quad` may run."""
    width, height = _sides(_turned(quad, page_turn))
    if height <= _TALL_RATIO * width:
        return (page_turn,)
    across = (page_turn + 1, page_turn + 3)
    return across if height > _MAX_CHARACTER_RATIO * width else (page_turn, *across)


def _turned(quad: Corners, quarters: int) -> Corners:
    """Return the corners in the order for a text that is turned clockwise by this number of quarter turns: the corner
    where the text begins comes first."""
    return np.roll(quad, -quarters, 0)


def _sides(quad: Corners) -> tuple[float, float]:
    """Width and height of `quad`: each the longer of two opposite sides."""
    lengths = np.linalg.norm(quad - np.roll(quad, -1, 0), axis=1)
    return float(max(lengths[0], lengths[2])), float(max(lengths[1], lengths[3]))


def _cut(image: Image, corners: Corners) -> Crop:
    bounds = np.array(image.shape[1::-1])
    low = np.floor(corners.min(0) + _EDGE_TOLERANCE).astype(int).clip(0, bounds - 1)
    high = np.ceil(corners.max(0) - _EDGE_TOLERANCE).astype(int).clip(low + 1, bounds)
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    part = image[top:bottom, left:right]
    quarters = _quarters(corners)
    if quarters is None:
        return Crop(corners, _straightened(part, corners - np.array((left, top), np.float32)))
    box = np.array(((left, top), (right, top), (right, bottom), (left, bottom)), np.float32)
    return Crop(_turned(box, quarters), fitted(np.rot90(part, quarters)))


def _quarters(corners: Corners) -> int | None:
    """Number of quarter turns, clockwise, at which the text runs; None if it is tilted."""
    along, across = corners[1] - corners[0], corners[3] - corners[0]
    rise = _MAX_SLOPE * _sides(corners)[1]
    if max(abs(along[1]), abs(across[0])) <= rise:
        return 0 if along[0] > 0 else 2
    if max(abs(along[0]), abs(across[1])) <= rise:
        return 1 if along[1] > 0 else 3
    return None


def _straightened(part: Image, corners: Corners) -> Image:
    """Return the inside of `corners` as a level line, LINE_HEIGHT pixels high."""
    width, height = _sides(corners)
    scale = LINE_HEIGHT / max(height, 1.0)
    part_height, part_width = part.shape[:2]
    if (shrinkage := min(2 * scale, _LONGEST_WARPED / max(part_height, part_width))) < 1:
        # A warp interpolates between four pixels for each point, so shrinking by area first keeps all strokes.
        smaller = (max(1, round(shrinkage * part_width)), max(1, round(shrinkage * part_height)))
        part = np.asarray(cv2.resize(part, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        corners = corners * np.array((smaller[0] / part_width, smaller[1] / part_height), np.float32)
    size = (min(max(1, round(width * scale)), _LONGEST_WARPED), LINE_HEIGHT)
    # Corners lie on the edges of pixels, whereas the warp counts from their centres.
    target = np.array(((0, 0), (size[0], 0), size, (0, size[1])), np.float32) - 0.5
    warp = cv2.getPerspectiveTransform(np.ascontiguousarray(corners - 0.5, np.float32), target)
    interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(
        cv2.warpPerspective(part, warp, size, flags=interpolation, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def lines_of_words(crop: Crop, reading: RecognizedLine) -> list[TextLine]:
    """Return the words of `reading` in lines. A word's box is as wide as the word's ink and as high as the line's ink.
    There is more than one line if the detector took text of several sizes for a single line."""
    width = crop.picture.shape[1]
    ink = ink_of(crop.picture)
    top, bottom = body_rows(ink)
    inked = inked_columns(ink, (top, bottom))
    centres = reading.centres * width
    pitch = _pitch(reading.text, centres, bottom - top)
    groups = list(_Spacing(reading.text, centres, pitch, bottom - top, inked).words())
    breaks = [0.0]
    for left, right in pairwise(groups):
        breaks.append(_middle_of_gap(inked, centres[left[-1]], centres[right[0]]))
    breaks.append(float(width))
    texts, spans = [], []
    for indices, (start, stop) in zip(groups, pairwise(breaks), strict=False):
        first, last = float(centres[indices[0]]), float(centres[indices[-1]])
        spans.append(_trimmed(inked, max(start, first - pitch), min(stop, last + pitch), (first, last), pitch))
        texts.append("".join(reading.text[i] for i in indices))
    lines = []
    for part, rows in _in_one_size(ink, (top, bottom), texts, spans):
        words = [
            Word(
                texts[word],
                _quad_in_picture(crop, spans[word], rows),
                float(reading.probabilities[groups[word]].mean()),
            )
            for word in part
        ]
        lines.append(TextLine(tuple(words), _quad_in_picture(crop, (spans[part[0]][0], spans[part[-1]][1]), rows)))
    return lines


def _in_one_size(
    ink: Ink, rows: tuple[int, int], texts: Sequence[str], spans: Sequence[Span]
) -> Iterator[tuple[range, tuple[int, int]]]:
    """Yield each range of words that are set in one size, with their first row of ink and the row after the last."""
    if not texts:
        return
    least_gap = _SIZE_CHANGE_GAP * (rows[1] - rows[0])
    gaps = [index for index, (one, other) in enumerate(pairwise(spans), 1) if other[0] - one[1] >= least_gap]
    starts, previous = [0], None
    for start, stop in pairwise([0, *gaps, len(texts)]) if gaps else ():
        top, bottom = body_rows(ink[:, int(spans[start][0]) : math.ceil(spans[stop - 1][1])])
        length = sum(right - left for left, right in spans[start:stop])
        size = TypeSize.of("".join(texts[start:stop]), bottom - top, length)
        if previous is not None and size.is_another(previous):
            starts.append(start)
        previous = size
    if len(starts) == 1:
        yield range(len(texts)), rows
        return
    for start, stop in pairwise([*starts, len(texts)]):
        yield range(start, stop), body_rows(ink[:, int(spans[start][0]) : math.ceil(spans[stop - 1][1])])


def _pitch(text: str, centres: NDArray[np.float32], height: int) -> float:
    """Usual distance, in pixels of the crop, of neighbouring characters in text `height` pixels high."""
    steps = [float(b - a) for (a, b), pair in zip(pairwise(centres), pairwise(text), strict=True) if " " not in pair]
    widest = max(_LEAST_PITCH, _MAX_PITCH * height)
    return min(max(_LEAST_PITCH, float(np.median(steps))), widest) if steps else widest / 2


@dataclass(frozen=True)
class _Spacing:
    """Splits a line into words at spaces, and at gaps where the recogniser missed a space."""

    text: str
    centres: NDArray[np.float32]
    pitch: float
    height: int
    inked: Ink

    def words(self) -> Iterator[list[int]]:
        """Yield the indices of each word's characters."""
        word: list[int] = []
        for index, character in enumerate(self.text):
            if character.isspace() or (word and self._is_word_gap(word[-1], index)):
                if word:
                    yield word
                word = []
            if not character.isspace():
                word.append(index)
        if word:
            yield word

    def _is_word_gap(self, left: int, right: int) -> bool:
        distance = float(self.centres[right] - self.centres[left]) / self.pitch
        if distance >= _LEADER_GAP:
            return True
        if distance < _NARROW_GAP:
            return False
        a, b = self.text[left], self.text[right]
        cjk = is_cjk(a) or is_cjk(b)
        blank = self._blank(left, right)
        if distance >= (_WIDE_GAP if cjk else _GAP) and blank >= _BLANK * self.pitch:
            return True
        # Beside a dot, a dash or the colon of a time, there is blank paper within words, too.
        ends = a.isalnum() or (a == ":" and self.text[:left][-1:].isalpha())
        if cjk or not (ends and b.isalnum()) or blank < _NARROW_BLANK * self.pitch:
            return False
        least = (_BLANK_EXCESS + _SLENDER_MARGIN * ((a in _SLENDER) + (b in _SLENDER))) * self.height
        return blank >= least and blank >= self._usual_blank + least

    @cached_property
    def _usual_blank(self) -> float:
        """Median width of the blank paper between neighbouring characters; infinite in a short line."""
        seen = [index for index, character in enumerate(self.text) if not character.isspace()]
        if len(seen) < _LEAST_CHARACTERS:
            return math.inf
        return float(np.median([self._blank(left, right) for left, right in pairwise(seen)]))

    def _blank(self, left: int, right: int) -> int:
        start, stop = widest_gap(self.inked, self.centres[left], self.centres[right])
        return stop - start


def _middle_of_gap(inked: Ink, left: float, right: float) -> float:
    start, stop = widest_gap(inked, left, right)
    return (start + stop) / 2


def _trimmed(inked: Ink, start: float, stop: float, centres: Span, pitch: float) -> Span:
    """Return the span from the first column of ink between `start` and `stop` to the column after the last."""
    columns = np.flatnonzero(inked[int(max(start, 0)) : int(np.ceil(stop))])
    if len(columns) == 0:
        return max(0.0, centres[0] - pitch / 2), min(float(len(inked)), centres[1] + pitch / 2)
    return int(max(start, 0)) + float(columns[0]), int(max(start, 0)) + float(columns[-1]) + 1


def _quad_in_picture(crop: Crop, across: Span, down: Span) -> Quad:
    """Return a rectangle of the crop as a quadrilateral of the picture."""
    height, width = crop.picture.shape[:2]
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = crop.corners.tolist()

    def point(x: float, y: float) -> Point:
        u, v = x / width, y / height
        return (
            (1 - v) * (ax + u * (bx - ax)) + v * (dx + u * (cx - dx)),
            (1 - v) * (ay + u * (by - ay)) + v * (dy + u * (cy - dy)),
        )

    (left, right), (top, bottom) = across, down
    return point(left, top), point(right, top), point(right, bottom), point(left, bottom)


class PpOcrReader:
    """Implementation of `models.vision.text.PageReader` over the hosts of a `TextDetector` and a `LineRecognizer`.

    Lines may be upright or turned by any angle. A page that is turned by a quarter turn or upside down is recognised by
    the direction of its lines and the confidence of their readings.
    """

    def __init__(
        self,
        detector: EngineHost[Image, Quads],
        recognizer: EngineHost[Image | CutLine, RecognizedLine],
        *,
        pages_at_once: int | None = None,
        most_waiting: int | None = None,
    ) -> None:
        """Create the reader. At most `pages_at_once` pages are read at a time, keys in turn. The default
        is the number of processors, for each replica of the detector: with more, a page of another key would wait
        longer, and none would be read sooner. Up to `most_waiting` pages of a key wait; None: any number."""
        self._detector = detector
        self._recognizer = recognizer
        self._pages_at_once = pages_at_once
        self._most_waiting = most_waiting

    @cached_property
    def _pages(self) -> Slots:
        # Made at the first use, because the replicas are known only then.
        count = self._pages_at_once or max(2, available_cpus()) * self._detector.limits.workers
        slots = self._detector.callers = Slots(self._detector.spec.name, count, self._most_waiting)
        return slots

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        if min(image.shape[:2]) < _LOWEST_LINE:
            return PageText()
        async with self._pages.slot(wait=wait):
            quads = within_bounds(await self._detector.run(image, wait=True))
            if len(quads) == 0:
                return PageText()
            ways = await asyncio.to_thread(ways_to_read, image, quads)
            read = await self._best_ways(ways)
            read = await self._right_way_up(read)
            return await asyncio.to_thread(self._lines, read)

    def check_room(self) -> None:
        self._pages.check_room()

    async def _recognized(self, crops: Sequence[Crop]) -> list[tuple[Crop, RecognizedLine]]:
        readings = await self._recognizer.run_many([crop.picture for crop in crops], wait=True)
        return list(zip(crops, readings, strict=True))

    async def _best_ways(self, ways: Sequence[Sequence[Crop]]) -> list[tuple[Crop, RecognizedLine]]:
        """Return, for each line, the reading with the best result among all directions in which the line may run."""
        read = iter(await self._recognized([crop for line in ways for crop in line]))
        return [max((next(read) for _ in line), key=lambda way: _reading_score(way[1])) for line in ways]

    async def _right_way_up(self, read: Sequence[tuple[Crop, RecognizedLine]]) -> list[tuple[Crop, RecognizedLine]]:
        """Read the doubtful lines upside down as well, or the whole page if most are doubtful, and return the better
        readings."""
        widths = np.array([crop.picture.shape[1] for crop, _ in read])
        doubtful = np.array([reading.confidence < _LEAST_UPRIGHT_CONFIDENCE for _, reading in read])
        if not doubtful.any():
            return list(read)
        whole_page = widths[doubtful].sum() > 0.5 * widths.sum()
        places = range(len(read)) if whole_page else np.flatnonzero(doubtful).tolist()
        turned = await self._recognized([read[i][0].upside_down() for i in places])
        if whole_page and sum(map(_score_of, turned)) > sum(map(_score_of, read)):
            return turned
        best = list(read)
        for index, (crop, reading) in zip(places, turned, strict=True):
            if reading.confidence > max(_CERTAIN, best[index][1].confidence) and len(reading.text) > 2:
                best[index] = crop, reading
        return best

    def _lines(self, read: Sequence[tuple[Crop, RecognizedLine]]) -> PageText:
        certain_ways = (way for way in read if way[1].confidence >= _LEAST_CONFIDENCE)
        lines = [line for crop, reading in certain_ways for line in lines_of_words(crop, reading)]
        return PageText(lines, is_illegible=is_illegible(read))


def is_illegible(read: Sequence[tuple[Crop, RecognizedLine]]) -> bool:
    """True if most of a page's text is unclear, or in a script that the recogniser does not know.

    In Cyrillic and Thai lines, the recogniser reads little more than digits and punctuation, with high confidence; in
    Arabic and Devanagari lines, similar Latin letters with low confidence; in Greek lines, some letters, because it
    knows those of formulas. Hebrew is not detected, because it is read as Latin letters with high confidence.
    """
    widths = np.array([crop.picture.shape[1] / crop.picture.shape[0] for crop, _ in read])
    poor = np.array([_is_poor(reading, width) for (_, reading), width in zip(read, widths, strict=True)])
    return bool(poor.sum() >= _FEWEST_POOR and widths[poor].sum() > 0.5 * widths.sum())


def _is_poor(reading: RecognizedLine, width: float) -> bool:
    """True if a line `width` times as wide as high probably says something other than `reading`."""
    cells = sum(2 if is_cjk(character) else 1 for character in reading.text if not character.isspace())
    letters = [character for character in reading.text if character.isalpha()]
    greek = sum(_GREEK_RANGE[0] <= character <= _GREEK_RANGE[1] for character in letters)
    return reading.confidence < _POOR_CONFIDENCE or cells < _LEAST_DENSITY * width or greek > _MUCH_GREEK * len(letters)


def _reading_score(reading: RecognizedLine) -> float:
    """Return a score for a reading. It is high for many characters read with high confidence. A line read in the wrong
    direction yields few characters with low probabilities."""
    return float(reading.probabilities.sum()) * reading.confidence


def _score_of(way: tuple[Crop, RecognizedLine]) -> float:
    return _reading_score(way[1])
