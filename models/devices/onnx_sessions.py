"""Opens sessions of onnxruntime."""

from collections import Counter
from pathlib import Path
from typing import Any

from models.base import EngineUnavailable
from models.devices.device import CPU, HOW_TO_SEE_CARDS, ONNXRUNTIME

NODES_ON_CPU: dict[str, Counter[str]] = {}
"""Numbers of nodes that a card leaves to the CPU, by capability and operator; the most of any session. onnxruntime
itself leaves it the nodes that calculate shapes."""


def onnx_session(
    file: Path | bytes, capability: str, *, device: str = CPU, threads: int = 0, card_mb: int | None = None
) -> Any:
    """Return an InferenceSession of onnxruntime on `device`. `file` is an ONNX file or its content. `threads` is the
    number of threads on the CPU; with 0, onnxruntime chooses it. `card_mb` limits the memory that the session takes of
    a card. Raises EngineUnavailable if the session is not on the card that `device` names, because onnxruntime itself
    would silently use the CPU."""
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
    # By default, the arena grows in powers of two, each new size of input starts a search through all algorithms, and a
    # convolution may take all memory that is free (here 32 MB) for its working space.
    chosen = {
        "device_id": index,
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",
        "cudnn_conv_use_max_workspace": 0,
    }
    if card_mb is not None:
        chosen["gpu_mem_limit"] = card_mb * 10**6
    card = ("CUDAExecutionProvider", chosen)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    session = ort.InferenceSession(file, options, providers=[card, "CPUExecutionProvider"])
    if card[0] not in session.get_providers():
        raise EngineUnavailable(capability, f"onnxruntime did not open its network on '{device}'. {HOW_TO_SEE_CARDS}")
    assigned = session.get_provider_graph_assignment_info()
    on_cpu = (node for part in assigned if part.ep_name != card[0] for node in part.get_nodes())
    elsewhere: Counter[str] = Counter(node.op_type for node in on_cpu)
    NODES_ON_CPU[capability] = NODES_ON_CPU.get(capability, Counter()) | elsewhere
    return session
