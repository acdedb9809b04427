"""Results and interfaces that all engines of object detection share, and the lookup of an operator's own network
file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.hosts.host import EngineHost
from models.vision.text import Image

NAMES = tuple(
    """person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
    parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella,
    handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard,
    surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange,
    broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop,
    mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors,
    teddy bear, hair drier, toothbrush""".replace("\n    ", " ").split(", ")
)
_NEVER_USED = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
"""Category ids from 1 to 90 that do not occur in the published annotations (instances_val2017.json)."""
SPARSE_NAMES: tuple[str | None, ...] = (
    None,
    *(
        None if number in _NEVER_USED else NAMES[number - 1 - sum(gap < number for gap in _NEVER_USED)]
        for number in range(1, 91)
    ),
)
"""Labels by COCO's category id, which networks with 91 classes use; None if there is no such category."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the picture. A box may extend beyond the picture."""
SETTING = "OPENFAZE_OBJECT_DETECTION_MODEL"


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Mask of the pixels that belong to an object. It covers only the object's box, because a picture may contain
    hundreds of objects."""

    left: int
    top: int
    pixels: NDArray[np.bool_]
    """Array of height × width of the box, cut to the picture; never empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    label: str
    score: float
    """Score that the network gives the object, 0 to 1."""
    box: Box
    mask: Mask | None = None

    def moved(self, right: int, down: int) -> "Detection":
        """Return the detection in the coordinates of the larger picture from which its own picture was cut out. `right`
        and `down` are the position of the cut-out's top left corner."""
        x0, y0, x1, y1 = self.box
        mask = self.mask and replace(self.mask, left=self.mask.left + right, top=self.mask.top + down)
        return replace(self, box=(x0 + right, y0 + down, x1 + right, y1 + down), mask=mask)


Found = tuple[Detection, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """Input of an engine: a picture and the objects to find in it."""

    image: Image
    labels: tuple[str, ...] | None = None
    """Labels to look for; None: all labels that the engine knows or usually looks for."""
    masks: bool = False


class Detector:
    """Interface of the `object_detection` and `open_vocabulary` capabilities. The engine, from queries to detections,
    runs in an EngineHost."""

    def __init__(
        self, host: EngineHost[Query, Found], labels: Sequence[str] | None, *, side: int, has_masks: bool = False
    ) -> None:
        self.name = host.spec.name
        """Name of the engine in messages."""
        self.labels = labels
        """Labels that the engine can find; None: any label."""
        self.side = side
        """Side, in pixels, to which pictures are scaled (the shorter side for Grounding DINOs). Objects smaller than a
        twentieth of this side are rarely found."""
        self.has_masks = has_masks
        """True if the engine's detections can have masks."""
        self._host = host

    async def detect(
        self, image: Image, *, labels: Sequence[str] | None = None, masks: bool = False, wait: bool = False
    ) -> list[Detection]:
        """Return the objects of `image` in no particular order. With `labels`, return only objects that have one of
        these labels. Equal pictures give equal objects.

        If the queue is full, the call waits if `wait` is true, and raises EngineOverloaded if not. Also raises
        EngineUnavailable and EngineFailed.
        """
        query = Query(image, None if labels is None else tuple(labels), masks)
        return list(await self._host.run(query, wait=wait))


def own_file(model: Path | None, *endings: str) -> Path:
    """Return `model` if it is a file with one of `endings`. Otherwise raise EngineUnavailable, which says to set
    SETTING to such a file."""
    if model is None or model.suffix not in endings:
        raise EngineUnavailable("object_detection", f"Set {SETTING} to a network's file ({' or '.join(endings)}).")
    if not model.is_file():
        raise EngineUnavailable("object_detection", f"The file that {SETTING} names does not exist.")
    return model


def labels_beside(model: Path) -> Sequence[str]:
    """Return the names of the classes of `model`: the lines of `labels.txt` in its folder, else the 80 names of
    COCO."""
    listed = model.parent / "labels.txt"
    if listed.is_file():
        return [line.strip() for line in listed.read_text("utf-8").splitlines() if line.strip()]
    return NAMES
