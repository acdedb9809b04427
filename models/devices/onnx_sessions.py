"""Opens sessions of onnxruntime."""

from pathlib import Path
from typing import Any

from models.base import EngineUnavailable
from models.devices.device import CPU, HOW_TO_SEE_CARDS, ONNXRUNTIME


def onnx_session(file: Path | bytes, capability: str, *, device: str = CPU, threads: int = 0) -> Any:
    """Return an InferenceSession of onnxruntime on `device`. `file` is an ONNX file or its content. `threads` is the
    number of threads on the CPU; with 0, onnxruntime chooses it. Raises EngineUnavailable if the session is not on the
    card that `device` names, because onnxruntime itself would silently use the CPU."""
    import onnxruntime as ort

    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads would spin, and take CPU time from the other engines.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if ONNXRUNTIME.check(device, capability) == CPU:
        return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    index = int(device.partition(":")[2] or 0)
    # By default, the arena grows in powers of two, and each new size of input starts a search through all algorithms.
    # Lines of text have many lengths, so they would start many searches.
    chosen = {"device_id": index, "arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"}
    card = ("CUDAExecutionProvider", chosen)
    session = ort.InferenceSession(file, options, providers=[card, "CPUExecutionProvider"])
    if card[0] not in session.get_providers():
        raise EngineUnavailable(capability, f"onnxruntime did not open its network on '{device}'. {HOW_TO_SEE_CARDS}")
    return session
