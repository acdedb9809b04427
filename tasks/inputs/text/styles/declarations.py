"""Reads declarations (`left: -9999px`), and divides those of several properties into those of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import tinycss2

from tasks.inputs.text.styles.usual import HARMLESS, MOST_TOKENS, Doubt, doubt_about, name_in_chromium
from tasks.inputs.text.styles.values import FONT_SIZES, colour_of, parseable, significant, words

Tokens = Sequence[Any]

LONGEST: Final = 200
"""Values of custom properties are put into values of at most this many tokens."""
WIDE: Final = words("inherit initial unset revert revert-layer")
"""Values that every property may have (CSS Cascading and Inheritance Level 5, 7.3)."""
_DEEPEST: Final = 8
_SIDES: Final = ("top", "right", "bottom", "left")
_BLOCK, _INLINE = ("top", "bottom"), ("left", "right")
_PHYSICAL: Final = {
    "inline-size": "width",
    "block-size": "height",
    "max-inline-size": "max-width",
    "max-block-size": "max-height",
    "overflow-inline": "overflow-x",
    "overflow-block": "overflow-y",
    **{f"{most}logical-{side}": f"{most}{side}" for most in ("", "max-") for side in ("width", "height")},
    **{
        f"{kind}-{axis}-{end}": f"{to}{side}"
        for kind, to in (("inset", ""), ("margin", "margin-"), ("padding", "padding-"))
        for axis, sides in (("block", _BLOCK), ("inline", _INLINE))
        for end, side in zip(("start", "end"), sides, strict=True)
    },
}
"""Names of properties for text that runs from left to right."""
_KEYWORDS: Final = {
    "display": words(
        "none block inline inline-block flow flow-root contents flex inline-flex grid inline-grid list-item "
        "run-in ruby ruby-base ruby-text math table inline-table table-row table-cell table-column table-caption "
        "box table-row-group table-header-group table-footer-group table-column-group inline-box"
    ),
    "visibility": words("visible hidden collapse"),
    "position": words("static relative absolute fixed sticky"),
    "overflow-x": words("visible hidden clip scroll auto overlay"),
    "overflow-y": words("visible hidden clip scroll auto overlay"),
}
_COLOURS: Final = frozenset(("color", "background-color", "text-fill-color"))
_SIZES: Final = frozenset(("width", "height", "max-width", "max-height", "font-size", "line-height"))
"""Properties that are lengths, and never negative."""
_LENGTHS: Final = _SIZES | {
    "text-indent",
    "letter-spacing",
    *_SIDES,
    *(f"{kind}-{side}" for kind in ("margin", "padding") for side in _SIDES),
}
_NUMBERS: Final = frozenset(("opacity", "zoom"))
_LONGHANDS: Final = {
    "margin": tuple(f"margin-{side}" for side in _SIDES),
    "padding": tuple(f"padding-{side}" for side in _SIDES),
    "inset": _SIDES,
    "margin-block": tuple(f"margin-{side}" for side in _BLOCK),
    "margin-inline": tuple(f"margin-{side}" for side in _INLINE),
    "padding-block": tuple(f"padding-{side}" for side in _BLOCK),
    "padding-inline": tuple(f"padding-{side}" for side in _INLINE),
    "inset-block": _BLOCK,
    "inset-inline": _INLINE,
    "overflow": ("overflow-x", "overflow-y"),
    "background": ("background-color", "background-image", "background-clip", "background-position"),
    "font": ("font-size", "line-height", "font-family"),
    "animation": ("animation-name",),
    "text-decoration": ("text-decoration-line",),
    "mask": ("mask-image",),
}

_READ: Final = words(
    "font-family src align-content align-items align-self box-pack isolation justify-content justify-items "
    "justify-self place-content place-items place-self table-layout will-change"
)
"""Harmless properties that are read all the same: those of the rules for fonts, and those by which contents exceed
their place, or lie on others."""


class Declaration(NamedTuple):
    name: str
    tokens: Tokens
    is_important: bool = False
    doubt: Doubt | None = Doubt.NONE
    """The part of a page that it makes unsure; None if that depends on the values of custom properties."""


def declarations_in(parts: Iterable[Any]) -> Iterator[Declaration]:
    """Yield the declarations among the parsed parts of a block, except for those that cannot hide text."""
    for one in parts:
        if one.type == "declaration":
            # The names of custom properties are the only ones in which capitals count.
            if one.name.startswith("--"):
                yield Declaration(one.name, one.value if len(one.value) <= MOST_TOKENS else (), one.important)
                continue
            name = name_in_chromium(one.lower_name)
            if not name or (name in HARMLESS and name not in _READ):
                continue
            doubt = None if uses_properties(one.value) else doubt_about(name, one.value)
            tokens = one.value if len(one.value) <= MOST_TOKENS else ()
            yield Declaration(_PHYSICAL.get(name, name), tokens, one.important, doubt)


def declarations_of(style: str) -> tuple[Declaration, ...]:
    """Return the declarations of an element's own style."""
    parts = tinycss2.parse_blocks_contents(parseable(style), skip_comments=True, skip_whitespace=True)
    if "{" in style:
        # Browsers do not agree where the declaration after a rule begins.
        return (*declarations_in(parts), Declaration("", (), doubt=Doubt.PAGE))
    return tuple(declarations_in(parts))


def longhands(name: str, tokens: Tokens) -> Iterator[tuple[str, list[Any]]]:
    """Yield the declarations of single properties for a declaration, except for those that browsers drop because their
    values are malformed."""
    values = significant(tokens)
    names = _LONGHANDS.get(name)
    if names is None:
        parts: Mapping[str, list[Any]] = {name: values}
    elif _is_wide(values):
        parts = dict.fromkeys(names, values)
    elif name == "background":
        parts = _background(values)
    elif name == "font":
        parts = _font(values)
    elif len(names) == 1:
        parts = {names[0]: values}
    else:
        parts = _by_sides(names, values)
    if all(_is_valid(*one) for one in parts.items()):
        yield from parts.items()


def is_known(tokens: list[Any]) -> bool | None:
    """True if browsers accept a declaration in the condition of `@supports`; None if that is not known."""
    declared = tinycss2.parse_one_declaration(tokens)
    if declared.type != "declaration" or uses_properties(declared.value):
        return None
    name = name_in_chromium(declared.lower_name)
    is_usual = name not in HARMLESS and doubt_about(name, declared.value) is Doubt.NONE
    return True if is_usual else None


def substituted(tokens: Tokens, properties: Mapping[str, Tokens], depth: int = 0) -> list[Any] | None:
    """Put the values of custom properties in the places of `var(…)`. None if a property has no value, or too long a
    one: the declaration then counts as absent."""
    found: list[Any] = []
    for token in tokens:
        if token.type != "function":
            found.append(token)
        elif token.lower_name == "var":
            if depth > _DEEPEST or (value := _value_of(token, properties, depth)) is None:
                return None
            found += value
        elif uses_properties(token.arguments):
            inner = substituted(token.arguments, properties, depth + 1) if depth <= _DEEPEST else None
            if inner is None:
                return None
            found.append(tinycss2.ast.FunctionBlock(token.source_line, token.source_column, token.name, inner))
        else:
            found.append(token)
        if len(found) > LONGEST:
            return None
    return found


def uses_properties(tokens: Tokens) -> bool:
    """True if `var(…)` is anywhere in a value."""
    left = [tokens]
    while left:
        for token in left.pop():
            if token.type == "function":
                if token.lower_name == "var":
                    return True
                left.append(token.arguments)
    return False


def _value_of(variable: Any, properties: Mapping[str, Tokens], depth: int) -> list[Any] | None:
    arguments = significant(variable.arguments)
    if not arguments or arguments[0].type != "ident":
        return None
    if (value := properties.get(arguments[0].value)) is not None:
        found = substituted(value, properties, depth + 1)
        if found is not None:
            return found
    is_given = len(arguments) > 1 and arguments[1].type == "literal" and arguments[1].value == ","
    return substituted(arguments[2:], properties, depth + 1) if is_given else None


def _is_wide(values: list[Any]) -> bool:
    return len(values) == 1 and values[0].type == "ident" and values[0].lower_value in WIDE


def _is_valid(name: str, values: list[Any]) -> bool:
    if not values:
        return False
    if _is_wide(values) or any(one.type == "function" for one in values):
        return True
    idents = [one.lower_value if one.type == "ident" else "" for one in values]
    if name in _KEYWORDS:
        return all(word in _KEYWORDS[name] for word in idents)
    if name in _COLOURS:
        return colour_of(values) is not None
    if name in _LENGTHS:
        value = values[0]
        is_number = value.type in ("dimension", "percentage", "number")
        is_one = len(values) == 1 or name == "text-indent"
        return is_one and (bool(idents[0]) or (is_number and (name not in _SIZES or value.value >= 0)))
    if name in _NUMBERS:
        return len(values) == 1 and (values[0].type in ("number", "percentage") or bool(idents[0]))
    return True


def _by_sides(names: tuple[str, ...], values: list[Any]) -> Mapping[str, list[Any]]:
    """Return the values of two or four sides, of which later ones may be left out."""
    if not 0 < len(values) <= len(names):
        return {names[0]: []}
    ends = [*values]
    while len(ends) < len(names):
        ends.append(ends[max(0, len(ends) - 2)])
    return {name: [value] for name, value in zip(names, ends, strict=True)}


def _background(values: list[Any]) -> Mapping[str, list[Any]]:
    colours, images, clips, places = [], [], [], []
    for one in values:
        colour = colour_of([one])
        if one.type == "url" or (one.type == "function" and not isinstance(colour, tuple)):
            images.append(one)
        elif colour is not None:
            colours.append(one)
        elif one.type == "ident" and one.lower_value in ("text", "content-box"):
            clips.append(one)
        elif one.type != "ident" or one.lower_value not in ("none", "scroll", "fixed", "local", "repeat"):
            places.append(one)
    none = tinycss2.parse_component_value_list("transparent none border-box")
    return {
        "background-color": colours[-1:] or [none[0]],
        "background-image": images or [none[2]],
        "background-clip": clips or [none[4]],
        "background-position": places or [none[2]],
    }


def _font(values: list[Any]) -> Mapping[str, list[Any]]:
    """Return the size, the height of lines and the family. A font of the system has one word and a usual size."""
    normal = tinycss2.parse_component_value_list("medium normal")
    if len(values) == 1:
        return {"font-size": normal[:1], "line-height": normal[2:], "font-family": values}
    sizes = ("dimension", "percentage")
    at = next((
        at for at, one in enumerate(values)
        if one.type in sizes or (one.type == "number" and one.value == 0) or one.type == "function"
        or (one.type == "ident" and one.lower_value in {*FONT_SIZES, "smaller", "larger"})
    ), None)  # fmt: skip
    if at is None:
        return {"font-size": []}
    rest = values[at + 1 :]
    height = normal[2:]
    if rest and rest[0].type == "literal" and rest[0].value == "/":
        height, rest = rest[1:2], rest[2:]
    return {"font-size": [values[at]], "line-height": height, "font-family": rest}
