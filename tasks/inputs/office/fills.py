"""Finds the colours of shapes in DrawingML."""

from collections.abc import Iterator

from lxml import etree

from tasks.inputs.contrast import BLACK, Color, mixed
from tasks.inputs.office.colors import UNKNOWN, Grounds, Theme

_FILLS = ("{*}noFill", "{*}solidFill", "{*}gradFill", "{*}blipFill", "{*}pattFill", "{*}grpFill")
_MOST_STOPS = 100
"""At most this many colours of a gradient are read; it cannot be judged if it has more."""
_FIRST_OF_BACKGROUND = 1001
"""Numbers of fills from this on are those of backgrounds."""


def of_shape(shape: etree._Element, theme: Theme, under: Grounds, group: Grounds = UNKNOWN) -> Grounds:
    """Return the colours that the text of a shape stands on: those of its fill, or those under it. `group` are the
    colours of its group."""
    for properties in shape.iterchildren("{*}spPr"):
        if (grounds := within(properties, theme, under, group=group)) is not None:
            return grounds
    for reference in shape.iterfind("{*}style/{*}fillRef"):
        return of_reference(reference, theme, under)
    return under


def within(
    properties: etree._Element, theme: Theme, under: Grounds, *, group: Grounds = UNKNOWN, color: Color | None = None
) -> Grounds | None:
    """Return the colours of the fill among these properties; None if there is none. `color` is that of a reference."""
    if are_rivals(properties):
        return UNKNOWN
    fill = next(among(properties), None)
    return None if fill is None else of_fill(fill, theme, under, group=group, color=color)


def are_rivals(properties: etree._Element) -> bool:
    """True for properties with several fills, of which the standard allows one. Programs differ in which they draw."""
    return len(list(among(properties))) > 1


def among(properties: etree._Element | None) -> Iterator[etree._Element]:
    """Yield the fills among the properties of a shape."""
    return iter(()) if properties is None else properties.iterchildren(*_FILLS)


def of_fill(
    fill: etree._Element, theme: Theme, under: Grounds, *, group: Grounds = UNKNOWN, color: Color | None = None
) -> Grounds:
    """Return the colours of a fill, through which those under it are seen as far as it is transparent."""
    kind = etree.QName(fill).localname
    if kind == "noFill":
        return under
    if kind == "grpFill":
        return group
    if kind == "blipFill":
        return UNKNOWN
    if kind == "solidFill":
        parents = [fill]
    elif kind == "pattFill":
        parents = list(fill.iterchildren("{*}fgClr", "{*}bgClr"))
    else:
        parents = list(fill.iterfind("{*}gsLst/{*}gs"))
    grounds: list[Color] = []
    for parent in parents[:_MOST_STOPS]:
        found = theme.read(parent, color)
        if found is None:
            return UNKNOWN
        grounds += [found[0]] if found[1] == 1 else [mixed(found[0], one, found[1]) for one in under]
    return tuple(grounds) if grounds and len(grounds) <= _MOST_STOPS else UNKNOWN


def of_reference(reference: etree._Element, theme: Theme, under: Grounds) -> Grounds:
    """Return the colours of a fill of the theme, to which an element refers by its number."""
    index = reference.get("idx", "0")
    found = theme.read(reference, BLACK)
    number = int(index) if index.isdecimal() and len(index) < 6 else 0
    if number in (0, _FIRST_OF_BACKGROUND - 1):
        return under
    is_background = number >= _FIRST_OF_BACKGROUND
    listed = () if theme.root is None else theme.root.iter("{*}bgFillStyleLst" if is_background else "{*}fillStyleLst")
    at = number - _FIRST_OF_BACKGROUND if is_background else number - 1
    for fills in listed:
        for fill in list(fills)[at : at + 1]:
            return of_fill(fill, theme, under, color=None if found is None else found[0])
    return UNKNOWN
