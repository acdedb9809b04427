"""Detection engine: LLMDet and other Grounding DINOs in transformers, which detect objects by any name."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.devices.device import TORCH
from models.vision.detection.boxes import from_centres, suppressed
from models.vision.detection.detector import NAMES, Detection, Found, Query

SIDE = 800
"""Length in pixels to which these networks' preprocessing scales the shorter side."""
_LEAST_SCORE = 0.4
"""A detection counts if its score is at least this, which is the threshold in the example of LLMDet's model card."""
_MAX_OVERLAP = 0.7
"""Two detections of one label overlap (IoU) by at most this much. The limit is high because a DETR rarely predicts the
same object twice."""
_MAX_TOKENS = 250
"""A prompt has at most this many tokens, including the start and end tokens, unless a single label has more. The
encoder accepts 256 (`max_text_len` in its configuration), and the difference is a safety margin."""


class GroundingDetector:
    """Implementation of `models.base.Engine` from queries to detections. A query without labels searches for the 80
    COCO classes."""

    def __init__(self, folder: Path, *, capability: str, device: str = "auto") -> None:
        """`folder` has the layout of `save_pretrained` and of the model hubs."""
        self._folder = folder
        self._capability = capability
        self._device = device
        self._loaded: tuple[Any, Any, str] | None = None

    def load(self) -> None:
        from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

        device = TORCH.check(self._device, self._capability)
        processor = AutoProcessor.from_pretrained(self._folder, local_files_only=True)
        network = AutoModelForZeroShotObjectDetection.from_pretrained(self._folder, local_files_only=True)
        self._loaded = processor, network.to(device).eval(), device

    def run(self, batch: Sequence[Query]) -> Sequence[Found | Exception]:
        return [self._found(query) for query in batch]

    def close(self) -> None:
        self._loaded = None

    def _found(self, query: Query) -> Found:
        found: list[Detection] = []
        for labels in self._prompts(query.labels or NAMES):
            found += self._ask(query, labels)
        return tuple(found)

    def _prompts(self, labels: Sequence[str]) -> Iterator[list[str]]:
        """Yield the labels in groups. Each group fits into the text encoder, unless a single label is too long."""
        group: list[str] = []
        for label in labels:
            if group and self._tokens(prompt_of([*group, label])) > _MAX_TOKENS:
                yield group
                group = []
            group.append(label)
        yield group

    def _tokens(self, text: str) -> int:
        assert self._loaded is not None, "load() comes first"
        return len(self._loaded[0].tokenizer(text)["input_ids"])

    def _ask(self, query: Query, labels: Sequence[str]) -> list[Detection]:
        import torch

        assert self._loaded is not None, "load() comes first"
        processor, network, device = self._loaded
        text = prompt_of(labels)
        inputs = processor(images=[query.image], text=[text], return_tensors="pt").to(device)
        with torch.inference_mode():
            outputs = network(**inputs)
        tokens: NDArray[np.float32] = outputs.logits[0].sigmoid().float().cpu().numpy()
        boxes = from_centres(outputs.pred_boxes[0].float().cpu().numpy())
        height, width = query.image.shape[:2]
        boxes *= np.array([width, height] * 2, np.float32)
        places = processor.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
        # The score of a label is the highest score among its tokens.
        table = np.stack([tokens[:, label_tokens].max(1) for label_tokens in tokens_of(labels, places)], 1)
        classes, scores = table.argmax(1), table.max(1)
        kept = np.flatnonzero(scores >= _LEAST_SCORE)
        kept = kept[suppressed(boxes[kept], scores[kept], classes[kept], most=_MAX_OVERLAP)]
        return [Detection(labels[classes[index]], float(scores[index]), tuple(boxes[index].tolist())) for index in kept]


def prompt_of(labels: Sequence[str]) -> str:
    """Return the prompt in the form of these networks' training: lower case, with a full stop after each label."""
    return " ".join(f"{_phrase(label)}." for label in labels)


def tokens_of(labels: Sequence[str], places: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the indices of each label's tokens in prompt_of(labels). `places` are the (start, end) character offsets
    of the tokens in the prompt."""
    start, spans = 0, []
    for label in labels:
        stop = start + len(_phrase(label))
        spans.append([index for index, (first, last) in enumerate(places) if start <= first < last <= stop])
        start = stop + 2
    return spans


def _phrase(label: str) -> str:
    return " ".join(label.lower().replace(".", " ").split())
