"""Chooses the runtime that computes a network of PP-OCR."""

from collections.abc import Sequence
from pathlib import Path

from models.devices.device import CPU
from models.vision.ppocr.onnx_session import CardSession
from models.vision.ppocr.session import OcrSession, Shape


def open_session(
    path: Path,
    *,
    recognition: bool,
    device: str = CPU,
    threads: int,
    streams: int,
    card_shapes: Sequence[Shape] = (),
    card_mb: int | None = None,
) -> OcrSession:
    """Compile the ONNX file at `path` for `device` ("cpu", "cuda", "cuda:1").

    `threads` is the total of CPU threads, shared by `streams` inferences that run side by side. OpenVINO is up to twice
    as fast as onnxruntime; on a CPU without AVX-512 it was measured to be as fast. onnxruntime computes on cards: a
    session there computes inputs of `card_shapes` and no others, and takes at most `card_mb` megabytes for each.
    """
    if device != CPU:
        return CardSession(path, recognition=recognition, device=device, shapes=card_shapes, card_mb=card_mb)
    from models.vision.ppocr.openvino_session import OpenVinoSession

    return OpenVinoSession(path, recognition=recognition, threads=threads, streams=streams)
