"""Lists the NVIDIA cards of this machine, and their free memory."""

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

DRIVERS = ("libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1")
"""Names of the driver's library; under WSL2 it may be in a folder that the linker does not search."""

_NVML = ("libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1")


class CannotUse(Exception):
    """Raised if a backend cannot use a card. The message states the cause and the remedy in one or more sentences."""


def open_library(names: Iterable[str]) -> Any:
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:  # try the next name
            continue
    return None


@dataclass(frozen=True, slots=True)
class Card:
    name: str
    free: int
    total: int
    """Size of the memory in bytes, like `free`."""


@dataclass(frozen=True, slots=True)
class Cards:
    """NVIDIA's driver, and all cards of the machine, including those that this process may not use."""

    driver: str
    cuda: str
    """Newest version of CUDA that the driver supports."""
    cards: tuple[Card, ...]


class MemoryInfo(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_ulonglong) for name in ("total", "free", "used"))


def cards() -> Cards | None:
    """Return the cards that NVIDIA's management library lists now; None if the library is missing or does not
    start."""
    library = open_nvml()
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
    handle, name, memory = ctypes.c_void_p(), ctypes.create_string_buffer(96), MemoryInfo()
    if library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)):
        return None
    library.nvmlDeviceGetName(handle, name, len(name))
    library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
    return Card(name.value.decode(), memory.free, memory.total)


def open_nvml() -> Any:
    return open_library(_NVML)
