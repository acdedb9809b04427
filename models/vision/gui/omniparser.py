"""OmniParser's icon detector beside our own engine: it finds what can be clicked, and ours knows what it is."""

from collections.abc import Sequence

import numpy as np

from models.vision.detection.detector import suppressed
from models.vision.gui.elements import INTERACTIVE, Found, GuiElement, Screen
from models.vision.gui.engine import LEAST_SIDE, shapes_in, with_texts
from models.vision.gui.icons import MOST_OVERLAP, IconNetwork, Network, Scores
from models.vision.gui.lettering import pieces_of
from models.vision.gui.question import views_of, whole_in
from models.vision.gui.regions import Boxes, area_of, as_boxes, common_area, common_share

_SAME = 0.5
"""Common over joint area (IoU) from which on two boxes are of one element."""
_INSIDE = 0.75
"""Share of the smaller box from which on it lies in the larger one."""


class OmniParserEngine:
    """Implements `Engine[Screen, Found]`. A screen is looked at as by our own engine: shrunk until its text has the
    usual height, and in parts that overlap where it is large, because the detector overlooks what is small in a large
    picture."""

    def __init__(self, icons: IconNetwork) -> None:
        self._icons = icons
        self._network: Network | None = None

    def load(self) -> None:
        self._icons.load()
        self._network = Network()

    def run(self, batch: Sequence[Screen]) -> Sequence[Found]:
        return [self._found(screen) for screen in batch]

    def close(self) -> None:
        self._icons.close()
        self._network = None

    def _found(self, screen: Screen) -> Found:
        assert self._network is not None, "load() comes first"
        if min(screen.image.shape[:2]) < LEAST_SIDE:
            return ()
        ours = shapes_in(screen, self._network)
        texts = as_boxes([piece.box for piece in pieces_of(screen.image, screen.lines)])
        shapes = [*ours, *icons_beside(ours, texts, *self._icons_in(screen))]
        return with_texts(shapes, screen) if shapes else ()

    def _icons_in(self, screen: Screen) -> tuple[Boxes, Scores]:
        boxes, scores = [as_boxes([])], [np.zeros(0, np.float32)]
        for view in views_of(screen.image, screen.lines):
            found, sure = self._icons.find(view.image)
            whole = whole_in(view, found) & ((found[:, 2:] - found[:, :2]).min(axis=1) >= 1)
            corner = np.array([*view.corner, *view.corner], np.float32)
            boxes.append(((found + corner) / view.scale)[whole])
            scores.append(sure[whole])
        every, sure = np.concatenate(boxes), np.concatenate(scores)
        kept = suppressed(every, sure, np.zeros(len(every), np.intp), most=MOST_OVERLAP)
        return every[kept], sure[kept]


def icons_beside(ours: Sequence[GuiElement], texts: Boxes, boxes: Boxes, scores: Scores) -> list[GuiElement]:
    """Those of `boxes` that show something else than `ours` and `texts`, as icons.

    Where they show the same, ours stays: its type is known, and its box follows the pixels. So it is where one of the
    two lies in the other, since a thing to click contains no other; only pictures may.
    """
    places = as_boxes([one.box for one in ours])
    known = common_share(boxes, places) >= _SAME
    clickable = np.array([one.type in INTERACTIVE for one in ours], bool)
    smaller = np.minimum(area_of(boxes)[:, None], area_of(places)[None])
    known |= (common_area(boxes, places) > _INSIDE * smaller) & clickable[None]
    taken = known.any(axis=1) | (common_share(boxes, texts) >= _SAME).any(axis=1)
    return [
        GuiElement("icon", float(score), (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
        for box, score in zip(boxes[~taken], scores[~taken], strict=True)
    ]
