"""Which engine looks for what, and what it finds in one picture."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.base import EngineUnavailable
from models.language.embedding import Embedder
from models.vision.detection.detector import Detection, Detector, Segmenter
from models.vision.text import Image
from tasks.detection.slices import detect_in_slices, slices_of
from tasks.detection.vocabulary import Vocabulary, labels_for, phrases_asked_for, singular
from tasks.detection.wishes import Wishes
from tasks.wording.object_phrases import instruction_in

_LABELS_SHOWN = 12
_SHORT = 200
"""Characters of a text whose patterns take a millisecond at most, whoever wrote it; it grows with their square."""


@dataclass(frozen=True, slots=True)
class Engines:
    """Each is asked for only when it is needed, and raises EngineUnavailable where nothing can serve."""

    detector: Callable[[], Detector]
    open_vocabulary: Callable[[], Detector]
    segmenter: Callable[[], Segmenter]
    embedder: Callable[[], Embedder | None]


@dataclass(frozen=True, slots=True)
class Search:
    """What one request has done to each of its pictures."""

    wanted: tuple[tuple[Detector, tuple[str, ...] | None], ...]
    """Which engine looks for which labels; None: all it knows."""
    wishes: Wishes
    segmenter: Segmenter | None

    async def run(self, image: Image, *, wait: bool) -> list[Detection]:
        """Raises as `Detector.detect`."""
        height, width = image.shape[:2]
        found: list[Detection] = []
        for detector, labels in self.wanted:
            found += await detect_in_slices(
                detector,
                image,
                slices_of(width, height, detector.side, small=self.wishes.small),
                labels=labels,
                masks=self.wishes.outlined,
                wait=wait,
            )
            # The first engine has let the request in.
            wait = True
        if self.segmenter is not None and any(one.mask is None for one in found):
            found = await self.segmenter.segment(image, found, wait=True)
        return found


class Searches:
    """Makes the search that a text asks for. Keeps the vocabularies, whose embeddings cost a moment."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._vocabularies: dict[tuple[str, ...], Vocabulary] = {}

    async def for_text(self, text: str) -> Search:
        """Raises EngineUnavailable for what no engine here can do: a label that none knows, masks."""
        text = instruction_in(text)
        wishes = Wishes.of(text)
        detector = self._engines.detector()
        wanted = await self._wanted(text, detector)
        return Search(wanted, wishes, self._segmenter(wanted) if wishes.outlined else None)

    async def _wanted(self, text: str, detector: Detector) -> tuple[tuple[Detector, tuple[str, ...] | None], ...]:
        vocabulary = None if detector.labels is None else self._vocabulary(detector.labels)
        if len(text) <= _SHORT:
            phrases = phrases_asked_for(text, vocabulary)
        else:
            # A hostile text keeps its patterns busy for a fifth of a second.
            phrases = await asyncio.to_thread(phrases_asked_for, text, vocabulary)
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
            raise EngineUnavailable("object_detection", f"{_ignorance(detector, unknown)} {why}")
        wanted: list[tuple[Detector, tuple[str, ...] | None]] = [(detector, tuple(known))] if known else []
        if unknown and beyond is not None:
            wanted.append((beyond, tuple(map(singular, unknown))))
        return tuple(wanted)

    def _vocabulary(self, labels: Sequence[str]) -> Vocabulary:
        key = tuple(labels)
        if key not in self._vocabularies:
            self._vocabularies[key] = Vocabulary(key)
        return self._vocabularies[key]

    def _open_vocabulary(self) -> tuple[Detector | None, str]:
        """The engine for any label, or what would provide one."""
        try:
            return self._engines.open_vocabulary(), ""
        except EngineUnavailable as error:
            return None, error.remedy

    def _segmenter(self, wanted: Sequence[tuple[Detector, tuple[str, ...] | None]]) -> Segmenter | None:
        try:
            return self._engines.segmenter()
        except EngineUnavailable as error:
            if all(detector.has_masks for detector, _ in wanted):
                return None
            names = " and ".join(f"'{detector.name}'" for detector, _ in wanted)
            raise EngineUnavailable(
                "object_detection",
                f"Outlines and masks were asked for, and {names} draws none. {error.remedy} Or use an engine that "
                "draws its own: `openfaze pull rf-detr-seg-nano`.",
            ) from error


def _ignorance(detector: Detector, unknown: Sequence[str]) -> str:
    names = ", ".join(f"'{phrase}'" for phrase in unknown)
    labels = detector.labels or ()
    shown = ", ".join(labels[:_LABELS_SHOWN]) + (", …" if len(labels) > _LABELS_SHOWN else "")
    return f"'{detector.name}' cannot find {names}: it knows {len(labels)} labels ({shown}). For any other:"
