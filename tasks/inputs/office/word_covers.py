"""Marks the text of a Word document as unsure over which something may be drawn (ECMA-376, part 1, 20.4.2). Only Word
knows where lines really are."""

import math
from collections.abc import Iterator

from lxml import etree

from tasks.inputs.office.drawings import mark_unsure
from tasks.inputs.office.measures import EMU, points

_LEAST_SIDE = 8.0
"""A shape of fewer points in width or height hides no text."""
_LARGE_AREA = 120_000.0
"""A shape of as many square points, a quarter of a page, may hide text anywhere."""
_LONGEST_STYLE = 2_000
_HIGHEST = 2_000.0
"""At most this many points above and below a shape are looked through."""
_MOST_TEXTS = 300_000
"""At most this many texts below shapes are marked one by one; with more, all are."""
_LINE = 12.0
"""Height of a line, and of an empty paragraph, in points, at least."""
_CHARS_OF_LINE = 100
"""A line has about as many characters, at most."""
_FILLS = (
    "{*}solidFill",
    "{*}gradFill",
    "{*}pattFill",
    "{*}blipFill",
    "{*}fillRef",
    "{*}blip",
    "{*}graphicFrame",
    "{*}chart",
    "{*}relIds",
)
_OFF = ("0", "false", "off")


def doubt_what_is_covered(root: etree._Element, name: str) -> None:
    """Mark the text of a part. `name` is the namespace of its elements in braces."""
    for phantom in root.iter("{*}phant"):
        if any(one.get(key) in _OFF for one in phantom.iterfind("{*}phantPr/{*}show") for key in one.attrib):
            for text in phantom.iter("{*}t"):
                text.text = ""
    left = _MOST_TEXTS
    for anchor in root.iter("{*}anchor"):
        covered = _covered_by(anchor, name)
        if covered is None or left < 0:
            _mark(root, name, anchor)
            break
        for one in covered:
            left -= _mark(one, name, anchor)
    for shape in root.iter("{urn:schemas-microsoft-com:vml}*"):
        for one in _covered_by_vml(shape, name):
            left -= _mark(one, name, shape)
        if left < 0:
            _mark(root, name)
            break


def _covered_by(anchor: etree._Element, name: str) -> list[etree._Element] | None:
    """Return the paragraphs and tables on which a shape may lie that floats in front of text; None for all."""
    if anchor.get("behindDoc") in ("1", "true") or anchor.find("{*}wrapNone") is None:
        return []
    extent = anchor.find("{*}extent")
    width, height = ((0.0 if extent is None else points(extent.get(side), EMU) or 0.0) for side in ("cx", "cy"))
    paragraph = _paragraph_of(anchor, name)
    if paragraph is None or min(width, height) < _LEAST_SIDE or next(anchor.iter(*_FILLS), None) is None:
        return []
    if width * height >= _LARGE_AREA:
        return None
    offset = sum(points(one.text, EMU) or 0.0 for one in anchor.iterfind("{*}positionV/{*}posOffset"))
    place = next((one.get("relativeFrom") for one in anchor.iterfind("{*}positionV")), "paragraph")
    below, above = (height + offset, -offset) if place in ("paragraph", "line") else (height, height)
    return [*_near(paragraph, below), *_near(paragraph, above, forwards=False)]


def _covered_by_vml(shape: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the paragraphs and tables on which a shape in the older language for drawings may lie."""
    declared = (one.partition(":") for one in shape.get("style", "")[:_LONGEST_STYLE].split(";"))
    style = {key.strip(): value.strip() for key, _, value in declared}
    is_behind = style.get("z-index", "0").startswith("-") or shape.find("{*}wrap") is not None
    paragraph = _paragraph_of(shape, name)
    if style.get("position") != "absolute" or is_behind or shape.get("filled") in ("f", "false") or paragraph is None:
        return
    height = points(style.get("height"), 1) or 0.0
    if height >= _LEAST_SIDE:
        yield from _near(paragraph, height)
        yield from _near(paragraph, height, forwards=False)


def _near(paragraph: etree._Element, height: float, *, forwards: bool = True) -> Iterator[etree._Element]:
    """Yield the paragraphs and tables from one on that begin within a height, in points."""
    yield paragraph
    left = min(height, _HIGHEST)
    for one in paragraph.itersiblings(preceding=not forwards):
        if left <= 0:
            return
        yield one
        length = sum(len(text.text or "") for text in one.iter("{*}t"))
        left -= _LINE * max(1, math.ceil(length / _CHARS_OF_LINE))


def _paragraph_of(element: etree._Element, name: str) -> etree._Element | None:
    return next(element.iterancestors(f"{name}p"), None)


def _mark(element: etree._Element | None, name: str, apart_from: etree._Element | None = None) -> int:
    """Mark the texts in an element, and return their number."""
    own = () if apart_from is None else {*apart_from.iter(f"{name}t")}
    texts = [] if element is None else list(element.iter(f"{name}t"))
    mark_unsure(text for text in texts if text not in own)
    return len(own) + len(texts) + 1
