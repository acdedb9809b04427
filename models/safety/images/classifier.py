"""Image classifiers in transformers' folder format, on onnxruntime or PyTorch: the same picture goes into both."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.safety.images import CAPABILITY
from models.safety.images.folder import ClassifierFolder
from models.safety.images.labelled import Sureness
from models.vision.text import Image


class OnnxClassifier:
    """From pictures to how sure the network is of each label. Implements `models.base.Engine`.

    Pictures are computed together where the file allows it.
    """

    def __init__(self, folder: ClassifierFolder, *, device: str = "cpu", threads: int = 0) -> None:
        """`folder` has a network. `device` and `threads` as of `models.vision.detection.network.Network`."""
        self._folder = folder
        self._device = device
        self._threads = threads
        self._loaded: tuple[Any, str, str, bool] | None = None

    def load(self) -> None:
        from models.vision.detection.network import Network, batches

        assert self._folder.network is not None, "the folder has a network"
        try:
            network = Network(self._folder.network, device=self._device, threads=self._threads)
        except EngineUnavailable as error:
            raise EngineUnavailable(CAPABILITY, error.remedy) from error
        pictures, answers = list(network.inputs), list(network.outputs)
        answer = "logits" if "logits" in answers else answers[0]
        numbers, labels = network.outputs[answer][-1:], len(self._folder.labels)
        # A size that is not known here is looked at with each answer.
        if len(pictures) != 1 or not numbers or (isinstance(numbers[0], int) and numbers[0] != labels):
            raise EngineUnavailable(
                CAPABILITY, f"The network's file is no image classifier of the {labels} labels in its config.json."
            )
        self._loaded = network, pictures[0], answer, batches(network.inputs[pictures[0]])

    def run(self, batch: Sequence[Image]) -> Sequence[Sureness | Exception]:
        assert self._loaded is not None, "load() comes first"
        network, pictures, answer, together = self._loaded
        planes = [self._folder.preprocessing.planes(picture) for picture in batch]
        groups = [planes] if together else [[one] for one in planes]
        logits = [row for group in groups for row in network.run({pictures: np.stack(group)})[answer]]
        return [_sureness(self._folder, row) for row in logits]

    def close(self) -> None:
        self._loaded = None


class TorchClassifier:
    """The same by transformers, on CUDA where PyTorch finds it. Implements `models.base.Engine`."""

    def __init__(self, folder: ClassifierFolder, *, device: str = "auto") -> None:
        """`folder` has weights."""
        self._folder = folder
        self._device = device
        self._loaded: tuple[Any, str] | None = None

    def load(self) -> None:
        from transformers import AutoModelForImageClassification

        from models.torch_device import torch_device

        device = torch_device(self._device, CAPABILITY)
        network = AutoModelForImageClassification.from_pretrained(
            self._folder.path, local_files_only=True, use_safetensors=True
        )
        self._loaded = network.to(device).eval(), device

    def run(self, batch: Sequence[Image]) -> Sequence[Sureness | Exception]:
        import torch

        assert self._loaded is not None, "load() comes first"
        network, device = self._loaded
        planes = np.stack([self._folder.preprocessing.planes(picture) for picture in batch])
        with torch.inference_mode():
            logits = network(pixel_values=torch.from_numpy(planes).to(device, network.dtype)).logits
        return [_sureness(self._folder, row) for row in logits.float().cpu().numpy()]

    def close(self) -> None:
        self._loaded = None


def _sureness(folder: ClassifierFolder, logits: NDArray[Any]) -> Sureness | Exception:
    values = logits.astype(np.float64)
    if values.shape != (len(folder.labels),) or not np.isfinite(values).all():
        return ValueError(f"the network answered {values.shape} numbers, some of them none, for {len(folder.labels)}")
    if folder.exclusive:
        values = np.exp(values - values.max())
        values /= values.sum()
    else:
        values = 1 / (1 + np.exp(-np.clip(values, -60, 60)))
    # Two outputs may have one name.
    sureness = dict.fromkeys(folder.labels, 0.0)
    for label, value in zip(folder.labels, values.tolist(), strict=True):
        sureness[label] = min(1.0, sureness[label] + value) if folder.exclusive else max(sureness[label], value)
    return sureness
