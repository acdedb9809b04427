"""Runs detection networks from ONNX files: converts pictures into inputs, and outputs into detections and masks."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.devices.onnx_sessions import onnx_session
from models.vision.detection.boxes import Boxes
from models.vision.detection.detector import Detection, Found, Mask, Query
from models.vision.text import Image

Tensors = Mapping[str, NDArray[Any]]

_MAX_MASK_PIXELS = 64_000_000
"""The masks of one picture have at most this many pixels together, a byte each, because hundreds of objects may each be
as large as the picture."""
_PIXELS_AT_ONCE = 4_000_000
_MAX_REMAP_SIDE = 32_000
"""At most this many pixels along a side are mapped at once, because OpenCV accepts fewer than SHRT_MAX (32,767)."""


class OnnxNetwork:
    """A loaded network. Several threads may call it."""

    def __init__(
        self, path: Path, capability: str, *, device: str = "cpu", threads: int = 0, card_mb: int | None = None
    ) -> None:
        """Load the network. `onnx_session` explains the parameters, and lists the exceptions."""
        self._session = onnx_session(path, capability, device=device, threads=threads, card_mb=card_mb)
        self._names = [output.name for output in self._session.get_outputs()]
        self.inputs: dict[str, list[int | str | None]] = {one.name: one.shape for one in self._session.get_inputs()}
        """Shapes of the inputs by name. A size that may vary is a name or None."""
        self.outputs: dict[str, list[int | str | None]] = {one.name: one.shape for one in self._session.get_outputs()}

    def run(self, feeds: Tensors) -> dict[str, NDArray[Any]]:
        return dict(zip(self._names, self._session.run(None, dict(feeds)), strict=True))


def side_of(shape: list[int | str | None], otherwise: int) -> int:
    """Return the height of pictures for an input of `shape` (batch × 3 × height × width); `otherwise` if it may
    vary."""
    return shape[2] if isinstance(shape[2], int) else otherwise


def has_open_batch_size(shape: list[int | str | None]) -> bool:
    """True if an input of `shape` takes any number of pictures at once."""
    return not isinstance(shape[0], int)


def planes(
    picture: NDArray[np.uint8], mean: NDArray[np.float32], deviation: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the picture as 3 × height × width: values from 0 to 1, less `mean`, divided by `deviation`."""
    scaled = picture.astype(np.float32)
    scaled *= 1 / (255 * deviation)
    scaled -= mean / deviation
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


class DetectionHead(Protocol):
    def feeds(self, images: Sequence[Image]) -> Tensors:
        """Return the inputs for these pictures."""

    def detections(self, outputs: dict[str, NDArray[Any]], index: int, query: Query) -> list[Detection]:
        """Return the detections in the picture at `index`."""


def resized(image: Image, width: int, height: int) -> Image:
    """Return the picture stretched to `width` × `height`, as in these networks' training. With margins instead,
    FastestDet would place boxes less exactly."""
    # Linear interpolation at half the size averages four pixels, and takes a quarter of the time.
    while image.shape[1] >= 4 * width and image.shape[0] >= 4 * height:
        image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_LINEAR)
    shrinks = image.shape[1] > 2 * width or image.shape[0] > 2 * height
    # INTER_AREA averages pixels that linear interpolation would skip. It takes ten times as long, so it is used only
    # where pixels would be skipped.
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    stretched: Image = cv2.resize(image, (width, height), interpolation=method)
    return stretched


def is_wanted(labels: Sequence[str | None], query: Query) -> NDArray[np.bool_]:
    """Return a mask of the network's classes: True for each class whose label the query asks for."""
    return np.array([label is not None and (query.labels is None or label in query.labels) for label in labels])


def masks_in_boxes(
    maps: NDArray[np.float32], boxes: Boxes, scores: NDArray[np.float32], width: int, height: int
) -> list[Mask | None]:
    """Return the mask of each box. If all masks together are too large, only the objects with the highest scores get
    theirs."""
    inside = np.clip(boxes, 0, np.array([width, height] * 2, np.float32))
    sizes = np.prod(np.ceil(inside[:, 2:]) - np.floor(inside[:, :2]), axis=1, dtype=np.float64)
    order = np.argsort(-scores, kind="stable")
    fits = np.zeros(len(boxes), bool)
    fits[order] = sizes[order].cumsum() <= _MAX_MASK_PIXELS
    return [
        mask_in_box(logits, box, width, height) if fit else None
        for logits, box, fit in zip(maps, boxes, fits, strict=True)
    ]


def mask_in_box(logits: NDArray[np.float32], box: Boxes, width: int, height: int) -> Mask | None:
    """Return the mask inside `box` at the picture's resolution. `logits` is a map of the whole picture at a lower
    resolution; its values above 0 belong to the object. Return None if the box has no pixel in the picture."""
    x0, y0 = np.floor(np.maximum(box[:2], 0)).astype(int)
    x1, y1 = np.ceil(np.minimum(box[2:], (width, height))).astype(int)
    if x1 <= x0 or y1 <= y0:
        return None
    rows, columns = logits.shape
    # The centres of the box's pixels, in the coordinates of the map. Only the box is enlarged, not the whole map.
    across = (np.arange(x0, x1, dtype=np.float32) + 0.5) * columns / width - 0.5
    down = (np.arange(y0, y1, dtype=np.float32) + 0.5) * rows / height - 0.5
    pixels = np.empty((len(down), len(across)), bool)
    small = logits.astype(np.float32)
    block_width = min(len(across), _MAX_REMAP_SIDE)
    block_height = max(1, min(_PIXELS_AT_ONCE // block_width, _MAX_REMAP_SIDE))
    for top in range(0, len(down), block_height):
        for left in range(0, len(across), block_width):
            grid = np.meshgrid(across[left : left + block_width], down[top : top + block_height])
            enlarged = cv2.remap(small, grid[0], grid[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            pixels[top : top + block_height, left : left + block_width] = enlarged > 0
    return Mask(int(x0), int(y0), pixels)


class OnnxDetector:
    """Implementation of `models.base.Engine` from queries to detections. Pictures are computed together if the file
    allows it."""

    def __init__(
        self,
        file: Path,
        make_head: Callable[[OnnxNetwork], DetectionHead],
        *,
        device: str = "cpu",
        threads: int = 0,
        card_mb: int | None = None,
    ) -> None:
        """`load` calls `make_head`, which may raise EngineUnavailable."""
        self._make_network = partial(
            OnnxNetwork, file, "object_detection", device=device, threads=threads, card_mb=card_mb
        )
        self._make_head = make_head
        self._loaded: tuple[OnnxNetwork, DetectionHead, bool] | None = None

    def load(self) -> None:
        network = self._make_network()
        has_open_batch = all(has_open_batch_size(shape) for shape in network.inputs.values())
        self._loaded = network, self._make_head(network), has_open_batch

    def run(self, batch: Sequence[Query]) -> Sequence[Found | Exception]:
        assert self._loaded is not None, "load() comes first"
        network, head, has_open_batch = self._loaded
        found: list[Found | Exception] = []
        for group in [batch] if has_open_batch else [[query] for query in batch]:
            outputs = network.run(head.feeds([query.image for query in group]))
            found += [tuple(head.detections(outputs, index, query)) for index, query in enumerate(group)]
        return found

    def close(self) -> None:
        self._loaded = None
