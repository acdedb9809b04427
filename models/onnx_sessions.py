"""Sessions of onnxruntime, and the memory of a card that they may take."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from models.base import EngineUnavailable, ran_out
from models.device import CPU, HOW_TO_SEE_CARDS, ONNXRUNTIME


def onnx_session(file: Path, capability: str, *, device: str = CPU, threads: int = 0) -> Any:
    """An InferenceSession of onnxruntime on `device`, with so many `threads` on the CPU, 0: as many as it sees fit.
    Raises EngineUnavailable where it does not come to be there: by itself onnxruntime goes on with the CPU."""
    import onnxruntime as ort

    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads that spin take the cores from the other engines.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if ONNXRUNTIME.check(device, capability) == CPU:
        return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    index = int(device.partition(":")[2] or 0)
    # By itself it takes memory in powers of two, and tries all algorithms anew for each size of its input: text has
    # lines of every length.
    chosen = {"device_id": index, "arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"}
    if most := _MAY_TAKE.get():
        chosen["gpu_mem_limit"] = most
    card = ("CUDAExecutionProvider", chosen)
    session = ort.InferenceSession(file, options, providers=[card, "CPUExecutionProvider"])
    if card[0] not in session.get_providers():
        raise EngineUnavailable(capability, f"onnxruntime did not open its network on '{device}'. {HOW_TO_SEE_CARDS}")
    return EmptyingSession(session, f"gpu:{index}")


_MAY_TAKE: ContextVar[int] = ContextVar("may_take", default=0)


@contextmanager
def bounded(most: int) -> Iterator[None]:
    """Has each `onnx_session` that the block opens on a card take at most so many bytes of it; 0: no bound."""
    token = _MAY_TAKE.set(most)
    try:
        yield
    finally:
        _MAY_TAKE.reset(token)


class EmptyingSession:
    """An InferenceSession that empties its arena where memory runs out.

    The arena keeps each piece that it ever took, and joins no two: inputs of many sizes fill it with pieces of which
    none suffices for the next, until not even the smallest input can be computed. It lets go of them at the end of a
    run that asks for it, one that fails included.
    """

    def __init__(self, session: Any, arena: str) -> None:
        """`arena` as onnxruntime calls it: `gpu:0`."""
        self._session = session
        self._arena = arena

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, outputs: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        results = self._tried(outputs, feeds, None)
        if results is None:
            import onnxruntime as ort

            emptying = ort.RunOptions()
            emptying.add_run_config_entry("memory.enable_memory_arena_shrinkage", self._arena)
            results = self._tried(outputs, feeds, emptying)
        return list(self._session.run(outputs, feeds)) if results is None else results

    def _tried(self, outputs: Sequence[str] | None, feeds: Mapping[str, Any], options: Any) -> list[Any] | None:
        """The network's outputs; None where memory ran out."""
        try:
            return list(self._session.run(outputs, feeds, options))
        except Exception as error:
            if ran_out(error):
                return None
            raise
