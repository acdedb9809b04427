"""PP-OCR's networks on OpenVINO's CPU plugin, with normalisation and arg-max compiled into the graph."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.devices.openvino_graphs import ColorFormat, PrePostProcessor, ops, ov
from models.vision.ppocr.session import Pictures


class OpenVinoSession:
    """Implementation of OcrSession on OpenVINO."""

    def __init__(self, path: Path, *, recognition: bool, threads: int, streams: int) -> None:
        core = ov.Core()
        options = {
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads,
            # The pinned threads of several containers would all be placed on the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        model = core.read_model(path)
        self._characters = str(model.get_rt_info(["framework", "character"]).value) if recognition else ""
        graph = _with_picture_input(_with_best_class(model) if recognition else _probability_map(model))
        compiled = core.compile_model(graph, "CPU", options)
        self._queue = ov.AsyncInferQueue(compiled, streams)
        self._queue.set_callback(_keep_outputs)
        self._using_queue = Lock()

    def characters(self) -> str:
        return self._characters

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        results: dict[int, tuple[NDArray[Any], ...]] = {}
        with self._using_queue:
            for index, batch in enumerate(batches):
                self._queue.start_async({0: batch}, (results, index))
            self._queue.wait_all()
        return [results[index] for index in range(len(batches))]


def _keep_outputs(request: Any, place: tuple[dict[int, tuple[NDArray[Any], ...]], int]) -> None:
    results, index = place
    results[index] = tuple(tensor.data.copy() for tensor in request.output_tensors)


def _with_picture_input(model: Any) -> Any:
    """Return the network with an input of uint8 RGB, channels last. PP-OCR expects BGR, channels first, in [-1, 1]."""
    steps = PrePostProcessor(model)
    picture = steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    picture.set_color_format(ColorFormat.RGB)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    convert = steps.input().preprocess().convert_color(ColorFormat.BGR).convert_element_type(ov.Type.f32)
    convert.mean(127.5).scale(127.5)
    return steps.build()


def _with_best_class(model: Any) -> Any:
    """Return the network with two outputs for each column, the class and its probability, instead of 18,710
    probabilities. For a long line, this saves copying 6 MB."""
    probabilities = model.get_results()[0].input_value(0)
    best = ops.topk(probabilities, np.int64(1), -1, "max", "none", index_element_type="i32")
    axis = np.int64(2)
    outputs = [ops.squeeze(best.output(1), axis).output(0), ops.squeeze(best.output(0), axis).output(0)]
    return ov.Model(outputs, model.get_parameters(), "recognition")


def _probability_map(model: Any) -> Any:
    output = ops.squeeze(model.get_results()[0].input_value(0), np.int64(1)).output(0)
    return ov.Model([output], model.get_parameters(), "detection")
