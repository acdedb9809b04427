"""Numbers and dates of a spreadsheet as it shows them, without the habits of a country.

Format codes: ECMA-376 part 1, 18.8.31. Dates are ISO 8601 whatever their code; fractions and conditions are shown as
plain numbers.
"""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

_TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|([0#?.,]+(?:E[+-]?[0#?]+)?|@|General|.)')
_DIGITS = re.compile(r"([0#?,]*)(?:\.([0#?]*))?(,*)(E[+-]?[0#?]+)?")
_EXACT = Context(prec=700)
"""Digits enough for any float, and for as many decimals as a format code has room for."""
_PLAIN = 1e15
"""Above it a spreadsheet's numbers are not exact, and are shown with an exponent."""


def shown(value: object, code: str) -> str:
    """A cell's value as text; "" for an empty one."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case dt.datetime():
            return _date_time(value, code)
        case dt.date():
            return value.isoformat()
        case dt.time():
            return value.isoformat("auto" if value.microsecond else "seconds" if value.second else "minutes")
        case dt.timedelta():
            return _duration(value)
        case int() | float():
            return _number(value, code)
        case _:
            return str(value)


def _date_time(value: dt.datetime, code: str) -> str:
    if value.time() == dt.time():
        return value.date().isoformat()
    clock = value.time().replace(microsecond=0)
    if value.date() == dt.date(1899, 12, 30):
        return clock.isoformat()
    return f"{value.date().isoformat()} {clock.isoformat('seconds' if clock.second or 's' in code else 'minutes')}"


def _duration(value: dt.timedelta) -> str:
    seconds = round(abs(value.total_seconds()))
    return f"{'-' if value < dt.timedelta() else ''}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _number(value: float, code: str) -> str:
    sections = _sections(code)
    index = 1 if value < 0 and len(sections) > 1 else 2 if value == 0 and len(sections) > 2 else 0
    section = sections[index]
    if section is None:
        return _general(value)
    prefix, digits, suffix, percent = section
    sign = "-" if value < 0 and index == 0 else ""
    if not digits:
        return prefix + suffix
    if digits == "General":
        return sign + prefix + _general(abs(value)) + suffix
    return sign + prefix + _formatted(Decimal(repr(abs(value))) * 100**percent, digits) + suffix


def _general(value: float) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < _PLAIN):
        return str(int(value))
    return f"{value:.15g}"


@lru_cache(maxsize=512)
def _sections(code: str) -> list[tuple[str, str, str, int] | None]:
    """Prefix, digits, suffix and the number of per cent signs of each section of `code`; None for one that is not
    understood."""
    sections: list[list[tuple[str, str]]] = [[]]
    for token in _TOKEN.finditer(code):
        quoted, escaped, currency, sign = token.groups()
        if sign == ";":
            sections.append([])
        elif sign and (sign[0] in "0#?" or sign[0] == "." or sign in ("General", "@")):
            sections[-1].append(("digits", "General" if sign == "@" else sign))
        else:
            literal = next((text for text in (quoted, escaped, currency, sign) if text), "")
            unknown = sign == "/" or token[0].startswith(("[<", "[>", "[="))
            sections[-1].append(("unknown" if unknown else "literal", literal))
    return [_section(tokens) for tokens in sections]


def _section(tokens: list[tuple[str, str]]) -> tuple[str, str, str, int] | None:
    digits = [index for index, (kind, _) in enumerate(tokens) if kind == "digits"]
    if any(kind == "unknown" for kind, _ in tokens) or len(digits) > 1:
        return None
    at = digits[0] if digits else len(tokens)
    prefix = "".join(text for _, text in tokens[:at])
    suffix = "".join(text for _, text in tokens[at + 1 :])
    return prefix, tokens[at][1] if digits else "", suffix, (prefix + suffix).count("%")


def _formatted(value: Decimal, digits: str) -> str:
    """`value`, which is not negative. Halves are rounded up, as spreadsheets do and Python does not."""
    found = _DIGITS.fullmatch(digits)
    if found is None:
        return _general(float(value))
    whole, decimals, thousands, exponent = found[1], found[2] or "", found[3], found[4]
    if exponent:
        return f"{float(value):.{len(decimals)}E}"
    scaled = whole.rstrip(",") if not found[2] else whole
    value /= 1000 ** (len(thousands) + len(whole) - len(scaled))
    rounded = value.quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP, _EXACT)
    text = f"{rounded:{',' if ',' in scaled else ''}f}"
    number, _, fraction = text.partition(".")
    optional = len(decimals) - len(decimals.rstrip("#?"))
    kept = fraction[: len(fraction) - optional] + fraction[len(fraction) - optional :].rstrip("0")
    number = number.rjust(scaled.count("0"), "0")
    return f"{number}.{kept}" if kept else number
