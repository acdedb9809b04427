"""Tells which declarations of styles are usual: of a property, and with a value, whose effect is judged exactly.

Browsers know many more properties and values than are judged here, and drop what they do not know. A declaration that
is not usual is therefore doubted, not guessed at: its element is unsure, or all of the page if it may move, cover, cut
or recolour others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Final

from tasks.inputs.text.styles.values import colour_of, pixels, significant, words, written

Tokens = Sequence[Any]


class Doubt(IntEnum):
    """The part of a page that a declaration makes unsure."""

    NONE = 0
    ELEMENT = 1
    """The element and what is in it."""
    PAGE = 2


MOST_TOKENS: Final = 4_000
"""Values of more tokens are not read."""
_MOST_MARGIN: Final = 300.0
"""Larger margins and paddings, in pixels or a like number of other units, may move text out of the window."""
_MOST_PADDING: Final = 200.0
_MOST_RADIUS: Final = 30.0
"""Larger corners may cut the ground off that letters need."""
_MOST_SPACING: Final = 60.0
_THIN: Final = 4.0
"""Lines that are thinner cover no letters."""
_THINNEST: Final = 2.0
"""Outlines, which may be drawn beside each other, cover no letters if they are as thin."""
_MOST_SHADOW: Final = 60.0
"""Shadows further than this number of pixels from their element may lie on others, however light they are."""
_DARK: Final = 0.3
"""A shadow that is as opaque may hide letters."""
_NUMBER: Final = r"\+?(?:\d{1,7}(?:\.\d{1,20})?|\.\d{1,20})"
_SIZE: Final = re.compile(rf"{_NUMBER}(?:px|pt|em|rem|ex|ch|in|cm|mm|pc|vw|vh|%)|0(?:\.0{{1,9}})?")
_COLOUR: Final = re.compile(
    rf"#(?:[\da-f]{{3,4}}|[\da-f]{{6}}|[\da-f]{{8}})|rgba?\( ?{_NUMBER}(?:, ?| ?, ?){_NUMBER} ?, ?{_NUMBER}"
    rf"(?: ?, ?{_NUMBER}%?)? ?\)"
    rf"|rgba?\( ?{_NUMBER} {_NUMBER} {_NUMBER}(?: ?/ ?{_NUMBER}%?)? ?\)"
    rf"|hsla?\( ?{_NUMBER} ?, ?{_NUMBER}% ?, ?{_NUMBER}%(?: ?, ?{_NUMBER}%?)? ?\)"
)
_COLOUR_NAME: Final = re.compile(r"(?!(?:[\da-f]{3}|[\da-f]{6})$)[a-z]+")
_SUM: Final = re.compile(rf"calc\( ?{_NUMBER}(?:px|em|rem|%|vw) [+-] {_NUMBER}(?:px|em|rem|%|vw) ?\)")
_FAMILY: Final = (
    r"(?:(?!(?:inherit|initial|unset|revert|revert-layer|default)\b)[a-z-]+(?: [a-z-]+)*|\"[\w -]+\"|'[\w -]+')"
)
_SLANT, _WEIGHT = "(?:italic|oblique)", "(?:bold|bolder|lighter|[1-9]00)"
_FONT: Final = re.compile(
    rf"inherit|(?:normal )?(?:(?:{_SLANT} )?(?:small-caps )?(?:{_WEIGHT} )?|{_WEIGHT} {_SLANT} )"
    rf"{_NUMBER}(?:px|pt|em|rem|%)(?: / (?:normal|{_NUMBER}(?:px|pt|em|rem|%)?))?"
    rf" {_FAMILY}(?: , {_FAMILY})*"
)
_CONTENT: Final = re.compile(r"none|normal|\"[ \xa0•●○◦■▪·]{0,3}\"|'[ \xa0•●○◦■▪·]{0,3}'")
"""Generated content that adds nothing to a value beside it: bullets and blanks."""

HARMLESS: Final = words(
    "align-content align-items align-self alignment-baseline all-space-treatment appearance backface-visibility "
    "border-bottom-color border-bottom-left-radius border-bottom-right-radius border-bottom-style "
    "border-collapse border-color border-left-color border-left-style border-right-color border-right-style "
    "border-style border-top-color border-top-left-radius border-top-right-radius border-top-style "
    "box-decoration-break box-orient box-align box-pack box-sizing break-after break-before break-inside "
    "caption-side caret-color clear column-fill column-rule column-rule-color column-rule-style cursor empty-cells "
    "fill-opacity flex-grow flex-shrink font-display font-family font-feature-settings font-kerning "
    "font-language-override font-optical-sizing font-smoothing font-stretch font-style font-synthesis font-variant "
    "font-variant-alternates font-variant-caps font-variant-east-asian font-variant-ligatures "
    "font-variant-numeric font-variant-position font-variation-settings font-weight hanging-punctuation hyphens "
    "image-rendering interpolation-mode isolation justify-content justify-items justify-self "
    "line-break list-style-image list-style-position margin-collapse object-position "
    "orphans outline-color outline-style overflow-anchor overflow-scrolling overflow-wrap "
    "overscroll-behavior overscroll-behavior-x overscroll-behavior-y page page-break-after page-break-before "
    "page-break-inside place-content place-items place-self pointer-events print-color-adjust resize "
    "scroll-behavior scroll-margin scroll-margin-top scroll-padding scroll-padding-top scroll-snap-align "
    "scroll-snap-type scrollbar-color scrollbar-gutter scrollbar-width speak src tab-size table-layout "
    "tap-highlight-color text-align text-align-last text-decoration-color text-decoration-skip "
    "text-decoration-skip-ink text-decoration-style text-emphasis text-justify text-overflow text-rendering "
    "text-size-adjust text-transform text-underline-position touch-action touch-callout "
    "transform-origin transform-style transition transition-delay transition-duration transition-property "
    "transition-timing-function user-select user-drag user-modify white-space-trim widows will-change word-break "
    "word-wrap zoom-animation filter-margin layout-grid-mode size inherits initial-value syntax "
    "unicode-range color-adjust text-spacing-trim text-autospace stroke-linecap stroke-linejoin -webkit-nbsp-mode "
    "animation-delay animation-direction animation-duration animation-fill-mode animation-iteration-count "
    "animation-play-state animation-timing-function text-decorations-in-effect container-name forced-color-adjust "
    "text-stroke-color"
)
"""Properties that hide, move, cover, cut, recolour or reorder no text, whatever their values are."""
_WEBKIT_ALONE: Final = words("text-fill-color text-stroke text-stroke-width text-stroke-color box-reflect line-clamp "
                             "mask-box-image text-security")  # fmt: skip
"""Properties that have their names in Chromium only with a prefix."""
_ALIASES: Final = re.compile(
    r"align-(?:content|items|self)|animation(?:-[a-z-]+)?|appearance|backface-visibility|background-(?:clip|origin|size)"
    r"|border(?:-[a-z]+){0,2}-radius|border-image|box-(?:shadow|sizing|decoration-break|orient|align|pack)|clip-path"
    r"|column(?:s|-[a-z-]+)|filter|flex(?:-[a-z]+)?|font-(?:feature-settings|smoothing)|hyphens|hyphenate-character"
    r"|justify-content|line-break|margin-collapse|mask(?:-[a-z-]+)?|opacity|order|overflow-scrolling|perspective"
    r"|print-color-adjust|shape-[a-z-]+|tap-highlight-color|text-(?:size-adjust|emphasis|decorations-in-effect)|touch-callout"
    r"|transform(?:-origin|-style)?|transition(?:-[a-z-]+)?|user-(?:select|drag|modify)|writing-mode"
)
"""Properties that Chromium knows with a prefix, too."""
_OTHER_BROWSERS: Final = re.compile(
    r"-(?!webkit-|epub-|-).*|mso-.*|_.*|tab-(?:stops|interval)|text-raise|layout-.*|panose-1|supported-color-schemes"
)
"""Properties that Chromium drops, such as those of Word."""


def name_in_chromium(name: str) -> str:
    """Return the name of a property without its prefix; "" for one that Chromium drops."""
    if _OTHER_BROWSERS.fullmatch(name):
        return ""
    if name.startswith("-webkit-"):
        bare = name.removeprefix("-webkit-")
        return bare if bare in _WEBKIT_ALONE or _ALIASES.fullmatch(bare) else name
    return "" if name in _WEBKIT_ALONE and name != "line-clamp" else name


def doubt_about(name: str, tokens: Tokens) -> Doubt:
    """Judge a declaration without `var(…)`. `name` is the name in Chromium."""
    if name in HARMLESS:
        return Doubt.NONE
    if name not in _USUAL:
        return Doubt.PAGE
    if len(tokens) > MOST_TOKENS:
        return Doubt.PAGE
    doubt, is_usual = _USUAL[name]
    values = significant(tokens)
    return Doubt.NONE if values and is_usual(values) else doubt


def _one_of(text: str) -> Callable[[list[Any]], bool]:
    allowed = words(text)
    return lambda values: len(values) == 1 and _ident(values[0]) in allowed


def _all_of(text: str) -> Callable[[list[Any]], bool]:
    allowed = words(text)
    return lambda values: all(_ident(one) in allowed for one in values)


def _ident(token: Any) -> str:
    return str(token.lower_value) if token.type == "ident" else ""


def _like(pattern: str) -> Callable[[list[Any]], bool]:
    form = re.compile(pattern)
    return lambda values: form.fullmatch(written(values)) is not None


def _sizes(most: int = 1, other: str = "auto", limit: float = float("inf")) -> Callable[[list[Any]], bool]:
    """Judge up to `most` sizes that are at most `limit`, or one of the `other` words."""
    allowed = words(other)
    return lambda values: (
        len(values) <= most
        and all(_ident(one) in allowed or (_is_size(one) and _amount(one) <= limit) for one in values)
    )


def _is_size(token: Any) -> bool:
    if token.type == "function":
        return _SUM.fullmatch(written([token])) is not None
    is_number = token.type in ("number", "dimension", "percentage")
    return is_number and _SIZE.fullmatch(written([token])) is not None


def _amount(token: Any) -> float:
    return float(token.value) if token.type != "function" else 0.0


def _is_colour(token: Any) -> bool:
    text = written([token])
    if token.type == "ident":
        return (
            _COLOUR_NAME.fullmatch(text) is not None
            and isinstance(colour_of([token]), (tuple, str))
            and (colour_of([token]) != "unknown")
        )
    return token.type in ("hash", "function") and _COLOUR.fullmatch(text) is not None


def _colour(other: str) -> Callable[[list[Any]], bool]:
    allowed = words(other)
    return lambda values: len(values) == 1 and (_ident(values[0]) in allowed or _is_colour(values[0]))


def _is_image(token: Any) -> bool:
    if token.type == "url" or (token.type == "function" and token.lower_name == "url"):
        return True
    return token.type == "function" and _is_gradient(token)


def _is_gradient(token: Any) -> bool:
    """Judge a gradient: a direction, if any, and two colours or more, each with up to two places."""
    parts: list[list[Any]] = [[]]
    for one in significant(token.arguments):
        if one == ",":
            parts.append([])
        else:
            parts[-1].append(one)
    directions = _DIRECTIONS.get(token.lower_name)
    if directions is not None and directions.fullmatch(written(parts[0])):
        parts = parts[1:]
    return (
        directions is not None
        and len(parts) > 1
        and all(0 < len(one) <= 3 and _is_colour(one[0]) and all(map(_is_size, one[1:])) for one in parts)
    )


_DIRECTIONS: Final = {
    "linear-gradient": re.compile(rf"to (?:top|bottom|(?:(?:top|bottom) )?(?:left|right))|-?{_NUMBER}(?:deg|turn)"),
    "radial-gradient": re.compile(r"circle|ellipse|(?:(?:circle|ellipse) )?at (?:center|top|bottom|left|right)"),
}
"""Patterns of the directions and forms of gradients."""
_PLACES: Final = words("center top left right bottom")
_REPEATS: Final = words("no-repeat repeat repeat-x repeat-y")
_PICTURE_WORDS: Final = _PLACES | _REPEATS | words("cover contain auto initial")
_STYLES: Final = words("none hidden dotted dashed solid double groove ridge inset outset")
_WIDTHS: Final = words("thin medium thick")
_LINES: Final = words("none underline line-through overline")
_LINE_STYLES: Final = words("solid double dotted dashed wavy")


def _ground(values: list[Any]) -> bool:
    """Judge a `background`: a colour, a picture, and where this is."""
    before, after = values, list[Any]()
    for at, one in enumerate(values):
        if one == "/":
            before, after = values[:at], values[at + 1 : at + 3]
            if not after or not all(_is_size(each) or _ident(each) in ("cover", "contain", "auto") for each in after):
                return False
            before = [*before, *values[at + 1 + len(after) :]]
            break
    kinds: tuple[Callable[[Any], bool], ...] = (
        _is_colour,
        lambda one: _is_image(one) or _ident(one) == "none",
        lambda one: _ident(one) in _REPEATS,
        lambda one: _ident(one) in ("scroll", "fixed"),
    )
    rest = [one for one in before if not any(kind(one) for kind in kinds)]
    is_placed = _is_place(rest) and _is_row(before, rest) and (after == [] or bool(rest))
    return is_placed and all(sum(map(kind, before)) <= 1 for kind in kinds)


def _is_place(values: list[Any]) -> bool:
    """Judge a place: a word or a size for each axis, the horizontal one first unless both are words."""
    across = [_ident(one) in ("left", "right") for one in values]
    down = [_ident(one) in ("top", "bottom") for one in values]
    return (
        len(values) <= 2
        and all(_is_size(one) or _ident(one) in _PLACES for one in values)
        and sum(across) <= 1
        and sum(down) <= 1
        and not (len(values) == 2 and (down[0] or across[1]) and any(map(_is_size, values)))
    )


def _is_row(values: list[Any], some: list[Any]) -> bool:
    """True if some of the values stand beside each other."""
    places = [at for at, one in enumerate(values) if any(one is each for each in some)]
    return not places or places[-1] - places[0] == len(places) - 1


def _line(most: float, *kinds: frozenset[str]) -> Callable[[list[Any]], bool]:
    """Judge a line: a colour, a width of at most `most`, and a word of each of some kinds, at most one of each."""

    def is_usual(values: list[Any]) -> bool:
        if len(values) == 1 and _ident(values[0]) in ("inherit", "initial"):
            return True
        colours = sum(map(_is_colour, values))
        sizes = sum(_is_size(one) and _amount(one) <= most for one in values)
        named = [sum(_ident(one) in kind for one in values) for kind in kinds]
        return max(colours, sizes, *named) <= 1 and colours + sizes + sum(named) == len(values)

    return is_usual


def _shadow(values: list[Any], most: float = _THIN) -> bool:
    """Judge shadows: near ones, or ones so light together that letters under them are seen."""
    if len(values) == 1 and _ident(values[0]) in ("none", "initial", "inherit"):
        return True
    shadows: list[list[Any]] = [[]]
    for one in values:
        if one == ",":
            shadows.append([])
        else:
            shadows[-1].append(one)
    opacity = reach = 0.0
    for each in shadows:
        colours = [colour_of([one]) for one in each if _is_colour(one)]
        lengths = [one for one in each if one.type == "dimension" or (one.type == "number" and one.value == 0)]
        inset = sum(_ident(one) == "inset" for one in each)
        if len(colours) > 1 or not 2 <= len(lengths) <= 4 or len(colours) + len(lengths) + inset != len(each) or inset:
            return False
        sizes = [abs(pixels(one) or 0.0) for one in lengths]
        colour = colours[0] if colours else None
        opacity += colour[3] if isinstance(colour, tuple) else 1.0
        reach = max(reach, max(sizes[:2]) + sum(sizes[3:]), sum(sizes[2:3]) / 3)
    return reach <= most or (opacity <= _DARK and reach <= _MOST_SHADOW)


def _flex(values: list[Any]) -> bool:
    return all(one.type == "number" or _is_size(one) or _ident(one) in ("auto", "none", "initial") for one in values)


_MARGIN: Final = _sizes(1, "auto inherit", _MOST_MARGIN)
_INSIDE: Final = _sizes(1, "inherit initial", _MOST_PADDING)
_NONE: Final = _one_of("none initial")
_AUTO: Final = _one_of("auto initial")
_NORMAL: Final = _one_of("normal initial")
_BORDER: Final = _line(float("inf"), _STYLES, _WIDTHS)
_BORDERS: Final = _sizes(4, "thin medium thick initial inherit")
_E, _P = Doubt.ELEMENT, Doubt.PAGE
_USUAL: Final[dict[str, tuple[Doubt, Callable[[list[Any]], bool]]]] = {
    "display": (_E, _one_of(
        "none block inline inline-block flow-root flex inline-flex grid inline-grid list-item table inline-table "
        "table-row table-cell table-caption table-row-group -webkit-box -webkit-inline-box -webkit-flex "
        "-webkit-inline-flex")),
    "visibility": (_E, _one_of("visible hidden inherit")),
    "opacity": (_E, _like(rf"{_NUMBER}%?")),
    "position": (_P, _one_of("static relative initial")),
    **dict.fromkeys(("top", "right", "bottom", "left", "inset"), (_P, _sizes(4, "auto initial", 0.0))),
    "z-index": (_P, _like(r"auto|initial|\+?\d{1,10}")),
    "float": (_P, _one_of("none left right initial")),
    "color": (_E, _colour("inherit")),
    "text-fill-color": (_E, _colour("")),
    "background-color": (_E, _colour("initial")),
    "background": (_E, _ground),
    "background-image": (_E, lambda values: _one_of("none initial")(values) or all(map(_is_image, values))),
    "background-clip": (_E, _one_of("border-box padding-box")),
    "background-origin": (_E, _one_of("border-box padding-box content-box initial")),
    "background-attachment": (_E, _one_of("scroll fixed local initial")),
    **dict.fromkeys(
        ("background-position", "background-position-x", "background-position-y", "background-size",
         "background-repeat"), (_E, lambda values: all(
             _ident(one) in _PICTURE_WORDS or one.type in ("dimension", "percentage", "number")
             or one == "," for one in values))),
    "background-blend-mode": (_E, _NORMAL),
    "color-scheme": (_P, lambda values: all(_ident(one) in ("light", "dark", "normal", "only") for one in values)
                     and [_ident(one) for one in values] not in (["dark"], ["only", "dark"], ["dark", "only"])),
    "font-size": (_E, _sizes(1, "xx-small x-small small medium large x-large xx-large smaller larger inherit initial")),
    "font": (_E, _like(_FONT.pattern)),
    "font-size-adjust": (_E, _NONE),
    "font-palette": (_E, _NORMAL),
    "line-height": (_P, lambda values: _sizes(1, "normal inherit initial")(values)
                    or _like(_NUMBER)(values)),
    "letter-spacing": (_E, _like(rf"normal|inherit|initial|-?{_NUMBER}(?:px|pt|em|rem)|0")),
    "word-spacing": (_E, _like(rf"normal|inherit|initial|-?{_NUMBER}(?:px|pt|em|rem)|0")),
    "text-indent": (_E, _like(rf"inherit|initial|-?{_NUMBER}(?:px|pt|em|rem|in|cm|%)|0")),
    "white-space": (_E, _one_of("normal nowrap pre pre-wrap pre-line break-spaces inherit initial")),
    "text-wrap": (_E, _one_of("wrap nowrap balance pretty stable initial")),
    "vertical-align": (_E, lambda values: _like(
        rf"baseline|sub|super|top|text-top|middle|bottom|text-bottom|inherit|initial|-?{_NUMBER}(?:px|pt|em|rem|ex|%)|0"
    )(values)),
    "width": (_E, _sizes(1, "auto initial fit-content", 1300.0)),
    "height": (_E, _sizes(1, "auto initial fit-content")),
    **dict.fromkeys(("max-width", "max-height"), (_E, _sizes(1, "none initial fit-content"))),
    **dict.fromkeys(("min-width", "min-height"), (_E, _sizes(1, "auto initial max-content", 1300.0))),
    "aspect-ratio": (_E, _AUTO),
    "object-fit": (_P, _one_of("contain cover fill scale-down initial")),
    "overflow": (_E, lambda values: len(values) <= 2 and _all_of("visible hidden auto scroll clip")(values)),
    **dict.fromkeys(("overflow-x", "overflow-y"), (_E, _one_of("visible hidden auto scroll clip initial"))),
    "margin": (_P, _sizes(4, "auto inherit", _MOST_MARGIN)),
    "padding": (_E, _sizes(4, "inherit initial", _MOST_PADDING)),
    **{f"margin-{side}": (_P, _MARGIN) for side in ("top", "right", "bottom", "left")},
    **{f"padding-{side}": (_E, _INSIDE) for side in ("top", "right", "bottom", "left")},
    **{f"margin-{side}": (_P, _MARGIN) for side in ("block-start", "block-end", "inline-start", "inline-end")},
    **{f"padding-{side}": (_E, _INSIDE) for side in ("block-start", "block-end", "inline-start", "inline-end")},
    **{f"margin-{axis}": (_P, _sizes(2, "auto", _MOST_MARGIN)) for axis in ("block", "inline")},
    **{f"padding-{axis}": (_E, _sizes(2, "", _MOST_PADDING)) for axis in ("block", "inline")},
    **dict.fromkeys(("gap", "row-gap", "column-gap", "grid-gap", "grid-row-gap", "grid-column-gap"),
                    (_E, _sizes(2, "normal initial", _MOST_MARGIN))),
    "border": (_E, _BORDER),
    "border-width": (_E, _BORDERS),
    "border-spacing": (_E, _sizes(2, "inherit initial", _MOST_SPACING)),
    **{f"border-{side}": (_E, _BORDER) for side in ("top", "right", "bottom", "left", "block", "inline")},
    **{f"border-{side}-width": (_E, _BORDERS) for side in ("top", "right", "bottom", "left")},
    "border-radius": (_E, lambda values: all(
        one == "/" or _ident(one) in ("initial", "inherit")
        or (_is_size(one) and _amount(one) <= (10 if one.type == "percentage" else _MOST_RADIUS))
        for one in values)),
    "border-image": (_P, _NONE),
    "outline": (_P, _line(_THINNEST, _STYLES, words("thin medium"))),
    "outline-width": (_P, _sizes(1, "thin medium initial", _THINNEST)),
    "outline-offset": (_P, _sizes(1, "initial", _THINNEST)),
    "text-underline-offset": (_P, _sizes(1, "auto initial", _THIN)),
    "box-shadow": (_P, _shadow),
    "text-shadow": (_P, _shadow),
    **dict.fromkeys(
        ("text-decoration", "text-decoration-line", "text-decoration-thickness"),
        (_P, _line(_THIN, _LINES, _LINE_STYLES, words("auto from-font")))),
    "flex": (_E, _flex),
    "flex-basis": (_E, _flex),
    "flex-direction": (_P, _one_of("row column initial")),
    "flex-wrap": (_P, _one_of("nowrap wrap initial")),
    "flex-flow": (_P, _all_of("row column wrap nowrap initial")),
    "order": (_P, _like("0")),
    "direction": (_E, _one_of("ltr inherit initial")),
    "unicode-bidi": (_E, _one_of("normal embed isolate plaintext initial")),
    "writing-mode": (_E, _one_of("horizontal-tb initial")),
    "columns": (_E, _AUTO),
    "column-count": (_E, _AUTO),
    "column-width": (_E, _AUTO),
    "clip": (_E, _AUTO),
    "clip-path": (_E, _NONE),
    "mask": (_E, _NONE),
    "mask-image": (_E, _NONE),
    "content-visibility": (_E, _one_of("visible")),
    "content": (_E, _like(_CONTENT.pattern)),
    "quotes": (_E, _one_of("none auto initial")),
    "hyphenate-character": (_E, _AUTO),
    "list-style": (_E, lambda values: all(one.type != "string" for one in values)),
    "list-style-type": (_E, lambda values: all(one.type != "string" for one in values)),
    "contain": (_E, _NONE),
    "container-type": (_E, _one_of("normal")),
    "line-clamp": (_E, _NONE),
    "text-security": (_E, _NONE),
    "zoom": (_P, _like("normal|1|100%|initial")),
    **dict.fromkeys(("text-stroke", "text-stroke-width"), (_P, _like(r"0(?:px)?(?: [a-z]+)?"))),
    **dict.fromkeys(
        ("transform", "translate", "rotate", "scale", "perspective", "filter", "backdrop-filter",
         "animation", "animation-name", "box-reflect", "mask-box-image", "offset-path", "shape-outside"),
        (_P, _NONE)),
    "all": (_P, _one_of("")),
    "mix-blend-mode": (_P, _NORMAL),
    **dict.fromkeys(
        ("grid-area", "grid-row", "grid-column", "grid-row-start", "grid-row-end", "grid-column-start",
         "grid-column-end"), (_P, _AUTO)),
    **dict.fromkeys(("grid-template-columns", "grid-template-rows", "grid-template", "grid-auto-rows",
                     "grid-auto-columns", "grid-auto-flow"), (_E, _like(
        r"(?:none|auto|row|column|(?:[1-9]\d*|[1-9]\d*\.\d+)fr|repeat\((?:\d+|auto-fi[lt]),[^()]*(?:\([^()]*\))?\)"
        r"|minmax\([^()]*\)|\d{2,3}px| )+"))),
}  # fmt: skip
"""Judged properties, each with the doubt about values that do not pass the function beside it."""
