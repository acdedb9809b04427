"""How people say which pages they mean, in English, German, French, Spanish, Portuguese and Italian.

Fragments of regular expressions that ignore case. None of them captures anything.
"""

from collections.abc import Iterable


def _by_word(words: dict[int, str]) -> dict[str, int]:
    return {word: number for number, line in words.items() for word in line.split(", ")}


COUNTS = _by_word(
    {
        1: "one",
        2: "two, zwei, deux, dos, due, duas",
        3: "three, drei, trois, tres, tre, três",
        4: "four, vier, quatre, cuatro, quattro, quatro",
        5: "five, fünf, cinq, cinco, cinque",
        6: "six",
        7: "seven",
        8: "eight",
        9: "nine",
        10: "ten",
    }
)
PLACES = _by_word(
    {
        1: "first, erste, ersten, première, premières, primera, primeras, primeira, primeiras, prima, prime",
        2: "second, zweite, zweiten, deuxième, seconde, segunda, seconda",
        3: "third, dritte, dritten, troisième, tercera, terceira, terza",
        4: "fourth, vierte, vierten, quatrième, cuarta, quarta",
        5: "fifth, fünfte, fünften, cinquième, quinta",
        -1: "last, final, letzte, letzten, dernière, dernières, última, últimas, ultima, ultime",
        -2: "second to last, second-to-last, penultimate, vorletzte, vorletzten, avant-dernière, penúltima, penultima",
        -3: "third to last, third-to-last",
    }
)
"""Below zero: counted from the end."""


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


PAGES = r"pages|seiten|p[áa]ginas|pagine"
PAGE = r"page|seite|p[áa]gina"
# Case matters: "PG 13" is a film's rating, and "s. 3" may be a section.
SHORT_PAGES = r"(?-i:pp\.|[Pp]gs\b\.?|p[áa]gs\b\.?)"
SHORT_PAGE = r"(?-i:p\.|S\.|[Pp]g\b\.?|p[áa]g\b\.?)"
THE = r"(?:(?:the|die|der|den|las?|les?|le|el|o|as?)\s+)?"

AND = r"\s*(?:&|\+|\b(?:and|und|et|y|e)\b)\s*"
COMMA = rf"(?:\s*,(?:{AND})?\s*|{AND})"
_TILL = r"up\s+to|until|till|bis(?:\s+zu[rm]?)?|jusqu['’]à|hasta|até|fino\s+a(?:lla)?"
TO = rf"\s*(?:[-–—]|\b(?:to|through|{_TILL}|à|al?)\b)\s*"
UP_TO = rf"\b(?:{_TILL})\s+(?:and\s+including\s+|einschließlich\s+)?"
FROM = r"\b(?:(?:start|begin)(?:ing)?\s+(?:at|from|with|on)|ab|à\s+partir\s+de|a\s+partir\s+d[aeo]|desde)\s+"
FROM_ON = r"\b(?:from|von|de|da)\s+"
"""Begins a range without an end only if ON_TO follows: "the table from page 3" is on page 3."""
BETWEEN = r"\b(?:between|zwischen|entre|tra|fra)\s+"
ONWARDS = (
    r"(?:\s+(?:(?:and\s+)?onwards?|et\s+suivantes|en\s+adelante|em\s+diante|in\s+poi)\b|\s*\bff\b"
    r"|\s*[-–—]\s*(?:the\s+)?(?:end|last|ende|fin|fim|fine)\b"
    r"|\s+(?:to|through|until|till)\s+(?:the\s+)?(?:very\s+)?(?:end|last)\b"
    r"|\s+bis\s+(?:zu[rm]\s+)?(?:ende|schluss|letzten)\b|\s+(?:à|jusqu['’]à)\s+la\s+fin\b"
    r"|\s+(?:al|hasta\s+el)\s+final\b|\s+até\s+(?:a?o\s+)?(?:fim|final)\b|\s+(?:fino\s+)?alla\s+fine\b)"
)
ON = r"\s+(?:on|an)(?=\s*(?:[.,;:!?)]|$)|\s+please\b)"

# "3.5" and "3-column" are not page 3. Nine digits are more than any document has pages.
COUNT = rf"(?:\d{{1,9}}(?!\d|\.\d)|(?:{_any_of(COUNTS)}))(?!\w|-(?!(?:end|ende|fin|fim|fine|last)\b)[^\W\d])"
RANGE = rf"{COUNT}(?:{TO}{THE}(?:(?:{PAGE})\s+)?{COUNT}|{ONWARDS})?"
PLACE = rf"(?:\d{{1,9}}(?:st|nd|rd|th|re|ère|e|ème|ª|a|\.(?=\s+(?:seiten?|und|bis)\b|$))|(?:{_any_of(PLACES)}))(?!\w)"

_READ = "read|include|use|process|extract|transcribe|scan|return|output|show|want|need"
BUT = (
    r"\b(?:except|excluding|without|skip|skipping|ignore|ignoring|omit|omitting|but|(?:but\s+)?not|never"
    rf"|(?:do\s+not|don['’]?t|never)\s+(?:{_READ})|außer|ohne|nicht|sauf|sans|pas|excepto|salvo|sin|exceto|sem|não"
    r"|tranne|senza)(?:\s+(?:for|from|the|die|der|las?|les?|le|as?))*\s+"
)
ODD = r"odd|ungeraden?|impaires|impares|dispari"
EVEN = r"even|geraden?|paires|pares|pari"
