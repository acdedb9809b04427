"""Detection engine: YOLO and YOLOE by ultralytics. The package and its weights are AGPL-3.0, so only the operator can
choose them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.base import EngineUnavailable
from models.devices.device import TORCH
from models.vision.detection.detector import NAMES, Detection, Found, Mask, Query

SIDE = 640
_LEAST_SCORE = 0.25
"""A detection counts if its score is at least this, which is the default of ultralytics' predict."""


class Yolo:
    """Implementation of `models.base.Engine` from queries to detections. A file whose name begins with `yoloe` or
    contains `world` searches for any label; other files have fixed labels."""

    def __init__(self, model: Path, *, device: str = "auto") -> None:
        """Create the engine. `model` is a `.pt` file, whose unpickling runs its code, or a `.yaml`, which gives random
        weights."""
        self._model = model
        self._device = device
        self._loaded: tuple[Any, str] | None = None
        self._searches: tuple[str, ...] | None = None

    def load(self) -> None:
        self._loaded = opened_network(self._model), TORCH.check(self._device, "object_detection")
        self._searches = None

    def run(self, batch: Sequence[Query]) -> Sequence[Found | Exception]:
        return [self._found(query) for query in batch]

    def close(self) -> None:
        self._loaded = None

    def _found(self, query: Query) -> Found:
        assert self._loaded is not None, "load() comes first"
        network, device = self._loaded
        if is_open(self._model):
            self._search(query.labels or NAMES)
        # `names` becomes a list once labels have been set.
        names = network.names if isinstance(network.names, dict) else dict(enumerate(network.names))
        wanted = None
        if query.labels is not None:
            wanted = [number for number, name in names.items() if name in query.labels]
        # ultralytics expects BGR, the order of pictures read by OpenCV.
        picture = np.ascontiguousarray(query.image[..., ::-1])
        [result] = network.predict(
            picture, conf=_LEAST_SCORE, classes=wanted, device=device, verbose=False, retina_masks=True
        )
        boxes = result.boxes.cpu().numpy()
        masks = result.masks.data.cpu().numpy() > 0 if query.masks and result.masks is not None else None
        return tuple(
            Detection(
                str(names[int(kind)]),
                float(score),
                tuple(box.tolist()),
                None if masks is None else _mask(masks[index], box),
            )
            for index, (box, score, kind) in enumerate(zip(boxes.xyxy, boxes.conf, boxes.cls, strict=True))
        )

    def _search(self, labels: Sequence[str]) -> None:
        assert self._loaded is not None, "load() comes first"
        if self._searches == tuple(labels):
            return
        network, _ = self._loaded
        try:
            network.set_classes(list(labels))
        except Exception as error:
            raise EngineUnavailable(
                "object_detection",
                "YOLOE and YOLO-World need the separate file of a text encoder (mobileclip or CLIP). Put it into the "
                "network's folder; docs.ultralytics.com says which file.",
            ) from error
        self._searches = tuple(labels)


def opened_network(model: Path) -> Any:
    """Return an `ultralytics.YOLO`. Unpickling a `.pt` file runs its code."""
    # By default, ultralytics would fetch weights, install packages and report its use.
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    from ultralytics import YOLO, settings

    settings.update({"sync": False})
    return YOLO(model, task=None, verbose=False)


def is_open(model: Path) -> bool:
    return model.name.lower().startswith("yoloe") or "world" in model.name.lower()


def _mask(pixels: Any, box: Any) -> Mask | None:
    """Return the part of `pixels`, a mask of the whole picture, that lies in `box`."""
    height, width = pixels.shape
    x0, y0 = np.floor(np.maximum(box[:2], 0)).astype(int)
    x1, y1 = np.ceil(np.minimum(box[2:], (width, height))).astype(int)
    return Mask(int(x0), int(y0), pixels[y0:y1, x0:x1]) if x1 > x0 and y1 > y0 else None
