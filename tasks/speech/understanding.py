"""Whether an engine has understood a recording, and whether it speaks a language that the engine does not know."""

from collections.abc import Sequence
from statistics import fmean

from models.base import EngineUnavailable
from models.speech.transcriber import Transcriber, Word
from tasks.speech.languages import language_name
from tasks.speech.listening import Heard

CAPABILITY = "speech_to_text"
PULL = "openfaze pull speech_to_text"
_FOREIGN_BELOW = 0.3
"""Probability of the engine's one language, below which it hears another."""
_UNLIKELY = 0.5
"""The same where the words are unclear, too: then any other language is likelier."""
_CLEAR = 0.7
"""Mean probability of words from which on they were understood, whatever the language sounds like."""
_UNCLEAR = 0.5
"""Mean probability of words below which much of a text is wrong."""
_SPEECH_S = 3.0
"""Seconds of speech that are too few to tell a language by; in as many there should be words."""


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


def check_understood(engine: Transcriber, heard: Heard, language: str | None) -> None:
    """Raises EngineUnavailable where an engine of one language heard another: it says so itself of the sound, in three
    seconds of speech or more, and its words are unlikely. With `language` the request has said what is spoken, and is
    taken at its word."""
    probability = heard.language_probability
    if language is not None or engine.languages is None or probability is None or heard.speech_s < _SPEECH_S:
        return
    words = _mean_probability(heard.words)
    if not is_clear(words) and probability < (_UNLIKELY if words < _UNCLEAR else _FOREIGN_BELOW):
        raise EngineUnavailable(
            CAPABILITY,
            f"'{engine.name}' hears {_named(engine)} only, and this is another language (that it is {_named(engine)}: "
            f"{probability:.0%}): run `{PULL}` for an engine of many languages. A request that names the language "
            f'("in {_named(engine)}") is not checked.',
        )


def is_clear(probability: float) -> bool:
    """`probability` is the mean of words'."""
    return probability >= _CLEAR


def is_unclear(heard: Heard) -> bool:
    """Whether much of the text is likely to be wrong, or missing."""
    if not heard.words:
        return heard.speech_s >= _SPEECH_S
    foreign = heard.language_probability is not None and heard.language_probability < _FOREIGN_BELOW
    return foreign or _mean_probability(heard.words) < _UNCLEAR


def _mean_probability(words: Sequence[Word]) -> float:
    return fmean(word.probability for word in words) if words else 0.0


def _named(engine: Transcriber) -> str:
    return " and ".join(map(language_name, sorted(engine.languages or ())))
