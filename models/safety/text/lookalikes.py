"""Letters of other scripts that pass for Latin ones, and whether a word uses them so.

LOOKALIKES is what Unicode's confusables.txt (UTS #39; © Unicode, Inc., Unicode License v3) maps to one Latin letter,
less the symbols, and less what NFKC maps itself. Packages with that table carry a megabyte of it for these few hundred
letters, and nothing that tells a disguised word from a Russian one.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

LOOKALIKES: Mapping[str, str] = {
    "A": "ΑАᎪᗅꓮ𖽀𐊠",
    "a": "ɑαа",
    "B": "ꞴΒВᏴᗷꓐ𐊂𐊡𐌁",
    "b": "ƄЬᏏᑲᖯ",
    "C": "𑣲𑣩ⲤСᏟꓚ𐊢𐌂𐐕𐔜",
    "c": "ᴄⲥсꮯ𐐽",
    "D": "Ꭰᗞᗪꓓ",
    "d": "ԁᏧᑯꓒ",
    "E": "ΕЕⴹᎬꓰ𑢦𑢮𐊆",
    "e": "ꬲеҽ",
    "F": "ꞘϜᖴꓝ𑣂𑢢𐊇𐊥𐔥",
    "f": "ꬵꞙẝք",
    "G": "ԌᏀᏳꓖ",
    "g": "ɡᶃƍց",
    "H": "ΗⲎНᎻᕼꓧ𐋏",
    "h": "һհᏂ",
    "I": "ƖΙⲒІӀ",
    "i": "ɪɩιіꙇӏꭵᎥ𑣃",
    "J": "ꞲͿЈᎫᒍꓙ",
    "j": "ϳј",
    "K": "ΚⲔКᏦᛕꓗ𐔘",
    "L": "ⳐᏞᒪꓡ𖼖𑢣𑢲𐐛𐔦",
    "l": "۱𐌠ǀⵏᛁꓲ𖼨𐊊𐌉\u0661\U0001e8c7\u05d5\u05df\u0627\u07ca",
    "M": "ΜϺⲘМᎷᗰᛖꓟ𐊰𐌑",
    "N": "ΝⲚꓠ𐔓",
    "n": "ոռ",
    "O": "০୦𑓐𑣠ΟⲞОՕⵔዐଠ𐓂ꓳ𑢵𐊒𐊫𐐄𐔖\u07c0",
    "o": "०੦૦௦౦೦൦๐໐၀۵ᴏᴑꬽοσⲟоჿօഠဝ𐓪𑣈𑣗𐐬\u0665\u05e1\u0647\u06be\u06c1\u06d5",
    "P": "ΡⲢРᏢᑭꓑ𐊕",
    "p": "ρⲣр",
    "Q": "ⵕ",
    "q": "ԛգզ",
    "R": "ƦᎡᏒ𐒴ᖇꓣ𖼵",
    "r": "ꭇꭈᴦⲅгꮁ",
    "S": "ЅՏᏕᏚꓢ𖼺𐊖𐐠",
    "s": "ꜱƽѕꮪ𑣁𐑈",
    "T": "ΤⲦТᎢꓔ𖼊𑢼𐊗𐊱𐌕",
    "U": "Սሀ𐓎ᑌꓴ𖽂𑢸",
    "u": "ꞟᴜꭎꭒʋυս𐓶𑣘",
    "V": "۷ѴⴸᏙᐯꛟꓦ𖼈𑢠𐔝\u0667",
    "v": "ᴠνѵ𑜆ꮩ𑣀\u05d8",
    "W": "𑣯𑣦ԜᎳᏔꓪ",
    "w": "ɯᴡѡԝա𑜊𑜎𑜏ꮃ",
    "X": "𐌢𑣬ꞳΧⲬХⵝᚷꓫ𐊐𐊴𐌗𐔧",
    "x": "хᕁᕽ",
    "Y": "ΥⲨУҮᎩᎽꓬ𖽃𑢤𐊲",
    "y": "ɣᶌʏỿꭚγуүყ𑣜",
    "Z": "𐋵𑣥ΖᏃꓜ𑢩",
    "z": "ᴢꮓ𑣄",
}
"""Latin letter to those that a reader takes for it."""

ALMOST: Mapping[str, str] = {
    "a": "ᴀɐ",
    "b": "вʙьɓ",
    "c": "ϲɔ",
    "d": "ᴅɗ",
    "E": "Є",
    "e": "εєᴇǝɛэ",
    "f": "ϝꜰɟ",
    "g": "ɢ",
    "h": "нʜћђɦɥ",
    "i": "ᴉ",
    "j": "ᴊɾ",
    "k": "кκᴋʞ",
    "l": "ʟ",
    "m": "мᴍ",
    "N": "ИП",
    "n": "пηɴи",
    "p": "ᴘ",
    "q": "ϙꞯ",
    "R": "Я",
    "r": "ʀɹя",
    "t": "тτᴛʇ",
    "U": "Ц",
    "u": "цμ",
    "v": "ʌ",
    "W": "ШЩ",
    "w": "ωшщʍ",
    "x": "χ",
    "y": "ʎ",
    "z": "з",
}
"""As LOOKALIKES, of those that pass only beside real Latin letters: small capitals, turned letters, "вомв"."""

_EXACT = {ord(other): latin for latin, others in LOOKALIKES.items() for other in others}
_TO_LATIN = _EXACT | {ord(other): latin for latin, others in ALMOST.items() for other in others}
_TO_CYRILLIC = str.maketrans("aceopxykmiABCEHKMOPTXY", "асеорхукміАВСЕНКМОРТХУ")

_ENCLOSED = {
    first + place: chr(ord(letter) + place)
    for first, letter in (
        (0x249C, "a"),  # ⒜
        (0x24B6, "A"),  # Ⓐ
        (0x24D0, "a"),  # ⓐ
        (0x1F110, "A"),  # 🄐
        (0x1F130, "A"),  # 🄰
        (0x1F150, "A"),  # 🅐
        (0x1F170, "A"),  # 🅰
    )
    for place in range(26)
}
_FLAG_LETTERS = {0x1F1E6 + place: chr(ord("a") + place) for place in range(26)}
_FLAG = "[\U0001f1e6-\U0001f1ff]"
_SPELT_WITH_FLAGS = re.compile(f"{_FLAG}(?:\u200b?{_FLAG}){{2,}}|(?<!{_FLAG}){_FLAG}(?: {_FLAG}(?!{_FLAG})){{2,}}")

_NOT_LATIN = re.compile(f"[{re.escape(''.join(map(chr, _TO_LATIN)))}]")
_WORD = re.compile(r"[^\W_]+")

_TAKEN_FOR_LATIN = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "CANADIAN", "DESERET"})
"""Scripts in which a whole word may pass for a Latin one."""


def without_enclosures(text: str) -> str:
    """Circled, squared and parenthesised letters as letters, and words spelt with flags' letters.

    Before NFKC, which turns `⒝` into three characters.
    """
    text = text.translate(_ENCLOSED)
    return _SPELT_WITH_FLAGS.sub(lambda run: run[0].translate(_FLAG_LETTERS), text)


def with_latin_letters(text: str) -> str:
    """`text` with Latin letters in each word that mixes them with their lookalikes, or is made of lookalikes alone.

    A word of another script stays as it is where the text is really written in that script; one that mixes Cyrillic
    with Latin lookalikes becomes Cyrillic.
    """
    if text.isascii() or not _NOT_LATIN.search(text):
        return text
    scripts = _Scripts.of(text)
    read: dict[str, str] = {}
    for word in set(_WORD.findall(text)):
        if not word.isascii() and (reading := _read(word, scripts)) != word:
            read[word] = reading
    return _WORD.sub(lambda word: read.get(word[0], word[0]), text) if read else text


@dataclass(frozen=True, slots=True)
class _Scripts:
    """What a text is written in besides Latin."""

    trusted: frozenset[str]
    """Scripts that so much of it is in that their words are to be left alone."""
    genuine: frozenset[str]
    """Scripts with letters that look like no Latin ones: few of their words are disguises."""
    mainly_latin: bool

    @classmethod
    def of(cls, text: str) -> Self:
        exact: Counter[str] = Counter()
        inexact: Counter[str] = Counter()
        unlike: Counter[str] = Counter()
        for character, count in Counter(text).items():
            if character.isalpha():
                (exact if ord(character) in _EXACT else inexact)[_script(character)] += count
                if ord(character) not in _TO_LATIN:
                    unlike[_script(character)] += count
        latin = inexact.pop("LATIN", 0)
        return cls(
            frozenset(script for script, count in inexact.items() if 2 * count > latin + exact.total()),
            frozenset(script for script, count in unlike.items() if 8 * count > exact[script] + inexact[script]),
            latin > 2 * inexact.total(),
        )


def _read(word: str, scripts: _Scripts) -> str:
    latin = [c for c in word if _script(c) == "LATIN" and ord(c) not in _TO_LATIN]
    others = [c for c in word if ord(c) in _TO_LATIN or (c.isalpha() and _script(c) != "LATIN")]
    if not others:
        return word
    if latin:
        if all(ord(c) in _TO_LATIN for c in others):
            return word.translate(_TO_LATIN)
        if {_script(c) for c in others} == {"CYRILLIC"} and all(ord(c) in _TO_CYRILLIC for c in latin):
            return word.translate(_TO_CYRILLIC)
        return word
    of = {_script(c) for c in others} - {"LATIN"}
    table = _TO_LATIN if not of or (scripts.mainly_latin and not of & scripts.genuine) else _EXACT
    if of <= _TAKEN_FOR_LATIN - scripts.trusted and all(ord(c) in table for c in others):
        return word.translate(table)
    return word


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """As the character's name begins: LATIN, CYRILLIC, CJK …"""
    return unicodedata.name(character, "").partition(" ")[0]


_FLAGS = re.compile("\U0001f3f4(?:\U000e0067\U000e0062(?:[\U000e0061-\U000e007a]{3}))\U000e007f")
"""England, Scotland and Wales: the only use of tag characters."""
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]+"
)
_JOINERS = re.compile("(?<![\u0590-\u109f\u1780-\u18af\ua8e0-\uaadf])[\u200c\u200d]+")
"""Outside the scripts that write with them."""
_LONG_FORMS = re.compile(
    "[\u2057\u2152\u2161-\u2163\u2165-\u2168\u216a\u216b\u2171-\u2173\u2175-\u2178\u217a\u217b\u2474-\u2487\u2a0c"
    "\u321d\u321e\u3300-\u33ff\ufdf0-\ufdfc]"
)
"""Numbers, units and formulas that NFKC makes up to eighteen characters of. None spells a word that matters here."""
_LOOSE_MARKS = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
"""Marks on Latin, Greek and Cyrillic letters. After NFKC only those are left that no letter of a language has."""

_MARKS_A_LETTER = 4
"""That stay of a heap. Ordering the marks of a heap, as normalising does, takes the square of their number."""


def clean(text: str) -> str:
    """What a reader sees of `text`, in ordinary characters, and ASCII hidden in tags or variation selectors.

    In linear time; the result has at most three times as many characters.
    """
    if text.isascii():
        return _INVISIBLE.sub("", text)
    text = _FLAGS.sub("", text)
    text = _TAGS.sub(lambda run: f" {''.join(chr(ord(c) - 0xE0000) for c in run[0])} ", text)
    text = _SELECTORS.sub(lambda run: _hidden_in_selectors(run[0]), text)
    text = _INVISIBLE.sub("", text)
    text = _JOINERS.sub("", text)
    text = _LONG_FORMS.sub(" ", without_enclosures(text))
    return _LOOSE_MARKS.sub("", unicodedata.normalize("NFKC", without_heaps(text)))


def without_heaps(text: str) -> str:
    """`text` with at most a few combining marks in a row."""
    marks = "".join(character for character in set(text) if unicodedata.combining(character))
    if not marks:
        return text
    kind = f"[{re.escape(marks)}]"
    return re.sub(f"({kind}{{{_MARKS_A_LETTER}}}){kind}+", r"\1", text)


def _hidden_in_selectors(run: str) -> str:
    """Bytes written as variation selectors 1 to 256, one each. One or two are what emoji and ideographs have."""
    if len(run) < 3:
        return ""
    data = bytes(ord(c) - 0xFE00 if c <= "\ufe0f" else ord(c) - 0xE0100 + 16 for c in run)
    hidden = data.decode(errors="replace")
    return f" {hidden} " if hidden.isprintable() else ""
