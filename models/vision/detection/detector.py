"""What finding objects in a picture yields, whichever engine finds them, and the network that an operator brings."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.host import EngineHost
from models.vision.detection.coco import NAMES
from models.vision.text import Image

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the picture; may stick out of it by what the network guessed."""


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Which pixels of a box belong to the object. The box alone: a picture may hold hundreds."""

    left: int
    top: int
    pixels: NDArray[np.bool_]
    """Height × width of the box, cut to the picture; never empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    label: str
    score: float
    """0 to 1, as the network measures it."""
    box: Box
    mask: Mask | None = None

    def moved(self, right: int, down: int) -> "Detection":
        """The detection in a picture that this one was cut out of, `right` and `down` from its corner."""
        x0, y0, x1, y1 = self.box
        mask = self.mask and replace(self.mask, left=self.mask.left + right, top=self.mask.top + down)
        return replace(self, box=(x0 + right, y0 + down, x1 + right, y1 + down), mask=mask)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What one call of an engine is asked."""

    image: Image
    labels: tuple[str, ...] | None = None
    """Only these; None: everything the engine knows, or usually looks for."""
    masks: bool = False


class Detector(Protocol):
    """The `object_detection` and `open_vocabulary` capabilities."""

    @property
    def name(self) -> str:
        """The engine's name, as messages give it."""

    @property
    def labels(self) -> Sequence[str] | None:
        """Everything it can find; None: whatever it is asked for."""

    @property
    def has_masks(self) -> bool:
        """Whether its detections can carry masks."""

    @property
    def side(self) -> int:
        """Pixels that a picture's sides are brought to: what is smaller than a twentieth of it is not seen."""

    async def detect(
        self, image: Image, *, labels: Sequence[str] | None = None, masks: bool = False, wait: bool = False
    ) -> list[Detection]:
        """The objects of `image`, in no particular order: with `labels`, of these alone. The same picture gives the
        same objects. With `wait`, a full queue is waited for instead of raising EngineOverloaded.

        Raises EngineOverloaded, EngineUnavailable, EngineFailed.
        """


class Segmenter(Protocol):
    """The `segmentation` capability: masks for boxes that something else has found."""

    @property
    def name(self) -> str: ...

    async def segment(self, image: Image, found: Sequence[Detection], *, wait: bool = False) -> list[Detection]:
        """`found`, in order, each with the mask of what its box shows. Raises as `Detector.detect`."""


Found = tuple[Detection, ...]


class HostedDetector:
    """A Detector over the host of an engine from queries to what they find."""

    def __init__(
        self, host: EngineHost[Query, Found], labels: Sequence[str] | None, *, side: int, has_masks: bool = False
    ) -> None:
        self.name = host.spec.name
        self.labels = labels
        self.side = side
        self.has_masks = has_masks
        self._host = host

    async def detect(
        self, image: Image, *, labels: Sequence[str] | None = None, masks: bool = False, wait: bool = False
    ) -> list[Detection]:
        query = Query(image, None if labels is None else tuple(labels), masks)
        return list(await self._host.run(query, wait=wait))


SETTING = "OPENFAZE_OBJECT_DETECTION_MODEL"


def own_file(model: Path | None, *endings: str, setting: str = SETTING, capability: str = "object_detection") -> Path:
    """`model`, a file with one of `endings`, which `setting` is to name. Raises EngineUnavailable."""
    if model is None or model.suffix not in endings:
        raise EngineUnavailable(capability, f"Set {setting} to a network's file ({' or '.join(endings)}).")
    if not model.is_file():
        raise EngineUnavailable(capability, f"The file that {setting} names is not there.")
    return model


def labels_beside(model: Path) -> Sequence[str]:
    """What the classes of `model` are called: a line each in `labels.txt`, or `id2label` in `config.json`, in its
    folder; COCO's 80 where there is neither."""
    listed, config = model.parent / "labels.txt", model.parent / "config.json"
    if listed.is_file():
        return [line.strip() for line in listed.read_text("utf-8").splitlines() if line.strip()]
    if config.is_file():
        named: dict[str, str] = json.loads(config.read_text("utf-8")).get("id2label", {})
        # The names that transformers makes up where nobody gave any.
        if named and not all(name.startswith("LABEL_") for name in named.values()):
            return [named[number] for number in sorted(named, key=int)]
    return NAMES
