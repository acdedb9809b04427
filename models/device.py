"""Where engines run, and on how much of it."""

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

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
