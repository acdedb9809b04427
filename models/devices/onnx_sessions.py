"""Opens sessions of onnxruntime, with a limit on the memory of a card that they may take."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from models.base import EngineUnavailable, ran_out
from models.devices.device import CPU, HOW_TO_SEE_CARDS, ONNXRUNTIME

_CARD_MEMORY_LIMIT: ContextVar[int] = ContextVar("may_take", default=0)


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
    if memory_limit := _CARD_MEMORY_LIMIT.get():
        chosen["gpu_mem_limit"] = memory_limit
    card = ("CUDAExecutionProvider", chosen)
    session = ort.InferenceSession(file, options, providers=[card, "CPUExecutionProvider"])
    if card[0] not in session.get_providers():
        raise EngineUnavailable(capability, f"onnxruntime did not open its network on '{device}'. {HOW_TO_SEE_CARDS}")
    return ArenaFreeingSession(session, f"gpu:{index}")


@contextmanager
def bounded(limit: int) -> Iterator[None]:
    """Limit the card's memory of each `onnx_session` that is opened within the block to `limit` bytes; 0: no limit."""
    token = _CARD_MEMORY_LIMIT.set(limit)
    try:
        yield
    finally:
        _CARD_MEMORY_LIMIT.reset(token)


class ArenaFreeingSession:
    """An InferenceSession that empties its arena when memory runs out.

    The arena keeps every block of memory that it has allocated, and never joins two blocks. Inputs of many sizes fill
    it with blocks that are too small for the next input, until not even the smallest input can be computed. A run with
    the option `enable_memory_arena_shrinkage` frees them when it ends, even if it fails.
    """

    def __init__(self, session: Any, arena: str) -> None:
        """`arena` is the arena's name in onnxruntime, such as `gpu:0`."""
        self._session = session
        self._arena = arena

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, outputs: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        results = self._run_if_memory_suffices(outputs, feeds, None)
        if results is None:
            import onnxruntime as ort

            emptying = ort.RunOptions()
            emptying.add_run_config_entry("memory.enable_memory_arena_shrinkage", self._arena)
            results = self._run_if_memory_suffices(outputs, feeds, emptying)
        return list(self._session.run(outputs, feeds)) if results is None else results

    def _run_if_memory_suffices(
        self, outputs: Sequence[str] | None, feeds: Mapping[str, Any], options: Any
    ) -> list[Any] | None:
        """Return the network's outputs; None if memory ran out."""
        try:
            return list(self._session.run(outputs, feeds, options))
        except Exception as error:
            if ran_out(error):
                return None
            raise
