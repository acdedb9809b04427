"""Chooses the engines for a search of objects, and runs the search on a picture."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from models.base import EngineUnavailable
from models.embedding.embedder import Embedder
from models.vision.detection.boxes import suppressed
from models.vision.detection.capability import RF_DETR_WEIGHTS
from models.vision.detection.detector import Detection, Detector
from models.vision.text import Image
from tasks.detection.vocabulary import LabelVocabulary, labels_for, named_in, singular
from tasks.wording.object_phrases import asks, instruction_in, phrases_in
from tasks.wording.options import TaskOptions
from tasks.wording.page_range import Pages, pages_in
from tasks.wording.phrases import compiled

_OUTLINE = (
    r"\boutlin\w*|\bpolygon\w*|\bcontours?\b|\bsilhouettes?\b|\bumriss\w*|\bkontur\w*|\bumrand\w*|\bcontorn\w*"
    r"|轮廓|輪郭"
)
_MASK = (
    # The phrase "people with masks" asks for no masks.
    r"\bmask (?:out|the|all|every|each)\b|\b(?:segmentation|pixel|binary|instance) masks?\b|\bmasks? (?:of|for)\b"
    r"|\b(?:return|give(?: me)?|include|output|create|draw|produce|get) (?:\w+ ){0,3}masks?\b|\bmit masken?\b"
)
_SEGMENT = r"\bsegment(?:s|ed|ing|ation|e|er|ez|a|iere\w*|eer)?\b|\bcut out\b|分割|抠图|セグメン"
_SMALL = (
    r"\b(?:small|tiny|little|distant|far[- ]away) (?:\w+ )?"
    r"(?:objects?|things?|items?|details?|ones|people|persons?|cars?)\b"
    r"|\b(?:even|also|including) (?:the )?(?:small|tiny|little)\w*|\btil(?:e|es|ed|ing)\b|\bslic(?:e|es|ed|ing)\b"
    r"|\bkleine\w*|\bpetits?\b|\bpeque[ñn][ao]s?\b|\bpiccol[ei]\b|\bpequen[ao]s\b|小物体|小さい"
)
_OVERLAP = 0.25
"""A slice overlaps the next one by at least this share of its side. An object smaller than the overlap is complete in
one of the two slices."""
_MAX_ASPECT_RATIO = 2.0
"""A picture with a larger aspect ratio than this is a panorama. A network with a square input would see it greatly
reduced."""
_SCALES = (1.0, 2.0)
"""Sides of slices, relative to the network's input. Each size finds objects that the other misses."""
_WIDE = 1.5
"""Aspect ratio of a panorama's slices. It is larger than 1, so that long objects such as buses fit into a slice."""
_SAME = 0.5
"""Two boxes with the same label are one object if they share at least this part of the smaller box (SAHI's default)."""
_MOST_FOUND = 2_000
"""At most this many objects of a picture are compared, the surest. A crowd has some hundred."""
_EDGE = 2.0
"""A box counts as cut off if it ends within this many pixels of an inner edge of its slice."""
_LABELS_SHOWN = 12


class DetectionOptions(TaskOptions):
    labels: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=60)], ...], Field(max_length=50)] = ()
    """Objects to find, such as cat or red car. Default: all that the detector knows."""
    pages: Pages = ""
    """Pages of a document to search: 3, 2-5 or 1, 4-6. Default: all."""
    polygon: bool = False
    """Return the outline of each object as well, if the detector can."""
    mask: bool = False
    """Return the mask of each object as well, if the detector can."""
    small: bool = False
    """Find small objects in a large picture, which is then searched in slices."""
    names: SkipJsonSchema[str] = ""
    """Words that may be nothing but names of objects. They restrict the search if the detector knows all of them."""

    @property
    def outlined(self) -> bool:
        return self.polygon or self.mask


def parse_detection(text: str, _has_sources: bool = False) -> DetectionOptions:
    """Return the options that a text asks for: "outline" asks for polygons, "mask" for masks, "segment" for both."""
    words = instruction_in(text)
    segment = bool(compiled(_SEGMENT).search(words))
    is_asked = asks(words)
    return DetectionOptions(
        labels=tuple(phrase[:60] for phrase in phrases_in(words)[:50]) if is_asked else (),
        pages=pages_in(words),
        polygon=segment or bool(compiled(_OUTLINE).search(words)),
        mask=segment or bool(compiled(_MASK).search(words)),
        small=bool(compiled(_SMALL).search(words)),
        names="" if is_asked else words,
    )


def wanted_phrases(options: DetectionOptions, vocabulary: LabelVocabulary | None) -> list[str]:
    """Return the names of the objects to find; empty for all that the detector knows."""
    if options.labels or vocabulary is None:
        return list(options.labels)
    return named_in(options.names, vocabulary) if options.names.strip() else []


_MAX_SLICES, _MAX_OF_PANORAMA = 8, 64
"""Approximate largest numbers of slices along a side of a picture, and along a panorama. Without a limit, a
picture with millions of pixels along a side would make thousands of slices."""


@dataclass(frozen=True, slots=True)
class Slice:
    left: int
    top: int
    right: int
    bottom: int


def slices_of(width: int, height: int, side: int, *, small: bool) -> list[Slice]:
    """Return the slices of a picture of `width` × `height` that are searched in addition to the whole picture, for a
    network with an input of `side` pixels. The result is empty if slices would show no further details.

    A panorama is cut across its length; with `small`, any picture is cut into squares of about `side` and twice `side`,
    or larger ones if there would be more than about _MAX_SLICES along a side.
    """
    shorter, longer = min(width, height), max(width, height)
    if small:
        least = -(-longer // _MAX_SLICES)
        sides = {max(round(side * scale), least) for scale in _SCALES}
        return [
            piece for length in sorted(sides) if length < longer for piece in _cut_slices(width, height, length, length)
        ]
    if longer <= max(_MAX_ASPECT_RATIO * shorter, side):
        return []
    length = max(round(_WIDE * shorter), side, -(-longer // _MAX_OF_PANORAMA))
    return _cut_slices(width, height, min(width, length), min(height, length))


def _cut_slices(width: int, height: int, across: int, down: int) -> list[Slice]:
    """Return slices of `across` × `down` that cover the picture."""
    return [
        Slice(left, top, min(left + across, width), min(top + down, height))
        for top in _slice_starts(height, down)
        for left in _slice_starts(width, across)
    ]


def _slice_starts(length: int, piece: int) -> list[int]:
    """Return the starts of slices along a side, evenly spaced, which overlap by at least _OVERLAP."""
    if length <= piece:
        return [0]
    count = -(-(length - piece) // round(piece * (1 - _OVERLAP))) + 1
    return [round(index * (length - piece) / (count - 1)) for index in range(count)]


async def detect_in_slices(
    detector: Detector,
    image: Image,
    slices: Sequence[Slice],
    *,
    labels: Sequence[str] | None = None,
    masks: bool = False,
    wait: bool = False,
) -> list[Detection]:
    """Detect objects in the picture and its slices, each object once. Raises what `Detector.detect` raises."""
    height, width = image.shape[:2]
    found = await detector.detect(image, labels=labels, masks=masks, wait=wait)
    if not slices:
        return found
    # If the engine is overloaded, only the first call is refused. The others wait.
    parts = await asyncio.gather(
        *(
            detector.detect(
                image[piece.top : piece.bottom, piece.left : piece.right],
                labels=labels,
                masks=masks,
                wait=True,
            )
            for piece in slices
        )
    )
    for piece, part in zip(slices, parts, strict=True):
        moved = [one.moved(piece.left, piece.top) for one in part]
        found += [one for one in moved if not _is_cut_off(one, piece, width, height)]
    return await asyncio.to_thread(_merge_duplicates, found)


def _is_cut_off(detection: Detection, piece: Slice, width: int, height: int) -> bool:
    """True if the box ends at an inner edge of the slice. The adjacent slice or the whole picture then shows the whole
    object."""
    left, top, right, bottom = detection.box
    return (
        (piece.left > 0 and left < piece.left + _EDGE)
        or (piece.top > 0 and top < piece.top + _EDGE)
        or (piece.right < width and right > piece.right - _EDGE)
        or (piece.bottom < height and bottom > piece.bottom - _EDGE)
    )


def _merge_duplicates(found: Sequence[Detection]) -> list[Detection]:
    if not found:
        return []
    found = sorted(found, key=lambda one: -one.score)[:_MOST_FOUND]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(one.label for one in found))}
    kept = suppressed(
        np.array([one.box for one in found], np.float32),
        np.array([one.score for one in found], np.float32),
        np.array([numbers[one.label] for one in found]),
        most=_SAME,
        of_smaller=True,
    )
    return [found[index] for index in kept]


@dataclass(frozen=True, slots=True)
class DetectionEngines:
    """Functions that return an engine when it is needed. If there is none, `embedder` returns None, and the others
    raise EngineUnavailable."""

    detector: Callable[[], Detector]
    open_vocabulary: Callable[[], Detector]
    embedder: Callable[[], Embedder | None]


@dataclass(frozen=True, slots=True)
class Search:
    """The search that one request runs on each of its pictures."""

    wanted: tuple[tuple[Detector, tuple[str, ...] | None], ...]
    """Engines with the labels that each searches for. None stands for all labels that the engine knows."""
    options: DetectionOptions

    async def run(self, image: Image, *, wait: bool) -> list[Detection]:
        """Search a picture. Raises what `Detector.detect` raises."""
        height, width = image.shape[:2]
        found: list[Detection] = []
        for detector, labels in self.wanted:
            found += await detect_in_slices(
                detector,
                image,
                slices_of(width, height, detector.side, small=self.options.small),
                labels=labels,
                masks=self.options.outlined,
                wait=wait,
            )
            # The other engines must not refuse the request, because the first one has already admitted it.
            wait = True
        return found


class Searches:
    """Builds the search that a text asks for. The vocabularies are cached, because embedding them takes a moment."""

    def __init__(self, engines: DetectionEngines) -> None:
        self._engines = engines
        self._vocabularies: dict[tuple[str, ...], LabelVocabulary] = {}

    async def of(self, options: DetectionOptions) -> Search:
        """Build the search. Raises EngineUnavailable if there is no engine, or none that knows the labels, or one that
        cannot draw the outlines and masks."""
        detector = self._engines.detector()
        wanted = await self._wanted(options, detector)
        if options.outlined:
            _check_masks([detector.name for detector, _ in wanted if not detector.has_masks])
        return Search(wanted, options)

    async def check_findable(self, options: DetectionOptions) -> None:
        """Raise EngineUnavailable if the engines do not know the wanted objects, but not if there is no engine."""
        try:
            detector = self._engines.detector()
        except EngineUnavailable:
            return
        await self._wanted(options, detector)

    async def _wanted(
        self, options: DetectionOptions, detector: Detector
    ) -> tuple[tuple[Detector, tuple[str, ...] | None], ...]:
        vocabulary = None if detector.labels is None else self._vocabulary(detector.labels)
        phrases = wanted_phrases(options, vocabulary)
        if not phrases:
            return ((detector, None),)
        if vocabulary is None:
            return ((detector, tuple(map(singular, phrases))),)
        known: dict[str, None] = {}
        unknown: list[str] = []
        beyond, why = self._open_vocabulary()
        embedder = self._engines.embedder()
        for phrase in phrases:
            labels = await labels_for(phrase, vocabulary, embedder, loosely=beyond is None)
            known.update(dict.fromkeys(labels))
            if not labels:
                unknown.append(phrase)
        if unknown and beyond is None:
            raise EngineUnavailable("object_detection", f"{_describe_unknown(detector, unknown)} {why}")
        wanted: list[tuple[Detector, tuple[str, ...] | None]] = [(detector, tuple(known))] if known else []
        if unknown and beyond is not None:
            wanted.append((beyond, tuple(map(singular, unknown))))
        return tuple(wanted)

    def _vocabulary(self, labels: Sequence[str]) -> LabelVocabulary:
        key = tuple(labels)
        if key not in self._vocabularies:
            self._vocabularies[key] = LabelVocabulary(key)
        return self._vocabularies[key]

    def _open_vocabulary(self) -> tuple[Detector | None, str]:
        """Return the engine that finds any label, and an empty text. If there is none, return None and the remedy."""
        try:
            return self._engines.open_vocabulary(), ""
        except EngineUnavailable as error:
            return None, error.remedy


def _check_masks(names: Sequence[str]) -> None:
    """Raise EngineUnavailable if there are `names`, those of engines that draw no masks."""
    if names:
        shown = " and ".join(f"'{name}'" for name in names)
        raise EngineUnavailable(
            "object_detection",
            f"Outlines and masks were requested, but {shown} cannot draw them. Use an engine that can: `openfaze pull "
            f"{RF_DETR_WEIGHTS.name}`.",
        )


def _describe_unknown(detector: Detector, unknown: Sequence[str]) -> str:
    names = ", ".join(f"'{phrase}'" for phrase in unknown)
    labels = detector.labels or ()
    shown = ", ".join(labels[:_LABELS_SHOWN]) + (", …" if len(labels) > _LABELS_SHOWN else "")
    return f"'{detector.name}' cannot find {names}: it knows {len(labels)} labels ({shown}). For any other:"
