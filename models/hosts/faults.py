"""Faults of engines that only a new process removes: an error after which a card refuses every call of this process,
and a native call that does not end."""

import re
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

_STAYING = {
    214: "uncorrectable ECC error encountered",
    220: "uncorrectable NVLink error detected during the execution",
    700: "an illegal memory access was encountered",
    702: "the launch timed out and was terminated",
    709: "context is destroyed",
    710: "device-side assert triggered",
    714: "hardware stack error",
    715: "an illegal instruction was encountered",
    716: "misaligned address",
    717: "operation not supported on global/shared address space",
    718: "invalid program counter",
    719: "unspecified launch failure",
    721: "Invalid access of peer GPU memory over nvlink or a hardware error",
    999: "unknown error",
}
"""Codes and messages of the errors after which CUDA returns the same error for all further work of the process
(`cudaError` in docs.nvidia.com/cuda/cuda-runtime-api). 719 and 999 are those of a card that is lost."""

_CUDA_ERROR = re.compile(
    rf"\bCUDA (?:failure (?P<code>\d+): |error: |failed with error )(?P<message>{'|'.join(_STAYING.values())})?"
)
"""Pattern of CUDA's errors in the messages of onnxruntime, PyTorch and CTranslate2, in this order."""


def staying_error(error: BaseException | None) -> str | None:
    """Return CUDA's message if `error`, or an error that caused it, is one after which a card refuses every call of
    this process; None for any other error."""
    while error is not None:
        if isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime."):
            found = _CUDA_ERROR.search(str(error))
            code = getattr(error, "error_code", None) or (found and found["code"])  # PyTorch's AcceleratorError has it
            if code is not None and int(code) in _STAYING:
                return _STAYING[int(code)]
            if found is not None and found["message"]:
                return found["message"]
        error = error.__cause__
    return None


class Faults:
    """The first fault of this process's engines."""

    def __init__(self) -> None:
        self.engine: str | None = None
        """Name of the engine with the fault; None while there is no fault."""
        self.on_fault: Callable[[], None] | None = None
        """Function that ends the process in an orderly way, called in the event loop. Without it, the process goes
        on without the engine."""

    def report(self, engine: str, call: str, reason: str) -> None:
        """Log a fault of a `call` of `engine`. The first fault ends the process."""
        log.error("engine_fault", engine=engine, call=call, reason=reason)
        if self.engine is None:
            self.engine = engine
            if self.on_fault is not None:
                self.on_fault()
