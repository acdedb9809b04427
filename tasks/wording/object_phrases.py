"""What the user's words ask to be found, as phrases: "find the red car and two dogs" → "red car", "dogs".

In English, German, French, Spanish, Italian, Portuguese and Dutch; in other languages only what a label's own names
say is understood.
"""

import re
from collections.abc import Iterator

from tasks.wording.vocabulary import NUMBERS

_VERB = re.compile(
    r"\b(?:"
    r"how many|number of|where(?:'s|’s| is| are)|(?:is|are) there|(?:do|can) you see"
    r"|detect(?:ing)?|find(?:ing)?|locate|locating|spot|identify|count(?:ing)?|mark|highlight|recogni[sz]e|track"
    r"|show me"
    r"|point (?:out|to|at)|look(?:ing)? for|search for|segment(?:ing)?|outline|cut out|mask(?: out)?|label"
    r"|box(?:es)? (?:around|for|of)|(?:polygons?|masks?|outlines?|contours?|silhouettes?) (?:of|for)"
    r"|finde[nt]?|suche[nt]?|erkenne[nt]?|zähle?n?|markiere?n?|lokalisiere?n?|detektiere?n?"
    r"|segmentiere?n?|zeige? mir"
    r"|wie ?viele|wo (?:ist|sind)|gibt es"
    r"|trouve[rz]?|détecte[rz]?|compte[rz]?|localise[rz]?|repère[rz]?|cherche[rz]?|segmente[rz]?|montre[rz]?-moi"
    r"|combien (?:de|d['’]|y a-t-il (?:de|d['’]))|où (?:est|sont|se trouve(?:nt)?)|y a-t-il"
    r"|encuentra|detecta|cuenta|localiza|busca|segmenta|cu[aá]nt[ao]s|d[oó]nde est[aá]n?|hay"
    r"|trova|rileva|conta|individua|cerca|quant[ei]|dov['’]è|dove (?:è|sono)|ci sono"
    r"|encontre|encontra|detecte|conte|localize|procure|segmente|quant[ao]s|onde est(?:á|ão)"
    r"|vind|detecteer|tel|zoek|markeer|segmenteer|hoeveel|waar (?:is|zijn)"
    r")(?=[\s:]|(?<=['’]))",
    re.IGNORECASE,
)

_END = re.compile(
    r"[.?!;\n(\[\"“]"
    r"|\b(?:in|on|at|from|within|inside|near|behind|under|above|beside|with|without|that|which|who|whose|wearing|holding"
    r"|return|report|give|output|list|draw|tell|provide|respond|standing|sitting|visible|present|shown|there|here|are|is"
    r"|do|does|can|you|for me|using|by|to|so|then|if"
    r"|im|auf|dem|diesem|dieser|mit|bitte|sind|gibt|zu sehen"
    r"|dans|sur|avec|y a|sont|s['’]il"
    r"|en|con|por favor|que|hay|ci sono|há|nel|nella|nell['’]|sul|sulla|su|no|na|nesta|neste|com|op|het beeld|zijn)\b",
    re.IGNORECASE,
)
_AND = re.compile(r"\s*(?:,|;|/|&|\+|:|\b(?:and|or|as well as|und|oder|sowie|et|ou|y|e|o|en)\b)\s*", re.IGNORECASE)

_LITTLE_WORDS = """
all any every each the a an some of both these those this that many much my our your me us only just single individual
different several exactly please also now visible number kind kinds sort sorts
alle allen der die das den dem des ein eine einen einem jede jeden jedes mir
le la les l un une des du de d tous toutes tout chaque el los las una unos unas todos todas todo cada
il lo gli i uno tutti tutte ogni os as um uma o het een elke
"""
_LITTLE = frozenset(_LITTLE_WORDS.split())
_EVERYTHING = re.compile(
    r"\b(?:objects?|things?|items?|everything|anything|stuff|contents?|entit(?:y|ies)|elements?|what|whatever|instances?"
    r"|(?:bounding )?box(?:es)?|labels?|class(?:es)?|image|picture|photo|it|them|and|detections?|segments?|regions?"
    r"|objekte?n?|dinge|gegenstände|alles|was|bild|objets?|choses?|ce qui|image|objetos?|cosas?|lo que|oggetti|cose"
    r"|coisas?|objecten|dingen|voorwerpen)\b",
    re.IGNORECASE,
)

_LONGEST_LIST = 400
"""Characters behind a verb in which its objects stand."""
_MOST_WORDS = 6
"""A longer phrase is a sentence that was not understood."""


_MOST_CHARS = 4000


def instruction_in(text: str) -> str:
    """The beginning and the end of a long text: what stands between them is what it is about, and would take long."""
    half = _MOST_CHARS // 2
    return text if len(text) <= _MOST_CHARS else f"{text[:half]}\n{text[-half:]}"


def asks(text: str) -> bool:
    """Whether `text` says that something is to be found, in a language that is understood here."""
    return _VERB.search(text) is not None


def phrases_in(text: str) -> list[str]:
    """The things that `text` asks for, as it calls them, in order; none where it asks for everything.

    "Detect all objects." has none; "Find objects: cars, dogs" has "cars" and "dogs".
    """
    return [phrase for phrase in dict.fromkeys(_phrases(text)) if not _EVERYTHING.search(phrase)]


def listed_in(text: str) -> list[str]:
    """The parts of a text that may be nothing but a list: "person", "cars and dogs"."""
    return [phrase for phrase in map(_bare, _AND.split(text.strip())) if phrase]


def _phrases(text: str) -> Iterator[str]:
    for verb in _VERB.finditer(text):
        rest = text[verb.end() : verb.end() + _LONGEST_LIST].lstrip()
        # "Where are there …", "is there a …" and "find me the …" have their end words in front.
        end = _END.search(rest)
        while end and not _bare(rest[: end.start()]):
            rest = rest[end.end() :].lstrip() if end[0].isalpha() else ""
            end = _END.search(rest) if rest else None
        span = rest[: end.start()] if end else rest
        another = _VERB.search(span)
        if another:
            span = span[: another.start()]
        for part in _AND.split(span):
            phrase = _bare(part)
            if phrase and len(phrase.split()) <= _MOST_WORDS:
                yield phrase


def _bare(words: str) -> str:
    """Without articles, quantities and punctuation at its ends."""
    kept = re.sub(r"[^\w\s'’-]", " ", re.sub(r"^(?:l|d)['’]", "", words.strip(), flags=re.IGNORECASE)).split()
    while kept and (kept[0].lower() in _LITTLE or kept[0].isdecimal() or kept[0].lower() in NUMBERS):
        kept.pop(0)
        if kept:
            kept[0] = re.sub(r"^(?:l|d)['’]", "", kept[0], flags=re.IGNORECASE)
    while kept and kept[-1].lower() in _LITTLE:
        kept.pop()
    return " ".join(kept)
