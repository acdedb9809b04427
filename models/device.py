"""Which runtimes can compute on an NVIDIA card here: found out by trying, once a process, and not before it matters."""

import ctypes
import mmap
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

import structlog

from models.base import EngineUnavailable, ran_out

AUTO, CPU, CUDA = "auto", "cpu", "cuda"
DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")

_DRIVERS = ("libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1")
"""The driver's library; under WSL2 it may lie where the linker does not look."""
_MANAGEMENT = ("libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1")
_LOOK = "`nvidia-smi` shows what the driver sees; a container is given cards by `docker run --gpus all`."
_CUDA_LIBRARY = re.compile(rb"lib(?:cublas|cublasLt|cudart|cudnn|cufft|curand|nvrtc)\.so\.\d+")
_PRODUCT = bytes.fromhex(
    "080812003a400a110a01780a017812017922064d61744d756c1201675a130a0178120e0a0c080112080a0208010a02080162130a01791"
    "20e0a0c080112080a0208010a02080142040a00100d"
)
"""An ONNX file: a matrix of one number, times itself."""


log = structlog.get_logger(__name__)


class CannotUse(Exception):
    """Sentences that say what keeps a runtime from a card, and what would help."""


class Backend:
    """What computes networks, onnxruntime, PyTorch …, and the cards that it can use."""

    def __init__(self, name: str, probe: Callable[[], int], *, module: str = "", required: bool = True) -> None:
        """`module`: its Python package, where that may want libraries of the system. `probe` counts the cards, and may
        import the runtime; it raises CannotUse. `required`: whether an engine is refused rather than run on the CPU
        where a card was asked for that the runtime cannot use."""
        self.name = name
        self.module = module
        self.required = required
        self._probe = probe
        self._probing = Lock()
        self._answer: tuple[int, str] | None = None

    def obstacle(self, device: str = CUDA) -> str | None:
        """Sentences that say why it cannot compute on `device`; None where it can."""
        if device in (AUTO, CPU):
            return None
        with self._probing:
            if self._answer is None:
                self._answer = self._asked()
        count, obstacle = self._answer
        if count > int(device.partition(":")[2] or 0):
            return None
        return obstacle or f"{self.name} finds {count} NVIDIA card{'' if count == 1 else 's'}, counted from cuda:0 on."

    def resolve(self, device: str) -> str:
        """`device` as asked for; for `auto`, CUDA where it works."""
        return device if device != AUTO else CPU if self.obstacle() else CUDA

    def check(self, device: str, capability: str) -> str:
        """As `resolve`. Raises EngineUnavailable for a card that it cannot use."""
        if self.required and (obstacle := self.obstacle(device)):
            raise EngineUnavailable(capability, f"{self.name} cannot compute on '{device}' here. {obstacle}")
        return self.resolve(device)

    def _asked(self) -> tuple[int, str]:
        try:
            if self is not DRIVER and (obstacle := DRIVER.obstacle()):  # nothing is imported where there is no card
                return 0, obstacle
            return self._probe(), ""
        except CannotUse as error:
            return 0, str(error)
        except Exception as error:
            log.exception("card_probe_failed", runtime=self.name)
            return 0, f"{self.name} fails when it looks for cards ({type(error).__name__}: {error})."


def _driver() -> int:
    driver, count = _library(_DRIVERS), ctypes.c_int()
    if driver is None:
        raise CannotUse(f"There is no NVIDIA driver ({_DRIVERS[0]} does not load). {_LOOK}")
    error = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if error or not count.value:
        raise CannotUse(f"The NVIDIA driver shows this process no card (its code is {error}). {_LOOK}")
    return count.value


def _library(names: Iterable[str]) -> Any:
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:  # the next one, or none
            continue
    return None


def _onnxruntime() -> int:
    import numpy as np
    import onnxruntime as ort

    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise CannotUse("This onnxruntime is the one for the CPU. Run `openfaze install cuda`.")
    missing = load_cuda_libraries("onnxruntime")
    options = ort.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said below
    session = ort.InferenceSession(_PRODUCT, options, providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    if "CUDAExecutionProvider" not in session.get_providers():
        raise CannotUse(_lacking("onnxruntime", missing or ["what it needs of CUDA"]))
    try:
        session.run(None, {"x": np.ones((1, 1), np.float32)})
    except Exception as error:
        raise CannotUse(f"onnxruntime fails on the card ({type(error).__name__}: {error}).") from error
    return _driver()


def _ctranslate2() -> int:
    import ctranslate2

    count = int(ctranslate2.get_cuda_device_count())
    if not count:
        raise CannotUse("CTranslate2 finds no card: it is a build for the CPU, or the driver is older than its CUDA.")
    if missing := load_cuda_libraries("ctranslate2"):
        raise CannotUse(_lacking("CTranslate2", missing))
    return count


def _torch() -> int:
    import torch

    if torch.version.cuda is None:
        raise CannotUse("This PyTorch is the one for the CPU; https://pytorch.org/get-started/locally has the others.")
    if not torch.cuda.is_available():
        raise CannotUse(f"PyTorch finds no card: the driver may be older than its CUDA, {torch.version.cuda}.")
    return int(torch.cuda.device_count())


def _paddle() -> int:
    import paddle

    if not paddle.is_compiled_with_cuda():
        raise CannotUse("This PaddlePaddle is the one for the CPU; https://paddlepaddle.org.cn has the one for CUDA.")
    return int(paddle.device.cuda.device_count())


def _llama_cpp() -> int:
    import xllamacpp

    on_cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    cards = [device for device in xllamacpp.get_device_info() if device["type"] != on_cpu]
    if not cards:
        raise CannotUse(
            "This llama.cpp knows no other backend than the CPU: set OPENFAZE_LLM_BASE_URL to a server on the card."
        )
    return len(cards)


def _lacking(name: str, missing: Iterable[str]) -> str:
    return f"{name} does not find {', '.join(missing)}. Run `openfaze install cuda`."


def load_cuda_libraries(package: str) -> list[str]:
    """Loads those of CUDA's libraries that `package` is linked to or looks up by name, from where Python packages put
    them or the system has them: by itself it does not look there. Returns the names of those that do not load."""
    missing = []
    for name in sorted(_named_in(package), key=lambda name: ("cudnn" in name, name)):  # it needs the others
        found = next((folder / name for folder in _folders() if (folder / name).is_file()), None)
        try:
            for library in [name] if found is None else _whole(found):
                ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
        except OSError:  # said by the caller
            missing.append(name)
    return missing


def _named_in(package: str) -> set[str]:
    spec = find_spec(package)
    names: set[str] = set()
    for place in (spec.submodule_search_locations or ()) if spec else ():
        files = [*Path(place).glob("capi/lib*_cuda.so"), *Path(f"{place}.libs").glob(f"lib{package}*.so*")]
        for file in files:
            with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                names |= {found.group().decode() for found in _CUDA_LIBRARY.finditer(content)}
    return names


def _folders() -> Iterator[Path]:
    """Where NVIDIA's packages have their libraries."""
    spec = find_spec("nvidia")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(Path(place).glob("*/lib"))


def _whole(library: Path) -> list[str]:
    """The library and those beside it that belong to it: cuBLAS's core, which comes first, and the parts of cuDNN."""
    stem, _, version = library.name.partition(".so")
    parts = [str(part) for part in sorted(library.parent.glob(f"{stem}?*.so{version}"))]
    return [*parts, str(library)] if "cublas" in stem else [str(library), *parts]


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
        raise EngineUnavailable(capability, f"onnxruntime did not open its network on '{device}'. {_LOOK}")
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
        """None where memory ran out."""
        try:
            return list(self._session.run(outputs, feeds, options))
        except Exception as error:
            if ran_out(error):
                return None
            raise


@dataclass(frozen=True, slots=True)
class Card:
    name: str
    free: int
    total: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Cards:
    """All that the machine has, whether or not this process may use them."""

    driver: str
    cuda: str
    """The newest that the driver knows."""
    cards: tuple[Card, ...]


class _Memory(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_ulonglong) for name in ("total", "free", "used"))


def cards() -> Cards | None:
    """As NVIDIA's management library has it at this moment; None where there is none, or it says nothing."""
    library = _management_library()
    if library is None or library.nvmlInit_v2():
        return None
    try:
        driver, version, count = ctypes.create_string_buffer(96), ctypes.c_int(), ctypes.c_uint()
        library.nvmlSystemGetDriverVersion(driver, len(driver))
        library.nvmlSystemGetCudaDriverVersion_v2(ctypes.byref(version))
        library.nvmlDeviceGetCount_v2(ctypes.byref(count))
        found = [_card(library, index) for index in range(count.value)]
    finally:
        library.nvmlShutdown()
    cuda = f"{version.value // 1000}.{version.value % 1000 // 10}"
    return Cards(driver.value.decode(), cuda, tuple(card for card in found if card is not None))


def _card(library: Any, index: int) -> Card | None:
    handle, name, memory = ctypes.c_void_p(), ctypes.create_string_buffer(96), _Memory()
    if library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)):
        return None
    library.nvmlDeviceGetName(handle, name, len(name))
    library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
    return Card(name.value.decode(), memory.free, memory.total)


def _management_library() -> Any:
    return _library(_MANAGEMENT)


def free_on(device: str) -> int | None:
    """Bytes that are free on the card `device`; None where it is no card, or nothing tells."""
    driver, library = (_library(_DRIVERS), _management_library()) if device.startswith(CUDA) else (None, None)
    if driver is None or library is None or library.nvmlInit_v2():
        return None
    # CUDA counts cards by their speed, and those that this process may use; NVML all of them, by their slots.
    number, name = ctypes.c_int(), (ctypes.c_ubyte * 16)()
    handle, memory = ctypes.c_void_p(), _Memory()
    index = int(device.partition(":")[2] or 0)
    try:
        if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(number), index) or driver.cuDeviceGetUuid(name, number):
            return None
        uuid = f"GPU-{UUID(bytes=bytes(name))}".encode()
        if library.nvmlDeviceGetHandleByUUID(uuid, ctypes.byref(handle)):
            return None
        return None if library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) else int(memory.free)
    finally:
        library.nvmlShutdown()


DRIVER = Backend("the NVIDIA driver", _driver)
ONNXRUNTIME = Backend("onnxruntime", _onnxruntime, module="onnxruntime")
CTRANSLATE2 = Backend("CTranslate2", _ctranslate2, module="ctranslate2")
TORCH = Backend("PyTorch", _torch, module="torch")
PADDLE = Backend("PaddlePaddle", _paddle, module="paddle")
LLAMA_CPP = Backend("llama.cpp", _llama_cpp, module="xllamacpp", required=False)
