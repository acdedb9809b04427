"""Detection engine for screens: OmniParser's icon detector, in addition to our own engine. Our engine finds and
classifies elements. The detector adds clickable elements that our engine missed, all as `icon`.

All networks that OmniParser publishes detect a single class. `icon_detect` and `icon_detect_v1_5` are YOLOs of
ultralytics (AGPL-3.0, like that package). `icon_detect_v3` is a YOLOv9-E in TorchScript (MIT), which needs PyTorch
only.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.devices.device import TORCH
from models.vision.detection.boxes import suppressed
from models.vision.detection.detector import own_file
from models.vision.gui.elements import INTERACTIVE, Found, GuiElement, Screen
from models.vision.gui.engine import LEAST_SIDE, shapes_in, with_texts
from models.vision.gui.network import ScreenNetwork
from models.vision.gui.regions import Boxes, area_of, as_boxes, intersection_area, intersection_over_union
from models.vision.gui.screen_view import is_whole, views_of
from models.vision.gui.text_pieces import pieces_of
from models.vision.text import Image

SETTING = "OPENFAZE_GUI_DETECTION_MODEL"
LEAST_SCORE = 0.05
MAX_OVERLAP = 0.1
"""A box counts if its score is at least LEAST_SCORE and its overlap with a better box (IoU) at most MAX_OVERLAP. Both
are from OmniParser's own demo."""

_LEAST_SIDE = 640
"""The longer side of a picture is scaled to at least this many pixels for a network of ultralytics. The first such
network was trained at this size; OmniParser's demo uses larger sizes."""
_STRIDES = (8, 16, 32)
"""Distance between neighbouring grid points, in pixels, for each pair of a YOLOv9's outputs."""
_MARGIN_GREY = 114
"""Grey level of the margin around a picture, as in the network's training."""
_MAX_BOXES = 2000
"""At most this many boxes are compared with each other, which bounds the memory."""

Scores = NDArray[np.float32]

_SAME_BOX_OVERLAP = 0.5
"""Two boxes belong to one element if their intersection over union is at least this."""
_INSIDE_SHARE = 0.75
"""A smaller box counts as inside a larger one if more than this share of it is inside."""


class IconNetwork(Protocol):
    def load(self) -> None:
        """Load the network. Raises EngineUnavailable."""

    def find(self, image: Image) -> tuple[Boxes, Scores]:
        """Return the boxes in `image` that can be clicked, n × 4 in its pixels, and their n scores of at least
        LEAST_SCORE."""

    def close(self) -> None: ...


def icon_file(model: Path | None) -> Path:
    """Return the network's file. Raises EngineUnavailable."""
    return own_file(model, ".pt", ".yaml", setting=SETTING, capability="gui_detection")


def is_script(model: Path) -> bool:
    """True if `model` is TorchScript, which contains its code. Otherwise, it is a checkpoint or a `.yaml`
    description."""
    if not zipfile.is_zipfile(model):
        return False
    with zipfile.ZipFile(model) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def icon_network(model: Path, *, device: str = "auto") -> IconNetwork:
    return ScriptedIcons(model, device=device) if is_script(model) else UltralyticsIcons(model, device=device)


class UltralyticsIcons:
    """Any YOLO of ultralytics. Detections of all classes count as icons."""

    def __init__(self, model: Path, *, device: str = "auto") -> None:
        """`model` is a `.pt` file, whose code runs when it is loaded, or a `.yaml`, which gives random weights."""
        self._model = model
        self._device = device
        self._loaded: tuple[Any, str] | None = None

    def load(self) -> None:
        from models.vision.detection.yolo import opened_network

        self._loaded = opened_network(self._model), TORCH.check(self._device, "gui_detection")

    def find(self, image: Image) -> tuple[Boxes, Scores]:
        assert self._loaded is not None, "load() comes first"
        network, device = self._loaded
        side = max(_LEAST_SIDE, *map(_rounded_to_stride, image.shape[:2]))
        # ultralytics expects BGR, the order of pictures read by OpenCV.
        picture = np.ascontiguousarray(image[..., ::-1])
        [result] = network.predict(
            picture, conf=LEAST_SCORE, iou=MAX_OVERLAP, imgsz=side, agnostic_nms=True, device=device, verbose=False
        )
        boxes = result.boxes.cpu().numpy()
        return boxes.xyxy.astype(np.float32), boxes.conf.astype(np.float32)

    def close(self) -> None:
        self._loaded = None


class ScriptedIcons:
    """A YOLOv9 in TorchScript. Its outputs are pairs of `[1, classes, h, w]` logits and `[1, 4, h, w]` distances of the
    four sides in strides, from the finest grid to the coarsest, as in OmniParser's own adapter."""

    def __init__(self, model: Path, *, device: str = "auto") -> None:
        self._model = model
        self._device = device
        self._loaded: tuple[Any, str] | None = None

    def load(self) -> None:
        import torch

        device = TORCH.check(self._device, "gui_detection")
        self._loaded = torch.jit.load(str(self._model), map_location=device).eval(), device
        shapes = [output.shape for output in self._outputs(np.zeros((64, 64, 3), np.uint8))]
        if len(shapes) < 2 * len(_STRIDES) or any(shape[1] != 4 for shape in shapes[1 : 2 * len(_STRIDES) : 2]):
            raise EngineUnavailable(
                "gui_detection",
                f"The file that {SETTING} names is TorchScript, but not a detector like OmniParser's icon_detect_v3: "
                f"its outputs have the shapes {', '.join(map(str, shapes))}.",
            )

    def find(self, image: Image) -> tuple[Boxes, Scores]:
        height, width = image.shape[:2]
        padded = np.full((_rounded_to_stride(height), _rounded_to_stride(width), 3), _MARGIN_GREY, np.uint8)
        top, left = (padded.shape[0] - height) // 2, (padded.shape[1] - width) // 2
        padded[top : top + height, left : left + width] = image
        outputs = self._outputs(padded)
        found = [
            _decoded(logits[0], distances[0], stride)
            for logits, distances, stride in zip(outputs[0::2], outputs[1::2], _STRIDES, strict=False)
        ]
        boxes, scores = np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])
        surest = np.argsort(-scores, kind="stable")[:_MAX_BOXES]
        boxes, scores = boxes[surest] - np.array([left, top, left, top], np.float32), scores[surest]
        boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
        kept = suppressed(boxes, scores, np.zeros(len(boxes), np.intp), most=MAX_OVERLAP)
        return boxes[kept], scores[kept]

    def close(self) -> None:
        self._loaded = None

    def _outputs(self, picture: Image) -> list[NDArray[np.float32]]:
        import torch

        assert self._loaded is not None, "load() comes first"
        network, device = self._loaded
        planes = torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255).to(device)
        half = torch.autocast("cuda", dtype=torch.float16, enabled=device != "cpu")
        # Optimisation is switched off, because it would compile the network again for each size of a picture.
        with torch.inference_mode(), half, torch.jit.optimized_execution(False):
            return [output.float().cpu().numpy() for output in network(planes)]


def _decoded(logits: NDArray[np.float32], distances: NDArray[np.float32], stride: int) -> tuple[Boxes, Scores]:
    """Return the boxes and scores of a grid's points whose score suffices. `logits`: classes × h × w; `distances`: 4 ×
    h × w."""
    scores = 1 / (1 + np.exp(-np.clip(logits.max(axis=0), -50, 50)))
    rows, columns = np.nonzero(scores >= LEAST_SCORE)
    left, top, right, bottom = distances[:, rows, columns]
    x, y = columns + 0.5, rows + 0.5
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1) * stride
    return boxes.astype(np.float32), scores[rows, columns].astype(np.float32)


def _rounded_to_stride(side: int) -> int:
    """Return `side` rounded up to a multiple of the coarsest stride."""
    return -(-side // _STRIDES[-1]) * _STRIDES[-1]


class OmniParserEngine:
    """Implementation of `models.base.Engine` from screens to their elements. A screen is prepared as for our own
    engine: it is shrunk until its text has the usual height, and divided into overlapping parts if it is large, because
    the detector overlooks small elements in a large picture."""

    def __init__(self, icons: IconNetwork) -> None:
        self._icons = icons
        self._network: ScreenNetwork | None = None

    def load(self) -> None:
        self._icons.load()
        self._network = ScreenNetwork()

    def run(self, batch: Sequence[Screen]) -> Sequence[Found]:
        return [self._found(one) for one in batch]

    def close(self) -> None:
        self._icons.close()
        self._network = None

    def _found(self, screen: Screen) -> Found:
        assert self._network is not None, "load() comes first"
        if min(screen.image.shape[:2]) < LEAST_SIDE:
            return ()
        ours = shapes_in(screen, self._network)
        texts = as_boxes([piece.box for piece in pieces_of(screen.image, screen.lines)])
        boxes, scores = self._icons_in(screen)
        shapes = [*ours, *icons_beside(ours, texts, boxes, scores)]
        return with_texts(shapes, screen) if shapes else ()

    def _icons_in(self, screen: Screen) -> tuple[Boxes, Scores]:
        boxes, scores = [as_boxes([])], [np.zeros(0, np.float32)]
        for view in views_of(screen.image, screen.lines):
            found, confidences = self._icons.find(view.image)
            whole = is_whole(view, found) & ((found[:, 2:] - found[:, :2]).min(axis=1) >= 1)
            corner = np.array([*view.corner, *view.corner], np.float32)
            boxes.append(((found + corner) / view.scale)[whole])
            scores.append(confidences[whole])
        all_boxes, confidences = np.concatenate(boxes), np.concatenate(scores)
        kept = suppressed(all_boxes, confidences, np.zeros(len(all_boxes), np.intp), most=MAX_OVERLAP)
        return all_boxes[kept], confidences[kept]


def icons_beside(ours: Sequence[GuiElement], texts: Boxes, boxes: Boxes, scores: Scores) -> list[GuiElement]:
    """Return, as icons, the boxes of `boxes` that show neither an element of `ours` nor a text of `texts`.

    A box that coincides with an element of `ours` is left out, because the element's type is known and its box is more
    exact. A box inside or around an interactive element is left out, too. Of all types, only `image` contains other
    elements.
    """
    places = as_boxes([one.box for one in ours])
    known = intersection_over_union(boxes, places) >= _SAME_BOX_OVERLAP
    clickable = np.array([one.type in INTERACTIVE for one in ours], bool)
    smaller = np.minimum(area_of(boxes)[:, None], area_of(places)[None])
    known |= (intersection_area(boxes, places) > _INSIDE_SHARE * smaller) & clickable[None]
    taken = known.any(axis=1) | (intersection_over_union(boxes, texts) >= _SAME_BOX_OVERLAP).any(axis=1)
    return [
        GuiElement("icon", float(score), (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
        for box, score in zip(boxes[~taken], scores[~taken], strict=True)
    ]
