"""Whether an engine of one language has understood a recording, or has made up words for what it cannot hear."""

from collections.abc import Sequence
from statistics import fmean

from models.base import EngineUnavailable
from models.speech.transcriber import Transcriber, Word
from tasks.speech.languages import language_name

CAPABILITY = "speech_to_text"
PULL = "openfaze pull speech_to_text"
# Chosen on made speech, and not checked on recordings that were held out. tiny.en on espeak-ng's voices: of 58 clips of
# a sentence or two in 12 other languages, 1 passes; of 63 pairs of English sentences in 9 accents, all do; of 24 single
# sentences in the least clear English voice, 23. Whoever names the language goes past all of it.
LEAST_PROBABILITY = 0.7
"""Of a recording's words on average, below which its text is withheld."""
_LEAST_OF_FEW = 0.5
_FEW = 10
"""Words that vary so much that less is asked of them."""
_LEAST_OF_SPARSE = 0.8
"""What is asked where there is less than a word a second of speech: the rest was not understood, or looped."""
_SPEECH_S = 3.0
"""Seconds of speech in which there should be a word."""


def check_language(engine: Transcriber, language: str | None) -> None:
    """Raises EngineUnavailable where `engine` does not know `language`."""
    if language is not None and engine.languages is not None and language not in engine.languages:
        raise EngineUnavailable(
            CAPABILITY,
            f"'{engine.name}' hears {_named(engine)} only, and this is to be heard as {language_name(language)}: run "
            f"`{PULL}` for one of many languages.",
        )


def check_translates(engine: Transcriber) -> None:
    """Raises EngineUnavailable where `engine` writes down only what it hears."""
    if not engine.can_translate:
        raise EngineUnavailable(
            CAPABILITY,
            f"'{engine.name}' does not translate: run `{PULL}` for one that does, and choose it "
            "(OPENFAZE_SPEECH_TO_TEXT=whisper-small).",
        )


def check_understood(engine: Transcriber, words: Sequence[Word], speech_s: float, language: str | None) -> None:
    """Raises EngineUnavailable where the words heard in `speech_s` seconds of speech are so unlikely that something
    else was said. With `language` the request has said what is spoken, and is taken at its word."""
    if not words and speech_s < _SPEECH_S:
        return
    least = LEAST_PROBABILITY if len(words) >= _FEW else _LEAST_OF_FEW
    if len(words) < speech_s:
        least = _LEAST_OF_SPARSE
    probability = fmean(word.probability for word in words) if words else 0.0
    if not is_understood(engine, probability, language, least):
        raise EngineUnavailable(
            CAPABILITY,
            f"'{engine.name}' hears {_named(engine)} only, and what is spoken here is something else, or not clear "
            f"enough: run `{PULL}` for an engine of many languages that hears better. A request that names "
            f'the language ("in {_named(engine)}") is not checked.',
        )


def is_understood(
    engine: Transcriber, probability: float, language: str | None, least: float = LEAST_PROBABILITY
) -> bool:
    """`probability` is the mean of words'. Engines of many languages say themselves what they hear."""
    return language is not None or engine.languages is None or probability >= least


def _named(engine: Transcriber) -> str:
    return " and ".join(map(language_name, sorted(engine.languages or ())))
