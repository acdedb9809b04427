"""Calculates the memory that the networks of ONNX files take on a card, from the networks themselves.

    .venv/bin/python -m eval.card_memory                         the networks that are here, beside what is declared
    .venv/bin/python -m eval.card_memory FILE --shape 8,3,384,384

The figures of `CardMemory` come from it. A session of onnxruntime keeps the weights, and at each operator the tensors
that a later one still needs: the sum at its largest is `peak`. The file is simplified first, as onnxruntime does before
it computes; a card that fuses more operators needs less.
"""

import argparse
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort

from app.settings import Settings
from models.hosts.workplace import CardMemory
from models.safety.images.capability import NSFW_VIT
from models.safety.images.nsfw_vit import SIDE as VIT_SIDE
from models.vision.detection.capability import FASTESTDET, RF_DETR_SEG
from models.vision.detection.fastestdet import FILE as FASTESTDET_FILE
from models.vision.detection.fastestdet import SIDE as FASTESTDET_SIDE
from models.vision.ocr.capability import MEDIUM_WEIGHTS, PP_OCR_V6_MEDIUM, PP_OCR_V6_SMALL, embedded_weights
from models.vision.ppocr.detector import TextDetector
from models.vision.ppocr.recognizer import LineRecognizer
from models.weights.files import WEIGHT_SETS

WORKSPACE_MB = 64
"""Working space of a session: 32 MB for convolutions (`cudnn_conv_use_max_workspace` in `models.devices.onnx_sessions`)
and 32 MiB, the most that cuBLAS takes for a handle by default (docs.nvidia.com/cuda/cublas, "cublasSetWorkspace")."""
FRAGMENTATION = 1.5
"""The arena of a session holds up to this many times its tensors, because a tensor rarely fits where another one
was."""


@dataclass(frozen=True)
class Network:
    """One session: the file, and the shape of its first input."""

    file: Path
    shape: Sequence[int]


@dataclass(frozen=True)
class Figures:
    weights_mb: float
    peak_mb: float

    @property
    def session_mb(self) -> float:
        return self.weights_mb + FRAGMENTATION * self.peak_mb + WORKSPACE_MB


def figures(network: Network) -> Figures:
    """Return what a session of the network keeps. Raises ValueError if the shape of a tensor is unknown."""
    graph = _optimised(network).graph
    weights = {one.name: _bytes(one.dims, one.data_type) for one in graph.initializer}
    known = [*graph.value_info, *graph.input, *graph.output]
    sizes = {one.name: _bytes(_dims(one), one.type.tensor_type.elem_type) for one in known}
    last = {name: place for place, node in enumerate(graph.node) for name in node.input}
    last |= {one.name: len(graph.node) for one in graph.output}
    kept, peak = {one.name for one in graph.input} - weights.keys(), 0
    for place, node in enumerate(graph.node):
        kept |= {name for name in node.output if name}
        if unknown := kept - sizes.keys():
            raise ValueError(f"{network.file.name}: the shapes of {sorted(unknown)} are unknown")
        peak = max(peak, sum(sizes[name] for name in kept))
        kept = {name for name in kept if last.get(name, 0) > place}
    return Figures(sum(weights.values()) / 1e6, peak / 1e6)


def _optimised(network: Network) -> Any:
    model = onnx.load(network.file)
    first = model.graph.input[0].type.tensor_type.shape.dim
    for dimension, size in zip(first, network.shape, strict=True):
        dimension.Clear()
        dimension.dim_value = size
    del model.graph.value_info[:]
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = f"{folder}/optimised.onnx"
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        optimised = onnx.load(options.optimized_model_filepath)
    return onnx.shape_inference.infer_shapes(optimised, data_prop=True)


def _dims(value: Any) -> list[int]:
    return [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]


def _bytes(dims: Sequence[int], kind: int) -> int:
    return math.prod(dims) * int(onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize)


def pp_ocr(detector: Path, recognizer: Path) -> list[Network]:
    """Return the sessions that PP-OCR opens on a card."""
    return [
        Network(file, (count, 3, height, width))
        for file, engine in ((detector, TextDetector), (recognizer, LineRecognizer))
        for count, height, width in engine.card_shapes()
    ]


def engines(weights_dir: Path) -> Iterator[tuple[str, CardMemory | None, list[Network]]]:
    """Yield the name, the declared memory and the sessions of each engine on onnxruntime whose files are here."""
    yield PP_OCR_V6_SMALL.spec.name, PP_OCR_V6_SMALL.card, pp_ocr(*embedded_weights())
    side = FASTESTDET_SIDE
    yield FASTESTDET.spec.name, FASTESTDET.card, [Network(FASTESTDET_FILE, (1, 3, side, side))]
    if not MEDIUM_WEIGHTS.missing(weights_dir):
        detector, recognizer = (weights_dir / file.path for file in MEDIUM_WEIGHTS.files)
        yield PP_OCR_V6_MEDIUM.spec.name, PP_OCR_V6_MEDIUM.card, pp_ocr(detector, recognizer)
    for candidate, side in ((RF_DETR_SEG, 384), (NSFW_VIT, VIT_SIDE)):
        known = WEIGHT_SETS[candidate.spec.name]
        [path] = [file.path for file in known.files if file.path.endswith(".onnx")]
        if candidate.card and not known.missing(weights_dir):
            network = Network(weights_dir / path, (candidate.card.items, 3, side, side))
            yield candidate.spec.name, candidate.card, [network]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--shape", default="1,3,640,640", help="of the first input")
    arguments = parser.parse_args()
    if arguments.file:
        shape = [int(size) for size in arguments.shape.split(",")]
        found = figures(Network(arguments.file, shape))
        print(f"weights {found.weights_mb:,.0f} MB, peak {found.peak_mb:,.0f} MB, session {found.session_mb:,.0f} MB")
        return
    for name, card, networks in engines(Path(Settings().weights_dir)):
        declared = f"{card.shown} = {card.most:,} MB declared" if card else "nothing declared"
        print(f"{name}: {sum(figures(one).session_mb for one in networks):,.0f} MB, {declared}")
        for one in networks:
            found = figures(one)
            print(f"  {one.file.name} {one.shape}: weights {found.weights_mb:,.0f}, peak {found.peak_mb:,.0f} MB")


if __name__ == "__main__":
    main()
