"""Image classifiers in transformers' folder format, on onnxruntime or PyTorch, with the same preprocessing of a
picture."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.hosts.host import EngineHost
from models.safety.guard import Judgement, Layer, Scores
from models.safety.images import CAPABILITY
from models.safety.images.folder import ClassifierFolder
from models.vision.text import Image

MAX_ASPECT_RATIO = 3.0
"""A picture with a larger aspect ratio than this is also judged in parts, because what it shows would be too narrow to
be recognised after the whole picture is squeezed into a square."""
MAX_ASPECT_RATIO_CROPPED = 1.25
"""Value of MAX_ASPECT_RATIO for networks that see only the square in the middle of a picture."""
_MAX_PARTS = 8
"""A picture is divided into at most this many parts. The parts of an even longer picture are not square."""


def parts_of(picture: Image, longest: float = MAX_ASPECT_RATIO) -> list[Image]:
    """Return `picture`. If it is longer than `longest` times its shorter side (a strip of pictures, a screenshot of a
    whole page), also return the parts along it: squares, unless _MAX_PARTS of them do not suffice. Nothing is
    copied."""
    height, width = picture.shape[:2]
    short, long = min(height, width), max(height, width)
    if long <= longest * short:
        return [picture]
    count = min(_MAX_PARTS, math.ceil(long / short))
    length = max(short, math.ceil(long / count))
    starts = np.linspace(0, long - length, count).round().astype(int).tolist()
    if height > width:
        return [picture, *(picture[start : start + length] for start in starts)]
    return [picture, *(picture[:, start : start + length] for start in starts)]


LabelScores = Mapping[str, float]
"""The network's score of each label, 0 to 1. Labels that were not found are missing."""


class LabelledGuard:
    """Image guard over a network with labels. Implements models.safety.guard.ImageGuard. A long picture is also judged
    in parts, and its worst part counts."""

    def __init__(
        self,
        host: EngineHost[Image, LabelScores],
        meaning: Mapping[str, Mapping[str, float]],
        *,
        threshold: float,
        exclusive: bool,
        longest: float = MAX_ASPECT_RATIO,
    ) -> None:
        """`meaning` has, for each code, the labels that mean it, with the weight (0 to 1) of each label's certainty.
        `exclusive` is True if the certainties of all labels add up to 1 (a softmax): in this case, the certainties of a
        code's labels are added; otherwise the most certain label counts. `longest` is passed to `parts_of`."""
        self.name = host.spec.name
        self.codes = frozenset(meaning)
        self.thresholds: Scores = dict.fromkeys(meaning, threshold)
        self._host = host
        self._meaning = meaning
        self._exclusive = exclusive
        self._longest = longest

    async def judge(self, picture: Image, codes: Sequence[str], *, wait: bool = False) -> Judgement:
        found = await self._host.run_many(parts_of(picture, self._longest), wait=wait)
        scores = {code: max(self._score(code, sureness) for sureness in found) for code in codes}
        wanted = {label for code in codes for label in self._meaning[code]}
        surest = {label: max(sureness.get(label, 0.0) for sureness in found) for label in wanted}
        named = [label for label in surest if surest[label] >= min(self.thresholds.values())]
        named.sort(key=lambda label: (-surest[label], label))
        return Judgement(scores, (Layer(self.name, scores, tuple(named)),))

    def _score(self, code: str, sureness: LabelScores) -> float:
        parts = [weight * sureness.get(label, 0.0) for label, weight in self._meaning[code].items()]
        return min(1.0, sum(parts)) if self._exclusive else max(parts)


class OnnxClassifier:
    """Image classifier run by onnxruntime: from pictures to the certainty of each label. Implements
    `models.base.Engine`.

    Pictures are computed together if the file allows it.
    """

    def __init__(self, folder: ClassifierFolder, *, device: str = "cpu", threads: int = 0) -> None:
        """`folder` must have a network. `device` and `threads` are those of
        `models.vision.detection.onnx_detector.OnnxNetwork`."""
        self._folder = folder
        self._device = device
        self._threads = threads
        self._loaded: tuple[Any, str, str, bool] | None = None

    def load(self) -> None:
        from models.vision.detection.onnx_detector import OnnxNetwork, has_open_batch_size

        assert self._folder.network is not None, "the folder has a network"
        network = OnnxNetwork(self._folder.network, CAPABILITY, device=self._device, threads=self._threads)
        pictures, answers = list(network.inputs), list(network.outputs)
        answer = "logits" if "logits" in answers else answers[0]
        numbers, labels = network.outputs[answer][-1:], len(self._folder.labels)
        # If the file leaves the size open, each answer is checked.
        if len(pictures) != 1 or not numbers or (isinstance(numbers[0], int) and numbers[0] != labels):
            raise EngineUnavailable(
                CAPABILITY, f"The network's file is not an image classifier with the {labels} labels of config.json."
            )
        self._loaded = network, pictures[0], answer, has_open_batch_size(network.inputs[pictures[0]])

    def run(self, batch: Sequence[Image]) -> Sequence[LabelScores | Exception]:
        assert self._loaded is not None, "load() comes first"
        network, pictures, answer, has_open_batch = self._loaded
        planes = [self._folder.preprocessing.planes(picture) for picture in batch]
        groups = [planes] if has_open_batch else [[one] for one in planes]
        logits = [row for group in groups for row in network.run({pictures: np.stack(group)})[answer]]
        return [_label_scores(self._folder, row) for row in logits]

    def close(self) -> None:
        self._loaded = None


class TorchClassifier:
    """Image classifier run by transformers, on CUDA if PyTorch finds it. Implements `models.base.Engine`."""

    def __init__(self, folder: ClassifierFolder, *, device: str = "auto") -> None:
        """`folder` must have weights."""
        self._folder = folder
        self._device = device
        self._loaded: tuple[Any, str] | None = None

    def load(self) -> None:
        from transformers import AutoModelForImageClassification

        from models.devices.device import TORCH

        device = TORCH.check(self._device, CAPABILITY)
        network = AutoModelForImageClassification.from_pretrained(
            self._folder.path, local_files_only=True, use_safetensors=True
        )
        self._loaded = network.to(device).eval(), device

    def run(self, batch: Sequence[Image]) -> Sequence[LabelScores | Exception]:
        import torch

        assert self._loaded is not None, "load() comes first"
        network, device = self._loaded
        planes = np.stack([self._folder.preprocessing.planes(picture) for picture in batch])
        with torch.inference_mode():
            logits = network(pixel_values=torch.from_numpy(planes).to(device, network.dtype)).logits
        return [_label_scores(self._folder, row) for row in logits.float().cpu().numpy()]

    def close(self) -> None:
        self._loaded = None


def _label_scores(folder: ClassifierFolder, logits: NDArray[Any]) -> LabelScores | Exception:
    values = logits.astype(np.float64)
    if values.shape != (len(folder.labels),) or not np.isfinite(values).all():
        return ValueError(
            f"the network must answer one finite number for each of {len(folder.labels)} labels; it answered an array "
            f"of shape {values.shape}"
        )
    if folder.exclusive:
        values = np.exp(values - values.max())
        values /= values.sum()
    else:
        values = 1 / (1 + np.exp(-np.clip(values, -60, 60)))
    # Two outputs may have the same label.
    sureness = dict.fromkeys(folder.labels, 0.0)
    for label, value in zip(folder.labels, values.tolist(), strict=True):
        sureness[label] = min(1.0, sureness[label] + value) if folder.exclusive else max(sureness[label], value)
    return sureness
