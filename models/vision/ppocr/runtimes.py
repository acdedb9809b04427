"""Chooses the runtime that computes a network of PP-OCR."""

from importlib.util import find_spec
from pathlib import Path

from models.vision.ppocr.onnx_session import OnnxSession
from models.vision.ppocr.session import OcrSession


def open_session(path: Path, *, recognition: bool, device: str = "cpu", threads: int, streams: int) -> OcrSession:
    """Compile the ONNX file at `path` for `device` ("cpu", "cuda", "cuda:1").

    `threads` is the total of CPU threads, shared by `streams` inferences that run side by side. On the CPU, OpenVINO is
    twice as fast as onnxruntime. On CUDA, and if OpenVINO is not installed, onnxruntime is used.
    """
    if device == "cpu" and find_spec("openvino") is not None:
        from models.vision.ppocr.openvino_session import OpenVinoSession

        return OpenVinoSession(path, recognition=recognition, threads=threads, streams=streams)
    return OnnxSession(path, recognition=recognition, device=device, threads=threads, streams=streams)
