"""Segmentation engine: SAM 2.1 in transformers, which computes masks for boxes that a detector has found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.devices.device import TORCH
from models.hosts.host import EngineHost
from models.vision.detection.detector import Detection, Found
from models.vision.detection.onnx_detector import masks_in_boxes, planes, resized
from models.vision.text import Image

# Mean and deviation of colours from the model's preprocessor_config.json.
_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentationInput:
    """Input of the engine: a picture and the detections in it that need masks."""

    image: Image
    found: Found


class Sam2:
    """Implementation of `models.base.Engine` from detections to the same detections with masks."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        """`folder` has the layout of `save_pretrained` and of the model hubs (facebook/sam2.1-hiera-tiny)."""
        self._folder = folder
        self._device = device
        self._loaded: tuple[Any, str, int] | None = None

    def load(self) -> None:
        from transformers import Sam2Model

        device = TORCH.check(self._device, "segmentation")
        network = Sam2Model.from_pretrained(self._folder, local_files_only=True).to(device).eval()
        self._loaded = network, device, int(network.config.prompt_encoder_config.image_size)

    def run(self, batch: Sequence[SegmentationInput]) -> Sequence[Found | Exception]:
        return [self._with_masks(item) for item in batch]

    def close(self) -> None:
        self._loaded = None

    def _with_masks(self, item: SegmentationInput) -> Found:
        import torch

        assert self._loaded is not None, "load() comes first"
        network, device, side = self._loaded
        height, width = item.image.shape[:2]
        picture = torch.from_numpy(planes(resized(item.image, side, side), _MEAN, _DEVIATION))[None]
        boxes = np.array([one.box for one in item.found], np.float32)
        scaled = torch.from_numpy(boxes * (np.array([side / width, side / height] * 2, np.float32)))[None]
        with torch.inference_mode():
            outputs = network(pixel_values=picture.to(device), input_boxes=scaled.to(device), multimask_output=False)
        maps = outputs.pred_masks[0, :, 0].float().cpu().numpy()
        scores = np.array([one.score for one in item.found], np.float32)
        masks = masks_in_boxes(maps, boxes, scores, width, height)
        return tuple(replace(one, mask=mask) for one, mask in zip(item.found, masks, strict=True))


class HostedSegmenter:
    """A Segmenter whose engine, a Sam2, runs in an EngineHost."""

    def __init__(self, host: EngineHost[SegmentationInput, Found]) -> None:
        self.name = host.spec.name
        self._host = host

    async def segment(self, image: Image, found: Sequence[Detection], *, wait: bool = False) -> list[Detection]:
        return list(await self._host.run(SegmentationInput(image, tuple(found)), wait=wait)) if found else []
