"""Engines for `image_guard` that see colours: small networks, made here, in real ONNX files."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.capability import Candidate, EngineConfig
from models.language.llm import Abilities
from models.safety.guard import ImageGuard, Judgement
from models.safety.images.capability import ImageGuardSettings
from models.safety.images.nudenet import CLASSES
from tests.llm_server import Reply

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Open = Callable[[Candidate, EngineConfig], ImageGuard]


VIT = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "ViTImageProcessor",
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 1 / 255,
    "size": {"height": 32, "width": 32},
}
"""Content of a preprocessor_config.json that scales each channel to the range -1 to 1."""


def plain(red: int, green: int, blue: int, height: int = 60, width: int = 80) -> Picture:
    return np.full((height, width, 3), (red, green, blue), np.uint8)


BLACK, RED, WHITE = plain(0, 0, 0), plain(255, 0, 0), plain(255, 255, 255)


def save_colour_network(
    path: Path,
    weights: Sequence[Sequence[float]],
    added: Sequence[float],
    *,
    picture: str = "pixel_values",
    answer: str = "logits",
    shape: Sequence[int] | None = None,
    side: int = 32,
    together: bool = True,
) -> Path:
    """Save a network whose outputs reveal the colour of its input.

    Each output is a sum of the channels' means, weighted by a row of `weights` (red, green, blue), plus a number in
    `added`. `shape` is the shape of the answer to one picture.
    """
    batch: int | str = "batch" if together else 1
    shape = [len(added)] if shape is None else list(shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", [picture], ["means"]),
            helper.make_node("Flatten", ["means"], ["channels"]),
            helper.make_node("Gemm", ["channels", "weights", "added"], ["numbers"], transB=1),
            helper.make_node("Reshape", ["numbers", "shape"], [answer]),
        ],
        "test",
        [helper.make_tensor_value_info(picture, TensorProto.FLOAT, [batch, 3, side, side])],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, [batch, *shape])],
        [
            numpy_helper.from_array(np.array(weights, np.float32), "weights"),
            numpy_helper.from_array(np.array(added, np.float32), "added"),
            numpy_helper.from_array(np.array([-1, *shape], np.int64), "shape"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def save_classifier(
    folder: Path,
    labels: Sequence[str],
    weights: Sequence[Sequence[float]],
    added: Sequence[float] | None = None,
    *,
    network: str = "onnx/model.onnx",
    preprocessing: Mapping[str, object] = VIT,
    together: bool = True,
    **config: object,
) -> Path:
    save_colour_network(folder / network, weights, added or [0.0] * len(weights), together=together)
    named = {str(number): label for number, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps({"id2label": named, **config}))
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    return folder


def own(folder: Path) -> EngineConfig:
    return EngineConfig(
        device="cpu", threads=1, own=[ImageGuardSettings(image_guard="classifier", image_guard_model=folder)]
    )


@asynccontextmanager
async def opening() -> AsyncIterator[Open]:
    """Provide a function that opens a guard. The guards are closed with the block."""
    async with AsyncExitStack() as stack:

        def build(candidate: Candidate, config: EngineConfig) -> ImageGuard:
            assert candidate.remedy(config) is None
            assert candidate.build is not None
            built = candidate.build(config)
            for part in built.parts:
                stack.push_async_callback(part.close)
            service: ImageGuard = built.service
            return service

        yield build


def shown(judgement: Judgement) -> dict[str, float]:
    return {code: round(score, 3) for code, score in judgement.scores.items()}


BOX = (160.0, 160.0, 64.0, 64.0)


def answers(*boxes: tuple[tuple[float, ...], Mapping[str, float]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return a 22 × n table of boxes (centre and size, in pixels of the network's picture) with their scores by
    class."""
    table = np.zeros((22, len(boxes)), np.float32)
    for at, (box, scores) in enumerate(boxes):
        table[:4, at] = box
        for label, score in scores.items():
            table[4 + CLASSES.index(label), at] = score
    return table


def save_nudenet(path: Path, table: Any, weights: Any = None) -> Path:
    weights = np.zeros((table.size, 3)) if weights is None else weights
    return save_colour_network(
        path, weights, table.ravel().tolist(), picture="images", answer="output0", shape=table.shape, side=320
    )


def nudenet(model: Path | None, weights_dir: Path = Path("nowhere")) -> EngineConfig:
    guard = ImageGuardSettings(image_guard="nudenet", image_guard_model=model)
    return EngineConfig(device="cpu", threads=1, weights_dir=weights_dir, own=[guard])


ABLE = Abilities(vision=True, json_schema=True)


def verdict(**words: str) -> Reply:
    return Reply(json.dumps(words))
