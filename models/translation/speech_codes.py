"""Codes of languages in speech engines."""

from models.translation.languages import LANGUAGES, base_of, tag_of_name

_CODES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy "
    "id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru "
    "sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh"
)

CODES = frozenset(_CODES.split())
"""Codes of the languages of speech engines: ISO 639-1, or else 639-3. Javanese has Whisper's own code."""

_WHISPER_NAMES = {"bn": "Bengali", "ht": "Haitian", "jw": "Javanese", "mi": "Maori", "nn": "Nynorsk"}
"""Whisper's English names of languages, if they differ from those in `models.translation.languages`."""


def language_code(name: str) -> str | None:
    """Return a speech engine's code for a language that is given by a code, with or without a region (`pt-BR`), or by a
    name; None if there is none."""
    plain = name.strip().lower()
    code = plain.replace("_", "-").partition("-")[0]
    return code if code in CODES else code_of_tag(tag_of_name(plain) or "")


def code_of_tag(tag: str) -> str | None:
    code = {"jv": "jw"}.get(base_of(tag), base_of(tag))
    return code if code in CODES else None


def language_name(code: str) -> str:
    """Return the English name of a code; the code itself if the language has no name here."""
    return _WHISPER_NAMES.get(code) or (LANGUAGES[code].name if code in CODES else code)
