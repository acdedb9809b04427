"""Finds out which backends can compute on an NVIDIA card of this machine. Each backend is tried once per process, when
the result is first needed."""

import ctypes
import re
from collections.abc import Callable, Iterable
from threading import Lock

import structlog

from models.base import EngineUnavailable
from models.devices.cards import DRIVERS, CannotUse, open_library
from models.devices.cuda_libraries import load_cuda_libraries
from models.devices.native import provide_openmp

log = structlog.get_logger(__name__)

AUTO, CPU, CUDA = "auto", "cpu", "cuda"

DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")

HOW_TO_SEE_CARDS = "`nvidia-smi` shows what the driver sees; a container is given cards by `docker run --gpus all`."


class Backend:
    """A library that computes networks, such as onnxruntime or PyTorch, and the cards that it can use."""

    def __init__(self, name: str, probe: Callable[[], int], *, required: bool = True) -> None:
        """Declare a backend. `probe` returns the number of cards, may import the backend, and raises CannotUse. If a
        card cannot be used, an engine with a `required` backend does not load; other engines run on the CPU."""
        self.name = name
        self.required = required
        self._probe = probe
        self._probe_lock = Lock()
        self._probe_result: tuple[int, str] | None = None

    def obstacle(self, device: str = CUDA) -> str | None:
        """Return the reason why the backend cannot compute on `device`, in one or more sentences; None if it can."""
        if device in (AUTO, CPU):
            return None
        with self._probe_lock:
            if self._probe_result is None:
                self._probe_result = self._run_probe()
        count, obstacle = self._probe_result
        if count > int(device.partition(":")[2] or 0):
            return None
        return obstacle or f"{self.name} finds {count} NVIDIA card{'' if count == 1 else 's'}, counted from cuda:0."

    def resolve(self, device: str) -> str:
        """Return `device`; for `auto`, CUDA if the backend can use it, else the CPU."""
        return device if device != AUTO else CPU if self.obstacle() else CUDA

    def check(self, device: str, capability: str) -> str:
        """Return the device that `resolve` returns. Raises EngineUnavailable if `required` and the backend cannot use
        the card."""
        if self.required and (obstacle := self.obstacle(device)):
            raise EngineUnavailable(capability, f"{self.name} cannot compute on '{device}' here. {obstacle}")
        return self.resolve(device)

    def _run_probe(self) -> tuple[int, str]:
        try:
            if self is not DRIVER and (obstacle := DRIVER.obstacle()):  # without a card, nothing is imported
                return 0, obstacle
            return self._probe(), ""
        except CannotUse as error:
            return 0, str(error)
        except Exception as error:
            log.exception("card_probe_failed", runtime=self.name)
            return 0, f"{self.name} fails on the card ({type(error).__name__}: {error})."


def _probe_driver() -> int:
    driver, count = open_library(DRIVERS), ctypes.c_int()
    if driver is None:
        raise CannotUse(f"There is no NVIDIA driver ({DRIVERS[0]} does not load). {HOW_TO_SEE_CARDS}")
    error = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if error or not count.value:
        raise CannotUse(f"The NVIDIA driver shows this process no card (its code is {error}). {HOW_TO_SEE_CARDS}")
    return count.value


def _probe_onnxruntime() -> int:
    import onnxruntime as ort

    from models.devices.probes import ONNX_NETWORK, check_onnxruntime

    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise CannotUse("This onnxruntime was built for the CPU alone. Run `openfaze install cuda`.")
    missing = load_cuda_libraries("onnxruntime")
    options = ort.SessionOptions()
    options.log_severity_level = 4  # the messages below report problems
    session = ort.InferenceSession(ONNX_NETWORK, options, providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    if "CUDAExecutionProvider" not in session.get_providers():
        raise CannotUse(_missing_libraries("onnxruntime", missing or ["its CUDA libraries"]))
    check_onnxruntime(session)
    return _probe_driver()


def _probe_ctranslate2() -> int:
    import ctranslate2

    from models.devices.probes import check_ctranslate2

    count = int(ctranslate2.get_cuda_device_count())
    if not count:
        raise CannotUse("CTranslate2 finds no card: it is a build for the CPU, or the driver is older than its CUDA.")
    if missing := load_cuda_libraries("ctranslate2"):
        raise CannotUse(_missing_libraries("CTranslate2", missing))
    check_ctranslate2(CUDA, "float16")
    return count


def _probe_torch() -> int:
    import torch

    if torch.version.cuda is None:
        raise CannotUse(
            "This PyTorch was built for the CPU alone; https://pytorch.org/get-started/locally has builds for cards."
        )
    if not torch.cuda.is_available():
        raise CannotUse(f"PyTorch finds no card: the driver may be older than its CUDA, {torch.version.cuda}.")
    return int(torch.cuda.device_count())


def _probe_paddle() -> int:
    provide_openmp()
    import paddle

    if not paddle.is_compiled_with_cuda():
        raise CannotUse("This PaddlePaddle was built for the CPU alone; https://paddlepaddle.org.cn has one for CUDA.")
    return int(paddle.device.cuda.device_count())


def _probe_llama_cpp() -> int:
    provide_openmp()
    import xllamacpp

    on_cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    cards = [device for device in xllamacpp.get_device_info() if device["type"] != on_cpu]
    if not cards:
        raise CannotUse(
            "This llama.cpp was built for the CPU alone: set OPENFAZE_LLM_BASE_URL to a server on the card."
        )
    return len(cards)


def _missing_libraries(name: str, missing: Iterable[str]) -> str:
    return f"{name} does not find {', '.join(missing)}. Run `openfaze install cuda`."


def card_bytes(device: str) -> int | None:
    """Return the memory of the card `device` in bytes; None for the CPU, or if it is unknown."""
    driver = open_library(DRIVERS) if device.startswith(CUDA) else None
    card, size = ctypes.c_int(), ctypes.c_size_t()
    index = int(device.partition(":")[2] or 0)
    if driver is None or driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(card), index):
        return None
    return None if driver.cuDeviceTotalMem_v2(ctypes.byref(size), card) else size.value


DRIVER = Backend("the NVIDIA driver", _probe_driver)

ONNXRUNTIME = Backend("onnxruntime", _probe_onnxruntime)

CTRANSLATE2 = Backend("CTranslate2", _probe_ctranslate2)

TORCH = Backend("PyTorch", _probe_torch)

PADDLE = Backend("PaddlePaddle", _probe_paddle)

LLAMA_CPP = Backend("llama.cpp", _probe_llama_cpp, required=False)
