"""Detection head for FastestDet (github.com/dog-qiuqiu/FastestDet, BSD-3-Clause): 80 labels from a file of 1 MB,
which is part of openfaze (licence in LICENSE_FASTESTDET)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.vision.detection.boxes import from_centres, suppressed
from models.vision.detection.detector import NAMES, Detection, Query
from models.vision.detection.onnx_detector import Tensors, is_wanted, resized
from models.vision.text import Image

FILE = Path(__file__).with_name("fastestdet.onnx")
"""`example/onnx-runtime/FastestDet.onnx` of the authors' repository."""
SIDE = 352

_LEAST_SCORE = 0.65
"""A detection counts if its score is at least this, which is the default in the test.py of the network's authors. With
a threshold of 0.57 or less, other furniture in the sample photos would count as chairs."""
_MAX_OVERLAP = 0.45
"""Two objects of one class overlap (IoU) by at most this much: the default of the authors' utils/tool.py."""


class FastestDetHead:
    """Implementation of `onnx_detector.DetectionHead` for outputs of batch × 85 × rows × columns. Each cell of a grid
    over the picture predicts one object by objectness, x, y, width, height and 80 class probabilities."""

    def feeds(self, images: Sequence[Image]) -> Tensors:
        # Planes are written directly into the input: each intermediate copy would take more time than the arithmetic.
        pictures = np.empty((len(images), 3, SIDE, SIDE), np.float32)
        for picture, image in zip(pictures, images, strict=True):
            np.divide(resized(image, SIDE, SIDE)[..., ::-1].transpose(2, 0, 1), np.float32(255), out=picture)
        return {"input.1": pictures}

    def detections(self, outputs: dict[str, NDArray[Any]], index: int, query: Query) -> list[Detection]:
        (output,) = outputs.values()
        grid = output[index]
        classes = grid[5:].argmax(0)
        # Scores and boxes follow handle_preds in FastestDet's utils/tool.py.
        scores = grid[0] ** 0.6 * grid[5:].max(0) ** 0.4
        rows, columns = np.nonzero((scores >= _LEAST_SCORE) & is_wanted(NAMES, query)[classes])
        shift_x, shift_y, width, height = grid[1:5, rows, columns]
        centres = np.stack([(columns + np.tanh(shift_x)) / grid.shape[2], (rows + np.tanh(shift_y)) / grid.shape[1]], 1)
        sizes = 1 / (1 + np.exp(-np.stack([width, height], 1)))
        picture_height, picture_width = query.image.shape[:2]
        boxes = from_centres(np.concatenate([centres, sizes], 1)) * np.array(
            [picture_width, picture_height] * 2, np.float32
        )
        found, scores = classes[rows, columns], scores[rows, columns]
        return [
            Detection(NAMES[found[at]], float(scores[at]), tuple(boxes[at].tolist()))
            for at in suppressed(boxes, scores, found, most=_MAX_OVERLAP)
        ]
