"""Tells where the text boxes of a Word document are on the page, and what room they have for text (ECMA-376, part 1,
20.4.2 and 21.1.2.1.1)."""

from typing import NamedTuple

from lxml import etree

from tasks.inputs.office.measures import EMU, is_tiny, points
from tasks.inputs.office.word_pages import PaperSize

_INSETS = {"lIns": 7.2, "tIns": 3.6, "rIns": 7.2, "bIns": 3.6}
"""The space around the text of a box in points, if the box does not set it."""
_NARROWEST = 12.0
"""Text in a narrower room, in points, is perhaps not seen, or not as words."""
_LEAST_DIFFERENCE = 8.0
"""Programs may draw a box in another size than that of its place if the two differ by as many points."""
_LESS = {"right": 1.0, "bottom": 1.0, "center": 0.5}
"""The share of a box by which it begins before the place that it is aligned with."""


class TextBox(NamedTuple):
    """The place of a text box, in points from the upper left corner of the page."""

    left: float
    top: float
    width: float
    height: float
    room: tuple[float, float]
    """Width and height that are left for the text; infinite where the box or the text decides on them."""
    is_hidden: bool
    is_unsure: bool
    """True if the text may be cut, or if programs draw the box in another size or at another place."""


def text_box(shape: etree._Element, page: PaperSize) -> TextBox | None:
    """Return the place of a shape with text; None if it has none, because it is not in a drawing."""
    anchor = next(shape.iterancestors("{*}anchor", "{*}inline"), None)
    if anchor is None:
        return None
    extent = _size(anchor, "{*}extent") or (page.width, page.height)
    frame = next(iter(shape.iterfind("{*}spPr/{*}xfrm")), None)
    own = None if frame is None else _size(frame, "{*}ext")
    (across, down), (width, height) = (0.0, 0.0), extent
    is_grouped = next(shape.iterancestors()).tag.endswith("gp")
    if is_grouped and frame is not None and own is not None:
        across, down, width, height = _within_group(next(shape.iterancestors()), frame, own)
    is_of_other_size = not is_grouped and own is not None and _differs(own, extent)
    left = across + _start(anchor, "positionH", extent[0], _starts_across(page))
    top = down + _start(anchor, "positionV", extent[1], _starts_down(page))
    bodies = list(shape.iterchildren("{*}bodyPr"))
    insets = {name: _inset(bodies, name) for name in _INSETS}
    is_fitted = any(True for body in bodies for _ in body.iterchildren("{*}spAutoFit"))
    is_wrapped = all(body.get("wrap", "square") != "none" for body in bodies)
    room = width - insets["lIns"] - insets["rIns"], height - insets["tIns"] - insets["bIns"]
    is_cut = left + insets["lIns"] < 0 or left + insets["lIns"] + max(room[0], 0.0) > page.width
    is_linked = any(text.get("id") is not None for text in shape.iterchildren("{*}txbx"))
    is_free = is_fitted or is_linked or any(body.get("vert", "horz") != "horz" for body in bodies)
    is_narrow = room[0] < _NARROWEST and is_wrapped
    is_hidden = any(one.get("hidden") in ("1", "true") for one in anchor.iterchildren("{*}docPr"))
    return TextBox(
        *(left, top, width, height),
        room=(float("inf"), float("inf")) if is_free else room,
        is_hidden=is_hidden or (not is_fitted and is_tiny(min(width, height))),
        is_unsure=is_cut or is_narrow or is_of_other_size,
    )


def _within_group(group: etree._Element, frame: etree._Element, own: tuple[float, float]) -> tuple[float, ...]:
    """Return where a shape begins in a group, and how large it is there."""
    here = next(iter(group.iterfind("{*}grpSpPr/{*}xfrm")), None)
    offset = _pair(frame.find("{*}off"), "x", "y") or (0.0, 0.0)
    if here is None:
        return *offset, *own
    begin = _pair(here.find("{*}chOff"), "x", "y") or (0.0, 0.0)
    drawn, inner = _size(here, "{*}ext"), _size(here, "{*}chExt")
    if drawn is None or inner is None:
        return *offset, *own
    scales = [side / max(inner_side, 1 / EMU) for side, inner_side in zip(drawn, inner, strict=True)]
    return (
        *((one - first) * scale for one, first, scale in zip(offset, begin, scales, strict=True)),
        *(side * scale for side, scale in zip(own, scales, strict=True)),
    )


def _starts_across(page: PaperSize) -> dict[str, tuple[float, float]]:
    """Return from where to where the places go that boxes are positioned relative to."""
    return {
        "page": (0.0, page.width),
        "leftMargin": (0.0, page.left),
        "rightMargin": (page.width - page.right, page.width),
        "": (page.left, page.width - page.right),
    }


def _starts_down(page: PaperSize) -> dict[str, tuple[float, float]]:
    return {
        "page": (0.0, page.height),
        "margin": (page.top, page.height - page.bottom),
        "topMargin": (0.0, page.top),
        "bottomMargin": (page.height - page.bottom, page.height),
        "": (0.0, page.height),
    }


def _start(anchor: etree._Element, name: str, size: float, places: dict[str, tuple[float, float]]) -> float:
    """Return where a box begins that has a size; a place that is not known, such as that of a letter, is the text."""
    for position in anchor.iterchildren(f"{{*}}{name}"):
        begin, end = places.get(position.get("relativeFrom", ""), places[""])
        for one in position.iterchildren("{*}posOffset", "{*}align"):
            if one.tag.endswith("}posOffset"):
                return begin + (points(one.text, EMU) or 0.0)
            share = _LESS.get(one.text or "", 0.0)
            return begin + share * (end - begin - size)
    return places[""][0]


def _inset(bodies: list[etree._Element], name: str) -> float:
    written = (points(body.get(name), EMU) for body in bodies)
    return next((inset for inset in written if inset is not None), _INSETS[name])


def _differs(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return any(abs(a - b) >= _LEAST_DIFFERENCE for a, b in zip(one, other, strict=True))


def _size(element: etree._Element, name: str) -> tuple[float, float] | None:
    return _pair(element.find(name), "cx", "cy")


def _pair(element: etree._Element | None, *names: str) -> tuple[float, float] | None:
    if element is None:
        return None
    first, second = (points(element.get(name), EMU) or 0.0 for name in names)
    return first, second
