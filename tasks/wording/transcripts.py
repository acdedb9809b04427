"""How a recording is to be written down, by the words of the request."""

import re
from dataclasses import dataclass

from tasks.speech.languages import CODE_OF, CODES
from tasks.wording.speakers import asks_for_speakers, number_of_speakers


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    language: str | None = None
    """Spoken in the recording, as an ISO 639-1 code; None: found out."""
    translate: bool = False
    """Write English, whatever is spoken."""
    by_word: bool = False
    """A chunk a word."""
    diarize: bool = False
    """Say who speaks."""
    speakers: int | None = None
    """How many there are, where that is known."""
    prompt: str | None = None
    """Text that may come before: names and a spelling to prefer."""


_READ = 2000
"""Characters at either end of a text in which wishes are looked for: what lies between is something to read, and
looking through megabytes of it would hold up everybody."""
_BY_WORD = re.compile(
    r"\bby[- ]word\b|\bword[- ](?:by[- ]word|for[- ]word|level|wise)\b|\b(?:each|every) (?:\w+ )?word\b"
    r"|\b(?:single|individual|per)[- ]words?\b|\bwords?[- ](?:level )?time ?(?:stamps?|codes?|s\b)"
    r"|\btime ?(?:stamps?|codes?) (?:for|of|per|on) (?:all )?(?:the |each |every )?words?\b"
    r"|\bwort[- ]?(?:für|fuer|genau|weise)|\bpro wort\b|\b(?:jedes|jedem|einzelne\w*) wort|\bwort[- ]?zeit"
    r"|\bmot (?:à|a|par) mot\b|\b(?:par|chaque) mot\b|\bpalabra (?:por|a) palabra\b|\b(?:por|cada) palabra\b"
    r"|\bparola per parola\b|\b(?:per|ogni) parola\b|\bpalavra (?:por|a) palavra\b|\b(?:por|cada) palavra\b"
    r"|逐[字词詞]|каждо\w+ слов|по словам|単語ごと",
    re.IGNORECASE,
)
_NAME = "|".join(sorted(map(re.escape, CODE_OF), key=len, reverse=True))
_WORD_END = r"(?:\w{0,2}\b|(?=[^a-z]|$))"
_RECORDING = (
    r"(?:audio|recording|speech|speakers?|voice(?: ?(?:memo|note|message))?|talk|podcast|clip|call|interview|meeting"
    r"|video|lecture|conversation|song|language|file|aufnahme|sprache|gespräch|sprachnachricht|anruf|tonspur"
    r"|enregistrement|langue|grabación|idioma|registrazione|lingua|gravação|áudio)"
)
_IS = r"(?:is|are|was|=|:|ist|sind|est|es|è|é|будет|是)"
_IN = r"(?:in|auf|en|em|na|на|по-?)"
# Of what was recorded: "the audio is French", "German audio", "spoken in Dutch", "language: de", "from Italian".
_SPOKEN = re.compile(
    rf"\b{_RECORDING}\s*(?:\w+\s+)?{_IS}\s*(?:(?:{_IN}|spoken in|all in|auf)\s+)?(?P<is>{_NAME}){_WORD_END}"
    rf"|\b(?P<kind>{_NAME})(?:\w{{0,2}})[- ](?:spoken |language )?{_RECORDING}\b"
    rf"|\b(?:spoken|speak(?:s|ing)?|talk(?:s|ing)?|gesprochen|spricht|sprechen|parlent?|habla[n]?|parla(?:no)?|fala[m]?)\s+"
    rf"(?:{_IN}\s+)?(?P<speaks>{_NAME}){_WORD_END}"
    rf"|\b{_IN}\s+(?P<gesprochen>{_NAME})(?:\w{{0,2}})\s+(?:spoken|gesprochen)\b"
    rf"|\b(?:from|aus dem|du|del|dal|do)\s+(?P<source>{_NAME}){_WORD_END}"
    rf"|\blang(?:uage)?\s*[=:]\s*\"?(?P<code>[a-z]{{2,3}})\b",
    re.IGNORECASE,
)
# Of the writing down: "transcribe this in German". Said of anything else ("summarise it in German"), it is about the
# answer.
_WRITTEN = re.compile(
    r"\b(?:transcri|transkri|trascri|speech[- ]to[- ]text|stt\b|dictation|verschriftlich|schreib|расшифр|распозна)"
    rf"[^.!?\n]{{0,60}}?(?<!into)\s{_IN}\s+(?P<written>{_NAME}){_WORD_END}"
    rf"|^\W*(?:{_IN}\s+)?(?P<alone>{_NAME})\W*$",
    re.IGNORECASE,
)
_TRANSLATES = re.compile(
    r"\btransl\w*|\bübersetz\w*|\bubersetz\w*|\btradu\w*|\bvertaal\w*|翻译|翻譯|翻訳|перев[её]?[дс]\w*|\binto\b",
    re.IGNORECASE,
)


def wishes(text: str) -> SpeechOptions:
    """What `text` asks for: chunks by word, speakers, how many there are, the language of what is spoken.

    A language to translate into is none of it: speech engines write what they hear.
    """
    if len(text) > 2 * _READ:
        text = f"{text[:_READ]}\n{text[-_READ:]}"
    speakers = number_of_speakers(text)
    return SpeechOptions(
        language=_language(text),
        by_word=bool(_BY_WORD.search(text)),
        diarize=asks_for_speakers(text) or speakers is not None,
        speakers=speakers,
    )


def _language(text: str) -> str | None:
    found = _SPOKEN.search(text)
    if found is None and not _TRANSLATES.search(text):
        found = _WRITTEN.search(text)
    if found is None:
        return None
    [name] = [group.lower() for group in found.groups() if group]
    return CODE_OF.get(name) or (name if name in CODES else None)
