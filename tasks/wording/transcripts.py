"""The options of the `speech_to_text` task, and how words become them."""

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from models.translation.speech_codes import code_of_tag, language_code
from tasks.notation.words import NUMBERS, any_of, count_named
from tasks.wording.named_languages import MARK, with_names_marked
from tasks.wording.options import TaskOptions
from tasks.wording.phrases import PHRASES, compiled

# Requests about speakers: to label them, and their number. English, German, French and Spanish are understood, and the
# usual words of a few more languages.
MAX_SPEAKERS = 20
"""At most this many speakers are understood. No engine distinguishes more."""

_NUMBERS = NUMBERS | dict.fromkeys(("both", "zweier", "beide", "beiden", "ambos"), 2) | {"dreier": 3}
_NUMBER = rf"(?P<number>\d{{1,2}}|{any_of(_NUMBERS)})"

_SPEAKERS = rf"(?:{PHRASES['speech']['people']})"
_TALK = rf"(?:{PHRASES['speech']['talk']})"

_COUNTS = [
    rf"(?<![\w.,]){_NUMBER}[- ](?:[^\W\d]\w*\s+)?{_SPEAKERS}\b",
    rf"\b{_TALK}\s+(?:between|among|of|with|zwischen|von|mit|entre|de|à|con)\s+{_NUMBER}\b",
]
_INEXACT = (
    r"(?:\b(?:least|most|up to|about|than|or|to|mindestens|höchstens|bis|bis zu|etwa|oder|mehr als|moins|plus|plus de"
    r"|environ|ou|à|menos|más|más de|hasta|unas?|unos|o)|[-–])\s*$"
)

_TELL_APART = rf"(?:{PHRASES['speech']['tell_apart']})"
_ONLY_SPEAKERS = rf"(?:{PHRASES['speech']['speakers']})"
_REQUESTS = (
    rf"{PHRASES['speech']['who_speaks']}|\b{_TELL_APART}\s+(?:\w+\s+){{0,3}}{_ONLY_SPEAKERS}\b"
    rf"|\bsprecher\w*\s+(?:\w+\s+)?{_TELL_APART}\b"
)
_NEGATED = r"\b(?:no|not|don'?t|don’t|never|without|nicht|ohne|kein\w*|sans|pas|sin)\b(?:\W+\w+){0,2}\W*$"
_READ = 2000
"""Wishes are searched for in this many characters at each end of a text. The middle is material to work on, and
searching megabytes would block other requests."""
_BY_WORD = PHRASES["speech"]["by_word"]
_RECORDING = rf"(?:{PHRASES['speech']['recording']})"
_IS = r"(?:is|are|was|=|:|ist|sind|est|es|è|é|будет|是)"
_IN = r"(?:in|auf|en|em|na|на|по-?)"
# The spoken language: "the audio is French", "German audio", "spoken in Dutch", "language: de", "from Italian".
_SPOKEN = (
    rf"\b{_RECORDING}\s*(?:\w+\s+)?{_IS}\s*(?:(?:{_IN}|spoken in|all in)\s+)?({MARK})"
    rf"|({MARK})[- ](?:spoken |language )?{_RECORDING}\b"
    r"|\b(?:spoken|speak(?:s|ing)?|talk(?:s|ing)?|gesprochen|spricht|sprechen|parlent?|habla[n]?|parla(?:no)?|fala[m]?)\s+"
    rf"(?:{_IN}\s+)?({MARK})"
    rf"|\b{_IN}\s+({MARK})\s+(?:spoken|gesprochen)\b"
    rf"|\b(?:from|aus dem|du|del|dal|do)\s+({MARK})"
    r"|\blang(?:uage)?\s*[=:]\s*\"?(?P<code>[a-z]{2,3})\b"
)
# The language of the transcript: "transcribe this in German". After other verbs ("summarise it in German"), the
# language is that of the answer.
_WRITTEN = (
    r"\b(?:transcri|transkri|trascri|speech[- ]to[- ]text|stt\b|dictation|verschriftlich|schreib|расшифр|распозна)"
    rf"[^.!?\n]{{0,60}}?(?<!into)\s{_IN}\s+({MARK})"
    rf"|^\W*?(?:{_IN}\s+)?({MARK})\W*$"
)
_TRANSLATES = (
    r"\btransl\w*|\bübersetz\w*|\bubersetz\w*|\btradu\w*|\bvertaal\w*|翻译|翻譯|翻訳|перев[её]?[дс]\w*|\binto\b"
)


def asks_for_speakers(text: str) -> bool:
    """True if `text` asks who speaks.

    >>> asks_for_speakers("Transcribe this and identify the speakers.")
    True
    >>> asks_for_speakers("Transcribe this, no speaker labels please.")
    False
    """
    return any(
        not compiled(_NEGATED).search(text, max(0, match.start() - 40), match.start())
        for match in compiled(_REQUESTS).finditer(text)
    )


def number_of_speakers(text: str) -> int | None:
    """Return the number of speakers that `text` gives, 2 to 20; None if it gives no number or only an inexact one.

    >>> number_of_speakers("Diarize this dialogue between two friends.")
    2
    """
    for pattern in _COUNTS:
        for match in compiled(pattern).finditer(text):
            number = count_named(match["number"], _NUMBERS)
            exact = not compiled(_INEXACT).search(text, max(0, match.start("number") - 20), match.start("number"))
            if exact and 2 <= number <= MAX_SPEAKERS:
                return number
    return None


def _code_of(language: object) -> object:
    if not isinstance(language, str) or (code := language_code(language)) is not None:
        return code if isinstance(language, str) else language
    raise ValueError(
        f"'{language[:60]}' is no language that speech engines know: give an English name or an ISO 639 code"
    )


SpokenLanguage = Annotated[str, StringConstraints(min_length=2, max_length=60), BeforeValidator(_code_of)]
LONGEST_PROMPT = 4_000
"""A prompt has at most this many characters. Engines read the end of it."""


class SpeechOptions(TaskOptions):
    by_word: bool = False
    """Return one chunk with times for each word."""
    diarize: bool = False
    """Distinguish the speakers."""
    speakers: Annotated[int, Field(ge=1, le=MAX_SPEAKERS)] | None = None
    """Number of speakers, if it is known."""
    source_language: SpokenLanguage | None = None
    """Spoken language, by English name or ISO 639 code. Default: recognised automatically."""
    prompt: Annotated[str, Field(max_length=LONGEST_PROMPT)] = ""
    """Names and spellings to prefer, or the text before the recording."""
    to_english: SkipJsonSchema[bool] = False
    """True to write English, even if another language is spoken."""


def parse_speech(text: str, _has_sources: bool = False) -> SpeechOptions:
    """Parse the wishes in `text`: chunks by word, speakers and their number, the spoken language.

    A language to translate into is ignored, because speech engines write what they hear.
    """
    if len(text) > 2 * _READ:
        text = f"{text[:_READ]}\n{text[-_READ:]}"
    speakers = number_of_speakers(text)
    return SpeechOptions(
        source_language=_spoken_language(text),
        by_word=bool(compiled(_BY_WORD).search(text)),
        diarize=asks_for_speakers(text) or speakers is not None,
        speakers=speakers,
    )


def _spoken_language(text: str) -> str | None:
    marked, tags = with_names_marked(text, lambda tag: code_of_tag(tag) is not None)
    found = compiled(_SPOKEN).search(marked)
    if found is None and not compiled(_TRANSLATES).search(text):
        found = compiled(_WRITTEN).search(marked)
    if found is None:
        return None
    named = found.groupdict().get("code")
    return language_code(named) if named else code_of_tag(tags[found.start(found.lastindex or 0)])
