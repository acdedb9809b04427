"""Where engines on PyTorch run."""

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
