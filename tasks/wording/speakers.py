"""What a request's text says about speakers: that they are to be told apart, and how many there are.

English, German, French and Spanish, and the usual words of a few more languages.
"""

import re

MOST_SPEAKERS = 20
"""More than that nobody means, and no engine tells apart."""

_NUMBERS = {
    **dict.fromkeys(("two", "both", "zwei", "zweier", "beide", "beiden", "deux", "dos", "ambos"), 2),
    **dict.fromkeys(("due", "dois", "duas"), 2),
    **dict.fromkeys(("three", "drei", "dreier", "trois", "tres", "tre", "três"), 3),
    **dict.fromkeys(("four", "vier", "quatre", "cuatro", "quattro"), 4),
    **dict.fromkeys(("five", "fünf", "cinq", "cinco", "cinque"), 5),
    **dict.fromkeys(("six", "sechs", "seis"), 6),
    **dict.fromkeys(("seven", "sieben", "sept", "siete"), 7),
    **dict.fromkeys(("eight", "acht", "huit", "ocho"), 8),
    **dict.fromkeys(("nine", "neun", "neuf", "nueve"), 9),
    **dict.fromkeys(("ten", "zehn", "dix", "diez"), 10),
}
_NUMBER = rf"(?P<number>\d{{1,2}}|{'|'.join(_NUMBERS)})"

_SPEAKERS = (
    r"(?:speakers?|voices?|people|persons?|participants?|talkers?|parties"
    r"|sprecher\w*|personen|leute\w*|stimmen|teilnehmer\w*"
    r"|locuteurs?|locutrices?|personnes|voix|intervenants?|interlocuteurs?"
    r"|hablantes?|personas|voces|participantes|interlocutores|locutores|oradores"
    r"|persone|voci|parlanti|pessoas|vozes)"
)
_TALK = (
    r"(?:dialog(?:ue)?s?|conversations?|interviews?|calls?|discussions?|chats?|talks?"
    r"|gespräch\w*|unterhaltung|telefonat|diálogos?|conversación|entrevista|entretien|entrevue|llamada)"
)

_COUNTS = [
    re.compile(rf"(?<![\w.,]){_NUMBER}[- ](?:[^\W\d]\w*\s+)?{_SPEAKERS}\b", re.IGNORECASE),
    re.compile(rf"\b{_TALK}\s+(?:between|among|of|with|zwischen|von|mit|entre|de|à|con)\s+{_NUMBER}\b", re.IGNORECASE),
]
_INEXACT = re.compile(
    r"(?:\b(?:least|most|up to|about|than|or|to|mindestens|höchstens|bis|bis zu|etwa|oder|mehr als|moins|plus|plus de"
    r"|environ|ou|à|menos|más|más de|hasta|unas?|unos|o)|[-–])\s*$",
    re.IGNORECASE,
)

_TELL_APART = (
    r"(?:identif\w+|recogni[sz]\w+|detect\w*|distinguish\w*|differentiat\w+|separat\w+|label\w*|tag\w*|mark\w*|name"
    r"|split(?:ting)? by|tell apart|attribut\w+"
    r"|erkenn\w*|trenn\w*|unterscheid\w*|kennzeichn\w*|markier\w*|benenn\w*|ordne"
    r"|distingu\w+|sépar\w+|reconna\w+|reconoc\w+|reconozca\w*|indiqu\w+|separ\w+|etiquet\w+|étiquet\w+)"
)
_ONLY_SPEAKERS = (
    r"(?:speakers?|voices|sprecher\w*|stimmen|locuteurs?|intervenants?|interlocuteurs?|voix|hablantes?|voces"
    r"|interlocutores|locutores|oradores)"
)
_REQUESTS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\bdiari[sz]\w*",
        r"\bwho\s+(?:said|says|is\s+saying|was\s+saying|spoke|speaks|is\s+speaking|is\s+talking|talks)\b",
        r"\bwer\s+(?:was|wann|hat|sagt\w*|spricht|sprach|redet)\b",
        r"\bqui\s+(?:dit|parle|a\s+dit|a\s+parlé)\b",
        r"\bqui[eé]n(?:es)?\s+(?:dice|dijo|habla|habló|ha\s+dicho)\b",
        r"\bchi\s+(?:dice|ha\s+detto|parla)\b|\bparlanti\b|\bquem\s+(?:disse|diz|fala)\b",
        r"说话人|說話人|谁在说|話者|говорящ|кто говорит",
        rf"\b{_TELL_APART}\s+(?:\w+\s+){{0,3}}{_ONLY_SPEAKERS}\b",
        r"\bspeaker\s+(?:labels?|names?|tags?|turns?|changes?|ids?|identification|separation|recognition|attribution)\b",
        r"\b(?:by|per|with|each|every)\s+speakers?\b",
        r"\bsprecher(?:erkennung|trennung|wechsel\w*|zuordnung|angaben?|label\w*|kennzeichnung)\b",
        r"\b(?:nach|pro|mit|je)\s+sprechern?\b",
        rf"\bsprecher\w*\s+(?:\w+\s+)?{_TELL_APART}\b",
        r"\b(?:par|avec les|chaque)\s+(?:locuteurs?|intervenants?)\b",
        r"\b(?:por|con los|cada)\s+(?:hablantes?|interlocutor(?:es)?)\b",
    )
]
_NEGATED = re.compile(
    r"\b(?:no|not|don'?t|don’t|never|without|nicht|ohne|kein\w*|sans|pas|sin)\b(?:\W+\w+){0,2}\W*$", re.IGNORECASE
)


def asks_for_speakers(text: str) -> bool:
    """Whether `text` wants to know who speaks.

    >>> asks_for_speakers("Transcribe this and identify the speakers.")
    True
    >>> asks_for_speakers("Transcribe this, no speaker labels please.")
    False
    """
    return any(
        not _NEGATED.search(text, max(0, match.start() - 40), match.start())
        for pattern in _REQUESTS
        for match in pattern.finditer(text)
    )


def number_of_speakers(text: str) -> int | None:
    """How many speakers `text` says that there are, 2 to 20; None where it does not say, or not exactly.

    >>> number_of_speakers("Diarize this dialogue between two friends.")
    2
    """
    for pattern in _COUNTS:
        for match in pattern.finditer(text):
            said = match["number"].lower()
            number = int(said) if said.isdigit() else _NUMBERS[said]
            exact = not _INEXACT.search(text, max(0, match.start("number") - 20), match.start("number"))
            if exact and 2 <= number <= MOST_SPEAKERS:
                return number
    return None
