"""Engines for `image_guard` that see colours: small networks, made here, in real ONNX files."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.capability import Candidate, EngineConfig
from models.language.llm import Abilities
from models.safety.guard import ImageGuard, Judgement
from models.safety.images.nsfw_vit import SIDE
from tests.kit.servers.llm_server import Reply

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Open = Callable[[Candidate, EngineConfig], ImageGuard]


def plain(red: int, green: int, blue: int, height: int = 60, width: int = 80) -> Picture:
    return np.full((height, width, 3), (red, green, blue), np.uint8)


BLACK, RED = plain(0, 0, 0), plain(255, 0, 0)


def save_nsfw_vit(folder: Path, red: float = 0.0, added: Sequence[float] = (0.0, 0.0)) -> Path:
    """Save a network in the form of `nsfw-vit`, whose logit of `nsfw` is the mean of red (−1 to 1) times `red`.

    `added` is added to the logits of `normal` and `nsfw`.
    """
    (folder / "onnx").mkdir(parents=True)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixel_values"], ["means"]),
            helper.make_node("Flatten", ["means"], ["channels"]),
            helper.make_node("Gemm", ["channels", "weights", "added"], ["logits"], transB=1),
        ],
        "test",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [
            numpy_helper.from_array(np.array([[0, 0, 0], [red, 0, 0]], np.float32), "weights"),
            numpy_helper.from_array(np.array(added, np.float32), "added"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(folder / "onnx" / "model.onnx"))
    (folder / "config.json").write_text(json.dumps({"id2label": {"0": "normal", "1": "nsfw"}}))
    (folder / "preprocessor_config.json").write_text("{}")
    return folder


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


ABLE = Abilities(vision=True, json_schema=True)


def verdict(**words: str) -> Reply:
    return Reply(json.dumps(words))
