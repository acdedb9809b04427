"""Where engines run, and on how much of it."""

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from models.base import EngineUnavailable

INSTALL = "Install PyTorch and transformers: `openfaze install gpu`."


def torch_device(device: str, capability: str) -> str:
    """`device` as asked for; for `auto`, CUDA where PyTorch finds it. Imports PyTorch. Raises EngineUnavailable."""
    import torch

    there = torch.cuda.is_available()
    if device == "auto":
        return "cuda" if there else "cpu"
    if device != "cpu" and not there:
        raise EngineUnavailable(capability, f"OPENFAZE_DEVICE={device}: PyTorch finds no CUDA device here.")
    return device


AUTO = "auto"


def resolve_device(device: str, *, gpu_package: str) -> str:
    """`device` as asked for, or for `auto`: `cuda` where this machine has an NVIDIA GPU and `gpu_package`, the
    runtime's distribution for it, is installed, else `cpu`. Looks at files only: importing a runtime costs memory."""
    if device != AUTO:
        return device
    return "cuda" if Path("/proc/driver/nvidia/gpus").is_dir() and _is_distributed(gpu_package) else "cpu"


def _is_distributed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def available_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
