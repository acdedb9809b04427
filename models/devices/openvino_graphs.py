"""Imports OpenVINO without its telemetry, and makes inference requests for graphs built from the tensors of a
checkpoint."""

import sys
from collections.abc import Mapping
from typing import Any

# On import, openvino reports to its maker through this package. Without the package, it uses a stub.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import opset13 as ops  # noqa: E402
from openvino.preprocess import ColorFormat, PrePostProcessor  # noqa: E402

__all__ = ["ColorFormat", "PrePostProcessor", "inference_request", "ops", "ov"]


def inference_request(graph: Any, *, threads: int, options: Mapping[str, Any] | None = None) -> Any:
    """Return an inference request of `graph`, compiled for the CPU with further `options` of OpenVINO. By default, the
    request computes in float32 on every processor, so that results differ in their last digits at most.

    Unlike PP-OCR's networks, these graphs are compiled by each process. A stored all-MiniLM-L6-v2 would take 43 MB and
    0.12 s of processor time to read, hardly less than the 0.16 s for compiling it.
    """
    compiled = ov.Core().compile_model(
        graph,
        "CPU",
        {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            # On a processor with bfloat16, OpenVINO would use this type, and vectors would depend on the machine.
            "INFERENCE_PRECISION_HINT": "f32",
            # The pinned threads of several containers would all be placed on the same cores.
            "ENABLE_CPU_PINNING": False,
            **(options or {}),
        },
    )
    return compiled.create_infer_request()
