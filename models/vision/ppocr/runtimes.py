"""Chooses the runtime that computes a network of PP-OCR."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from models.devices.device import CPU
from models.vision.ppocr.onnx_session import CardSession, OnnxSession
from models.vision.ppocr.session import OcrSession, Shape


def open_session(
    path: Path, *, recognition: bool, device: str = CPU, threads: int, streams: int, card_shapes: Sequence[Shape] = ()
) -> OcrSession:
    """Compile the ONNX file at `path` for `device` ("cpu", "cuda", "cuda:1").

    `threads` is the total of CPU threads, shared by `streams` inferences that run side by side. On the CPU, OpenVINO is
    twice as fast as onnxruntime. On CUDA, and if OpenVINO is not installed, onnxruntime is used. A session on a card
    computes inputs of `card_shapes` and no others.
    """
    if device != CPU:
        return CardSession(path, recognition=recognition, device=device, shapes=card_shapes)
    if find_spec("openvino") is not None:
        from models.vision.ppocr.openvino_session import OpenVinoSession

        return OpenVinoSession(path, recognition=recognition, threads=threads, streams=streams)
    return OnnxSession(path, recognition=recognition, threads=threads, streams=streams)
