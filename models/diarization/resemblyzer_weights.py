"""The weights of Resemblyzer in the package `resemblyzer`.

The package is located but never imported, because its own code needs torch, librosa and webrtcvad. `pip install
--no-deps resemblyzer` installs it.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from models.base import EngineSpec, EngineUnavailable
from models.diarization.torch_checkpoint import Tensors, read_checkpoint

SPEC = EngineSpec("resemblyzer", "diarization", "Apache-2.0", "inside the package 'resemblyzer'")

REMEDY = "Run `openfaze install weights`."

SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
"""SHA-256 of `pretrained.pt` in resemblyzer 0.1.4."""


def voice_weights() -> Path | None:
    """Return the path of the checkpoint; None if the package or the file is missing."""
    spec = find_spec("resemblyzer")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "pretrained.pt"
    return path if path.is_file() else None


def voice_remedy() -> str | None:
    """Return a sentence on what is missing for the network; None if nothing is. Nothing is loaded."""
    if voice_weights() is None:
        return REMEDY
    return None if find_spec("openvino") else "Install the package 'openvino'."


def read_weights(path: Path) -> Tensors:
    """Return the tensors of the checkpoint. Raises EngineUnavailable for any file but the published one."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise EngineUnavailable(SPEC.capability, f"The file {path.name} is not that of resemblyzer 0.1.4. {REMEDY}")
    return read_checkpoint(data, "model_state")
