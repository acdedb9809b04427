"""OpenVINO, imported without its telemetry, and requests of graphs that are built here from a checkpoint's tensors."""

import sys
from typing import Any

# `import openvino` reports itself to its maker through this package; without it, it falls back to a stub.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import opset13 as ops  # noqa: E402
from openvino.preprocess import ColorFormat, PrePostProcessor  # noqa: E402

__all__ = ["ColorFormat", "PrePostProcessor", "ops", "ov", "request_for"]


def request_for(graph: Any, *, threads: int) -> Any:
    """A request of the compiled `graph` on the CPU, whose results are the same on every machine.

    These graphs are not kept compiled, as PP-OCR's are: all-MiniLM-L6-v2 would take 43 MB, and 0.12 s of processor time
    to read back instead of 0.16 s to compile.
    """
    compiled = ov.Core().compile_model(
        graph,
        "CPU",
        {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            # Where the processor has bfloat16, OpenVINO would take it: then a vector depends on the machine.
            "INFERENCE_PRECISION_HINT": "f32",
            # Pinned threads of several containers would all land on the same cores.
            "ENABLE_CPU_PINNING": False,
        },
    )
    return compiled.create_infer_request()
