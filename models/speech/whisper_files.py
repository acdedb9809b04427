"""Locates Whisper's weights."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.weights.files import WEIGHT_SETS, WeightSet

CAPABILITY = "speech_to_text"
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_ENGLISH_END_TOKEN = 50256
"""Number of the token that ends a text in English-only models; other models have one more token before it."""
TINY_EN = WEIGHT_SETS["whisper-base-english"]
BASE = WEIGHT_SETS["whisper-base"]
SMALL = WEIGHT_SETS["whisper-small"]
LARGE_V3_TURBO = WEIGHT_SETS["whisper-large-v3-turbo"]


@dataclass(frozen=True, slots=True)
class WhisperFiles:
    """A directory with a Whisper model converted for CTranslate2."""

    folder: Path
    pieces: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """The pieces of each file, by its name, if the directory does not contain all files as a whole."""
    english_only: bool = False
    is_tiny_en: bool = False
    """True for the model whose states `models.speech.english_head.EnglishHead` reads."""


def files_of(weight_set: WeightSet, config: EngineConfig) -> WhisperFiles:
    """Return the files of a set in the weights directory or in packages. Raises EngineUnavailable if one is missing."""
    places = weight_set.pieces(config.weights_dir, CAPABILITY)
    [folder, *others] = {path.parent for pieces in places for path in pieces}
    names = [Path(file.path).name for file in weight_set.files]
    pieces = dict(zip(names, places, strict=True)) if others else {}
    return WhisperFiles(folder, pieces, english_only=weight_set is TINY_EN, is_tiny_en=weight_set is TINY_EN)


def own_files(folder: Path | None) -> WhisperFiles:
    """Return the files in the directory that the operator named. Raises EngineUnavailable."""
    if folder is None:
        raise EngineUnavailable(
            CAPABILITY, "Set OPENFAZE_SPEECH_MODEL to a directory with a CTranslate2 Whisper model."
        )
    lacking = _missing_file(folder)
    if lacking:
        raise EngineUnavailable(CAPABILITY, f"The directory OPENFAZE_SPEECH_MODEL has no '{lacking}'.")
    settings = json.loads((folder / "config.json").read_text())
    return WhisperFiles(folder, english_only=_ENGLISH_END_TOKEN in settings.get("suppress_ids_begin", ()))


def read_parts(files: WhisperFiles) -> dict[str, bytes] | None:
    """Return the contents of the files by their names if they are in pieces, or None if the folder has them."""
    read = {name: b"".join([path.read_bytes() for path in paths]) for name, paths in files.pieces.items()}
    return read or None


def _missing_file(folder: Path) -> str | None:
    return next((name for name in _NEEDED if not (folder / name).is_file()), None)
