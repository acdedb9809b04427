"""Reads the values of declarations: lengths in pixels, numbers, and colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final

from tinycss2.color5 import parse_color
from tinycss2.serializer import serialize

Tokens = Sequence[Any]
Rgba = tuple[float, float, float, float]
"""Red, green, blue and opacity from 0 to 1, in sRGB."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SMALL_ASCII: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
"""Table that makes the letters small that browsers compare without case."""
WINDOW: Final = (1280.0, 800.0)
"""Width and height of the window in pixels."""
EM: Final = 16.0
"""Size of a font in pixels, unless a style gives another one."""
_PIXELS: Final = {
    "px": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54, "q": 2.4 / 2.54, "pt": 96 / 72, "pc": 16.0,
    **{f"{kind}{side}": WINDOW[at] / 100 for kind in ("", "s", "l", "d") for side, at in (
        ("vw", 0), ("vh", 1), ("vi", 0), ("vb", 1), ("vmin", 1), ("vmax", 0))},
}  # fmt: skip
"""Pixels of a unit (CSS Values and Units Level 4, 6)."""
_EMS: Final = {"em": 1.0, "ex": 0.5, "ch": 0.5, "cap": 0.7, "ic": 1.0, "lh": 1.2}
_DEEPEST: Final = 8
_LONG_NUMBER: Final = re.compile(r"(\d{300})\d+")
FONT_SIZES: Final = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0,
    "xx-large": 32.0, "xxx-large": 48.0, "math": 16.0,
}  # fmt: skip
"""Pixels of the sizes of fonts that have names."""
_HEX: Final = re.compile(r"(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_SYSTEM_COLOURS: Final = {
    **dict.fromkeys(("canvas", "field", "buttonhighlight", "window", "infobackground", "menu"), (1.0, 1.0, 1.0, 1.0)),
    **dict.fromkeys(
        ("canvastext", "fieldtext", "buttontext", "windowtext", "infotext", "menutext", "captiontext"),
        (0.0, 0.0, 0.0, 1.0),
    ),
}
"""Colours of the browser, in letters of small size, as Chromium has them."""
_LIGHTEST: Final = {"lab": 100.0, "lch": 100.0, "oklab": 1.0, "oklch": 1.0}
"""Lightness of white in the spaces that are based on lightness, in which black has none."""
_OTHER_SYSTEM_COLOURS: Final = words(
    "accentcolor accentcolortext activeborder activecaption activetext appworkspace background buttonborder buttonface "
    "buttonshadow graytext highlight highlighttext inactiveborder inactivecaption inactivecaptiontext linktext mark "
    "marktext scrollbar selecteditem selecteditemtext threeddarkshadow threedface threedhighlight threedlightshadow "
    "threedshadow visitedtext windowframe"
)
"""Other colours of the browser, or of the reader's system (CSS Color Level 4, 6.2, and appendix A)."""


def parseable(css: str) -> str:
    """Return a style or a style sheet with numbers of at most 300 figures. The parser fails for more than Python reads,
    and larger ones are out of any window."""
    return _LONG_NUMBER.sub(r"\1", css)


def pixels(token: Any, *, font_size: float = EM, root_size: float = EM, whole: float | None = None) -> float | None:
    """Return a length in pixels; None if it is not known, or none. `whole` is the length of 100 %."""
    if token.type == "number":
        return 0.0 if token.value == 0 else None
    if token.type == "function" and token.lower_name == "calc":
        return calculated(
            token.arguments, lambda one: pixels(one, font_size=font_size, root_size=root_size, whole=whole)
        )
    if token.type == "percentage":
        return None if whole is None else token.value * whole / 100
    if token.type != "dimension":
        return None
    unit = token.lower_unit
    if unit in _EMS:
        return float(token.value * font_size * _EMS[unit])
    if unit in ("rem", "rlh"):
        return float(token.value * root_size * (1.0 if unit == "rem" else 1.2))
    return float(token.value * _PIXELS[unit]) if unit in _PIXELS else None


def calculated(tokens: Tokens, value_of: Callable[[Any], float | None], depth: int = 0) -> float | None:
    """Return the result of `calc()`, whose operands `value_of` reads; None if it is not known."""
    values = significant(tokens)
    if depth > _DEEPEST or len(values) % 2 == 0:
        return None
    operands: list[float] = []
    sign = "+"
    for at, one in enumerate(values):
        if at % 2:
            sign = one.value if one.type == "literal" else ""
            continue
        number = float(one.value) if one.type == "number" else None
        if one.type == "() block":
            number = calculated(one.content, value_of, depth + 1)
        elif number is None:
            number = value_of(one)
        if number is None or sign not in ("+", "-", "*", "/") or (sign == "/" and number == 0):
            return None
        if sign in ("*", "/"):
            operands[-1] = operands[-1] * number if sign == "*" else operands[-1] / number
        else:
            operands.append(number if sign == "+" else -number)
    return sum(operands)


def colour_of(tokens: Tokens) -> Rgba | str | None:
    """Return a colour, or the word "currentcolor"; "unknown" for one that cannot be calculated here, and None for
    anything else."""
    tokens = significant(tokens)
    if len(tokens) != 1:
        return _old_colour(tokens)
    token = tokens[0]
    if token.type == "ident" and token.lower_value in _SYSTEM_COLOURS:
        return _SYSTEM_COLOURS[token.lower_value]
    if token.type == "ident" and token.lower_value in _OTHER_SYSTEM_COLOURS:
        return "unknown"
    try:
        found = parse_color(token)
    except (RecursionError, ValueError, ArithmeticError, TypeError, AttributeError):
        return "unknown"
    if found is None:
        return "unknown" if token.type == "function" else _old_colour(tokens)
    return str(found).lower() if isinstance(found, str) else _rgba(found)


def _rgba(colour: Any) -> Rgba | str:
    if (most := _LIGHTEST.get(colour.space)) is not None:
        lightness = colour.coordinates[0] or 0.0
        if 0 < lightness < most:
            return "unknown"
        level = 1.0 if lightness >= most else 0.0
        return level, level, level, colour.alpha
    if colour.space not in ("srgb", "hsl", "hwb"):
        return "unknown"
    colour = colour.to("srgb")
    red, green, blue = (min(1.0, max(0.0, value or 0.0)) for value in colour.coordinates)
    return red, green, blue, colour.alpha


def _old_colour(tokens: Tokens) -> Rgba | None:
    """Return a colour without its `#`, as on old pages."""
    text = written(tokens)
    return _rgba(parse_color(f"#{text}")) if _HEX.fullmatch(text) else None  # type: ignore[return-value]


def colours_within(token: Any) -> list[Rgba] | None:
    """Return the colours of a gradient; None if it has others that are not known."""
    found: list[Rgba] = []
    for part in token.arguments:
        if part.type in ("ident", "hash", "function"):
            colour = colour_of([part])
            if isinstance(colour, tuple):
                found.append(colour)
            elif part.type != "ident" or colour is not None:
                return None
    return found or None


def split_at_commas(tokens: Tokens) -> list[list[Any]]:
    """Return the parts between commas, without comments."""
    parts: list[list[Any]] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        elif token.type != "comment":
            parts[-1].append(token)
    return parts


def trimmed(tokens: Tokens) -> Tokens:
    """Return tokens without the white space around them."""
    begin, end = 0, len(tokens)
    while begin < end and tokens[begin].type == "whitespace":
        begin += 1
    while begin < end and tokens[end - 1].type == "whitespace":
        end -= 1
    return tokens[begin:end]


def significant(tokens: Tokens) -> list[Any]:
    return [one for one in tokens if one.type not in ("whitespace", "comment")]


def written(tokens: Tokens) -> str:
    """Return tokens as text in small letters with spaces between them; "" if they are nested too deep."""
    try:
        return " ".join(" ".join(serialize([one]) for one in significant(tokens)).split()).lower()
    except RecursionError:
        return ""
