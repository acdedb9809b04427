"""Judges the conditions of style sheets, such as media queries, for a window of a usual size on a desk.

A condition is True, False or None. None stands for one that depends on what is not known here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from tasks.inputs.text.styles.values import WINDOW, pixels, significant, words, written

_DEEPEST: Final = 12
_SIDES: Final = {"width": 0, "device-width": 0, "height": 1, "device-height": 1}
_COMPARISONS: Final = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq,
}  # fmt: skip
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_STATES: Final = {
    "orientation": ("landscape", "portrait"), "hover": ("hover", "none"), "any-hover": ("hover", "none"),
    "pointer": ("fine", "coarse", "none"), "any-pointer": ("fine", "coarse", "none"),
    "prefers-color-scheme": ("light", "dark"), "prefers-reduced-motion": ("no-preference", "reduce"),
    "scripting": ("enabled", "initial-only", "none"),
}  # fmt: skip
"""Features of the window with their values, of which it has the first one."""
_PRESENT: Final = {"color": True, **{name: values[0] != "no-preference" for name, values in _STATES.items()}}
"""True for the features that are met without a value."""
_UNITS: Final = words("px em rem pt pc in cm mm")
_OTHER_MEDIA: Final = words("print speech aural braille embossed handheld projection tty tv")


Judge = Callable[[list[Any]], bool | None]


def meets_media(tokens: Sequence[Any]) -> bool | None:
    """Judge a list of media queries. An empty list is met."""
    queries: list[list[Any]] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            queries.append([])
        elif token.type not in ("whitespace", "comment"):
            queries[-1].append(token)
    if queries == [[]]:
        return True
    return _any_of([_query(one) for one in queries])


def meets_supports(tokens: Sequence[Any], is_supported: Judge) -> bool | None:
    """Judge the condition of `@supports`. `is_supported` judges the tokens of a declaration in brackets."""
    return _condition(significant(tokens), is_supported)


def _query(tokens: list[Any]) -> bool | None:
    names = _names_in(tokens)
    if not tokens:
        return None
    is_negated = names[0] == "not" and len(names) > 1 and names[1] != ""
    begin = 1 if is_negated or names[0] == "only" else 0
    if begin < len(names) and names[begin] not in ("", "not"):
        kind = names[begin]
        found: bool | None = True if kind in ("all", "screen") else False if kind in _OTHER_MEDIA else None
        if len(tokens) > begin + 1:
            if names[begin + 1] != "and" or "or" in names:
                return None
            found = _all_of([found, _condition(tokens[begin + 2 :], _feature)])
        return _negated(found) if is_negated else found
    return _condition(tokens, _feature)


def _condition(tokens: list[Any], judge: Judge, depth: int = 0) -> bool | None:
    """Judge what is in brackets, and combined by `and`, `or` or `not`."""
    if not tokens or depth > _DEEPEST:
        return None
    names = _names_in(tokens)
    if names[0] == "not":
        return _negated(_condition(tokens[1:], judge, depth + 1)) if len(tokens) == 2 else None
    between = names[1::2]
    if any(name not in ("and", "or") for name in between) or len(set(between)) > 1 or len(tokens) % 2 == 0:
        return None
    found = [_in_brackets(one, judge, depth) for one in tokens[::2]]
    return _any_of(found) if "or" in between else _all_of(found)


def _in_brackets(token: Any, judge: Judge, depth: int) -> bool | None:
    if token.type != "() block":
        return None
    content = significant(token.content)
    if content and (content[0].type == "() block" or getattr(content[0], "lower_value", "") == "not"):
        return _condition(content, judge, depth + 1)
    return judge(content)


def _feature(tokens: list[Any]) -> bool | None:
    names = [one.lower_value for one in tokens if one.type == "ident"]
    signs = "".join(one.value for one in tokens if one.type == "literal")
    if not names:
        return None
    if signs == ":" and len(tokens) == 3:
        bound, _, side = names[0].partition("-")
        if bound in ("min", "max") and side in _SIDES:
            size = _size(tokens[2])
            return None if size is None else _COMPARISONS[">=" if bound == "min" else "<="](WINDOW[_SIDES[side]], size)
        if names[0] in _SIDES:
            size = _size(tokens[2])
            return None if size is None else WINDOW[_SIDES[names[0]]] == size
        values = _STATES.get(names[0], ())
        return written(tokens[2:]) == values[0] if written(tokens[2:]) in values else None
    if len(tokens) == 1:
        return _PRESENT.get(names[0])
    return _range(tokens)


def _size(token: Any) -> float | None:
    """Return a length in pixels; None for one that depends on the shapes of a font, or that is not known."""
    is_fixed = token.type == "number" or (token.type == "dimension" and token.lower_unit in _UNITS)
    return pixels(token) if is_fixed else None


def _range(tokens: list[Any]) -> bool | None:
    """Judge a comparison: `width >= 600px`, `600px <= width < 900px`."""
    parts: list[Any] = []
    for one in tokens:
        if one.type == "literal" and parts and isinstance(parts[-1], str):
            parts[-1] += one.value
        else:
            parts.append(one.value if one.type == "literal" else one)
    sides = [at for at, one in enumerate(parts) if getattr(one, "lower_value", "") in _SIDES]
    if len(parts) not in (3, 5) or len(sides) != 1:
        return None
    own = WINDOW[_SIDES[parts[sides[0]].lower_value]]
    found: list[bool | None] = []
    for at in range(1, len(parts), 2):
        size = _size(parts[at + 1 if at - 1 == sides[0] else at - 1])
        sign = parts[at] if at - 1 == sides[0] else _MIRRORED.get(parts[at], "")
        if size is None or sign not in _COMPARISONS:
            return None
        found.append(_COMPARISONS[sign](own, size))
    return _all_of(found)


def _names_in(tokens: list[Any]) -> list[str]:
    """Return the identifiers among tokens, each in the place of its token, and "" in those of others."""
    return [one.lower_value if one.type == "ident" else "" for one in tokens]


def _negated(found: bool | None) -> bool | None:
    return None if found is None else not found


def _any_of(found: Sequence[bool | None]) -> bool | None:
    return True if True in found else None if None in found else False


def _all_of(found: Sequence[bool | None]) -> bool | None:
    return False if False in found else None if None in found else True
