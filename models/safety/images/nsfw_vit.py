"""Image guard: Falconsai/nsfw_image_detection, a ViT with the labels `normal` and `nsfw`, on onnxruntime."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.hosts.host import EngineHost
from models.safety.guard import Judgement, Scores
from models.safety.images import CAPABILITY
from models.vision.text import Image

CODE = "S15_IMAGE"
THRESHOLD = 0.5

SIDE = 224
"""Pictures are stretched to a square of this side. The side, the filter and the scale are those of the network's
preprocessor_config.json."""

_LABEL = "nsfw"

_MAX_ASPECT_RATIO = 3.0
"""A picture with a larger aspect ratio than this is also judged in parts, because what it shows would be too narrow to
be recognised after the whole picture is squeezed into a square."""

_MAX_PARTS = 8
"""A picture is divided into at most this many parts. The parts of an even longer picture are not square."""


class NsfwVit:
    """Implementation of `models.base.Engine` from pictures to the probability of `nsfw`."""

    def __init__(self, folder: Path, *, device: str = "cpu", threads: int = 0, card_mb: int | None = None) -> None:
        self._folder = folder
        self._device = device
        self._threads = threads
        self._card_mb = card_mb
        self._network: Any = None
        self._label = 0

    def load(self) -> None:
        from models.vision.detection.onnx_detector import OnnxNetwork

        try:
            labels = json.loads((self._folder / "config.json").read_text("utf-8"))["id2label"]
            self._label = next(int(number) for number, label in labels.items() if label == _LABEL)
        except (OSError, ValueError, KeyError, StopIteration) as error:
            raise EngineUnavailable(
                CAPABILITY, f"The folder '{self._folder.name}' is damaged: its config.json."
            ) from error
        path = self._folder / "onnx" / "model.onnx"
        self._network = OnnxNetwork(path, CAPABILITY, device=self._device, threads=self._threads, card_mb=self._card_mb)

    def run(self, batch: Sequence[Image]) -> Sequence[float | Exception]:
        [logits] = self._network.run({"pixel_values": np.stack([planes(picture) for picture in batch])}).values()
        return [_probability(row.astype(np.float64), self._label) for row in logits]

    def close(self) -> None:
        self._network = None


class NsfwVitGuard:
    """Implements models.safety.guard.ImageGuard. A long picture is also judged in parts, and its worst part counts."""

    codes = frozenset({CODE})

    def __init__(self, host: EngineHost[Image, float]) -> None:
        self.name = host.spec.name
        self.thresholds: Scores = {CODE: THRESHOLD}
        self._host = host

    async def judge(self, picture: Image, codes: Sequence[str], *, wait: bool = False) -> Judgement:
        score = max(await self._host.run_many(parts_of(picture), wait=wait))
        return Judgement(dict.fromkeys(codes, score))


def planes(picture: Image) -> NDArray[np.float32]:
    """Return the picture as the network takes it: 3 × SIDE × SIDE, from −1 to 1."""
    square = PIL.Image.fromarray(np.ascontiguousarray(picture)).resize((SIDE, SIDE), PIL.Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(square, np.float32).transpose(2, 0, 1) / 127.5 - 1)


def parts_of(picture: Image) -> list[Image]:
    """Return `picture`. If it is longer than _MAX_ASPECT_RATIO times its shorter side (a strip of pictures, a
    screenshot of a whole page), also return the parts along it: squares, unless _MAX_PARTS of them do not suffice.
    Nothing is copied."""
    height, width = picture.shape[:2]
    short, long = min(height, width), max(height, width)
    if long <= _MAX_ASPECT_RATIO * short:
        return [picture]
    count = min(_MAX_PARTS, math.ceil(long / short))
    length = max(short, math.ceil(long / count))
    starts = np.linspace(0, long - length, count).round().astype(int).tolist()
    if height > width:
        return [picture, *(picture[start : start + length] for start in starts)]
    return [picture, *(picture[:, start : start + length] for start in starts)]


def _probability(logits: NDArray[np.float64], label: int) -> float | Exception:
    if not np.isfinite(logits).all():
        return ValueError("the network must answer finite numbers")
    odds = np.exp(logits - logits.max())
    return float(odds[label] / odds.sum())
