"""Cutting prose at the ends of its sentences, in any script; never inside one that is short enough."""

import re

LONGEST = 500
"""Characters of one sentence; a longer one is cut at a comma, else at a space: models were trained on short ones."""

_END = re.compile(
    r"[.!?…]+[\"'”’»)\]\ue800-\uefff]*(?=\s)\s+(?![a-zß-öø-ÿа-яё,;])"
    r"|[。！？｡]+[」』”’）]*\s*|[।॥؟۔]+\s+"
)
_LAST_WORD = re.compile(r"(?:\A|[\s(\"'“„«])([^\W\d_](?:[\w.]{0,9}[^\W_])?)\.\Z")
_ABBREVIATED = (
    "mr mrs ms dr prof st sr jr vs etc e.g i.e cf no nos vol fig figs approx dept est inc ltd co corp gen col capt sgt "
    "rev hon jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m u.s u.k z.b d.h u.a bzw usw ca nr bd hr fr str "
    "vgl evtl ggf inkl mme mlle m mm p.ex c.-à-d env art sra srta dña ud uds ee.uu p.ej av sig dott ing avv ecc pag "
    "exmo eng bijv enz dhr mevr т.е т.д т.п г ул им др"
)
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_SOFT = re.compile(r"[,;:،、；：，][ \t]*|\s+")
_ONE_AFTER = r"[,;:،、；：，]"


def cut(text: str) -> list[str]:
    """The sentences of `text`, each with the white space behind it: joined, they are `text`."""
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if not _is_abbreviated(text[max(start, end.start() - 12) : end.start() + 1], end.group()):
            sentences += _shortened(text[start : end.end()])
            start = end.end()
    return sentences + (_shortened(text[start:]) if start < len(text) else [])


def _is_abbreviated(before: str, end: str) -> bool:
    word = _LAST_WORD.search(before) if end.rstrip() == "." else None
    return word is not None and (len(word[1]) == 1 or word[1].lower() in _ABBREVIATIONS)


def _shortened(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > LONGEST:
        place = _place_to_cut(sentence)
        pieces.append(sentence[:place])
        sentence = sentence[place:]
    return [*pieces, sentence]


def _place_to_cut(sentence: str) -> int:
    ends = [(found.end(), bool(re.match(_ONE_AFTER, found.group()))) for found in _SOFT.finditer(sentence, 1, LONGEST)]
    commas = [end for end, is_comma in ends if is_comma and end >= LONGEST // 3]
    return commas[-1] if commas else ends[-1][0] if ends else LONGEST
