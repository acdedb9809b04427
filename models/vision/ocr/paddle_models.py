"""Lists the models of PaddleOCR for each language, and checks for missing parts."""

from dataclasses import dataclass
from pathlib import Path

from models.base import EngineUnavailable
from models.capability import is_installed

FOLDER = "paddleocr"
"""Folder of all models of PaddleOCR, below the weights directory."""

_LATIN_CJK = "many"
"""Name of the group of Chinese, Japanese, English and 46 more languages in Latin letters, which one recogniser of
PP-OCRv6 reads."""
# Languages of each script that has a recogniser, by the codes of PaddleOCR 3.7 (paddleocr/_utils/langs.py), and ISO's
# codes for Chinese, Japanese and Korean. For be, ru and uk, PaddleOCR prefers `eslav` to `cyrillic`.
_LANGUAGES_BY_SCRIPT = {
    _LATIN_CJK: "af az bs ca ch chinese_cht cs cy da de en es et eu fi fr french ga german gl hr hu id is it ja japan "
    "ku la lb lt lv mi ms mt nl no oc pl pt qu rm ro rs_latin sk sl sq sv sw tl tr uz vi zh",
    "arabic": "ar bal fa ps sd ug ur",
    "cyrillic": "abq ady ava ba bg bua che cv dar inh kaa kbd kk kv ky lbe lez mhr mk mn mo os rs_cyrillic sah "
    "tab tg tt tyv udm xal",
    "devanagari": "ang bgc bh bho gom hi mah mai mr ne new sa sck",
    "el": "el",
    "eslav": "be ru uk",
    "korean": "ko korean",
    "ta": "ta",
    "te": "te",
    "th": "th",
}
_SCRIPT_OF = {language: script for script, languages in _LANGUAGES_BY_SCRIPT.items() for language in languages.split()}
LANGUAGES = _SCRIPT_OF.keys()


@dataclass(frozen=True, slots=True)
class PaddleModels:
    """Names of two models in PaddleOCR, which are also the names of their folders in FOLDER."""

    detector: str
    recognizer: str
    weight_set: str
    """The name by which `openfaze pull` downloads both models."""


def models_for(language: str) -> PaddleModels:
    """Return the models that PaddleOCR itself uses for `language`. Raises EngineUnavailable if there are none."""
    script = _SCRIPT_OF.get(language)
    if script is None:
        raise EngineUnavailable(
            "ocr", f"PaddleOCR does not read '{language}'; it reads {', '.join(sorted(LANGUAGES))}."
        )
    if script == _LATIN_CJK:
        return PaddleModels("PP-OCRv6_medium_det", "PP-OCRv6_medium_rec", "paddleocr")
    return PaddleModels("PP-OCRv5_server_det", f"{script}_PP-OCRv5_mobile_rec", f"paddleocr-{script}")


def remedy(weights: Path, language: str) -> str | None:
    """Return a sentence that says what is missing for `language` and how to get it; None if the engine can load. No
    model is loaded."""
    if not is_installed("paddle", "paddleocr"):
        return "Install PaddleOCR: `openfaze install standard`."
    try:
        models = models_for(language)
    except EngineUnavailable as error:
        return error.remedy
    for model in (models.detector, models.recognizer):
        directory = weights / FOLDER / model
        if not all((directory / f"inference.{ending}").is_file() for ending in ("yml", "json", "pdiparams")):
            return (
                f"'{FOLDER}/{model}' in OPENFAZE_WEIGHTS_DIR does not hold the inference.yml, inference.json and "
                f"inference.pdiparams of that model. Run `openfaze pull {models.weight_set}`, or copy them there."
            )
    return None
